"""A reseller's manager sends a file with a bad row, corrects it, accepts it and certifies, in a real browser (axe)."""

import pytest
from django.utils import timezone

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from resellers.models import Certification, RosterEntry, RosterUpload
from tests.browser.conftest import log_in
from tests.browser.test_customers_page import faults_of, press
from tests.browser.test_every_page import GRAVE

pytestmark = pytest.mark.browser
HEADER = "customer_number,name,kind,country,customer_since,verified_on,method\n"
GOOD = "BR-1,Browser Customer,entity,OM,2026-01-05,2026-01-06,document\n"
BAD = "BR-2,Other Customer,entity,OM,5 January,2026-01-06,document\n"
MENDED = BAD.replace("5 January", "2026-01-05")


def send(page, portal: str, text: str, name: str) -> str:
    """Fill in the form, send it, and have a worker read the file; the reference of the upload."""
    page.goto(f"{portal}/resellers/files/")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_label("new and changed customers only").check()
    press(page, "Send")
    page.wait_for_url(lambda address: "RUP-" in address)
    work()
    page.reload()
    return page.url.rstrip("/").rpartition("/")[2]


def work() -> None:
    while queue.run_due(timezone.now(), by=SCHEDULER)["done"]:
        pass


def test_a_file_is_sent_corrected_accepted_and_certified(portal, browser):
    faults, complaints = [], []
    page = browser.new_context().new_page()
    page.on("console", lambda told: complaints.append(told.text) if told.type in GRAVE else None)
    page.on("request", lambda asked: None if asked.url.startswith(portal) else complaints.append(asked.url))
    log_in(page, portal, "mina")
    for name in ("", "customers/", "files/", "certification/", "attestations/", "samples/", "findings/", "counts/",
                 "accounts/", "messages/", "ending/"):  # fmt: skip
        page.goto(f"{portal}/resellers/{name}")
        faults += faults_of(page, f"reseller {name.strip('/') or 'due'}")

    page.goto(f"{portal}/resellers/files/")
    press(page, "Send")  # with nothing in it
    page.get_by_role("alert").wait_for()
    faults += faults_of(page, "file with errors")

    first = send(page, portal, HEADER + GOOD + BAD, "first.csv")
    page.get_by_role("heading", name="Some rows are bad").wait_for()
    page.get_by_text("Column customer_since is no day of the calendar").wait_for()
    faults += faults_of(page, "file with bad rows")
    press(page, "Take in the good rows")
    page.locator("[data-progress]").wait_for()
    faults += faults_of(page, "file being taken in")
    work()
    page.get_by_text("accepted", exact=True).first.wait_for()  # the page brings itself up to date

    second = send(page, portal, HEADER + MENDED, "second.csv")
    page.get_by_role("heading", name="Every row is good").wait_for()
    press(page, "Accept")
    page.locator("[data-progress]").wait_for()
    work()
    page.get_by_text("accepted", exact=True).first.wait_for()
    states = dict(RosterUpload.objects.filter(reference__in=[first, second]).values_list("reference", "state"))
    assert states == {first: "accepted", second: "accepted"}

    page.goto(f"{portal}/resellers/certification/?state=never")
    page.get_by_label("all of your roster that can be certified").check()
    page.get_by_label("the identity of each was verified", exact=True).check()
    page.get_by_label("identity document seen").check()
    faults += faults_of(page, "certification filled in")
    press(page, "Sign the certification")
    page.wait_for_url(lambda address: "CRT-" in address)
    faults += faults_of(page, "certified")

    act = Certification.objects.latest("signed_at")
    certified = act.lines.filter(outcome="certified").values_list("number", flat=True)
    assert {"BR-1", "BR-2"} <= set(certified)
    assert RosterEntry.objects.in_force().filter(number="BR-2").get().name == "Other Customer"
    assert faults == [] and complaints == []
