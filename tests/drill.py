"""Steps of the backup and restore drill (.ci/drill) that need the portal's own code: `python tests/drill.py STEP`."""

import io
import sqlite3
import sys
import time
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.flows import document_files, identification  # noqa: E402
from accounts.flows.closing import close_account  # noqa: E402
from accounts.models import IdentityDocument, Party  # noqa: E402
from kyc_portal.records.acting import acting  # noqa: E402
from kyc_portal.records.models import AuditEvent, SubjectKey, Tombstone  # noqa: E402
from kyc_portal.records.refs import SCHEDULER  # noqa: E402
from kyc_portal.work import queue  # noqa: E402
from tests.builders import make_account, make_open_account, png_bytes  # noqa: E402

LONG_AGO = datetime(2021, 12, 1, 12, tzinfo=UTC)
CUSTOMERS = 10
NOTE = Path(settings.LOCAL_DIR) / "who-is-purged"


def prepare() -> None:
    """Some customers with a document each, and one who left long ago, so that a purge is due."""
    for number in range(CUSTOMERS):
        party = make_open_account().party
        identification.add_document(
            party, kind="passport", number=f"C01X00T{number:02}", country="DE", file_name="pass.png",
            file=io.BytesIO(png_bytes(party.reference)), by=SCHEDULER, at=timezone.now(),
        )  # fmt: skip
    account = make_open_account(at=LONG_AGO)
    identification.add_document(
        account.party, kind="passport", number="C01X00T48", country="DE", file=io.BytesIO(png_bytes("drill")),
        file_name="pass.png", by=SCHEDULER, at=LONG_AGO,
    )  # fmt: skip
    close_account(account, reason="own_request", by=SCHEDULER, at=LONG_AGO)
    NOTE.write_text(str(account.party_id))


def write() -> None:
    """Take in customers until somebody ends this process."""
    while True:
        party = make_account(at=timezone.now()).party
        identification.add_document(
            party, kind="passport", number="C01X00T47", country="DE", file=io.BytesIO(png_bytes(party.reference)),
            file_name="pass.png", by=SCHEDULER, at=timezone.now(),
        )  # fmt: skip
        NOTE.with_name("writing").touch()  # from here on the backup meets a writer
        time.sleep(0.1)  # busy enough, and a world that is checked and screened in seconds


def count() -> None:
    """Say how much there is."""
    found = {model._meta.verbose_name_plural: model.objects.count() for model in (Party, AuditEvent, Tombstone)}
    print(", ".join(f"{number} {name}" for name, number in found.items()))


def run_jobs() -> None:
    """Do the jobs that are due, as a worker does every few seconds; end with an error when one fails."""
    told = queue.run_due(timezone.now())
    if told["failed"] or told["dead"]:
        sys.exit(f"Jobs failed: {told}.")


def _what_is_left() -> list[bool]:
    """Whether the customer's row, key and files are there."""
    party = uuid.UUID(NOTE.read_text())
    return [
        Party.objects.filter(pk=party).exists(),
        SubjectKey.objects.filter(subject=party).exists(),
        document_files.path_of(party, "0" * 64).parent.exists(),
    ]


def is_purged() -> None:
    """End with an error unless the customer's row, key and files are gone."""
    if any(left := _what_is_left()):
        sys.exit(f"Not purged: row, key and files are there: {left}.")


def is_back() -> None:
    """End with an error unless the backup brought all of the customer back, without which the drill shows nothing."""
    if not all(left := _what_is_left()):
        sys.exit(f"Not restored: row, key and files are there: {left}.")


def read_files() -> None:
    """Open the file of every document; raises FileMissing or KeyProblem for one that does not open."""
    documents = IdentityDocument.objects.exclude(file_sha256="")
    for document in documents:
        document_files.read(document.party_id, document.file_sha256)
    print(f"{len(documents)} documents open")


def copy_sqlite(source: str, target: str) -> None:
    """Copy a database that is being written to, by SQLite's own backup interface."""
    with closing(sqlite3.connect(source)) as living, closing(sqlite3.connect(target)) as copy:
        living.backup(copy)


ALL = (prepare, write, count, run_jobs, is_purged, is_back, read_files, copy_sqlite)
STEPS = {step.__name__.replace("_", "-"): step for step in ALL}

if __name__ == "__main__":
    with acting(SCHEDULER):  # a door: PostgreSQL refuses a change without an actor
        STEPS[sys.argv[1]](*sys.argv[2:])
