"""Say whether an evidence bundle is whole, from a folder or a zip of it (R114, T25; threats TH35, TH36).

A recipient can check without the portal, a database or a network: only the standard library is used, and each bundle
carries these lines as one file (bag_verifier.py). Paths that lead out of the bundle are refused before any content is
read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from accounts.formats.bag_layout import (
    DECLARATION,
    PAYLOAD_MANIFESTS,
    REQUIRED,
    SIGNATURE_FILE,
    STAMP_FILE,
    STAMPED,
    TAG_MANIFESTS,
    Spellings,
    path_fault,
    shown,
    signature_document,
    signed_statement,
    statement_bytes,
)
from accounts.formats.ed25519 import is_valid

WHOLE, TAMPERED, UNREADABLE, KEY_UNKNOWN, NO_WITNESS = range(5)

CHUNK = 1 << 20
READ_ONLY = os.O_RDONLY
for _flag in (
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "O_BINARY",
):  # follow no link, wait on no pipe; not every system has all three
    READ_ONLY |= getattr(os, _flag, 0)
TAG_FILE_LIMIT = 1 << 26  # bytes; a manifest of 250,000 files stays below
ZIP_ENTRY_LIMIT = 250_000
ZIP_RATIO_LIMIT = 200  # unpacked bytes per byte of the zip; access records pack 10 to 40 times
ZIP_RATIO_FREE = 10 << 20  # bytes; what unpacks to less than this cannot fill a disk
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ArithmeticError, RuntimeError, ValueError)
SHA256_IN_DER = (bytes.fromhex("300d06096086480165030402010500"), bytes.fromhex("300b0609608648016503040201"))
MANIFEST_LINE = re.compile(r"([0-9a-f]+)  ([^ ].*)")


@dataclass(frozen=True)
class Verdict:
    """Exit code (0 whole, 1 tampered, 2 unreadable, 3 key unknown, 4 no witness given) and one line that says why."""

    code: int
    line: str


class Fault(Exception):
    """Ends the check with a code and a line; never leaves this module."""

    def __init__(self, code: int, line: str):
        super().__init__(line)
        self.code = code
        self.line = line


def _require_safe_names(names: Iterable[str], place: str) -> None:
    spellings = Spellings()
    for name in names:
        if fault := path_fault(name.removesuffix("/")):
            raise Fault(TAMPERED, f"{place} names “{shown(name)}”, which {fault}.")
        if spellings.clash(name):
            raise Fault(TAMPERED, f"{place} names “{shown(name)}” twice, or two names differ only by case or accents.")


# Where the files are: a folder or a zip ---------------------------------------------------------------------------


class FolderSource:
    """A bundle in a folder; links, devices and pipes in it are refused."""

    def __init__(self, root: Path):
        self._root = root
        self.files: set[str] = set()
        self.folders: set[str] = set()
        self._list(root, "")

    def _list(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            name = prefix + entry.name
            if fault := path_fault(name):  # before going deeper: a folder's name counts as well
                raise Fault(TAMPERED, f"The bundle holds “{shown(name)}”, which {fault}.")
            if entry.is_dir(follow_symlinks=False):
                self.folders.add(name)
                self._list(Path(entry.path), name + "/")
            elif entry.is_file(follow_symlinks=False):
                self.files.add(name)
            else:
                raise Fault(TAMPERED, f"“{shown(name)}” is a link or a device, not a file.")

    def open(self, name: str) -> BinaryIO:
        """Open one listed file; refuse it when it was exchanged for a link or a device since it was listed."""
        handle = os.open(self._root / name, READ_ONLY)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Fault(TAMPERED, f"“{shown(name)}” is a link or a device, not a file.")
        return os.fdopen(handle, "rb")

    def close(self) -> None:
        """Nothing is held open."""


class ZipSource:
    """A bundle in a zip, at its root or inside one folder; links, doubled names, encryption and bombs are refused."""

    def __init__(self, path: Path):
        self._zip = zipfile.ZipFile(path)
        entries = self._zip.infolist()
        try:
            self._require_sane(entries, path.stat().st_size)
        except Fault:
            self._zip.close()
            raise
        first_steps = {entry.filename.split("/")[0] for entry in entries if not entry.is_dir()}
        rooted = len(first_steps) != 1 or any("/" not in entry.filename for entry in entries)
        self._prefix = "" if rooted else f"{first_steps.pop()}/"
        names = [entry.filename.removeprefix(self._prefix) for entry in entries]
        self.files = {name for name in names if name and not name.endswith("/")}
        self.folders = {name.rstrip("/") for name in names if name.endswith("/")}

    @staticmethod
    def _require_sane(entries: list[zipfile.ZipInfo], packed_bytes: int) -> None:
        _require_safe_names((entry.orig_filename for entry in entries), "The zip")
        for entry in entries:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
                raise Fault(TAMPERED, f"“{shown(entry.filename)}” is a link or a device, not a file.")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Fault(UNREADABLE, f"“{shown(entry.filename)}” is packed in a way that is not read here.")
            if entry.flag_bits & 0x1:
                raise Fault(UNREADABLE, f"“{shown(entry.filename)}” is encrypted. Remove the password first.")
        unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > ZIP_ENTRY_LIMIT or unpacked > max(ZIP_RATIO_FREE, ZIP_RATIO_LIMIT * packed_bytes):
            raise Fault(UNREADABLE, "The zip unpacks to far more than a bundle would. It was not read.")

    def open(self, name: str) -> BinaryIO:
        """Open one listed file for streaming."""
        return self._zip.open(self._prefix + name)

    def close(self) -> None:
        """Let go of the zip."""
        self._zip.close()


def _source(path: Path) -> FolderSource | ZipSource:
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise Fault(UNREADABLE, f"There is no bundle at “{shown(path.name)}”.")
    try:
        return ZipSource(path)
    except BROKEN_ZIP:
        raise Fault(UNREADABLE, f"“{shown(path.name)}” is neither a folder nor a readable zip.") from None


def _chunks(source: FolderSource | ZipSource, name: str) -> Iterator[bytes]:
    try:
        with source.open(name) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except BROKEN_ZIP:
        raise Fault(TAMPERED, f"“{shown(name)}” is damaged inside the zip.") from None
    except OSError as error:
        raise Fault(UNREADABLE, f"“{shown(name)}” cannot be read: {error.strerror}.") from None


def _tag_bytes(source: FolderSource | ZipSource, name: str) -> bytes:
    content = bytearray()
    for chunk in _chunks(source, name):
        content += chunk
        if len(content) > TAG_FILE_LIMIT:
            raise Fault(TAMPERED, f"“{shown(name)}” is too long for a file of its kind.")
    return bytes(content)


def _tag_text(source: FolderSource | ZipSource, name: str) -> str:
    try:
        return _tag_bytes(source, name).decode()
    except UnicodeDecodeError:
        raise Fault(TAMPERED, f"“{shown(name)}” is not UTF-8 text.") from None


# What is checked, in this order -----------------------------------------------------------------------------------


def _require_paths_inside(source: FolderSource | ZipSource) -> None:
    """Look at every path that the bundle has or names, before anything else is read."""
    _require_safe_names(sorted(source.files), "The bundle")
    for name in sorted(name for name in source.files if re.fullmatch(r"(tag)?manifest-[^/]*\.txt|fetch\.txt", name)):
        columns = 3 if name == "fetch.txt" else 2
        lines = (line.split(None, columns - 1) for line in _tag_text(source, name).split("\n"))
        _require_safe_names((fields[-1] for fields in lines if len(fields) == columns), f"“{name}”")


def _require_shape(source: FolderSource | ZipSource) -> None:
    missing = [name for name in REQUIRED if name not in source.files]
    if "bagit.txt" in missing and not any(name in source.files for name in PAYLOAD_MANIFESTS):
        raise Fault(UNREADABLE, "This is not a bundle: it has neither a “bagit.txt” nor a manifest.")
    if missing:
        raise Fault(TAMPERED, f"“{missing[0]}” is missing.")
    if _tag_bytes(source, "bagit.txt") != DECLARATION:
        raise Fault(TAMPERED, "“bagit.txt” does not declare a BagIt 1.0 bundle in UTF-8.")
    for name in sorted(source.files):
        is_manifest = "/" not in name and re.match(r"(tag)?manifest-", name)
        if name == "fetch.txt" or (is_manifest and name not in REQUIRED):
            raise Fault(TAMPERED, f"“{shown(name)}” does not belong in a bundle.")
    inhabited = {name[:at] for name in source.files for at, letter in enumerate(name) if letter == "/"}
    if empty := sorted(source.folders - inhabited - {"data"}):
        raise Fault(TAMPERED, f"“{shown(empty[0])}” is an empty folder that no manifest names.")


def _require_signature(source: FolderSource | ZipSource) -> tuple[str, bytes]:
    """Check `signature.json` against the tag manifests; return the key's id and its 32 bytes."""
    raw = _tag_bytes(source, SIGNATURE_FILE)
    try:
        document = json.loads(raw)
        key_id, public_key = document["key_id"], bytes.fromhex(document["public_key"])
        signature, signed = bytes.fromhex(document["signature"]), document["signed"]
        statement = signed_statement(key_id, public_key, signed)
        # Written back and compared, so that no byte of the file is outside of what is checked.
        if not isinstance(key_id, str) or signature_document(statement, signature) != raw:
            raise ValueError("not as written")
        if not is_valid(public_key, statement_bytes(statement), signature):
            raise ValueError("another signature")
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Fault(TAMPERED, f"“{SIGNATURE_FILE}” does not hold a valid signature.") from None
    covered = TAG_MANIFESTS | ({STAMP_FILE: "sha256"} if STAMP_FILE in source.files else {})
    for name, algorithm in covered.items():
        if signed.get(name) != hashlib.new(algorithm, _tag_bytes(source, name)).hexdigest():
            raise Fault(TAMPERED, f"“{name}” is not the one that was signed.")
    if set(signed) != set(covered):
        raise Fault(TAMPERED, f"“{SIGNATURE_FILE}” signs something that is not in the bundle.")
    if STAMP_FILE in covered and not is_stamp_over(_tag_bytes(source, STAMP_FILE), _tag_bytes(source, STAMPED)):
        raise Fault(TAMPERED, f"“{STAMP_FILE}” stamps something else than “{STAMPED}”.")
    return key_id, public_key


