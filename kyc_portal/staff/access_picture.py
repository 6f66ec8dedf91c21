"""Access over time and by hour as SVG; the figures stand in tables beside them (see pictures.py for the manner)."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from kyc_portal.staff.pictures import (
    accesses_in_words,
    count_in_words,
    counted,
    day_in_words,
    hatch,
    joined,
    line,
    picture,
    text_at,
    upright,
)

LANE, SMALL_LANE, GAP_LANE = 64, 24, 8  # heights in pixels: access, administrative acts, days without anything
MOST_COLUMNS, MOST_WEEKS = 92, 110  # more days are drawn by the week, more weeks by the month
ONE_DAY = timedelta(days=1)


class SeenDay(NamedTuple):
    """What was seen on one day: accesses and administrative acts, each with how many came anonymised."""

    day: date
    accesses: int
    hidden: int = 0
    acts: int = 0
    acts_hidden: int = 0


@dataclass
class Column:
    """Some days in a row, drawn as one: the first of them, how many, and what was seen on them together."""

    first: date
    length: int
    accesses: int = 0
    hidden: int = 0
    acts: int = 0
    acts_hidden: int = 0

    @property
    def last(self) -> date:
        return self.first + (self.length - 1) * ONE_DAY

    def add(self, day: SeenDay) -> None:
        self.accesses += max(day.accesses, 0)
        self.hidden += min(max(day.hidden, 0), max(day.accesses, 0))
        self.acts += max(day.acts, 0)
        self.acts_hidden += min(max(day.acts_hidden, 0), max(day.acts, 0))


def columns(days: Sequence[SeenDay], first: date, last: date) -> list[Column]:
    """The days from first to last as columns without a hole: by day, by week (the last one whole) or by month."""
    count = (last - first).days + 1
    if count <= MOST_COLUMNS:
        made = [Column(first + n * ONE_DAY, 1) for n in range(count)]
    elif count <= MOST_WEEKS * 7:
        odd = count % 7
        made = [Column(first, odd)] if odd else []
        made += [Column(first + (odd + n * 7) * ONE_DAY, 7) for n in range(count // 7)]
    else:
        made = list(_months(first, last))
    at = 0
    for day in sorted(days):
        if first <= day.day <= last:
            while day.day > made[at].last:
                at += 1
            made[at].add(day)
    return made


def _months(first: date, last: date) -> Iterator[Column]:
    while first <= last:
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        end = min(following, last + ONE_DAY)
        yield Column(first, (end - first).days)
        first = end


def gaps(days: Sequence[SeenDay], first: date, last: date) -> list[tuple[date, int]]:
    """Runs of days between first and last on which nothing was seen: (first day, how many), in order."""
    found, free_from = [], first
    for day in sorted({day.day for day in days if first <= day.day <= last and (day.accesses or day.acts)}):
        if day > free_from:
            found.append((free_from, (day - free_from).days))
        free_from = day + ONE_DAY
    if free_from <= last:
        found.append((free_from, (last - free_from).days + 1))
    return found


def access_strip(
    days: Sequence[tuple], title: str = "Access over time", *, first: date | None = None, last: date | None = None
) -> SafeString:
    """Access on each day from `first` to `last`, the anonymised part hatched; administrative acts and gaps below it.

    `days` are those with anything on them, as SeenDay or the beginning of one; without bounds the first and the last
    of them are the bounds.
    """
    if not days:
        return picture("strip", 24, title, "No access seen.", text_at("", 0, 16, "No access seen."))

    days = [SeenDay(*day) for day in days]
    first, last = first or min(days).day, last or max(days).day
    pattern = f"hatch-{zlib.crc32(repr((title, days)).encode()):08x}"
    drawn = columns(days, first, last)
    floor = 36 + LANE
    parts = [hatch(pattern), *_words_above(drawn), _lane(drawn, "accesses", "hidden", floor, LANE, pattern)]
    if any(column.acts for column in drawn):
        parts.append(text_at("pic-quiet", 0, floor + 15, f"administrative acts, {_most(drawn, 'acts')}"))
        floor += 20 + SMALL_LANE
        parts.append(_lane(drawn, "acts", "acts_hidden", floor, SMALL_LANE, pattern))
    silent, told = _gap_lane(gaps_told(days, first, last), first, last, floor + 6)
    parts += silent
    floor += 6 + (GAP_LANE if silent else 0)
    parts += [
        text_at("pic-quiet", 0, floor + 12, day_in_words(first)),
        format_html('<text class="pic-quiet pic-end" x="100%" y="{}">{}</text>', floor + 12, day_in_words(last)),
        *([text_at("pic-quiet", 0, floor + 28, told)] if told else []),
    ]
    return picture("strip", floor + (34 if told else 18), title, f"{_in_words(drawn)} {told}".strip(), joined(parts))


def _words_above(drawn: list[Column]) -> list[SafeString]:
    total, hidden = sum(column.accesses for column in drawn), sum(column.hidden for column in drawn)
    share = f"{hidden / total:.0%}" if total else "0%"
    return [
        text_at("pic-quiet", 0, 13, f"access, {_most(drawn, 'accesses')}"),
        text_at("pic-quiet", 0, 28, f"{share} anonymised (hatched)"),
    ]


def _most(drawn: list[Column], what: str) -> str:
    """How much the largest column stands for: "most 12 (week of 3 Mar 2026)"."""
    largest = max(drawn, key=lambda column: getattr(column, what))
    return f"most {count_in_words(getattr(largest, what))} ({when(largest, drawn)})"


def when(column: Column, drawn: list[Column]) -> str:
    """The days a column stands for, in words: "3 Mar 2026", "week from 3 Mar 2026"."""
    if len(drawn) == 1 or all(each.length == 1 for each in drawn):
        return day_in_words(column.first)
    is_weekly = all(each.length <= 7 for each in drawn)
    return f"{'week' if is_weekly else 'month'} from {day_in_words(column.first)}"


def _lane(drawn: list[Column], what: str, hidden: str, floor: int, height: int, pattern: str) -> SafeString:
    most = max(max(getattr(column, what) for column in drawn), 1)
    start, days = drawn[0].first, sum(column.length for column in drawn)
    parts = []
    for column in drawn:
        seen, covered = getattr(column, what), getattr(column, hidden)
        if not seen:
            continue
        x, width = (column.first - start).days * 100 / days, column.length * 100 / days * 0.86
        high, low = max(height * seen / most, 1.5), height * covered / most
        parts.append(
            format_html(
                "<g><title>{}: {}, {} anonymised</title>{}{}</g>",
                when(column, drawn),
                accesses_in_words(seen) if what == "accesses" else counted(seen, "act", "acts"),
                count_in_words(covered),
                upright(x, width, floor - high, high - low, "none"),
                upright(x, width, floor - low, low, f"url(#{pattern})"),
            )
        )
    return joined([*parts, line("pic-rule", 0, floor, 100, floor)])


def gaps_told(days: Sequence[SeenDay], first: date, last: date) -> list[tuple[date, int]]:
    """The gaps long enough to be shown: two days, or seven where columns stand for more than a day."""
    least = 2 if (last - first).days < MOST_COLUMNS else 7
    return [gap for gap in gaps(days, first, last) if gap[1] >= least]


def _gap_lane(long: list[tuple[date, int]], first: date, last: date, y: int) -> tuple[list[SafeString], str]:
    """Dashed lines where nothing was seen for some days, and the longest in words."""
    if not long:
        return [], ""
    days, lines = (last - first).days + 1, []
    for start, length in long:
        x = (start - first).days * 100 / days
        words = f"Nothing for {length:,} days from {day_in_words(start)}"
        mark = line("pic-gap", x, y, x + length * 100 / days, y)
        lines.append(format_html("<g><title>{}</title>{}</g>", words, mark))
    start, length = max(long, key=lambda gap: gap[1])
    return lines, f"Longest gap: {length:,} days from {day_in_words(start)}."


def _in_words(drawn: list[Column]) -> str:
    total, hidden = sum(column.accesses for column in drawn), sum(column.hidden for column in drawn)
    acts = sum(column.acts for column in drawn)
    share = f"{hidden / total:.0%}" if total else "0%"
    words = f"{accesses_in_words(total)} from {day_in_words(drawn[0].first)} to {day_in_words(drawn[-1].last)}, "
    words += f"{hidden:,} of them ({share}) anonymised."
    return f"{words} {acts:,} administrative acts." if acts else words


def hour_columns(
    days_by_hour: Sequence[int], title: str = "By hour of the day", *, utc: int = 0, minute: int = 0
) -> SafeString:
    """On how many days something was done in each of the 24 hours; `utc` is the hour of UTC in which the first begins.

    `minute` is where in an hour of the zone UTC's full hour falls. Both clocks stand below the columns.
    """
    most = max(days_by_hour, default=0)
    if not most:
        return picture("hours", 24, title, "No access seen.", text_at("", 0, 16, "No access seen."))

    floor, parts = 22 + LANE, []
    for hour, days in enumerate(days_by_hour):
        high = LANE * days / most
        mark = upright(hour * 100 / 24, 100 / 24 * 0.86, floor - high, high, "none")
        parts.append(format_html("<g><title>{}: {}</title>{}</g>", f"{hour:02d}:{minute:02d}", _days(days), mark))
    busiest = max(range(24), key=lambda hour: days_by_hour[hour])
    parts += [
        text_at("pic-quiet", 0, 13, f"most on {_days(most)} ({busiest:02d}:{minute:02d})"),
        line("pic-rule", 0, floor, 100, floor),
    ]
    for hour in (0, 6, 12, 18):
        x, in_utc = f"{hour * 100 / 24:.2f}%", f"{(hour + utc) % 24:02d}"
        parts += [
            format_html('<text class="pic-quiet" x="{}" y="{}">{}</text>', x, floor + 14, f"{hour:02d}:{minute:02d}"),
            format_html('<text class="pic-quiet" x="{}" y="{}">{} UTC</text>', x, floor + 29, in_utc),
        ]  # fmt: skip
    words = f"Something was done on {_days(most)} in the hour from {busiest:02d}:{minute:02d}, in no other on more."
    return picture("hours", floor + 36, title, words, joined(parts))


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"
