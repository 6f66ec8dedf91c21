"""An outside verifier in a real browser: asked by keyboard, answered by the job, the answer shown for a reason."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.flows import verification
from kyc_portal.work import queue
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.builders import make_account, make_cip
from tests.conftest import person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser


def test_it_is_asked_answered_and_shown(transactional_db, live_server, page):
    make_cip()
    reviewer = person("ana", "reviewer")
    account = make_account(legal_name="Maria Nomatch", birth_date=date(1985, 5, 17))
    record = verification.start(account, account.party, trigger="doubt", by=reviewer.as_actor, at=timezone.now())
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in GRAVE else None)
    log_in(page, live_server.url, "ana", PASSWORD)

    page.goto(live_server.url + reverse("admin:accounts_verification_workspace", args=[record.pk]))
    page.get_by_role("link", name="Ask the outside verifier").press("Enter")
    page.get_by_role("button", name="Ask the outside verifier").press("Enter")
    page.get_by_text("The answer comes by itself").wait_for()
    queue.run_due(timezone.now())
    page.reload()

    answers = page.get_by_role("group", name="Answers of the outside verifier")
    assert "no match" in answers.inner_text() and "date of birth" in answers.inner_text()
    assert "1900-01-01" not in page.content()
    assert look_at(page, "ana", "outside verifier") == []
    answers.get_by_role("link", name="Show").press("Enter")
    page.get_by_label("Why").select_option("verification")
    page.get_by_role("button", name="Show it").press("Enter")
    page.get_by_text('"birth_date": "1900-01-01"').wait_for()
    assert complaints == []
