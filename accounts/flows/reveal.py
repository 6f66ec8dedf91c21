"""Unmask one sealed value, with a reason (requirement R53, trust.md 14.2.6)."""

from datetime import datetime

from django.db import models

from accounts.flows import parties
from accounts.flows.texts import BadField
from accounts.models import (
    Address,
    ContactPoint,
    Discrepancy,
    ExternalAnswer,
    ExternalCheck,
    IdentityDocument,
    OwnershipCertification,
    Party,
    PaymentMethod,
    ZoneReading,
)
from accounts.models.party import ContactKind
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.records.verbs import Verb

# Reasons are codes, because the audit trail holds no free text about people.
REASONS = (
    ("verification", "to verify the customer"),
    ("screening", "to judge a list hit"),
    ("customer_asked", "the customer asked about it"),
    ("legal_request", "for a legal request"),
    ("correction", "to check a correction"),
)

# Which sealed values can be shown at all, by model and field, in the words of the page.
REVEALABLE: dict[type[models.Model], dict[str, str]] = {
    Party: {
        "birth_date": "birth date", "registration_number": "registration number",
        "national_id": "national identification number",
    },
    IdentityDocument: {
        "number": "document number", "mrz": "machine-readable zone", "file_name": "file name",
    },
    PaymentMethod: {
        "identifier": "payment identifier", "holder": "holder of the payment account",
        "customer_number": "customer number at the institution", "transactions": "transactions",
    },
    Address: {"lines": "address", "contact_name": "name of the contact"},
    OwnershipCertification: {"signed_by": "signer"},
    ContactPoint: {"value": "contact"},
    ZoneReading: {"proposal": "zone read off the picture"},
    Discrepancy: {"stated": "stated value", "found": "found value"},
    ExternalCheck: {"question": "question about the identity", "send_customer_to": "address at the verifier"},
    ExternalAnswer: {"body": "whole answer about the identity"},
}  # fmt: skip
MODELS = {model._meta.model_name: model for model in REVEALABLE}


def words_for(record: models.Model, field: str) -> str:
    """What the field is called; "" when there is nothing of that name to show."""
    words = REVEALABLE.get(type(record), {}).get(field, "")
    return ContactKind(record.kind).label if words == "contact" else words


@flow
def reveal(record: models.Model, field: str, *, why: str, by: Actor, at: datetime) -> str:
    """The clear text of one field; the event names the field and the reason. Raises BadField."""
    words = words_for(record, field)
    if not words:
        raise BadField("Field cannot be shown. Go back to the record.")
    if why not in dict(REASONS):
        raise BadField("Reason is missing. Choose one.")
    party = record if isinstance(record, Party) else record.party
    audit.record(
        Verb.REVEALED, party, by=by, at=at, within=parties.account_of(party), field=words, why=dict(REASONS)[why]
    )
    value = getattr(record, field)
    return value.reveal() if value else ""
