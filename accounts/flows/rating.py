"""The risk tier of an account, from its red flags or for a time set by hand, and the next review (R2, R45).

A tier set by hand has a reason and a last day. While a list hit is confirmed nobody sets one below what the flags give.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import models

from accounts.flows import texts
from accounts.flows.texts import Texts
from accounts.models import Account, CouldNotVerify, RiskOverride, RiskSignal, Verification
from accounts.rules import risk
from accounts.verbs import Verb
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

LONGEST_REASON = 300
BATCH = 500
RATED = ["risk_tier", "risk_score", "next_review_on"]
NEVER_LOWERED = "confirmed_list_hit"
WATCHED = "kept_under_watch"


class TierNotSet(Refusal):
    """The tier cannot be set by hand like this; the sentence says why."""


class NothingSet(Refusal):
    """No tier is set by hand."""


@flow
def rate_risk(account: Account, *, by: Actor, at: datetime) -> risk.RiskAssessment:
    """Weigh the red flags that count into tier and score; an open account also gets its next review day (R2, R45)."""
    return rate(locked(account), by=by, at=at)


@flow
def set_tier(account: Account, *, tier: str, reason: str, last_day: date, by: Actor, at: datetime) -> RiskOverride:
    """Set the tier by hand through `last_day`, in place of one set before; the score stays what the flags give.

    Raises TierNotSet for an account that has ended, a bad reason or day, the tier it has anyway, and for one below
    what the flags give while a list hit is confirmed.
    """
    account, today = locked(account), legal_day(at)
    if Account.objects.ended().filter(pk=account.pk).exists():
        raise TierNotSet(f"{account.reference} has ended, so it has no risk to rate.")
    told = Texts()
    reason = texts.required("Reason", told.line("Reason", reason, LONGEST_REASON))
    _require_day(last_day, today)
    tier, given = risk.Tier(tier), _assess(account, regime_on(today))
    standing = account.risk_overrides.in_force().first()
    if tier == (risk.Tier(standing.tier) if standing else given.tier):
        raise TierNotSet(f"{account.reference} is of {tier.label} already. Choose another tier.")
    is_listed = any(factor.code == NEVER_LOWERED for factor in given.reasons)
    if is_listed and risk.RANK[tier] < risk.RANK[given.tier]:
        raise TierNotSet("A list hit on this customer is confirmed, so the tier is not lowered by hand.")

    if standing:
        _end(standing, by, at)
    override = RiskOverride.objects.create(
        account=account, tier=tier.value, reason=reason, last_day=last_day, set_at=at, set_by=by.label
    )
    told.record_masked(account, by=by, at=at)
    audit.record(Verb.TIER_SET, account, by=by, at=at, tier=tier.value, last_day=last_day, row=override.reference)
    rate(account, by=by, at=at)
    return override


@flow
def end_override(account: Account, *, by: Actor, at: datetime) -> risk.RiskAssessment:
    """From now on the flags decide again. Raises NothingSet."""
    account = locked(account)
    standing = account.risk_overrides.in_force().first()
    if standing is None:
        raise NothingSet(f"The tier of {account.reference} is not set by hand. Look at its red flags.")
    _end(standing, by, at)
    return rate(account, by=by, at=at)


def end_expired(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, int]:
    """Each night: where the last day of a tier set by hand is past, the flags decide again. May be run twice."""
    over = RiskOverride.objects.in_force().filter(last_day__lt=legal_day(at)).select_related("account").order_by("pk")
    return sweep("accounts.risk_override", over, lambda row: _end_if_over(row, by=by, at=at), at=at)


@flow
def _end_if_over(override: RiskOverride, *, by: Actor, at: datetime) -> None:
    account = locked(override.account)
    standing = account.risk_overrides.in_force().filter(last_day__lt=legal_day(at)).first()
    if standing is not None:
        _end(standing, by, at)
        rate(account, by=by, at=at)


def _end(override: RiskOverride, by: Actor, at: datetime) -> None:
    override.ended_at, override.ended_by = at, by.label
    override.save(update_fields=["ended_at", "ended_by"])
    audit.record(Verb.TIER_ENDED, override.account, by=by, at=at, tier=override.tier, row=override.reference)


def _require_day(last_day: date, today: date) -> None:
    regime = regime_on(today)
    latest = today + regime.days("risk_override_days")
    if not today <= last_day <= latest:
        raise TierNotSet(
            f"Last day {last_day} is not between {today} and {latest}. A tier set by hand is looked at again "
            f"within {regime.whole('risk_override_days')} days ({regime.cite('risk_override_days')})."
        )


def locked(account: Account) -> Account:
    """The account and its party, the account locked until the transaction ends."""
    return Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)


def rate(account: Account, *, by: Actor, at: datetime) -> risk.RiskAssessment:
    """Rate an account that the caller has locked; returns what the flags alone give."""
    regime = regime_on(legal_day(at))
    rated, standing = _assess(account, regime), account.risk_overrides.in_force().first()
    last = _verified_last([account]).get(account.pk) if _has_review(account) else None
    if _set(account, rated, standing, regime, last or account.opened_at or at):
        account.save(update_fields=RATED)
        audit.write([_rated_event(account, by, at)])
    return rated


def rate_many(accounts: Sequence[Account], *, by: Actor, at: datetime) -> list[Account]:
    """The same for many locked accounts with as few queries as for one; returns those whose rating changed.

    No signal is sent: the caller does what else follows from another rating.
    """
    regime = regime_on(legal_day(at))
    found = weighing_of(accounts, regime)
    overrides = {row.account_id: row for row in RiskOverride.objects.in_force().filter(account__in=accounts)}
    last = _verified_last([account for account in accounts if _has_review(account)])
    changed = [
        account for account in accounts
        if _set(
            account, _weighed(found[account.pk], regime), overrides.get(account.pk), regime,
            last.get(account.pk) or account.opened_at or at,
        )
    ]  # fmt: skip
    Account.objects.bulk_update(changed, RATED, batch_size=BATCH)
    audit.write([_rated_event(account, by, at) for account in changed])
    return changed


def _set(account: Account, rated: risk.RiskAssessment, standing, regime: Regime, start: datetime) -> bool:
    """Set the columns of a rating, saving nothing; whether any changed. `start` is from when a review is counted."""
    tier = risk.Tier(standing.tier) if standing else rated.tier
    before = [getattr(account, name) for name in RATED]
    account.risk_tier, account.risk_score = tier.value, rated.score
    if _has_review(account):
        account.next_review_on = _next_review(tier, regime, start)
    return before != [getattr(account, name) for name in RATED]


def _has_review(account: Account) -> bool:
    return account.is_open and account.review_asked_on is None


def _rated_event(account: Account, by: Actor, at: datetime) -> AuditEvent:
    return audit.draft(
        Verb.RISK_RATED, account, by=by, at=at, tier=account.risk_tier, score=account.risk_score,
        next_review=str(account.next_review_on or "none"),
    )  # fmt: skip


def _assess(account: Account, regime: Regime) -> risk.RiskAssessment:
    return _weighed(weighing(account, regime), regime)


def _weighed(found: list[tuple[str, int]], regime: Regime) -> risk.RiskAssessment:
    bounds = risk.TierBounds(regime.whole("medium_risk_score"), regime.whole("high_risk_score"))
    return risk.assess([risk.RiskFactor(code, weight) for code, weight in found], bounds=bounds)


def weighing(account: Account, regime: Regime) -> list[tuple[str, int]]:
    """(code, weight of 100) of everything that counts: red flags, and that an identity could not be verified (R40)."""
    return weighing_of([account], regime)[account.pk]


def weighing_of(accounts: Sequence[Account], regime: Regime) -> dict[UUID, list[tuple[str, int]]]:
    """The same by account, for many; two queries."""
    found = {account.pk: [] for account in accounts}
    flags = RiskSignal.objects.filter(account__in=accounts).weighing().order_by("-weight", "code")
    for key, code, weight, _ in flags.values_list("account_id", "code", "weight", "pk"):
        found[key].append((code, weight))
    watching = CouldNotVerify.objects.watching().filter(account__in=accounts)
    for key in set(watching.values_list("account_id", flat=True)):
        found[key].append((WATCHED, regime.whole("watch_weight")))
    return found


def _verified_last(accounts: Sequence[Account]) -> dict[UUID, datetime]:
    """When each account's newest verification was concluded; one query."""
    rows = Verification.objects.verified().filter(account__in=accounts)
    return dict(rows.order_by().values_list("account_id").annotate(last=models.Max("concluded_at")))


def _next_review(tier: risk.Tier, regime: Regime, start: datetime) -> date:
    """Counted from the customer's last verification, or else from the opening, so that rating postpones nothing."""
    intervals = {each.value: regime.whole(f"review_days_{each.value}") for each in risk.Tier}
    return legal_day(start) + timedelta(days=risk.review_interval(tier, intervals))
