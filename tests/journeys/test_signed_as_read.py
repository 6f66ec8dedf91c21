"""A second signature signs what was read: who opened the page before something else was proposed is refused (R37)."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.flows import screening
from accounts.models import ScreeningHit
from cases.flows import commerce, decisions, measure_judging
from cases.models import Decision
from kyc_portal.four_eyes import PreparedAnew, digest, require_as_shown
from kyc_portal.records.refs import Actor
from resellers.flows import cip, cip_review, findings, roster_hits, termination
from tests import signing
from tests.builders import make_account, make_downstream, make_hit, make_reseller
from tests.cases.builders import make_case, make_open_account
from tests.cases.measures import BEGINS, FROM_THERE, hit_of, make_in_effect, make_measure
from tests.conftest import NOON
from tests.resellers.test_sample_pages import make_roster_hit

pytestmark = pytest.mark.django_db
FIRST, OTHER, SECOND = (Actor("person", key, key) for key in ("one", "other", "two"))
ANEW = "was prepared anew since you opened this page. Open it again and read it first."
LATER = NOON + timedelta(minutes=5)


def button(record, name: str) -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_do", args=[record.pk, name])


@pytest.mark.parametrize("shown", ["", "else", digest("SMH-1", "nots", "")])
def test_another_digest_is_refused(shown):
    require_as_shown(digest("SMH-1", "not", "s"), digest("SMH-1", "not", "s"), name="SMH-1")
    with pytest.raises(PreparedAnew, match=f"SMH-1 {ANEW}"):
        require_as_shown(shown, digest("SMH-1", "not", "s"), name="SMH-1")


class TestDecisionOfACase:
    @pytest.fixture
    def case(self, analyst_user):
        return make_case(worked_by=analyst_user)

    @pytest.fixture
    def propose(self, case, analyst):
        def make(outcome, *, at=NOON):
            account = case.subjects.get().account
            return decisions.propose(case, account=account, outcome=outcome, reason="unusual_use", by=analyst, at=at)

        return make

    @pytest.fixture
    def replaced(self, client, lead_user, analyst, case, propose):
        """A lead opened the page that asks; then the proposal was withdrawn and another made in its place."""

        def make(name):
            client.force_login(lead_user)
            first = propose("suspend")
            page = client.get(button(case, name))
            assert f"{first.reference} about" in page.content.decode()
            decisions.withdraw(first, by=analyst, at=NOON)
            return dict(page.context["hidden"]), propose("close", at=LATER)

        return make

    @pytest.mark.parametrize(("name", "more"), [("countersign", {"at_once": "on"}), ("decline", {"why": "No."})])
    def test_the_button_answers_the_one_it_showed(self, client, case, replaced, name, more):
        sent, second = replaced(name)

        refused = client.post(button(case, name), sent | more).content.decode()

        assert "was already withdrawn by" in refused
        assert Decision.objects.get(pk=second.pk).state == "proposed"
        assert client.post(button(case, name), more).status_code == 200, "a form that names nothing signs nothing"
        assert Decision.objects.get(pk=second.pk).state == "proposed"
        assert signing.press(client, button(case, name), follow=False, **more).status_code == 302
        assert Decision.objects.get(pk=second.pk).state != "proposed"

    def test_the_workspace_refuses_by_its_version(self, client, case, lead_user, analyst, propose):
        client.force_login(lead_user)
        first, page = propose("suspend"), reverse("review:case", args=[case.reference])
        shown = client.get(page).context["version"]
        decisions.withdraw(first, by=analyst, at=NOON)
        second = propose("close", at=LATER)

        refused = client.post(f"{page}countersign/", {"version": shown, "at_once": "on"})

        assert refused.status_code == 409
        assert Decision.objects.get(pk=second.pk).state == "proposed"


class TestMeasures:
    def test_a_judgement_that_was_overwritten(self):
        account = make_open_account(addresses=FROM_THERE)
        hit = hit_of(make_measure(), account)
        judged = {"judgement": "not", "by": FIRST, "at": NOON}
        old = measure_judging.digest_of(measure_judging.judge(hit, why="not_located", **judged))
        hit = measure_judging.judge(hit, why="another", **judged)

        with pytest.raises(PreparedAnew, match=ANEW):
            measure_judging.agree(hit, shown=old, by=SECOND, at=NOON)
        shown = measure_judging.digest_of(hit)
        assert measure_judging.agree(hit, shown=shown, by=SECOND, at=NOON).judgement == "not"

    @pytest.mark.parametrize("answer", [measure_judging.agree_override, measure_judging.decline_override])
    def test_an_override_in_the_place_of_another(self, answer):
        account = make_open_account(addresses=FROM_THERE)
        hit = hit_of(make_in_effect(), account)
        days = {"from_on": BEGINS, "to_on": BEGINS + timedelta(days=9)}
        first = measure_judging.propose_override(hit, ground="safety", **days, by=FIRST, at=NOON)
        measure_judging.decline_override(hit, shown=first.reference, by=FIRST, at=NOON)
        second = measure_judging.propose_override(hit, ground="wind_down", **days, by=FIRST, at=NOON)

        for old in (first.reference, ""):
            with pytest.raises(PreparedAnew, match=ANEW):
                answer(hit, shown=old, by=SECOND, at=NOON)
        assert answer(hit, shown=second.reference, by=SECOND, at=NOON).pk == second.pk


class TestHits:
    @pytest.mark.parametrize(
        ("flows", "make"),
        [
            (screening, lambda: make_hit(make_account().party)),
            (roster_hits, lambda: make_roster_hit(make_reseller())),
        ],
        ids=["of a party", "of a reseller's customer"],
    )
    @pytest.mark.parametrize("anew", [{"is_match": False}, {"reason": "The name."}, {"by": OTHER}])
    def test_a_judgement_proposed_anew(self, flows, make, anew):
        given = {"is_match": True, "reason": "The day.", "by": FIRST, "at": NOON}
        hit = flows.propose_judgement(make(), **given)
        old = flows.digest_of(hit)
        flows.second_judgement(hit, agrees=False, by=FIRST, at=NOON)
        hit = flows.propose_judgement(hit, **given | anew)

        with pytest.raises(PreparedAnew, match=ANEW):
            flows.second_judgement(hit, agrees=True, shown=old, by=SECOND, at=NOON)
        judged = flows.second_judgement(hit, agrees=True, shown=flows.digest_of(hit), by=SECOND, at=NOON)
        assert judged.status in ("confirmed", "dismissed")

    def test_of_many_at_once_each_is_signed_as_it_stood_on_the_page(self, client, lead_user, analyst):
        kept, changed = (make_hit(make_account().party) for _ in range(2))
        for hit in (kept, changed):
            screening.propose_judgement(hit, is_match=True, reason="The day.", by=analyst, at=NOON)
        client.force_login(lead_user)
        url = reverse("admin:accounts_screeninghit_changelist")
        chosen = {"action": "agree", "index": "0", "_selected_action": [str(kept.pk), str(changed.pk)]}
        page = client.post(url, chosen)
        assert page.content.decode().count("by ana: The day.") == 2
        carried = {name: value for name, value in page.context["hidden"] if name.startswith("shown_")}
        screening.second_judgement(changed, agrees=False, by=analyst, at=NOON)
        screening.propose_judgement(changed, is_match=False, reason="Another man.", by=analyst, at=NOON)

        bare = client.post(url, {**chosen, "confirmed": "1"}, follow=True).content.decode()
        assert bare.count("was prepared anew since you opened this page") == 2
        told = client.post(url, {**chosen, **carried, "confirmed": "1"}, follow=True).content.decode()

        assert f"{changed.reference} was prepared anew since you opened this page" in told
        assert "done for 1 of 2" in told
        states = [ScreeningHit.objects.get(pk=each.pk).status for each in (kept, changed)]
        assert states == ["confirmed", "dismiss_proposed"]


class TestResellers:
    def test_a_decision_on_a_cip(self):
        handed_in = cip.submit_cip(make_reseller(), title="New", text="New words.", by=OTHER, at=NOON)
        cip_review.begin(handed_in, by=FIRST, at=NOON)
        proposal = {"decision": "reject", "by": FIRST, "at": NOON}
        old = cip_review.digest_of(cip_review.propose(handed_in, reason="A recipe.", **proposal))
        cip_review.send_back(handed_in, by=FIRST, at=NOON)
        code = "screening"
        cip_review.judge(handed_in, requirement=code, verdict="gap", words="How?", by=FIRST, at=NOON)
        handed_in = cip_review.propose(handed_in, reason="A recipe.", **proposal)

        with pytest.raises(PreparedAnew, match=ANEW):
            cip_review.agree(handed_in, shown=old, by=SECOND, at=NOON)
        shown = cip_review.digest_of(handed_in)
        assert cip_review.agree(handed_in, shown=shown, by=SECOND, at=NOON).status == "rejected"

    @pytest.mark.parametrize("why", ["All were looked at.", "Half were looked at."])
    def test_a_cure_after_another_plan_or_for_another_reason(self, why):
        finding = findings.record_finding(
            make_reseller(), kind="not_carried_out", source="sample", evidence="Two of ten.", demand="Verify.",
            knowledge_at=NOON, by=FIRST, at=NOON,
        )  # fmt: skip
        findings.plan_cure(finding, plan="By Friday.", by=FIRST, at=NOON)
        finding = findings.propose_cure(finding, why="All were looked at.", by=FIRST, at=NOON)
        old = findings.digest_of(finding)
        findings.send_back(finding, by=FIRST, at=NOON)
        findings.plan_cure(finding, plan="Some day.", by=FIRST, at=LATER)
        finding = findings.propose_cure(finding, why=why, by=FIRST, at=LATER)

        with pytest.raises(PreparedAnew, match=ANEW):
            findings.accept_cure(finding, shown=old, by=SECOND, at=LATER)
        assert findings.accept_cure(finding, shown=findings.digest_of(finding), by=SECOND, at=LATER).state == "cured"

    @pytest.mark.parametrize("is_for_all", [True, False])
    def test_an_end_for_whose_customers_something_else_was_chosen(self, is_for_all):
        reseller = make_reseller()
        make_downstream(reseller)
        given = {"reason": "not_compliant", "words": "They refuse.", "outcome": "direct", "by": FIRST, "at": NOON}
        row = termination.propose(reseller, **given)
        old, steps = termination.digest_of(row), None if is_for_all else [row.steps.first().pk]
        termination.choose(row, outcome="suspend", steps=steps, by=OTHER, at=NOON)
        row.refresh_from_db()

        with pytest.raises(PreparedAnew, match=ANEW):
            termination.agree(row, shown=old, by=SECOND, at=NOON)
        shown = termination.digest_of(row)
        assert termination.agree(row, shown=shown, by=SECOND, at=NOON).state == "under_way"


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_proof_shown_to_commerce_anew(is_proven):
    review = commerce.log_review(kind="assessment", about="Our form", opened_on=NOON.date(), by=FIRST, at=NOON)
    remedy = commerce.recommend(review, action="Train", owner="Ana", due_on=NOON.date(), by=FIRST, at=NOON)
    commerce.show(remedy, evidence="TRN-7", by=FIRST, at=NOON)
    old = commerce.digest_of(review)
    commerce.judge(remedy, is_proven=False, shown=old, by=OTHER, at=NOON)
    commerce.show(remedy, evidence="TRN-8", by=FIRST, at=LATER)

    with pytest.raises(PreparedAnew, match=ANEW):
        commerce.judge(remedy, is_proven=is_proven, shown=old, by=SECOND, at=LATER)
    commerce.judge(remedy, is_proven=is_proven, shown=commerce.digest_of(review), by=SECOND, at=LATER)
    remedy.refresh_from_db()
    assert remedy.state == ("proven" if is_proven else "open")
