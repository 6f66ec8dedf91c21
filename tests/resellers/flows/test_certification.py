"""Certification of customers: each outcome, its end, and by whose authority (R63)."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError
from django.db.models import ProtectedError

from accounts.flows.texts import BadField
from kyc_portal.policy.statements import WordingChanged, approve_statement
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from resellers import tasks
from resellers.flows import certification, certification_ends, coverage, onboarding
from resellers.flows.authority import NoAuthority
from resellers.models import Certification, CertifiedEntry, ResellerManager
from tests.builders import make_entry, make_reseller
from tests.conftest import NOON
from tests.resellers import rosters
from tests.resellers.signing import change_roster, make_signer, outcomes

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=10)


@pytest.fixture
def signer(db):
    return make_signer()


class TestCertify:
    def test_r63_it_is_an_act_of_a_named_person_with_all_it_rests_on(self, signer):
        entry = make_entry(signer.reseller)

        act = signer.certify(entry, scope="whole", evidence=["video", "document", "video"])

        assert (act.signed_by, act.signed_by_key, act.signed_under) == (
            "remy", str(signer.binding.user_id), signer.binding,
        )  # fmt: skip
        assert (act.statement.kind, act.statement.number) == ("downstream", 1)
        assert (act.scope, act.evidence, act.extent) == ("whole", ["document", "video"], "chosen")
        assert (act.valid_from, act.lapses_on, str(act.citation)) == (NOON.date(), date(2027, 3, 2), "own policy")
        assert (act.total_count, act.done_count, act.certified_count, act.state) == (1, 1, 1, "done")
        line = act.lines.get()
        assert (line.entry, line.outcome, line.lapses_on, line.ended_at) == (entry, "certified", act.lapses_on, None)

    def test_each_customer_has_an_outcome_of_its_own(self, signer):
        stated = {
            "C-1": {}, "C-2": {"verified_on": None}, "C-3": {"method": ""}, "C-4": {"verified_on": date(2024, 3, 1)},
            "C-5": {"verified_on": date(2024, 3, 2)},
        }  # fmt: skip
        entries = [make_entry(signer.reseller, number, **changes) for number, changes in stated.items()]

        act = signer.certify(*entries)

        assert outcomes(act) == {
            "C-1": "certified", "C-2": "unverified", "C-3": "no_method", "C-4": "too_old", "C-5": "certified",
        }  # fmt: skip
        assert (act.certified_count, act.refused_count) == (2, 3)

    def test_what_changed_or_left_meanwhile_is_not_certified(self, signer):
        changed, gone = make_entry(signer.reseller, "C-1"), make_entry(signer.reseller, "C-2")
        anew = change_roster(changed, at=LATER)
        change_roster(gone, why="gone", at=LATER)

        act = signer.certify(changed, gone, at=LATER)

        assert outcomes(act) == {"C-1": "changed", "C-2": "gone"}
        assert not CertifiedEntry.objects.filter(entry=anew[0]).exists()

    def test_who_is_certified_as_long_is_left_and_who_is_not_is_renewed(self, signer):
        entry = make_entry(signer.reseller)
        first = signer.certify(entry)

        again, renewed = signer.certify(entry), signer.certify(entry, at=LATER)

        assert (outcomes(again), outcomes(renewed)) == ({"C-1": "already"}, {"C-1": "certified"})
        assert first.lines.get().ended_why == "renewed"
        assert CertifiedEntry.objects.standing().get().certification == renewed

    def test_all_of_the_roster_takes_who_is_not_certified_as_long(self, signer):
        entries = [make_entry(signer.reseller, f"C-{number}") for number in range(4)]
        signer.certify(entries[1])
        make_entry(make_reseller(), "C-9")

        act = signer.certify(everybody=True)

        assert (act.extent, set(outcomes(act))) == ("all", {"C-0", "C-2", "C-3"})
        with pytest.raises(certification.NothingToCertify, match="Everybody on your roster"):
            signer.certify(everybody=True)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"scope": "everything"}, "Scope"),
            ({"evidence": []}, "Evidence is empty"),
            ({"evidence": ["rumour"]}, "Evidence"),
            ({"entries": []}, "No customer is chosen"),
            ({"entries": ["DSC-0000-0000"]}, "not on your roster"),
            ({"entries": [f"DSC-{n}" for n in range(501)]}, "at most 500"),
        ],
    )
    def test_what_cannot_be_is_refused_and_leaves_nothing(self, signer, changes, says):
        entry = make_entry(signer.reseller)
        with pytest.raises((BadField, certification.NothingToCertify), match=says):
            signer.certify(entry, **changes)

        assert not Certification.objects.exists() and not CertifiedEntry.objects.exists()

    def test_th1_another_resellers_customer_is_as_unknown_as_none(self, signer):
        own, foreign = make_entry(signer.reseller), make_entry(make_reseller())
        said = []
        for reference in (foreign.reference, "DSC-0000-0000"):
            with pytest.raises(BadField) as refused:
                signer.certify(own, reference)
            said.append(str(refused.value))

        assert said[0] == said[1] and foreign.reference not in said[0]
        assert not CertifiedEntry.objects.exists()

    def test_g1_the_same_form_twice_is_one_act(self, signer):
        entry, key = make_entry(signer.reseller), uuid.uuid4()

        first, second = (signer.certify(entry, form_key=key) for _ in range(2))

        assert first == second and Certification.objects.count() == CertifiedEntry.objects.count() == 1

    @pytest.mark.parametrize("changes", [{"scope": "whole"}, {"evidence": ["bank"]}, {"everybody": True}])
    def test_g2_the_same_form_with_other_contents_is_refused(self, signer, changes):
        entry, key = make_entry(signer.reseller), uuid.uuid4()
        signer.certify(entry, form_key=key)

        with pytest.raises(certification.SentBefore, match="sent before"):
            signer.certify(*([] if "everybody" in changes else [entry]), form_key=key, **changes)

    def test_r22_who_signs_is_held_to_the_words_they_were_shown(self, signer, compliance):
        entry = make_entry(signer.reseller)
        approve_statement(kind="downstream", text="Other words.", effective_from=NOON.date(), by=compliance, at=NOON)

        with pytest.raises(WordingChanged, match="Read it again"):
            signer.certify(entry)
        assert signer.certify(entry, statement_number="2").statement.text == "Other words."

    def test_the_trail_says_what_was_signed_and_what_came_of_it(self, signer):
        signer.certify(make_entry(signer.reseller), make_entry(signer.reseller, "C-2", verified_on=None))

        signed = AuditEvent.objects.get(verb="resellers.certification.signed")
        through = AuditEvent.objects.get(verb="resellers.certification.gone_through")
        assert (signed.facts["count"], signed.facts["version"], signed.facts["basis"]) == (2, 1, "identity")
        assert (through.facts["count"], through.facts["rows"], len(through.facts["digest"])) == (1, 2, 64)


class TestAuthority:
    def test_one_that_ended_signs_nothing(self, signer):
        entry = make_entry(signer.reseller)
        onboarding.end_binding(signer.binding, by=SCHEDULER, at=NOON)

        with pytest.raises(NoAuthority, match="no longer bound"):
            signer.certify(entry)  # with the binding as it was read before

        assert not Certification.objects.exists()

    def test_th1_one_of_another_reseller_person_or_none_is_refused_in_the_same_words(self, signer):
        entry, other = make_entry(signer.reseller), make_signer("rob")
        said = set()
        for changes in ({"binding": other.binding}, {"by": other.actor}, {"by": SCHEDULER}, {"binding": None}):
            with pytest.raises(NoAuthority) as refused:
                signer.certify(entry, **changes)
            said.add(str(refused.value))

        assert len(said) == 1 and other.reseller.reference not in said.pop()

    def test_who_may_no_longer_log_in_signs_nothing(self, signer):
        entry = make_entry(signer.reseller)
        signer.binding.user.is_active = False
        signer.binding.user.save()

        with pytest.raises(NoAuthority):
            signer.certify(entry)

    def test_a_certification_stays_when_its_signer_leaves(self, signer):
        act = signer.certify(make_entry(signer.reseller))
        onboarding.end_binding(signer.binding, by=SCHEDULER, at=NOON)

        assert act.lines.in_force(NOON.date()).count() == 1


class TestTheJob:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        monkeypatch.setattr(certification, "MOST_AT_ONCE", 3)

    def make_roster(self, signer, count: int = 8):
        return [make_entry(signer.reseller, f"C-{n:02}", **({"method": ""} if n == 4 else {})) for n in range(count)]

    def test_above_some_hundreds_a_job_goes_through_them(self, signer):
        self.make_roster(signer)
        act = signer.certify(everybody=True)
        assert (act.state, act.total_count, act.done_count) == ("waiting", 8, 0)

        assert queue.run_due(NOON)["done"] == 1

        act.refresh_from_db()
        assert (act.state, act.done_count, act.certified_count, act.done_at) == ("done", 8, 7, NOON)
        assert outcomes(act)["C-04"] == "no_method"
        batches = AuditEvent.objects.filter(verb="resellers.certification.gone_through")
        assert sorted(event.facts["rows"] for event in batches) == [2, 3, 3]

    def test_g7_killed_and_taken_up_again_it_ends_the_same(self, signer, monkeypatch):
        self.make_roster(signer)
        act = signer.certify(everybody=True)
        lost, batches = certification.judge, []

        def kill(customer, terms):
            batches.append(customer)
            if len(batches) == 5:  # in the middle of the second batch
                raise RuntimeError("the worker is lost")
            return lost(customer, terms)

        monkeypatch.setattr(certification, "judge", kill)
        assert queue.run_due(NOON)["failed"] == 1
        act.refresh_from_db()
        assert (act.state, act.done_count, act.lines.count(), act.last_number) == ("under_way", 3, 3, "C-02")

        monkeypatch.undo()
        queue.run_due(NOON + timedelta(minutes=10))

        act.refresh_from_db()
        assert (act.state, act.done_count, act.certified_count) == ("done", 8, 7)
        assert set(outcomes(act)) == {f"C-{n:02}" for n in range(8)} and outcomes(act)["C-04"] == "no_method"

    def test_it_names_the_roster_as_it_was_signed(self, signer):
        entries = self.make_roster(signer)
        act = signer.certify(everybody=True)
        change_roster(entries[0], at=LATER)
        change_roster(entries[1], why="gone", at=LATER)
        make_entry(signer.reseller, "C-90", at=LATER)

        queue.run_due(LATER)

        told = outcomes(act)
        assert (told["C-00"], told["C-01"], "C-90" in told) == ("changed", "gone", False)
        assert CertifiedEntry.objects.standing().filter(entry__ended_at__isnull=False).count() == 0

    def test_a_second_one_waits_for_the_first(self, signer):
        self.make_roster(signer)
        first = signer.certify(everybody=True)

        with pytest.raises(certification.UnderWay, match=f"{first.reference} is still being gone through"):
            signer.certify(everybody=True)

    def test_withdrawn_before_its_end_the_rest_is_left(self, signer):
        self.make_roster(signer)
        act = signer.certify(everybody=True)
        assert certification.go_on(act.pk, by=SCHEDULER, at=NOON)

        signer.withdraw(act)
        queue.run_due(NOON)

        act.refresh_from_db()
        assert (act.state, act.done_count, act.lines.standing().count()) == ("done", 3, 0)
        assert Job.objects.get(kind=certification.KIND).state == "done"


class TestWithdraw:
    def test_all_of_it(self, signer):
        act = signer.certify(make_entry(signer.reseller), make_entry(signer.reseller, "C-2"))

        withdrawn = signer.withdraw(act, why="The documents were forged.", at=LATER)

        assert (withdrawn.withdrawn_at, withdrawn.withdrawn_by, withdrawn.why) == (
            LATER, "remy", "The documents were forged.",
        )  # fmt: skip
        assert set(act.lines.values_list("ended_why", "ended_at")) == {("withdrawn", LATER)}
        with pytest.raises(certification.NothingStands):
            signer.withdraw(act)

    def test_some_of_it_and_then_the_rest(self, signer):
        entries = [make_entry(signer.reseller, f"C-{n}") for n in range(3)]
        act = signer.certify(*entries)

        signer.withdraw(act, entries=[entries[1].reference], why="Not this one.")

        act.refresh_from_db()
        assert act.withdrawn_at is None and act.lines.get(number="C-1").why == "Not this one."
        with pytest.raises(certification.NothingStands, match="Load the page again"):
            signer.withdraw(act, entries=[entries[1].reference])
        signer.withdraw(act)
        assert not act.lines.standing().exists()

    @pytest.mark.parametrize(
        ("changes", "says"),
        [({"why": " "}, "Why is empty"), ({"entries": []}, "none is chosen"), ({"why": "a\0"}, "NUL")],
    )
    def test_without_a_reason_or_customer_nothing_is_withdrawn(self, signer, changes, says):
        act = signer.certify(make_entry(signer.reseller))
        with pytest.raises(BadField, match=says):
            signer.withdraw(act, **changes)

        assert act.lines.standing().exists()

    def test_it_takes_authority_but_for_the_providers_own_people(self, signer, reseller_desk_user):
        act, rita = signer.certify(make_entry(signer.reseller)), reseller_desk_user.as_actor
        for changes in ({"binding": make_signer("rob").binding}, {"binding": None}, {"by": rita}):
            with pytest.raises(NoAuthority):
                signer.withdraw(act, **changes)

        certification.withdraw(act, why="We saw forged documents.", is_ours=True, by=rita, at=NOON)

        act.refresh_from_db()
        assert act.withdrawn_by == "rita"

    def test_whom_it_does_not_name_it_leaves(self, signer):
        entry = make_entry(signer.reseller, "C-1")
        act = signer.certify(entry)
        other = signer.certify(make_entry(signer.reseller, "C-2"))

        with pytest.raises(certification.NothingStands):
            signer.withdraw(act, entries=[other.lines.get().entry.reference])

        assert CertifiedEntry.objects.standing().count() == 2


class TestEnds:
    def test_a_changed_record_breaks_its_certification_at_once(self, signer):
        changed, gone, kept = (make_entry(signer.reseller, f"C-{n}") for n in range(3))
        foreign = make_signer("rob")
        foreign.certify(make_entry(foreign.reseller))
        act = signer.certify(changed, gone, kept)

        change_roster(changed, at=LATER)
        change_roster(gone, why="gone", at=LATER)

        ends = dict(act.lines.values_list("number", "ended_why"))
        assert ends == {"C-0": "changed", "C-1": "gone", "C-2": ""}
        assert foreign.reseller.certified.standing().count() == 1
        told = AuditEvent.objects.filter(verb="resellers.certification.broken")
        assert [event.facts["changed"] for event in told] == [1, 1]

    def test_an_accepted_file_breaks_what_it_states_anew_and_no_more(self, signer):
        """By the flows of files themselves, in the transaction that brings the rows in force."""
        rosters.take_in(signer.reseller, *(rosters.row(f"C-{n}") for n in range(3)))
        act = signer.certify(everybody=True, at=NOON + timedelta(hours=1))

        rosters.take_in(signer.reseller, rosters.row("C-0"), rosters.row("C-1", name="Anew"), at=LATER)

        ends = dict(act.lines.values_list("number", "ended_why"))
        assert ends == {"C-0": "", "C-1": "changed", "C-2": "gone"}

    def test_it_costs_the_same_for_many(self, signer, django_assert_num_queries):
        entries = [make_entry(signer.reseller, f"C-{n}") for n in range(30)]
        signer.certify(*entries)
        type(entries[0]).objects.update(ended_at=LATER, ended_why="changed")

        with django_assert_num_queries(2 + 4):  # two updates; the event with its savepoint
            assert certification_ends.break_changed(signer.reseller, by=SCHEDULER, at=LATER) == 30

    def test_the_last_good_day_is_good_and_the_next_night_ends_it(self, signer):
        act = signer.certify(make_entry(signer.reseller))
        last = NOON.replace(year=2027)
        assert act.lines.in_force(last.date()).exists()
        assert not act.lines.in_force(last.date() + timedelta(days=1)).exists()

        told = [tasks.lapse_certifications(at=moment.isoformat()) for moment in (last, *[last + timedelta(days=1)] * 2)]

        assert [each["done"] for each in told] == [0, 1, 0]
        assert act.lines.get().ended_why == "lapsed"
        assert AuditEvent.objects.get(verb="resellers.certification.lapsed").facts["count"] == 1

    def test_a_moment_of_the_past_is_told_as_it_was(self, signer):
        entry = make_entry(signer.reseller)
        signer.withdraw(signer.certify(entry), at=LATER)

        def names(moment):
            return CertifiedEntry.objects.as_of(moment).count()

        before, after = NOON - timedelta(seconds=1), LATER - timedelta(seconds=1)
        assert [names(moment) for moment in (before, NOON, after, LATER)] == [0, 1, 1, 0]


class TestTheDatabase:
    def test_one_certification_stands_for_a_customer(self, signer):
        act = signer.certify(make_entry(signer.reseller))
        line = act.lines.get()
        other = signer.certify(make_entry(signer.reseller, "C-2"))

        with pytest.raises(IntegrityError):
            CertifiedEntry.objects.create(
                certification=other, reseller=signer.reseller, entry=line.entry, number="C-1", outcome="certified",
                judged_at=NOON, lapses_on=act.lapses_on,
            )  # fmt: skip

    def test_a_binding_under_which_was_signed_cannot_go(self, signer):
        signer.certify(make_entry(signer.reseller))

        with pytest.raises(ProtectedError):
            ResellerManager.objects.filter(pk=signer.binding.pk).delete()


def test_the_state_of_each_customer_is_told_in_the_list(signer):
    numbers = ("never", "certified", "changed", "gone", "withdrawn", "lapsed")
    entries = {name: make_entry(signer.reseller, name) for name in numbers}
    act = signer.certify(*(entries[name] for name in numbers[1:]))
    change_roster(entries["changed"], at=LATER)
    change_roster(entries["gone"], why="gone", at=LATER)
    make_entry(signer.reseller, "gone", name="back", at=LATER)
    signer.withdraw(act, entries=[entries["withdrawn"].reference])
    act.lines.filter(number="lapsed").update(lapses_on=NOON.date())

    def told(today, soon):
        rows = coverage.with_state(signer.reseller)
        states = ("certified", "soon", "lapsed", "broken", "withdrawn", "never")
        found = {
            s: set(coverage.in_state(rows, s, today=today, soon_on=soon).values_list("number", flat=True))
            for s in states
        }
        assert sum(len(each) for each in found.values()) == 6
        return found

    today = LATER.date()
    assert told(today, today) == {
        "certified": {"certified"}, "soon": set(), "lapsed": {"lapsed"}, "broken": {"changed", "gone"},
        "withdrawn": {"withdrawn"}, "never": {"never"},
    }  # fmt: skip
    assert told(today, act.lapses_on)["soon"] == {"certified"}
