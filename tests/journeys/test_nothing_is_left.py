"""One customer's whole story, a purge, and a search for them in everything that is left (trust.md 5.2, 9 to 11)."""

import io
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from accounts.flows import (
    access_log,
    confirming,
    customer_entries,
    customer_links,
    forgetting_verdicts,
    identification,
    objections,
    parties,
    redress,
    restrictions,
    unverified,
    verification,
)
from accounts.flows.intake import NewAddress
from accounts.models import Account
from cases.flows import bundles, decisions, review
from cases.models import Case
from kyc_portal.notices import outbox
from kyc_portal.records import retention, sealing
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job, JobState
from tests.accounts import logs
from tests.builders import make_open_account, make_party, png_bytes
from tests.cases.builders import make_bundle, make_case

CANARIES = (
    "Quintarelli", "Zwetschgen", "Brumbelow", "oxenfjord", "kvintus77", "Hagestolz", "Pfefferminzbank",
    "Trompetenerbe", "XQ7733199", "0171998877", "DE89370400440532013000", "principal-zurrli", "86.75.30.9",
    "logbuch-zurrli", "Schnurrbart", "Kabeljau", "Mondkalb",
    "Federboa", "9988777", "Wunderkammer", "Kuckucksuhr",
)  # fmt: skip


def story(now, analyst_user, lead, counsel, second_counsel) -> Account:
    """Everything the portal keeps of a person, with a word of its own in every field that takes free text."""
    at = now - timedelta(days=1500)
    where = NewAddress(kind="residence", lines="7 Zwetschgen Lane", region="Brumbelow", country="DE")
    use = NewAddress(kind="use_location", lines="", region="", country="DE")
    account = make_open_account(
        at=at, legal_name="Quintarelli Oxenfjord", email="kvintus77@customer.example", phone="+491719988776",
        national_id="XQ7733199", addresses=(where, use),
    )  # fmt: skip
    party, by = account.party, analyst_user.as_actor
    parties.add_name(party, kind="alias", name="Hagestolz", by=by, at=at)
    identification.add_payment_method(
        party, kind="bank", identifier="DE89370400440532013000", institution="Pfefferminzbank", country="DE",
        source="Trompetenerbe", by=by, at=at,
    )  # fmt: skip
    document = identification.add_document(
        party, kind="passport", number="XQ7733199X", country="DE", file=io.BytesIO(png_bytes("Kabeljau")),
        file_name="Kabeljau.png", by=by, at=at,
    )  # fmt: skip
    assert document.file_sha256
    link = customer_links.standing(account)
    customer = customer_links.as_customer(link)
    customer_entries.take(link, "phone", {"kind": "phone", "value": "+491719988777"}, by=customer, at=at)
    attempt = verification.start(account, party, trigger="doubt", by=by, at=at)
    for _ in range(2):
        attempt = verification.conclude(attempt, verified=False, reason="Wunderkammer.", by=by, at=at)
    unverified.propose(attempt, outcome="limited", reason="no_source", explanation="Wunderkammer.", by=by, at=at)
    asked = objections.raise_objection(link, text="I am a Federboa dealer.", by=customer, at=at)
    redress.answer(asked, answer="upheld", why="Their Kuckucksuhr is late.", by=second_counsel, at=at)
    for contact in party.contact_points.all():
        confirming.ask(contact, by=by, at=at)
    again = verification.start(account, party, trigger="doubt", by=by, at=at)
    verification.find_discrepancy(again, field="address", stated="Zwetschgen", found="Mondkalb", by=by, at=at)
    access_log.import_access_lines(
        account,
        logs.jsonl(logs.event(1, at=at.isoformat(), principal="principal-zurrli", source="86.75.30.9")),
        format="jsonl", file_name="logbuch-zurrli.jsonl", by=by, at=at,
    )  # fmt: skip
    restrictions.limit(account, reason="doubt", public_wording="–", basis="D-1", by=lead, at=at)
    case = make_case(account, worked_by=analyst_user, at=at)
    review.add_note(case, text="They wear a Schnurrbart.", by=by, at=at)
    bundle = make_bundle(case, by=counsel, approved_by=second_counsel, at=at)
    bundles.build(bundle, by=SCHEDULER, at=at)
    decision = decisions.propose(case, account=account, outcome="close", reason="unusual_use", by=by, at=at)
    decisions.countersign(decision, by=lead, at=at)
    review.close_case(case, why="decided", by=lead, at=at)
    outbox.deliver_queued(at=at)
    account.refresh_from_db()
    return account


def database_bytes() -> bytes:
    """Everything in the database: the files themselves of SQLite, a dump of PostgreSQL."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        beside = [Path(f"{at['NAME']}{end}") for end in ("", "-wal", "-shm")]
        there = [str(path) for path in beside if path.exists()]
        # Read by another process: closing a file of ours would give up the locks that SQLite holds on it.
        return subprocess.run(["cat", *there], check=True, capture_output=True).stdout
    tool = shutil.which("pg_dump") or str(max(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")))
    command = [tool, "--host", at["HOST"], "--port", str(at["PORT"]), "--username", at["USER"], at["NAME"]]
    return subprocess.run(command, check=True, capture_output=True).stdout


def bytes_below(*folders: Path) -> bytes:
    found = (path for folder in folders if Path(folder).exists() for path in Path(folder).rglob("*") if path.is_file())
    return b"".join(str(path).encode() + path.read_bytes() for path in found)


def seen(haystack: bytes) -> list[str]:
    """The canaries in these bytes, written in any case."""
    low = haystack.lower()
    return [word for word in CANARIES if word.lower().encode() in low]


@pytest.fixture
def own_folders(settings, tmp_path):
    settings.PRIVATE_DIR, settings.BUNDLE_DIR = tmp_path / "documents", tmp_path / "bundles"
    settings.DESTRUCTION_LEDGER = tmp_path / "destructions.jsonl"
    return tmp_path


def test_after_the_purge_nothing_of_the_person_is_found(
    transactional_db, own_folders, caplog, analyst_user, lead, counsel, second_counsel
):
    caplog.set_level("DEBUG")
    now = timezone.now()
    account = story(now, analyst_user, lead, counsel, second_counsel)
    sealing.seal_pending()
    before = {*seen(database_bytes()), *seen(bytes_below(own_folders))}
    assert {"Quintarelli", "Hagestolz", "Pfefferminzbank", "principal-zurrli", "86.75.30.9"} <= before

    for _ in range(2):  # the case goes first, then the account it spoke of
        today = legal_day(now)
        report = retention.purge_due(as_of=today, today=today, execute=True, by=SCHEDULER, at=now)
        assert report.failed == []
    queue.run_due(now + timedelta(minutes=1), by=SCHEDULER)
    forgetting_verdicts.forget_unnamed(by=SCHEDULER, at=now)
    sealing.seal_pending()
    retention.destroying.forget_old_pages()

    assert not Account.objects.exists() and not Case.objects.exists(), report.kept
    assert Tombstone.objects.filter(name=account.reference).exists()
    assert not Job.objects.exclude(state=JobState.DONE).exists()
    assert seen(database_bytes()) == []
    assert seen(bytes_below(own_folders, django_settings.BROKER_DIR)) == []
    assert seen(caplog.text.encode()) == []
    assert list((own_folders / "documents").rglob("*")) == []


def test_the_search_finds_what_is_there(transactional_db):
    make_party(legal_name="Quintarelli Oxenfjord")

    assert seen(database_bytes()) == ["Quintarelli", "oxenfjord"]
