"""Which files are meant by what was typed: a file, a folder with all it holds, or standard input."""

from dataclasses import dataclass
from pathlib import Path

from accounts.formats.text import shown
from kyc_portal.refusal import Refusal

STANDARD_INPUT = "-"


class NoSuchPlace(Refusal):
    """Nothing can be read under this name."""


@dataclass(frozen=True)
class LogPlace:
    """One file to be read, and the name it is told by: within a folder with its path; no path is standard input.

    With a `refusal` nothing can be read there, and that is why.
    """

    name: str
    path: Path | None
    in_folder: bool = False  # nobody named it, so that it must be a file as such: a pipe there may never end
    refusal: NoSuchPlace | None = None


def places_of(given: list[str]) -> list[LogPlace]:
    """The files in the order given, those of a folder in the order of their paths.

    A name under which nothing can be read stands among them with its refusal, for it stops no other. Raises NoSuchPlace
    when standard input is named twice.
    """
    if given.count(STANDARD_INPUT) > 1:
        raise NoSuchPlace("Standard input can be read only once. Give - once.")
    return [place for each in given for place in _places_or_why_not(each)]


def _places_or_why_not(given: str) -> list[LogPlace]:
    try:
        return _places(given)
    except NoSuchPlace as refusal:
        return [LogPlace(Path(given).name or given.strip() or "an empty name", None, refusal=refusal)]


def _places(given: str) -> list[LogPlace]:
    if given == STANDARD_INPUT:
        return [LogPlace("standard input", None)]
    path = Path(given)
    if not given.strip():
        raise NoSuchPlace("A name is empty. Name a file, a folder, or - for standard input.")
    try:
        if not path.is_dir():
            return [LogPlace(path.name, path)]
        found = sorted(each for each in path.rglob("*") if not each.is_dir())
    except (OSError, ValueError) as error:
        raise NoSuchPlace(f"{shown(path.name)} cannot be read. Check the file's name and its rights.") from error
    if not found:
        raise NoSuchPlace(f"The folder {shown(path.name)} holds no file. Name one that does.")
    return [LogPlace(str(each.relative_to(path)), each, in_folder=True) for each in found]
