"""Every customer on a roster is compared with every list by ourselves, in full and after each change (R35, R64)."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import activation, list_index, watchlists
from accounts.flows.screening import HitNotOpen, NoReason, NotAPerson, NothingProposed
from accounts.models import WatchlistSnapshot
from accounts.models.screening import HitStatus
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from resellers import events
from resellers.flows import roster_hits, roster_screening
from resellers.models import RosterEntry, RosterHit, RosterScreening, RosterUpload
from resellers.tasks import screen_rosters
from tests.accounts.lists import SHIP, VOLKOV, WORKS, Entry, write_list
from tests.at_once import needs_row_locks
from tests.builders import make_entry, make_open_account, make_ready_account, make_reseller
from tests.conftest import NOON

ANA, LEA = (Actor("person", name, name) for name in ("ana", "lea"))
BORIS = {"name": "Boris Volkov", "kind": "individual", "country": "RU", "birth_date": "1970-07-04"}
_folders = itertools.count(1)


@pytest.fixture
def load(tmp_path):
    def act(*entries, hours=0, name=""):
        folder = write_list(tmp_path / str(next(_folders)), *entries)
        at = NOON + timedelta(hours=hours)
        return watchlists.load_snapshot("ofac-sdn", folder, list_name=name, force=True, by=SCHEDULER, at=at).snapshot

    return act


def make_seller():
    """A reseller; the builders' own list is put aside, so that each test says which lists there are."""
    reseller = make_reseller()
    WatchlistSnapshot.objects.filter(list_name="Test list").update(is_current=False)
    return reseller


def work(hours=0) -> None:
    """Whatever waits is asked for and done."""
    at = NOON + timedelta(hours=hours)
    roster_screening.ask_for_waiting(by=SCHEDULER, at=at)
    told = queue.run_due(at + timedelta(minutes=1), most=1000)
    assert told["failed"] == told["dead"] == 0


def tell(entry, hours=0) -> None:
    """An accepted file says that it is in force."""
    events.roster_changed.send(sender=RosterUpload, upload=entry.upload, by=SCHEDULER, at=NOON + timedelta(hours=hours))


def restate(entry, hours, **changes) -> RosterEntry:
    """The reseller states a customer anew."""
    at = NOON + timedelta(hours=hours)
    RosterEntry.objects.filter(pk=entry.pk).update(ended_at=at, ended_why="changed")
    columns = ("name", "kind", "country", "product")
    stated = {name: getattr(entry, name) for name in columns}
    stated["birth_date"] = entry.birth_date.reveal() if entry.birth_date else None
    return make_entry(entry.reseller, entry.number, at=at, **{**stated, **changes})


def outcome():
    """What holds: of each customer and entry the score, the reasons and the judgement."""
    rows = RosterHit.objects.exclude(status=HitStatus.REPLACED).filter(entry__ended_at__isnull=True)
    return sorted((hit.number, hit.entry_uid, str(hit.score), *hit.reasons, hit.status) for hit in rows)


def judged(hit, *, is_match):
    hit = roster_hits.propose_judgement(hit, is_match=is_match, reason="The birth dates.", by=ANA, at=NOON)
    return roster_hits.second_judgement(hit, agrees=True, shown=roster_hits.digest_of(hit), by=LEA, at=NOON)