def is_stamp_over(token: bytes, message: bytes) -> bool:
    """Whether a time-stamp names the SHA-256 of this message; who gave it is for `openssl ts -verify` to say."""
    digest = hashlib.sha256(message).digest()
    return any(algorithm + b"\x04\x20" + digest in token for algorithm in SHA256_IN_DER)


def _read_manifest(source: FolderSource | ZipSource, name: str, algorithm: str) -> dict[str, str]:
    listed = {}
    *lines, rest = _tag_text(source, name).split("\n")
    for number, line in enumerate(lines, start=1):
        match = MANIFEST_LINE.fullmatch(line)
        if not match or len(match[1]) != 2 * hashlib.new(algorithm).digest_size:
            raise Fault(TAMPERED, f"“{name}”, line {number}, is not a digest and a path.")
        listed[match[2]] = match[1]
    if rest or not lines:
        raise Fault(TAMPERED, f"“{name}” is cut off.")
    return listed


def _require_listed(source: FolderSource | ZipSource, manifests: Mapping[str, str], present: set[str]) -> int:
    """Check that the manifests name exactly the files present, with the right digests; return their bytes in all."""
    listed = {name: _read_manifest(source, name, algorithm) for name, algorithm in manifests.items()}
    for manifest, entries in listed.items():
        if missing := sorted(set(entries) - present):
            raise Fault(TAMPERED, f"“{shown(missing[0])}” is missing, though “{manifest}” lists it.")
        if extra := sorted(present - set(entries)):
            raise Fault(TAMPERED, f"“{shown(extra[0])}” is not listed in “{manifest}”.")
    total = 0
    for path in sorted(present):
        digests = {manifest: hashlib.new(algorithm) for manifest, algorithm in manifests.items()}
        for chunk in _chunks(source, path):
            total += len(chunk)
            for digest in digests.values():
                digest.update(chunk)
        wrong = [manifest for manifest, digest in digests.items() if digest.hexdigest() != listed[manifest][path]]
        if wrong and len(wrong) < len(manifests):
            raise Fault(TAMPERED, f"The manifests disagree about “{shown(path)}”: “{wrong[0]}” has another digest.")
        if wrong:
            raise Fault(TAMPERED, f"“{shown(path)}” was changed: its digest is not the one listed.")
    return total


