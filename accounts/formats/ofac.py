"""The sanctions list of OFAC in its official legacy CSV layout (regulation T8-T12, R35).

Four files without headers: sdn (one row per entry), alt (aliases), add (addresses), sdn_comments (the rest of remarks
that did not fit, cut anywhere, even inside a word). `-0-` means nothing, a Ctrl-Z ends a file, the encoding is UTF-8 or
CP-1252. Rows of alt and add belong to the entry in column 1; column 2 is the row's own number.
"""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accounts.formats.ofac_remarks import Remarks, read_remarks
from accounts.formats.text import shown
from kyc_portal.refusal import Refusal

FILES = {"sdn.csv": 12, "alt.csv": 5, "add.csv": 6, "sdn_comments.csv": 2}
KINDS = {"": "entity", "individual": "individual", "vessel": "vessel", "aircraft": "aircraft"}
LARGEST_FILE = 200_000_000
NULL = "-0-"

_END_OF_FILE = "\x1a"
_ENTRY_NUMBER = re.compile(r"[0-9]{1,12}\Z")


class ListFormatError(Refusal):
    """A file of the list is missing, damaged or not in the expected layout; the text names file and line."""


@dataclass(frozen=True)
class ListEntry:
    """One person, entity, vessel or aircraft on the list, with everything its four files say about it.

    aliases are (name, type) with the types aka, fka, nka and "weak aka" (the quoted nicknames of the remarks);
    addresses are (street, city with state and postal code, country); identifiers are (kind, number, country).
    """

    uid: str
    name: str
    kind: str
    programmes: tuple[str, ...]
    title: str = ""
    remarks: str = ""
    aliases: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[str, str, str], ...] = ()
    birth_dates: tuple[str, ...] = ()
    nationalities: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str, str], ...] = ()
    wallets: tuple[tuple[str, str], ...] = ()
    emails: tuple[str, ...] = ()
    websites: tuple[str, ...] = ()
    genders: tuple[str, ...] = ()


@dataclass(frozen=True)
class SdnList:
    """A whole list as read: its entries, the fingerprint of its four files, rows that belong to no entry here.

    `orphans` are sentences naming file and line. A published list has none; an excerpt may.
    """

    entries: tuple[ListEntry, ...]
    sha256: str
    orphans: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Cells:
    """One row: where it stands, and its cells with nulls emptied."""

    file: str
    line: int
    values: tuple[str, ...]
    raw_last: str


def read_sdn_folder(folder: Path) -> SdnList:
    """Read the four files of a folder, whatever the case of their names.

    ListFormatError names file and line of a missing file, a short row, a NUL, a file cut off in the middle. Rows of a
    later entry than the last one in sdn.csv mean that sdn.csv was cut off; rows of other absent entries are `orphans`.
    """
    contents = {name: _read_bytes(path) for name, path in _find_files(folder).items()}
    rows = {name: list(_read_rows(name, content)) for name, content in contents.items()}
    entries = {}
    for row in rows["sdn.csv"]:
        uid = row.values[0]
        if uid in entries:
            raise ListFormatError(f"sdn.csv, line {row.line}: entry {uid} was already there. Fetch the list again.")
        entries[uid] = row
    if not entries:
        raise ListFormatError("sdn.csv holds no entries. Fetch the list again.")

    orphans = [row for name in FILES if name != "sdn.csv" for row in rows[name] if row.values[0] not in entries]
    _refuse_cut_list(orphans, last=max(int(uid) for uid in entries))
    grouped = {name: _group(rows[name]) for name in FILES if name != "sdn.csv"}
    return SdnList(
        entries=tuple(_build(row, grouped) for row in entries.values()),
        sha256=_fingerprint(contents),
        orphans=tuple(f"{row.file}, line {row.line}: there is no entry {row.values[0]}." for row in orphans),
    )


def folder_sha256(folder: Path) -> str:
    """Return the fingerprint of the four files: names in lower case, lengths and bytes, in fixed order."""
    return _fingerprint({name: _read_bytes(path) for name, path in _find_files(folder).items()})