@pytest.mark.django_db
class TestInFull:
    def test_r35_it_finds_a_listed_customer_with_all_that_is_stated(self, load):
        snapshot, reseller = load(VOLKOV, WORKS, SHIP), make_seller()
        entry = make_entry(reseller, "C-1", **BORIS)
        make_entry(reseller, "C-2", name="Zofia Kwiatkowska", kind="individual", country="PL")

        work()

        hit = RosterHit.objects.get()
        assert (hit.entry, hit.entry_uid, hit.snapshot, hit.is_strong) == (entry, "101", snapshot, True)
        assert "The date of birth is the same." in hit.reasons and hit.status == HitStatus.OPEN
        screenings = list(RosterScreening.objects.all())
        assert [row.done_count for row in screenings] == [1, 1] and all(row.finished_at for row in screenings)
        facts = AuditEvent.objects.get(verb="resellers.hit.found").facts
        assert facts["hit"] == hit.reference and "Volkov" not in str(facts)

    @pytest.mark.parametrize(
        ("column", "value"), [("registration_number", "AB 123456"), ("email", "Boss@Pipes.example")]
    )
    def test_a_number_or_an_address_is_enough_without_a_name(self, load, column, value):
        load(Entry(7, "SOMEBODY, Else", remarks="Passport AB123456 (Iran); Email Address boss@pipes.example."))
        make_entry(make_seller(), name="Quite Different Ltd", **{column: value})

        work()

        assert RosterHit.objects.get().is_strong

    def test_the_roster_coming_in_force_asks_for_every_list(self, load):
        load(VOLKOV), load(WORKS, name="Another")
        entry = make_entry(make_seller(), **BORIS)

        tell(entry)

        assert Job.objects.filter(kind=roster_screening.SCREEN).count() == 2
        queue.run_due(NOON)
        assert RosterScreening.objects.filter(finished_at=NOON).count() == 2 and RosterHit.objects.count() == 1
        tell(entry)
        assert queue.run_due(NOON)["done"] == 0  # it is done

    def test_it_goes_on_where_it_stopped(self, load, monkeypatch):
        monkeypatch.setattr(roster_screening, "BATCH", 2)
        monkeypatch.setattr(roster_screening, "BATCHES_AT_ONCE", 1)
        load(VOLKOV)
        reseller, upload = make_seller(), None
        for number in range(5):
            entry = make_entry(reseller, f"C-{number}", **{**BORIS, "name": f"Boris Volkov {'I' * number}"})
            upload = upload or entry.upload
            RosterEntry.objects.filter(pk=entry.pk).update(upload=upload)
        roster_screening.ask_for_waiting(by=SCHEDULER, at=NOON)
        row = RosterScreening.objects.get(upload=upload)

        roster_screening.carry_on(str(row.pk), by=SCHEDULER, at=NOON)

        row.refresh_from_db()
        assert (row.done_count, row.cursor, row.finished_at) == (2, "C-1", None)
        queue.run_due(NOON)
        row.refresh_from_db()
        assert (row.done_count, row.cursor, row.finished_at) == (5, "C-4", NOON)
        assert RosterHit.objects.count() == 5

    def test_what_waits_or_has_ended_is_not_compared(self, load):
        load(VOLKOV)
        reseller = make_seller()
        make_entry(reseller, "C-1", **BORIS, from_at=None)
        make_entry(reseller, "C-2", **BORIS, ended_at=NOON, ended_why="gone")

        work()

        assert not RosterHit.objects.exists() and not RosterScreening.objects.exists()

    def test_the_night_asks_for_what_was_lost(self, load):
        load(VOLKOV)
        make_entry(make_seller(), **BORIS)

        assert (screen_rosters(at=NOON.isoformat()), screen_rosters(at=NOON.isoformat())) == (1, 1)
        assert Job.objects.filter(kind=roster_screening.SCREEN).count() == 1
        queue.run_due(NOON)
        assert screen_rosters(at=NOON.isoformat()) == 0


# --- After a change ---------------------------------------------------------------------------------------------------

