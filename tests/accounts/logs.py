"""Access logs made up for the tests, in each format."""

import io
import json

from accounts.flows import access_days
from accounts.formats.access_lines import REQUIRED
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON


def event(number, **changes):
    given = {
        "event_id": f"e{number}", "at": f"2026-02-01T{number % 24:02}:00:00Z", "kind": "access", "action": "Login",
        "principal": "user-1", "source": "8.8.8.8", "source_system": "console",
    }  # fmt: skip
    return {**given, **changes}


def jsonl(*events):
    return io.BytesIO("".join(json.dumps(each) + "\n" for each in events).encode())


def csv_file(*events, encoding="utf-8"):
    rows = [",".join(REQUIRED), *(",".join(each[name] for name in REQUIRED) for each in events)]
    return io.BytesIO(("\r\n".join(rows) + "\r\n").encode(encoding))


def cloudtrail(*records):
    return io.BytesIO(json.dumps({"Records": list(records)}).encode())


def roll_up(account):
    """The roll-ups of records that a test wrote by itself."""
    access_days.recount(account, by=SCHEDULER, at=NOON)
