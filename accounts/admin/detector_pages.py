"""The catalogue of red flags: a list by family, and a page for each detector (regulation 3.12; R82, R83, R85)."""

from datetime import date
from itertools import groupby

from django.urls import reverse

from accounts.flows import detector_counts
from accounts.rules.detectors import BY_CODE, DETECTORS
from accounts.rules.flags import Detector
from accounts.rules.found import right_percent
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.staff.sections import Bars, Facts, Link, Table

CATALOGUE = "admin:accounts_risksignal_catalogue"
DETECTOR = "admin:accounts_risksignal_detector"
LEAST = "detector_least_answers"  # the name of a figure in the policy, not the figure
TOO_FEW = "too few to say"
NO_FIGURE = "The regime profile has no such figure. Add it."
HOW_COUNTED = (
    "Of the flags answered in these months. Right: the decision rests on what this flag points to. Wrong: nothing came "
    "of it. Not told: the decision rests on something else, for it answers all flags of an account together."
)


def title_of(code: str) -> str:
    """The flag's title; a flag that left the catalogue shows its code."""
    return BY_CODE[code].title if code in BY_CODE else code


def page_of(code: str) -> str:
    """The address of a detector's page; of the catalogue for a flag that left it."""
    return reverse(DETECTOR, args=[code]) if code in BY_CODE else reverse(CATALOGUE)


def catalogue(*, on: date) -> list[Table]:
    """A table for each family: what each flag means, how often it was raised in a year and found right; four queries.

    Counts come from the small table of days, never from the flags themselves.
    """
    counts, regime, through = detector_counts.last_year(on=on), regime_on(on), detector_counts.counted_through()
    head = ["Red flag", "Weight", "What it means and what to do", "Raised", "Found right"]
    tables = []
    for family, detectors in groupby(sorted(DETECTORS, key=lambda each: each.family), key=lambda each: each.family):
        rows = [
            [
                Link(each.title, page_of(each.code)), _value(regime, f"weight_{each.code}"), each.meaning,
                found["raised"], _right_in_words(found, regime),
            ]
            for each in detectors
            for found in [counts.get(each.code, detector_counts.NOTHING_COUNTED)]
        ]  # fmt: skip
        note = f"Raised and found right in the last twelve months; {_counted(through)}."
        tables.append(Table(family.replace(" ", "-"), family.capitalize(), head, rows, note=note))
    return tables


def detector_sections(detector: Detector, *, on: date) -> list:
    """The page of one detector: meaning, figures, how often it was raised by month, what was found; four queries."""
    regime, counted = regime_on(on), detector_counts.last_months(detector.code, on=on)
    about = [
        ("What it means and what to do", detector.meaning),
        ("What may be innocent", detector.innocent),
        ("Where it comes from", detector.source),
        ("Family", detector.family),
        ("What it looks at", ", ".join(name.replace("_", " ") for name in detector.needs)),
        ("Does it bring the customer a question?", "It asks for proof again (R46)." if detector.asks_again else "No."),
    ]
    months = [(f"{first:%b %Y}", each["raised"], "") for first, each in counted.months.items()]
    found = [[f"{first:%b %Y}", each["right"], each["wrong"], each["untold"]] for first, each in counted.months.items()]
    through, has_any = _counted(counted.counted_through), counted.total["raised"]
    return [
        Table(
            "detector", "What it is", ["Question", "Answer"], about, url=reverse(CATALOGUE), url_label="All red flags"
        ),
        _figures(detector, regime),
        Bars(
            "raised", "Raised by month", months if has_any else [], ["Month", "Raised"],
            empty="Not raised in the last twelve months.",
            note=f"{counted.total['raised']:,} in the last twelve months; {through}.",
        ),
        _found(counted.total, regime),
        Table(
            "found-by-month", "Found by month", ["Month", "Right", "Wrong", "Not told"], found,
            note=f"{through.capitalize()}.",
        ),
    ]  # fmt: skip


def _counted(through: date | None) -> str:
    return f"counted through {through}, each night" if through else "nothing is counted yet; it is done each night"


def _figures(detector: Detector, regime: Regime) -> Table:
    """Every figure the detector compares with, with where it stands written and how sure we are."""
    rows = []
    for name in detector.all_figures:
        title, figure = name.replace("_", " "), regime.figures.get(name)
        if figure is None:
            rows.append([title, None, "", "", "", NO_FIGURE])
            continue
        rows.append([
            title, _plain(figure.value), figure.unit, str(figure.citation), figure.citation.get_mark_display(),
            figure.reason,
        ])  # fmt: skip
    head = ["Figure", "Value", "Unit", "Source", "How sure", "Why"]
    return Table("figures", "Figures", head, rows, note=f"Of the regime {regime.label}.")


def _found(total: dict[str, int], regime: Regime) -> Facts:
    rows = [
        ("Right", total["right"]),
        ("Wrong", total["wrong"]),
        ("Not told", total["untold"]),
        ("Found right", _right_in_words(total, regime)),
    ]
    return Facts("found", "How often it was right", rows, note=HOW_COUNTED)


def _right_in_words(found: dict[str, int], regime: Regime) -> str:
    """The share of right ones with the number it rests on; below the policy's number only that it is too few."""
    right, told = found["right"], found["right"] + found["wrong"]
    least = int(regime.figures[LEAST].value) if LEAST in regime.figures else 1
    percent = right_percent(right, found["wrong"], least)
    return f"{TOO_FEW} ({told:,} told)" if percent is None else f"{percent:f} % of {told:,} told"


def _value(regime: Regime, name: str) -> object:
    return _plain(regime.figures[name].value) if name in regime.figures else None


def _plain(value) -> object:
    """A figure without noughts behind the point."""
    return int(value) if value == int(value) else value.normalize()
