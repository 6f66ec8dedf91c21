"""Counts by country as dots on a world of lines, as SVG; the figures stand in a table beside it (see pictures.py).

A country stands where the IANA time-zone table puts the first city it names there: near enough for a dot, and no map
data with borders somebody could dispute.
"""

import re
import zlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from math import sqrt

from django.utils.html import format_html
from django.utils.safestring import SafeString

from kyc_portal.staff.pictures import _count, _hatch, _joined, _line, picture
from kyc_portal.staff.templatetags.marks import visible

NORTH, SOUTH = 80, -60  # nobody's cloud is used from beyond
HEIGHT = 210
SMALLEST, LARGEST = 4, 15  # radius of a dot in pixels
LABELLED = 12
_PLACE = re.compile(r"([+-])(\d{2})(\d{2})(?:\d{2})?([+-])(\d{3})(\d{2})(?:\d{2})?")
CONTINENTS = (
    ("North America", -100, 52), ("South America", -60, -28), ("Europe", 38, 62), ("Africa", 20, 5),
    ("Asia", 95, 50), ("Australia", 134, -32),
)  # fmt: skip


@cache
def places() -> dict[str, tuple[float, float]]:
    """By country code the longitude and latitude, in degrees, of its first city in the time-zone table."""
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, tuple[float, float]] = {}
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        code, place = line.split("\t")[:2]
        north, degrees, minutes, east, degrees_east, minutes_east = _PLACE.fullmatch(place).groups()
        latitude = int(f"{north}1") * (int(degrees) + int(minutes) / 60)
        longitude = int(f"{east}1") * (int(degrees_east) + int(minutes_east) / 60)
        found.setdefault(code, (longitude, latitude))
    return found


def world(rows: Sequence[tuple[str, int, int]], title: str = "By country") -> SafeString:
    """A dot per (country code, count, of which through anonymising services), larger for more, hatched where most are.

    A code the table does not know has no dot; the table beside the picture has it.
    """
    most = max((count for _, count, _ in rows), default=0)
    hatch = f"hatch-{zlib.crc32(repr(rows).encode()):08x}"
    drawn = [row for row in rows if row[0] in places()]
    largest_first = sorted(drawn, key=lambda row: (-row[1], row[0]))
    dots = [_dot(row, most, hatch) for row in largest_first]
    labels = [_label(row, most) for row in largest_first[:LABELLED]]
    words = ", ".join(f"{code} {_count(count)}" for code, count, _ in largest_first[:20])
    return picture("world", HEIGHT, title, words or "No place is known.", _joined([_ground(hatch), *dots, *labels]))


def _ground(hatch: str) -> SafeString:
    lines = [_line("pic-rule", 0, _down(latitude), 100, _down(latitude)) for latitude in (60, 30, 0, -30)]
    lines += [_line("pic-rule", _across(east), 0, _across(east), HEIGHT) for east in (-120, -60, 0, 60, 120)]
    names = [
        format_html('<text class="pic-quiet pic-middle" x="{}%" y="{}">{}</text>', f"{_across(x):.2f}", _down(y), name)
        for name, x, y in CONTINENTS
    ]
    return format_html("{}{}{}", _hatch(hatch), _joined(lines), _joined(names))


def _across(longitude: float) -> float:
    return (longitude + 180) / 3.6


def _down(latitude: float) -> float:
    return round((NORTH - min(max(latitude, SOUTH), NORTH)) / (NORTH - SOUTH) * HEIGHT, 1)


def _radius(count: int, most: int) -> float:
    return round(max(SMALLEST, LARGEST * sqrt(count / most)), 1) if most else SMALLEST


def _dot(row: tuple[str, int, int], most: int, hatch: str) -> SafeString:
    code, count, hidden = row
    longitude, latitude = places()[code]
    return format_html(
        '<g><title>{}: {}, {} anonymised</title><circle class="{}" cx="{}%" cy="{}" r="{}"{}/></g>',
        visible(code), _count(count), _count(hidden), "pic-dot pic-dot-hidden" if hidden * 2 > count else "pic-dot",
        f"{_across(longitude):.2f}", _down(latitude), _radius(count, most),
        format_html(' fill="url(#{})"', hatch) if hidden * 2 > count else "",
    )  # fmt: skip


def _label(row: tuple[str, int, int], most: int) -> SafeString:
    code, count, _ = row
    longitude, latitude = places()[code]
    room = _radius(count, most)
    return format_html(
        '<text class="pic-strong pic-middle" x="{}%" y="{}">{}</text>',
        f"{_across(longitude):.2f}", max(_down(latitude) - room - 3, 11), visible(code),
    )  # fmt: skip
