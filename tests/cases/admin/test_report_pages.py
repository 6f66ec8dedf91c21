import pytest
from django.test import Client
from django.urls import reverse

from cases.flows import abuse_reports, bundles
from cases.models import AbuseReport
from kyc_portal.records import audit
from kyc_portal.staff.sections import url_of
from tests.bad_input.doors import logged_in
from tests.cases import reports
from tests.cases.builders import make_bundle, make_open_account
from tests.conftest import NOON, person

LIST = "/admin/cases/abusereport/"


@pytest.fixture
def desk(analyst_user) -> Client:
    return logged_in(analyst_user)


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def do(report: AbuseReport, name: str) -> str:
    return f"{LIST}{report.pk}/do/{name}/"


@pytest.mark.django_db
class TestListAndPage:
    def test_the_list_filters_what_waits_and_names_no_contact(self, desk):
        account = make_open_account()
        reports.allocate(account)
        there, waits = reports.take_in(), reports.take_in(reports.botnet(source_identifier="a-name.example"))

        every, waiting = text_of(desk.get(LIST)), text_of(desk.get(f"{LIST}?queue=waiting"))

        assert there.reference in every and waits.reference in every
        assert there.reference not in waiting and waits.reference in waiting
        assert waits.reference not in text_of(desk.get(f"{LIST}?state__exact=resolved"))
        assert waits.reference not in text_of(desk.get(f"{LIST}?category__exact=content"))
        assert reports.CONTACT not in every

    def test_the_page_tells_what_it_says_and_what_its_evidence_is_worth(self, desk):
        report = reports.take_in(reports.botnet(evidence=[reports.evidence(hash="sha256:00")]))

        shown = text_of(desk.get(url_of(report)))

        for words in ("infrastructure", reports.ADDRESS, "the hash disagrees", "Example CERT", reports.CONTACT):
            assert words in shown
        assert "c2Vlbg==" not in shown  # the payload

    def test_candidates_are_shown_while_it_waits(self, desk):
        one = make_open_account()
        reports.allocate(one)
        report = reports.take_in()
        AbuseReport.objects.filter(pk=report.pk).update(state="waiting", account=None)

        assert one.reference in text_of(desk.get(url_of(report))).partition("Who may have held it")[2]

    @pytest.mark.parametrize("role", ["legal", "compliance", "senior manager", "reseller desk", "administrator"])
    def test_who_is_not_at_the_desk_sees_neither_list_nor_page_nor_section(self, role):
        reports.allocate(make_open_account())
        report, desk = reports.take_in(), logged_in(person("other", role))

        for address in (LIST, url_of(report), reverse("cases:download_report", args=[report.pk])):
            assert desk.get(address).status_code in (403, 404)
        case = desk.get(url_of(report.case))
        assert case.status_code != 200 or (
            "Abuse reports" not in text_of(case) and reports.ADDRESS not in text_of(case)
        )

    def test_an_auditor_reads_all_but_the_contact_and_does_nothing(self, auditor_user):
        report, desk = reports.take_in(), logged_in(auditor_user)

        assert reports.CONTACT not in text_of(desk.get(url_of(report)))
        assert desk.get(do(report, "settle")).status_code == 403
        assert desk.get(reverse("cases:download_report", args=[report.pk])).status_code == 403

    def test_the_case_shows_its_reports_without_the_contact(self, desk):
        report = reports.take_in()

        shown = text_of(desk.get(url_of(report.case)))

        assert report.reference in shown and reports.ADDRESS in shown
        assert reports.CONTACT not in shown and "reporter.example" not in shown

    def test_the_tile_counts_what_waits(self, desk):
        reports.take_in()

        assert "Abuse reports waiting" in text_of(desk.get("/admin/"))


@pytest.mark.django_db
class TestButtons:
    def test_attach_asks_for_a_reference_and_a_reason(self, desk):
        account, report = make_open_account(), reports.take_in()

        answer = desk.post(do(report, "attach"), {"account": account.reference.lower(), "why": "own_records"})

        report.refresh_from_db()
        assert answer.status_code == 302
        assert (report.account, report.attached_why, report.answered_by) == (account, "own_records", "ana")

    @pytest.mark.parametrize(
        ("sent", "fault"),
        [
            ({"account": "ACC-0000-0000", "why": "own_records"}, "No account has the reference"),
            ({"account": "", "why": "own_records"}, "required"),
            ({"why": ""}, "required"),
        ],
    )
    def test_attach_says_what_is_wrong(self, desk, sent, fault):
        report = reports.take_in()

        assert fault in text_of(desk.post(do(report, "attach"), sent))
        report.refresh_from_db()
        assert report.state == "waiting"

    def test_settle_ends_it(self, desk):
        report = reports.take_in()

        desk.post(do(report, "settle"), {"why": "nobody_held_it"})

        report.refresh_from_db()
        assert (report.state, report.settled_why, report.case.status) == ("settled", "nobody_held_it", "closed")

    def test_the_second_of_two_people_is_told(self, desk, analyst):
        report = reports.take_in()
        abuse_reports.settle(report, why="test", by=analyst, at=NOON)

        shown = text_of(desk.post(do(report, "attach"), {"account": make_open_account().reference, "why": "said_so"}))

        assert "settled without an account already" in shown


@pytest.mark.django_db
class TestDownload:
    def test_it_leaves_as_bytes_no_browser_opens_with_an_event(self, desk):
        data = reports.as_bytes(reports.botnet(description="<script>alert(1)</script>"))
        report = reports.take_in(data)

        answer = desk.get(reverse("cases:download_report", args=[report.pk]))

        assert answer.content == data
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith(f'attachment; filename="{report.reference}.json"')
        assert "sandbox" in answer["Content-Security-Policy"]
        event = next(each for each in audit.history_of(report) if each.verb == "cases.report_downloaded")
        assert event.actor_label == "ana"

    def test_other_sites_get_nothing(self, desk):
        report = reports.take_in()

        answer = desk.get(reverse("cases:download_report", args=[report.pk]), headers={"Sec-Fetch-Site": "cross-site"})

        assert answer.status_code == 403


@pytest.mark.django_db
class TestNeverMailedOn:
    def test_a_bundle_of_the_case_holds_neither_contact_nor_payload(self, lead, tmp_path, settings, counsel):

        settings.BUNDLE_DIR = tmp_path
        reports.allocate(make_open_account())
        report = reports.take_in()
        approved = make_bundle(report.case, by=lead, approved_by=counsel)

        bundles.build(approved, by=lead, at=NOON)

        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert report.case.reference.encode() in written
        for word in (reports.CONTACT, "reporter.example", "Example CERT", "c2Vlbg=="):
            assert word.encode() not in written
