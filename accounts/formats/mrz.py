"""Machine-readable zones of identity documents (ICAO 9303 parts 3-7; regulation T1-T7, trust.md E9, E10).

Five layouts: TD1 (cards), TD2 (older cards), TD3 (passports), MRV-A and MRV-B (visas). Nothing is ever repaired: an
`O` where a `0` belongs fails its check digit and is named; what it may have been says mrz_misreadings.py.
"""

import re
from dataclasses import dataclass
from datetime import date

from kyc_portal.refusal import Refusal

WEIGHTS = (7, 3, 1)
FILLER = "<"
# Documents run at most ten years, so an expiry far ahead is really one of the past century.
EXPIRY_YEARS_AHEAD = 30

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate("0123456789" + _LETTERS)} | {FILLER: 0}
_FOREIGN = re.compile(r"[^A-Za-z0-9<]")


class UnreadableMrz(Refusal):
    """The text has not the shape of a machine-readable zone."""


@dataclass(frozen=True)
class MrzCheck:
    """One check digit: the field it guards, what the field demands, what is printed."""

    field: str
    expected: str
    found: str
    ok: bool


@dataclass(frozen=True)
class MrzReading:
    """What a machine-readable zone says, and whether its check digits agree."""

    format: str
    document_code: str
    issuer: str
    surname: str
    given_names: str
    number: str
    nationality: str
    birth_date: date | None
    sex: str
    expires_on: date | None
    optional: str
    checks: tuple[MrzCheck, ...]
    faults: tuple[str, ...] = ()

    @property
    def all_ok(self) -> bool:
        return not self.failed and not self.faults

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the fields whose check digit is wrong."""
        return tuple(check.field for check in self.checks if not check.ok)

    @property
    def proves_identity(self) -> bool:
        """A visa proves neither nationality nor residence by itself (T4)."""
        return not self.format.startswith("MRV")


@dataclass(frozen=True)
class Layout:
    """Where each field stands: (line, first, after last), counted from 0."""

    name: str
    lines: int
    width: int
    names: tuple[int, int, int]
    number: tuple[int, int, int]
    nationality: tuple[int, int, int]
    birth_date: tuple[int, int, int]
    sex: tuple[int, int, int]
    expires_on: tuple[int, int, int]
    optional: tuple[tuple[int, int, int], ...]
    optional_check: tuple[int, int, int] | None = None
    composite: tuple[tuple[int, int, int], ...] = ()
    composite_check: tuple[int, int, int] | None = None
    long_number: bool = False


_SECOND_LINE = {
    "number": (1, 0, 9),
    "nationality": (1, 10, 13),
    "birth_date": (1, 13, 19),
    "sex": (1, 20, 21),
    "expires_on": (1, 21, 27),
}
_TD3 = Layout(
    "TD3", 2, 44, names=(0, 5, 44), optional=((1, 28, 42),), optional_check=(1, 42, 43),
    composite=((1, 0, 10), (1, 13, 20), (1, 21, 43)), composite_check=(1, 43, 44), **_SECOND_LINE,
)  # fmt: skip
_TD2 = Layout(
    "TD2", 2, 36, names=(0, 5, 36), optional=((1, 28, 35),), long_number=True,
    composite=((1, 0, 10), (1, 13, 20), (1, 21, 35)), composite_check=(1, 35, 36), **_SECOND_LINE,
)  # fmt: skip
_MRV_A = Layout("MRV-A", 2, 44, names=(0, 5, 44), optional=((1, 28, 44),), **_SECOND_LINE)
_MRV_B = Layout("MRV-B", 2, 36, names=(0, 5, 36), optional=((1, 28, 36),), **_SECOND_LINE)
_TD1 = Layout(
    "TD1", 3, 30, names=(2, 0, 30), number=(0, 5, 14), nationality=(1, 15, 18), birth_date=(1, 0, 6), sex=(1, 7, 8),
    expires_on=(1, 8, 14), optional=((0, 15, 30), (1, 18, 29)), long_number=True,
    composite=((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)), composite_check=(1, 29, 30),
)  # fmt: skip


def read_mrz(text: str, *, today: date) -> MrzReading:
    """Read the two or three lines of a machine-readable zone; lower case is read as upper case.

    `today` decides the century: births lie in the past, expiry at most 30 years ahead. Wrong check digits do not raise,
    they are in `checks`; UnreadableMrz (with the line) is raised for wrong length or characters.
    """
    lines = lines_of(text)
    layout = layout_of(lines)
    for place, line in enumerate(lines, start=1):
        require_shape(line, place, layout)
    lines = [line.upper() for line in lines]

    number, number_check, optional = _read_number(layout, lines)
    birth, expiry = _cut(lines, layout.birth_date), _cut(lines, layout.expires_on)
    checks = [
        number_check,
        _check_date("birth_date", birth, _after(lines, layout.birth_date)),
        _check_date("expires_on", expiry, _after(lines, layout.expires_on)),
        *_check_rest(layout, lines),
    ]
    surname, given_names = _split_names(_cut(lines, layout.names))
    birth_date = _latest_past(birth, today)
    expires_on = _nearest_expiry(expiry, today)
    return MrzReading(
        format=layout.name,
        document_code=lines[0][:2].rstrip(FILLER),
        issuer=lines[0][2:5].rstrip(FILLER),
        surname=surname,
        given_names=given_names,
        number=number,
        nationality=_cut(lines, layout.nationality).rstrip(FILLER),
        birth_date=birth_date,
        sex=_cut(lines, layout.sex).replace(FILLER, "X"),
        expires_on=expires_on,
        optional=optional,
        checks=tuple(checks),
        faults=tuple(_find_faults(layout, lines, birth_date, expires_on)),
    )


def check_digit(characters: str) -> str:
    """Return the check digit of upper-case MRZ characters: weights 7, 3, 1, letters from 10, filler 0, modulo 10."""
    total = sum(_VALUES[character] * WEIGHTS[place % 3] for place, character in enumerate(characters))
    return str(total % 10)


def lines_of(text: str) -> list[str]:
    """The lines as they are, parted again where a form field has run them together."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) in (72, 88, 90):  # a one-line form field swallows the line ends
        count = 3 if len(lines[0]) == 90 else 2
        width = len(lines[0]) // count
        return [lines[0][start : start + width] for start in range(0, len(lines[0]), width)]
    return lines


