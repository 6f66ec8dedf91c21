"""Bundles spoilt in each way the Library of Congress's conformance suite spoils bags, made here from whole ones (T25).

Each way is signed anew where a holder of the key could do so, so that it is not the signature alone that finds it.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from accounts.formats.bag_layout import TAG_MANIFESTS, signature_document, signed_statement, statement_bytes
from tests.accounts.formats.bundles import KEY_ID, PRIVATE_KEY, PUBLIC_KEY, add_line, relist

TAMPERED, UNREADABLE = 1, 2
OUTSIDE = [
    "../../outside.txt", "data/../../outside.txt", "/etc/passwd", "~/outside.txt", "~root/outside.txt",
    "data/..%2f..%2foutside.txt", "%2e%2e/outside.txt", "data/a%0Ab", "data\\..\\outside.txt", "C:/outside.txt",
    "./data/facts.json",
]  # fmt: skip


def _text(name: str, change: Callable[[str], str], *, signed: bool = True):
    def spoil(folder: Path) -> None:
        (folder / name).write_text(change((folder / name).read_text()))
        if signed:
            relist(folder)

    return spoil


def _bytes(name: str, change: Callable[[bytes], bytes]):
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        relist(folder)

    return spoil


def _path(path: str, manifest: str = "manifest-sha256.txt"):
    def spoil(folder: Path) -> None:
        add_line(folder, path, manifest)
        if manifest.startswith("tag"):
            _sign_again(folder)
        else:
            relist(folder)

    return spoil


def _fetch(line: str):
    def spoil(folder: Path) -> None:
        (folder / "fetch.txt").write_text(line)
        relist(folder)

    return spoil


def _without(name: str):
    return lambda folder: (folder / name).unlink()


def _extra(name: str):
    def spoil(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("extra")

    return spoil


def _link(name: str, target: str):
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return spoil


def _unlisted_tag(folder: Path) -> None:
    """The tag manifests leave `bag-info.txt` out, and that is signed."""
    relist(folder)
    for algorithm in ("sha256", "sha512"):
        manifest = folder / f"tagmanifest-{algorithm}.txt"
        lines = manifest.read_text().splitlines(keepends=True)
        manifest.write_text("".join(line for line in lines if "bag-info.txt" not in line))
    _sign_again(folder)


def _sign_again(folder: Path) -> None:
    digests = {
        name: hashlib.new(each, (folder / name).read_bytes()).hexdigest() for name, each in TAG_MANIFESTS.items()
    }
    statement = signed_statement(KEY_ID, PUBLIC_KEY, digests)
    (folder / "signature.json").write_bytes(signature_document(statement, PRIVATE_KEY.sign(statement_bytes(statement))))


def _unknown_algorithm(folder: Path) -> None:
    shutil.copy(folder / "manifest-sha256.txt", folder / "manifest-crc32.txt")
    relist(folder)


DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
WAYS: dict[str, tuple[int, Callable[[Path], None]]] = {
    "corrupt data file": (TAMPERED, _text("data/facts.json", lambda _: '{"case": "C-2"}\n', signed=False)),
    "corrupt tag file": (TAMPERED, _text("bag-info.txt", lambda text: text + "Contact-Name: X\n", signed=False)),
    "extra file": (TAMPERED, _extra("data/extra.txt")),
    "extra tag file": (TAMPERED, _extra("notes/extra.txt")),
    "missing bagit.txt": (TAMPERED, _without("bagit.txt")),
    "missing data file": (TAMPERED, _without("data/facts.json")),
    "missing payload folder": (TAMPERED, lambda folder: shutil.rmtree(folder / "data")),
    "missing manifest": (TAMPERED, _without("manifest-sha256.txt")),
    "missing tag manifest": (TAMPERED, _without("tagmanifest-sha512.txt")),
    "tag manifest lacks an entry": (TAMPERED, _unlisted_tag),
    "duplicate manifest entry": (TAMPERED, _path("data/facts.json")),
    "duplicate by case": (TAMPERED, _path("data/FACTS.json")),
    "duplicate by Unicode form": (TAMPERED, _path("data/e\u0301.txt")),
    "unknown algorithm": (TAMPERED, _unknown_algorithm),
    "unknown version": (TAMPERED, _text("bagit.txt", lambda _: DECLARED.replace("1.0", "2.0"))),
    "space in the declaration": (TAMPERED, _text("bagit.txt", lambda _: DECLARED.replace(": ", " : "))),
    "no encoding declared": (TAMPERED, _text("bagit.txt", lambda _: DECLARED.splitlines(keepends=True)[0])),
    "byte order mark in bagit.txt": (TAMPERED, _bytes("bagit.txt", lambda data: b"\xef\xbb\xbf" + data)),
    "byte order mark in a manifest": (TAMPERED, _bytes("manifest-sha256.txt", lambda data: b"\xef\xbb\xbf" + data)),
    "UTF-16 manifest": (TAMPERED, _bytes("manifest-sha512.txt", lambda data: data.decode().encode("utf-16"))),
    "manifest not in UTF-8": (TAMPERED, _bytes("manifest-sha256.txt", lambda data: data + b"\xff\n")),
    "wrong Payload-Oxum": (TAMPERED, _text("bag-info.txt", lambda text: text.replace("Oxum: 60.2", "Oxum: 61.2"))),
    "wrong file count": (TAMPERED, _text("bag-info.txt", lambda text: text.replace("Oxum: 60.2", "Oxum: 60.3"))),
    "no Payload-Oxum": (TAMPERED, _text("bag-info.txt", lambda text: text.replace("Payload-Oxum: 60.2\n", ""))),
    "a line without a path": (TAMPERED, _text("manifest-sha256.txt", lambda text: text + "0" * 64 + "\n")),
    "fetch.txt": (TAMPERED, _fetch("https://example.org/x 1 data/facts.json\n")),
    "link to a file outside": (TAMPERED, _link("data/facts.json", "/etc/passwd")),
    "link to a folder outside": (TAMPERED, _link("data/folder", "..")),
    **{f"path {path}": (TAMPERED, _path(path)) for path in OUTSIDE},
    **{f"tag path {path}": (TAMPERED, _path(path, "tagmanifest-sha512.txt")) for path in OUTSIDE[:3]},
    **{f"fetched path {path}": (TAMPERED, _fetch(f"https://example.org/x - {path}\n")) for path in OUTSIDE[:3]},
    "an empty folder": (UNREADABLE, lambda folder: (shutil.rmtree(folder), folder.mkdir())),
}  # fmt: skip
