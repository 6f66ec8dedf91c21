"""What readers of lists in one file share: the result, its fingerprint, what is never taken (requirement R35)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from accounts.formats.ofac import LARGEST_FILE, ListEntry, ListFormatError
from accounts.formats.text import shown

LONGEST_KEY = 40


@dataclass(frozen=True)
class ListFile:
    """A whole list as read from one file: its entries and the SHA-256 of the file."""

    entries: tuple[ListEntry, ...]
    sha256: str


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a list's file; ListFormatError when it is no readable file or too large."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ListFormatError(f"{shown(path.name)} is larger than {LARGEST_FILE:,} bytes. Fetch the list again.")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise ListFormatError(f"{shown(path.name)} is not a readable file. Name the file of the list.") from error


def refuse_repeated(file: str, entry: ListEntry, seen: set[str]) -> None:
    """Remember the entry's key in `seen`; ListFormatError when it has none, has no name, or was there already."""
    if not entry.uid or len(entry.uid) > LONGEST_KEY or not entry.name:
        raise ListFormatError(
            f"{shown(file)}: entry {shown(entry.uid) or len(seen) + 1} lacks its key or its name. Check the file."
        )
    if entry.uid in seen:
        raise ListFormatError(f"{shown(file)}: entry {entry.uid} was already there. Fetch the list again.")
    seen.add(entry.uid)
