"""The notice that says why data is asked for, in dated versions (R23): which one was shown can be told later."""

import hashlib
from datetime import date, datetime

from django.db.models import Max

from kyc_portal.policy.models import PrivacyNoticeVersion
from kyc_portal.policy.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class EmptyNotice(Refusal):
    """A notice without text."""


class NoNotice(Refusal):
    """No privacy notice was in force on that day."""


@flow
def approve_notice(*, text: str, effective_from: date, by: Actor, at: datetime) -> PrivacyNoticeVersion:
    """Add the next version; earlier ones stay, because customers were shown them. Raises EmptyNotice."""
    if not text.strip():
        raise EmptyNotice("The privacy notice has no text. Paste the approved wording.")
    number = (PrivacyNoticeVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    version = PrivacyNoticeVersion.objects.create(
        number=number, text=text, sha256=sha256, effective_from=effective_from, approved_by=by.label, approved_at=at
    )
    audit.record(
        Verb.NOTICE_APPROVED, version, by=by, at=at, number=number, effective_from=effective_from, sha256=sha256
    )
    return version


def notice_on(day: date) -> PrivacyNoticeVersion:
    """The version in force on `day`; raises NoNotice."""
    begun = PrivacyNoticeVersion.objects.filter(effective_from__lte=day)
    version = begun.order_by("-effective_from", "-number").first()
    if version is None:
        raise NoNotice(f"No privacy notice was in force on {day}. Approve one under Policy, privacy notice versions.")
    return version
