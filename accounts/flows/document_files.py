"""Stored files: sealed under their subject's key, outside every web root, one blob for equal bytes of one subject."""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import models, transaction

from accounts.models import IdentityDocument
from kyc_portal.records.keys import ensure_key, key_of_subject, seal, unseal
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

DELETE_FILE = "accounts.delete_file"
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class FileMissing(Refusal):
    """The row names a file that is not in the store."""


@dataclass(frozen=True)
class Naming:
    """Rows that name stored files: the look-ups from such a row to the file's subject and to its SHA-256."""

    model: type[models.Model]
    subject: str
    sha256: str

    def of(self, subject: UUID) -> models.QuerySet:
        """The rows that name files of this subject."""
        return self.model._base_manager.filter(**{self.subject: subject}).exclude(**{self.sha256: ""})

    def all(self) -> Iterator[tuple[str, UUID, str]]:
        """The reference of each row that names a file, with the file's subject and SHA-256; memory stays flat."""
        rows = self.model._base_manager.exclude(**{self.sha256: ""}).order_by("pk")
        return rows.values_list("reference", self.subject, self.sha256).iterator(chunk_size=1000)


NAMINGS = [Naming(IdentityDocument, "party_id", "file_sha256")]


def add_naming(naming: Naming) -> None:
    """Let rows of an app above keep files here; a file that no row names is deleted in the night."""
    if naming not in NAMINGS:
        NAMINGS.append(naming)


def is_named(subject: UUID, sha256: str) -> bool:
    """Whether a row names this file."""
    return any(naming.of(subject).filter(**{naming.sha256: sha256}).exists() for naming in NAMINGS)


def named(subject: UUID) -> set[str]:
    """The SHA-256 of every file of this subject that a row names."""
    return {sha256 for naming in NAMINGS for sha256 in naming.of(subject).values_list(naming.sha256, flat=True)}


def path_of(subject: UUID, sha256: str) -> Path:
    """Where the sealed bytes lie; the name tells nothing of the person. Raises ValueError for anything but a digest."""
    if not SHA256.match(sha256):
        raise ValueError("A stored file is named by its SHA-256 in 64 hex digits.")
    return _folder_of(subject) / f"{sha256}.sealed"


def _folder_of(subject: UUID) -> Path:
    return Path(settings.PRIVATE_DIR) / str(UUID(str(subject)))


def _place_of(subject: UUID, sha256: str) -> str:
    return f"accounts.identitydocument.file:{subject}:{sha256}"


def digest_of(data: bytes) -> str:
    """The name under which these bytes are stored."""
    return hashlib.sha256(data).hexdigest()


def store(subject: UUID, data: bytes) -> str:
    """Seal and store a file of `subject`; returns the SHA-256 of the clear bytes.

    To be called in the transaction that writes the row that names it, with the party or reseller locked: when that
    transaction rolls back, the file goes too. Bytes that a row of this subject names already are not written again.
    """
    sha256 = digest_of(data)
    path = path_of(subject, sha256)
    if path.exists() and is_named(subject, sha256):
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
        raise FileMissing("The file is not in the store. Restore it from the backup.") from None
    return unseal(key_of_subject(subject), sealed, _place_of(subject, sha256))


def ask_deletion(subject: UUID, *, at: datetime) -> None:
    """Have every file of a subject deleted once the caller's transaction, which destroys the rows, has committed."""
    queue.ask(DELETE_FILE, key=str(subject), due_at=at, at=at)


def delete_file(key: str, *, by: Actor, at: datetime) -> None:
    """The job: `key` is a subject, or subject/digest; viewing copies go along. A file that a row still names stays."""
    subject, _, sha256 = key.partition("/")
    folder = _folder_of(UUID(subject))
    if sha256:
        if not is_named(UUID(subject), sha256):
            for path in folder.glob(f"{path_of(UUID(subject), sha256).stem}.*"):
                path.unlink(missing_ok=True)
    elif not named(UUID(subject)) and folder.exists():
        shutil.rmtree(folder)
