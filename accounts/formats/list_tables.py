"""Lists as one table with a header: the Consolidated Screening List and OpenSanctions' targets.simple.csv (R35).

Columns are found by name, whatever their order; further ones are let be.
"""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from accounts.formats.list_files import LONGEST_KEY, ListFile, file_sha256, refuse_repeated
from accounts.formats.ofac import ListEntry, ListFormatError
from accounts.formats.text import shown

SCREENING_COLUMNS = (
    "source", "entity_number", "type", "programs", "name", "title", "addresses", "remarks", "alt_names", "citizenships",
    "dates_of_birth", "nationalities", "ids",
)  # fmt: skip
OPEN_COLUMNS = ("id", "schema", "name", "aliases", "birth_date", "countries", "addresses", "identifiers", "emails")
SCREENING_KINDS = {"individual": "individual", "entity": "entity", "vessel": "vessel", "aircraft": "aircraft"}
OPEN_KINDS = {
    "Person": "individual", "Organization": "entity", "Company": "entity", "LegalEntity": "entity",
    "PublicBody": "entity", "Vessel": "vessel", "Airplane": "aircraft", "CryptoWallet": "wallet",
}  # fmt: skip


def read_screening_csv(path: Path) -> ListFile:
    """Read the Consolidated Screening List; rows that say the very same are one entry."""
    found = {}
    for row in _rows(path, SCREENING_COLUMNS):
        entry = _screening_entry(row)
        found.setdefault((entry.uid, entry), entry)
    return _whole(path, found.values())


def read_open_csv(path: Path) -> ListFile:
    """Read targets.simple.csv; a wallet stands as the entry it is, found by its address."""
    return _whole(path, map(_open_entry, _rows(path, OPEN_COLUMNS)))


def _whole(path: Path, entries) -> ListFile:
    seen: set[str] = set()
    kept = []
    for entry in entries:
        refuse_repeated(path.name, entry, seen)
        kept.append(entry)
    if not kept:
        raise ListFormatError(f"{shown(path.name)} holds no entries. Fetch the list again.")
    return ListFile(tuple(kept), file_sha256(path))


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    name = shown(path.name)
    file_sha256(path)  # refuses what is no file, or too large, before anything is read
    _refuse_cut(path)
    reader = None
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            head = next(reader, [])
            if missing := [column for column in needed if column not in head]:
                raise ListFormatError(f"{name}, line 1: lacks the column {missing[0]}. Check the kind of list.")
            for cells in reader:
                if cells and len(cells) != len(head):
                    raise ListFormatError(
                        f"{name}, line {reader.line_num}: {len(cells)} columns instead of {len(head)}. Fetch the list "
                        "again."
                    )
                if any("\0" in cell for cell in cells):
                    raise ListFormatError(f"{name}, line {reader.line_num}: holds a NUL character. Fetch it again.")
                if cells:
                    yield dict(zip(head, (cell.strip() for cell in cells), strict=True))
    except UnicodeDecodeError as error:
        raise ListFormatError(f"{name} is not in UTF-8. Fetch the list again.") from error
    except csv.Error as error:
        line = reader.line_num if reader else 1
        raise ListFormatError(
            f"{name}, line {line}: a quotation mark is not closed, the file may be cut off. Fetch the list again."
        ) from error


def _refuse_cut(path: Path) -> None:
    """Publishers end every row; a last row that does not end is one that was cut."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        if size and file.read() not in (b"\n", b"\r"):
            raise ListFormatError(f"{shown(path.name)}: its last row does not end, it is cut off. Fetch it again.")


def _several(text: str, mark: str = ";") -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for each in text.split(mark) if (part := each.strip())))


def _short_key(text: str) -> str:
    return text if len(text) <= LONGEST_KEY else hashlib.sha256(text.encode()).hexdigest()[:LONGEST_KEY]


def _screening_entry(row: dict[str, str]) -> ListEntry:
    source = row["source"].partition(" - ")[0]
    key = row.get("_id") or (f"{source} {row['entity_number']}" if row["entity_number"] else "")
    numbers = [[part.strip() for part in each.split(",")] for each in _several(row["ids"])]
    ids = [(", ".join(cells[2:]), cells[1], cells[0]) for cells in numbers if len(cells) >= 3 and cells[1]]
    return ListEntry(
        uid=_short_key(key or "|".join(row.values()).ljust(LONGEST_KEY + 1)),
        name=row["name"],
        kind=SCREENING_KINDS.get(row["type"].lower(), "undetermined"),
        programmes=(source, *_several(row["programs"])),
        title=row["title"],
        remarks=row["remarks"],
        aliases=tuple((name, "aka") for name in _several(row["alt_names"])),
        addresses=tuple(_address(each) for each in _several(row["addresses"])),
        birth_dates=_several(row["dates_of_birth"]),
        nationalities=tuple(dict.fromkeys(_several(row["nationalities"]) + _several(row["citizenships"]))),
        identifiers=tuple(dict.fromkeys(ids)),
    )


def _address(text: str) -> tuple[str, str, str]:
    street, mark, country = text.rpartition(", ")
    return (street, "", country) if mark else ("", "", text) if len(text) == 2 else (text, "", "")


def _open_entry(row: dict[str, str]) -> ListEntry:
    kind = OPEN_KINDS.get(row["schema"], "undetermined")
    numbers = _several(row["identifiers"])
    is_wallet = kind == "wallet"
    return ListEntry(
        uid=_short_key(row["id"]),
        name=row["name"],
        kind="undetermined" if is_wallet else kind,
        programmes=_several(row.get("program_ids", "")),
        remarks=row.get("sanctions", ""),
        aliases=tuple((name, "aka") for name in _several(row["aliases"])),
        addresses=tuple((each, "", "") for each in _several(row["addresses"])),
        birth_dates=_several(row["birth_date"]),
        nationalities=_several(row["countries"]),
        identifiers=() if is_wallet else tuple(("Number", number, "") for number in numbers),
        wallets=tuple(("", number) for number in (*numbers, row["name"])) if is_wallet else (),
        emails=_several(row["emails"]),
    )
