"""What happened to a bundle until now, also after it was built: a signed sheet beside it (requirement R114)."""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from accounts.formats.bag_layout import statement_bytes
from accounts.formats.bundle_content import json_document, plain
from cases.flows import bundles
from cases.flows.bundle_redactor import Redactor
from cases.models import Bundle, BundleReceipt
from cases.rules.redaction import FieldClass
from cases.verbs import Verb
from kyc_portal.records import audit, keys
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import sentence_of

TYPE = "evidence-bundle-custody-1"


def steps(bundle: Bundle) -> list[dict]:
    """Every event about the bundle, oldest first, names as its recipient may see them."""
    show, ref = Redactor(bundle.recipient, frozenset()), RecordRef.of(bundle)
    return [
        {
            "at": event.at, "what": sentence_of(event.verb, event.facts), "event": event.pk,
            "by": event.actor_label if event.actor_kind == "scheduler"
            else show.show(FieldClass.STAFF, event.actor_label, "custody sheet"),
            "sha256": hashlib.sha256(bytes(event.canonical)).hexdigest(),
        }
        for event in AuditEvent.objects.filter(about_label=ref.label, about_key=ref.key).order_by("at", "id")
    ]  # fmt: skip


def sheet(bundle: Bundle, *, at: datetime) -> bytes:
    """The sheet as JSON: every file as custody.json tells of it, each step, the receipt, and our signature.

    Signed is the document without `signature`, as JSON in UTF-8 with sorted keys and no spaces. Raises NotBuilt.
    """
    files = json.loads((bundles.folder_of(bundle) / "data" / "custody.json").read_bytes())["files"]
    receipt = BundleReceipt.objects.filter(bundle=bundle).first()
    key_id, signing_key = keys.signing_key()
    statement = plain({
        "type": TYPE, "bundle": bundle.reference, "witness": bundle.digest, "files": files, "steps": steps(bundle),
        "receipt": {"received_by": receipt.received_by, "received_on": receipt.received_on} if receipt else None,
        "written_at": at, "algorithm": "Ed25519", "key_id": key_id, "public_key": keys.public_key_bytes().hex(),
    })  # fmt: skip
    return json_document({**statement, "signature": signing_key.sign(statement_bytes(statement)).hex()})


def write_sheet(bundle: Bundle, to: Path, *, by: Actor, at: datetime) -> Path:
    """Write the sheet to `to`/<reference>.custody.json. Raises NotBuilt, and PlaceTaken where it cannot be written."""
    target, told = Path(to) / f"{bundle.reference}.custody.json", sheet(bundle, at=at)
    part = target.with_name(f".{target.name}.part")
    try:
        if os.path.lexists(target):
            raise bundles.PlaceTaken(f"{target.name} stands in that folder already. Choose another folder.")
        part.write_bytes(told)
        with one_flow(by):  # no event of a sheet that did not come to be
            named = {"bundle": bundle.reference, "digest": hashlib.sha256(told).hexdigest()}
            audit.record(Verb.CUSTODY_TOLD, bundle, by=by, at=at, within=bundle.case, **named)
            part.rename(target)
    except OSError as error:
        why = error.strerror or "unknown"
        raise bundles.PlaceTaken(f"The sheet cannot be written there: {why}. Choose another folder.") from error
    finally:
        part.unlink(missing_ok=True)
    return target
