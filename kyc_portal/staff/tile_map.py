"""Counts by country as a map of tiles: one square a country, near where it lies. No map data, no borders to dispute.

Five parts of the world, each a picture of its own, so that they stand side by side on a desk and one under the other on
a phone, with the same letters. The figures stand in a table beside it (see pictures.py for the manner).
"""

import zlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_countries import countries

from kyc_portal.staff.pictures import accesses_in_words, count_in_words, hatch, joined, picture

TILE, PITCH, BAND = 25, 28, 9  # pixels: a tile, from one to the next, and the hatched foot of one
STEPS = (1, 10, 100, 1_000, 10_000)  # the same for every map, so that two maps can be compared

# By part of the world its codes of ISO 3166-1 as they lie, north at the top; a place is a fact, the rest is taste.
GRID = {
    "Americas": """
        .. .. .. .. .. .. .. GL ..
        .. CA .. .. .. .. PM .. ..
        .. US .. .. .. BM .. .. ..
        MX .. .. BS TC .. VG AI ..
        .. BZ CU HT DO PR VI SX MF
        GT HN KY JM .. .. KN BL AG
        SV NI .. AW CW BQ MS GP DM
        .. CR .. .. .. GD VC LC MQ
        .. PA CO VE TT .. .. BB ..
        .. EC PE BR GY SR GF .. ..
        .. .. BO PY .. .. .. .. ..
        .. CL AR UY .. .. .. .. ..
        .. .. FK .. GS .. .. .. ..
    """,
    "Europe": """
        IS .. .. .. SJ .. .. .. .. ..
        .. FO .. .. NO SE AX FI .. ..
        .. .. .. .. DK .. EE .. .. RU
        IE IM GB .. .. .. LV LT .. ..
        GG JE NL DE PL .. BY .. .. ..
        .. FR BE LU CZ SK UA MD .. ..
        AD MC CH LI AT HU RO .. .. ..
        PT ES .. IT SI HR RS BG .. ..
        .. GI .. SM BA ME XK MK .. ..
        .. .. .. VA MT AL GR .. CY ..
    """,
    "Asia": """
        .. .. GE .. KZ .. .. MN .. .. ..
        .. TR AM AZ UZ KG .. CN .. KP JP
        LB SY IQ IR TM TJ .. .. .. KR ..
        IL JO KW QA AF PK NP BT MO HK TW
        PS SA BH AE .. IN BD MM LA VN ..
        .. YE OM .. .. LK .. TH KH PH ..
        .. .. .. .. MV .. .. MY BN .. ..
        .. .. .. .. IO .. .. SG ID TL ..
        .. .. .. .. .. .. CC CX .. .. ..
    """,
    "Africa": """
        .. MA DZ TN LY EG .. .. ..
        EH MR ML NE TD SD ER DJ ..
        CV SN BF BJ NG CF SS ET SO
        GM GN CI GH TG CM UG KE ..
        GW SL LR ST GQ CG RW TZ SC
        .. SH .. .. GA CD BI KM YT
        .. .. .. .. AO ZM MW MZ MG
        .. .. .. .. NA BW ZW MU RE
        .. .. .. .. .. ZA LS SZ ..
    """,
    "Oceania and the far south": """
        PW GU MP FM MH UM .. .. ..
        .. PG SB NR KI TV TK .. ..
        .. .. VU FJ WF WS AS CK PF
        AU NC NF .. TO NU .. .. PN
        .. .. NZ .. .. .. .. .. ..
        HM TF .. AQ .. BV .. .. ..
    """,
}


@cache
def places() -> dict[str, dict[str, tuple[int, int]]]:
    """By part of the world, by country code: its column and its row, counted from 0."""
    return {
        part: {
            code: (column, row)
            for row, line in enumerate(grid.split("\n")[1:-1])
            for column, code in enumerate(line.split())
            if code != ".."
        }
        for part, grid in GRID.items()
    }


def step_of(count: int) -> int:
    """The shade of a count: 1 for a few, 5 for ten thousand and more, 0 for none."""
    return sum(1 for least in STEPS if count >= least)


