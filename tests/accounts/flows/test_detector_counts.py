"""How often detectors fire and are right, kept by day (R82, R85)."""

from datetime import UTC, date, datetime, timedelta

from accounts.flows import detector_counts, signals
from accounts.models import DetectorDay, RiskSignal
from kyc_portal.records.acting import one_flow
from kyc_portal.records.deletion import declared
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account
from tests.conftest import NOON

TODAY = NOON.date()
TOMORROW = NOON + timedelta(days=1)
CODE = "use_elsewhere"


def raise_flag(code=CODE, at=NOON, account=None):
    return RiskSignal.objects.create(
        account=account or make_account(), code=code, weight=1, sentence="–", known_at=at
    )  # fmt: skip


def count(at=TOMORROW):
    return detector_counts.count_new_days(by=SCHEDULER, at=at)["rows"]


def days():
    rows = DetectorDay.objects.order_by("day", "code")
    return [(each.day, each.code, each.raised, each.right, each.wrong, each.untold) for each in rows]


class TestCounting:
    def test_an_empty_portal_has_nothing_to_count(self, db):
        assert count() == 0

    def test_only_days_that_are_over_are_counted(self, db):
        raise_flag()

        assert count(at=NOON) == 0
        assert count() == 1
        assert days() == [(TODAY, CODE, 1, 0, 0, 0)]

    def test_a_second_run_changes_nothing(self, db):
        raise_flag()
        count()

        assert count() == 0 and count(TOMORROW + timedelta(hours=1)) == 0
        assert len(days()) == 1

    def test_days_are_those_of_the_law(self, db, settings):
        settings.LEGAL_TIME_ZONE = "America/New_York"
        raise_flag(at=datetime(2026, 3, 3, 3, tzinfo=UTC))  # still the evening of the second in New York

        count(at=datetime(2026, 3, 4, 12, tzinfo=UTC))

        assert [day for day, *_ in days()] == [date(2026, 3, 2)]

    def test_what_an_answer_says_is_kept_with_the_flag_and_counted_on_its_day(self, db, analyst):
        answers = [("suspend", "evasion"), ("suspend", "list_match_confirmed"), ("no_action", "concern_cleared")]
        for answer, reason in answers:
            signal = raise_flag(at=NOON - timedelta(days=40))
            signals.answer_signal(signal, answer=answer, reason=reason, by=analyst, at=NOON)

        count()

        assert sorted(RiskSignal.objects.values_list("found", flat=True)) == ["right", "untold", "wrong"]
        assert days()[-1] == (TODAY, CODE, 0, 1, 1, 1)
        assert days()[0][2] == 3

    def test_many_answered_at_once_say_the_same(self, db, analyst):
        found = [raise_flag() for _ in range(3)]

        with one_flow(SCHEDULER):
            signals.answer_many(found, answer="no_action", reason="concern_cleared", by=analyst, at=NOON)
        count()

        assert days() == [(TODAY, CODE, 3, 0, 3, 0)]

    def test_answers_from_before_are_counted_by_what_they_say(self, db):
        for answer in ("no_action", "suspend"):
            signal = raise_flag()
            with one_flow(SCHEDULER):
                RiskSignal.objects.filter(pk=signal.pk).update(answered_at=NOON, answer=answer)

        count()

        assert days() == [(TODAY, CODE, 2, 0, 1, 1)]

    def test_what_is_counted_outlives_the_flags(self, db):
        raise_flag()
        count()
        with one_flow(SCHEDULER), declared("purge"):
            RiskSignal.objects.all().delete()

        assert count(TOMORROW + timedelta(days=30)) == 0
        assert days() == [(TODAY, CODE, 1, 0, 0, 0)]

    def test_only_new_days_are_read(self, db, django_assert_num_queries):
        raise_flag(at=NOON - timedelta(days=3))
        raise_flag()
        count()
        raise_flag(at=TOMORROW)

        with django_assert_num_queries(6):  # with the two that open and close the flow
            assert count(TOMORROW + timedelta(days=1)) == 1


class TestMonths:
    def test_twelve_months_the_running_one_last(self, db):
        for at in (NOON, NOON - timedelta(days=1), NOON - timedelta(days=20), NOON - timedelta(days=400)):
            raise_flag(at=at)
        raise_flag("country_conflict")
        count()

        found = detector_counts.last_months(CODE, on=TODAY)

        firsts = list(found.months)
        assert (firsts[0], firsts[-1], len(firsts)) == (date(2025, 4, 1), date(2026, 3, 1), 12)
        assert [each["raised"] for each in found.months.values()][-2:] == [1, 2]
        assert (found.total["raised"], found.counted_through) == (3, TODAY)
        year = detector_counts.last_year(on=TODAY)
        assert (year[CODE]["raised"], year["country_conflict"]["raised"]) == (3, 1)

    def test_over_the_turn_of_a_year(self, db):
        firsts = list(detector_counts.last_months(CODE, on=date(2026, 1, 31)).months)

        assert firsts[0] == date(2025, 2, 1) and firsts[-2:] == [date(2025, 12, 1), date(2026, 1, 1)]
