"""Make, recognise and revoke the keys of other systems (issue 3, staff access; ASVS 11.4.2).

A key reads kyc_REFERENCE_SECRET. It is shown once; what is kept cannot be turned back into it.
"""

import ipaddress
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hmac import compare_digest

from django.conf import settings
from django.db.models import Q

from kyc_portal.api.models import ApiKey
from kyc_portal.api.scopes import SCOPES
from kyc_portal.api.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import LETTERS, Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.roles import holds_by_role

SECRET_BYTES = 32
TEXT = re.compile(rf"kyc_([{LETTERS}]{{4}})([{LETTERS}]{{4}})_([A-Za-z0-9_-]{{43}})")
MOST_NETWORKS = 20
NOBODYS = ApiKey.digest_of("")  # compared with when there is no such key, so that both cases take the same steps
UNKNOWN = RecordRef("api.apikey", "unknown", "unknown key")
STRANGER = Actor(kind="stranger", key="stranger", label="an unknown API client")


class BadKey(Refusal):
    """A key cannot be made as it was asked for."""


class AlreadyRevoked(Refusal):
    """The key is dead already."""


class NotRecognised(Exception):
    """What was shown is no usable key. `why` is a code for the trail; the answer to the client never tells it."""

    def __init__(self, why: str, key: ApiKey | None = None):
        super().__init__(why)
        self.why, self.key = why, key


@flow
def create_key(
    *, owner: StaffMember, name: str, scopes: Iterable[str], networks: Iterable[str], days: int, by: Actor, at: datetime
) -> ApiKey:
    """Make a key that acts for `owner` for `days` days; the row handed back carries the whole key in `text`, once.

    `networks` are the only places it may be used from ("192.0.2.0/24"); without any, every place. Raises BadKey.
    """
    owner = StaffMember.objects.select_for_update(of=("self",)).get(pk=owner.pk)
    wanted = [code for code in SCOPES if code in set(scopes)]
    if not wanted:
        raise BadKey("Choose at least one scope: without one, a key opens nothing.")
    for code in wanted:
        if not holds_by_role(owner, SCOPES[code].permission):
            raise BadKey(f"{owner.username} may not {SCOPES[code].words} by role. Choose another owner or scope.")
    if not 1 <= days <= settings.API_KEY_MAX_DAYS:
        raise BadKey(f"A key may live 1 to {settings.API_KEY_MAX_DAYS} days. Choose fewer, and make a new one in time.")
    twin = ApiKey.objects.filter(owner=owner, name=name, revoked_at=None, expires_at__gt=at).first()
    if twin is not None:  # a form that is sent again must not leave a second key that nobody knows of
        raise BadKey(f"{owner.username} has a key of this name: {twin.reference}. Revoke it, or choose another name.")

    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey.objects.create(
        name=name, owner=owner, scopes=wanted, networks=_networks(networks), secret_sha256=ApiKey.digest_of(secret),
        created_at=at, created_by=by.label, expires_at=at + timedelta(days=days),
    )  # fmt: skip
    key.text = f"kyc_{key.reference.removeprefix('KEY-').replace('-', '')}_{secret}"
    audit.record(
        Verb.KEY_CREATED, key, by=by, at=at, within=owner, key=key.reference, owner=owner.username,
        scopes=", ".join(wanted), until=key.expires_at.date(),
    )  # fmt: skip
    return key


def _networks(texts: Iterable[str]) -> list[str]:
    texts = list(texts)
    if len(texts) > MOST_NETWORKS:
        raise BadKey(f"Name at most {MOST_NETWORKS} networks for one key.")
    try:
        return [str(ipaddress.ip_network(text)) for text in texts]
    except ValueError:
        raise BadKey("One of the networks is none. Write them like 192.0.2.0/24 or 2001:db8::/32.") from None


@flow
def revoke_key(key: ApiKey, *, by: Actor, at: datetime) -> ApiKey:
    """Make a key dead from its next request on; raises AlreadyRevoked."""
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("owner").get(pk=key.pk)
    if key.revoked_at is not None:
        raise AlreadyRevoked(f"{key.reference} is revoked already.")

    key.revoked_at, key.revoked_by = at, by.label
    key.save(update_fields=["revoked_at", "revoked_by"])
    audit.record(Verb.KEY_REVOKED, key, by=by, at=at, within=key.owner, key=key.reference)
    return key


def recognise(text: str, *, source: str, at: datetime) -> ApiKey:
    """The usable key that this text is; raises NotRecognised. `source` is the client's address, "" when not known.

    Everything is read anew at each request: revoked, run out, an owner who left or lost a role, another network.
    """
    found = TEXT.fullmatch(text)
    rows = ApiKey.objects.select_related("owner")
    key = rows.filter(reference=f"KEY-{found[1]}-{found[2]}").first() if found else None
    is_same = compare_digest(ApiKey.digest_of(found[3] if found else "-"), key.secret_sha256 if key else NOBODYS)
    if key is None or not is_same:
        raise NotRecognised("unknown" if key is None else "wrong_secret", key)
    if key.revoked_at is not None or key.expires_at <= at:
        raise NotRecognised("revoked" if key.revoked_at else "run_out", key)
    if not owner_may(key):
        raise NotRecognised("owner_may_not", key)
    if key.networks and not _is_within(source, key.networks):
        raise NotRecognised("other_network", key)
    return key


def owner_may(key: ApiKey) -> bool:
    """Whether the owner is still here and holds by role what every scope of the key rests on."""
    return all(code in SCOPES and holds_by_role(key.owner, SCOPES[code].permission) for code in key.scopes)


def _is_within(source: str, networks: Iterable[str]) -> bool:
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in networks)


@flow
def note_use(key: ApiKey, *, by: Actor, at: datetime) -> None:
    """Keep the day of the last use: one write a key and day, so that no request waits for another."""
    day = legal_day(at)
    earlier = Q(last_used_on__isnull=True) | Q(last_used_on__lt=day)
    if ApiKey.objects.filter(earlier, pk=key.pk).update(last_used_on=day):
        audit.record(Verb.KEY_USED, key, by=by, at=at, key=key.reference, day=day)


@flow
def note_refusal(refused: NotRecognised, *, by: Actor, at: datetime) -> None:
    """One event for a failed try, about the key if there is one; nothing of what was shown is kept."""
    audit.record(Verb.REFUSED, refused.key or UNKNOWN, by=by, at=at, why=refused.why)
