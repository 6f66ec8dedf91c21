"""Download a built bundle: right, existence, audit, then a zip made while it is sent."""

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone

from cases.flows import bundles
from cases.models import Bundle
from kyc_portal.staff import downloads
from kyc_portal.staff.stepup import require_recent_login

CHUNK = 1 << 20
SAME_DAY = (1980, 1, 1, 0, 0, 0)  # equal bundles give equal zips


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


@require_recent_login
def download(request, reference):
    """The bundle as an attachment; 404 while there is nothing built, or what is there is not what was built."""
    downloads.refuse_other_sites(request)
    if not bundles.REFERENCE.fullmatch(reference):
        raise Http404
    bundle = Bundle.objects.select_related("case").filter(reference=reference).first()
    if bundle is None:
        raise Http404
    try:
        folder = bundles.note_download(bundle, by=request.user.as_actor, at=timezone.now())
    except bundles.NotBuilt as refusal:
        raise Http404(str(refusal)) from None
    answer = StreamingHttpResponse(zipped(folder), content_type="application/zip")
    return downloads.guarded(answer, name=f"{bundle.reference}.zip")
