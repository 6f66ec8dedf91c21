"""The purge: what is due, held, or still referred to; what it destroys and what it leaves behind (R47-R54)."""

import hashlib
import io
import json
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Account, Address, Party
from kyc_portal.records import audit, holds, retention, tombstones
from kyc_portal.records.canonical import digest_of_ids
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import (
    AuditEvent,
    AuditPayload,
    DestroyedPayload,
    HeldRecord,
    LegalHold,
    SubjectKey,
    Tombstone,
)
from kyc_portal.records.purge_runs import NotYet, PurgeUnderWay
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.retention import Period, longest, purge_due
from kyc_portal.records.tasks import purge_due_records
from kyc_portal.records.verbs import Verb
from tests.at_once import rounds
from tests.conftest import NOON
from tests.kyc_portal.records.files import RULE, make_account, make_party

LAST_DAY = date(2028, 3, 2)  # two years after NOON
DAY_AFTER = date(2028, 3, 3)
ROUNDS = 200


@pytest.fixture(autouse=True)
def only_the_small_rule(monkeypatch):
    monkeypatch.setattr(retention, "_RULES", {RULE.code: RULE})


def purge(*, as_of=DAY_AFTER, today=DAY_AFTER, execute=True) -> retention.Report:
    return purge_due(as_of=as_of, today=today, execute=execute, by=SCHEDULER, at=NOON + timedelta(days=732))


def digest_of_all_tables() -> str:
    """One hash over every row of every table."""
    digest = hashlib.sha256()
    for model in apps.get_models(include_auto_created=True):
        rows = model._base_manager.order_by("pk").values_list(*(field.attname for field in model._meta.concrete_fields))
        digest.update(repr([model._meta.label, [[_plain(value) for value in row] for row in rows]]).encode())
    return digest.hexdigest()


def _plain(value):
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


class TestLongest:
    def test_the_period_that_ends_last_wins(self):
        short, long = Period("a", date(2026, 1, 1), "."), Period("b", date(2036, 1, 1), ".")

        assert longest([long, short]) is long
        assert longest([]) is None


@pytest.mark.django_db
class TestPurgeDue:
    @pytest.mark.parametrize(("as_of", "goes"), [(LAST_DAY, False), (DAY_AFTER, True)])
    def test_a_file_kept_through_a_day_goes_the_next(self, as_of, goes):
        party = make_party()

        report = purge(as_of=as_of)

        assert Party.objects.filter(pk=party.pk).exists() is not goes
        assert bool(report.gone) is goes
        assert goes or report.kept[0][1] == f"Kept through {LAST_DAY}: two years after it was made."

    def test_it_leaves_a_tombstone_and_an_event_and_no_key(self):
        party = make_party()
        event = audit.record(
            Verb.VIEWED, party, by=SCHEDULER, at=NOON, personal={"email": "maria@customer.example"}, subject=party.pk
        )

        [stone] = purge().gone

        assert (stone.name, stone.rule, stone.basis) == (party.reference, "tests_party", "long")
        assert stone.counts == {"accounts.address": 1, "accounts.party": 1}
        assert (stone.kept_through, stone.holds_looked_at) == (LAST_DAY, 1)
        told = AuditEvent.objects.get(pk=stone.event_id)
        assert told.facts == {
            "rule": "tests_party",
            "rows": 2,
            "payloads": 1,
            "digest": stone.digest,
            "destroyed": digest_of_ids([str(event.pk)]),
            "sha256": tombstones.hash_of(stone),
        }
        assert list(DestroyedPayload.objects.values_list("event_id", "purge_event_id")) == [(event.pk, told.pk)]
        assert not SubjectKey.objects.filter(subject=party.pk).exists()
        assert not AuditPayload.objects.filter(subject=party.pk).exists()
        assert AuditEvent.objects.filter(pk=event.pk).exists()

    def test_neither_tombstone_nor_event_holds_a_name(self):
        make_party(legal_name="Xavier Unusual")

        [stone] = purge().gone

        event = AuditEvent.objects.get(pk=stone.event_id)
        left = json.dumps([stone.counts, stone.name, event.facts, event.about_name]) + str(bytes(event.canonical))
        assert "Xavier" not in left

    def test_a_held_file_stays_and_says_why(self, counsel):
        party, other = make_party(), make_party()
        holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)

        report = purge()

        assert [(ref.name, "Order 4" in why) for ref, why in report.kept] == [(party.reference, True)]
        assert [stone.name for stone in report.gone] == [other.reference]

    def test_a_released_file_goes(self, counsel):
        party = make_party()
        hold = holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)
        holds.release_hold(hold, reason="over", by=counsel, at=NOON)

        assert [stone.name for stone in purge().gone] == [party.reference]

    def test_a_file_that_others_refer_to_stays_and_says_who(self):
        party = make_party()
        account = make_account(party)

        report = purge()

        assert [why for _, why in report.kept] == [f"{account.reference} still refers to it."]
        assert Account.objects.filter(pk=account.pk).exists()

    def test_a_row_of_a_covered_kind_that_belongs_to_another_file_counts_as_others(self, monkeypatch):
        wide = RULE.__class__(**{**vars(RULE), "covers": (Party, Address, Account)})
        monkeypatch.setattr(retention, "_RULES", {wide.code: wide})
        make_account(make_party())

        assert purge().gone == []

    def test_a_file_that_goes_while_the_purge_looks_is_left_out(self, monkeypatch):
        party = make_party()
        monkeypatch.setattr(retention, "_keys", lambda rows: iter([party.pk, party.pk]))

        assert len(purge().gone) == 1

    def test_a_file_that_changes_under_the_lock_is_left_to_the_next_run(self, monkeypatch):
        party, other = make_party(), make_party(at=NOON + timedelta(days=2000))
        answers = iter([[party], [party, other]])
        changing = RULE.__class__(**{**vars(RULE), "guarded": lambda root: next(answers)})
        monkeypatch.setattr(retention, "_RULES", {changing.code: changing})

        report = purge()

        assert (report.gone, report.kept) == ([], [])

    def test_the_second_run_finds_nothing(self):
        make_party()
        purge()

        assert purge().gone == []

    def test_a_day_that_has_not_come_is_refused_with_execute(self):
        make_party()

        with pytest.raises(NotYet, match="2028-03-03 has not come yet"):
            purge(today=LAST_DAY)

        assert not Tombstone.objects.exists()

    def test_a_dry_run_changes_nothing(self, counsel):
        party = make_party()
        make_account(make_party())
        holds.place_hold([make_party()], reason="order", ground="Order 4", by=counsel, at=NOON)
        before = digest_of_all_tables()

        report = purge(execute=False, today=LAST_DAY)

        assert digest_of_all_tables() == before
        assert [(ref.name, period.basis) for ref, period in report.due] == [(party.reference, "long")]
        assert (len(report.kept), report.gone, report.executed) == (2, [], False)

    def test_the_digest_of_the_test_sees_a_change(self):
        before = digest_of_all_tables()
        make_party()

        assert digest_of_all_tables() != before


