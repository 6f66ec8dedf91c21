from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account
from cases import tasks
from cases.flows import legal_requests, review
from cases.models import Bundle, Case, LegalRequest
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.policy.models import Deadline
from kyc_portal.records import holds
from kyc_portal.records.models import AuditEvent, LegalHold
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_party
from tests.cases.builders import make_open_account, make_request, validated
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
NEW_YEAR = datetime(2027, 1, 1, 9, tzinfo=UTC)


def preserved(counsel, *, received_on=date(2027, 1, 1), at=NEW_YEAR) -> LegalRequest:
    request = make_request(by=counsel, received_on=received_on, at=at)
    validated(request, by=counsel, at=at)
    return legal_requests.preserve(request, by=counsel, at=at)


class TestLogRequest:
    def test_it_opens_a_legal_case_on_the_accounts(self, counsel):
        one, two = make_open_account(), make_open_account()

        request = make_request(one, two, by=counsel)

        assert (request.state, request.case.kind, request.case.title) == ("received", "legal", "Preservation request")
        assert {subject.account for subject in request.case.subjects.all()} == {one, two}

    def test_it_joins_the_open_legal_case_of_the_same_accounts(self, counsel):
        account = make_open_account()

        assert make_request(account, by=counsel).case == make_request(account, ground="subpoena", by=counsel).case

    def test_it_never_mixes_what_two_authorities_may_know(self, counsel):
        account = make_open_account()
        first = make_request(account, by=counsel)

        second = make_request(account, make_open_account(), by=counsel)

        assert second.case != first.case

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"ground": "curiosity"}, "no such ground"),
            ({"received_on": date(2026, 3, 3)}, "that day has not come"),
        ],
    )
    def test_it_refuses(self, counsel, changes, fault):
        with pytest.raises(legal_requests.BadRequest, match=fault):
            make_request(by=counsel, **changes)

    def test_it_names_no_authority_in_the_trail(self, counsel):
        request = make_request(by=counsel)

        assert "Example Police" not in request.case.title


class TestReject:
    @pytest.mark.parametrize("in_order", [False, True])
    def test_it_ends_a_request_that_is_not_followed(self, counsel, in_order):
        request = make_request(by=counsel)
        if in_order:
            validated(request, by=counsel, at=NOON)

        rejected = legal_requests.reject(request, why="defective", by=counsel, at=NOON)

        event = AuditEvent.objects.get(verb="cases.request_rejected")
        assert (rejected.state, rejected.rejected_why) == ("rejected", "defective")
        assert (event.actor_label, event.facts["why"]) == ("carl", "defective")
        assert not LegalRequest.objects.to_act_on().exists()

    def test_its_case_can_be_closed(self, counsel):
        request = legal_requests.reject(make_request(by=counsel), why="not_authentic", by=counsel, at=NOON)

        assert review.close_case(request.case, why="rejected", by=counsel, at=NOON).status == "closed"

    def test_it_refuses_a_reason_that_is_not_listed(self, counsel):
        with pytest.raises(legal_requests.BadRequest, match="no such reason"):
            legal_requests.reject(make_request(by=counsel), why="no time", by=counsel, at=NOON)

    def test_it_refuses_what_preserves_already(self, counsel):
        with pytest.raises(MoveNotAllowed):
            legal_requests.reject(preserved(counsel), why="defective", by=counsel, at=NEW_YEAR)

    def test_what_is_rejected_is_not_validated_again(self, counsel):
        request = legal_requests.reject(make_request(by=counsel), why="taken_back", by=counsel, at=NOON)

        with pytest.raises(MoveNotAllowed, match="last state"):
            validated(request, by=counsel, at=NOON)

    def test_the_database_knows_the_states(self, counsel):
        request = make_request(by=counsel)

        with pytest.raises(IntegrityError), transaction.atomic():
            LegalRequest.objects.filter(pk=request.pk).update(state="forgotten")


