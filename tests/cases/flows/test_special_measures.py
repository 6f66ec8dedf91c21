"""From the determination to the lapse: days, signatures, what is done to accounts, and every bad input (R91-R97)."""

from datetime import date, timedelta

import pytest

from accounts.flows import activation, restrictions
from accounts.flows.texts import BadField
from accounts.models import Account, Restriction
from cases import tasks
from cases.flows import measure_effects, measure_hits, measure_judging, special_measures
from cases.models import MeasureHit, SpecialMeasure
from cases.rules.measures import BadDates
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job
from tests.builders import make_party, make_ready_account
from tests.cases.builders import make_open_account
from tests.cases.measures import (
    BEGINS,
    EXPIRES,
    FIRST,
    FROM_THERE,
    SECOND,
    hit_of,
    make_in_effect,
    make_measure,
    noon_of,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
BEGUN = noon_of(BEGINS)


def work(at=BEGUN):
    """What the two tasks do at a moment."""
    tasks.bring_measures_into_effect(at=at.isoformat())
    tasks.lift_expired_measures(at=at.isoformat())


def basis_of(account) -> list[str]:
    return list(account.restrictions.in_force().order_by("basis").values_list("basis", flat=True))


class TestRecording:
    def test_t17_days_follow_from_the_determination(self):
        measure = make_measure()

        assert (measure.determined_on, measure.effective_on, measure.expires_on) == (date(2026, 3, 2), BEGINS, EXPIRES)
        clock = clocks_of(measure).get()
        assert clock.due_on == BEGINS
        assert "7.307" in str(clock.citation) and "proposed" in str(clock.citation)

    def test_its_hits_are_asked_for_at_once(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = special_measures.record_determination(
            kind="jurisdiction", country="BY", action="prohibit", strength="absolute", title="T", source="S", text="X",
            determined_on=NOON.date(), by=FIRST, at=NOON,
        )  # fmt: skip

        key = Job.objects.get(kind=measure_hits.COMPUTE).key
        measure_hits.compute_job(key, by=SCHEDULER, at=NOON)

        assert hit_of(measure, account).decides

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"effective_on": date(2026, 8, 28)}, BadDates, "earliest day is 2026-08-29"),
            ({"determined_on": date(2026, 3, 3)}, BadDates, "future"),
            ({"country": "XX"}, BadField, "Jurisdiction .*XX.* is no country code"),
            ({"country": ""}, BadField, "Jurisdiction is empty"),
            ({"country": "PR"}, BadField, "Jurisdiction is the United States or a territory"),
            ({"party": "PTY-2222-2222"}, BadField, "Person belongs to"),
            ({"kind": "person", "party": "PTY-2222-2222"}, BadField, "Jurisdiction belongs to"),
            (
                {"kind": "person", "country": "", "party": "PTY-2222-2222"},
                special_measures.NotOnFile,
                "No party on file",
            ),
            ({"kind": "person", "country": "", "party": ""}, BadField, "Person is empty"),
            ({"kind": "planet"}, BadField, "Kind"),
            ({"action": "condition"}, BadField, "Terms"),
            ({"terms": "Only on terms."}, BadField, "Terms"),
            ({"strength": "weak"}, BadField, "Strength"),
            ({"title": " "}, BadField, "Title is empty"),
            ({"text": "a\x00b"}, BadField, "Text"),
        ],
    )
    def test_bad_input_is_refused_in_a_sentence_and_nothing_is_stored(self, changes, error, words):
        with pytest.raises(error, match=words):
            make_measure(**changes)

        assert not SpecialMeasure.objects.exists()

    def test_whoever_recorded_it_does_not_confirm_it(self):
        measure = make_measure(confirmed=False)

        for who in (FIRST, SCHEDULER):
            with pytest.raises(SecondPersonNeeded):
                special_measures.confirm(measure, by=who, at=NOON)

        assert special_measures.confirm(measure, by=SECOND, at=NOON).state == "confirmed"

    def test_r96_factors_are_kept_sealed_and_those_of_the_other_kind_refused(self):
        measure = make_measure()
        said = {"by": FIRST, "at": NOON}

        row = special_measures.note_factor(measure, factor="cooperation", note="They answer, slowly.", **said)

        row.refresh_from_db()
        assert row.note.reveal() == "They answer, slowly."
        with pytest.raises(BadField, match="not weighed for this kind"):
            special_measures.note_factor(measure, factor="milder", note="Yes.", **said)
        with pytest.raises(BadField, match="Note is empty"):
            special_measures.note_factor(measure, factor="burden", note="\u200b", **said)


