"""The layout of an evidence bundle, known alike to whoever writes and whoever reads one (requirement R114).

BagIt 1.0 (RFC 8493) with SHA-256 and SHA-512 manifests. `signature.json` stands beside the tag manifests, is not listed
in them (as BagIt allows for tag files), and signs them with Ed25519. Where an authority stamps the bundle, its answer
over `tagmanifest-sha256.txt` is `timestamp.tsr` (RFC 3161), which the signature covers too. Standard library only, so
that a recipient can check a bundle without the portal.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping

ALGORITHMS = ("sha256", "sha512")
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD_MANIFESTS = {f"manifest-{algorithm}.txt": algorithm for algorithm in ALGORITHMS}
TAG_MANIFESTS = {f"tagmanifest-{algorithm}.txt": algorithm for algorithm in ALGORITHMS}
SIGNATURE_FILE = "signature.json"
STAMP_FILE = "timestamp.tsr"
STAMPED = "tagmanifest-sha256.txt"
VERIFIER_FILE = "verify_bundle.py"
REQUIRED = ("bagit.txt", "bag-info.txt", *PAYLOAD_MANIFESTS, *TAG_MANIFESTS, SIGNATURE_FILE)
COVERS = 'This document without the entry "signature", as JSON in UTF-8 with sorted keys and no spaces.'

PORTS = frozenset(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))
DEVICES = frozenset({"con", "prn", "aux", "nul"}) | PORTS
FORBIDDEN_CHARACTERS = frozenset('*?"<>|')
PATH_BYTES = 1000
NAME_BYTES = 255


def shown(raw: str) -> str:
    """Raw text for a message: one line, nothing invisible, 80 characters at most."""
    escaped = (letter if letter.isprintable() and letter != "\\" else ascii(letter)[1:-1] for letter in raw[:80])
    return "".join(escaped)[:80]


def path_fault(path: str) -> str | None:
    """Why a path may not stand in a bundle, or None; `path` is relative to the bundle's root, with forward slashes."""
    parts = path.split("/")
    if path.startswith("/"):
        return "is an absolute path"
    if ".." in parts or "." in parts or any(part.startswith("~") for part in parts):
        return "leads out of the bundle"
    if "\\" in path or ":" in path:
        return "holds a backslash or a drive letter"
    if "%" in path:
        return "holds a percent sign, which can hide a line break"
    if not path.isprintable():
        return "holds an invisible character"
    if unicodedata.normalize("NFC", path) != path:
        return "is not in composed Unicode form (NFC)"
    if (
        any(not part or part != part.strip() or part.endswith(".") for part in parts)
        or set(path) & FORBIDDEN_CHARACTERS
    ):
        return "is not a name that every system can store"
    if any(part.split(".")[0].rstrip().casefold() in DEVICES for part in parts):
        return "is the name of a device"
    if len(path.encode()) > PATH_BYTES or any(len(part.encode()) > NAME_BYTES for part in parts):
        return "is too long"
    return None


class Spellings:
    """Remembers paths, so that none stands twice or differs from another only by case or accent form."""

    def __init__(self):
        self._seen: dict[str, tuple[str, bool]] = {}

    def clash(self, path: str) -> bool:
        """Take in one path (a folder's ends in a slash); True when it or a step of it collides with an earlier path."""
        steps = path.removesuffix("/").split("/")
        for depth in range(1, len(steps) + 1):
            is_file = depth == len(steps) and not path.endswith("/")
            spelling = ("/".join(steps[:depth]), is_file)
            folded = unicodedata.normalize("NFC", spelling[0].casefold())
            earlier = self._seen.get(folded)
            if earlier is None:
                self._seen[folded] = spelling
            elif is_file or earlier != spelling:
                return True
        return False


def signed_statement(key_id: str, public_key: bytes, digests: Mapping[str, str]) -> dict:
    """What a signature says: this key (32 raw bytes) vouches for these files (name to digest)."""
    return {
        "algorithm": "Ed25519",
        "covers": COVERS,
        "key_id": key_id,
        "public_key": public_key.hex(),
        "signed": dict(digests),
        "type": "evidence-bundle-signature-1",
    }


def statement_bytes(statement: Mapping) -> bytes:
    """The bytes that are signed: the statement as JSON with sorted keys and no spaces."""
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def signature_document(statement: Mapping, signature: bytes) -> bytes:
    """The content of `signature.json`: the statement and its signature (64 bytes) in lower-case hexadecimal."""
    return json.dumps({**statement, "signature": signature.hex()}, sort_keys=True, indent=2).encode() + b"\n"
