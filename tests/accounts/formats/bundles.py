"""Builders of evidence bundles, whole and spoilt, for the tests of writing and reading them."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts.formats.bag import write_bag
from accounts.formats.bag_layout import signature_document, signed_statement, statement_bytes
from accounts.formats.bag_reading import verify_bag

KEY_ID = "bundles-2026"
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
TRUSTED = {KEY_ID: PUBLIC_KEY}
FILES = (
    ("facts.json", b'{"case": "C-1"}\n'),
    ("access/records.csv", b"at,address\r\n2026-03-02T10:00:00Z,192.0.2.7\r\n"),
)
INFO = {"Source-Organization": "Example Cloud", "External-Identifier": "B-2026-0001", "Bagging-Date": "2026-03-02"}


def write(folder: Path, files=FILES, info=INFO, sign: Callable[[bytes], bytes] = PRIVATE_KEY.sign, **changes):
    return write_bag(folder, files, info, sign, changes.get("key_id", KEY_ID), changes.get("public_key", PUBLIC_KEY))


def make_bag(parent: Path, **changes) -> Path:
    folder = parent / "B-2026-0001"
    write(folder, **changes)
    return folder


def relist(folder: Path, *, sign_with=PRIVATE_KEY) -> None:
    """Make the tag manifests and the signature fit again, as only the holder of a key can."""
    digests = {}
    for algorithm in ("sha256", "sha512"):
        tags = sorted(
            path.name
            for path in folder.iterdir()
            if path.is_file() and not path.name.startswith("tagmanifest-") and path.name != "signature.json"
        )
        lines = [f"{hashlib.new(algorithm, (folder / name).read_bytes()).hexdigest()}  {name}\n" for name in tags]
        manifest = folder / f"tagmanifest-{algorithm}.txt"
        manifest.write_text("".join(lines))
        digests[manifest.name] = hashlib.new(algorithm, manifest.read_bytes()).hexdigest()
    public_key = sign_with.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    statement = signed_statement(KEY_ID, public_key, digests)
    (folder / "signature.json").write_bytes(signature_document(statement, sign_with.sign(statement_bytes(statement))))


def add_line(folder: Path, path: str, manifest: str = "manifest-sha256.txt") -> None:
    """List one more path in a manifest, with the digest of nothing."""
    digest = hashlib.new(manifest.removesuffix(".txt").rpartition("-")[2]).hexdigest()
    with (folder / manifest).open("a", newline="") as stream:
        stream.write(f"{digest}  {path}\n")


def zipped(folder: Path, target: Path, *, inside: str = "", compression=zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(zipfile.ZipInfo(inside + str(path.relative_to(folder))), path.read_bytes(), compression)
    return target


def verdict_on(path: Path, **changes):
    return verify_bag(path, changes.pop("trusted_keys", TRUSTED), **changes)