class TestEffect:
    def test_not_before_its_first_day_and_then_by_the_task(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_measure()

        with pytest.raises(special_measures.NotYet, match="2026-08-29, not before"):
            special_measures.bring_into_effect(measure, by=SECOND, at=BEGUN - timedelta(days=1))
        work(BEGUN - timedelta(days=1))
        assert basis_of(account) == []

        work()

        measure.refresh_from_db()
        assert measure.state == "in_effect"
        assert basis_of(account) == [measure.reference]
        assert clocks_of(measure).get().due_on == EXPIRES

    def test_the_customer_reads_the_public_wording_and_nothing_of_the_measure(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect(text="Secret words")

        work()

        restriction = account.restrictions.get()
        assert (restriction.level, restriction.reason) == ("suspended", "special_measure")
        words = Notice.objects.filter(key=str(account.pk)).order_by("-queued_at").first().context.reveal()
        assert restriction.public_wording in words
        assert measure.reference not in words and measure.title not in words and "Secret" not in words

    def test_terms_limit_where_a_prohibition_suspends(self):
        account = make_open_account(addresses=FROM_THERE)
        make_in_effect(action="condition", terms="Only with a licence.")

        work()

        assert account.restrictions.get().level == "limited"

    def test_working_again_changes_nothing(self):
        make_open_account(addresses=FROM_THERE)
        make_in_effect()
        work()
        before = AuditEvent.objects.count()

        work()

        assert AuditEvent.objects.count() == before
        assert Restriction.objects.count() == 1

    def test_one_account_that_fails_does_not_keep_the_others(self, monkeypatch):
        accounts = [make_open_account(addresses=FROM_THERE) for _ in range(3)]
        make_in_effect()
        suspend = restrictions.suspend

        def fail_once(account, **given):
            if account.pk == accounts[1].pk:
                raise RuntimeError("disk")
            return suspend(account, **given)

        with monkeypatch.context() as patch:
            patch.setitem(measure_effects._ACT, "prohibit", fail_once)
            told = measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)
        assert told["restricted"] == {"done": 2, "failed": 1}

        work(BEGUN + timedelta(days=1))

        assert all(basis_of(account) for account in accounts)

    def test_where_policy_wants_a_person_the_task_waits(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_measure()
        RegimeNumber.objects.filter(name="measure_by_task").update(value=0)

        work()
        with pytest.raises(special_measures.ByHandOnly):
            special_measures.bring_into_effect(measure, by=SCHEDULER, at=BEGUN)
        with pytest.raises(SecondPersonNeeded):
            special_measures.bring_into_effect(measure, by=FIRST, at=BEGUN)
        assert basis_of(account) == []

        special_measures.bring_into_effect(measure, by=SECOND, at=BEGUN)
        work()

        assert basis_of(account) == [measure.reference]

    def test_what_was_not_confirmed_never_comes_into_effect(self):
        make_open_account(addresses=FROM_THERE)
        measure = make_measure(confirmed=False)

        work()

        measure.refresh_from_db()
        assert measure.state == "recorded" and not Restriction.objects.exists()
        with pytest.raises(MoveNotAllowed):
            special_measures.bring_into_effect(measure, by=SECOND, at=BEGUN)

    def test_a_restriction_lifted_by_hand_comes_again(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect()
        work()
        restrictions.lift(account.restrictions.get(), why="A mistake", by=FIRST, at=BEGUN)

        work(BEGUN + timedelta(minutes=5))

        assert basis_of(account) == [measure.reference]


class TestDryRun:
    def test_it_equals_what_then_happens_and_changes_nothing(self):
        hit = [make_open_account(addresses=FROM_THERE) for _ in range(3)]
        prospect = make_ready_account(addresses=FROM_THERE)
        freed = make_open_account(addresses=FROM_THERE)
        make_open_account()
        seen_only = make_open_account(citizenship="BY")
        measure = make_measure()
        judged = measure_judging.judge(hit_of(measure, freed), judgement="not", why="not_located", by=FIRST, at=NOON)
        measure_judging.agree(judged, shown=measure_judging.digest_of(judged), by=SECOND, at=NOON)
        before = AuditEvent.objects.count(), Restriction.objects.count()

        today = NOON.date()
        would = set(measure_effects.would_restrict(measure, today=today).values_list("account", flat=True))
        refused = set(measure_effects.would_refuse(measure, today=today).values_list("account", flat=True))
        lines = list(measure_effects.dry_run_lines(measure, today=today))

        assert (AuditEvent.objects.count(), Restriction.objects.count()) == before
        assert would == {account.pk for account in hit}
        assert refused == {prospect.pk}
        assert len(lines) == 1 + len(would) + len(refused)
        assert seen_only.reference not in "".join(lines)

        work()

        assert set(Restriction.objects.values_list("account", flat=True)) == would
        with pytest.raises(activation.NotReady, match=measure.reference):
            activation.activate(prospect, by=FIRST, at=BEGUN)


class TestGuard:
    def test_it_refuses_from_the_first_day_even_before_the_task_ran(self):
        account = make_ready_account(addresses=FROM_THERE)
        measure = make_measure()

        assert not measure_effects.forbids_opening(account, BEGUN - timedelta(days=1))
        (told,) = measure_effects.forbids_opening(account, BEGUN)

        assert told.startswith(f"{measure.reference} (Accounts from Belarus) prohibits this customer. ")
        assert "residence is in BY" in told
        assert not measure_effects.forbids_opening(account, noon_of(EXPIRES) + timedelta(days=1))

    def test_whoever_was_never_looked_for_is_refused_too(self):
        make_in_effect()
        account = make_ready_account(addresses=FROM_THERE)

        assert not MeasureHit.objects.filter(account=account).exists()
        assert measure_effects.forbids_opening(account, BEGUN)

    def test_terms_that_are_met_open_the_account_and_new_ties_close_it(self):
        account = make_ready_account(addresses=FROM_THERE)
        measure = make_in_effect(action="condition", terms="Only with a licence.")
        assert "on its terms only" in measure_effects.forbids_opening(account, BEGUN)[0]

        judged = measure_judging.judge(hit_of(measure, account), judgement="terms_met", why="proof", by=FIRST, at=BEGUN)
        assert measure_effects.forbids_opening(account, BEGUN)
        measure_judging.agree(judged, shown=measure_judging.digest_of(judged), by=SECOND, at=BEGUN)

        assert not measure_effects.forbids_opening(account, BEGUN)
        account.party.addresses.update(country="BY")
        assert measure_effects.forbids_opening(account, BEGUN)

    def test_without_measures_it_costs_one_query(self, django_assert_num_queries):
        account = make_ready_account()

        with django_assert_num_queries(1):
            assert measure_effects.forbids_opening(account, BEGUN) == []


class TestEnd:
    def test_r97_expired_reviewed_by_a_person_and_only_then_lifted(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect()
        work()
        limited = restrictions.restrict_by_hand(account, level="limited", reason="use_unexplained", by=FIRST, at=BEGUN)
        work(noon_of(EXPIRES))
        assert SpecialMeasure.objects.get().state == "in_effect"

        after = noon_of(EXPIRES) + timedelta(days=1)
        work(after)

        measure.refresh_from_db()
        assert measure.state == "over"
        assert basis_of(account) == [measure.reference, limited.basis]
        assert clocks_of(measure).get().kind == special_measures.REVIEW
        with pytest.raises(SecondPersonNeeded):
            special_measures.review(measure, by=SCHEDULER, at=after)

        special_measures.review(measure, by=SECOND, at=after)
        work(after)

        measure.refresh_from_db()
        assert measure.state == "closed"
        assert basis_of(account) == [limited.basis]
        lifted = Restriction.objects.get(basis=measure.reference)
        assert lifted.lifted_why == f"{measure.reference} is over; reviewed by second counsel"
        assert not clocks_of(measure).exists()

    def test_r94_an_extension_keeps_it_in_effect(self):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect()
        work()

        measure = special_measures.extend(measure, by=FIRST, at=noon_of(EXPIRES))
        work(noon_of(EXPIRES) + timedelta(days=1))

        measure.refresh_from_db()
        assert (measure.state, measure.expires_on) == ("in_effect", date(2028, 8, 28))
        assert [row["through"] for row in measure.extensions] == ["2028-08-28"]
        assert clocks_of(measure).get().due_on == date(2028, 8, 28)
        assert basis_of(account) == [measure.reference]

    def test_after_its_last_day_nothing_is_extended(self):
        measure = make_in_effect()

        with pytest.raises(BadDates, match="cannot be extended"):
            special_measures.extend(measure, by=FIRST, at=noon_of(EXPIRES) + timedelta(days=1))
        work(noon_of(EXPIRES) + timedelta(days=1))
        with pytest.raises(special_measures.WrongState, match="over, to be reviewed"):
            special_measures.extend(measure, by=FIRST, at=noon_of(EXPIRES) + timedelta(days=1))

    def test_what_the_authority_revokes_is_reviewed_too(self):
        make_open_account(addresses=FROM_THERE)
        measure = make_in_effect()
        work()

        measure = special_measures.end_early(measure, why="revoked", by=FIRST, at=BEGUN)
        work()

        assert measure.state == "over" and Restriction.objects.in_force().exists()
        with pytest.raises(BadField):
            special_measures.end_early(measure, why="bored", by=FIRST, at=BEGUN)
        with pytest.raises(special_measures.WrongState):
            special_measures.end_early(measure, why="revoked", by=FIRST, at=BEGUN)

    def test_one_withdrawn_before_its_effect_restricts_nobody(self):
        make_open_account(addresses=FROM_THERE)
        measure = special_measures.end_early(make_measure(), why="revoked", by=FIRST, at=NOON)

        work()

        assert measure.state == "withdrawn" and not Restriction.objects.exists()
        assert not clocks_of(measure).exists()
        with pytest.raises(measure_hits.NotLive):
            measure_hits.compute_hits(measure, by=SCHEDULER, at=NOON)

    def test_one_that_nobody_brought_into_effect_runs_out(self):
        RegimeNumber.objects.filter(name="measure_by_task").update(value=0)
        measure = make_measure()

        work(noon_of(EXPIRES) + timedelta(days=1))

        measure.refresh_from_db()
        assert measure.state == "withdrawn"


class TestByPerson:
    def test_it_means_the_party_and_nobody_else(self):
        mine, other = make_open_account(), make_open_account()
        measure = make_in_effect(kind="person", country="", party=mine.party.reference.lower())

        work()

        assert basis_of(mine) == [measure.reference] and basis_of(other) == []
        assert hit_of(measure, mine).sentences == ["The customer is the person named."]

    def test_a_party_on_file_need_not_be_a_customer(self):
        measure = make_measure(kind="person", country="", party=make_party().reference)

        assert not measure.hits.exists()


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_an_account_opened_in_the_second_of_the_effect_is_not_missed(self, triggers_lifted_for_flush, in_threads):
        """The guard refuses the opening, or the next sweep finds the account: one of the two always."""
        account = make_ready_account(addresses=FROM_THERE)
        make_measure()

        def open_it():
            return activation.activate(account, by=FIRST, at=BEGUN - timedelta(seconds=43_201))

        def begin():
            return measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN - timedelta(seconds=43_200))

        results = in_threads(open_it, begin)
        measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)

        assert isinstance(results[0], Account), results  # the last second before the first day: the guard allows it
        assert basis_of(account) == [SpecialMeasure.objects.get().reference]

    def test_two_tasks_at_once_restrict_once(self, triggers_lifted_for_flush, in_threads):
        accounts = [make_open_account(addresses=FROM_THERE) for _ in range(3)]
        measure = make_measure()

        def begin():
            return measure_effects.bring_due_into_effect(by=SCHEDULER, at=BEGUN)

        in_threads(begin, begin)
        work(BEGUN + timedelta(hours=1))

        assert [basis_of(account) for account in accounts] == [[measure.reference]] * 3
        assert Restriction.objects.count() == 3
