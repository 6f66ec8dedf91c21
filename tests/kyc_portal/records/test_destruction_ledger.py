"""Tombstones that cannot be changed unseen, and a ledger that keeps an old backup from bringing anybody back."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Address, Party
from kyc_portal.records import destruction_ledger, holds, keys, replaying, retention, tombstones, verifying
from kyc_portal.records.models import SubjectKey, Tombstone
from kyc_portal.records.offline.verify_audit import TAMPERED
from kyc_portal.records.tasks import complete_destruction_ledger
from tests.conftest import NOON
from tests.kyc_portal.records.files import RULE, make_account, make_party
from tests.kyc_portal.records.test_retention import purge
from tests.kyc_portal.records.trails import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_rule_and_own_ledger(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(retention, "_RULES", {RULE.code: RULE})
    settings.DESTRUCTION_LEDGER = tmp_path / "place" / "destructions.jsonl"


def forge(sql: str, *values) -> None:
    """What somebody with all rights on the database does."""
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def purged(django_capture_on_commit_callbacks, *parties) -> list[Tombstone]:
    with django_capture_on_commit_callbacks(execute=True):
        return purge().gone


class TestTombstones:
    def test_one_that_was_left_alone_is_signed_and_fits_its_event(self):
        make_party()
        [stone] = purge().gone
        stone.refresh_from_db()

        assert tombstones.is_signed(stone)
        assert list(tombstones.faults()) == []

    @pytest.mark.parametrize(
        ("column", "value"),
        [("rule", "other"), ("holds_looked_at", 9), ("purged_by", "nobody"), ("counts", '{"accounts.party": 9}')],
    )
    def test_a_changed_column_is_told(self, column, value):
        make_party()
        [stone] = purge().gone

        forge(f"UPDATE records_tombstone SET {column} = %s", value)  # noqa: S608

        assert list(tombstones.faults()) == [
            f"The tombstone of {stone.name} was changed: it is not the one the event of its purge speaks of."
        ]

    def test_a_changed_signature_is_told(self):
        make_party()
        purge()

        forge("UPDATE records_tombstone SET signature = %s", b"0" * 64)

        assert "signature" in next(tombstones.faults())

    def test_one_that_is_gone_is_told(self):
        make_party()
        [stone] = purge().gone

        forge("DELETE FROM records_tombstone")

        assert f"The tombstone of {stone.name} is gone" in next(tombstones.faults())

    def test_one_that_was_inserted_is_told(self):
        Tombstone.objects.create(
            label="accounts.party", key="1", name="PTY-X", rule="r", basis="b", kept_through=NOON.date(), counts={},
            holds_looked_at=0, digest="", event_id="00000000-0000-0000-0000-000000000000", purged_at=NOON,
            purged_by="eve",
        )  # fmt: skip

        assert "No event tells of the purge of PTY-X" in next(tombstones.faults())

    def test_one_by_an_earlier_key_is_judged_by_its_event(self, settings):
        make_party()
        purge()
        settings.SIGNING_KEY = "test-2:" + settings.AUDIT_KEY.partition(":")[2]

        assert list(tombstones.faults()) == []

    def test_the_check_of_the_trail_tells_it(self):
        make_party()
        purge()
        forge("UPDATE records_tombstone SET purged_by = 'nobody'")

        verdict = verifying.verify(witnesses={})

        assert verdict.code == TAMPERED
        assert "tombstone" in verdict.sentence


class TestLedger:
    def test_a_line_is_written_once_the_purge_has_committed(self, django_capture_on_commit_callbacks):
        party = make_party()

        [stone] = purged(django_capture_on_commit_callbacks)

        [line] = destruction_ledger.lines()
        assert (line.key, line.rule, line.subjects) == (str(party.pk), "tests_party", [str(party.pk)])
        assert line.sha256 == tombstones.hash_of(stone)
        assert line.is_genuine(replaying.own_keys())

    def test_it_holds_ids_and_commitments_only(self, django_capture_on_commit_callbacks, settings):
        make_party(legal_name="Xavier Unusual")
        purged(django_capture_on_commit_callbacks)

        assert "Xavier" not in settings.DESTRUCTION_LEDGER.read_text()

    def test_a_place_out_of_reach_undoes_nothing_and_the_night_makes_up_for_it(
        self, django_capture_on_commit_callbacks, settings, tmp_path, caplog
    ):
        (tmp_path / "place").write_text("a file where the folder should be")
        make_party()
        assert len(purged(django_capture_on_commit_callbacks)) == 1
        assert "did not take a line" in caplog.text
        (tmp_path / "place").unlink()

        assert complete_destruction_ledger.run() == {"added": 1}
        assert complete_destruction_ledger.run() == {"added": 0}
        assert len(list(destruction_ledger.lines())) == 1

    def test_a_line_that_was_cut_off_is_written_again(self, django_capture_on_commit_callbacks, settings):
        make_party()
        purged(django_capture_on_commit_callbacks)
        path = settings.DESTRUCTION_LEDGER
        path.write_bytes(path.read_bytes()[:-40])

        assert destruction_ledger.catch_up() == 1
        assert len(list(destruction_ledger.lines())) == 1

    def test_what_is_no_ledger_is_refused(self, settings):
        settings.DESTRUCTION_LEDGER.parent.mkdir()
        settings.DESTRUCTION_LEDGER.write_text('{"a": 1}\n')

        with pytest.raises(destruction_ledger.UnreadableLedger, match=r"destructions\.jsonl cannot be read"):
            list(destruction_ledger.lines())


def restored(django_capture_on_commit_callbacks) -> Party:
    """A party that was purged and is there again with its key, as after the restore of an older backup."""
    party = make_party()
    address, key = Address.objects.get(party=party.pk), SubjectKey.objects.get(pk=party.pk)
    purged(django_capture_on_commit_callbacks)
    forge("DELETE FROM records_tombstone")
    for row in (party, address, key):
        type(row).objects.bulk_create([row])
    return party


def replay(**named) -> str:
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command("replay_destructions", stdout=out, stderr=errors, **named)
    except CommandError as refused:
        return f"{out.getvalue()}{errors.getvalue()}{refused}"
    return out.getvalue()


class TestReplay:
    def test_who_was_purged_and_restored_is_destroyed_again_once(self, django_capture_on_commit_callbacks):
        party = restored(django_capture_on_commit_callbacks)

        assert f"destroyed again: {party.reference}" in replay()

        assert not Party.objects.exists() and not Address.objects.exists()
        assert not SubjectKey.objects.filter(pk=party.pk).exists()
        assert Tombstone.objects.get().basis == "destroyed_before"
        assert "Destroyed again: 0. Conflicts: 0." in replay()

    def test_a_restored_database_does_not_start_until_then(self, django_capture_on_commit_callbacks):
        restored(django_capture_on_commit_callbacks)
        [error] = destruction_ledger.check_ledger(None)
        assert (error.id, "brings 1 destroyed files back" in error.msg) == ("records.E002", True)

        replay()

        assert destruction_ledger.check_ledger(None) == []

    def test_a_database_that_is_not_older_starts(self, django_capture_on_commit_callbacks):
        make_party()
        purged(django_capture_on_commit_callbacks)

        assert destruction_ledger.check_ledger(None) == []

    def test_a_hold_the_backup_brought_back_is_a_conflict_for_people(self, django_capture_on_commit_callbacks, counsel):
        party = restored(django_capture_on_commit_callbacks)
        hold = holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)

        told = replay()

        assert f"{party.reference} was destroyed, is back, and is held: {hold.reference}" in told
        assert "Conflicts: 1" in told
        assert Party.objects.filter(pk=party.pk).exists()
        assert [message.id for message in destruction_ledger.check_ledger(None)] == ["records.W001"]
        holds.release_hold(hold, reason="released before the purge", by=counsel, at=NOON)
        assert "Destroyed again: 1" in replay()

    def test_a_file_others_refer_to_is_a_conflict(self, django_capture_on_commit_callbacks):
        party = restored(django_capture_on_commit_callbacks)
        account = make_account(party)

        assert f"{party.reference} was destroyed and is back: {account.reference} still refers to it." in replay()

    def test_a_line_nobody_trusted_signed_destroys_nothing(self, settings):
        party = make_party()
        line = {
            "label": "accounts.party", "key": str(party.pk), "name": party.reference, "rule": "tests_party",
            "basis": "long", "kept_through": "2028-03-02", "subjects": [], "sha256": "0" * 64, "key_id": "test-1",
            "signature": "00" * 64,
        }  # fmt: skip
        settings.DESTRUCTION_LEDGER.parent.mkdir()
        settings.DESTRUCTION_LEDGER.write_text(json.dumps(line) + "\n")

        assert "is not signed by a trusted key" in replay()

        assert Party.objects.filter(pk=party.pk).exists()

    def test_lines_of_an_earlier_key_are_trusted_when_it_is_named(
        self, django_capture_on_commit_callbacks, settings, tmp_path
    ):
        restored(django_capture_on_commit_callbacks)
        old = {name: key.hex() for name, key in replaying.own_keys().items()}
        settings.SIGNING_KEY = "test-2:" + settings.AUDIT_KEY.partition(":")[2]
        assert "is not signed by a trusted key" in replay()
        (tmp_path / "keys.json").write_text(json.dumps(old))

        assert "Destroyed again: 1" in replay(keys=tmp_path / "keys.json")

    def test_without_a_ledger_it_says_so(self):
        assert "The destruction ledger destructions.jsonl cannot be read" in replay()

    def test_the_sealed_values_of_a_backup_cannot_be_read_without_the_key(self, django_capture_on_commit_callbacks):
        party = restored(django_capture_on_commit_callbacks)
        SubjectKey.objects.filter(pk=party.pk).delete()  # keys have their own, shorter-lived backup

        with pytest.raises(keys.KeyProblem):
            Party.objects.get(pk=party.pk).national_id.reveal()
