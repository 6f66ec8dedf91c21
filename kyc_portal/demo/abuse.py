"""The demo's abuse reports: one of an address a customer holds, one of an address nobody has named yet."""

import base64
import hashlib
import json
from datetime import date
from io import BytesIO

from accounts.flows import allocations
from cases.flows import abuse_reports, desks, review, triage
from cases.models.case import CaseKind
from cases.rules.desks import SnoozedWhy
from cases.rules.reports import Door
from kyc_portal.calendars import add_days
from kyc_portal.demo import stories
from kyc_portal.demo.stories import Stage, person
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER

REPORTER = {"org": "Example CERT", "contact": "reports@cert.example", "domain": "cert.example"}
HELD, FREE = "203.0.113.77", "203.0.113.201"  # addresses set aside for documentation
SEEN = b"Port 4444 answers as a known controller; 41 machines asked it for work within an hour.\n"


def others_complain(stage: Stage) -> None:
    """A reported controller becomes the case of who holds its address; of the other nobody knows yet whose it is."""
    account = stories.open_person(
        stage, person("Jonas Brandt", "DE", "Leipzig", date(1996, 1, 19)), code="DEU", days=70
    )
    table = f"account,addresses,from,to,source\n{account.reference},{HELD},{stage.ago(69):%Y-%m-%dT%H:%M:%SZ},,ipam\n"
    allocations.import_allocations(BytesIO(table.encode()), by=stage.actor("rosa"), at=stage.ago(60))
    for number, (address, days) in enumerate(((HELD, 3), (FREE, 1)), 1):
        report = _report(stage, number, address, days=days)
        abuse_reports.take_in(report, door=Door.FOLDER, by=SCHEDULER, at=stage.ago(days, 9))


def customer_is_waited_for(stage: Stage) -> None:
    """A case that sleeps until the customer's time to answer is over."""
    account = stories.open_person(stage, person("Ines Marchetti", "IT", "Bari", date(1991, 8, 3)), code="ITA", days=45)
    made = {"by": stage.actor("rosa"), "at": stage.now}
    title = "Invoices go to another company"
    case = triage.open_by_hand(accounts=[account], kind=CaseKind.RED_FLAG.value, title=title, **made)
    review.take(case, user=stage.people["rosa"], at=stage.now)
    desks.snooze(case, until=add_days(legal_day(stage.now), 5), why=SnoozedWhy.CUSTOMER.value, **made)


def _report(stage: Stage, number: int, address: str, *, days: int) -> bytes:
    """A report in XARF 4 as another network's desk would send it."""
    report = {
        "xarf_version": "4.2.0", "report_id": f"00000000-0000-4000-8000-{number:012}", "reporter": REPORTER,
        "sender": REPORTER, "timestamp": f"{stage.ago(days, 7):%Y-%m-%dT%H:%M:%SZ}", "source_identifier": address,
        "category": "infrastructure", "type": "botnet", "evidence_source": "traffic_analysis",
        "compromise_evidence": "Answers as a known controller",
        "evidence": [{
            "content_type": "text/plain", "payload": base64.b64encode(SEEN).decode(),
            "hash": f"sha256:{hashlib.sha256(SEEN).hexdigest()}",
        }],
    }  # fmt: skip
    return json.dumps(report).encode()
