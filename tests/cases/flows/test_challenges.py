"""Scope, checklist, challenge, several holds on one record, backup copies, lawful grounds (R111-R113)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import AccessRecord
from cases.flows import backup_copies, bundles, challenges, legal_requests, standing, voluntary
from cases.models import Bundle, BundleItem
from cases.rules.request_checks import NotChecked, points_of
from cases.rules.scope import BadScope
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.policy.models import Deadline
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import approve_seen, make_open_account, make_request, put_on_file, validated
from tests.cases.flows.test_bundles import make_full_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def asked(counsel):
    """A validated subpoena about a full account."""

    def ask(account=None, **scope):
        request = legal_requests.log_request(
            accounts=[account or make_full_account(legal_name="Paula Person")], authority="Example Court",
            authority_reference="7", ground="subpoena", received_on=NOON.date(), **scope, by=counsel, at=NOON,
        )  # fmt: skip
        return validated(request, by=counsel)

    return ask


def collect(request, by) -> Bundle:
    return bundles.collect(request.case, ground=request.ground, recipient="court", by=by, at=NOON)


class TestValidate:
    def test_it_keeps_who_checked_what(self, asked):
        request = asked()

        checked = request.checks.values_list("point", "checked_by")
        assert set(checked) == {(point.value, "carl") for point in points_of("subpoena")}

    def test_it_refuses_a_gap_and_changes_nothing(self, counsel):
        request = make_request(ground="subpoena", by=counsel)

        with pytest.raises(NotChecked, match="It is signed, dated and complete"):
            legal_requests.validate(
                request, checked=[point for point in points_of("subpoena") if point != "formal"], by=counsel, at=NOON
            )

        request.refresh_from_db()
        assert (request.state, request.checks.count()) == ("received", 0)


class TestScope:
    def test_only_the_kinds_asked_for_are_collected(self, asked, counsel):
        bundle = collect(asked(kinds=["access"]), counsel)

        assert set(bundle.items.values_list("data_class", flat=True)) == {"access", "custody", "audit"}

    @pytest.mark.parametrize(
        ("from_on", "through_on", "count"),
        [(None, date(2026, 3, 1), 0), (date(2026, 3, 2), date(2026, 3, 2), 1), (date(2026, 3, 3), None, 0)],
    )
    def test_only_the_days_asked_for_are_collected(self, asked, counsel, from_on, through_on, count):
        bundle = collect(asked(from_on=from_on, through_on=through_on), counsel)

        assert bundle.items.filter(data_class="access").count() == count

    def test_of_a_batch_only_the_records_of_these_days_go_into_the_file(self, asked, counsel, second_counsel):
        account = make_full_account(legal_name="Paula Person")
        first, last = AccessRecord.objects.order_by("at")
        AccessRecord.objects.filter(pk=last.pk).update(at=NOON - timedelta(days=9), event_id="OUTOFSCOPE")
        bundle = collect(asked(account, from_on=NOON.date()), counsel)
        built = bundles.build(approve_seen(bundle, by=second_counsel, at=NOON), by=SCHEDULER, at=LATER)

        written = (bundles.folder_of(built) / "data/access/records.jsonl").read_text()
        assert first.event_id in written and "OUTOFSCOPE" not in written

    def test_several_requests_on_one_ground_must_be_told_apart(self, asked, counsel):
        first = asked(kinds=["access"])
        second = put_on_file(first.case, ground="subpoena")

        with pytest.raises(legal_requests.SeveralRequests, match="Choose one of them"):
            collect(first, counsel)

        made = bundles.collect(
            first.case, ground="subpoena", recipient="court", named=first.reference, by=counsel, at=NOON
        )
        assert made.request == first and second.bundles.count() == 0

    def test_a_scope_that_cannot_be_leaves_nothing(self, counsel):
        with pytest.raises(BadScope):
            legal_requests.log_request(
                accounts=[make_open_account()], authority="A", authority_reference="", ground="subpoena",
                received_on=NOON.date(), kinds=["gossip"], by=counsel, at=NOON,
            )  # fmt: skip


@pytest.fixture
def challenged(counsel):
    def challenge(request):
        return challenges.challenge(request, by_whom="us", why="too_broad", docket="26-1", by=counsel, at=NOON)

    return challenge


class TestChallenge:
    def test_it_stops_collecting(self, asked, challenged, counsel):
        request = asked()
        challenged(request)

        with pytest.raises(legal_requests.NotOnFile, match="subpoena, challenged"):
            collect(request, counsel)

    def test_it_stops_approval(self, asked, challenged, counsel, second_counsel):
        request = asked()
        bundle = collect(request, counsel)
        challenged(request)

        with pytest.raises(standing.StandsStill, match="is challenged"):
            approve_seen(bundle, by=second_counsel, at=NOON)

    def test_between_approval_and_build_it_stops_the_build_until_it_ends(
        self, asked, challenged, counsel, second_counsel
    ):
        request = asked()
        bundle = approve_seen(collect(request, counsel), by=second_counsel, at=NOON)
        running = challenged(request)

        assert bundles.build_approved(by=SCHEDULER, at=LATER) == {"done": 0, "failed": 0}
        with pytest.raises(standing.StandsStill):
            bundles.build(bundle, by=SCHEDULER, at=LATER)
        bundle.refresh_from_db()
        assert bundle.state == "approved"

        challenges.end(running, outcome="upheld", by=counsel, at=LATER)
        assert bundles.build_approved(by=SCHEDULER, at=LATER) == {"done": 1, "failed": 0}

    def test_while_the_files_are_written_it_still_stops_the_build(
        self, asked, challenged, counsel, second_counsel, monkeypatch
    ):
        request = asked()
        bundle = approve_seen(collect(request, counsel), by=second_counsel, at=NOON)
        write = bundles._write

        def challenged_meanwhile(*args, **kwargs):
            summary = write(*args, **kwargs)
            challenged(request)
            return summary

        monkeypatch.setattr(bundles, "_write", challenged_meanwhile)
        with pytest.raises(standing.StandsStill):
            bundles.build(bundle, by=SCHEDULER, at=LATER)

        bundle.refresh_from_db()
        assert bundle.state == "failed" and not (bundles.settings.BUNDLE_DIR / bundle.reference).exists()

    def test_it_stops_handing_over_and_taking_the_file(self, asked, challenged, counsel, second_counsel, tmp_path):
        request = asked()
        bundle = approve_seen(collect(request, counsel), by=second_counsel, at=NOON)
        bundle = bundles.build(bundle, by=SCHEDULER, at=LATER)
        challenged(request)

        for act in (bundles.hand_over, bundles.note_download):
            with pytest.raises(standing.StandsStill):
                act(bundle, by=counsel, at=LATER)
        with pytest.raises(standing.StandsStill):
            bundles.export(bundle, tmp_path, by=counsel, at=LATER)
        assert not (tmp_path / bundle.reference).exists()

    def test_nothing_else_moves_it_on(self, asked, challenged, counsel):
        request = asked()
        challenged(request)

        for act in (
            lambda: validated(request, by=counsel),
            lambda: legal_requests.serve_process(request, ground="subpoena", by=counsel, at=NOON),
            lambda: legal_requests.reject(request, why="defective", by=counsel, at=NOON),
        ):
            with pytest.raises(MoveNotAllowed):
                act()

    def test_a_preservation_does_not_lapse_while_it_runs(self, counsel, challenged):
        request = validated(make_request(by=counsel), by=counsel)
        legal_requests.preserve(request, by=counsel, at=NOON)
        running = challenged(request)

        legal_requests.lapse_preservations(on=date(2027, 1, 1), by=SCHEDULER, at=NOON)
        assert len(holds.why_held([request.case])) == 2

        challenges.end(running, outcome="withdrawn", by=counsel, at=NOON)
        request.refresh_from_db()
        assert (request.state, len(holds.why_held([request.case]))) == ("preserving", 1)

    def test_narrowed_it_sets_aside_what_waited_and_collects_within_the_new_scope(
        self, asked, challenged, counsel, second_counsel
    ):
        request = asked()
        approved = approve_seen(collect(request, counsel), by=second_counsel, at=NOON)
        running = challenged(request)

        challenges.end(running, outcome="narrowed", kinds=["subscriber"], by=counsel, at=NOON)

        approved.refresh_from_db()
        request.refresh_from_db()
        assert (approved.state, request.state) == ("draft", "validated")
        assert not collect(request, counsel).items.filter(data_class="access").exists()

    def test_narrowed_after_the_build_the_old_bundle_is_not_handed_over(
        self, asked, challenged, counsel, second_counsel
    ):
        request = asked()
        bundle = approve_seen(collect(request, counsel), by=second_counsel, at=NOON)
        bundle = bundles.build(bundle, by=SCHEDULER, at=LATER)
        challenges.end(challenged(request), outcome="narrowed", kinds=["subscriber"], by=counsel, at=NOON)

        with pytest.raises(standing.StandsStill, match="narrowed since"):
            bundles.hand_over(bundle, by=counsel, at=LATER)

    @pytest.mark.parametrize("scope", [{}, {"kinds": ["risk"]}, {"from_on": date(2026, 1, 1)}])
    def test_it_is_narrowed_to_less_only(self, asked, challenged, counsel, scope):
        running = challenged(asked(kinds=["access"], from_on=date(2026, 2, 1)))

        with pytest.raises(BadScope, match="ask for less"):
            challenges.end(running, outcome="narrowed", **scope, by=counsel, at=NOON)

    def test_quashed_it_falls_and_only_its_own_holds_end(self, counsel, challenged):
        account = make_open_account()
        first, second = (validated(make_request(account, by=counsel), by=counsel) for _ in range(2))
        first = legal_requests.preserve(first, by=counsel, at=NOON)
        second = legal_requests.preserve(second, by=counsel, at=NOON)

        challenges.end(challenged(first), outcome="quashed", by=counsel, at=NOON)

        first.refresh_from_db()
        assert (first.state, first.rejected_why) == ("rejected", "quashed")
        assert [row.hold for row in holds.held_records([account])] == [second.hold]
        assert not Deadline.objects.running().filter(key=str(first.pk)).exists()

    def test_it_ends_once(self, asked, challenged, counsel):
        running = challenged(asked())
        challenges.end(running, outcome="upheld", by=counsel, at=NOON)

        with pytest.raises(challenges.ChallengeOver):
            challenges.end(running, outcome="quashed", by=counsel, at=NOON)


class TestSeveralReasons:
    def test_releasing_one_hold_leaves_the_others(self, counsel):
        account = make_open_account()
        for reason, ground in (("litigation", "Doe v. Us"), ("investigation", "EP-1")):
            holds.place_hold([account], reason=reason, ground=ground, by=counsel, at=NOON)
        one, other = (row.hold for row in holds.held_records([account]).order_by("hold__placed_at", "hold__pk"))

        holds.release_hold(one, reason="settled", by=counsel, at=NOON)

        assert [row.hold for row in holds.held_records([account])] == [other]
        assert len(holds.why_held([account])) == 1


class TestBackupCopy:
    @pytest.fixture
    def copy(self, counsel):
        friday = datetime(2026, 2, 27, 12, tzinfo=UTC)
        request = make_request(ground="backup_order", received_on=friday.date(), by=counsel)
        return backup_copies.take_in(validated(request, by=counsel), by=counsel, at=NOON)

    def test_r112_it_is_due_two_business_days_after_the_order_came(self, copy):
        clock = Deadline.objects.running().get(key=str(copy.pk))

        assert (copy.due_on, clock.due_on, clock.standing) == (date(2026, 3, 3), date(2026, 3, 3), "in_force")
        assert holds.why_held([copy.request.case])

    def test_r112_it_is_not_let_go_before_fourteen_days_after_the_notice(self, copy, counsel):
        backup_copies.made(copy, sha256="ab" * 32, by=counsel, at=NOON)
        backup_copies.confirm(copy, by=counsel, at=NOON)
        with pytest.raises(backup_copies.TooSoon, match="not on file"):
            backup_copies.release(copy, why="delivered", by=counsel, at=NOON)
        noted = backup_copies.note_notice(copy, noticed_on=NOON.date(), by=counsel, at=NOON)
        assert noted.not_before == date(2026, 3, 16)
        with pytest.raises(backup_copies.TooSoon, match="2026-03-16"):
            backup_copies.release(copy, why="delivered", by=counsel, at=NOON + timedelta(days=13))

        gone = backup_copies.release(copy, why="delivered", by=counsel, at=NOON + timedelta(days=14))

        assert gone.state == "released" and not holds.why_held([copy.request.case])
        assert not Deadline.objects.running().filter(key=str(copy.pk)).exists()

    def test_it_is_kept_while_the_order_is_challenged(self, copy, counsel, challenged):
        backup_copies.made(copy, sha256="ab" * 32, by=counsel, at=NOON)
        backup_copies.confirm(copy, by=counsel, at=NOON)
        backup_copies.note_notice(copy, noticed_on=NOON.date(), by=counsel, at=NOON)
        challenged(copy.request)

        with pytest.raises(backup_copies.TooSoon, match="challenged"):
            backup_copies.release(copy, why="ended", by=counsel, at=NOON + timedelta(days=30))

    def test_another_request_orders_no_copy(self, counsel):
        with pytest.raises(backup_copies.NotOrdered):
            backup_copies.take_in(validated(make_request(by=counsel), by=counsel), by=counsel, at=NOON)

    def test_it_hands_nothing_over(self, copy, counsel):
        with pytest.raises(bundles.Refusal, match="hands nothing over"):
            bundles.collect(copy.request.case, ground="backup_order", recipient="court", by=counsel, at=NOON)

    @pytest.mark.parametrize("sha256", ["", "xyz", "ab" * 31])
    def test_it_wants_the_hash_of_the_copy(self, copy, counsel, sha256):
        with pytest.raises(backup_copies.BadBackup, match="64 hex digits"):
            backup_copies.made(copy, sha256=sha256, by=counsel, at=NOON)


class TestVoluntaryDisclosure:
    @pytest.fixture
    def case(self, counsel):
        return validated(make_request(make_full_account(), ground="emergency", by=counsel), by=counsel).case

    def emergency(self, case, by):
        return bundles.collect(case, ground="emergency", recipient="law_enforcement", by=by, at=NOON)

    def test_r113_nothing_is_collected_before_a_ground_is_approved_by_a_second_person(
        self, case, counsel, second_counsel
    ):
        with pytest.raises(standing.NoLawfulGround, match="who is in danger"):
            self.emergency(case, counsel)
        chosen = voluntary.propose(case, ground="emergency", facts="Police fear for a child.", by=counsel, at=NOON)
        with pytest.raises(standing.NoLawfulGround):
            self.emergency(case, counsel)
        with pytest.raises(SecondPersonNeeded):
            voluntary.approve(chosen, by=counsel, at=NOON)

        voluntary.approve(chosen, by=second_counsel, at=NOON)

        bundle = self.emergency(case, counsel)
        assert (bundle.voluntary, bundle.request.case) == (chosen, case)
        assert BundleItem.objects.filter(bundle=bundle, data_class="access").exists()

    def test_withdrawn_it_carries_nothing_any_more(self, case, counsel, second_counsel):
        chosen = voluntary.propose(case, ground="emergency", facts="Fear for a child.", by=counsel, at=NOON)
        voluntary.approve(chosen, by=second_counsel, at=NOON)
        bundle = self.emergency(case, counsel)

        voluntary.withdraw(chosen, by=counsel, at=NOON)

        with pytest.raises(standing.StandsStill, match="withdrawn"):
            approve_seen(bundle, by=second_counsel, at=NOON)

    @pytest.mark.parametrize(("ground", "facts"), [("subpoena", "Yes."), ("curiosity", "Yes."), ("emergency", " ")])
    def test_it_wants_a_ground_of_the_list_and_facts_in_words(self, case, counsel, ground, facts):
        with pytest.raises(bundles.Refusal):
            voluntary.propose(case, ground=ground, facts=facts, by=counsel, at=NOON)

    def test_its_facts_are_sealed_and_not_in_the_trail(self, case, counsel):
        chosen = voluntary.propose(case, ground="emergency", facts="Fear for Casey.", by=counsel, at=NOON)

        chosen.refresh_from_db()
        assert (str(chosen.facts), chosen.facts.reveal()) == ("••••••", "Fear for Casey.")
        assert "Casey" not in str(list(AuditEvent.objects.values_list("facts", flat=True)))
