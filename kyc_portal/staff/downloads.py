"""How a private file leaves the portal: as an attachment that can do nothing, asked for by our own pages alone.

ASVS 3.2.1, 3.5.8 and 5.4.1; names after RFC 6266 and RFC 8187 (trust.md, bad inputs B17 to B20).
"""

import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase

from kyc_portal.staff.browsers import OF_ANOTHER_SITE

LONGEST_NAME = 150
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, signs that turn the text, and what no font can draw
RESERVED = ("CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)))

CHUNK = 1 << 20
SAME_DAY = (1980, 1, 1, 0, 0, 0)  # equal folders give equal zips


def refuse_other_sites(request) -> None:
    """Raise PermissionDenied when a page of another site asks, be it by a link."""
    if request.headers.get("Sec-Fetch-Site") in OF_ANOTHER_SITE:
        raise PermissionDenied("A private file is only given to the portal's own pages.")


def guarded(response: HttpResponseBase, *, name: str = "") -> HttpResponseBase:
    """The answer with what a file may do in a browser: nothing. With a name it is an attachment."""
    response["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    if name:
        response["Content-Disposition"] = disposition(name)
    return response


def disposition(name: str) -> str:
    """The header of an attachment: a plain name for old readers, the full one encoded."""
    full = safe_name(name)
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in full)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"


def safe_name(name: str) -> str:
    """A file name no system stumbles over: no path, no control, no device, not hidden, at most 150 characters."""
    signs = ("_" if unicodedata.category(sign) in UNSEEN or sign in '/\\"<>|:*?' else sign for sign in name)
    whole = unicodedata.normalize("NFC", "".join(signs)).strip(" .")
    stem, dot, ending = whole.rpartition(".")
    if len(whole) > LONGEST_NAME:
        whole = stem[: LONGEST_NAME - len(ending) - 1] + dot + ending if len(ending) < 10 else whole[:LONGEST_NAME]
    if whole.partition(".")[0].strip().upper() in RESERVED:
        whole = f"_{whole}"
    return whole or "document"


class _Outlet:
    """What the zip is written to: keeps what was written until it is taken, and knows how much went by."""

    def __init__(self):
        self._waiting, self._passed = bytearray(), 0

    def write(self, chunk: bytes) -> int:
        self._waiting += chunk
        self._passed += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._passed

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        chunk, self._waiting = bytes(self._waiting), bytearray()
        return chunk


def zipped(folder: Path) -> Iterator[bytes]:
    """A folder as a zip, file by file in the order of names, without ever holding more than a chunk of it."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", SAME_DAY)
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, path.stat().st_size
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                    yield outlet.taken()
    yield outlet.taken()
