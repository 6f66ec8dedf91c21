"""A foreign customer from the file they came in to the tombstone they leave, through the doors people use."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import models

from accounts.flows import activation, closing, identification, screening, us_status, verification
from accounts.models import Account, Restriction, RiskSignal
from accounts.rules.us_status import StatusEvidence
from cases.flows import bundles, decisions, legal_requests, review
from cases.models import Case
from cases.rules.request_checks import points_of
from kyc_portal.demo import files
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.outbox import deliver_queued
from kyc_portal.records import audit, retention
from kyc_portal.records.models import SubjectKey, Tombstone
from kyc_portal.records.refs import SCHEDULER, RecordRef
from kyc_portal.work import queue
from tests.builders import make_cip
from tests.cases.builders import approve_seen
from tests.conftest import NOON

CUSTOMERS = (
    "kind,legal_name,external_key,citizenship,birth_date,email,phone,address_lines,address_country,use_countries\n"
    "individual,Zoé Mëridian,K-1,FR,1987-03-04,zoe@meridian.example,+33 1 23 45 67 89,5 Rue Longue,FR,FR\n"
)
WORK = ("RunInstances", "ListInstances", "CreateVolume", "DescribeInstances", "StopInstances", "GetConsoleOutput")


def later(days: int):
    return NOON + timedelta(days=days)


def run(command: str, *arguments) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def world(tmp_path, db):
    """The policy, the sanctions list and the address ranges of a first day."""
    make_cip()
    run("load_watchlist", "ofac-sdn", str(files.write_watchlist(tmp_path / "list", complete=True)))
    run("load_address_ranges", "vpn", str(files.write_vpn_ranges(tmp_path)), "--source", "test")
    run("load_address_ranges", "country", str(files.COUNTRIES), "--source", "test")
    return tmp_path


def take_in(folder: Path) -> Account:
    path = folder / "customers.csv"
    path.write_text(CUSTOMERS, encoding="utf-8")
    run("import_customers", str(path))
    return Account.objects.get(external_key="K-1")


def identify(account: Account, analyst) -> None:
    party = account.party
    us_status.settle_status(party, evidence=StatusEvidence("individual", citizenship="FR"), by=analyst, at=later(0))
    document = identification.add_document(
        party, kind="passport", number="X1234567", country="FR", issued_on=later(-900).date(),
        expires_on=later(2000).date(), file=files.document_image("PASSPORT", ["Zoé Mëridian"]), file_name="p.png",
        by=analyst, at=later(0),
    )  # fmt: skip
    identification.add_payment_method(
        party, kind="card", identifier="tok_99990001", institution="Bank", country="PA", source="salary", by=analyst,
        at=later(0),
    )  # fmt: skip
    started = verification.start(account, party, trigger="opening", by=analyst, at=later(1))
    verification.record_method(
        started, method="photo_document", result="match", matched=["legal_name"], source="seen by video",
        document=document, by=analyst,
        at=later(1),
    )  # fmt: skip
    verification.conclude(started, verified=True, reason="All agrees.", by=analyst, at=later(1))


def test_a_life_from_file_to_tombstone(world, analyst, analyst_user, lead, lead_user, counsel, second_counsel):
    account = take_in(world)
    assert activation.why_not(account, at=later(0))  # nothing is known of them yet

    identify(account, analyst)
    screening.screen_due(by=SCHEDULER, at=later(1))
    account = Account.objects.get(pk=account.pk)
    assert activation.why_not(account, at=later(1)) == []
    activation.activate(account, by=analyst, at=later(1))

    log = files.write_access_log(world, "log", "81.2.69.142", later(2), WORK)
    told = run("import_access_log", "--account", account.reference, "--format", "cloudtrail", str(log))
    assert f"{len(WORK)} new" in told
    assert "taken in before" in run(
        "import_access_log", "--account", account.reference, "--format", "cloudtrail", str(log)
    )
    codes = set(RiskSignal.objects.values_list("code", flat=True))
    assert {"country_conflict", "anonymised_access_only"} <= codes

    case = Case.objects.get(subjects__account=account)
    review.take(case, user=analyst_user, at=later(3))
    review.add_note(case, text="Pays from Panama, comes from a VPN.", by=analyst, at=later(3))
    decision = decisions.propose(
        case, account=account, outcome="suspend", reason="unusual_use", by=analyst, at=later(3)
    )
    with pytest.raises(SecondPersonNeeded):
        decisions.countersign(decision, by=analyst, at=later(3))
    decisions.countersign(decision, by=lead, at=later(4))
    assert Restriction.objects.in_force().get(account=account).level == "suspended"

    deliver_queued(at=later(4))
    assert any("suspended" in message.subject for message in mail.outbox)
    assert not any("VPN" in message.body or "Panama" in message.body for message in mail.outbox)

    request = legal_requests.log_request(
        accounts=[account], authority="Court", authority_reference="7", ground="subpoena",
        received_on=later(5).date(), by=counsel, at=later(5),
    )  # fmt: skip
    legal_requests.validate(request, checked=points_of(request.ground), by=counsel, at=later(5))
    legal_requests.preserve(request, by=counsel, at=later(5))
    bundle = bundles.collect(request.case, ground="subpoena", recipient="court", by=counsel, at=later(6))
    approve_seen(bundle, by=second_counsel, at=later(6))
    target = world / "out"
    target.mkdir()
    run("export_case", request.case.reference, "--to", str(target))
    run("verify_bundle", str(target / bundle.reference))
    facts = "".join(path.read_text() for path in (target / bundle.reference / "data").rglob("*.json"))
    assert "Zoé Mëridian" in facts
    assert json.loads((target / bundle.reference / "signature.json").read_text())

    closing.close_account(account, reason="customer_left", by=lead, at=later(7))
    review.close_case(case, why="decided", by=lead, at=later(7))
    day = later(7 + 740).date()
    held = retention.purge_due(as_of=day, today=day, execute=True, by=SCHEDULER, at=later(7 + 740))
    assert any("HLD-" in reason for _, reason in held.kept), held.kept

    legal_requests.lapse_preservations(on=later(100).date(), by=SCHEDULER, at=later(100))
    review.close_case(request.case, why="answered", by=counsel, at=later(101))
    party_id, ref = account.party_id, RecordRef.of(account)
    end = later(101 + 740)
    before_day = (later(7) + timedelta(days=730)).date()
    kept = retention.purge_due(as_of=before_day, today=before_day, execute=True, by=SCHEDULER, at=end)
    assert not [stone for stone in kept.gone if stone.key == ref.key]
    retention.purge_due(as_of=end.date(), today=end.date(), execute=True, by=SCHEDULER, at=end)

    assert Tombstone.objects.get(key=ref.key).counts["accounts.account"] == 1
    assert not SubjectKey.objects.filter(subject=party_id).exists()
    assert audit.history_of(ref).filter(verb="records.purged").exists()
    queue.run_due(end)
    assert not list(Path(settings.PRIVATE_DIR).glob(f"{party_id}/*"))
    assert not list(rows_that_mention("Mëridian", "zoe@meridian.example", str(party_id)))


def rows_that_mention(*words: str):
    """Every row of every table in which one of these words can be read; trail and jobs keep keys, never names."""
    readable = (models.CharField, models.TextField, models.JSONField)
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, readable)]
        for row in model._base_manager.values(*names) if names else ():
            for name, value in row.items():
                for word in words:
                    if word in str(value) and not (word == words[-1] and model._meta.app_label in ("records", "work")):
                        yield model, name, word
