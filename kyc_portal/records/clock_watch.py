"""A clock that jumped must not destroy what is not due: the purge asks here first (trust.md TH24, D11).

The trail cannot tell, because its moments are what a flow was told. So the machine's clock is compared with itself: a
task looks each minute, and the purge before each file. Within one boot the kernel's count of seconds says how far the
clock should have gone; otherwise the gap itself must be small.
"""

import contextlib
import logging
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from kyc_portal.records import audit
from kyc_portal.records.acting import acting, flow
from kyc_portal.records.purge_models import ClockWatch
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal

log = logging.getLogger(__name__)

BETWEEN_WRITES = timedelta(seconds=20)
BETWEEN_QUESTIONS = 5  # seconds; a purge of many files asks before each
_asked: tuple[datetime, float] | None = None  # when the clock was last found steady, and the uptime then
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ClockJumped(Refusal):
    """The clock jumped, or two clocks disagree: what is due cannot be told until somebody has looked."""


class NoJump(Refusal):
    """There is no jump of the clock to confirm."""


def limit() -> timedelta:
    """How far the clock may be off before the purge stops."""
    return timedelta(seconds=settings.CLOCK_JUMP_SECONDS)


def look() -> ClockWatch:
    """Compare the clock with where it was seen last, and write down a jump; outside of other transactions."""
    now, boot, uptime = timezone.now(), _boot(), _uptime()
    with acting(SCHEDULER), transaction.atomic():
        watch, is_new = ClockWatch.objects.select_for_update().get_or_create(
            pk=1, defaults={"seen_at": now, "boot": boot, "uptime": uptime}
        )
        if is_new or not _is_news(watch, now, boot):
            return watch
        if watch.jumped_from is None and abs(_off_by(watch, now, boot, uptime)) > limit():
            watch.jumped_from, watch.jumped_to = watch.seen_at, now
            audit.record(Verb.CLOCK_JUMPED, watch, by=SCHEDULER, at=now, old=watch.seen_at, new=now)
            log.error("the clock jumped; the purge waits until an administrator confirms the clock")
        elif watch.jumped_from and timedelta(0) <= now - watch.jumped_from <= limit():
            watch.jumped_from = watch.jumped_to = None  # put back to where it should be
        watch.seen_at, watch.boot, watch.uptime = now, boot, uptime
        watch.save()
    return watch


def require_steady() -> None:
    """Raise ClockJumped while a jump stands, or while the database's clock and this machine's disagree.

    The database is asked once in a few seconds, and at once when this process sees the clock leave its course.
    """
    global _asked
    now, uptime = timezone.now(), _uptime()
    if _asked is not None:
        gone, passed = (now - _asked[0]).total_seconds(), uptime - _asked[1]
        if 0 <= passed < BETWEEN_QUESTIONS and abs(gone - passed) < 1:
            return
    _asked = None
    watch = look()
    if watch.jumped_from is not None:
        raise ClockJumped(
            f"The clock jumped from {watch.jumped_from:%Y-%m-%d %H:%M} to {watch.jumped_to:%Y-%m-%d %H:%M} UTC. "
            "Nothing is destroyed until it is right again, or an administrator confirms it under Clock."
        )
    if abs(_clock_of_database() - timezone.now()) > limit():
        raise ClockJumped("The database's clock and this machine's differ. Nothing is destroyed until they agree.")
    _asked = now, uptime


@flow
def confirm(*, by: Actor, at: datetime) -> ClockWatch:
    """Say that the clock is right as it stands now; the purge may go on. Raises NoJump when none is known."""
    watch = ClockWatch.objects.select_for_update().filter(pk=1, jumped_from__isnull=False).first()
    if watch is None:
        raise NoJump("The clock did not jump. There is nothing to confirm.")
    old, new = watch.jumped_from, watch.jumped_to
    watch.jumped_from = watch.jumped_to = None
    watch.seen_at, watch.boot, watch.uptime = timezone.now(), _boot(), _uptime()
    watch.save()
    audit.record(Verb.CLOCK_CONFIRMED, watch, by=by, at=at, old=old, new=new)
    return watch


def _is_news(watch: ClockWatch, now: datetime, boot: str) -> bool:
    return watch.boot != boot or watch.jumped_from is not None or abs(now - watch.seen_at) >= BETWEEN_WRITES


def _off_by(watch: ClockWatch, now: datetime, boot: str, uptime: float) -> timedelta:
    """How far the clock is from where it should be. After a start of the machine the whole gap counts: it may have
    been off, or moved while nobody looked, and nobody here can tell."""
    passed = timedelta(seconds=uptime - watch.uptime) if boot and boot == watch.boot else timedelta(0)
    return now - watch.seen_at - passed


def _boot() -> str:
    with contextlib.suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return ""


def _uptime() -> float:
    """Seconds since the machine's start, sleep included; no clock change touches them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _clock_of_database() -> datetime:
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
