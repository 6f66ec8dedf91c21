"""Back-pressure: how many batches of one key are under way at once, and whether the portal keeps up.

A place is an entry of the cache that all processes share. It runs out by itself, so that a process that was killed
keeps nobody out for long.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.cache import cache

from kyc_portal.api.models import ApiKey
from kyc_portal.api.problems import Problem
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.work.models import Job, JobState


@contextmanager
def place_of(key: ApiKey, at: datetime) -> Iterator[None]:
    """Hold one of the key's places while its batch is taken in; Problem 429 when all are taken, 503 when jobs wait."""
    regime = regime_on(legal_day(at))
    pause = str(regime.whole("access_batch_retry_seconds"))
    if _jobs_wait(regime, at):
        raise Problem(503, "The portal has fallen behind with its work. Send the same again later.", Retry_After=pause)
    name, token = _take(key, regime), secrets.token_hex(8)
    if not name:
        raise Problem(
            429, "As many batches of this key are under way as may be at once. Send the same again later.",
            Retry_After=pause,
        )  # fmt: skip
    cache.set(name, token, timeout=_seconds(regime))
    try:
        yield
    finally:
        if cache.get(name) == token:  # or it ran out, and somebody else has it
            cache.delete(name)


def _take(key: ApiKey, regime: Regime) -> str:
    for number in range(regime.whole("access_batches_at_once")):
        name = f"access-batch:{key.pk}:{number}"
        if cache.add(name, "taken", timeout=_seconds(regime)):
            return name
    return ""


def _seconds(regime: Regime) -> int:
    return regime.whole("access_batch_minutes") * 60


def _jobs_wait(regime: Regime, at: datetime) -> bool:
    since = at - timedelta(minutes=regime.whole("access_jobs_wait_minutes"))
    return Job.objects.filter(state=JobState.WAITING, is_sweep=False, due_at__lt=since).exists()
