"""From a stranger's report to a closed account: what the report does by itself, and what people must do."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from cases.models import AbuseReport, Case
from kyc_portal.notices.models import Notice
from kyc_portal.staff.sections import url_of
from tests.bad_input.doors import logged_in, run
from tests.cases import reports
from tests.cases.builders import make_open_account
from tests.kyc_portal.api.builders import make_key


@pytest.mark.django_db
def test_a_report_leads_to_a_closed_account_by_two_people_and_by_nothing_less(tmp_path, analyst_user, lead_user):
    now = timezone.now()
    account = make_open_account()
    held = tmp_path / "held.csv"
    held.write_text(f"account,addresses,from,source\n{account.reference},198.51.100.0/27,2026-01-01T00:00:00Z,ipam\n")
    assert run("import_allocations", held)[0] == 0
    key = make_key(scopes=["abuse_reports.write"], at=now)
    notices = Notice.objects.count()

    sent = Client().post(
        "/api/v1/abuse-reports", reports.as_bytes(reports.botnet()), content_type="application/json",
        headers={"Authorization": f"Bearer {key.text}"},
    )  # fmt: skip

    report, case = AbuseReport.objects.get(), Case.objects.get()
    account.refresh_from_db()
    assert sent.status_code == 201
    assert (report.account, report.case, account.status) == (account, case, "active")
    assert Notice.objects.count() == notices

    reviewer, lead = logged_in(analyst_user), logged_in(lead_user)
    page = url_of(case).removesuffix("change/")
    assert report.reference in reviewer.get(url_of(case)).content.decode()
    reviewer.post(f"{page}do/take/")
    proposed = {"account": account.reference, "outcome": "close", "reason": "unusual_use"}
    assert reviewer.post(f"{page}do/propose/", proposed).status_code == 302
    assert Account.objects.get(pk=account.pk).status == "active"

    assert lead.post(f"{page}do/countersign/", {"at_once": "on"}).status_code == 302

    assert Account.objects.get(pk=account.pk).status == "closed"
    told = Notice.objects.filter(key=str(account.pk)).order_by("-queued_at").first()
    assert told is not None
    words = told.context.reveal()
    assert report.reference not in words and reports.CONTACT not in words and "Example CERT" not in words