class TestPreserve:
    def test_t31_preservation_1_jan_2027_holds_to_1_apr(self, counsel):
        assert preserved(counsel).preserve_through == date(2027, 4, 1)

    def test_t31_renewed_once_it_holds_to_30_jun(self, counsel):
        request = preserved(counsel)

        renewed = legal_requests.renew_preservation(request, by=counsel, at=NEW_YEAR + timedelta(days=80))

        clock = Deadline.objects.running().get(key=str(request.pk), kind="preservation")
        assert (renewed.state, renewed.preserve_through) == ("renewed", date(2027, 6, 30))
        assert (clock.due_on, clock.standing) == (date(2027, 6, 30), "in_force")
        assert LegalHold.objects.get().until == date(2027, 6, 30)

    def test_it_is_renewed_once(self, counsel):
        request = preserved(counsel)
        legal_requests.renew_preservation(request, by=counsel, at=NEW_YEAR)

        with pytest.raises(MoveNotAllowed):
            legal_requests.renew_preservation(request, by=counsel, at=NEW_YEAR)

    def test_it_holds_account_customer_and_case(self, counsel):
        request = preserved(counsel)

        account = Account.objects.get()
        held = {(row.label, row.key) for row in holds.held_records([account, account.party, request.case])}
        assert held == {
            ("accounts.account", str(account.pk)),
            ("accounts.party", str(account.party_id)),
            ("cases.case", str(request.case_id)),
        }

    def test_it_holds_whoever_stands_behind_the_customer(self, counsel, monkeypatch):
        owner = make_party()
        account = make_open_account(kind="entity", legal_name="Example Works GmbH", citizenship="", birth_date=None)
        account.party.stakes_in_it.create(owner=owner, percent=60)
        request = make_request(account, by=counsel)

        legal_requests.preserve(validated(request, by=counsel, at=NOON), by=counsel, at=NOON)

        assert holds.why_held([owner])

    def test_it_hands_nothing_over(self, counsel):
        preserved(counsel)

        assert not Bundle.objects.exists()

    def test_it_must_be_validated_first(self, counsel):
        with pytest.raises(MoveNotAllowed):
            legal_requests.preserve(make_request(by=counsel), by=counsel, at=NOON)

    def test_it_cannot_be_renewed_after_its_end(self, counsel):
        request = preserved(counsel)

        with pytest.raises(legal_requests.PreservationOver, match="2027-04-01"):
            legal_requests.renew_preservation(request, by=counsel, at=NEW_YEAR + timedelta(days=91))


class TestLapse:
    def test_t31_it_holds_on_its_last_day(self, counsel):
        preserved(counsel)

        legal_requests.lapse_preservations(on=date(2027, 4, 1), by=SCHEDULER, at=NEW_YEAR + timedelta(days=90))

        assert LegalHold.objects.in_force().exists()

    def test_t31_it_lets_go_the_day_after(self, counsel):
        request = preserved(counsel)

        told = legal_requests.lapse_preservations(on=date(2027, 4, 2), by=SCHEDULER, at=NEW_YEAR + timedelta(days=91))

        request.refresh_from_db()
        assert (request.state, told) == ("lapsed", {"done": 1, "failed": 0})
        assert not LegalHold.objects.in_force().exists()
        assert not Deadline.objects.running().filter(key=str(request.pk)).exists()

    def test_it_may_run_twice(self, counsel):
        preserved(counsel)
        for _ in range(2):
            tasks.lapse_preservations(at="2027-04-02T02:10:00+00:00")

        assert LegalRequest.objects.get().state == "lapsed"

    def test_it_copes_with_a_hold_somebody_released(self, counsel):
        request = preserved(counsel)
        holds.release_hold(request.hold, reason="asked by the authority", by=counsel, at=NEW_YEAR)

        told = legal_requests.lapse_preservations(on=date(2027, 4, 2), by=SCHEDULER, at=NEW_YEAR)

        assert told["failed"] == 0

    def test_served_process_keeps_the_hold(self, counsel):
        request = preserved(counsel)

        served = legal_requests.serve_process(request, ground="subpoena", by=counsel, at=NEW_YEAR)
        legal_requests.lapse_preservations(on=date(2028, 1, 1), by=SCHEDULER, at=NEW_YEAR)

        assert (served.state, served.ground) == ("process_served", "subpoena")
        assert LegalHold.objects.in_force().exists()
        assert Case.objects.get().kind == "legal"
