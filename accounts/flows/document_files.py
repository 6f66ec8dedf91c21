"""Files of identity documents: sealed under their subject's key, outside every web root, one blob for equal bytes."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import weakref
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import IdentityDocument
from kyc_portal.records.keys import ensure_key, key_of_subject, seal, unseal
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

DELETE_FILE = "accounts.delete_file"
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class FileMissing(Refusal):
    """The row names a file that is not in the store."""


def path_of(subject: UUID, sha256: str) -> Path:
    """Where the sealed bytes lie; the name tells nothing of the person. Raises ValueError for anything but a digest."""
    if not SHA256.match(sha256):
        raise ValueError("A stored file is named by its SHA-256 in 64 hex digits.")
    return _folder_of(subject) / f"{sha256}.sealed"


def _folder_of(subject: UUID) -> Path:
    return Path(settings.PRIVATE_DIR) / str(UUID(str(subject)))


def _place_of(subject: UUID, sha256: str) -> str:
    return f"accounts.identitydocument.file:{subject}:{sha256}"


def store(subject: UUID, data: bytes) -> str:
    """Seal and store a document of `subject`; returns the SHA-256 of the clear bytes.

    To be called in the transaction that writes the row, with the party locked: when that transaction rolls back, the
    file goes too. Bytes that a row of this subject names already are not written again.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    path = path_of(subject, sha256)
    if path.exists() and IdentityDocument.objects.filter(party_id=subject, file_sha256=sha256).exists():
        return sha256
    sealed = seal(ensure_key(subject), data, _place_of(subject, sha256))
    for folder in (path.parent.parent, path.parent):  # a mode counts for the last folder of a call only
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, sealed)
    transaction.on_commit(_Pending(path))
    return sha256


def write_whole(path: Path, sealed: bytes) -> None:
    """Put the bytes in place in one step, so that no reader and no crash ever sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _Pending:
    """A file whose row is not committed yet. The connection holds this object until it commits and calls it, or rolls
    back and forgets it: then the file is removed. The inode tells our file from one written in its place since."""

    def __init__(self, path: Path):
        self._undo = weakref.finalize(self, _remove, path, path.stat().st_ino)

    def __call__(self) -> None:
        self._undo.detach()


def _remove(path: Path, inode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_ino == inode:
            path.unlink()
    with contextlib.suppress(OSError):  # other documents of this person keep the folder
        path.parent.rmdir()


def read(subject: UUID, sha256: str) -> bytes:
    """The clear bytes. Raises FileMissing, or KeyProblem when the key is gone or the file was tampered with."""
    try:
        sealed = path_of(subject, sha256).read_bytes()
    except FileNotFoundError:
        raise FileMissing("The file of this document is not in the store. Restore it from the backup.") from None
    return unseal(key_of_subject(subject), sealed, _place_of(subject, sha256))


def ask_deletion(subject: UUID, *, at: datetime) -> None:
    """Have every file of a subject deleted once the caller's transaction, which destroys the rows, has committed."""
    queue.ask(DELETE_FILE, key=str(subject), due_at=at, at=at)


def delete_file(key: str, *, by: Actor, at: datetime) -> None:
    """The job: `key` is a subject, or subject/digest; viewing copies go along. A file that a row still names stays."""
    subject, _, sha256 = key.partition("/")
    rows = IdentityDocument.objects.filter(party_id=UUID(subject)).exclude(file_sha256="")
    if sha256:
        if not rows.filter(file_sha256=sha256).exists():
            for path in _folder_of(UUID(subject)).glob(f"{path_of(UUID(subject), sha256).stem}.*"):
                path.unlink(missing_ok=True)
    elif not rows.exists() and _folder_of(UUID(subject)).exists():
        shutil.rmtree(_folder_of(UUID(subject)))
