"""SealedTextField: what lies in the database is not the text, and fits only its own row, column and subject."""

import copy
import io

import pytest
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import override_settings

from accounts.models import Address, IdentityDocument, Party
from kyc_portal.records import keys
from kyc_portal.records.keys import KeyProblem, destroy_key, ensure_key, fingerprint, parse_key, rewrap_batch
from kyc_portal.records.management.commands import rotate_keys
from kyc_portal.records.models import AuditEvent, SubjectKey
from kyc_portal.records.sealed import MASK, SealedText
from kyc_portal.settings.tests import _key
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

OLD, NEW = _key("m"), _key("n").replace("test-1", "test-2")


def make_party(**changes) -> Party:
    given = {"kind": "individual", "legal_name": "Maria Example", "created_at": NOON, "changed_at": NOON}
    return Party.objects.create(**{**given, **changes})


def make_document(party=None, number="C01X00T47", **changes) -> IdentityDocument:
    party = party or make_party()
    return IdentityDocument.objects.create(party=party, kind="passport", number=number, added_at=NOON, **changes)


def stored(row, column) -> bytes | None:
    """The bytes in the database, past every layer of ours."""
    with connection.cursor() as cursor:
        table = row._meta.db_table
        key = row._meta.pk.get_db_prep_value(row.pk, connection)
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [key])  # noqa: S608
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def put(row, column, value: bytes) -> None:
    with connection.cursor() as cursor:
        key = row._meta.pk.get_db_prep_value(row.pk, connection)
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [value, key])  # noqa: S608


class TestAtRest:
    def test_the_bytes_are_not_the_text(self):
        document = make_document()

        raw = stored(document, "number")

        assert b"C01X00T47" not in raw and len(raw) == 12 + 9 + 16
        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"

    def test_the_same_text_twice_gives_two_values(self):
        party = make_party()

        assert stored(make_document(party), "number") != stored(make_document(party), "number")

    def test_it_shows_dots_wherever_it_is_printed(self):
        document = make_document()

        shown = f"{document.number} {document.number!r} {[document.number]}"

        assert "C01X" not in shown and MASK in shown

    def test_empty_becomes_null(self):
        document = make_document(number="")

        assert document.number is None
        assert stored(document, "number") is None
        assert IdentityDocument.objects.filter(number__isnull=True, pk=document.pk).exists()

    @pytest.mark.parametrize("text", ["محمد", "a" * 10_000, " ", "0"])
    def test_any_text_comes_back_as_it_went_in(self, text):
        assert IdentityDocument.objects.get(pk=make_document(number=text).pk).number.reveal() == text


class TestMoving:
    """A value that somebody moves inside the database does not open any more."""

    def test_to_another_row_of_the_same_subject(self):
        party = make_party()
        first, second = make_document(party), make_document(party)
        put(second, "number", stored(first, "number"))

        with pytest.raises(KeyProblem, match="does not fit"):
            IdentityDocument.objects.get(pk=second.pk).number.reveal()

    def test_to_another_column(self):
        document = make_document(mrz="P<UTO")
        put(document, "mrz", stored(document, "number"))

        with pytest.raises(KeyProblem, match="does not fit"):
            IdentityDocument.objects.get(pk=document.pk).mrz.reveal()

    def test_to_another_subject(self):
        document, other = make_document(), make_party()
        ensure_key(other.pk)
        IdentityDocument.objects.filter(pk=document.pk).update(party=other)

        with pytest.raises(KeyProblem, match="does not fit"):
            IdentityDocument.objects.get(pk=document.pk).number.reveal()

    def test_a_changed_byte(self):
        document = make_document()
        raw = bytearray(stored(document, "number"))
        raw[-1] ^= 1
        put(document, "number", bytes(raw))

        with pytest.raises(KeyProblem):
            IdentityDocument.objects.get(pk=document.pk).number.reveal()

    @pytest.mark.parametrize("raw", [b"", b"x", b"x" * 12])
    def test_a_cut_value(self, raw):
        document = make_document()
        put(document, "number", raw)

        with pytest.raises(KeyProblem):
            IdentityDocument.objects.get(pk=document.pk).number.reveal()


