"""Where built bundles lie: BUNDLE_DIR/<reference>, whole or not there at all (R113, R114; trust.md TH25).

Whoever builds one works in a hidden folder under a lock, and puts it in place in the transaction that says so; what a
killed worker leaves is cleared away by the next try and is never on offer.
"""

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from kyc_portal.refusal import Refusal

BUILDING = ".building"
SETTLED = timedelta(hours=1)  # a younger folder may belong to a transaction that is still under way


class BeingBuilt(Refusal):
    """Another worker builds this bundle now."""


class NotBuilt(Refusal):
    """There are no files of this bundle, or not the ones that were built."""


@contextmanager
def only_builder(reference: str) -> Iterator[Path]:
    """A working folder for one bundle, for one worker at a time; what a killed one left there is cleared away.

    Raises BeingBuilt.
    """
    room = Path(settings.BUNDLE_DIR) / BUILDING
    for each in (room.parent, room):  # a mode counts for the last folder of a call only
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(room / f"{reference}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(room / reference, ignore_errors=True)
        yield room / reference
    except BlockingIOError:
        raise BeingBuilt(f"{reference} is being built now. Look again in a minute.") from None
    finally:
        os.close(lock)


def spool() -> BinaryIO:
    """A file without a name beside the bundles, gone when it is closed or its process dies."""
    room = Path(settings.BUNDLE_DIR) / BUILDING
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=room)


def put_in_place(folder: Path, reference: str) -> Path:
    """Offer a written bundle; the last step of the transaction that says that it is built."""
    place = Path(settings.BUNDLE_DIR) / reference
    shutil.rmtree(place, ignore_errors=True)  # of a worker that was killed between this step and its commit
    folder.rename(place)
    return place


def folder_of(reference: str, digest: str) -> Path:
    """The folder of a built bundle, whose tag manifest has this SHA-256. Raises NotBuilt when it is not that one."""
    folder = Path(settings.BUNDLE_DIR) / reference
    try:
        noted = hashlib.sha256((folder / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
    except OSError:
        noted = ""
    if folder.is_symlink() or not digest or noted != digest:
        raise NotBuilt(f"The files of {reference} are missing or were changed. Restore them from a backup.")
    return folder


def remove(reference: str) -> None:
    """Remove the folder of a bundle that was purged; the caller has judged that the reference is one of a bundle."""
    folder = Path(settings.BUNDLE_DIR) / reference
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    (Path(settings.BUNDLE_DIR) / BUILDING / f"{reference}.lock").unlink(missing_ok=True)


def remove_unnamed(pattern: re.Pattern, is_named: Callable[[str], bool]) -> int:
    """Delete the settled folders whose name fits `pattern` and that no row names; returns how many."""
    root, removed = Path(settings.BUNDLE_DIR), 0
    latest = time.time() - SETTLED.total_seconds()
    for folder in sorted(root.iterdir()) if root.exists() else []:
        is_old = pattern.fullmatch(folder.name) and folder.lstat().st_mtime < latest
        if is_old and not is_named(folder.name):
            shutil.rmtree(folder)
            removed += 1
    return removed


def is_there(reference: str) -> bool:
    return (Path(settings.BUNDLE_DIR) / reference).is_dir()
