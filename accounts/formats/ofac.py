"""The two sanctions lists of OFAC in their official legacy CSV layout (regulation T8-T12, R35).

Four files without headers: sdn or cons_prim (one row per entry), alt (aliases), add (addresses), comments (the rest of
remarks that did not fit, cut anywhere, even inside a word). `-0-` means nothing, a Ctrl-Z ends all but the comments,
the encoding is UTF-8 or CP-1252. Rows of alt and add belong to the entry in column 1; column 2 is the row's own number.
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
CONSOLIDATED_FILES = {"cons_prim.csv": 12, "cons_alt.csv": 5, "cons_add.csv": 6, "cons_comments.csv": 2}
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


_Rows = dict[str, list[_Cells]]  # the rows of one file by the entry they belong to


def read_sdn_folder(folder: Path) -> SdnList:
    """Read the list of specially designated nationals: four files of a folder, whatever the case of their names.

    ListFormatError names file and line of a missing file, a short row, a NUL, a file cut off in the middle. A file is
    known to be cut off between two rows when other files have rows of a later entry than its last one, or the mark at
    the end that it lacks; rows of other absent entries are `orphans`.
    """
    return _read_folder(folder, FILES)


def read_consolidated_folder(folder: Path) -> SdnList:
    """Read the consolidated list of all others (cons_prim and so on), as `read_sdn_folder` does."""
    return _read_folder(folder, CONSOLIDATED_FILES)


def folder_sha256(folder: Path) -> str:
    """Return the fingerprint of the four files: names in lower case, lengths and bytes, in fixed order."""
    return _fingerprint({name: _read_bytes(path) for name, path in _find_files(folder, FILES).items()})


def consolidated_sha256(folder: Path) -> str:
    """The same of the consolidated list."""
    return _fingerprint({name: _read_bytes(path) for name, path in _find_files(folder, CONSOLIDATED_FILES).items()})


def _read_folder(folder: Path, files: dict[str, int]) -> SdnList:
    contents = {name: _read_bytes(path) for name, path in _find_files(folder, files).items()}
    primary, *others = files
    rows = {name: list(_read_rows(name, content, primary, files)) for name, content in contents.items()}
    entries = {}
    for row in rows[primary]:
        uid = row.values[0]
        if uid in entries:
            raise ListFormatError(f"{primary}, line {row.line}: entry {uid} was already there. Fetch the list again.")
        entries[uid] = row
    if not entries:
        raise ListFormatError(f"{primary} holds no entries. Fetch the list again.")

    orphans = [row for name in others for row in rows[name] if row.values[0] not in entries]
    _refuse_cut_list(orphans, primary, last=max(int(uid) for uid in entries))
    _refuse_unmarked(contents)
    alt, add, comments = (_group(rows[name]) for name in others)
    return SdnList(
        entries=tuple(_build(row, alt, add, comments) for row in entries.values()),
        sha256=_fingerprint(contents),
        orphans=tuple(f"{row.file}, line {row.line}: there is no entry {row.values[0]}." for row in orphans),
    )


def _fingerprint(contents: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _find_files(folder: Path, files: dict[str, int]) -> dict[str, Path]:
    """The files by their names in fixed order; one of them may be named in the place of its folder."""
    if folder.name.lower() in files and not folder.is_dir():
        folder = folder.parent
    try:
        present = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise ListFormatError(f"{shown(folder.name)} is not a readable folder. Name the folder of the list.") from error
    found = {}
    for name in files:
        matching = [path for path in present if path.name.lower() == name]
        if not matching:
            raise ListFormatError(
                f"{name} is missing in {shown(folder.name)}. The list consists of {', '.join(files)}."
            )
        if len(matching) > 1:
            raise ListFormatError(f"{name} is there twice in different spellings. Remove one of the two.")
        found[name] = matching[0]
    return found


def _refuse_unmarked(contents: dict[str, bytes]) -> None:
    """The publisher ends every file but the comments with a mark; where others have it, one without it was cut off."""
    ends = {name: content.rstrip(b"\r\n").endswith(_END_OF_FILE.encode()) for name, content in contents.items()}
    *marked, _ = ends
    lacking = [name for name in marked if not ends[name]]
    if 0 < len(lacking) < len(marked):
        raise ListFormatError(
            f"{lacking[0]} lacks the mark at its end that other files have, it seems cut off. Fetch the list again."
        )


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ListFormatError(f"{shown(path.name)} cannot be read. Check the file and its rights.") from error
    if len(content) > LARGEST_FILE:
        raise ListFormatError(f"{shown(path.name)} is larger than {LARGEST_FILE:,} bytes. Fetch the list again.")
    return content


def _read_rows(name: str, content: bytes, primary: str, files: dict[str, int]) -> Iterator[_Cells]:
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
            yield _check_row(name, line, cells, files[name], is_entry=name == primary)
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


def _check_row(name: str, line: int, cells: list[str], columns: int, *, is_entry: bool) -> _Cells:
    if len(cells) != columns:
        raise ListFormatError(
            f"{name}, line {line}: {len(cells)} columns instead of {columns}. Check that the file is in the legacy "
            "layout and complete."
        )
    values = tuple("" if cell.strip() == NULL else cell.strip() for cell in cells)
    if not _ENTRY_NUMBER.match(values[0]):
        raise ListFormatError(
            f'{name}, line {line}: column 1 is "{shown(values[0])}", not the number of an entry. The files have no '
            "header; check the layout."
        )
    if is_entry and values[2].lower() not in KINDS:
        raise ListFormatError(f'{name}, line {line}: the type "{shown(values[2])}" is unknown. Check the layout.')
    if is_entry and not values[1]:
        raise ListFormatError(f"{name}, line {line}: the name is empty. Fetch the list again.")
    # Remarks are cut at a fixed length, so the blanks at their ends belong to the text.
    return _Cells(name, line, values, raw_last="" if cells[-1].strip() == NULL else cells[-1])


def _refuse_cut_list(orphans: list[_Cells], primary: str, last: int) -> None:
    for row in orphans:
        if int(row.values[0]) > last:
            raise ListFormatError(
                f"{row.file}, line {row.line}: entry {row.values[0]} is not in {primary}, which ends at {last} and "
                "seems cut off. Fetch the list again."
            )


def _group(rows: list[_Cells]) -> dict[str, list[_Cells]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row.values[0]].append(row)
    return grouped


def _build(row: _Cells, alt: _Rows, add: _Rows, comments: _Rows) -> ListEntry:
    uid, name, kind, programmes, title, call_sign = row.values[:6]
    remarks = "".join([row.raw_last, *(comment.raw_last for comment in comments.get(uid, []))]).strip()
    found = read_remarks(remarks)
    aliases = [(alias.values[3], alias.values[2]) for alias in alt.get(uid, []) if alias.values[3]]
    addresses = [address.values[2:5] for address in add.get(uid, []) if any(address.values[2:5])]
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
