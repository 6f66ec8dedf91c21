"""Where an account was used from in telling days, as fingerprints: around its registration and before its end (R18).

An address says little: it is kept as a fingerprint of itself and of its network, of the few most used ones, and behind
an anonymiser it weighs next to nothing. Made each night for whom access was taken in or whose account ended.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.db.models import F, Q

from accounts.flows import links, parties, seen_before
from accounts.models import AccessBatch, AccessRecord, Account, Party, Restriction
from accounts.rules.closing import GRAVE_LEVELS
from accounts.verbs import Verb
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work import failures

KINDS = ("access_address", "access_network", "access_exit")
LOOKED_BACK = timedelta(days=2)  # of one night over the last, so that a night that failed is made good
NETWORK_BITS = {4: 24, 6: 48}  # what carriers hand to one customer or site, of either kind of address


def network_of(address: str) -> str:
    """The network an address is counted in: /24 of the older kind, /48 of the newer."""
    found = ip_address(address)
    return str(ip_network(f"{address}/{NETWORK_BITS[found.version]}", strict=False))


def values_of_access(account: Account, regime: Regime) -> Iterator[links.Value]:
    """The most used addresses of the telling days with their networks, and exits of anonymisers; a query a window."""
    days, most = regime.days("link_access_days"), regime.whole("link_access_most")
    for first, last in _windows(account, days):
        rows = AccessRecord.objects.public().filter(account=account, at__gte=first, at__lte=last).order_by("-at")
        rows = rows.values_list("address", "anonymiser")[: regime.whole("link_access_records")]
        counted = Counter((str(address), bool(anonymiser)) for address, anonymiser in rows)
        ranked = sorted(counted, key=lambda each: (-counted[each], each))
        for address in [address for address, is_hidden in ranked if not is_hidden][:most]:
            yield "access_address", address
            yield "access_network", network_of(address)
        for address in [address for address, is_hidden in ranked if is_hidden][:most]:
            yield "access_exit", address


def _windows(account: Account, days: timedelta) -> Iterator[tuple[datetime, datetime]]:
    yield account.created_at - days, account.created_at + days
    ends = Restriction.objects.in_force().filter(account=account, level__in=GRAVE_LEVELS)
    moments = [account.closed_at, *ends.values_list("applied_at", flat=True)]
    if ended := min(filter(None, moments), default=None):
        yield ended - days, ended


@flow
def fingerprint_access(account: Account, *, by: Actor, at: datetime) -> bool:
    """Keep where the accounts of this account's customer were used from; whether anything is new.

    The fingerprints of places that are no longer among the most used give way, so that there never are more.
    """
    party, regime = parties.locked(Party(pk=account.party_id)), regime_on(legal_day(at))
    accounts = list(Account.objects.filter(party=party).order_by("created_at", "pk"))
    values = [value for each in accounts for value in values_of_access(each, regime)]
    changed = links.replace_kinds(party, KINDS, values, at=at)
    if changed:
        audit.record(Verb.ACCESS_FINGERPRINTED, party, by=by, at=at, party=party.reference, count=changed)
        seen_before.note_standing([each.pk for each in accounts], by=by, at=at)
    return bool(changed)


def fingerprint_due(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, int]:
    """Each night, by delta: accounts whose telling days access was taken in for, and those that ended just now."""
    since, days = at - LOOKED_BACK, regime_on(legal_day(at)).days("link_access_days")
    batches = AccessBatch.objects.filter(imported_at__gte=since)
    telling = Q(account__created_at__gte=F("at") - days, account__created_at__lte=F("at") + days)
    telling |= Q(account__closed_at__gte=F("at"), account__closed_at__lte=F("at") + days)
    telling |= Q(account__restrictions__level__in=GRAVE_LEVELS, account__restrictions__lifted_at__isnull=True)
    used = AccessRecord.objects.filter(telling, batch__in=batches).order_by().values("account").distinct()
    stopped = Restriction.objects.in_force().filter(applied_at__gte=since, level__in=GRAVE_LEVELS).values("account")
    rows = Account.objects.filter(Q(pk__in=used) | Q(pk__in=stopped) | Q(closed_at__gte=since))
    rows = rows.filter(last_access_at__isnull=False).order_by("pk")
    act = lambda account: fingerprint_access(account, by=by, at=at)  # noqa: E731
    return failures.sweep("accounts.access_prints", rows.iterator(chunk_size=500), act, at=at)
