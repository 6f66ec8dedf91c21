from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.flows import bundle_redactions, decisions, review
from cases.models import Bundle, Case, CaseNote, Decision, LegalRequest
from cases.rules.request_checks import points_of
from cases.tasks import bring_decisions_into_effect
from kyc_portal.records.models import IdentityView
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.site import tiles_for
from tests import signing
from tests.cases.builders import (
    finish_list,
    make_bundle,
    make_case,
    make_open_account,
    make_request,
    make_signal,
    validated,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LIST = reverse("admin:cases_case_changelist")
HOSTILE = '"><script>alert(1)</script>'

SEES = {
    "cases_case": {"analyst_user", "lead_user", "counsel_user", "compliance_user", "senior_user", "auditor_user"},
    "cases_decision": {"analyst_user", "lead_user", "counsel_user", "compliance_user", "senior_user", "auditor_user"},
    "cases_legalrequest": {"counsel_user", "auditor_user"},
    "cases_bundle": {"counsel_user", "auditor_user"},
}
EVERYBODY = [
    "analyst_user", "lead_user", "counsel_user", "compliance_user", "senior_user", "auditor_user",
    "administrator_user", "reseller_desk_user", "reseller_manager_user",
]  # fmt: skip


def page(record) -> str:
    return reverse(f"admin:cases_{record._meta.model_name}_change", args=[record.pk])


def do(client, record, name, **data):
    url = reverse(f"admin:cases_{record._meta.model_name}_do", args=[record.pk, name])
    return signing.press(client, url, **data)


def queries(client, url) -> int:
    with CaptureQueriesContext(connection) as context:
        assert client.get(url).status_code == 200
    return len(context)


class TestWhoSees:
    @pytest.mark.parametrize("who", EVERYBODY)
    @pytest.mark.parametrize("kind", SEES)
    def test_lists_are_for_their_roles(self, client, request, who, kind):
        client.force_login(request.getfixturevalue(who))

        status = client.get(reverse(f"admin:{kind}_changelist")).status_code

        assert (status == 200) == (who in SEES[kind])

    def test_an_auditor_changes_nothing(self, client, auditor_user):
        case = make_case()
        client.force_login(auditor_user)

        assert "Take case" not in client.get(page(case)).content.decode()
        assert do(client, case, "take").status_code == 403

    def test_a_reviewer_sees_no_bundles_on_a_case(self, client, analyst_user):
        client.force_login(analyst_user)

        shown = client.get(page(make_case())).content.decode()

        assert 'id="bundles"' not in shown and 'id="requests"' not in shown


class TestQueue:
    def test_it_says_why_a_case_is_here(self, client, analyst_user):
        signal = make_signal()
        client.force_login(analyst_user)

        shown = client.get(LIST).content.decode()

        assert signal.sentence in shown
        assert signal.account.party.legal_name in shown

    def test_it_puts_the_most_urgent_first(self, client, analyst_user):
        light, heavy = make_case(code="expired_document"), make_case(code="confirmed_list_hit")
        client.force_login(analyst_user)

        shown = client.get(LIST).content.decode()

        assert shown.index(heavy.reference) < shown.index(light.reference)

    def test_it_leaves_out_what_is_done(self, client, analyst_user, analyst):
        case = make_case(worked_by=analyst_user)
        decisions.propose(
            case, account=case.subjects.get().account, outcome="no_action", reason="concern_cleared", by=analyst,
            at=NOON,
        )  # fmt: skip
        client.force_login(analyst_user)

        assert case.reference not in client.get(LIST).content.decode()
        assert case.reference in client.get(f"{LIST}?queue=all").content.decode()

    def test_its_filters_agree_with_the_tiles(self, client, analyst_user, lead_user, analyst):
        mine, free = make_case(worked_by=analyst_user), make_case()
        decisions.propose(
            mine, account=mine.subjects.get().account, outcome="suspend", reason="unusual_use", by=analyst, at=NOON
        )
        client.force_login(lead_user)

        found = {name: client.get(f"{LIST}?queue={name}").content.decode() for name in ("unassigned", "countersign")}
        counts = {tile.title: tile.count for tile in tiles_for(lead_user, NOON.date())}
        assert free.reference in found["unassigned"] and mine.reference not in found["unassigned"]
        assert mine.reference in found["countersign"] and free.reference not in found["countersign"]
        assert (counts["Cases nobody has"], counts["To countersign"]) == (1, 1)

    def test_nobody_is_asked_to_countersign_their_own(self, analyst_user, lead_user, lead):
        case = make_case(worked_by=lead_user)
        decisions.propose(
            case, account=case.subjects.get().account, outcome="suspend", reason="unusual_use", by=lead, at=NOON
        )

        counts = {tile.title: tile.count for tile in tiles_for(lead_user, NOON.date())}
        assert counts["To countersign"] == 0

    def test_it_costs_the_same_for_3_and_for_30(self, client, lead_user):
        client.force_login(lead_user)
        for _ in range(3):
            make_case()
        few = queries(client, LIST)
        for _ in range(27):
            make_case()

        assert queries(client, LIST) == few

    def test_it_shows_hostile_names_as_text(self, client, analyst_user):
        make_case(make_open_account(legal_name=HOSTILE))
        client.force_login(analyst_user)

        assert "<script>alert(1)" not in client.get(LIST).content.decode()


class TestCasePage:
    def test_it_costs_the_same_for_3_and_for_30_of_everything(self, client, lead_user, lead):
        case = make_case(worked_by=lead_user)
        client.force_login(lead_user)
        client.get(page(case))
        for _ in range(3):
            review.add_note(case, text="A note.", by=lead, at=NOON)
        few = queries(client, page(case))
        for _ in range(27):
            review.add_note(case, text="A note.", by=lead, at=NOON)

        assert queries(client, page(case)) == few

    def test_it_shows_notes_as_text(self, client, analyst_user, analyst):
        case = make_case()
        review.add_note(case, text=f"{HOSTILE}\n{{{{7*7}}}}", by=analyst, at=NOON)
        client.force_login(analyst_user)

        shown = client.get(page(case)).content.decode()

        assert "<script>alert(1)" not in shown
        assert "{{7*7}}" in shown

    def test_it_counts_the_look(self, client, analyst_user):
        case = make_case()
        client.force_login(analyst_user)

        client.get(page(case))

        assert IdentityView.objects.get(about_key=str(case.pk)).actor_label == "ana"

    def test_the_decision_stands_beside_in_the_order_of_deciding(self, client, lead_user):
        client.force_login(lead_user)

        shown = client.get(page(make_case())).content.decode()

        places = [shown.index(f'id="{part}"') for part in ("subject", "signals", "notes", "hits", "timeline")]
        assert places == sorted(places)
        assert shown.index("record-aside") < shown.index('id="decision"')

    def test_it_is_worked_from_taking_to_closing(self, client, analyst_user, lead_user):
        case = make_case()
        account = case.subjects.get().account
        client.force_login(analyst_user)
        do(client, case, "take")
        do(client, case, "note", text="Looked at it.")
        finish_list(case, by=analyst_user.as_actor)
        do(client, case, "propose", account=account.reference, outcome="suspend", reason="unusual_use")
        client.force_login(lead_user)
        do(client, case, "countersign")
        bring_decisions_into_effect((timezone.now() + timedelta(minutes=10)).isoformat())
        do(client, case, "close", why="decided")

        case.refresh_from_db()
        account.refresh_from_db()
        assert case.status == "closed"
        assert account.restrictions.get().level == "suspended"
        assert CaseNote.objects.count() == 1

    def test_it_says_at_the_form_why_not(self, client, lead_user, analyst_user):
        case = make_case(worked_by=analyst_user)
        client.force_login(lead_user)

        answer = do(
            client, case, "propose", account=case.subjects.get().account.reference, outcome="watch",
            reason="unusual_use",
        )  # fmt: skip

        assert "ana works it" in answer.content.decode()
        assert not Decision.objects.exists()

    def test_it_refuses_an_account_that_is_not_in_the_list(self, client, analyst_user):
        case, other = make_case(worked_by=analyst_user), make_open_account()
        client.force_login(analyst_user)

        do(client, case, "propose", account=other.reference, outcome="watch", reason="unusual_use")

        assert not Decision.objects.exists()

    def test_what_is_signed_alone_says_until_when_it_can_be_undone(self, client, analyst_user):
        case = make_case(worked_by=analyst_user)
        decisions.propose(
            case, account=case.subjects.get().account, outcome="limit", reason="unusual_use", at_once=False,
            by=analyst_user.as_actor, at=NOON,
        )  # fmt: skip
        client.force_login(analyst_user)

        for address in (page(case), f"/review/{case.reference}/"):
            shown = client.get(address).content.decode()
            assert "Signed; can be undone until 12:10 UTC." in shown and "signed, can be undone" in shown
            assert "second person" not in shown and "decision proposed" not in shown
        for address in (f"{LIST}?queue=mine", "/review/", url_of(case.subjects.get().account)):
            assert "signed, can be undone" in client.get(address).content.decode()

    def test_nobody_countersigns_their_own(self, client, lead_user, lead):
        case = make_case(worked_by=lead_user)
        decisions.propose(
            case, account=case.subjects.get().account, outcome="suspend", reason="unusual_use", by=lead, at=NOON
        )
        client.force_login(lead_user)

        answer = do(client, case, "countersign")

        assert "you cannot give the second signature" in answer.content.decode()
        assert Decision.objects.get().state == "proposed"

    def test_several_are_taken_at_once(self, client, analyst_user):
        one, two = make_case(), make_case()
        client.force_login(analyst_user)

        client.post(
            LIST, {"action": "take", "_selected_action": [one.pk, two.pk], "index": 0, "confirmed": 1}, follow=True
        )

        assert Case.objects.filter(assigned_to=analyst_user).count() == 2

    def test_a_case_is_given_to_a_colleague_by_user_name(self, client, lead_user, analyst_user):
        case = make_case()
        client.force_login(lead_user)

        unknown = do(client, case, "assign", to="nobody")
        do(client, case, "assign", to="ana")

        case.refresh_from_db()
        assert "No active member of staff" in unknown.content.decode()
        assert case.assigned_to == analyst_user


class TestLegalPages:
    def test_a_request_is_logged_validated_and_preserved(self, client, counsel_user):
        account = make_open_account()
        client.force_login(counsel_user)
        client.post(
            reverse("admin:cases_legalrequest_add"),
            {
                "accounts": account.reference.lower(), "authority": "Example Police", "authority_reference": "1",
                "ground": "preservation", "received_on": "2026-03-01",
            },
        )  # fmt: skip
        request = LegalRequest.objects.get()
        do(client, request, "validate", checked=[point.value for point in points_of("preservation")])
        do(client, request, "preserve")

        request.refresh_from_db()
        assert (request.state, request.hold is not None) == ("preserving", True)
        assert client.get(page(request)).status_code == 200

    def test_an_unknown_account_is_named(self, client, counsel_user):
        client.force_login(counsel_user)

        answer = client.post(
            reverse("admin:cases_legalrequest_add"),
            {"accounts": "ACC-0000-0000", "authority": "P", "ground": "subpoena", "received_on": "02/03/2026"},
        )

        shown = answer.content.decode()
        assert "No account has the reference “ACC-0000-0000”" in shown
        assert "received_on" in shown
        assert not LegalRequest.objects.exists()

    def test_a_bundle_is_collected_and_approved_by_another(self, client, counsel_user, second_counsel_user, counsel):
        request = make_request(ground="subpoena", by=counsel)
        case = validated(request, by=counsel, at=NOON).case
        client.force_login(counsel_user)
        do(client, case, "collect", ground="subpoena", recipient="law_enforcement")
        bundle = Bundle.objects.get()
        own = do(client, bundle, "approve", paper_seen="on")
        client.force_login(second_counsel_user)
        url = reverse("admin:cases_bundle_do", args=[bundle.pk, "approve"])
        preview = reverse("cases:preview_bundle", args=[bundle.reference])
        asked = client.get(url)
        shown = dict(asked.context["hidden"])["shown"]
        unread = do(client, bundle, "approve", shown=shown)
        unseen = do(client, bundle, "approve", shown=shown, paper_seen="on")
        client.get(preview)
        taken = bundle_redactions.redact(
            bundle, place="facts/customers, row 1, product", code="L1", reason="Privileged.", by=counsel, at=NOON
        )
        changed = do(client, bundle, "approve", shown=shown, paper_seen="on")
        bundle_redactions.undo(taken, by=counsel, at=NOON)
        do(client, bundle, "approve", shown=shown, paper_seen="on")

        bundle.refresh_from_db()
        assert "you cannot give the second signature" in own.content.decode()
        assert "I have read the subpoena" in unread.content.decode()
        assert all(each in asked.content.decode() for each in (preview, request.authority, f'value="{shown}"'))
        assert "You have not opened the preview" in unseen.content.decode()
        assert "has changed since you opened this page" in changed.content.decode()
        assert (bundle.state, bundle.approved_by) == ("approved", "cora")

    def test_a_preservation_hands_nothing_over(self, client, counsel_user):
        case = make_case()
        client.force_login(counsel_user)

        answer = do(client, case, "collect", ground="preservation", recipient="law_enforcement")

        assert "hands nothing over" in answer.content.decode()
        assert not Bundle.objects.exists()

    @pytest.mark.parametrize("kind", ["cases_legalrequest", "cases_bundle", "cases_decision"])
    def test_lists_cost_the_same_for_3_and_for_30(self, client, counsel_user, analyst_user, counsel, kind):
        def make():
            account = make_open_account()
            case = make_case(account, worked_by=analyst_user)
            decisions.propose(
                case, account=account, outcome="suspend", reason="unusual_use", by=analyst_user.as_actor, at=NOON
            )
            make_bundle(make_request(account, by=counsel).case, by=counsel)

        client.force_login(counsel_user)
        [make() for _ in range(3)]
        few = queries(client, reverse(f"admin:{kind}_changelist"))
        [make() for _ in range(27)]

        assert queries(client, reverse(f"admin:{kind}_changelist")) == few
