"""The parts of an XLSX workbook: looked at before anything is unpacked, refused where they are no plain table.

Only sheets with values are taken: no macros, no links to other files, nothing encrypted, no bomb (trust.md 3 B22).
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import ParseError  # nosec B405

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from accounts.formats.tables import TableRefused

CHUNK = 1 << 16
MOST_PARTS = 500
MOST_BYTES = 600_000_000  # of all parts, unpacked
MOST_RATIO = 200  # unpacked to packed, of a part that is large at all
SMALL = 1_000_000
DIRECTORY = "[Content_Types].xml"
OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NOT_A_WORKBOOK = "The file is no XLSX workbook, or it is damaged. Save it as XLSX or as CSV again."
BUILT_IN_DAYS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
DAY_FORMAT = re.compile(r"[dmy]", re.IGNORECASE)
NOT_PART_OF_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


@dataclass
class Workbook:
    """What a workbook says of itself: its sheets in order, which cell styles show a day, from when days count."""

    sheets: list[tuple[str, str]] = field(default_factory=list)  # name and part
    strings: str = ""
    styles: str = ""
    counts_from_1904: bool = False
    day_styles: frozenset[int] = frozenset()


@contextmanager
def opened(source: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """The parts of a workbook that is sound as a whole; whatever is wrong inside the block is a TableRefused too."""
    source.seek(0)
    if source.read(len(OLD_OR_LOCKED)) == OLD_OR_LOCKED:
        raise TableRefused(
            "The workbook is protected by a password, or of the old XLS kind. Save it as XLSX without a password."
        )
    try:
        with zipfile.ZipFile(source) as parts:
            _require_sound(parts)
            yield parts
    except (zipfile.BadZipFile, zlib.error, ParseError, DefusedXmlException, NotImplementedError, EOFError) as error:
        raise TableRefused(NOT_A_WORKBOOK) from error
    except (KeyError, ValueError, OverflowError, UnicodeError) as error:
        raise TableRefused(NOT_A_WORKBOOK) from error


def _require_sound(parts: zipfile.ZipFile) -> None:
    entries = parts.infolist()
    names = [entry.filename for entry in entries]
    if DIRECTORY not in names:
        raise TableRefused(NOT_A_WORKBOOK)
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise TableRefused("The workbook holds macros. Save it as XLSX without macros.")
    if any("externallinks/" in name.lower() for name in names):
        raise TableRefused("The workbook takes values from other files. Break its links, or save the sheet as CSV.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise TableRefused("The workbook is protected by a password. Save it as XLSX without a password.")
    if len(entries) > MOST_PARTS or len(set(names)) < len(names):
        raise TableRefused("The workbook has too many parts, or one twice. Copy the sheet into a new workbook.")
    if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
        raise TableRefused(NOT_A_WORKBOOK)
    swollen = (each for each in entries if each.file_size > SMALL)
    if sum(entry.file_size for entry in entries) > MOST_BYTES or any(
        each.file_size > MOST_RATIO * max(1, each.compress_size) for each in swollen
    ):
        raise TableRefused("The workbook unpacks to far more than a table needs. Copy the sheet into a new workbook.")


def feed(parts: zipfile.ZipFile, name: str, target) -> Iterator[None]:
    """Parse one part in pieces into `target` (start, end, data); gives control back after each piece.

    What is unpacked is counted as it comes, because a directory may lie.
    """
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    stated, seen = parts.getinfo(name).file_size, 0
    with parts.open(name) as part:
        while piece := part.read(CHUNK):
            seen += len(piece)
            if seen > min(stated, MOST_BYTES):
                raise TableRefused("The workbook unpacks to more than it says. Copy the sheet into a new workbook.")
            parser.feed(piece)
            yield
    parser.close()


class _Elements:
    """Collects the elements of a small part as (name without namespace, attributes without namespaces)."""

    def __init__(self):
        self.found: list[tuple[str, dict]] = []

    def start(self, tag, attributes):
        plain = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        self.found.append((tag.rpartition("}")[2], plain))

    def end(self, tag):
        pass

    def data(self, text):
        pass

    def close(self):
        pass


def _elements(parts: zipfile.ZipFile, name: str) -> list[tuple[str, dict]]:
    if parts.getinfo(name).file_size > 20 * SMALL:
        raise TableRefused("The workbook unpacks to far more than a table needs. Copy the sheet into a new workbook.")
    target = _Elements()
    for _ in feed(parts, name, target):
        pass
    return target.found


def describe(parts: zipfile.ZipFile) -> Workbook:
    """Read what a workbook says of itself; TableRefused for one with macros or links to other files."""
    for tag, given in _elements(parts, DIRECTORY):
        if tag in ("Override", "Default") and "macroEnabled" in given.get("ContentType", ""):
            raise TableRefused("The workbook holds macros. Save it as XLSX without macros.")
    main = next(
        (given["Target"] for tag, given in _elements(parts, "_rels/.rels")
         if tag == "Relationship" and given["Type"].endswith("/officeDocument")),
        "xl/workbook.xml",
    ).lstrip("/")  # fmt: skip
    folder, _, own = main.rpartition("/")
    links = {
        given["Id"]: (given["Type"].rpartition("/")[2], _path(folder, given["Target"]))
        for tag, given in _elements(parts, f"{folder}/_rels/{own}.rels".lstrip("/"))
        if tag == "Relationship"
    }
    if any(kind == "externalLink" for kind, _ in links.values()):
        raise TableRefused("The workbook takes values from other files. Break its links, or save the sheet as CSV.")
    by_kind = dict(links.values())
    found = Workbook(strings=by_kind.get("sharedStrings", ""), styles=by_kind.get("styles", ""))
    for tag, given in _elements(parts, main):
        if tag == "workbookPr":
            found.counts_from_1904 = given.get("date1904", "0") in ("1", "true")
        elif tag == "sheet" and links[given["id"]][0] == "worksheet":
            found.sheets.append((given["name"], links[given["id"]][1]))
    if found.styles:
        found.day_styles = _day_styles(_elements(parts, found.styles))
    return found


def _path(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")


def _day_styles(elements: list[tuple[str, dict]]) -> frozenset[int]:
    """The numbers of the cell styles whose number format shows a day."""
    days, found, is_cell_style, number = set(BUILT_IN_DAYS), set(), False, 0
    for tag, given in elements:
        if tag == "numFmt" and "numFmtId" in given:
            code = NOT_PART_OF_FORMAT.sub("", given.get("formatCode", ""))
            shows_day = bool(DAY_FORMAT.search(code))
            days = days | {int(given["numFmtId"])} if shows_day else days - {int(given["numFmtId"])}
        elif tag in ("cellXfs", "cellStyles", "cellStyleXfs", "dxfs"):
            is_cell_style = tag == "cellXfs"
        elif tag == "xf" and is_cell_style:
            if int(given.get("numFmtId", 0)) in days:
                found.add(number)
            number += 1
    return frozenset(found)
