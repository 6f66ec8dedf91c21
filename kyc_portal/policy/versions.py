"""Texts of ours in dated versions: the CIP and the privacy notice. Earlier ones stay, because others point to them."""

import hashlib
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Max, Model

from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.refs import Actor

Version = TypeVar("Version", bound=Model)


def add_version(
    model: type[Version], verb: Verb, *, text: str, effective_from: date, by: Actor, at: datetime, **own
) -> Version:
    """Add the next version with the SHA-256 of its text and its event, within the caller's flow."""
    number = (model.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    version = model.objects.create(
        number=number, text=text, sha256=sha256, effective_from=effective_from, approved_by=by.label, approved_at=at,
        **own,
    )  # fmt: skip
    audit.record(verb, version, by=by, at=at, number=number, effective_from=effective_from, sha256=sha256)
    return version


def in_force(model: type[Version], day: date) -> Version | None:
    """The version that was in force on `day`, if one was."""
    return model.objects.filter(effective_from__lte=day).order_by("-effective_from", "-number").first()
