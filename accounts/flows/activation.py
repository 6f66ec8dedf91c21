"""Let a customer in, once nothing stands in the way (requirements R7-R9, R22, R25, R35, R36, R38).

The guards are one list; apps above add theirs with `add_guard`, so that a page shows every reason at once.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction

from accounts.flows import intake, ownership, signals
from accounts.flows.completeness import missing_for
from accounts.flows.parties_concerned import beneficial_owners, everybody, parties_to_verify, unverified_parties
from accounts.models import Account, Discrepancy, Screening, ScreeningHit, WatchlistSnapshot
from accounts.models.party import PartyKind, UsStatus
from accounts.models.restriction import Level
from accounts.rules.onboarding import MOVES, AccountStatus
from accounts.rules.ownership import blocked_share
from accounts.verbs import Verb
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import AccountOpened
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

Guard = Callable[[Account, datetime], str | Iterable[str] | None]


class NotReady(Refusal):
    """Something stands in the way of opening; the sentences say what."""


def add_guard(guard: Guard) -> None:
    """Add a guard of an app above: a function of account and moment that returns a sentence, several, or None."""
    if guard not in _GUARDS:
        _GUARDS.append(guard)


def why_not(account: Account, *, at: datetime) -> list[str]:
    """Everything that stands in the way of opening this account, as sentences; empty when nothing does."""
    return [*_sentences(_status_allows(account, at)), *obstacles(account, at=at)]


def obstacles(account: Account, *, at: datetime) -> list[str]:
    """What stands in the way whatever state the account is in: what a reopening looks at."""
    found = []
    for guard in _GUARDS:
        found += _sentences(guard(account, at))
    return found


def _sentences(told: str | Iterable[str] | None) -> list[str]:
    return [told] if isinstance(told, str) else list(told or ())


@transaction.atomic
def activate(account: Account, *, by: Actor, at: datetime) -> Account:
    """Open the account: rate its risk, which sets the day of the next look (R45), and tell the customer.

    Raises NotReady with all reasons at once.
    """
    account = Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)
    if reasons := why_not(account, at=at):
        raise NotReady(" ".join(reasons))
    MOVES.require(account.status, AccountStatus.ACTIVE)

    account.status, account.opened_at = AccountStatus.ACTIVE.value, at
    account.save(update_fields=["status", "opened_at"])
    audit.record(Verb.ACTIVATED, account, by=by, at=at)
    stop_clock(intake.VERIFY_BY, account, by=by, at=at)
    signals.rate_risk(account, by=by, at=at)
    notice = AccountOpened(name=account.party.legal_name, account=account.reference)
    address = intake.primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)
    account.refresh_from_db(fields=["risk_tier", "risk_score", "next_review_on"])
    return account


# --- the guards, in the order in which staff meet the questions -------------------------------------------------------


def _status_allows(account: Account, at: datetime) -> str | None:
    status = AccountStatus(account.status)
    waiting = (AccountStatus.PROSPECT, AccountStatus.DATA_REQUESTED, AccountStatus.VERIFYING)
    if status in waiting:
        return None
    return f"The account is {status.label}; only one that waits to be opened can be opened."


def _kind_is_settled(account: Account, at: datetime) -> str | None:
    if account.party.kind == PartyKind.UNDETERMINED:
        return "It is not settled whether the customer is a person or an entity. Settle it."
    return None


def _status_is_settled(account: Account, at: datetime) -> list[str]:
    """R7: before anything else, for the customer and each beneficial owner."""
    people = [account.party, *beneficial_owners(account, on=legal_day(at))]
    open_ones = [party.reference for party in people if party.us_status == UsStatus.UNSETTLED]
    return [f"It is not settled whether {name} is a U.S. or a foreign person. Settle the status." for name in open_ones]


def _elements_are_complete(account: Account, at: datetime) -> list[str]:
    """R9-R17; whether the kind is settled has a guard of its own."""
    return [gap.sentence for gap in missing_for(account, on=legal_day(at)) if gap.code != "kind"]


def _owners_are_certified(account: Account, at: datetime) -> str | None:
    """R22, our own policy where the regime does not ask for it; where it does, the elements say what is missing."""
    day = legal_day(at)
    asked = "owners_certification" in regime_on(day).elements
    if asked or account.party.kind == PartyKind.INDIVIDUAL or not parties_to_verify(account, on=day):
        return None
    if account.ownership_certifications.exists():
        return None
    return "Nobody has certified the owners. Ask the person who opens the account to sign the list."


def _everybody_is_verified(account: Account, at: datetime) -> list[str]:
    open_ones = unverified_parties(account, on=legal_day(at))
    return [f"{party.reference} is not verified. Start a verification or bring it to an end." for party in open_ones]


def _nothing_disagrees(account: Account, at: datetime) -> str | None:
    unsettled = Discrepancy.objects.filter(verification__account=account, settled_at__isnull=True)
    unsettled = unsettled.filter(verification__concluded_at__isnull=True)
    names = sorted(set(unsettled.values_list("verification__reference", flat=True)))
    return f"Discrepancies are not settled in {', '.join(names)}. Settle them." if names else None


def _everybody_is_screened(account: Account, at: datetime) -> list[str]:
    """R35: U.S. persons too, against every list as it stands now, after the last change of their data."""
    lists = list(WatchlistSnapshot.objects.filter(is_current=True))
    if not lists:
        return ["No watch list is loaded, so nobody could be screened. Load one."]
    parties = everybody(account, on=legal_day(at))
    done = {}
    looks = Screening.objects.filter(party__in=parties, snapshot__in=lists)
    for party, snapshot, moment in looks.order_by("at").values_list("party_id", "snapshot_id", "at"):
        done[party, snapshot] = moment
    return [
        f"{party.reference} is not screened against the lists as they stand now. Wait for the next round of screening."
        for party in parties
        if any(done.get((party.pk, each.pk)) is None or done[party.pk, each.pk] < party.changed_at for each in lists)
    ]


def _hits_are_judged(account: Account, at: datetime) -> list[str]:
    parties = everybody(account, on=legal_day(at))
    hits = ScreeningHit.objects.filter(party__in=parties, snapshot__is_current=True)
    waiting = hits.unjudged().order_by("reference").values_list("reference", flat=True)
    return [f"{name} waits for a judgement by two people. Judge it." for name in waiting]


def _nobody_is_listed(account: Account, at: datetime) -> list[str]:
    """31 CFR 578.201 for the customer and the owners, 578.411 for what blocked persons hold together (R36)."""
    day = legal_day(at)
    parties = everybody(account, on=day)
    hits = ScreeningHit.objects.confirmed().filter(party__in=parties, snapshot__is_current=True)
    listed = dict(hits.values_list("party_id", "reference"))
    if not listed:
        return []
    direct = {account.party_id, *(owner.pk for owner in beneficial_owners(account, on=day))} & set(listed)
    if direct:
        names = ", ".join(sorted(listed[party] for party in direct))
        return [f"The customer or an owner is on a sanctions list ({names}). Block the account; it cannot be opened."]
    return _aggregated(account, frozenset(str(party) for party in listed), day)


def _aggregated(account: Account, listed: frozenset[str], day) -> list[str]:
    regime = regime_on(day)
    bound = regime.number("blocked_share_percent")
    stakes = ownership.stakes_above(account.party, day)
    share = blocked_share(str(account.party_id), stakes, listed, blocking_percent=bound)
    if share < bound:
        return []
    return [
        f"Listed persons together hold {share.normalize():f} % of the customer, and {bound.normalize():f} % is enough "
        f"to block it ({regime.cite('blocked_share_percent')}). Block the account; it cannot be opened."
    ]


def _nothing_is_blocked(account: Account, at: datetime) -> str | None:
    block = account.restrictions.in_force().filter(level=Level.BLOCKED).first()
    return f"{block.reference} blocks the account. Lift the block first." if block else None


_GUARDS: list[Guard] = [
    _kind_is_settled,
    _status_is_settled,
    _elements_are_complete,
    _owners_are_certified,
    _everybody_is_verified,
    _nothing_disagrees,
    _everybody_is_screened,
    _hits_are_judged,
    _nobody_is_listed,
    _nothing_is_blocked,
]
