"""Each night: no folder of a bundle without its row, no built bundle without its folder (trust.md TH25)."""

import shutil
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from cases.flows.bundles import READY, REFERENCE
from cases.models import Bundle

SETTLED = timedelta(hours=1)  # a younger folder may belong to a transaction that is still under way


class BundlesMissing(Exception):
    """Bundles were built whose folders are not there; they must come from a backup."""


def reconcile() -> dict[str, int]:
    """Delete folders no bundle names, and name the bundles whose folder is missing; returns counts.

    Raises BundlesMissing, after everything was looked at, with up to ten references.
    """
    root, removed = Path(settings.BUNDLE_DIR), 0
    latest = time.time() - SETTLED.total_seconds()
    for folder in sorted(root.iterdir()) if root.exists() else []:
        is_old = REFERENCE.fullmatch(folder.name) and folder.lstat().st_mtime < latest
        if is_old and not Bundle.objects.filter(reference=folder.name).exists():
            shutil.rmtree(folder)
            removed += 1
    built = Bundle.objects.filter(state__in=READY).order_by("pk").values_list("reference", flat=True)
    if missing := [reference for reference in built.iterator() if not (root / reference).is_dir()]:
        raise BundlesMissing(f"{len(missing)} bundles have no folder: {', '.join(missing[:10])}")
    return {"removed": removed, "missing": 0}