def _fingerprint(contents: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(f"{name} {len(contents[name])}\n".encode())
        digest.update(contents[name])
    return digest.hexdigest()


def _find_files(folder: Path) -> dict[str, Path]:
    try:
        present = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ListFormatError(f"{shown(folder.name)} is not a readable folder. Name the folder of the list.") from error
    found = {}
    for name in FILES:
        matching = [path for path in present if path.name.lower() == name]
        if not matching:
            raise ListFormatError(
                f"{name} is missing in {shown(folder.name)}. The list consists of {', '.join(FILES)}."
            )
        if len(matching) > 1:
            raise ListFormatError(f"{name} is there twice in different spellings. Remove one of the two.")
        found[name] = matching[0]
    return found


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ListFormatError(f"{shown(path.name)} cannot be read. Check the file and its rights.") from error
    if len(content) > LARGEST_FILE:
        raise ListFormatError(f"{shown(path.name)} is larger than {LARGEST_FILE:,} bytes. Fetch the list again.")
    return content


def _read_rows(name: str, content: bytes) -> Iterator[_Cells]:
    text = _decode(name, content)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            _refuse_cut_row(name, text)
            return
        except csv.Error as error:
            raise ListFormatError(
                f"{name}, line {line}: a quotation mark is not closed, the file may be cut off. Fetch the list again."
            ) from error
        if cells:
            yield _check_row(name, line, cells)
        line = reader.line_num + 1


def _decode(name: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _decode_windows(name, content)
    text, mark, after = text.partition(_END_OF_FILE)
    if mark and after.strip(_END_OF_FILE + "\r\n"):
        line = text.count("\n") + 1
        raise ListFormatError(f"{name}, line {line}: the file ends there, yet more follows. Fetch the list again.")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ListFormatError(f"{name}, line {line}: holds a NUL character. Fetch the list again.")
    return text


def _decode_windows(name: str, content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ListFormatError(
            f"{name}, line {line}: neither UTF-8 nor CP-1252 (byte 0x{content[error.start]:02X}). Fetch the list again."
        ) from error


def _refuse_cut_row(name: str, text: str) -> None:
    """A last row without a line end is whole only if its last cell is seen to end."""
    if text and not text.endswith(("\n", "\r")) and not text.rstrip().endswith(('"', NULL)):
        line = text.count("\n") + 1
        raise ListFormatError(f"{name}, line {line}: the file is cut off there. Fetch the list again.")


def _check_row(name: str, line: int, cells: list[str]) -> _Cells:
    if len(cells) != FILES[name]:
        raise ListFormatError(
            f"{name}, line {line}: {len(cells)} columns instead of {FILES[name]}. Check that the file is in the legacy "
            "layout and complete."
        )
    values = tuple("" if cell.strip() == NULL else cell.strip() for cell in cells)
    if not _ENTRY_NUMBER.match(values[0]):
        raise ListFormatError(
            f'{name}, line {line}: column 1 is "{shown(values[0])}", not the number of an entry. The files have no '
            "header; check the layout."
        )
    if name == "sdn.csv" and values[2].lower() not in KINDS:
        raise ListFormatError(f'{name}, line {line}: the type "{shown(values[2])}" is unknown. Check the layout.')
    if name == "sdn.csv" and not values[1]:
        raise ListFormatError(f"{name}, line {line}: the name is empty. Fetch the list again.")
    # Remarks are cut at a fixed length, so the blanks at their ends belong to the text.
    return _Cells(name, line, values, raw_last="" if cells[-1].strip() == NULL else cells[-1])


def _refuse_cut_list(orphans: list[_Cells], last: int) -> None:
    for row in orphans:
        if int(row.values[0]) > last:
            raise ListFormatError(
                f"{row.file}, line {row.line}: entry {row.values[0]} is not in sdn.csv, which ends at {last} and seems "
                "cut off. Fetch the list again."
            )


def _group(rows: list[_Cells]) -> dict[str, list[_Cells]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row.values[0]].append(row)
    return grouped


def _build(row: _Cells, grouped: dict[str, dict[str, list[_Cells]]]) -> ListEntry:
    uid, name, kind, programmes, title, call_sign = row.values[:6]
    comments = grouped["sdn_comments.csv"].get(uid, [])
    remarks = "".join([row.raw_last, *(comment.raw_last for comment in comments)]).strip()
    found = read_remarks(remarks)
    aliases = [(alias.values[3], alias.values[2]) for alias in grouped["alt.csv"].get(uid, []) if alias.values[3]]
    addresses = [address.values[2:5] for address in grouped["add.csv"].get(uid, []) if any(address.values[2:5])]
    return ListEntry(
        uid=uid,
        name=name,
        kind=KINDS[kind.lower()],
        programmes=tuple(part.strip(" []") for part in programmes.split("] [") if part.strip(" []")),
        title=title,
        remarks=remarks,
        aliases=tuple(dict.fromkeys([*aliases, *found.nicknames])),
        addresses=tuple(addresses),
        identifiers=_identifiers(found, call_sign),
        birth_dates=found.birth_dates,
        nationalities=found.nationalities,
        wallets=found.wallets,
        emails=found.emails,
        websites=found.websites,
        genders=found.genders,
    )


def _identifiers(found: Remarks, call_sign: str) -> tuple[tuple[str, str, str], ...]:
    return (*found.identifiers, ("Call Sign", call_sign, "")) if call_sign else found.identifiers
