"""Reports on blocked property and rejected transactions (R109, R110; 31 CFR 501.603 and 501.604): due day, fields."""

import re
from datetime import date
from decimal import Decimal

from cases.rules.wording import Worded
from kyc_portal.calendars import add_business_days, add_days
from kyc_portal.policy.lifecycle import Lifecycle
from kyc_portal.refusal import Refusal

MOST_USD = Decimal("999999999999999.99")
# What names where a power comes from: a part of the regulations, an executive order, a statute; each with its number.
AUTHORITY = re.compile(
    r"(?:\bC\.?F\.?R\b\.?|\bE\.?O\b\.?|\bexecutive order\b|\bU\.?S\.?C\b\.?)\D{0,20}\d", re.IGNORECASE
)


class NotComplete(Refusal):
    """A field of the report is missing or cannot be as it is."""


class PropertyReportKind(Worded):
    """What happened."""

    BLOCKED = "blocked", "blocked property"
    REJECTED = "rejected", "rejected transaction"


class PropertyReportState(Worded):
    """Where a report stands."""

    OPEN = "open", "to be drafted"
    DRAFTED = "drafted", "to be approved"
    APPROVED = "approved", "to be sent"
    SENT = "sent", "sent"
    CONFIRMED = "confirmed", "receipt on file"
    DROPPED = "dropped", "dropped"


class DroppedWhy(Worded):
    """Why no report is made."""

    NOT_BLOCKED = "not_blocked", "nothing was blocked or rejected after all"
    REPORTED = "reported", "it was reported another way"
    DUPLICATE = "duplicate", "another report says the same"


class SentBy(Worded):
    """How it was sent."""

    PORTAL = "portal", "the authority's portal"
    MAIL = "mail", "letter"
    EMAIL = "email", "e-mail"


REPORT_MOVES = {
    PropertyReportState.OPEN: (PropertyReportState.DRAFTED, PropertyReportState.DROPPED),
    PropertyReportState.DRAFTED: (PropertyReportState.APPROVED, PropertyReportState.OPEN, PropertyReportState.DROPPED),
    PropertyReportState.APPROVED: (PropertyReportState.OPEN, PropertyReportState.SENT),
    PropertyReportState.SENT: (PropertyReportState.CONFIRMED,),
    PropertyReportState.CONFIRMED: (),
    PropertyReportState.DROPPED: (),
}
REPORT_LIFECYCLE = Lifecycle(REPORT_MOVES, dict(PropertyReportState.choices()))
FIGURES = {PropertyReportKind.BLOCKED: "blocked_report_days", PropertyReportKind.REJECTED: "rejected_report_days"}


def due_day(event: date, days: int, holidays: frozenset[date], *, event_counts: bool) -> date:
    """The last of `days` business days; the day of the event is day 0, or the first of them if `event_counts` (T32)."""
    return add_business_days(add_days(event, -1) if event_counts else event, days, holidays)


def require_authority(text: str) -> str:
    """The legal authority by programme, such as “31 CFR part 578”. Raises NotComplete; that somebody is listed is none.

    “SDN” alone names a list, not the programme under which the property was blocked or the transaction rejected.
    """
    text = " ".join(text.split())
    if not AUTHORITY.search(text):
        raise NotComplete(
            "The legal authority names no programme: “SDN” or the name of a list will not do. Give the part of the "
            "regulations, the executive order or the statute with its number, for example “31 CFR part 578”."
        )
    return text


AMOUNT = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]{1,2})?")


def in_usd(value: object) -> Decimal:
    """The value in U.S. dollars, exact to the cent, nought or more. Raises NotComplete.

    A comma only parts thousands, so that nobody's decimal comma is read as something else.
    """
    text = str(value).strip()
    if not AMOUNT.fullmatch(text) or (amount := Decimal(text.replace(",", ""))) > MOST_USD:
        raise NotComplete(
            "The value must be an amount in U.S. dollars with a point before at most two decimals, for example 1250.00 "
            "or 1,250.00."
        )
    return amount.quantize(Decimal("0.01"))
