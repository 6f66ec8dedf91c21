"""A failing of a reseller from the moment it is known to its cure, or past its last day (R58, R59, T30)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.flows.texts import BadField
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor
from kyc_portal.staff.templatetags.marks import clock_tone
from resellers.flows import file, findings, onboarding
from resellers.models import Finding
from resellers.rules.findings import FindingState
from tests import signing
from tests.builders import make_open_account, make_reseller
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
RITA, CARLA = (Actor("person", name, name) for name in ("rita", "carla"))


def record(reseller, *, knowledge_at=NOON, at=NOON, by=RITA, **changes) -> Finding:
    given = {
        "kind": "not_carried_out", "source": "sample", "evidence": "Two of ten files hold no document.",
        "demand": "Verify every customer with a document.", "knowledge_at": knowledge_at,
    }  # fmt: skip
    return findings.record_finding(reseller, **{**given, **changes}, by=by, at=at)


class TestRecord:
    def test_r58_it_keeps_evidence_source_and_the_moment_of_knowledge(self):
        known = NOON - timedelta(hours=5)
        reseller = make_reseller(at=NOON - timedelta(days=30))

        finding = record(reseller, knowledge_at=known)

        stored = Finding.objects.get(pk=finding.pk)
        assert (stored.knowledge_at, stored.source, str(stored.evidence)) == (known, "sample", "••••••")
        assert stored.evidence.reveal() == "Two of ten files hold no document."
        assert (clocks_of(finding).get().due_on, finding.citation.standing) == (finding.due_on, "proposed")
        event = AuditEvent.objects.get(verb="resellers.finding.recorded")
        assert event.facts["kind"] == "not_carried_out" and "document" not in str(event.facts)

    def test_t30_the_thirtieth_day_is_the_last_good_one(self):
        known = datetime(2026, 6, 1, 12, tzinfo=UTC)
        reseller = make_reseller(at=known - timedelta(days=60))

        finding = record(reseller, knowledge_at=known, at=known)

        assert finding.due_on == date(2026, 7, 1)
        assert file.standing_of(reseller, on=date(2026, 7, 1)).may_sell
        (why,) = file.standing_of(reseller, on=date(2026, 7, 2)).reasons
        assert why.startswith(
            f"{finding.reference} was not cured by 2026-07-01, its last day (15 CFR 7.303 (89 FR 5698) (proposed))."
        )
        assert [clock_tone(finding.due_on, date(2026, 7, day)) for day in (1, 2)] == ["warning", "danger"]
        assert list(Finding.objects.overdue(date(2026, 7, 1))) == []
        assert list(Finding.objects.overdue(date(2026, 7, 2))) == [finding]

    def test_past_its_last_day_it_brings_no_customers(self):
        reseller = make_reseller(at=NOON)
        finding = record(reseller)
        late = NOON + timedelta(days=31)

        with pytest.raises(onboarding.NoReseller, match=finding.reference):
            onboarding.add_downstream(reseller, account=make_open_account(), by=RITA, at=late)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"kind": "rude"}, "Kind"),
            ({"source": " "}, "Source is empty"),
            ({"evidence": "\n"}, "Evidence is empty"),
            ({"demand": ""}, "What it must do is empty"),
            ({"knowledge_at": NOON + timedelta(minutes=1)}, "lies in the future"),
            ({"knowledge_at": None}, "or is empty"),
            ({"knowledge_at": NOON - timedelta(days=1)}, "became a reseller"),
            ({"evidence": "a\x00b"}, "NUL"),
        ],
    )
    def test_what_cannot_be_is_refused_and_starts_no_clock(self, changes, says):
        reseller = make_reseller()
        with pytest.raises(BadField, match=says):
            record(reseller, **changes)

        assert not Finding.objects.exists() and not clocks_of(reseller).exists()


class TestCure:
    def test_r59_a_plan_a_proposal_and_a_second_signature_cure_it(self):
        finding = record(make_reseller())

        findings.plan_cure(finding, plan="We look at all of them by Friday.", by=RITA, at=NOON)
        finding = findings.propose_cure(finding, why="Ten new samples are in order.", by=RITA, at=NOON)
        with pytest.raises(SecondPersonNeeded):
            findings.accept_cure(finding, shown=findings.digest_of(finding), by=RITA, at=NOON)
        findings.accept_cure(finding, shown=findings.digest_of(finding), by=CARLA, at=NOON + timedelta(days=3))

        finding.refresh_from_db()
        assert (finding.state, finding.ended_by) == (FindingState.CURED, "carla")
        assert not clocks_of(finding).exists()
        assert file.standing_of(finding.reseller, on=NOON.date() + timedelta(days=90)).may_sell

    def test_a_plan_alone_does_not_stop_the_clock(self):
        finding = record(make_reseller())
        findings.plan_cure(finding, plan="Soon.", by=RITA, at=NOON)

        assert clocks_of(finding).get().due_on == finding.due_on
        assert not file.standing_of(finding.reseller, on=finding.due_on + timedelta(days=1)).may_sell

    @pytest.mark.parametrize("plan", ["", "We will."])
    def test_who_is_not_convinced_sends_it_back_to_where_it_was(self, plan):
        finding = record(make_reseller())
        if plan:
            findings.plan_cure(finding, plan=plan, by=RITA, at=NOON)
        finding = findings.propose_cure(finding, why="They say so.", by=RITA, at=NOON)

        findings.send_back(finding, by=CARLA, at=NOON)

        finding.refresh_from_db()
        assert (finding.state, finding.proposed_by) == ("planned" if plan else "open", "")
        assert clocks_of(finding).exists()

    def test_what_was_wrong_is_withdrawn_by_somebody_else(self):
        finding = record(make_reseller())
        with pytest.raises(BadField, match="recorded by you"):
            findings.withdraw(finding, why="A mistake.", by=RITA, at=NOON)

        findings.withdraw(finding, why="The files were another reseller's.", by=CARLA, at=NOON)

        finding.refresh_from_db()
        assert finding.state == FindingState.WITHDRAWN and not clocks_of(finding).exists()

    def test_nothing_goes_on_once_it_ended(self):
        finding = record(make_reseller())
        findings.withdraw(finding, why="A mistake.", by=CARLA, at=NOON)

        for act in (
            lambda: findings.plan_cure(finding, plan="x", by=RITA, at=NOON),
            lambda: findings.propose_cure(finding, why="x", by=RITA, at=NOON),
            lambda: findings.accept_cure(finding, shown=findings.digest_of(finding), by=CARLA, at=NOON),
            lambda: findings.send_back(finding, by=CARLA, at=NOON),
        ):
            with pytest.raises(MoveNotAllowed):
                act()


class TestPages:
    @pytest.fixture
    def own(self, reseller_manager_user):
        reseller = make_reseller()
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
        return record(reseller)

    def test_the_manager_reads_what_to_do_and_hands_the_plan_in(self, client, reseller_manager_user, own):
        client.force_login(reseller_manager_user)
        assert own.reference in client.get("/resellers/findings/").content.decode()

        answer = client.post(f"/resellers/findings/{own.reference}/", {"plan": "By <b>Friday</b>."}, follow=True)

        body = answer.content.decode()
        assert "Verify every customer with a document." in body and "By &lt;b&gt;Friday&lt;/b&gt;." in body
        assert "Two of ten files" not in body and "a sample of" not in body and "rita" not in body
        own.refresh_from_db()
        assert (own.state, own.planned_by) == ("planned", "remy")

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_th1_a_finding_against_another_reseller_is_no_page(self, client, reseller_manager_user, own, method):
        sibling = record(make_reseller())
        client.force_login(reseller_manager_user)

        assert getattr(client, method)(f"/resellers/findings/{sibling.reference}/", {"plan": "x"}).status_code == 404
        assert sibling.reference not in client.get("/resellers/findings/").content.decode()
        sibling.refresh_from_db()
        assert sibling.state == "open"

    def test_an_empty_list_says_so_and_an_empty_plan_is_refused(self, client, reseller_manager_user, own):
        client.force_login(reseller_manager_user)
        answer = client.post(f"/resellers/findings/{own.reference}/", {"plan": " "})
        assert answer.status_code == 200 and b"This field is required" in answer.content
        findings.withdraw(own, why="x", by=CARLA, at=NOON)
        onboarding.end_binding(own.reseller.managers.get(), by=RITA, at=NOON)

        assert b"Nothing is held against you" in client.get("/resellers/findings/").content

    def test_the_desk_records_and_a_colleague_signs_by_buttons(self, client, reseller_desk_user):
        reseller = make_reseller()
        client.force_login(reseller_desk_user)
        client.post(
            f"/admin/resellers/reseller/{reseller.pk}/do/record-finding/",
            {
                "kind": "no_cip", "source": "a report", "evidence": "It burnt.", "demand": "Write one.",
                "knowledge_at": NOON.strftime("%Y-%m-%dT%H:%M"),
            },
        )  # fmt: skip
        finding = Finding.objects.get()
        page = f"/admin/resellers/finding/{finding.pk}/"
        assert "It burnt." in client.get(f"{page}change/").content.decode()

        client.post(f"{page}do/plan/", {"plan": "Tomorrow."})
        client.post(f"{page}do/propose-cure/", {"why": "It is there."})
        refused = signing.press(client, f"{page}do/accept-cure/")
        assert "You took the first step yourself" in refused.content.decode()
        client.force_login(person("carla", "compliance"))
        signing.press(client, f"{page}do/accept-cure/")

        finding.refresh_from_db()
        assert finding.state == FindingState.CURED

    def test_its_words_are_dots_for_who_does_not_work_on_it(self, client):
        finding = record(make_reseller())
        client.force_login(person("aud", "auditor"))

        body = client.get(f"/admin/resellers/finding/{finding.pk}/change/").content.decode()

        assert "Two of ten files" not in body and "••••" in body and "Verify every customer" in body
