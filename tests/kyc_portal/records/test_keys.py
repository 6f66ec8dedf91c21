"""Keys: the settings' master keys wrap the subjects' own; rotation loses nothing; fingerprints tell nothing."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import override_settings

from accounts.models import IdentityDocument
from kyc_portal.records import keys
from kyc_portal.records.keys import KeyProblem, destroy_key, ensure_key, fingerprint, held, parse_key, rewrap_batch
from kyc_portal.records.management.commands import rotate_keys
from kyc_portal.records.models import AuditEvent, SubjectKey
from kyc_portal.records.sealed import SealedText
from kyc_portal.settings.tests import _key
from tests.kyc_portal.records.test_sealed import make_document, make_party

pytestmark = pytest.mark.django_db

OLD, NEW = _key("m"), _key("n").replace("test-1", "test-2")


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


class TestHeldKeys:
    def test_many_values_of_new_subjects_take_three_queries_for_all_their_keys(self, django_assert_num_queries):
        parties = [make_party() for _ in range(5)]

        with held(party.pk for party in parties):
            with django_assert_num_queries(0):
                made = {party.pk: ensure_key(party.pk) for party in parties}
            with django_assert_num_queries(2), held([parties[0].pk]):  # a savepoint, and nothing is read again
                assert ensure_key(parties[0].pk) == made[parties[0].pk]
            documents = [make_document(party) for party in parties]

        assert {party.pk: ensure_key(party.pk) for party in parties} == made
        assert {IdentityDocument.objects.get(pk=each.pk).number.reveal() for each in documents} == {"C01X00T47"}

    def test_it_takes_the_key_that_is_there(self):
        document = make_document()

        with held([document.party_id]):
            later = make_document(document.party)

        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"
        assert IdentityDocument.objects.get(pk=later.pk).number.reveal() == "C01X00T47"

    def test_a_key_goes_with_the_transaction_it_was_made_in(self, transactional_db):
        party = make_party()
        with pytest.raises(RuntimeError), held([party.pk]):
            lost = ensure_key(party.pk)
            raise RuntimeError

        document = make_document(party)

        assert ensure_key(party.pk) != lost
        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"

    def test_a_savepoint_that_rolls_back_inside_leaves_it_standing(self):
        party = make_party()

        with held([party.pk]):
            with pytest.raises(RuntimeError), transaction.atomic():
                make_document(party)
                raise RuntimeError
            document = make_document(party)

        assert IdentityDocument.objects.get(pk=document.pk).number.reveal() == "C01X00T47"

    def test_a_held_key_is_not_destroyed(self):
        document = make_document()

        with held([document.party_id]), pytest.raises(KeyProblem, match="held by the same transaction"):
            destroy_key(document.party_id)


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
