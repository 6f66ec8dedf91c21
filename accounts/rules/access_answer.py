"""May this account use this product now? One answer for other systems: allow, limit or deny (requirements R39-R41).

Pure: what is in force goes in, the answer with its public codes comes out. A list hit is never told: every reason that
is not named in PUBLIC_CODES, those of lists among them, has one and the same code, and a block reads like a suspension.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from accounts.rules.onboarding import AccountStatus
from accounts.rules.restricting import PUBLIC_LEVELS, strictness

OTHER = "rules"  # the code of every reason that is not told
_GROUPS = {  # public code: reasons of rules/restricting.py and of decisions in cases, whose words are alike
    "identity": (
        "identity_in_doubt", "details_compromised", "identity_not_verified", "false_documents", "owners_undisclosed",
        "reverification_overdue",
    ),
    "use": ("use_unexplained", "payment_mismatch", "masked_access", "unusual_use"),
    "terms": ("abuse_reported", "malicious_use", "evasion"),
    "reseller": ("reseller_ended",),
}  # fmt: skip
PUBLIC_CODES = {reason: code for code, reasons in _GROUPS.items() for reason in reasons}
REASON_CODES = (*_GROUPS, OTHER)

NOT_OPEN, NOT_OPENED, CLOSED = "not_open", "not_opened", "closed"
LIMITED, SUSPENDED, NOT_OFFERED = "limited", "suspended", "product_not_offered"
STATE_CODES = (NOT_OPEN, NOT_OPENED, CLOSED, LIMITED, SUSPENDED, NOT_OFFERED)
_SHUT = {
    AccountStatus.PROSPECT: NOT_OPEN,
    AccountStatus.DATA_REQUESTED: NOT_OPEN,
    AccountStatus.VERIFYING: NOT_OPEN,
    AccountStatus.REFUSED: NOT_OPENED,
    AccountStatus.CLOSED: CLOSED,
    AccountStatus.BLOCKED: SUSPENDED,
}


class Answer(StrEnum):
    """Everything; only what the further fields say; nothing."""

    ALLOW = "allow"
    LIMIT = "limit"
    DENY = "deny"


@dataclass(frozen=True)
class Standing:
    """One restriction that nobody has lifted. `is_doubt`: an identity it rests on is still in doubt."""

    reference: str
    level: str
    reason: str
    public_wording: str
    applied_at: datetime
    until: datetime | None = None
    is_doubt: bool = False


@dataclass(frozen=True)
class ProductTerms:
    """What the catalogue says of a product."""

    is_offered: bool
    limited_may_start: bool
    limited_may_use: bool


ANY_PRODUCT = ProductTerms(is_offered=True, limited_may_start=False, limited_may_use=True)


@dataclass(frozen=True)
class Ground:
    """One thing the answer rests on, in public words only."""

    reference: str
    level: str
    code: str
    words: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Decided:
    """The answer, its codes (state first, then reasons, always in one order), its grounds, and until when it can hold.

    `valid_until` is the next moment at which time alone changes it; None when none is known.
    """

    answer: Answer
    may_start: bool
    may_use: bool
    codes: tuple[str, ...]
    basis: tuple[Ground, ...] = field(default=())
    valid_until: datetime | None = None


def decide(
    status: str, restrictions: Iterable[Standing], *, at: datetime, product: ProductTerms = ANY_PRODUCT
) -> Decided:
    """The answer for an account in this state at this moment. Raises ValueError for an unknown state or level.

    A restriction whose time is over no longer counts, unless it limited an account whose identity is still in doubt:
    then it stops it, because time settles no doubt (restrictions.end_expired does the same to the rows).
    """
    rows = sorted(restrictions, key=lambda row: (row.applied_at, row.reference))
    grounds = tuple(_ground(row, at) for row in rows if not _is_over(row, at))
    shut = _SHUT.get(AccountStatus(status))
    strictest = max((ground.level for ground in grounds), key=strictness, default="")
    if shut in (NOT_OPEN, NOT_OPENED, CLOSED):
        return Decided(Answer.DENY, False, False, (shut,))
    changes = min((row.until for row in rows if row.until and row.until > at), default=None)
    if shut == SUSPENDED or strictest == SUSPENDED:
        return _told(False, False, SUSPENDED, grounds, changes)
    if strictest == LIMITED:
        may_start = product.limited_may_start and product.is_offered
        return _told(may_start, product.limited_may_use, LIMITED, grounds, changes, is_offered=product.is_offered)
    if not product.is_offered:
        return Decided(Answer.LIMIT, False, True, (NOT_OFFERED,))
    return Decided(Answer.ALLOW, True, True, ())


def _told(may_start, may_use, state, grounds, changes, *, is_offered=True) -> Decided:
    answer = Answer.LIMIT if may_use else Answer.DENY
    found = {ground.code for ground in grounds}
    reasons = [code for code in REASON_CODES if code in found]
    further = () if is_offered else (NOT_OFFERED,)
    return Decided(answer, may_start, may_use, (state, *further, *reasons), grounds, changes)


def _is_over(row: Standing, at: datetime) -> bool:
    return row.until is not None and row.until <= at and not (row.level == LIMITED and row.is_doubt)


def _ground(row: Standing, at: datetime) -> Ground:
    is_overdue = row.until is not None and row.until <= at
    level = SUSPENDED if is_overdue else PUBLIC_LEVELS[row.level]
    until = None if is_overdue else row.until
    code = PUBLIC_CODES.get(row.reason, OTHER)
    return Ground(row.reference, level, code, row.public_wording, row.applied_at, until)