def _require_oxum(source: FolderSource | ZipSource, total: int, count: int) -> None:
    lines = _tag_text(source, "bag-info.txt").splitlines()
    oxums = [line.partition(":")[2].strip() for line in lines if line.casefold().startswith("payload-oxum")]
    if oxums != [f"{total}.{count}"]:
        raise Fault(TAMPERED, f"“bag-info.txt” does not state the payload of {total} bytes in {count} files.")


def _require_whole(source: FolderSource | ZipSource) -> tuple[str, bytes, int]:
    """Run every check on the bundle itself; return the key's id, the key, and the number of payload files."""
    _require_paths_inside(source)
    _require_shape(source)
    key_id, public_key = _require_signature(source)
    payload = {name for name in source.files if name.startswith("data/")}
    _require_listed(source, TAG_MANIFESTS, source.files - payload - set(TAG_MANIFESTS) - {SIGNATURE_FILE, STAMP_FILE})
    total = _require_listed(source, PAYLOAD_MANIFESTS, payload)
    _require_oxum(source, total, len(payload))
    return key_id, public_key, len(payload)


def verify_bag(
    path: Path, trusted_keys: Mapping[str, bytes] | None, witness_wanted: bool = False, witness: str | None = None
) -> Verdict:
    """Check a bundle in a folder or a zip.

    `trusted_keys` maps key ids to raw Ed25519 public keys (32 bytes) that came by another way than the bundle.
    `witness` is the SHA-256 of `tagmanifest-sha256.txt` as noted elsewhere (cover letter, receipt): it shows a bundle
    exchanged for another one signed with the same key. Raises nothing for a bad bundle.
    """
    try:
        with closing(_source(Path(path))) as source:
            key_id, public_key, count = _require_whole(source)
            noted = hashlib.sha256(_tag_bytes(source, "tagmanifest-sha256.txt")).hexdigest()
        trusted = (trusted_keys or {}).get(key_id)
        if trusted is not None and trusted != public_key:
            raise Fault(TAMPERED, f"“{SIGNATURE_FILE}” holds another key than the trusted “{shown(key_id)}”.")
        if witness is not None and witness.strip().lower() != noted:
            raise Fault(TAMPERED, "“tagmanifest-sha256.txt” is not the one the witness noted.")
        if trusted is None:
            raise Fault(KEY_UNKNOWN, f"Whole, but nobody vouches for its key “{shown(key_id)}”.")
        if witness_wanted and witness is None:
            raise Fault(NO_WITNESS, "Whole and signed with a known key, but no witness was given.")
    except Fault as fault:
        return Verdict(fault.code, fault.line)
    except OSError as error:
        return Verdict(UNREADABLE, f"The bundle cannot be read: {error.strerror}.")
    return Verdict(WHOLE, f"Whole: {count} files, signed with key “{shown(key_id)}”.")