@pytest.mark.django_db
class TestDoors:
    def test_the_command_lists_and_changes_nothing(self):
        party = make_party()
        out = io.StringIO()

        call_command("purge_due", "--as-of", "2028-03-03", stdout=out)

        assert f"would go: {party.reference}" in out.getvalue()
        assert "Would go: 1 (nothing was changed). Kept: 0." in out.getvalue()
        assert Party.objects.filter(pk=party.pk).exists()

    def test_the_command_destroys_with_execute(self):
        party = make_party(at=timezone.now() - timedelta(days=1000))
        out = io.StringIO()

        call_command("purge_due", "--execute", stdout=out)

        assert f"purged: {party.reference}, 2 rows" in out.getvalue()
        assert AuditEvent.objects.get(verb="records.purged").actor_kind == "operator"

    def test_the_command_refuses_a_day_to_come_in_one_line(self):
        with pytest.raises(CommandError, match="has not come yet") as refused:
            call_command("purge_due", "--as-of", "2999-01-01", "--execute")

        assert refused.value.returncode == 2

    def test_the_command_refuses_an_unknown_actor(self):
        with pytest.raises(CommandError, match="No active member of staff") as refused:
            call_command("purge_due", "--by", "nobody")

        assert refused.value.returncode == 2

    def test_the_task_purges_today_and_only_simulates_a_day_to_come(self):
        make_party(at=timezone.now() - timedelta(days=1000))
        make_party(at=timezone.now())
        later = timezone.now() + timedelta(days=1000)

        assert purge_due_records.run(at=later.isoformat()) == {"purged": 0, "due": 2, "kept": 0, "failed": 0}
        assert purge_due_records.run() == {"purged": 1, "due": 0, "kept": 0, "failed": 0}
        assert legal_day(later) > legal_day(timezone.now())


class TestRace:
    """A hold and a purge at the same moment: the file is held and there, or gone and the hold refused; never both."""

    def test_held_or_destroyed_but_never_both(self, transactional_db, in_threads, counsel):
        seen = {"held": 0, "destroyed": 0}
        count = rounds(ROUNDS)
        for _ in range(count):
            party = make_party()

            def hold(party=party):
                return holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)

            held, purged = in_threads(hold, purge)

            is_there = Party.objects.filter(pk=party.pk).exists()
            assert isinstance(purged, retention.Report), purged
            if isinstance(held, holds.AlreadyDestroyed):
                assert not is_there
                assert not HeldRecord.objects.filter(key=str(party.pk)).exists()
                assert [stone.name for stone in purged.gone] == [party.reference]
            else:
                assert is_there, held
                assert HeldRecord.objects.filter(key=str(party.pk)).count() == 1
                assert party.reference in [ref.name for ref, _ in purged.kept]
                assert Party.objects.get(pk=party.pk).national_id.reveal() == "123456789"
            seen["held" if is_there else "destroyed"] += 1
            _clear_away(party)

        assert sum(seen.values()) == count

    def test_two_purges_at_once_destroy_a_file_once(self, transactional_db, in_threads):
        party = make_party()

        reports = in_threads(purge, purge)

        gone = [len(report.gone) for report in reports if isinstance(report, retention.Report)]
        assert sorted(gone) in ([1], [0, 1])  # the second is refused, or comes when the first has ended
        assert [each for each in reports if not isinstance(each, retention.Report | PurgeUnderWay)] == []
        assert Tombstone.objects.filter(key=str(party.pk)).count() == 1


def _clear_away(party: Party) -> None:
    """Take a held party of an earlier round away, so that each round judges one file."""
    LegalHold.objects.in_force().update(released_at=NOON)
    Address.objects.filter(party=party.pk)._raw_delete("default")
    Party.objects.filter(pk=party.pk)._raw_delete("default")
