"""Texts of ours in dated versions: CIP, privacy notice, what people sign. Earlier ones stay: others point there."""

import hashlib
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Max, Model, QuerySet

from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.refs import Actor

Version = TypeVar("Version", bound=Model)


def add_version(
    model: type[Version],
    verb: Verb,
    *,
    text: str,
    effective_from: date,
    kind: str = "",
    by: Actor,
    at: datetime,
    **own,
) -> Version:
    """Add the next version with the SHA-256 of its text and its event, within the caller's flow.

    Texts of several kinds in one table are numbered each by itself.
    """
    own |= {"kind": kind} if kind else {}
    number = (_of_kind(model, kind).aggregate(last=Max("number"))["last"] or 0) + 1
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    version = model.objects.create(
        number=number, text=text, sha256=sha256, effective_from=effective_from, approved_by=by.label, approved_at=at,
        **own,
    )  # fmt: skip
    facts = {"kind": kind} if kind else {}
    audit.record(verb, version, by=by, at=at, number=number, effective_from=effective_from, sha256=sha256, **facts)
    return version


def in_force(model: type[Version], day: date, kind: str = "") -> Version | None:
    """The version that was in force on `day`, if one was."""
    return _of_kind(model, kind).filter(effective_from__lte=day).order_by("-effective_from", "-number").first()


def _of_kind(model: type[Version], kind: str) -> QuerySet:
    return model.objects.filter(kind=kind) if kind else model.objects.all()
