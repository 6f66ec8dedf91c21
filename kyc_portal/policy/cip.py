"""Approve a new version of the provider's written CIP (R1, proposed 15 CFR 7.302)."""

import hashlib
from datetime import date, datetime

from django.db.models import Max

from kyc_portal.policy.models import CipVersion
from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class EmptyCip(Refusal):
    """A CIP without text."""


@flow
def approve_cip(*, title: str, text: str, effective_from: date, by: Actor, at: datetime) -> CipVersion:
    """Add the next version; earlier versions stay, because verifications point to the one they were done under."""
    if not text.strip():
        raise EmptyCip("The CIP has no text. Paste the approved wording.")
    number = (CipVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    version = CipVersion.objects.create(
        number=number, title=title, text=text, sha256=sha256, effective_from=effective_from,
        approved_by=by.label, approved_at=at,
    )  # fmt: skip
    audit.record(Verb.CIP_APPROVED, version, by=by, at=at, number=number, effective_from=effective_from, sha256=sha256)
    return version
