"""Small lists in the publisher's layout, made up for the tests, and where the real ones lie when they are there."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


def real(name: str):
    """Mark a test that reads third-party files; it is skipped where they are absent."""
    return pytest.mark.skipif(not (REAL / name).exists(), reason=f"the sample data {name} is not on this machine")


@dataclass(frozen=True)
class Entry:
    uid: int
    name: str
    kind: str = "individual"
    programme: str = "TEST"
    remarks: str = ""
    aliases: tuple[str, ...] = ()
    country: str = ""


VOLKOV = Entry(
    101, "VOLKOV, Boris Igorevich", remarks="DOB 04 Jul 1970; nationality Russia.", aliases=("WOLKOW, Boris",)
)
WORKS = Entry(102, "NORTHERN PIPE WORKS LLC", kind="-0-", country="Iran")
SHIP = Entry(103, "SILENT HERON", kind="vessel")


def write_list(folder: Path, *entries: Entry) -> Path:
    """Write the four files of a list into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    null = ["-0-"]
    rows = {
        "sdn.csv": [[one.uid, one.name, one.kind, one.programme, *null * 7, one.remarks or "-0-"] for one in entries],
        "alt.csv": [
            [one.uid, one.uid * 10 + place, "aka", name, "-0-"]
            for one in entries
            for place, name in enumerate(one.aliases)
        ],
        "add.csv": [[one.uid, one.uid * 10, "-0-", "-0-", one.country, "-0-"] for one in entries if one.country],
        "sdn_comments.csv": [],
    }
    for name, lines in rows.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerows(lines)
    return folder
