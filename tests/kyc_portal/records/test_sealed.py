"""SealedTextField: what lies in the database is not the text, and fits only its own row, column and subject."""

import copy

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from accounts.models import Address, IdentityDocument, Party
from kyc_portal.records.keys import KeyProblem, destroy_key, ensure_key
from kyc_portal.records.sealed import MASK
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


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
