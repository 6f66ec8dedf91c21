"""A redaction's reason goes out in the bundle's log, so it repeats nothing that is taken out (R52, R114)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from accounts.formats.bundle_content import plain
from cases.flows import bundle_shown
from cases.flows.bundle_redactor import SHORTEST, ByHand
from cases.models import Bundle
from cases.rules.redaction import Exemption, Redaction
from kyc_portal.refusal import Refusal

EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")  # the day of an order may be told; a hidden day is found as a hidden value
LONG_NUMBER = re.compile(r"\d(?:[\s.\-/]?\d){5}")


class TellsWhatItHides(Refusal):
    """The reason repeats what is taken out, or may."""


def require_tells_nothing(bundle: Bundle, place: str, reason: str) -> None:
    """Refuse a reason that holds what is hidden in the bundle, by rule or by hand, once `place` is taken out too.

    An e-mail address and a number of six digits or more are refused whatever they are. Raises TellsWhatItHides, in
    words that repeat nothing of it.
    """
    if EMAIL.search(reason) or LONG_NUMBER.search(DAY.sub(" ", reason)):
        raise TellsWhatItHides(
            "The recipient reads the reason, and it holds an e-mail address or a number of six digits or more. Say "
            "what kind of thing it is, not the thing itself."
        )
    hands = {**bundle_shown.by_hand(bundle), place: ByHand(Redaction(Exemption.OTHER_PERSON), "")}
    hidden = _hidden(bundle, hands)
    if _holds(reason, hidden):
        raise TellsWhatItHides(
            "The recipient reads the reason, and it repeats something that is taken out of this bundle. Say what kind "
            "of thing it is, not the thing itself."
        )
    for earlier in bundle.redactions.standing().exclude(place=place).order_by("place"):
        if _holds(earlier.reason, hidden):
            raise TellsWhatItHides(
                f"The reason given at “{earlier.place}” repeats what you take out. Undo that redaction first, and give "
                "its reason in other words."
            )


def _hidden(bundle: Bundle, hands: Mapping[str, ByHand]) -> set[str]:
    """Every value that stands nowhere in the bundle, or not at its own place, once all of `hands` is taken out."""
    before, kept_back = _fields(bundle, {})
    after, _ = _fields(bundle, hands)
    left_out = {place: hand for place, hand in hands.items() if place.startswith("item ")}
    at_places, _ = _fields(bundle, left_out)  # rows are counted without the items that are left out
    named = {each for place in hands for each in at_places.get(place, ())}
    return (set().union(*before.values()) - set().union(*after.values())) | named | kept_back


def _fields(bundle: Bundle, hands: Mapping[str, ByHand]) -> tuple[dict[str, set[str]], set[str]]:
    """The texts at each place with this taken out by hand, and those that the rules alone keep back."""
    chosen = bundle_shown.chosen_of(bundle, hands)
    show = bundle_shown.redactor_of(bundle, chosen, hands)
    tables = bundle_shown.tables_of(chosen, show)
    told = {
        bundle_shown.place_of(table, number, column): set(_texts(value))
        for table in tables
        for number, row in enumerate(table.rows, start=1)
        for column, value in row.items()
    }
    return told, {each for value in show.kept_back for each in _texts(value) if len(each) >= SHORTEST}


def _texts(value: object) -> Iterator[str]:
    """The texts and numbers in a value of any depth, in small letters."""
    value = plain(value)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif value is not None and not isinstance(value, bool) and (text := _folded(str(value))):
        yield text


def _holds(reason: str, values: Iterable[str]) -> bool:
    """Whether one of the values stands in the reason as words of its own."""
    folded = _folded(reason)
    return any(
        value in folded and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", folded) is not None for value in values
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
