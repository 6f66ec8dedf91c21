"""Approve a new version of the provider's written CIP (R1, proposed 15 CFR 7.302)."""

from datetime import date, datetime

from kyc_portal.policy.models import CipVersion
from kyc_portal.policy.verbs import Verb
from kyc_portal.policy.versions import add_version
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
    return add_version(
        CipVersion, Verb.CIP_APPROVED, title=title, text=text, effective_from=effective_from, by=by, at=at
    )
