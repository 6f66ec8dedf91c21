"""Which format an access log has, by what stands in it and never by its name."""

import codecs
import csv
import io
from typing import Any, BinaryIO

from accounts.formats import azure_activity, cadf, cloudtrail, gcp_audit, own_log
from accounts.formats.access_formats import FORMATS
from accounts.formats.access_lines import REQUIRED, AccessFileRefused
from accounts.formats.json_records import read_records
from accounts.formats.json_text import BLANK, opening
from accounts.formats.packed import unpacked
from accounts.formats.text import shown
from kyc_portal.refusal import Remedy

LOOKED_AT = 1 << 18  # bytes, unpacked
MOST_RECORDS = 50
KNOWN = ", ".join(sorted(FORMATS))

_FITS = {
    "azure-activity": azure_activity.fits,
    "cloudtrail": cloudtrail.fits,
    "gcp-audit": gcp_audit.fits,
    "jsonl": own_log.fits,
    "openstack-cadf": cadf.fits,
}
_OF_LISTS = {
    **dict.fromkeys(azure_activity.LISTS, "azure-activity"),
    **dict.fromkeys(cloudtrail.LISTS, "cloudtrail"),
    **dict.fromkeys(gcp_audit.LISTS, "gcp-audit"),
    **dict.fromkeys(cadf.LISTS, "openstack-cadf"),
}


def recognise(stream: BinaryIO, name: str) -> str:
    """Return the key in FORMATS of a log on a seekable stream, which is read from its start and left there.

    AccessFileRefused, with `name` in it, when the file is none that we know, or looks like more than one.
    """
    stream.seek(0)
    head = unpacked(stream, name).read(LOOKED_AT)
    stream.seek(0)
    place = shown(name)
    if not head.strip(BLANK.encode()):
        raise AccessFileRefused(f"{place} is empty. Give a log file as the service delivered it.")
    text = head.decode("utf-8-sig", errors="replace")
    kinds = _of_json(head, text) if text.lstrip(BLANK)[:1] in ("{", "[") else _of_table(head)
    if not kinds:
        raise AccessFileRefused(f"{place} is none of the access logs we know ({KNOWN}).", Remedy.NAME_FORMAT)
    if len(kinds) > 1:
        raise AccessFileRefused(f"{place} looks like {' and '.join(sorted(kinds))} at once.", Remedy.NAME_FORMAT)
    return kinds.pop()


def _of_json(head: bytes, text: str) -> set[str]:
    """What the first records look like; where there are none, what the list is called."""
    found: set[str] = set()
    try:
        for number, record in enumerate(read_records(io.BufferedReader(io.BytesIO(head)), "", tuple(_OF_LISTS))):
            if number == MOST_RECORDS:
                break
            found |= _of_record(record.value)
    except AccessFileRefused:  # the head breaks off somewhere; its reader will judge the whole
        pass
    kind = _OF_LISTS.get(opening(text, tuple(_OF_LISTS)))
    return found or ({kind} if kind else set())


def _of_record(value: Any) -> set[str]:
    return {kind for kind, fits in _FITS.items() if isinstance(value, dict) and fits(value)}


def _of_table(head: bytes) -> set[str]:
    """Our own table by its header; the names are ASCII, so that any encoding shows them but UTF-16 without a mark."""
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = head.decode("utf-16" if marked else "utf-8-sig", errors="replace").lstrip(BLANK)
    try:
        names = next(csv.reader(text.splitlines()[:1]), [])
    except csv.Error:
        return set()
    return {"csv"} if set(REQUIRED) <= {name.strip().casefold() for name in names} else set()
