"""Each night: no folder of a bundle without its row, no built bundle without its folder (trust.md TH25)."""

from cases.flows.bundles import READY, REFERENCE
from cases.models import Bundle
from kyc_portal.records import bundle_folders


class BundlesMissing(Exception):
    """Bundles were built whose folders are not there; they must come from a backup."""


def reconcile() -> dict[str, int]:
    """Delete folders no bundle names, and name the bundles whose folder is missing; returns counts.

    Raises BundlesMissing, after everything was looked at, with up to ten references.
    """
    removed = bundle_folders.remove_unnamed(REFERENCE, lambda name: Bundle.objects.filter(reference=name).exists())
    built = Bundle.objects.filter(state__in=READY).order_by("pk").values_list("reference", flat=True)
    if missing := [reference for reference in built.iterator() if not bundle_folders.is_there(reference)]:
        raise BundlesMissing(f"{len(missing)} bundles have no folder: {', '.join(missing[:10])}")
    return {"removed": removed, "missing": 0}
