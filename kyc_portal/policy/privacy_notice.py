"""The notice that says why data is asked for, in dated versions (R23): which one was shown can be told later."""

from datetime import date, datetime

from kyc_portal.policy.models import PrivacyNoticeVersion
from kyc_portal.policy.verbs import Verb
from kyc_portal.policy.versions import add_version, in_force
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
    return add_version(
        PrivacyNoticeVersion, Verb.NOTICE_APPROVED, text=text, effective_from=effective_from, by=by, at=at
    )


def notice_on(day: date) -> PrivacyNoticeVersion:
    """The version in force on `day`; raises NoNotice."""
    version = in_force(PrivacyNoticeVersion, day)
    if version is None:
        raise NoNotice(f"No privacy notice was in force on {day}. Approve one under Policy, privacy notice versions.")
    return version
