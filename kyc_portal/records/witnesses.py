"""Hand checkpoints to places the portal cannot rewrite (trust.md section 5.2, 5).

`file:/path` is a log that only grows, best on another host or with the append-only attribute; `mail:address` a mailbox,
best that of the legal department; `stamp:https://…` an authority for time stamps (stamps.py). A checkpoint speaks for
everything before it, so a witness that missed some is whole again with the next one, and an authority is handed the
newest only. Handing over may be repeated; the verifier does not mind a note it reads twice.
"""

import logging
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models

from kyc_portal.records import stamps
from kyc_portal.records.models import AuditCheckpoint, WitnessedCheckpoint

log = logging.getLogger(__name__)

TRY_AGAIN_AFTER = timedelta(seconds=60)
BETWEEN_MAILS = timedelta(minutes=10)  # checkpoints made meanwhile go together: a mailbox is read by people
BETWEEN_STAMPS = timedelta(minutes=10)  # authorities ask money for many, or refuse them
MOST_AT_ONCE = 500


class WitnessOutOfReach(Exception):
    """At least one witness did not take a checkpoint; what was not taken waits and is tried again."""


def hand_over(*, at: datetime) -> dict[str, int]:
    """Hand every waiting checkpoint to its witness; raises WitnessOutOfReach after all were tried.

    Returns how many were handed over, by kind of witness. Call it outside of a transaction.
    """
    told: dict[str, int] = {}
    failed = []
    for witness in settings.WITNESSES:
        kind, _, place = witness.partition(":")
        try:
            told[kind] = told.get(kind, 0) + _hand_over_to(witness, _KINDS[kind], place, at)
        except (OSError, KeyError, stamps.NoStamp) as error:  # mail servers raise kinds of OSError too
            why = str(error) if isinstance(error, stamps.NoStamp) else type(error).__name__
            log.error("a witness of the kind %s did not take a checkpoint (%s)", kind, why)
            failed.append(kind)
    if failed:
        raise WitnessOutOfReach(", ".join(failed))
    return told


def _hand_over_to(witness: str, give, place: str, at: datetime) -> int:
    """Claim what waits, so that two workers do not hand over the same, give it, and write down that it was taken."""
    waiting = WitnessedCheckpoint.objects.filter(witness=witness, handed_at=None)
    if _handed_lately(witness, _PAUSES.get(give), at):
        return 0
    if waiting.filter(tried_at__gt=at - TRY_AGAIN_AFTER).exists():
        return 0  # another worker is at it, or it failed just now; what was sealed since then waits with it
    is_newest_enough = give is _stamp
    ordered = waiting.order_by("-size" if is_newest_enough else "size").values_list("size", flat=True)
    sizes = list(ordered[: 1 if is_newest_enough else MOST_AT_ONCE])
    free = waiting.filter(models.Q(tried_at=None) | models.Q(tried_at__lte=at - TRY_AGAIN_AFTER))
    if not sizes or free.filter(size__in=sizes).update(tried_at=at) != len(sizes):
        return 0  # another worker is at it; a minute later what it left is free again
    notes = AuditCheckpoint.objects.filter(size__in=sizes).order_by("size").values_list("note", flat=True)
    give(place, list(notes), at)
    taken = waiting.filter(size__lte=sizes[0]) if is_newest_enough else waiting.filter(size__in=sizes)
    return taken.update(handed_at=at)


def _handed_lately(witness: str, pause: timedelta | None, at: datetime) -> bool:
    if pause is None:
        return False
    return WitnessedCheckpoint.objects.filter(witness=witness, handed_at__gt=at - pause).exists()


def _append_to_file(place: str, notes: Sequence[str], at: datetime) -> None:
    """One write to the end of the log, on the disk before it counts; the line of the time is for people."""
    written = "".join(f"\n{at.isoformat(timespec='seconds')}\n{note}" for note in notes).encode()
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        if os.write(descriptor, written) != len(written):
            raise OSError("The log took only a part.")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mail(place: str, notes: Sequence[str], at: datetime) -> None:
    size = notes[-1].split("\n")[1] if notes else "0"
    message = EmailMessage(
        f"{settings.PROVIDER_NAME}: audit trail sealed up to entry {size}",
        "Keep this message. It proves that the audit trail was not changed since; docs/trust.md says how.\n\n"
        + "\n".join(notes),
        to=[place],
    )
    message.send()


def _stamp(place: str, notes: Sequence[str], at: datetime) -> None:
    """The stamp says its own time. A checkpoint that a restored backup cut off has no note, and gets none."""
    for note in notes:
        stamps.obtain(place, note)


_KINDS = {"file": _append_to_file, "mail": _mail, "stamp": _stamp}
_PAUSES = {_mail: BETWEEN_MAILS, _stamp: BETWEEN_STAMPS}


def faults_of(witnesses: Sequence[str]) -> list[str]:
    """What is wrong with a list of witnesses, as sentences."""
    faults = [
        f"“{witness[:80]}” is no witness."
        for witness in witnesses
        if witness.partition(":")[0] not in _KINDS or not witness.partition(":")[2]
    ]
    if len({witness for witness in witnesses if not witness.startswith("stamp:")}) < 2:  # stamps stand in our database
        faults.append("Fewer than two witnesses are named.")
    return faults


def log_files() -> dict[str, Path]:
    """The witnesses that can be read from here."""
    places = [witness.partition(":")[2] for witness in settings.WITNESSES if witness.startswith("file:")]
    return {place: Path(place) for place in places if Path(place).is_file()}
