"""A note of one endless word: the page stays as wide as the screen, and its policy holds (trust.md C15)."""

import pytest
from django.urls import reverse

from cases.flows import review
from tests.browser.conftest import log_in
from tests.browser.test_every_page import GRAVE, look_at
from tests.cases.builders import make_case
from tests.conftest import NOON, person
from tests.kyc_portal.signin.doors import PASSWORD

pytestmark = pytest.mark.browser
LONGEST = 10_000


def test_c15_a_word_of_ten_thousand_letters_does_not_break_the_page(transactional_db, live_server, page):
    reviewer = person("ana", "reviewer")
    case = make_case(worked_by=reviewer)
    review.add_note(case, text="W" * LONGEST, by=reviewer.as_actor, at=NOON)
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in GRAVE else None)
    log_in(page, live_server.url, "ana", PASSWORD)

    page.goto(live_server.url + reverse("admin:cases_case_change", args=[case.pk]))

    assert page.locator("body").inner_text().count("W" * 100) >= 1, "the note is shown"
    assert look_at(page, "ana", "a long word") == [] and complaints == []
