"""Abuse reports of our own for the tests, in the shape of XARF 4, and what takes them in."""

import base64
import hashlib
import itertools
import json
import uuid
from datetime import timedelta

from accounts.models import Account, AddressAllocation
from cases.flows import abuse_reports
from cases.models import AbuseReport
from cases.rules.reports import Door
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON

ADDRESS = "198.51.100.25"
CONTACT = "canary@reporter.example"
_numbers = itertools.count(1)


def evidence(payload: bytes = b"seen", **changes) -> dict:
    digest = hashlib.sha256(payload).hexdigest()
    encoded = base64.b64encode(payload).decode()
    return {"content_type": "text/plain", "payload": encoded, "hash": f"sha256:{digest}", **changes}


def botnet(**changes) -> dict:
    """A valid report about an address, a new one each time."""
    who = {"org": "Example CERT", "contact": CONTACT, "domain": "reporter.example"}
    given = {
        "xarf_version": "4.2.0", "report_id": str(uuid.UUID(int=next(_numbers), version=4)),
        "timestamp": "2026-03-02T11:30:00Z", "reporter": who, "sender": who, "source_identifier": ADDRESS,
        "category": "infrastructure", "type": "botnet", "evidence_source": "traffic_analysis",
        "compromise_evidence": "Talks to a known controller", "evidence": [evidence()],
    }  # fmt: skip
    return {key: value for key, value in {**given, **changes}.items() if value is not ...}


def old(**changes) -> dict:
    """A valid report in version 3."""
    report = {
        "ReportType": "Botnet", "Date": "2026-03-02T11:30:00Z", "Source": {"IP": ADDRESS},
        "Attachment": [{"ContentType": "text/plain", "Data": base64.b64encode(b"seen").decode()}],
    }  # fmt: skip
    reporter = {"ReporterOrg": "Example CERT", "ReporterContactEmail": CONTACT}
    return {"Version": "3.0.0", "ReporterInfo": reporter, "Report": {**report, **changes}}


def as_bytes(report: object) -> bytes:
    return json.dumps(report).encode()


def take_in(report: dict | bytes | None = None, *, door=Door.COMMAND, by=SCHEDULER, at=NOON) -> AbuseReport:
    data = report if isinstance(report, bytes) else as_bytes(report or botnet())
    return abuse_reports.take_in(data, door=door, by=by, at=at).report


def allocate(account: Account, address: str = ADDRESS, *, days: int = 10, to_at=None) -> AddressAllocation:
    """The account holds the address since some days before noon."""
    number = f"{int.from_bytes(bytes(map(int, address.split('.'))), 'big'):032x}"
    return AddressAllocation.objects.create(
        account=account, version=4, first=number, last=number, from_at=NOON - timedelta(days=days), to_at=to_at,
        source="test",
    )  # fmt: skip