def tile_map(rows: Sequence[tuple[str, int, int]], title: str = "By country", to: str = "") -> SafeString:
    """A tile per country, darker for more, hatched where more than half came through anonymising services.

    `rows` are (code, count, of which anonymised). Each tile with a count is a stop for the keyboard and leads to the
    element `to` + code (the row of the table beside). A code without a place is left to the table.
    """
    seen = {code: (count, hidden) for code, count, hidden in rows if count > 0}
    pattern = f"hatch-{zlib.crc32(repr((title, rows)).encode()):08x}"
    parts = [_part(part, places()[part], seen, f"{pattern}-{number}", to) for number, part in enumerate(GRID)]
    return format_html(
        '<div class="tile-map-room"><div class="tile-map" role="group" aria-label="{}">{}</div>{}</div>',
        title, joined(parts), _legend(),
    )  # fmt: skip


def _part(name: str, tiles: dict, seen: dict, pattern: str, to: str) -> SafeString:
    here = {code: seen[code] for code in tiles if code in seen}
    total = sum(count for count, _ in here.values())
    empty = [_label(code, place) for code, place in tiles.items() if code not in here]
    marks = [_tile(code, tiles[code], counted, pattern, to) for code, counted in here.items()]
    ground = "".join(
        f"M{column * PITCH} {row * PITCH}h{TILE}v{TILE}h-{TILE}z"
        for code, (column, row) in tiles.items() if code not in here
    )  # fmt: skip
    told = f"{len(here)} countries" if len(here) > 1 else "1 country"
    words = f"{told}, {accesses_in_words(total)}" if here else "no access"
    body = format_html(
        '{}<path class="tile-empty" d="{}"/><g class="tile-names" aria-hidden="true">{}</g>{}',
        hatch(pattern) if here else "", ground, joined(empty), joined(marks),
    )  # fmt: skip
    wide = max(column for column, _ in tiles.values()) * PITCH + TILE + 2
    high = max(row for _, row in tiles.values()) * PITCH + TILE + 2
    drawn = picture("tiles", high, name, f"{name}: {words}.", body, width=f"{wide}", is_walked=True)
    return format_html(
        '<div class="tile-part tile-part-{}{}"><p class="tile-part-name">{} <span class="quiet">{}</span></p>{}</div>',
        name.partition(" ")[0].lower(), "" if here else " tile-part-empty", name, words, drawn,
    )  # fmt: skip


@cache
def _label(code: str, place: tuple[int, int], is_hatched: bool = False) -> SafeString:
    x, y = place[0] * PITCH + TILE / 2, place[1] * PITCH + (13 if is_hatched else 17)
    return format_html('<text x="{}" y="{}">{}</text>', x, y, code)


def _tile(code: str, place: tuple[int, int], counted: tuple[int, int], pattern: str, to: str) -> SafeString:
    """A square of its shade; where more than half was anonymised a hatched band along its foot."""
    count, hidden = counted
    told = f"{countries.name(code) or code}: {accesses_in_words(count)}, {count_in_words(hidden)} anonymised"
    x, y, is_hatched = place[0] * PITCH, place[1] * PITCH, hidden * 2 > count
    square = format_html(
        '<rect class="pic-tile pic-tile-{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>',
        step_of(count), x, y, TILE, TILE,
    )  # fmt: skip
    band = format_html(
        '<rect class="tile-hatched" x="{}" y="{}" width="{}" height="{}" fill="url(#{})"/>',
        x, y + TILE - BAND, TILE, BAND, pattern,
    ) if is_hatched else ""  # fmt: skip
    return format_html(
        '<a class="tile-seen tile-seen-{}" href="#{}{}" aria-label="{}"><title>{}</title>{}{}{}</a>',
        step_of(count), to, code, told, told, square, band, _label(code, place, is_hatched),
    )  # fmt: skip


def _legend() -> SafeString:
    words = [f"{count_in_words(least)} to {count_in_words(following - 1)}" for least, following in pairwise(STEPS)]
    words.append(f"{count_in_words(STEPS[-1])} and more")
    shades = [
        format_html('<li><span class="tile-key tile-key-{}"></span>{}</li>', step, text)
        for step, text in enumerate(words, start=1)
    ]
    return format_html(
        '<ul class="tile-legend small" aria-label="Shades">{}<li><span class="tile-key tile-key-hatched"></span>'
        "mostly anonymised</li></ul>",
        joined(shades),
    )
