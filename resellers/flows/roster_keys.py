"""By what the same customer is found on other rosters: keyed fingerprints (R64). Who shares one is for staff only."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.formats.text import folded
from accounts.rules.numbers import normalised
from kyc_portal.records.keys import fingerprint
from resellers.models import RosterEntry, RosterUpload

KEYS = ("name_key", "email_key", "registration_key")
MOST = 50


def name_key(name: str) -> str:
    """The key that equal names share, however they are typed."""
    return fingerprint("roster name", folded(name))


def email_key(email: str) -> str:
    """The key that all addresses of one mailbox share; "" for none. Raises BadNumber for what is no address."""
    return fingerprint("roster email", normalised("email_root", email)) if email else ""


def registration_key(country: str, number: str) -> str:
    """The key of one number in the registers of one country; "" for none."""
    return fingerprint("roster registration", f"{country} {normalised('document', number)}") if number else ""


def keys_of(*, name: str, country: str, email: str = "", registration_number: str = "") -> dict[str, str]:
    """The three keys of a customer, by their columns."""
    return {
        "name_key": name_key(name), "email_key": _plain_email_key(email),
        "registration_key": registration_key(country, registration_number),
    }  # fmt: skip


def _plain_email_key(email: str) -> str:
    """The same key without parsing an address that was judged before."""
    local, _, domain = email.rpartition("@")
    if not (email.isascii() and local and not local.startswith('"')):
        return email_key(email)
    return fingerprint("roster email", f"{local.split('+')[0] or local}@{domain}".casefold())


@dataclass(frozen=True)
class Duplicates:
    """Rows that share a key with one: other numbers of the same reseller, and rows of other resellers."""

    own: list[RosterEntry]
    elsewhere: list[RosterEntry]


def duplicates_of(entry: RosterEntry) -> Duplicates:
    """Who may be the same customer, at most 50 rows of each kind, the newest first; two queries. For staff only."""
    same = Q(name_key=entry.name_key)
    for key in ("email_key", "registration_key"):
        if getattr(entry, key):
            same |= Q(**{key: getattr(entry, key)})
    rows = RosterEntry.objects.filter(same, from_at__isnull=False).order_by("-from_at", "pk")
    rows = rows.select_related("reseller__account__party")
    own = rows.filter(reseller=entry.reseller_id).exclude(number=entry.number)
    return Duplicates(list(own[:MOST]), list(rows.exclude(reseller=entry.reseller_id)[:MOST]))


def with_others(rows: QuerySet[RosterEntry], keys: Iterable[str] = KEYS) -> QuerySet[RosterEntry]:
    """Those of the rows that share one of these keys with a row of another reseller."""
    shares = Q()
    for key in keys:
        there = RosterEntry.objects.filter(**{key: OuterRef(key)}, from_at__isnull=False)
        there = there.exclude(**{key: ""}).exclude(reseller=OuterRef("reseller"))
        shares |= Q(Exists(there))
    return rows.filter(shares)


def with_own(rows: QuerySet[RosterEntry], keys: Iterable[str] = KEYS) -> QuerySet[RosterEntry]:
    """Those of the rows that share one of these keys with another number of the same reseller."""
    shares = Q()
    for key in keys:
        there = RosterEntry.objects.filter(**{key: OuterRef(key)}, reseller=OuterRef("reseller"), from_at__isnull=False)
        shares |= Q(Exists(there.exclude(**{key: ""}).exclude(number=OuterRef("number"))))
    return rows.filter(shares)


def summary_of(upload: RosterUpload, most: int = 1_000) -> dict[str, dict[str, int]]:
    """How many rows of a file share each key with its reseller's other rows and with other resellers' rows.

    {"name_key": {"own": n, "elsewhere": n}, …}, counted up to `most`; six queries whatever the file. For staff only.
    """
    rows = RosterEntry.objects.filter(upload=upload).order_by()
    return {
        key: {"own": with_own(rows, [key])[:most].count(), "elsewhere": with_others(rows, [key])[:most].count()}
        for key in KEYS
    }