def layout_of(lines: list[str]) -> Layout:
    """The layout that fits best by number and length of the lines. Raises UnreadableMrz for another number of lines."""
    if len(lines) == 3:
        return _TD1
    if len(lines) != 2:
        raise UnreadableMrz(
            f"A machine-readable zone has two lines of 44 or 36 characters or three of 30; here are {len(lines)}. "
            "Type the lines as they are printed."
        )
    wide = abs(len(lines[0]) - 44) + abs(len(lines[1]) - 44) <= abs(len(lines[0]) - 36) + abs(len(lines[1]) - 36)
    if lines[0][:1] in ("V", "v"):
        return _MRV_A if wide else _MRV_B
    return _TD3 if wide else _TD2


def require_shape(line: str, place: int, layout: Layout) -> None:
    """Raise UnreadableMrz, naming line and position, for a character or a length that does not belong there."""
    if found := _FOREIGN.search(line):
        code = ord(found.group())
        raise UnreadableMrz(
            f"Line {place} holds U+{code:04X} at position {found.start() + 1}. Only A-Z, 0-9 and < stand in a "
            f"machine-readable zone, {layout.width} in each line."
        )
    if len(line) != layout.width:
        raise UnreadableMrz(
            f"Line {place} has {len(line)} characters, expected {layout.width}. Type the line again as it is printed."
        )


def _cut(lines: list[str], field: tuple[int, int, int]) -> str:
    line, first, end = field
    return lines[line][first:end]


