"""The custody sheet tells, signed, what became of a bundle after it was built (R114)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cases.flows import bundle_custody, bundles
from kyc_portal.records import keys
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import make_bundle, make_case
from tests.cases.commands.test_bundle_commands import run
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def bundle(tmp_path, settings, counsel, second_counsel):
    settings.BUNDLE_DIR = tmp_path / "bundles"
    return make_bundle(make_case(), by=counsel, approved_by=second_counsel)


@pytest.fixture
def handed_over(bundle, counsel):
    bundle = bundles.build(bundle, by=SCHEDULER, at=NOON)
    bundles.note_download(bundle, by=counsel, at=LATER)
    bundles.hand_over(bundle, by=counsel, at=LATER)
    bundles.acknowledge(bundle, received_by="Registry", received_on=LATER.date(), by=counsel, at=LATER)
    bundle.refresh_from_db()
    return bundle


def test_it_tells_each_file_and_each_step_after_hand_over_and_receipt(handed_over, tmp_path):
    code, line = run("custody_sheet", handed_over.reference, "--to", tmp_path)

    told = json.loads((tmp_path / f"{handed_over.reference}.custody.json").read_bytes())
    folder = Path(bundles.folder_of(handed_over))
    assert (code, len(line.splitlines())) == (0, 1)
    assert told["witness"] == handed_over.digest
    assert told["files"] == json.loads((folder / "data/custody.json").read_bytes())["files"]
    what = [step["what"].replace(handed_over.reference, "it") for step in told["steps"]]
    assert [each.split(" (")[0] for each in what] == [
        "collected it", "looked at it as its recipient will see it", "approved it", "built it", "downloaded it",
        "handed over it", "recorded the receipt of it",
    ]  # fmt: skip
    assert told["receipt"] == {"received_by": "Registry", "received_on": str(LATER.date())}
    assert AuditEvent.objects.filter(verb="cases.bundle_custody_told").count() == 1

    signature = bytes.fromhex(told.pop("signature"))
    signed = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    Ed25519PublicKey.from_public_bytes(keys.public_key_bytes()).verify(signature, signed)


def test_staff_stay_unnamed_where_the_recipient_may_not_know_them(tmp_path, settings, counsel, second_counsel):
    settings.BUNDLE_DIR = tmp_path / "bundles"
    made = {"ground": "search_warrant", "recipient": "law_enforcement"}
    bundle = make_bundle(make_case(), by=counsel, approved_by=second_counsel, **made)
    bundle = bundles.build(bundle, by=SCHEDULER, at=NOON)

    told = bundle_custody.sheet(bundle, at=LATER).decode()

    assert "carl" not in told and "cora" not in told and "[redacted P4]" in told


def test_it_refuses_what_is_not_built_unknown_or_in_the_way(bundle, tmp_path):
    assert run("custody_sheet", bundle.reference, "--to", tmp_path)[0] == 2
    assert run("custody_sheet", "BDL-2222-2222", "--to", tmp_path)[0] == 2
    bundles.build(bundle, by=SCHEDULER, at=NOON)
    assert run("custody_sheet", bundle.reference, "--to", tmp_path / "nowhere")[0] == 2
    (tmp_path / f"{bundle.reference}.custody.json").write_text("mine")
    assert run("custody_sheet", bundle.reference, "--to", tmp_path)[0] == 2
    assert not AuditEvent.objects.filter(verb="cases.bundle_custody_told").exists()
    assert not list(tmp_path.glob("*.part"))