class TestCopying:
    """A value that our own code copies is sealed anew for its new place."""

    def test_a_row_copied_by_emptying_its_key(self):
        original = make_document()
        document = IdentityDocument.objects.get(pk=original.pk)

        document.pk, document.reference = None, "DOC-COPY"
        document.save()

        assert document.pk != original.pk
        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"
        assert IdentityDocument.objects.get(pk=original.pk).number.reveal() == "C01X00T47"

    def test_a_party_copied_by_emptying_its_key_gets_a_key_of_its_own(self):
        original = make_party(national_id="123456789")
        twin = Party.objects.get(pk=original.pk)

        twin.pk, twin.reference = None, "PTY-COPY"
        twin.save()

        destroy_key(original.pk)
        assert Party.objects.get(pk=twin.pk).national_id.reveal() == "123456789"

    def test_a_value_assigned_to_another_row(self):
        first, second = make_document(), make_document(number="OTHER")

        second.number = IdentityDocument.objects.get(pk=first.pk).number
        second.save()

        assert IdentityDocument.objects.get(pk=second.pk).number.reveal() == "C01X00T47"
        assert IdentityDocument.objects.get(pk=first.pk).number.reveal() == "C01X00T47"

    def test_a_row_that_goes_over_to_another_party(self):
        document, other = IdentityDocument.objects.get(pk=make_document().pk), make_party()

        document.party = other
        document.save()

        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"

    def test_a_copy_in_memory(self):
        document = copy.copy(make_document())

        assert document.number.reveal() == "C01X00T47"


class TestQuerysets:
    @pytest.mark.parametrize(
        "look_up",
        [{"number": "C01X00T47"}, {"number__contains": "C01"}, {"number__in": ["C01X00T47"]}, {"number__gt": ""}],
    )
    def test_it_cannot_be_searched(self, look_up):
        with pytest.raises((FieldError, TypeError)):
            list(IdentityDocument.objects.filter(**look_up))

    def test_it_cannot_be_written_past_its_row(self):
        make_document()

        with pytest.raises(TypeError, match="fingerprint"):
            IdentityDocument.objects.update(number="C01X00T47")

    def test_refresh_takes_what_is_stored(self):
        document = make_document()
        IdentityDocument.objects.get(pk=document.pk)
        document.number = "NEW"

        document.refresh_from_db()

        assert document.number.reveal() == "C01X00T47"

    @pytest.mark.parametrize(
        "rows", [IdentityDocument.objects.defer("number"), IdentityDocument.objects.only("kind"),
                 IdentityDocument.objects.only("number"), IdentityDocument.objects.defer("party")],
        ids=["without it", "only others", "only it", "without its subject"],
    )  # fmt: skip
    def test_deferred_loading_reveals_all_the_same(self, rows):
        document = make_document()

        assert rows.get(pk=document.pk).number.reveal() == "C01X00T47"

    def test_deferring_does_not_read_it(self, django_assert_num_queries):
        document = make_document()

        with django_assert_num_queries(1):
            assert IdentityDocument.objects.defer("number").get(pk=document.pk).kind == "passport"

    def test_loading_rows_asks_for_no_key(self, django_assert_num_queries):
        party = make_party()
        for _ in range(5):
            make_document(party)

        with django_assert_num_queries(1):
            assert [str(each.number) for each in IdentityDocument.objects.all()] == [MASK] * 5

    def test_bulk_create_seals(self):
        party = make_party()
        rows = [
            Address(party=party, kind="residence", lines=f"{number} Long Street", country="DE") for number in range(3)
        ]

        Address.objects.bulk_create(rows)

        assert {each.lines.reveal() for each in Address.objects.all()} == {
            f"{number} Long Street" for number in range(3)
        }

    def test_saving_other_fields_leaves_it_as_it_is(self):
        document = make_document()
        before = stored(document, "number")
        loaded = IdentityDocument.objects.get(pk=document.pk)
        loaded.number, loaded.place_of_issue = "OTHER", "Bonn"

        loaded.save(update_fields=["place_of_issue"])

        assert stored(document, "number") == before

    def test_saving_unchanged_writes_the_same_bytes(self):
        document = make_document()
        before = stored(document, "number")

        IdentityDocument.objects.get(pk=document.pk).save()

        assert stored(document, "number") == before

    def test_none_empties_it(self):
        document = IdentityDocument.objects.get(pk=make_document().pk)
        document.number = None

        document.save(update_fields=["number"])

        assert IdentityDocument.objects.get(pk=document.pk).number is None

    def test_a_form_or_dump_shows_dots(self):
        assert IdentityDocument._meta.get_field("number").value_to_string(make_document()) == MASK

    def test_the_field_describes_itself_for_migrations(self):
        assert Party._meta.get_field("national_id").deconstruct()[3]["under"] == "pk"
        assert "under" not in IdentityDocument._meta.get_field("number").deconstruct()[3]


