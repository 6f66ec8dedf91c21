"""What a reseller's certification of its customers says, which of them it can name, and when it ends (R63, own policy).

Nothing is a flag: that a customer is certified on a day follows from a line that was written, not ended and not lapsed.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from accounts.rules.privacy import Worded
from resellers.rules.roster import EndedWhy


class Scope(Worded):
    """How far whoever signs vouches for each customer."""

    IDENTITY = "identity", "the identity of each was verified"
    OWNERS = "owners", "the identity of each and of its beneficial owners was verified"
    WHOLE = "whole", "the whole file of each is complete and up to date"


class Evidence(Worded):
    """What the certification rests on; several may be named."""

    DOCUMENT = "document", "identity document seen"
    REGISTER = "register", "extract of a register"
    DATABASE = "database", "check against a database"
    VIDEO = "video", "video call"
    BANK = "bank", "reference of a bank"


class Extent(Worded):
    """Which customers are named in one act."""

    CHOSEN = "chosen", "customers chosen one by one"
    ALL = "all", "all of the roster that can be certified"


class ActState(Worded):
    """How far an act over many customers is."""

    WAITING = "waiting", "waiting to be gone through"
    UNDER_WAY = "under_way", "being gone through"
    DONE = "done", "gone through"


class Outcome(Worded):
    """What came of one customer in an act: certified, or why not and what to do."""

    CERTIFIED = "certified", "certified"
    NOT_VERIFIED = "unverified", "Your roster states no day on which it was verified. Verify it and send its row again."
    NO_METHOD = "no_method", "Your roster does not state how it was verified. Send its row again with the method."
    TOO_OLD = "too_old", "It was verified too long ago. Verify it again and send its row with the new day."
    ALREADY = "already", "It is certified for as long already. There is nothing to do."
    GONE = "gone", "It is no longer on your roster. If it is still a customer, send its row again."
    CHANGED = "changed", "What you state of it changed meanwhile. Read the new row, then certify that."


class LineEnd(Worded):
    """Why a certification of one customer no longer stands."""

    WITHDRAWN = "withdrawn", "withdrawn"
    CHANGED = "changed", "the record changed"
    GONE = "gone", "left the roster"
    LAPSED = "lapsed", "lapsed"
    RENEWED = "renewed", "replaced by a later certification"


class RosterState(StrEnum):
    """Where a customer on a roster stands on a day."""

    CERTIFIED = "certified"
    SOON = "soon"
    LAPSED = "lapsed"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    NEVER = "never"


@dataclass(frozen=True)
class CustomerFacts:
    """What the outcome of one customer rests on: its row of the roster, and until when it is certified already."""

    ended_why: str
    verified_on: date | None
    method: str
    certified_until: date | None = None


@dataclass(frozen=True)
class Terms:
    """The days of one act: its last day, and since when a verification is recent enough."""

    lapses_on: date
    verified_since: date


def judge(customer: CustomerFacts, terms: Terms) -> Outcome:
    """Whether one customer can be certified; the first thing that stands in the way is told."""
    if customer.ended_why:
        return Outcome.CHANGED if customer.ended_why == EndedWhy.CHANGED else Outcome.GONE
    if customer.verified_on is None:
        return Outcome.NOT_VERIFIED
    if not customer.method:
        return Outcome.NO_METHOD
    if customer.verified_on < terms.verified_since:
        return Outcome.TOO_OLD
    if customer.certified_until is not None and customer.certified_until >= terms.lapses_on:
        return Outcome.ALREADY
    return Outcome.CERTIFIED


def state_on(today: date, soon_on: date, until: date | None, ended_why: str) -> RosterState:
    """Where a customer stands: `until` is the last day of what stands, `ended_why` how the latest before it ended.

    Up to `soon_on` a last day counts as near.
    """
    if until is not None and until >= today:
        return RosterState.SOON if until <= soon_on else RosterState.CERTIFIED
    if until is not None or ended_why == LineEnd.LAPSED:
        return RosterState.LAPSED
    if ended_why == LineEnd.WITHDRAWN:
        return RosterState.WITHDRAWN
    return RosterState.BROKEN if ended_why in (LineEnd.CHANGED, LineEnd.GONE) else RosterState.NEVER
