"""Pictures as SVG: owners, counts, due dates, what all are made of. Pure functions from values to safe SVG.

No picture has a view box: widths are shares of the room, text keeps its size, so that a phone shows the same letters.
Colours come from classes in the style sheets; a title and a description say the same in words.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from django.utils.dateformat import format as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kyc_portal.staff.templatetags.marks import tone_class, visible

LABEL_LETTERS = 32  # what fits beside a mark in the 300 px that a phone leaves
TREE_INDENT = 22
TREE_LEVELS_INDENTED = 7  # deeper levels keep the last indent, so that names stay readable
TREE_ROWS_MOST = 200
STEPS_HEIGHT = 96


class TreeNode(Protocol):
    """One owner: `percent` is ready text ("51.00%"), `tone` from TONES or empty.

    Two more are optional: `marks`, short remarks that get a line each, and `repeats`, true of a box that stands
    elsewhere in the tree as well; its line is dashed.
    """

    name: str
    detail: str
    percent: str
    tone: str
    children: Sequence["TreeNode"]


def letters_wide(text: str) -> float:
    """How much room a text takes, in average letters: East Asian signs take two, combining marks none."""
    return sum(_letter_width(sign) for sign in text)


def _letter_width(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0
    if unicodedata.east_asian_width(sign) in "WF" or sign in "MW@%mw":
        return 1.7
    return 1.25 if sign.isupper() else 1


def cut(text: object, room: float) -> str:
    """The text, or as much of it as fits into `room` letters with an ellipsis."""
    text = " ".join(visible(text).split())
    if letters_wide(text) <= room:
        return text
    kept = ""
    for sign in text:
        if letters_wide(kept) + _letter_width(sign) > room - 1:
            break
        kept += sign
    return kept.rstrip() + "…"


def wrap(text: object, room: float, lines: int = 2) -> list[str]:
    """The text in at most `lines` lines of `room` letters, broken at spaces where it has them; the last one is cut."""
    rest = " ".join(visible(text).split())
    wrapped = []
    while rest and len(wrapped) < lines - 1 and letters_wide(rest) > room:
        line = _first_line(rest, room)
        wrapped.append(line.strip())
        rest = rest[len(line) :].strip()
    return [*wrapped, cut(rest, room)] if rest else wrapped or [""]


def _first_line(text: str, room: float) -> str:
    taken, last_space = 0.0, 0
    for place, sign in enumerate(text):
        taken += _letter_width(sign)
        if taken > room:
            return text[: last_space or max(place, 1)]
        if sign == " ":
            last_space = place
    return text


def picture(
    kind: str,
    height: float,
    title: object,
    description: object,
    body: SafeString,
    *,
    width: str = "100%",
    is_walked: bool = False,
) -> SafeString:
    """The frame of every picture: as wide as its room, `height` pixels high, with title and description in words.

    `width` in pixels is for one that must not stretch. `is_walked`: marks in it are stops for the keyboard, so that it
    is a group and not one image.
    """
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="picture picture-{}" {} width="{}" height="{}">'
        "<title>{}</title><desc>{}</desc>{}</svg>",
        kind,
        format_html('role="group" aria-label="{}"', visible(title)) if is_walked else format_html('role="{}"', "img"),
        width,
        round(height),
        visible(title),
        visible(description),
        body,
    )  # fmt: skip


def text_at(kind: str, x: float, y: float, words: object) -> SafeString:
    return format_html('<text class="{}" x="{}" y="{}">{}</text>', kind, x, y, words)


def joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def upright(x: float, width: float, y: float, height: float, fill: str) -> SafeString | str:
    if height <= 0:
        return ""
    return format_html(
        '<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" fill="{}"/>',
        "pic-column" if fill == "none" else "pic-hatched",
        f"{x:.3f}",
        f"{y:.2f}",
        f"{width:.3f}",
        f"{height:.2f}",
        fill,
    )


def hatch(name: str) -> SafeString:
    return format_html(
        '<pattern id="{}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="pic-hatch-ground" width="6" height="6"/>'
        '<line class="pic-hatch-line" x1="1" y1="0" x2="1" y2="6"/></pattern>',
        name,
    )


def day_in_words(day: date) -> str:
    return format_date(day, "j M Y")


# --- Owners -----------------------------------------------------------------------------------------------------------


def owner_tree(node: TreeNode, title: str = "Owners") -> SafeString:
    """The company at the top, below it who owns it, indented by level, each with its share."""
    rows, parts, middles, top = _flatten(node), [], {}, 4.0
    for number, (level, parent, owner) in enumerate(rows[:TREE_ROWS_MOST]):
        x = 10 + min(level, TREE_LEVELS_INDENTED) * TREE_INDENT
        part, height = _tree_row(owner, x, top)
        middles[number] = (x, top + 12)
        if parent is not None:
            parts.append(_branch(middles[parent], middles[number], dashed=getattr(owner, "repeats", False)))
        parts.append(part)
        top += height
    left_out = len(rows) - TREE_ROWS_MOST
    if left_out > 0:
        parts.append(
            format_html('<text class="pic-quiet" x="10" y="{}">and {} more, in the table</text>', top + 14, left_out)
        )
        top += 24
    again = sum(1 for _, _, owner in rows if getattr(owner, "repeats", False))
    words = f"{visible(node.name)} and {len(rows) - 1} owners below it, level by level."
    words += f" {again} of them stand elsewhere in the tree as well; their lines are dashed." if again else ""
    return picture("tree", top + 4, title, words, joined(parts))


def _flatten(root: TreeNode) -> list[tuple[int, int | None, TreeNode]]:
    """Every node as (level, number of its parent, node), parents before their children."""
    rows, waiting = [], [(0, None, root)]
    while waiting:
        level, parent, node = waiting.pop()
        rows.append((level, parent, node))
        number = len(rows) - 1
        waiting.extend((level + 1, number, child) for child in reversed(list(node.children or ())))
    return rows


def _tree_row(owner: TreeNode, x: float, top: float) -> tuple[SafeString, float]:
    room = LABEL_LETTERS - (x - 10) / 8
    names = wrap(owner.name, room)
    percent, detail = visible(owner.percent or ""), visible(owner.detail or "")
    lines = [text_at("pic-strong", x + 14, top + 16 + 17 * n, line) for n, line in enumerate(names)]
    height = 17.0 * len(names)
    if percent or detail:
        share = format_html('<tspan class="pic-strong">{}</tspan> ', percent) if percent else ""
        rest = cut(detail, room - letters_wide(percent) - 1)
        lines.append(
            format_html('<text class="pic-quiet" x="{}" y="{}">{}{}</text>', x + 14, top + 16 + height, share, rest)
        )
        height += 17
    marks = [visible(mark) for mark in getattr(owner, "marks", ())]
    for mark in marks:
        lines.append(text_at("pic-quiet", x + 14, top + 16 + height, cut(mark, room)))
        height += 17
    part = format_html(
        '<g class="{}"><title>{}</title>{}{}</g>',
        tone_class(owner.tone),
        " · ".join(bit for bit in (visible(owner.name), percent, detail, *marks) if bit),
        _tree_mark(owner.tone, x, top + 12),
        joined(lines),
    )
    return part, height + 10


def _tree_mark(tone: str, x: float, y: float) -> SafeString:
    """The same shapes as the badges: a diamond for danger, a triangle for warning, else a dot."""
    if tone == "danger":
        return format_html('<path class="pic-mark" d="M {} {} l 6 6 l -6 6 l -6 -6 z"/>', x, y - 6)
    if tone == "warning":
        return format_html('<path class="pic-mark" d="M {} {} l 6 11 l -12 0 z"/>', x, y - 6)
    return format_html('<circle class="pic-mark" cx="{}" cy="{}" r="5"/>', x, y)


def _branch(parent: tuple[float, float], child: tuple[float, float], *, dashed: bool) -> SafeString:
    (x, y), (child_x, child_y) = parent, child
    start = y + 8 if child_x > x else y
    kind = "pic-line pic-again" if dashed else "pic-line"
    end = max(child_x - 7, x)
    return format_html('<path class="{}" d="M {} {} V {} H {}"/>', kind, x, start, child_y, end)


# --- Counts -----------------------------------------------------------------------------------------------------------


def bars(rows: Sequence[tuple[str, int | float | Decimal, str]], title: str = "Counts") -> SafeString:
    """One bar per (label, value, tone), the largest as wide as the room; label and value stand above each bar."""
    most = max((float(value) for _, value, _ in rows), default=0)
    parts = [_bar(label, value, tone, most, number * 38) for number, (label, value, tone) in enumerate(rows)]
    words = ", ".join(f"{label} {count_in_words(value)}" for label, value, _ in rows[:20])
    return picture("bars", max(len(rows) * 38, 1), title, words or "Nothing to count.", joined(parts))


def _bar(label: str, value: int | float | Decimal, tone: str, most: float, top: int) -> SafeString:
    share = max(float(value), 0) / most * 100 if most > 0 else 0
    amount = count_in_words(value)
    return format_html(
        '<g class="{}"><title>{}: {}</title><text x="0" y="{}">{}</text>'
        '<text class="pic-strong pic-end" x="100%" y="{}">{}</text>'
        '<rect class="pic-track" x="0" y="{}" width="100%" height="10" rx="2"/>'
        '<rect class="pic-bar" x="0" y="{}" width="{}%" height="10" rx="2"/></g>',
        tone_class(tone),
        visible(label),
        amount,
        top + 14,
        cut(label, LABEL_LETTERS - len(amount)),
        top + 14,
        amount,
        top + 20,
        top + 20,
        f"{share:.2f}",
    )


def count_in_words(value: int | float | Decimal) -> str:
    return f"{value:,}" if isinstance(value, int) or value != int(value) else f"{int(value):,}"


def counted(count: int, one: str, many: str) -> str:
    """How many of what: "1 access", "1,200 accesses"."""
    return f"{count_in_words(count)} {one if count == 1 else many}"


def accesses_in_words(count: int) -> str:
    return counted(count, "access", "accesses")


# --- Due dates --------------------------------------------------------------------------------------------------------


def steps(points: Sequence[tuple[date, int]], today: date | None = None, title: str = "Due dates") -> SafeString:
    """A stepped line: how many are due by each day, counted up over (day, count); `today` stands as a dashed line."""
    if not points:
        return picture(
            "steps", 24, title, "Nothing is due.", format_html('<text x="0" y="16">{}</text>', "Nothing is due.")
        )

    ordered = sorted(points)
    first, last = ordered[0][0], ordered[-1][0]
    if today is not None:
        first, last = min(first, today), max(last, today)
    days, total = max((last - first).days, 1), sum(count for _, count in ordered)
    floor = 22 + STEPS_HEIGHT
    parts, x, sum_so_far = [], 0.0, 0
    for when, count in ordered:
        here = (when - first).days * 100 / days
        before, sum_so_far = _level(sum_so_far, total, floor), sum_so_far + count
        after = _level(sum_so_far, total, floor)
        parts.append(line("pic-step", x, before, here, before))
        parts.append(
            format_html(
                "<g><title>{}: {} due by then</title>{}</g>",
                day_in_words(when),
                count_in_words(sum_so_far),
                line("pic-step", here, before, here, after),
            )
        )
        x = here
    parts.append(line("pic-step", x, after, 100, after))
    due = sum(count for when, count in ordered if today is not None and when < today)
    words = f"{total:,} due from {day_in_words(ordered[0][0])} to {day_in_words(ordered[-1][0])}" + (
        f", {due:,} before today." if due else "."
    )
    return picture(
        "steps", floor + 20, title, words, joined([*parts, *_steps_words(first, last, total, due, today, floor)])
    )


def _level(count: int, total: int, floor: int) -> float:
    return floor - STEPS_HEIGHT * count / total if total else floor


def line(name: str, x: float, y: float, to_x: float, to_y: float) -> SafeString:
    return format_html(
        '<line class="{}" x1="{}%" y1="{}" x2="{}%" y2="{}"/>',
        name,
        f"{x:.3f}",
        f"{y:.2f}",
        f"{to_x:.3f}",
        f"{to_y:.2f}",
    )


def _steps_words(first: date, last: date, total: int, due: int, today: date | None, floor: int) -> list[SafeString]:
    words = [
        line("pic-rule", 0, floor, 100, floor),
        format_html('<text class="pic-quiet" x="0" y="{}">{}</text>', floor + 15, day_in_words(first)),
        format_html(
            '<text class="pic-quiet pic-end" x="100%" y="{}">{} · {} in all</text>',
            floor + 15,
            day_in_words(last),
            count_in_words(total),
        ),
    ]
    if today is None:
        return words

    here = (today - first).days * 100 / max((last - first).days, 1)
    side = "pic-quiet" if here < 50 else "pic-quiet pic-end"
    note = format_html(
        '<text class="{}" x="{}%" y="13">today, {} before</text>', side, f"{here:.3f}", count_in_words(due)
    )
    return [line("pic-today", here, 18, here, floor), note, *words]
