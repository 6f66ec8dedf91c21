"""Letters and digits that are taken for each other in machine-readable zones: O/0, I/1, B/8, S/5 and their like (E9).

What is found here is a proposal for a person to compare with the picture; nothing is put right silently.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from accounts.formats.mrz import FILLER, Layout, UnreadableMrz, layout_of, lines_of, read_mrz, require_shape

AS_DIGIT = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}
AS_LETTER = {"0": "O", "1": "I", "2": "Z", "5": "S", "6": "G", "8": "B"}
MOST_SWAPS = 2  # in one number; with more nearly everything fits somehow
OF_NUMBER = {"number", "composite"}
FILLER_LIKE = "KCELSX"  # what a program reads in a long run of fillers
MOST_MISSING = 8  # fillers
Span = tuple[int, int, int]


@dataclass(frozen=True)
class Misreading:
    """One character that was probably taken for another: line and position counted from 1, what kind belongs there."""

    line: int
    place: int
    belongs: str

    @property
    def sentence(self) -> str:
        """The place and what to do, without the character."""
        return f"Line {self.line}, position {self.place}: {self.belongs}. Compare it with the picture."


def propose(text: str, *, today: date) -> tuple[str, tuple[Misreading, ...]]:
    """The lines as they were probably printed, and each place that was changed for it.

    Where only digits or only letters may stand, a look-alike becomes one. In the number, where both may stand, at most
    two characters are changed, and only when exactly one way makes the check digits fit. Raises UnreadableMrz.
    """
    lines = [line.upper() for line in lines_of(text)]
    layout = layout_of(lines)
    for place, line in enumerate(lines, start=1):
        require_shape(line, place, layout)
    found = _put_right(lines, _digits(layout), AS_DIGIT, "a digit belongs there")
    found += _put_right(lines, _letters(layout), AS_LETTER, "a letter belongs there")
    found += _swap_in_number(lines, layout, today)
    return "\n".join(lines), tuple(sorted(found, key=lambda each: (each.line, each.place)))


def likely(text: str, *, today: date) -> tuple[Misreading, ...]:
    """Where look-alikes were probably taken for each other; nothing for a text that is no zone."""
    try:
        return propose(text, today=today)[1]
    except UnreadableMrz:
        return ()


def _digits(layout: Layout) -> list[Span]:
    """Dates and check digits; behind a long number the check digit stands elsewhere, which does no harm here."""
    after = [(line, end, end + 1) for line, _, end in (layout.number, layout.birth_date, layout.expires_on)]
    further = [each for each in (layout.optional_check, layout.composite_check) if each]
    return [layout.birth_date, layout.expires_on, *after, *further]


def _letters(layout: Layout) -> list[Span]:
    return [(0, 0, 1), (0, 2, 5), layout.nationality, layout.names]


def _put_right(lines: list[str], spans: list[Span], table: dict[str, str], belongs: str) -> list[Misreading]:
    found = []
    for line, first, end in spans:
        for place in range(first, end):
            if meant := table.get(lines[line][place]):
                lines[line] = lines[line][:place] + meant + lines[line][place + 1 :]
                found.append(Misreading(line + 1, place + 1, belongs))
    return found


def _swap_in_number(lines: list[str], layout: Layout, today: date) -> list[Misreading]:
    """Change look-alikes in the number until its check digits fit, if one way alone does it."""
    if "number" not in _wrong(lines, today):
        return []
    line, first, end = layout.number
    places = [
        (line, place)
        for place in range(first, end)
        if lines[line][place] in AS_DIGIT or lines[line][place] in AS_LETTER
    ]
    for count in range(1, MOST_SWAPS + 1):
        chosen = [each for each in combinations(places, count) if not OF_NUMBER & _wrong(_swapped(lines, each), today)]
        if len(chosen) == 1:
            lines[:] = _swapped(lines, chosen[0])
            return [Misreading(line + 1, place + 1, "its look-alike fits") for line, place in chosen[0]]
        if chosen:
            return []
    return []


def _swapped(lines: list[str], places: tuple[tuple[int, int], ...]) -> list[str]:
    new = list(lines)
    for line, place in places:
        character = new[line][place]
        meant = AS_DIGIT.get(character) or AS_LETTER[character]
        new[line] = new[line][:place] + meant + new[line][place + 1 :]
    return new


def _wrong(lines: list[str], today: date) -> set[str]:
    return set(read_mrz("\n".join(lines), today=today).failed)


# --- text as a program reads it ---------------------------------------------------------------------------------------


def zone_in(text: str) -> Iterator[str]:
    """Runs of lines in a page's text that may be a zone, brought to a layout's length; the nearest lengths first."""
    runs = sorted(_runs(text), key=lambda run: run[0])
    return (lines for _, lines in runs)


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """(by how many characters the lines were too long or too short, the lines)"""
    lines = [re.sub(r"[^A-Z0-9<]", "", re.sub(r"[«‹(]", FILLER, line).upper()) for line in text.splitlines()]
    lines = [line for line in lines if len(line) >= 24]  # what stands above a zone is words with blanks between
    for count, widths in ((3, (30,)), (2, (44, 36))):
        for start in range(len(lines) - count + 1):
            run = lines[start : start + count]
            if not any(FILLER in line for line in run):
                continue
            for width in widths:
                fitted = [_fit(line, width) for line in run]
                if all(fitted):
                    yield sum(abs(len(line) - width) for line in run), "\n".join(fitted)


def _fit(line: str, width: int) -> str:
    """The line with its fillers at the right length; "" when it is too far from it.

    Programs miscount long runs of fillers and read some as letters. No name follows three fillers, so from there on to
    the end everything that looks like one is one.
    """
    run = re.search(rf"<<<[<{FILLER_LIKE}]*$", line)
    if run and run.start() <= width and abs(len(line) - width) <= width // 3:
        return line[: run.start()].ljust(width, FILLER)
    missing = width - len(line)
    if missing == 0:
        return line
    inner = max(re.findall(r"<+", line), key=len, default="")
    if inner and abs(missing) <= MOST_MISSING and len(inner) > -missing:
        return line.replace(inner, FILLER * (len(inner) + missing), 1)
    return ""
