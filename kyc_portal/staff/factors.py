"""The second factor: who needs one, how its secrets are sealed, and what happens when it changes (ASVS 6.3.3, 6.5)."""

import base64
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings

from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import LogInChanged
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.keys import ensure_key, key_of_subject, seal, unseal
from kyc_portal.records.refs import Actor
from kyc_portal.staff import sessions
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.verbs import Verb

SECRETS = uuid5(NAMESPACE_OID, "mfa.authenticator")  # one key for all secrets of second factors, rotated with the rest
PLACE = "mfa.authenticator.data"
WORDS = {
    (Verb.FACTOR_ADDED, "totp"): "an authenticator app was added",
    (Verb.FACTOR_ADDED, "webauthn"): "a passkey was added",
    (Verb.FACTOR_REMOVED, "totp"): "the authenticator app was removed",
    (Verb.FACTOR_REMOVED, "webauthn"): "a passkey was removed",
    (Verb.CODES_RENEWED, "recovery_codes"): "new recovery codes were made",
}


def sealed(text: str) -> str:
    """A secret as the database keeps it."""
    return base64.b64encode(seal(ensure_key(SECRETS), text.encode(), PLACE)).decode()


def unsealed(text: str) -> str:
    """The secret again; raises KeyProblem when key or text do not fit."""
    return unseal(key_of_subject(SECRETS), base64.b64decode(text), PLACE).decode()


def is_required(user: StaffMember) -> bool:
    """Whether this person must have a second factor, by the setting KYC_MFA_ROLES."""
    roles = set(settings.MFA_ROLES) - {"none"}
    return "all" in roles or (bool(roles) and user.groups.filter(name__in=roles).exists())


def was_used(request) -> bool:
    """Whether this session was opened, or confirmed since, by a second factor of the person or of their provider."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


def methods_of(request, user: StaffMember) -> list[str]:
    """How the person of this session proved who they are, as codes: password, totp, webauthn, provider and so on."""
    return [record.get("type") or record["method"] for record in get_authentication_records(request, user)]


def note_used(request, kind: str) -> None:
    """The person has just proved a factor: by enrolling it, or at the provider of single sign-on."""
    record_authentication(request, request.user, "mfa", type=kind)


@flow
def tell(user: StaffMember, change: str, *, by: Actor, at: datetime) -> None:
    """Write to a person that something about their log-in changed (ASVS 6.3.7)."""
    notice = LogInChanged(username=user.username, change=change)
    outbox.queue_notice(notice, about=user, subject=user.subject, address=user.email, by=by, at=at)


@flow
def note_change(user: StaffMember, verb: Verb, kind: str, *, by: Actor, at: datetime) -> None:
    """Record that a factor came or went, and tell the person."""
    facts = {"kind": kind} if "kind" in verb.facts else {}
    audit.record(verb, user, by=by, at=at, **facts)
    if change := WORDS.get((verb, kind)):
        tell(user, change, by=by, at=at)


@flow
def clear(user: StaffMember, *, by: Actor, at: datetime) -> int:
    """Remove every factor of a person who lost them; they enrol anew at the next log-in. Returns how many went."""
    count, _ = Authenticator.objects.filter(user=user).delete()
    audit.record(Verb.FACTORS_CLEARED, user, by=by, at=at, count=count)
    sessions.end_all(user, reason="factors_cleared", by=by, at=at)
    tell(user, "all second factors were removed by an administrator", by=by, at=at)
    return count
