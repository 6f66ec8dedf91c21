"""The end of a relationship, reports and copies of CIPs by their buttons, and what the reseller's manager reads."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from resellers.flows import cip_requests, onboarding, reports, termination
from resellers.models import AuthorityReport, CipRequest, Termination
from tests import signing
from tests.builders import make_downstream, make_reseller
from tests.conftest import NOON
from tests.resellers.ending import CARLA, RITA, carry_out, decided, make_finding, make_other, propose

pytestmark = pytest.mark.django_db
ENDING = "/resellers/ending/"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


def page(client, record) -> str:
    answer = client.get(url_of(record))
    assert answer.status_code == 200
    return answer.content.decode()


def press(client, record, button: str, **data):
    return signing.press(client, url_of(record).replace("/change/", f"/do/{button}/"), follow=False, **data)


class TestTermination:
    def test_one_proposes_another_agrees_and_the_page_tells_how_far_it_is(
        self, client, reseller_desk_user, senior_user
    ):
        reseller = make_reseller(legal_name="Nordlicht Hosting")
        link = make_downstream(reseller, legal_name="Friedrich Winterling")
        finding = make_finding(reseller)
        client.force_login(reseller_desk_user)
        given = {"reason": "not_cured", "words": "<b>No answer</b>", "outcome": "close", "own_outcome": "suspend"}

        answer = press(client, finding, "propose-termination", **given)

        row = Termination.objects.get()
        assert answer.headers["Location"] == url_of(row)
        body = page(client, row)
        assert "Friedrich Winterling" in body and "&lt;b&gt;No answer" in body
        assert "/do/agree/" not in body, "the second signature is not offered to who may not give it"
        client.force_login(senior_user)
        assert "/do/agree/" in page(client, row)
        press(client, row, "agree")
        carry_out(row)
        body = page(client, row)
        assert '<progress value="1" max="1"' in body and "closed" in body and "Look again" not in body
        assert row.steps.get().link == link

    def test_a_failure_stands_first_with_its_way_out(self, client, reseller_desk_user):
        reseller = make_reseller()
        make_downstream(reseller)
        row = decided(reseller)
        row.steps.update(state="failed", why_failed="blocked", attempts=1)
        client.force_login(reseller_desk_user)

        body = page(client, row)

        assert "1 customer could not be handled" in body and "two people decide in a case" in body
        press(client, row, "try-again")
        assert row.steps.get().state == "waiting"
        press(client, row.steps.get(), "choose", outcome="suspend")
        press(client, row, "choose-for-all", outcome="direct", target="")
        assert row.steps.get().outcome == "direct"

    @pytest.mark.parametrize("typed", ["RSL-2222-2222", "x"])
    def test_an_unknown_target_is_said_on_the_form(self, client, reseller_desk_user, typed):
        row = propose(make_reseller())
        client.force_login(reseller_desk_user)

        answer = press(client, row, "choose-for-all", outcome="migrate", target=typed)

        assert answer.status_code == 200 and b"No reseller has the reference" in answer.content

    def test_t30_past_its_last_day_it_is_red(self, client, senior_user):
        reseller = make_reseller(at=NOON - timedelta(days=60))
        finding = make_finding(reseller, at=NOON - timedelta(days=60))
        row = decided(reseller, reason="not_cured", finding=finding)
        client.force_login(senior_user)

        assert "is past by" in page(client, row)
        assert "ended after its last good day" in page(client, carry_out(row))

    def test_the_list_costs_the_same_for_many(self, client, senior_user, django_assert_max_num_queries):
        for _ in range(3):
            reseller = make_reseller()
            make_downstream(reseller)
            propose(reseller)
        client.force_login(senior_user)

        for name in ("termination", "terminationstep"):
            with django_assert_max_num_queries(9):
                assert client.get(reverse(f"admin:resellers_{name}_changelist")).status_code == 200


class TestReports:
    def test_only_who_may_report_knows_of_it(self, client, counsel_user, reseller_desk_user):
        reseller = make_reseller()
        client.force_login(counsel_user)
        press(client, reseller, "open-report", authority="Canaryauthority", about="Canaryabout")
        report = AuthorityReport.objects.get()

        assert "Canaryabout" in page(client, report) and "Canaryauthority" in page(client, reseller)
        press(client, report, "note-sent", channel="form", report_id="7")
        report.refresh_from_db()
        assert report.state == "sent"
        client.force_login(reseller_desk_user)
        assert client.get(url_of(report)).status_code == 403
        body = page(client, reseller)
        assert "Canaryauthority" not in body and report.reference not in body and "report to an authority" not in body


class TestCopies:
    def test_one_click_and_the_signed_copy_is_there_for_who_may(self, client, counsel_user, senior_user):
        reseller = make_reseller()
        client.force_login(counsel_user)
        press(client, reseller, "ask-cip", requester="BIS", requester_number="", requested_on="2026-03-02")
        request = CipRequest.objects.get()
        assert "/download/" not in page(client, request)
        cip_requests.produce(request.reference, by=SCHEDULER, at=NOON)
        url = reverse("admin:resellers_ciprequest_download", args=[request.pk])
        assert url in page(client, request)

        answer = client.get(url)

        archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
        assert f"{request.reference}/signature.json" in archive.namelist()
        assert "attachment" in answer["Content-Disposition"] and "sandbox" in answer["Content-Security-Policy"]
        assert AuditEvent.objects.get(verb="resellers.cip_request.downloaded").actor_label == "carl"
        client.force_login(senior_user)
        assert url not in page(client, request) and client.get(url).status_code == 403

    def test_nothing_is_given_before_it_is_made_or_to_other_sites(self, client, counsel_user):
        client.force_login(counsel_user)
        request = cip_requests.ask(make_reseller(), requester="BIS", requested_on=NOON.date(), by=RITA, at=NOON)
        url = reverse("admin:resellers_ciprequest_download", args=[request.pk])

        assert client.get(url).status_code == 404
        cip_requests.produce(request.reference, by=SCHEDULER, at=NOON)
        assert client.get(url, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert not AuditEvent.objects.filter(verb="resellers.cip_request.downloaded").exists()


class TestManager:
    @pytest.fixture
    def manager(self, client, reseller_manager_user):
        client.force_login(reseller_manager_user)
        return client

    def bound(self, user):
        reseller = make_reseller()
        onboarding.bind_manager(reseller, user=user, by=RITA, at=NOON)
        return reseller

    def test_what_is_only_proposed_is_not_told(self, manager, reseller_manager_user):
        reseller = self.bound(reseller_manager_user)
        make_downstream(reseller, legal_name="Own Customer")
        row = propose(reseller, words="Canarywords")
        reports.open_report(reseller, authority="Canaryauthority", about="x", by=CARLA, at=NOON)

        body = manager.get(ENDING).content.decode()

        assert "Our agreement with you goes on" in body
        for word in (row.reference, "Own Customer", "Canary"):
            assert word not in body

    def test_once_decided_they_read_what_becomes_of_whom_and_not_where_to(self, manager, reseller_manager_user):
        reseller, target = self.bound(reseller_manager_user), make_other()
        moved, kept = (make_downstream(reseller, legal_name=name) for name in ("Moved One", "Kept One"))
        row = propose(reseller, words="Canarywords", outcome="close")
        steps = [row.steps.get(link=moved).pk]
        termination.choose(row, outcome="migrate", target=target, steps=steps, by=RITA, at=NOON)
        termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=NOON)
        onboarding.change_reseller(moved, reseller=target, by=RITA, at=NOON)
        row.steps.filter(link=kept).update(state="failed", why_failed="blocked")

        body = manager.get(ENDING).content.decode()

        assert moved.account.reference in body and "Moved One" not in body, "theirs no more: the reference alone"
        assert "Kept One" in body and "is closed" in body and "goes on without you" in body and "to come" in body
        for word in (target.reference, "Other reseller", "Canarywords", "blocked", "failed", "Try"):
            assert word not in body, word

    def test_who_was_bound_until_the_very_end_reads_what_became_of_the_customers(self, manager, reseller_manager_user):
        reseller = self.bound(reseller_manager_user)
        link = make_downstream(reseller)
        carry_out(decided(reseller))

        body = manager.get(ENDING).content.decode()
        assert link.account.reference in body and link.account.party.legal_name not in body
        assert "You are no longer bound to a reseller" in manager.get("/resellers/").content.decode()

    def test_whose_binding_ended_before_reads_nothing(self, manager, reseller_manager_user):
        reseller = self.bound(reseller_manager_user)
        link = make_downstream(reseller)
        onboarding.end_binding(reseller.managers.get(), by=SCHEDULER, at=NOON)
        carry_out(decided(reseller), at=NOON + timedelta(days=1))

        assert link.account.reference not in manager.get(ENDING).content.decode()

    def test_anothers_end_is_not_there(self, manager, reseller_manager_user):
        self.bound(reseller_manager_user)
        other = make_other()
        link = make_downstream(other)
        decided(other)

        body = manager.get(ENDING, {"page": "1"}).content.decode()

        assert other.reference not in body and link.account.reference not in body

    def test_staff_go_to_the_admin(self, client, senior_user):
        client.force_login(senior_user)

        assert client.get(ENDING).headers["Location"] == "/admin/"

    def test_the_page_costs_the_same_for_many(self, manager, reseller_manager_user, django_assert_max_num_queries):
        reseller = self.bound(reseller_manager_user)
        for _ in range(4):
            make_downstream(reseller)
        decided(reseller)

        with django_assert_max_num_queries(8):
            assert manager.get(ENDING).status_code == 200
