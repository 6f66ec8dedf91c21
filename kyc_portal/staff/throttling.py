"""Guessing passwords is slowed by account and by address, without locking anybody else out (ASVS 6.3.1, TH7).

Five refused log-ins for one name from one address lock that pair; ten times as many lock the name everywhere, or the
address for every name. A lock ends by itself. Names are kept as keyed fingerprints, addresses until the lock's time is
over (axes deletes them at the next log-in, a task every hour).
"""

import ipaddress
from datetime import datetime

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.keys import fingerprint
from kyc_portal.records.refs import Actor
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.sources import source_of
from kyc_portal.staff.verbs import Verb

WIDER = 10  # how much more is borne from many addresses, or for many names, than from one for one
SHARED = 64  # bits of an IPv6 address that its holder cannot change at will


def name_of(request, credentials) -> str:
    """The fingerprint of the user name typed; equal for upper and lower case, as log-in is."""
    return fingerprint("staff.login", str((credentials or {}).get("username", "")).strip().lower())


def address_of(request) -> str | None:
    """The address the request came from, for IPv6 its network; None when there is none."""
    source = source_of(request)
    if not source:
        return None
    address = ipaddress.ip_address(source)
    if address.version == 6:
        return str(ipaddress.ip_network((address, SHARED), strict=False).network_address)
    return str(address)


class Throttle(AxesDatabaseHandler):
    """Counts refused log-ins of one pair fully, those of one name or one address as a tenth."""

    def get_failures(self, request, credentials=None) -> int:
        since = request.axes_attempt_time - settings.AXES_COOLOFF_TIME
        recent = AccessAttempt.objects.filter(attempt_time__gte=since)
        wide = (
            recent.filter(username=name_of(request, credentials)),
            recent.filter(ip_address=request.axes_ip_address),
        )
        counts = [rows.aggregate(all=Sum("failures_since_start"))["all"] or 0 for rows in wide]
        return max(super().get_failures(request, credentials), *(count // WIDER for count in counts))


def _counts_of(user: StaffMember):
    return AccessAttempt.objects.filter(username=name_of(None, {"username": user.username}))


def is_counted(user: StaffMember) -> bool:
    """Whether log-ins under this name were refused of late, so that there may be a lock to lift."""
    return _counts_of(user).exists()


@flow
def lift(user: StaffMember, *, by: Actor, at: datetime) -> int:
    """Let a person who was locked out try again; returns how many counts were dropped."""
    count, _ = _counts_of(user).delete()
    audit.record(Verb.LOCK_LIFTED, user, by=by, at=at, count=count)
    return count


# --- doors without a name: a customer's link, a code ------------------------------------------------------------------


def _tries(request, door: str):
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    name = fingerprint(f"door.{door}", address_of(request) or "")
    return AccessAttempt.objects.filter(username=name, attempt_time__gte=since)


def is_shut(request, door: str) -> bool:
    """Whether so many tries at this door failed from this address of late that it stays shut for a while.

    As many as for one name from one address at the log-in. No address is kept, only its keyed fingerprint, so that
    tries at a door lock nobody out of the log-in.
    """
    return _tries(request, door).count() >= settings.AXES_FAILURE_LIMIT


def count_failure(request, door: str) -> None:
    """Note that a try at this door failed; it is forgotten as a refused log-in is."""
    AccessAttempt.objects.create(
        username=fingerprint(f"door.{door}", address_of(request) or ""), ip_address=None, failures_since_start=1
    )


def forget_old(*, at: datetime) -> int:
    """Delete counts that no lock rests on any longer; returns how many."""
    return AccessAttempt.objects.filter(attempt_time__lt=at - settings.AXES_COOLOFF_TIME).delete()[0]
