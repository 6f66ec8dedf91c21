"""Reports on blocked property and rejected transactions (R109, R110; T32)."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from accounts.flows import restrictions
from accounts.models import Party
from cases.flows import property_reports
from cases.formats.property_report import as_csv, as_json
from cases.models import PropertyReport
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.policy.models import Deadline, Holiday, RegimeNumber
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.retention import all_rules
from tests.cases.builders import approve_report, make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
TEXTS = {
    "property": "Prepaid credit", "transaction": "Top-up of the account", "places": "Example City, DE",
    "contact_name": "Lena Legal", "contact_phone": "+1 555 0100", "contact_email": "legal@provider.example",
}  # fmt: skip


def block(account, *, at=NOON):
    return restrictions.block(
        account, reason="listed", public_wording="The law asks for it.", basis="test", by=SCHEDULER, at=at
    )


def draft(report, by, **changes) -> PropertyReport:
    given = {
        "legal_authority": "31 CFR part 578", "value_usd": "1250.00", "parties": [report.account.party.reference],
        "texts": TEXTS, **changes,
    }  # fmt: skip
    return property_reports.draft(report, **given, by=by, at=NOON)


@pytest.fixture
def report(counsel):
    return property_reports.open_rejected(make_open_account(), happened_on=NOON.date(), by=counsel, at=NOON)


class TestOpening:
    def test_r109_a_block_opens_its_report_with_ten_business_days(self):
        account = make_open_account()
        block(account)

        report = PropertyReport.objects.get()
        clock = Deadline.objects.running().get(key=str(report.pk))
        assert (report.account, report.kind, report.state) == (account, "blocked", "open")
        assert (report.due_on, clock.due_on, clock.standing) == (date(2026, 3, 16), date(2026, 3, 16), "in_force")
        assert report.citation.text == "31 CFR 501.603"

    def test_a_second_block_of_the_same_account_opens_no_second_one(self):
        account = make_open_account()
        block(account)
        restrictions.block(account, reason="court", public_wording="x", basis="again", by=SCHEDULER, at=NOON)

        assert PropertyReport.objects.count() == 1

    def test_t32_the_holiday_of_the_calendar_is_not_counted(self, counsel):
        Holiday.objects.get_or_create(day=date(2026, 7, 3), defaults={"title": "Independence Day, observed"})
        at = datetime(2026, 7, 6, 12, tzinfo=UTC)

        report = property_reports.open_rejected(make_open_account(), happened_on=date(2026, 7, 3), by=counsel, at=at)

        assert (report.due_on, report.citation.text) == (date(2026, 7, 17), "31 CFR 501.604")

    def test_t32_the_day_0_rule_is_a_figure(self, counsel):
        RegimeNumber.objects.filter(name="report_day_of_event_counts").update(value=1)

        report = property_reports.open_rejected(make_open_account(), happened_on=NOON.date(), by=counsel, at=NOON)

        assert report.due_on == date(2026, 3, 13)

    def test_a_day_that_has_not_come_is_refused(self, counsel):
        with pytest.raises(property_reports.BadReport, match="cannot have been rejected"):
            property_reports.open_rejected(
                make_open_account(), happened_on=NOON.date() + timedelta(days=1), by=counsel, at=NOON
            )


class TestDrafting:
    @pytest.mark.parametrize(
        "changes",
        [
            {"legal_authority": "SDN"}, {"value_usd": "much"}, {"parties": []}, {"parties": ["PTY-0000-0000"]},
            {"documents": ["DOC-0000-0000"]}, *({"texts": {**TEXTS, name: " "}} for name in TEXTS),
        ],
    )  # fmt: skip
    def test_each_field_is_wanted_and_nothing_half_is_kept(self, report, counsel, changes):
        with pytest.raises(property_reports.Refusal):
            draft(report, counsel, **changes)

        report.refresh_from_db()
        assert (report.state, report.value_usd, report.property) == ("open", None, None)

    def test_its_words_are_sealed_and_not_in_the_trail(self, report, counsel):
        draft(report, counsel)

        report.refresh_from_db()
        assert str(report.property) == "••••••"
        assert "Prepaid" not in str(list(AuditEvent.objects.values_list("facts", flat=True)))


class TestSigningAndSending:
    def test_it_takes_two_people(self, report, counsel, second_counsel):
        draft(report, counsel)
        with pytest.raises(SecondPersonNeeded):
            approve_report(report, by=counsel, at=NOON)
        with pytest.raises(MoveNotAllowed):
            property_reports.send(report, how="portal", by=counsel, at=NOON)

        approve_report(report, by=second_counsel, at=NOON)
        sent = property_reports.send(report, how="portal", by=counsel, at=NOON)
        confirmed = property_reports.confirm(report, receipt="R-77", by=counsel, at=NOON)

        assert (sent.state, confirmed.state, confirmed.receipt) == ("sent", "confirmed", "R-77")
        assert not Deadline.objects.running().filter(key=str(report.pk)).exists()

    def test_what_was_approved_is_what_is_sent(self, report, counsel, second_counsel):
        approve_report(draft(report, counsel), by=second_counsel, at=NOON)
        Party.objects.filter(pk=report.account.party_id).update(legal_name="Another Name")

        with pytest.raises(property_reports.Changed, match="Draft it anew"):
            property_reports.send(report, how="portal", by=counsel, at=NOON)

    def test_what_was_drafted_anew_meanwhile_is_not_approved(self, report, counsel, second_counsel):
        seen = property_reports.digest_of(draft(report, counsel))
        draft(report, counsel, value_usd="1.00")

        for shown in (seen, ""):
            with pytest.raises(property_reports.Changed, match="has changed since you opened this page"):
                property_reports.approve(report, shown=shown, by=second_counsel, at=NOON)

        report.refresh_from_db()
        assert (report.state, report.approved_sha256) == ("drafted", "")

    def test_a_new_draft_wants_a_new_approval(self, report, counsel, second_counsel):
        approve_report(draft(report, counsel), by=second_counsel, at=NOON)

        again = draft(report, counsel, value_usd="1.00")

        assert (again.state, again.approved_by, again.approved_sha256) == ("drafted", "", "")

    def test_sending_stops_its_clock(self, counsel, second_counsel):
        block(make_open_account())
        report = PropertyReport.objects.get()
        approve_report(draft(report, counsel), by=second_counsel, at=NOON)

        property_reports.send(report, how="mail", by=counsel, at=NOON)

        assert not Deadline.objects.running().filter(key=str(report.pk)).exists()

    def test_its_author_does_not_drop_a_draft(self, report, counsel, second_counsel):
        draft(report, counsel)
        with pytest.raises(SecondPersonNeeded):
            property_reports.drop(report, why="duplicate", by=counsel, at=NOON)

        assert property_reports.drop(report, why="duplicate", by=second_counsel, at=NOON).state == "dropped"


class TestFiles:
    def test_json_and_csv_say_the_same(self, report, counsel):
        fields = property_reports.fields_of(draft(report, counsel, texts={**TEXTS, "property": "=1+1"}))

        told = json.loads(as_json(fields))
        rows = list(csv.DictReader(io.StringIO(b"".join(as_csv(fields)).decode())))
        assert (told["value_usd"], told["legal_authority"], told["property"]) == ("1250.00", "31 CFR part 578", "=1+1")
        assert {"field": "value_usd", "value": "1250.00"} in rows and {"field": "property", "value": "'=1+1"} in rows
        assert told["parties"][0]["reference"] == report.account.party.reference

    def test_the_page_and_the_files_are_served_and_recorded(self, client, counsel_user, report, counsel):
        client.force_login(counsel_user)
        kinds = ("page", "json", "csv")
        address = {kind: reverse("cases:property_report_file", args=[report.pk, kind]) for kind in kinds}
        assert client.get(address["json"]).status_code == 404  # nothing is drafted
        draft(report, counsel)

        shown = client.get(address["page"]).content.decode()
        files = {kind: client.get(address[kind]) for kind in ("json", "csv")}

        assert "Prepaid credit" in shown and "31 CFR part 578" in shown and "nobody has approved it yet" in shown
        assert all("attachment" in answer["Content-Disposition"] for answer in files.values())
        assert AuditEvent.objects.filter(verb="cases.property_report_taken").count() == 3

    def test_staff_work_it_on_its_page(self, client, counsel_user, second_counsel_user, report, counsel):
        base = f"/admin/cases/propertyreport/{report.pk}"
        client.force_login(counsel_user)
        said = {"legal_authority": "SDN", "value_usd": "5.00", "parties": report.account.party.reference, **TEXTS}
        refused = client.post(f"{base}/do/draft/", said).content.decode()
        client.post(f"{base}/do/draft/", {**said, "legal_authority": "31 CFR part 578"})
        client.force_login(second_counsel_user)
        asked = client.get(f"{base}/do/approve/")
        hidden = {"shown": dict(asked.context["hidden"])["shown"]}
        draft(report, counsel)
        changed = client.post(f"{base}/do/approve/", hidden).content.decode()
        again = dict(client.get(f"{base}/do/approve/").context["hidden"])
        client.post(f"{base}/do/approve/", again)
        shown = client.get(f"{base}/change/").content.decode()

        assert "will not do" in refused
        assert "Prepaid credit" in asked.content.decode() and "has changed since" in changed
        assert "to be sent" in shown and "Prepaid credit" in shown


class TestRetention:
    def test_it_is_kept_as_a_sanctions_record(self, report, second_counsel):
        property_reports.drop(report, why="duplicate", by=second_counsel, at=NOON)
        rule = next(each for each in all_rules() if each.code == "property_reports")

        [period] = rule.periods(PropertyReport.objects.get())
        assert (period.basis, period.kept_through) == ("sanctions_retention_years", date(2036, 3, 2))
        assert not rule.candidates(date(2036, 3, 3)).exists()  # its account is in use