def read_trusted_keys(path: Path) -> dict[str, bytes]:
    """Read a JSON file of key ids and hexadecimal public keys; raises OSError or ValueError when it is not one."""
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document.values()):
        raise ValueError("The key file must map key ids to public keys in hexadecimal.")
    return {key_id: bytes.fromhex(key) for key_id, key in document.items()}


def main(arguments: list[str] | None = None) -> int:
    """Check one bundle from the command line; the exit code is the verdict's."""
    parser = argparse.ArgumentParser(description="Say whether an evidence bundle is whole.")
    parser.add_argument("bundle", type=Path, nargs="?", help="its folder, or a zip of it; without it, this file's own")
    parser.add_argument("--keys", type=Path, help="trusted keys: a JSON file, key id to public key in hexadecimal")
    parser.add_argument("--witness", help="SHA-256 of tagmanifest-sha256.txt as noted elsewhere")
    parser.add_argument("--ask-witness", action="store_true", help="do not call a bundle whole without a witness")
    options = parser.parse_args(arguments)
    try:
        keys = read_trusted_keys(options.keys) if options.keys else None
        bundle = options.bundle or Path(__file__).resolve().parent
        verdict = verify_bag(bundle, keys, options.ask_witness, options.witness)
    except (OSError, ValueError, RecursionError):
        verdict = Verdict(UNREADABLE, "The key file cannot be read.")
    sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every letter of a name
    print(verdict.line)
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
