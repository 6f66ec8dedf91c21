"""Small marks every page shares: badges, clocks, moments, masked values. Pure functions from values to safe HTML."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

TONES = ("danger", "warning", "good", "info")
CLOCK_KINDS = {"legal": "law", "proposed": "proposed rule", "own": "own policy"}
DOTS = "•" * 8
NOTHING = mark_safe('<span class="quiet" aria-hidden="true">–</span><span class="visually-hidden">nothing</span>')

REFERENCE = re.compile(r"[A-Z]{3}-[0-9A-Z]{4}-[0-9A-Z]{4}")  # stays on one line wherever it is shown

_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_BREAKS = frozenset("\t\n\r")


def visible(text: object) -> str:
    """Plain text in which control and direction characters show as their code, so that no name can disguise itself."""
    text = str(text)
    if text.isprintable():  # nothing that hides is printable, and nearly every text is
        return text
    return "".join(f"⟨U+{ord(sign):04X}⟩" if _hides(sign) else sign for sign in text)


def _hides(sign: str) -> bool:
    return sign in _DIRECTION_MARKS or (unicodedata.category(sign) == "Cc" and sign not in _LINE_BREAKS)


def tone_class(tone: str | None) -> str:
    """The class that puts a meaning on an element; an unknown or empty tone is neutral."""
    return f"tone-{tone}" if tone in TONES else "tone-neutral"


@dataclass(frozen=True)
class Badge:
    """A state in a word, with a tone from TONES or none."""

    text: str
    tone: str = ""

    def __html__(self) -> str:
        return badge(self.text, self.tone)


@dataclass(frozen=True)
class Clock:
    """A day on which something is due, seen from `today`; `kind` is "legal", "proposed" or "own" (policy)."""

    due: date
    today: date
    kind: str = "legal"
    label: str = ""
    warn_within: int = 5

    def __html__(self) -> str:
        return clock(self.due, self.today, self.kind, label=self.label, warn_within=self.warn_within)


def badge(text: object, tone: str | None = "") -> SafeString:
    """A word in a badge; the shape before it comes from the tone, so that colour never speaks alone."""
    return format_html('<span class="badge {}">{}</span>', tone_class(tone), visible(text))


def clock(due: date, today: date, kind: str = "legal", *, label: str = "", warn_within: int = 5) -> SafeString:
    """Days left until `due`: "due in 3 days (26 Nov)", with the word that says whose clock it is.

    Turns to warning when at most `warn_within` days are left and to danger when the day has passed.
    Raises ValueError for a kind that is not in CLOCK_KINDS.
    """
    if kind not in CLOCK_KINDS:
        raise ValueError(f"A clock is legal, proposed or own, not {kind!r}.")

    due, today = as_day(due), as_day(today)
    words = clock_words(due, today)
    return format_html(
        '<span class="clock clock-{} {}"><span>{}<strong>{}</strong></span> <span class="clock-by">{}</span></span>',
        kind,
        tone_class(clock_tone(due, today, warn_within)),
        f"{visible(label)}: " if label else "",
        words,
        CLOCK_KINDS[kind],
    )


def clock_tone(due: date, today: date, warn_within: int = 5) -> str:
    """ "danger" after the day, "warning" on it and up to `warn_within` days before, else no tone."""
    left = (due - today).days
    if left < 0:
        return "danger"
    return "warning" if left <= warn_within else ""


def clock_words(due: date, today: date) -> str:
    """How far away a due day is, in words, with the day itself in brackets."""
    left = (due - today).days
    day = format_date(due, "j M" if due.year == today.year else "j M Y")
    if left == 0:
        return f"due today ({day})"
    if abs(left) == 1:
        return f"due tomorrow ({day})" if left > 0 else f"1 day overdue ({day})"
    return f"due in {left:,} days ({day})" if left > 0 else f"{-left:,} days overdue ({day})"


def as_day(value: date) -> date:
    """The calendar day of a date, or of a moment in the viewer's zone."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


def moment(value: date | None, utc: bool = False) -> SafeString:
    """A day, or a moment in the viewer's zone with UTC in the title (and as a second line when `utc`)."""
    if value is None:
        return NOTHING
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), format_date(value, "j M Y"))
    if timezone.is_naive(value):
        raise ValueError("A moment without a time zone cannot be shown.")

    universal = value.astimezone(UTC)
    in_utc = f"{format_date(universal, 'j M Y, H:i')} UTC"
    shown = format_html(
        '<time datetime="{}" title="{}">{}</time>',
        universal.isoformat(timespec="seconds"),
        in_utc,
        format_date(timezone.localtime(value), "j M Y, H:i"),
    )
    return format_html('{}<br><span class="quiet small">{}</span>', shown, in_utc) if utc else shown


def masked(label: str = "", show_url: str = "") -> SafeString:
    """Dots in place of a sealed value; with `show_url` a link to the page that asks why it is wanted."""
    what = visible(label) or "value"
    link = (
        format_html('<a href="{}">Show<span class="visually-hidden"> {}</span></a>', show_url, what) if show_url else ""
    )
    return format_html(
        '<span class="masked"><span class="masked-dots" aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{} is hidden</span>{}</span>',
        DOTS,
        what,
        link,
    )


def cell(value: object) -> SafeString:
    """Any value as a cell shows it: safe HTML as it is, days and moments as such, nothing as a dash, text escaped."""
    if value is None or value == "":
        return NOTHING
    if hasattr(value, "__html__"):
        return conditional_escape(value)
    if isinstance(value, bool):
        return conditional_escape("Yes" if value else "No")
    if isinstance(value, date):
        return moment(value)
    if isinstance(value, int):
        return conditional_escape(f"{value:,}")
    if REFERENCE.fullmatch(str(value)):
        return format_html('<span class="nowrap">{}</span>', value)
    return conditional_escape(visible(value))
