"""The watched folder: abuse reports that others put there as files (setting KYC_ABUSE_REPORTS_DIR; T24).

A file is moved only after its report is stored, so a crash between the two leaves it there and the next round finds
that it came before. What is still being written is left alone.
"""

import contextlib
import logging
import os
import stat
import time
from datetime import datetime
from pathlib import Path

from django.conf import settings

from accounts.formats.text import shown
from cases.flows import abuse_reports
from cases.formats.xarf import ReportRefused
from cases.rules.reports import Door
from kyc_portal.records.refs import Actor

log = logging.getLogger(__name__)

SETTLED_SECONDS = 5  # a younger file may still be written
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
MOST_A_ROUND = 500
MOST_TWINS = 1000
TAKEN, REFUSED = "taken", "refused"


class FilesLeft(Exception):
    """Some files could be neither taken in nor refused; they stay where they are for the next round."""


def take_in_folder(folder: Path, *, by: Actor, at: datetime, now: float | None = None) -> dict[str, int]:
    """Take in every finished file; returns counts of what was new, known and refused.

    Good ones go to taken/, bad ones to refused/ with the reason beside them. Raises FilesLeft, after all were tried,
    when one could not be worked on for a reason that is not its own.
    """
    counts = {"new": 0, "known": 0, "refused": 0}
    latest, failed = (time.time() if now is None else now) - SETTLED_SECONDS, []
    for path in _finished(folder, latest)[:MOST_A_ROUND]:
        try:
            counts[_one(path, by, at)] += 1
        except FileNotFoundError:
            continue  # another worker was first
        except Exception as error:  # told below: one file must not keep the others waiting
            failed.append(type(error).__name__)
            log.exception("An abuse report in the watched folder could not be taken in.")
    if failed:
        raise FilesLeft(f"{len(failed)} files in the folder of abuse reports could not be worked on: {failed[0]}")
    return counts


def _finished(folder: Path, latest: float) -> list[Path]:
    """Plain files that nobody writes any more, the oldest first; links and folders are none of ours."""
    try:
        there = list(folder.iterdir())
    except OSError as error:
        raise FilesLeft(f"The folder of abuse reports cannot be read: {type(error).__name__}") from error
    found = []
    for path in there:
        if path.name.startswith(".") or path.name.lower().endswith(UNFINISHED):
            continue
        with contextlib.suppress(FileNotFoundError):
            seen = path.lstat()
            if stat.S_ISREG(seen.st_mode) and seen.st_mtime <= latest:
                found.append((seen.st_mtime, path.name, path))
    return [path for _, _, path in sorted(found)]


def _one(path: Path, by: Actor, at: datetime) -> str:
    try:
        outcome = abuse_reports.take_in(_bytes_of(path), door=Door.FOLDER, by=by, at=at)
    except ReportRefused as refusal:
        _refuse(path, str(refusal))
        return "refused"
    _move(path, path.parent / TAKEN)
    return "new" if outcome.is_new else "known"


def _bytes_of(path: Path) -> bytes:
    """The file, but no more of it than one byte too many; a link put in its place meanwhile is not followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(settings.ABUSE_REPORT_MAX_BYTES + 1)


def _refuse(path: Path, reason: str) -> None:
    """The reason first: a file in refused/ always has one beside it."""
    target = _free_place(path, path.parent / REFUSED)
    part = target.with_name(f".{target.name}.reason.part")
    part.write_text(f"{shown(path.name)}: {reason}\n", encoding="utf-8", errors="replace")
    os.replace(part, target.with_name(f"{target.name}.reason.txt"))
    os.replace(path, target)


def _move(path: Path, folder: Path) -> None:
    os.replace(path, _free_place(path, folder))


def _free_place(path: Path, folder: Path) -> Path:
    """Where a file of this name may go without taking another one's place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    name = path.name[:200]
    names = (name if not number else f"{number}-{name}" for number in range(MOST_TWINS))
    return next(folder / each for each in names if not (folder / each).exists())