GIVEN = ("Boris", "Борис", "Maria", "Abdul Rahman", "Abdulrahman", "Bob", "Robert")
FAMILY = ("Volkov", "Wolkow", "Garcia Lopez", "Al-Masri", "Masri", "Smith", "Li")
NAMES = st.builds("{} {}".format, st.sampled_from(GIVEN), st.sampled_from(FAMILY)) | st.sampled_from(
    ("Volkov", "NORTHERN PIPE WORKS LLC", "Northern Pipes", "Belkapsteel GmbH")
)
ENTRIES = st.lists(
    st.builds(
        Entry, uid=st.integers(1, 10), name=NAMES, country=st.sampled_from(("", "Iran", "Russia")),
        remarks=st.sampled_from(("", "DOB 04 Jul 1970.", "DOB 1971.", "Passport AB123456 (Iran).")),
        aliases=st.lists(NAMES, max_size=1).map(tuple),
    ),
    min_size=1, max_size=6, unique_by=lambda entry: entry.uid,
)  # fmt: skip
CUSTOMERS = st.lists(
    st.fixed_dictionaries(
        {
            "name": NAMES, "kind": st.sampled_from(("individual", "entity")), "country": st.sampled_from(("RU", "DE")),
            "birth_date": st.sampled_from((None, "1970-07-04", "1990-01-01")),
            "registration_number": st.sampled_from((None, "AB 123456")),
        }
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@pytest.mark.django_db
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customers=CUSTOMERS, versions=st.lists(ENTRIES, min_size=2, max_size=3), judge=st.booleans())
def test_r35_after_any_change_of_the_list_all_is_as_after_a_full_comparison(load, customers, versions, judge):
    with transaction.atomic():
        reseller = make_seller()
        for number, stated in enumerate(customers):
            make_entry(reseller, f"C-{number}", **stated)
        for hours, entries in enumerate(versions):
            load(*entries, hours=hours)
            work(hours)
            if judge and (hit := RosterHit.objects.to_propose().order_by("number", "entry_uid").first()):
                judged(hit, is_match=False)
        by_change = outcome()
        with one_flow(SCHEDULER):
            RosterScreening.objects.update(before=None, cursor="", finished_at=None)

        work(hours=10)

        assert outcome() == by_change
        transaction.set_rollback(True)


@pytest.mark.django_db
class TestAfterAChange:
    def test_the_whole_list_is_not_compared_again(self, load, monkeypatch):
        others = [Entry(5000 + number, f"OAK FAMILY{number}, Given") for number in range(40)]
        load(*others)
        reseller = make_seller()
        make_entry(reseller, "C-1", **BORIS)
        make_entry(reseller, "C-2", name="Oak Family Given", kind="individual")
        work()
        compared = []
        similarity = list_index.similarity
        monkeypatch.setattr(list_index, "similarity", lambda *a, **k: compared.append(1) or similarity(*a, **k))

        load(*others, VOLKOV, hours=1)
        work(hours=1)

        assert RosterHit.objects.get(entry_uid="101").status == HitStatus.OPEN and len(compared) == 1

    def test_a_list_that_changed_asks_by_itself(self, load):
        load(VOLKOV)
        make_entry(make_seller(), name="Silent Heron", kind="entity")
        work()

        load(VOLKOV, SHIP, hours=1)

        assert queue.run_due(NOON + timedelta(hours=1))["done"] > 0
        assert RosterHit.objects.get().entry_uid == "103"

    def test_a_version_that_says_the_same_of_all_costs_nothing(self, load):
        load(VOLKOV)
        make_entry(make_seller(), **BORIS)
        work()
        snapshot = load(VOLKOV, Entry(9, "NOBODY, Known"), hours=1)
        work(1)
        RosterScreening.objects.update(before=snapshot, finished_at=None, cursor="")

        roster_screening.carry_on(str(RosterScreening.objects.get().pk), by=SCHEDULER, at=NOON)

        row = RosterScreening.objects.get()
        assert (row.done_count, row.finished_at) == (1, NOON)  # nobody was gone through again

    def test_a_half_done_comparison_with_an_older_version_begins_anew_in_full(self, load):
        first = load(VOLKOV)
        make_entry(make_seller(), **BORIS)
        work()
        load(VOLKOV, WORKS, hours=1)
        roster_screening.ask_for_waiting(by=SCHEDULER, at=NOON)
        assert RosterScreening.objects.get().before == first
        RosterScreening.objects.update(cursor="C-0")

        load(SHIP, WORKS, hours=2)
        roster_screening.ask_for_waiting(by=SCHEDULER, at=NOON)

        assert RosterScreening.objects.get().before is None
        work(2)
        assert outcome() == []

    def test_an_entry_that_leaves_the_list_takes_its_hit_along(self, load):
        load(VOLKOV, SHIP)
        make_entry(make_seller(), **BORIS)
        work()
        judged(RosterHit.objects.get(), is_match=True)

        load(SHIP, hours=1)
        work(1)

        assert RosterHit.objects.get().status == HitStatus.REPLACED and not RosterHit.objects.confirmed().exists()
        assert AuditEvent.objects.filter(verb="resellers.hit.gone").count() == 1

    def test_a_judgement_holds_while_both_sides_say_the_same(self, load):
        load(VOLKOV)
        entry = make_entry(make_seller(), **BORIS)
        work()
        judged(RosterHit.objects.get(), is_match=False)

        restate(entry, 1, product="storage")
        work(1)

        hit = RosterHit.objects.exclude(status=HitStatus.REPLACED).get()
        assert (hit.status, hit.entry.product, hit.judged_by) == (HitStatus.DISMISSED, "storage", "lea")
        assert hit.carried_from

    @pytest.mark.parametrize("changes", [{"birth_date": "1970-07-05"}, {"name": "Boris I. Volkov"}])
    def test_a_customer_stated_otherwise_is_looked_at_again(self, load, changes):
        load(VOLKOV)
        entry = make_entry(make_seller(), **BORIS)
        work()
        judged(RosterHit.objects.get(), is_match=False)

        restate(entry, 1, **changes)
        work(1)

        assert [hit.status for hit in RosterHit.objects.unjudged()] == [HitStatus.OPEN]
        assert RosterHit.objects.filter(status=HitStatus.REPLACED).count() == 1

    def test_an_entry_that_says_something_else_is_looked_at_again(self, load):
        load(VOLKOV)
        make_entry(make_seller(), **BORIS)
        work()
        judged(RosterHit.objects.get(), is_match=False)

        load(replace(VOLKOV, remarks="DOB 04 Jul 1970; nationality Belarus."), hours=1)
        work(1)

        assert [hit.status for hit in RosterHit.objects.unjudged()] == [HitStatus.OPEN]

    def test_who_is_gone_waits_for_nobody(self, load):
        load(VOLKOV)
        make_entry(make_seller(), **BORIS)
        work()
        RosterEntry.objects.update(ended_at=NOON, ended_why="gone")

        assert not RosterHit.objects.to_propose().exists()


@pytest.mark.django_db
class TestJudging:
    @pytest.fixture
    def hit(self, load):
        load(VOLKOV)
        make_entry(make_seller(), **BORIS)
        work()
        return RosterHit.objects.get()

    def test_r37_two_people_judge_and_not_one_twice(self, hit):
        hit = roster_hits.propose_judgement(hit, is_match=True, reason="Same day.", by=ANA, at=NOON)
        with pytest.raises(SecondPersonNeeded):
            roster_hits.second_judgement(hit, agrees=True, shown=roster_hits.digest_of(hit), by=ANA, at=NOON)

        done = roster_hits.second_judgement(hit, agrees=True, shown=roster_hits.digest_of(hit), by=LEA, at=NOON)

        assert (done.status, done.judged_by, done.proposed_by) == (HitStatus.CONFIRMED, "lea", "ana")
        assert AuditEvent.objects.filter(verb="resellers.hit.confirmed").exists()

    def test_it_is_returned_and_put_right_by_the_opposite(self, hit):
        hit = roster_hits.propose_judgement(hit, is_match=True, reason="Same day.", by=ANA, at=NOON)
        assert roster_hits.second_judgement(hit, agrees=False, by=LEA, at=NOON).status == HitStatus.OPEN
        judged(hit, is_match=True)
        assert judged(hit, is_match=False).status == HitStatus.DISMISSED

    def test_what_is_out_of_order_is_refused(self, hit):
        with pytest.raises(NothingProposed):
            roster_hits.second_judgement(hit, agrees=True, shown=roster_hits.digest_of(hit), by=LEA, at=NOON)
        with pytest.raises(NoReason):
            hit = roster_hits.propose_judgement(hit, is_match=True, reason=" ", by=ANA, at=NOON)
        with pytest.raises(NotAPerson):
            hit = roster_hits.propose_judgement(hit, is_match=True, reason="x", by=SCHEDULER, at=NOON)
        hit = roster_hits.propose_judgement(hit, is_match=True, reason="x", by=ANA, at=NOON)
        with pytest.raises(HitNotOpen):
            hit = roster_hits.propose_judgement(hit, is_match=False, reason="x", by=LEA, at=NOON)


@pytest.mark.django_db
class TestTheGuard:
    def hit_of(self, load, account):
        load(VOLKOV)
        make_entry(make_seller(), **BORIS, account=account)
        work()
        return RosterHit.objects.get()

    def test_a_confirmed_hit_keeps_the_linked_account_from_being_opened(self, load):
        account = make_ready_account()
        hit = self.hit_of(load, account)
        [why] = [why for why in activation.why_not(account, at=NOON) if "roster" in why]
        assert why == f"{hit.reference}, on a reseller's roster, waits for a judgement by two people. Judge it."

        judged(hit, is_match=True)

        [why] = [why for why in activation.why_not(account, at=NOON) if "roster" in why]
        assert why.startswith(f"The customer is on a sanctions list ({hit.reference}")

    def test_it_holds_until_the_customer_is_compared_anew(self, load):
        account = make_ready_account()
        hit = self.hit_of(load, account)
        judged(hit, is_match=True)
        restate(hit.entry, 1, name="Somebody Quite Different", account=account)
        assert roster_screening.listed_downstream(account, NOON)

        work(1)

        assert roster_screening.listed_downstream(account, NOON) == []

    def test_a_dismissed_one_and_other_accounts_are_left_alone(self, load):
        account = make_open_account()
        judged(self.hit_of(load, account), is_match=False)

        assert roster_screening.listed_downstream(account, NOON) == []
        assert roster_screening.listed_downstream(make_open_account(), NOON) == []


@needs_row_locks
def test_two_workers_on_one_comparison_find_each_hit_once(triggers_lifted_for_flush, load, in_threads):
    load(VOLKOV)
    make_entry(make_seller(), **BORIS)
    roster_screening.ask_for_waiting(by=SCHEDULER, at=NOON)
    key = str(RosterScreening.objects.get().pk)

    told = in_threads(*[lambda: roster_screening.carry_on(key, by=SCHEDULER, at=NOON)] * 2)

    assert told == [None, None] and RosterHit.objects.count() == 1
    assert RosterScreening.objects.get().done_count == 1


def test_what_is_compared_is_all_a_roster_states():
    entry = RosterEntry(name="A", kind="individual", country="DE")

    assert roster_screening.as_compared(entry).countries == {"DE"}
    entry.birth_date = "1970-07-04"
    assert roster_screening.as_compared(entry).birth_on == date(1970, 7, 4)
