"""The custody record of a bundle: for each file who put it there, when, from which records, and its hash (R114)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.formats.bundle_content import json_document, table_csv

COLUMNS = (
    "path", "bytes", "sha256", "origin", "source_records", "collected_at", "collected_by", "approved_at",
    "approved_by", "added_at", "added_by",
)  # fmt: skip


@dataclass(frozen=True)
class Hands:
    """Through whose hands the whole bundle went up to now; names as its recipient may see them."""

    collected_at: datetime | None
    collected_by: str
    approved_at: datetime | None
    approved_by: str
    added_at: datetime
    added_by: str


@dataclass(frozen=True)
class FileCustody:
    """One file: its size in bytes, its SHA-256, what it was made from; `sources` are references, with a hash if any."""

    path: str
    size: int
    sha256: str
    origin: str
    sources: Sequence[str] = ()


def rows(files: Iterable[FileCustody], hands: Hands) -> list[dict]:
    """One row a file, by path."""
    return [
        {
            "path": file.path, "bytes": file.size, "sha256": file.sha256, "origin": file.origin,
            "source_records": list(file.sources), "collected_at": hands.collected_at,
            "collected_by": hands.collected_by, "approved_at": hands.approved_at, "approved_by": hands.approved_by,
            "added_at": hands.added_at, "added_by": hands.added_by,
        }
        for file in sorted(files, key=lambda file: file.path)
    ]  # fmt: skip


def as_json(files: Iterable[FileCustody], hands: Hands) -> bytes:
    """custody.json."""
    return json_document({"files": rows(files, hands)})


def as_csv(files: Iterable[FileCustody], hands: Hands) -> Iterator[bytes]:
    """custody.csv: the same, the source records in one cell."""
    return table_csv(
        COLUMNS, ({**row, "source_records": "; ".join(row["source_records"])} for row in rows(files, hands))
    )
