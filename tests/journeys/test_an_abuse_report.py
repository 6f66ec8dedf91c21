"""From a stranger's report to a closed account: what the report does by itself, and what people must do."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from cases.models import AbuseReport, Case
from cases.rules.checklist import items_for
from kyc_portal.notices.models import Notice
from tests.bad_input.doors import logged_in, run
from tests.cases import reports
from tests.cases.builders import make_open_account
from tests.kyc_portal.api.builders import make_key


def send(browser, page: str, act: str, **typed):
    """Fill in one form of the case's page as it stands now."""
    version = browser.get(page).context["version"]
    return browser.post(f"{page}{act}/", {"version": version, **typed})


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
    taken = reviewer.post("/review/next/")
    page = taken.url
    assert page == f"/review/{case.reference}/"
    assert report.reference in reviewer.get(page).content.decode()

    proposed = {"account": account.reference, "outcome": "close", "reason": "malicious_use"}
    early = send(reviewer, page, "propose", **proposed)
    assert early.status_code == 200 and "list of" in early.content.decode()
    for item in items_for(case.kind)[:-1]:
        assert send(reviewer, page, "check", item=item.code, how="done").status_code == 302
    excused = {"item": items_for(case.kind)[-1].code, "how": "excuse", "excused_why": "nothing_on_file"}
    assert send(reviewer, page, "check", **excused).status_code == 302
    assert send(reviewer, page, "note", text="The address was theirs all day.").status_code == 302
    assert send(reviewer, page, "propose", **proposed).status_code == 302
    assert send(reviewer, page, "countersign").status_code == 403  # one person signs once
    assert Account.objects.get(pk=account.pk).status == "active"

    assert send(lead, page, "countersign", at_once="on").status_code == 302

    assert Account.objects.get(pk=account.pk).status == "closed"
    told = Notice.objects.filter(key=str(account.pk)).order_by("-queued_at").first()
    assert told is not None
    words = told.context.reveal()
    assert Case.objects.get().status == "decided"
    assert report.reference not in words and reports.CONTACT not in words and "Example CERT" not in words
