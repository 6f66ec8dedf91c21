from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from cases.flows import absences, clocks, desks, locks, next_case, review
from cases.models import Assignment, Case, CaseLock
from cases.receivers import RECOMPUTE
from kyc_portal.policy import holidays
from kyc_portal.policy.clocks import start_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Deadline
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.at_once import needs_row_locks
from tests.cases.builders import make_case, make_open_account, make_request, make_signal
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def take_next(user, at=NOON, **more) -> Case:
    return next_case.next_case(user=user, at=at, **more)


class TestNextCase:
    def test_it_takes_and_locks_what_is_due_first(self, analyst_user):
        later, sooner = make_case(at=NOON), make_case(at=NOON - DAY)

        case = take_next(analyst_user)

        assert (case, case.assigned_to, case.status) == (sooner, analyst_user, "in_review")
        assert locks.holder(case, NOON).user == analyst_user
        assert Case.objects.get(pk=later.pk).assigned_to is None

    def test_of_one_day_the_heavier_comes_first(self, analyst_user):
        make_case(code="expired_document", at=NOON - HOUR)
        heavy = make_case(code="country_conflict", at=NOON)

        assert take_next(analyst_user) == heavy

    def test_one_s_own_counts_as_well_and_the_one_just_left_is_passed_over(self, analyst_user):
        mine, free = make_case(worked_by=analyst_user, at=NOON - DAY), make_case()

        assert take_next(analyst_user) == mine
        assert take_next(analyst_user, besides=mine) == free

    def test_it_skips_what_others_have(self, analyst_user, lead_user):
        make_case(worked_by=lead_user)

        with pytest.raises(next_case.NothingWaits):
            take_next(analyst_user)

    def test_legal_matters_are_nobody_else_s(self, analyst_user, lead_user, counsel_user, counsel):
        request = make_request(by=counsel)

        for user in (analyst_user, lead_user):
            with pytest.raises(next_case.NothingWaits):
                take_next(user)
        assert take_next(counsel_user) == request.case

    def test_who_is_away_gets_none(self, analyst_user, analyst):
        make_case()
        absences.enter(user=analyst_user, from_on=NOON.date(), to_on=NOON.date() + DAY, by=analyst, at=NOON)

        with pytest.raises(review.Away, match="away through 3 Mar 2026"):
            take_next(analyst_user)

    def test_a_sleeping_case_is_passed_over_until_its_day(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        desks.snooze(case, until=date(2026, 3, 4), why="waits_customer", by=analyst, at=NOON)

        with pytest.raises(next_case.NothingWaits):
            take_next(analyst_user, at=NOON + HOUR)
        assert take_next(analyst_user, at=datetime(2026, 3, 4, tzinfo=UTC)) == case


@pytest.mark.django_db(transaction=True)
@needs_row_locks
def test_two_people_at_once_never_get_the_same_case(in_threads):
    people = [person(f"reviewer{number}", "reviewer") for number in range(2)]
    rounds = 40
    for _ in range(rounds * 2):
        make_case()

    given = []
    for _ in range(rounds):
        given += in_threads(*(lambda user=user: take_free(user) for user in people))

    assert [each for each in given if isinstance(each, Exception)] == []
    assert len({case.pk for case in given}) == rounds * 2
    assert Assignment.objects.count() == rounds * 2


def take_free(user) -> Case:
    """Take the next case and put aside what one has, so that the next round is about free ones."""
    case = take_next(user)
    Case.objects.filter(pk=case.pk).update(waits_from=NOON + DAY)
    return case


class TestLock:
    def test_it_lapses_after_idling_and_is_kept_by_working(self, analyst_user):
        case = make_case(worked_by=analyst_user)

        assert locks.holder(case, NOON + timedelta(minutes=29))
        assert locks.holder(case, NOON + timedelta(minutes=30)) is None
        locks.touch(case, analyst_user, at=NOON + timedelta(minutes=20))
        assert locks.holder(case, NOON + timedelta(minutes=49))

    def test_looking_writes_at_most_once_a_minute_and_nobody_else_keeps_it(
        self, analyst_user, lead_user, django_assert_num_queries
    ):
        case = make_case(worked_by=analyst_user)

        with django_assert_num_queries(1):
            assert locks.touch(case, analyst_user, at=NOON + timedelta(seconds=59))
        assert not locks.touch(case, lead_user, at=NOON + DAY)

    def test_taking_over_a_held_case_wants_a_reason_and_is_recorded(self, analyst_user, lead_user, lead):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(locks.Held, match=r"ana works .* Say why"):
            locks.take_over(case, user=lead_user, by=lead, at=NOON)
        taken = locks.take_over(case, user=lead_user, why="agreed", by=lead, at=NOON)

        assert (taken.assigned_to, locks.holder(case, NOON).user) == (lead_user, lead_user)
        facts = AuditEvent.objects.get(verb="cases.taken_over").facts
        assert facts == {"case": case.reference, "old": "ana", "why": "agreed", "forced": True}

    def test_a_lapsed_one_is_taken_over_without(self, analyst_user, lead_user, lead):
        case = make_case(worked_by=analyst_user)

        locks.take_over(case, user=lead_user, by=lead, at=NOON + HOUR)

        facts = AuditEvent.objects.get(verb="cases.taken_over").facts
        assert (facts["why"], facts["forced"]) == ("lapsed", False)

    def test_what_nobody_has_is_taken_and_not_taken_over(self, lead_user, lead):
        with pytest.raises(locks.NothingToTakeOver):
            locks.take_over(make_case(), user=lead_user, by=lead, at=NOON)
        with pytest.raises(review.UnknownWhy):
            locks.take_over(make_case(), user=lead_user, why="bored", by=lead, at=NOON)

    def test_who_does_not_review_takes_nothing_over(self, analyst_user, auditor_user, auditor):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(review.CannotWorkCases):
            locks.take_over(case, user=auditor_user, why="agreed", by=auditor, at=NOON)
        assert Case.objects.get(pk=case.pk).assigned_to == analyst_user


class TestSnooze:
    def test_a_clock_that_is_due_earlier_brings_it_back(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)

        case = desks.snooze(case, until=date(2026, 3, 20), why="waits_customer", by=analyst, at=NOON)

        assert case.waits_from == case.due_at
        assert Case.objects.asleep(NOON).get() == Case.objects.get()
        assert Case.objects.waiting(case.due_at).get() == case

    def test_another_clock_of_the_case_does_so_too(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        start_clock(
            "report by", case, figure="verify_days", regime=regime_on(NOON.date()), on=NOON.date(),
            due_on=date(2026, 3, 3), by=SCHEDULER, at=NOON,
        )  # fmt: skip

        case = desks.snooze(case, until=date(2026, 3, 20), why="waits_customer", by=analyst, at=NOON)

        assert case.waits_from == datetime(2026, 3, 3, tzinfo=UTC)

    def test_a_new_flag_wakes_it(self, analyst_user, analyst):
        account = make_open_account()
        case = make_case(account, worked_by=analyst_user)
        desks.snooze(case, until=date(2026, 3, 4), why="waits_customer", by=analyst, at=NOON)

        make_signal(account, "expired_document", at=NOON + HOUR)

        assert Case.objects.waiting(NOON + HOUR).get().snoozed_until is None

    def test_it_is_woken_by_hand_and_an_awake_one_is_not(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        desks.snooze(case, until=date(2026, 3, 4), why="waits_customer", by=analyst, at=NOON)

        case = desks.wake(case, by=analyst, at=NOON)

        assert Case.objects.waiting(NOON).get() == case
        with pytest.raises(desks.NotSnoozed, match="awake"):
            desks.wake(case, by=analyst, at=NOON)

    @pytest.mark.parametrize("until", [NOON.date(), NOON.date() - DAY, NOON.date() + 31 * DAY, date.max, date.min])
    def test_only_days_ahead_within_the_figure(self, analyst_user, analyst, until):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(desks.NotSnoozed, match="within the next 30 days"):
            desks.snooze(case, until=until, why="waits_customer", by=analyst, at=NOON)

    def test_what_is_due_already_or_not_one_s_own_does_not_sleep(self, analyst_user, analyst, lead_user):
        case = make_case(worked_by=analyst_user, at=NOON - 20 * DAY)
        with pytest.raises(desks.NotSnoozed, match="due already"):
            desks.snooze(case, until=date(2026, 3, 4), why="waits_customer", by=analyst, at=NOON)

        with pytest.raises(review.CannotWorkCases, match="lea has it"):
            desks.snooze(make_case(worked_by=lead_user), until=date(2026, 3, 4), why="waits_event", by=analyst, at=NOON)
        with pytest.raises(review.UnknownWhy):
            desks.snooze(case, until=date(2026, 3, 4), why="lazy", by=analyst, at=NOON)


class TestEscalate:
    def escalated(self, user, to="leads", **more) -> Case:
        case = make_case(worked_by=user)
        return desks.escalate(case, desk=to, why="too_grave", by=user.as_actor, at=NOON + 5 * HOUR, **more)

    def test_the_other_desk_has_it_with_hours_of_its_own(self, analyst_user, lead_user):
        case = self.escalated(analyst_user)

        assert (case.desk, case.assigned_to, case.status) == ("leads", None, "open")
        assert case.due_at == datetime(2026, 3, 3, 17, tzinfo=UTC)  # at the close of business: eight hours of tomorrow
        assert Deadline.objects.running().get(kind="triage", key=str(case.pk)).due_on == case.due_on
        with pytest.raises(next_case.NothingWaits):
            take_next(analyst_user, at=NOON + DAY)
        with pytest.raises(review.CannotWorkCases):
            review.take(case, user=analyst_user, at=NOON + DAY)
        assert take_next(lead_user, at=NOON + DAY) == case

    def test_the_legal_desk_works_it_by_its_own_right(self, analyst_user, lead_user, counsel_user):
        case = self.escalated(analyst_user, "legal")

        assert take_next(counsel_user, at=NOON + DAY) == case
        assert not case.may_be_worked_by(lead_user)

    def test_what_cannot_go_stays(self, analyst_user, analyst, counsel_user, counsel):
        case = make_case(worked_by=analyst_user)

        for desk in ("review", "nowhere"):
            with pytest.raises(desks.NotEscalated):
                desks.escalate(case, desk=desk, why="too_grave", by=analyst, at=NOON)
        with pytest.raises(review.UnknownWhy):
            desks.escalate(case, desk="leads", why="bored", by=analyst, at=NOON)
        with pytest.raises(review.CannotWorkCases, match="nobody has it"):
            desks.escalate(make_case(), desk="leads", why="too_grave", by=analyst, at=NOON)
        legal = review.take(make_request(by=counsel).case, user=counsel_user, at=NOON)
        with pytest.raises(desks.NotEscalated, match="stays with the legal desk"):
            desks.escalate(legal, desk="review", why="answered", by=counsel, at=NOON)


class TestAbsence:
    def test_what_they_had_goes_back_when_it_begins(self, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        tomorrow = NOON.date() + DAY

        absences.enter(user=analyst_user, from_on=tomorrow, to_on=tomorrow, by=analyst, at=NOON)
        assert absences.give_back_of_absent(by=SCHEDULER, at=NOON) == 0
        assert absences.give_back_of_absent(by=SCHEDULER, at=NOON + DAY) == 1

        case.refresh_from_db()
        assert (case.assigned_to, case.status) == (None, "open")
        assert Assignment.objects.get().to_at == NOON + DAY
        assert locks.holder(case, NOON + DAY) is None

    def test_one_that_begins_today_gives_back_at_once_and_nothing_is_assigned_meanwhile(
        self, analyst_user, analyst, lead
    ):
        case = make_case(worked_by=analyst_user)

        absence = absences.enter(user=analyst_user, from_on=NOON.date(), to_on=NOON.date(), by=analyst, at=NOON)

        assert Case.objects.get().assigned_to is None
        with pytest.raises(review.Away, match="Choose somebody else"):
            review.assign(case, to=analyst_user, by=lead, at=NOON)
        absences.end(absence, by=analyst, at=NOON)
        assert review.assign(case, to=analyst_user, by=lead, at=NOON).assigned_to == analyst_user

    def test_only_leads_enter_that_of_others(self, analyst_user, analyst, lead_user, lead):
        day = NOON.date()
        with pytest.raises(absences.NotYourAbsence):
            absences.enter(user=lead_user, from_on=day, to_on=day, by=analyst, at=NOON)
        absence = absences.enter(user=analyst_user, from_on=day, to_on=day, by=lead, at=NOON)

        with pytest.raises(absences.NotYourAbsence):
            absences.end(absence, by=person("other", "reviewer").as_actor, at=NOON)

    @pytest.mark.parametrize(("first", "last"), [(1, 0), (-3, -1), (0, 367), (400, 401)])
    def test_bad_days_are_refused(self, analyst_user, analyst, first, last):
        day = NOON.date()
        with pytest.raises(absences.BadAbsence):
            absences.enter(user=analyst_user, from_on=day + first * DAY, to_on=day + last * DAY, by=analyst, at=NOON)

    def test_two_at_a_time_are_refused_and_none_ends_twice(self, analyst_user, analyst):
        days = {"from_on": NOON.date(), "to_on": NOON.date() + DAY}
        absence = absences.enter(user=analyst_user, **days, by=analyst, at=NOON)

        with pytest.raises(absences.BadAbsence, match="already"):
            absences.enter(user=analyst_user, **days, by=analyst, at=NOON)
        absences.end(absence, by=analyst, at=NOON)
        with pytest.raises(absences.BadAbsence, match="over already"):
            absences.end(absence, by=analyst, at=NOON)


class TestDue:
    def test_hours_of_business_are_counted(self):
        case = make_case(at=datetime(2026, 3, 6, 16, tzinfo=UTC))  # a Friday, an hour before the close

        assert case.due_at == datetime(2026, 3, 11, 16, tzinfo=UTC)
        assert case.due_on == date(2026, 3, 11)

    def test_a_new_holiday_moves_what_is_open_by_a_job(self, compliance):
        case = make_case()

        holidays.add_holiday(day=date(2026, 3, 3), title="Founders' day", by=compliance, at=NOON)
        job = Job.objects.get(kind=RECOMPUTE)
        assert queue.run_due(job.due_at)["done"] == 1

        moved = Case.objects.get(pk=case.pk)
        assert moved.due_at - case.due_at == DAY
        assert Deadline.objects.running().get(kind="triage").due_on == moved.due_on
        assert AuditEvent.objects.get(verb="cases.due_moved").facts["due_on"] == moved.due_on.isoformat()
        assert clocks.recompute(by=SCHEDULER, at=NOON) == 0

    def test_a_sleeping_case_comes_back_by_the_new_day(self, analyst_user, analyst):
        case = desks.snooze(
            make_case(worked_by=analyst_user), until=date(2026, 3, 20), why="waits_event", by=analyst, at=NOON
        )
        start_clock(
            "report by", case, figure="verify_days", regime=regime_on(NOON.date()), on=NOON.date(),
            due_on=date(2026, 3, 3), by=SCHEDULER, at=NOON,
        )  # fmt: skip

        assert clocks.recompute(by=SCHEDULER, at=NOON) == 1
        assert Case.objects.get().waits_from == datetime(2026, 3, 3, tzinfo=UTC)


def test_risk_weighs_and_costs_nothing_when_something_else_is_saved(django_assert_num_queries):
    account = make_open_account()
    case = make_case(account)
    before = case.weight

    account.refresh_from_db()
    account.risk_score = before + 7
    account.save(update_fields=["risk_score"])
    assert Case.objects.get().weight == before + 7
    with django_assert_num_queries(1):
        account.save(update_fields=["external_key"])


@needs_row_locks
def test_neither_the_queue_nor_the_next_case_sorts_the_table(analyst_user):
    from cases.flows import queue_rows
    from cases.rules.queue_filters import Filters

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table of a test is small enough to be read as a whole
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    waiting = queue_rows.of_view(analyst_user, Filters(), NOON).by_urgency()
    case = make_case()
    place = queue_rows.Place(case.due_on, case.weight, case.due_at, case.pk)
    for rows, index in [
        (waiting[:51], "case_urgency"),
        (waiting.filter(place.later())[:51], "case_urgency"),
        (waiting.filter(assigned_to=None)[:1], "case_urgency_of_free"),
    ]:
        plan = rows.explain()

        assert index in plan and "Sort" not in plan, plan
    assert CaseLock.objects.count() == 0
