"""Whatever is certified, withdrawn, changed and lapsed in whatever order: who was certified when is what a simple model
says; and a certification and a file that meet at the same moment never leave one that stands on a row that ended."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from kyc_portal.calendars import add_months
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import certification, certification_ends
from resellers.models import CertifiedEntry, RosterEntry
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_entry
from tests.conftest import NOON
from tests.resellers.signing import change_roster, make_signer

NUMBERS = ("C-1", "C-2", "C-3")
numbers = st.sets(st.sampled_from(NUMBERS), min_size=1)
deeds = st.one_of(
    st.tuples(st.just("certify"), numbers),
    st.tuples(st.just("certify"), st.just(set(NUMBERS))),
    st.tuples(st.just("withdraw"), numbers),
    st.tuples(st.just("change"), numbers),
    st.tuples(st.just("leave"), numbers),
    st.tuples(st.just("night"), st.just(set())),
)
story = st.lists(st.tuples(deeds, st.integers(0, 200)), max_size=12)


class Model:
    """Who is certified until when, as one would note it on paper."""

    def __init__(self):
        self.until, self.verified, self.seen = {}, dict.fromkeys(NUMBERS, NOON.date()), []

    def tell(self, deed: str, names: set[str], day) -> None:
        for name in sorted(names):
            if deed == "certify" and name in self.verified and self.verified[name] >= add_months(day, -24):
                self.until[name] = max(self.until.get(name, day), add_months(day, 12))
            elif deed in ("withdraw", "change", "leave"):
                self.until.pop(name, None)
            if deed == "change" and name in self.verified:
                self.verified[name] = day
            elif deed == "leave":
                self.verified.pop(name, None)

    def look(self, moment: datetime) -> None:
        self.seen.append((moment, {name for name, last in self.until.items() if last >= moment.date()}))


class TestHistory(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(story)
    def test_who_is_certified_on_a_day_is_what_a_simple_model_says(self, story):
        signer, model, at = make_signer(), Model(), NOON
        for name in NUMBERS:
            make_entry(signer.reseller, name)
        for (deed, names), days in story:
            at += timedelta(days=days, minutes=1)
            self.do(signer, deed, names, at)
            model.tell(deed, names, at.date())
            model.look(at)

        for moment, expected in model.seen:
            rows = CertifiedEntry.objects.as_of(moment)
            assert sorted(rows.values_list("number", flat=True)) == sorted(expected), moment
        if model.seen:
            now = CertifiedEntry.objects.in_force(at.date()).filter(entry__ended_at__isnull=True)
            assert set(now.values_list("number", flat=True)) == model.seen[-1][1]
        assert not CertifiedEntry.objects.standing().filter(entry__ended_at__isnull=False).exists()

    def do(self, signer, deed: str, names: set[str], at: datetime) -> None:
        rows = list(RosterEntry.objects.in_force().filter(reseller=signer.reseller, number__in=names))
        if deed == "night":
            certification_ends.lapse_due(on=at.date(), by=SCHEDULER, at=at)
        elif deed == "certify" and rows:
            signer.certify(*rows, at=at)
        elif deed == "withdraw":
            for act in signer.reseller.certifications.filter(lines__entry__in=rows, lines__ended_at=None).distinct():
                held = act.lines.standing().filter(entry__in=rows).values_list("entry__reference", flat=True)
                if held:
                    signer.withdraw(act, entries=list(held), at=at)
        elif rows:
            change_roster(*rows, why="changed" if deed == "change" else "gone", at=at)


@needs_row_locks
@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.fixture
    def signer(self, triggers_lifted_for_flush):
        return make_signer()

    def stands_on_what_ended(self) -> bool:
        return CertifiedEntry.objects.standing().filter(entry__ended_at__isnull=False).exists()

    def test_g5_a_certification_that_meets_a_file_waits_and_names_the_change(self, signer, in_threads):
        entry = make_entry(signer.reseller)

        _, act = once_it_waits(
            lambda: change_roster(entry, at=NOON + timedelta(seconds=1)), lambda: signer.certify(entry), in_threads
        )

        assert [line.outcome for line in act.lines.all()] == ["changed"] and not self.stands_on_what_ended()

    def test_g5_a_file_that_meets_a_certification_waits_and_breaks_it(self, signer, in_threads):
        entry = make_entry(signer.reseller)

        act, _ = once_it_waits(
            lambda: signer.certify(entry), lambda: change_roster(entry, at=NOON + timedelta(seconds=1)), in_threads
        )

        assert [line.ended_why for line in act.lines.all()] == ["changed"] and not self.stands_on_what_ended()

    def test_g5_even_where_the_file_does_not_ask_for_the_resellers_lock(self, signer, in_threads):
        """The rows themselves are locked: whoever ends them waits for the certification, or it sees that they ended."""
        entry = make_entry(signer.reseller)

        def end_alone():
            with one_flow(SCHEDULER):
                RosterEntry.objects.filter(pk=entry.pk).update(ended_at=NOON, ended_why="gone")
                certification_ends.break_changed(signer.reseller, by=SCHEDULER, at=NOON)

        _, act = once_it_waits(end_alone, lambda: signer.certify(entry), in_threads)

        assert [line.outcome for line in act.lines.all()] == ["gone"] and not self.stands_on_what_ended()

    def test_g1_the_same_form_from_two_tabs_is_one_act(self, signer, in_threads):
        entry, key = make_entry(signer.reseller), "6f1c2f4e-0000-4000-8000-000000000001"

        first, second = once_it_waits(
            lambda: signer.certify(entry, form_key=key), lambda: signer.certify(entry, form_key=key), in_threads
        )

        assert first.pk == second.pk and CertifiedEntry.objects.count() == 1

    def test_g14_two_workers_on_one_act_go_through_it_once(self, signer, in_threads, monkeypatch):
        monkeypatch.setattr(certification, "MOST_AT_ONCE", 2)
        for n in range(7):
            make_entry(signer.reseller, f"C-{n}")
        act = signer.certify(everybody=True)

        in_threads(*[lambda: certification.carry_out(str(act.pk), by=SCHEDULER, at=NOON)] * 2)

        act.refresh_from_db()
        assert (act.state, act.done_count, act.lines.count()) == ("done", 7, 7)