class TestKeys:
    def test_a_wrong_master_key_raises(self):
        document = make_document()
        SubjectKey.objects.update(master_key_id="test-2")

        with override_settings(MASTER_KEYS=[NEW]), pytest.raises(KeyProblem):
            IdentityDocument.objects.get(pk=document.pk).number.reveal()

    def test_a_missing_master_key_is_named(self):
        document = make_document()

        with override_settings(MASTER_KEYS=[NEW]), pytest.raises(KeyProblem, match="test-1 is not among"):
            IdentityDocument.objects.get(pk=document.pk).number.reveal()

    def test_without_master_keys_nothing_is_written(self):
        with override_settings(MASTER_KEYS=[]), pytest.raises(KeyProblem, match="KYC_MASTER_KEYS is empty"):
            make_document()

    def test_a_destroyed_key_raises(self):
        document = make_document()

        assert destroy_key(document.party_id) == 1
        with pytest.raises(KeyProblem, match="does not exist"):
            IdentityDocument.objects.get(pk=document.pk).number.reveal()

    def test_the_first_key_writes_and_all_read(self):
        before = make_document()

        with override_settings(MASTER_KEYS=[NEW, OLD]):
            after = make_document()
            assert IdentityDocument.objects.get(pk=before.pk).number.reveal() == "C01X00T47"
        written = dict(SubjectKey.objects.values_list("subject", "master_key_id"))

        assert (written[before.party_id], written[after.party_id]) == ("test-1", "test-2")

    @pytest.mark.parametrize(
        "text", ["", ":", "id", "id:", ":QUJD", "id:QUJD", "id:not base64!", "id:" + "A" * 43, "id:" + "ä" * 44]
    )
    def test_a_malformed_key_is_refused(self, text):
        with pytest.raises(KeyProblem):
            parse_key(text)

    def test_a_key_made_in_a_transaction_that_rolls_back_is_forgotten(self, transactional_db):
        party = make_party()
        with pytest.raises(RuntimeError), transaction.atomic():
            ensure_key(party.pk)
            raise RuntimeError

        document = make_document(party)

        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"

    def test_two_threads_that_need_a_new_key_agree_on_one(self, transactional_db, in_threads):
        party = make_party()

        made = in_threads(*[lambda: ensure_key(party.pk)] * 3)

        assert len(set(made)) == 1 and isinstance(made[0], bytes)


class TestRotation:
    def rotate(self) -> str:
        out = io.StringIO()
        call_command("rotate_keys", stdout=out)
        return out.getvalue()

    @override_settings(MASTER_KEYS=[NEW, OLD])
    def test_every_key_goes_over_and_no_value_is_lost(self):
        with override_settings(MASTER_KEYS=[OLD]):
            documents = [make_document() for _ in range(3)]

        assert "3 keys wrapped anew under test-2" in self.rotate()

        with override_settings(MASTER_KEYS=[NEW]):
            assert {IdentityDocument.objects.get(pk=each.pk).number.reveal() for each in documents} == {"C01X00T47"}
        assert AuditEvent.objects.filter(verb="records.keys.rotated", facts__count=3).exists()

    @override_settings(MASTER_KEYS=[NEW, OLD])
    def test_a_run_that_was_stopped_goes_on_where_it_was(self, monkeypatch):
        with override_settings(MASTER_KEYS=[OLD]):
            documents = [make_document() for _ in range(5)]
        calls = []

        def stopped_in_the_second_batch(limit=2):
            calls.append(limit)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return rewrap_batch(limit)

        with monkeypatch.context() as patch:
            patch.setattr(rotate_keys.keys, "rewrap_batch", stopped_in_the_second_batch)
            with pytest.raises(KeyboardInterrupt):
                self.rotate()
        midway = sorted(SubjectKey.objects.values_list("master_key_id", flat=True))
        readable = {IdentityDocument.objects.get(pk=each.pk).number.reveal() for each in documents}
        said = self.rotate()

        assert midway == ["test-1"] * 3 + ["test-2"] * 2
        assert readable == {"C01X00T47"}
        assert "3 keys" in said and "0 keys" in self.rotate()
        told = AuditEvent.objects.filter(verb="records.keys.rotated").values_list("facts__count", flat=True)
        assert sum(told) == 5

    @override_settings(MASTER_KEYS=[NEW])
    def test_a_key_that_is_missing_stops_it_in_words(self):
        with override_settings(MASTER_KEYS=[OLD]):
            make_document()

        with pytest.raises(CommandError, match="test-1 is not among KYC_MASTER_KEYS") as refused:
            self.rotate()

        assert refused.value.returncode == 2


class TestFingerprints:
    def test_equal_for_equal_values_of_one_kind(self):
        assert fingerprint("phone", "+4930123") == fingerprint("phone", "+4930123")
        assert len(fingerprint("phone", "+4930123")) == 64

    def test_they_differ_by_value_kind_and_key(self):
        plain = {fingerprint("phone", "1"), fingerprint("phone", "2"), fingerprint("card", "1")}
        with override_settings(FINGERPRINT_KEY=NEW):
            plain.add(fingerprint("phone", "1"))

        assert len(plain) == 4

    def test_the_signing_key_has_a_public_half(self):
        key_id, private = keys.signing_key()

        private.public_key().verify(private.sign(b"x"), b"x")
        assert key_id == "test-1" and len(keys.public_key_bytes()) == 32

    def test_a_sealed_text_of_no_row_can_be_revealed(self):
        assert SealedText(clear="x").reveal() == "x"