def _after(lines: list[str], field: tuple[int, int, int]) -> str:
    line, _, end = field
    return lines[line][end]


def _read_number(layout: Layout, lines: list[str]) -> tuple[str, MrzCheck, str]:
    """Return number, its check and the optional data; a long number goes on in the optional data (9303-5, -6)."""
    number, found = _cut(lines, layout.number), _after(lines, layout.number)
    optional = [_cut(lines, field) for field in layout.optional]
    if layout.long_number and found == FILLER and number.rstrip(FILLER):
        rest, _, after = optional[0].partition(FILLER)
        if len(rest) > 1:
            number, found = number + rest[:-1], rest[-1]
            optional[0] = after
    check = _check("number", number, found)
    return number.rstrip(FILLER), check, " ".join(part.strip(FILLER) for part in optional if part.strip(FILLER))


def _check(field: str, characters: str, found: str) -> MrzCheck:
    expected = check_digit(characters)
    return MrzCheck(field, expected, found, ok=found == expected)


def _check_date(field: str, characters: str, found: str) -> MrzCheck:
    check = _check(field, characters, found)
    letters = any(character not in "0123456789<" for character in characters)
    return MrzCheck(field, check.expected, found, ok=False) if letters else check


def _check_rest(layout: Layout, lines: list[str]) -> list[MrzCheck]:
    checks = []
    if layout.optional_check:
        characters, found = _cut(lines, layout.optional[0]), _cut(lines, layout.optional_check)
        check = _check("optional", characters, found)
        empty = not characters.strip(FILLER) and found == FILLER  # both forms of empty are in use (T5)
        checks.append(MrzCheck("optional", check.expected, found, ok=check.ok or empty))
    if layout.composite_check:
        characters = "".join(_cut(lines, field) for field in layout.composite)
        checks.append(_check("composite", characters, _cut(lines, layout.composite_check)))
    return checks


def _split_names(field: str) -> tuple[str, str]:
    surname, _, given_names = field.strip(FILLER).partition(FILLER * 2)
    return " ".join(surname.split(FILLER)), " ".join(filter(None, given_names.split(FILLER)))


def _day(year: int, characters: str) -> date | None:
    try:
        return date(year, int(characters[2:4]), int(characters[4:6]))
    except ValueError:
        return None


def _candidates(characters: str, today: date) -> list[date]:
    """All days that YYMMDD may mean around today, newest first; none when a part is unknown or not a day."""
    if any(character not in "0123456789" for character in characters):
        return []
    century = today.year // 100 * 100
    years = (century + shift + int(characters[:2]) for shift in (100, 0, -100))
    return [day for year in years if 1 <= year <= 9999 and (day := _day(year, characters))]


def _latest_past(characters: str, today: date) -> date | None:
    return next((day for day in _candidates(characters, today) if day <= today), None)


def _nearest_expiry(characters: str, today: date) -> date | None:
    latest = today.year + EXPIRY_YEARS_AHEAD
    return next((day for day in _candidates(characters, today) if day.year <= latest), None)


def _find_faults(layout: Layout, lines: list[str], birth_date: date | None, expires_on: date | None) -> list[str]:
    """What no check digit guards, as sentences; fillers in a date mean unknown and are no fault."""
    faults = []
    for name, field, day in (
        ("birth date", layout.birth_date, birth_date),
        ("expiry date", layout.expires_on, expires_on),
    ):
        characters = _cut(lines, field)
        if day is None and FILLER not in characters:
            faults.append(f"The {name} is not a day of the calendar.")
    if _cut(lines, layout.sex) not in "MFX<":
        faults.append("The sex is neither M, F, X nor a filler.")
    if any(character in "0123456789" for character in _cut(lines, layout.names)):
        faults.append("A digit stands among the names.")
    if any(character in "0123456789" for character in lines[0][2:5] + _cut(lines, layout.nationality)):
        faults.append("A digit stands in a country's code.")
    if not _cut(lines, layout.number).strip(FILLER):
        faults.append("The document number is empty.")
    return faults
