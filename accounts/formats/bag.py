"""Write an evidence bundle: BagIt 1.0 (RFC 8493), two digests, signed (requirement R114, test case T25).

Written here rather than by the `bagit` package, which changes the working directory of the whole program, reads every
file twice, takes the day from the clock, and declares version 0.97; that package remains the judge of what is written.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from accounts.formats.bag_layout import (
    ALGORITHMS,
    DECLARATION,
    PAYLOAD_MANIFESTS,
    SIGNATURE_FILE,
    STAMP_FILE,
    STAMPED,
    TAG_MANIFESTS,
    VERIFIER_FILE,
    Spellings,
    path_fault,
    shown,
    signature_document,
    signed_statement,
    statement_bytes,
)
from accounts.formats.bag_verifier import verifier
from kyc_portal.refusal import Refusal

Content = bytes | Iterable[bytes]

OXUM = "Payload-Oxum"
LABEL = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class MeasuredContent:
    """Chunks whose size and digests (hexadecimal, by algorithm) are known once the writer has written them.

    Lets custody.json, written last, list the digests of files that were never in memory as a whole; hashed once.
    """

    def __init__(self, chunks: Iterable[bytes]):
        self._chunks = chunks
        self.size = 0
        self.digests: Mapping[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    @property
    def sha256(self) -> str:
        """In hexadecimal. Raises KeyError while it is not written."""
        return self.digests["sha256"]


class BagRefused(Refusal):
    """The bundle cannot be written as asked; nothing stands under its name."""


@dataclass(frozen=True)
class BagSummary:
    """What was written: payload files and bytes, and the SHA-256 of `tagmanifest-sha256.txt`, which a witness notes."""

    payload_count: int
    payload_bytes: int
    tagmanifest_sha256: str


@dataclass(frozen=True)
class _Written:
    digests: Mapping[str, str]
    size: int


def write_bag(
    folder: Path,
    files: Iterable[tuple[str, Content]],
    info: Mapping[str, str],
    sign: Callable[[bytes], bytes],
    key_id: str,
    public_key: bytes,
    stamp: Callable[[bytes], bytes] | None = None,
) -> BagSummary:
    """Write a signed bundle so that it stands under `folder` whole or not at all.

    `files` gives paths below the payload folder and their content; it is consumed one file and one chunk at a time.
    `info` becomes bag-info.txt in its own order; `Payload-Oxum` is added. `sign` returns an Ed25519 signature that
    `public_key` (32 raw bytes) must confirm. `stamp` is given the bytes of `tagmanifest-sha256.txt` and returns an
    authority's answer over them (RFC 3161), which is kept as `timestamp.tsr`. Equal input gives equal bytes. Raises
    BagRefused; an error of `files` or `stamp` passes through. Neither leaves anything behind.
    """
    info_lines = _info_lines(info)
    with _unfinished(Path(folder)) as part:
        payload = _write_payload(part, files)
        total = sum(written.size for written in payload.values())
        info_lines.append(f"{OXUM}: {total}.{len(payload)}\n")
        tags = {
            "bagit.txt": _write(part / "bagit.txt", DECLARATION),
            "bag-info.txt": _write(part / "bag-info.txt", "".join(info_lines).encode()),
            VERIFIER_FILE: _write(part / VERIFIER_FILE, verifier()),
        }
        tags |= _write_manifests(part, PAYLOAD_MANIFESTS, payload)
        tag_manifests = _write_manifests(part, TAG_MANIFESTS, tags)
        digests = {name: tag_manifests[name].digests[algorithm] for name, algorithm in TAG_MANIFESTS.items()}
        if stamp:
            token = stamp((part / STAMPED).read_bytes())
            digests[STAMP_FILE] = _write(part / STAMP_FILE, token).digests["sha256"]
        _write_signature(part, digests, sign, key_id, public_key)
    return BagSummary(len(payload), total, tag_manifests["tagmanifest-sha256.txt"].digests["sha256"])


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """Give a hidden folder beside the wanted one, to be renamed when the block ends well and removed when it does not.

    Its name is fixed and it is locked while in use, so that a later try clears away what a killed one left behind.
    """
    part = folder.with_name(f".{folder.name}.part")
    part.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _take(part, lock)
        _clear(part)
        if os.path.lexists(folder):
            part.rmdir()
            raise BagRefused(f"A bundle already stands at “{shown(folder.name)}”. Choose another place for this one.")
        try:
            yield part
            _flush_folders(part)
            part.rename(folder)
            _flush(folder.parent)
        except BaseException as error:
            shutil.rmtree(part, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BagRefused(
                    "There is no room left for the bundle. Free some space, then build it again."
                ) from error
            raise
    finally:
        os.close(lock)


def _take(part: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = part.exists() and os.path.samestat(os.fstat(lock), part.stat())
    except BlockingIOError:
        is_ours = False
    if not is_ours:
        raise BagRefused("This bundle is being written already. Wait until that has ended.")


def _clear(part: Path) -> None:
    for entry in list(os.scandir(part)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _flush_folders(part: Path) -> None:
    for folder, _, _ in os.walk(part):
        _flush(Path(folder))


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, content: Content) -> _Written:
    """Write and digest in one pass; the file is on the disk when this returns."""
    digests = {algorithm: hashlib.new(algorithm) for algorithm in ALGORITHMS}
    size = 0
    with path.open("xb") as stream:
        for chunk in (content,) if isinstance(content, bytes) else content:
            stream.write(chunk)
            size += len(chunk)
            for digest in digests.values():
                digest.update(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    written = _Written({algorithm: digest.hexdigest() for algorithm, digest in digests.items()}, size)
    if isinstance(content, MeasuredContent):
        content.size, content.digests = written.size, written.digests
    return written


def _write_payload(part: Path, files: Iterable[tuple[str, Content]]) -> dict[str, _Written]:
    spellings = Spellings()
    payload = {}
    for name, content in files:
        path = f"data/{name}"
        if fault := path_fault(name) or path_fault(path):
            raise BagRefused(f"The file name “{shown(name)}” {fault}. Give the file another name in the bundle.")
        if spellings.clash(path):
            raise BagRefused(f"The bundle would hold “{shown(name)}” twice. Give one of the two another name.")
        (part / path).parent.mkdir(parents=True, exist_ok=True)
        payload[path] = _write(part / path, content)
    if not payload:
        raise BagRefused("The bundle would be empty. Collect at least one file first.")
    return payload


def _write_manifests(part: Path, names: Mapping[str, str], listed: Mapping[str, _Written]) -> dict[str, _Written]:
    manifests = {}
    for name, algorithm in names.items():
        lines = (f"{listed[path].digests[algorithm]}  {path}\n".encode() for path in sorted(listed))
        manifests[name] = _write(part / name, lines)
    return manifests


def _info_lines(info: Mapping[str, str]) -> list[str]:
    for label, value in info.items():
        if not LABEL.fullmatch(label) or label.casefold() == OXUM.casefold():
            raise BagRefused(f"“{shown(label)}” cannot be a label in bag-info.txt. Use letters, digits and hyphens.")
        if not value.strip() or not value.isprintable():
            raise BagRefused(
                f"The value of “{shown(label)}” in bag-info.txt is empty or not one plain line. Correct it."
            )
    return [f"{label}: {value.strip()}\n" for label, value in info.items()]


def _write_signature(
    part: Path, digests: Mapping[str, str], sign: Callable[[bytes], bytes], key_id: str, public_key: bytes
) -> None:
    statement = signed_statement(key_id, public_key, digests)
    signature = sign(statement_bytes(statement))
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, statement_bytes(statement))
    except (InvalidSignature, ValueError):
        raise BagRefused("The signing key and its public key do not belong together. Check the bundle keys.") from None
    _write(part / SIGNATURE_FILE, signature_document(statement, signature))
