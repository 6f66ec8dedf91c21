"""Each night: no file without a row, no row without its file (trust.md TH25).

A file is written before its row commits and deleted by a job after its rows are gone, so a crash can leave one over;
it can never take one that a row still names.
"""

import re
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from accounts.flows.document_files import NAMINGS, named, path_of

NAME = re.compile(r"(?P<sha256>[0-9a-f]{64})(\.page-\d+-of-\d+)?\.sealed\Z")
SETTLED = timedelta(hours=1)  # a younger file may belong to a transaction that is still under way


class FilesMissing(Exception):
    """Rows name files that are not in the store; they must come from a backup."""


def reconcile() -> dict[str, int]:
    """Delete what no row names, and name by row what is missing; returns counts.

    Raises FilesMissing, after everything was looked at, with the references of up to ten rows.
    """
    root, removed = Path(settings.PRIVATE_DIR), 0
    for folder in sorted(root.iterdir()) if root.exists() else []:
        if folder.is_dir() and (subject := _subject(folder)):
            removed += _clear(folder, subject)
    missing = [
        reference
        for naming in NAMINGS
        for reference, subject, sha256 in naming.all()
        if not path_of(subject, sha256).exists()
    ]
    if missing:
        raise FilesMissing(f"{len(missing)} rows have no file: {', '.join(missing[:10])}")
    return {"removed": removed, "missing": 0}


def _subject(folder: Path) -> UUID | None:
    try:
        return UUID(folder.name)
    except ValueError:
        return None  # not ours


def _clear(folder: Path, subject: UUID) -> int:
    """Remove what nobody names from one person's folder, and the folder when it is empty; returns how many files."""
    kept = named(subject)
    latest, removed = time.time() - SETTLED.total_seconds(), 0
    for path in folder.iterdir():
        found = NAME.match(path.name)
        is_ours = found is not None or path.name.startswith(".new-")
        if is_ours and (found is None or found["sha256"] not in kept) and path.stat().st_mtime < latest:
            path.unlink(missing_ok=True)
            removed += 1
    if not kept and not any(folder.iterdir()):
        folder.rmdir()
    return removed
