"""Let a customer in, once nothing stands in the way (requirements R7-R9, R22, R25, R35, R36, R38).

The guards of this app share one reading of the file; apps above add theirs with `add_guard`, so that a page shows every
reason at once.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from accounts.flows import intake, rating, seen_before
from accounts.flows.account_file import AccountFile
from accounts.flows.completeness import missing_in
from accounts.models import Account, Discrepancy, Party, Screening, WatchlistSnapshot
from accounts.models.party import PartyKind, UsStatus
from accounts.models.restriction import Level
from accounts.models.screening import HitStatus
from accounts.rules.blocked_owners import blocked_reasons
from accounts.rules.onboarding import MOVES, AccountStatus
from accounts.rules.ownership import TooTangled
from accounts.verbs import Verb
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import AccountOpened
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

Told = str | Iterable[str] | None
Guard = Callable[[Account, datetime], Told]
_GUARDS: list[Guard] = []  # of the apps above


class NotReady(Refusal):
    """Something stands in the way of opening; the sentences say what."""


def add_guard(guard: Guard) -> None:
    """Add a guard of an app above: a function of account and moment that returns a sentence, several, or None."""
    if guard not in _GUARDS:
        _GUARDS.append(guard)


def why_not(account: Account, *, at: datetime, file: AccountFile | None = None) -> list[str]:
    """Everything that stands in the way of opening this account, as sentences; empty when nothing does.

    A page that has a reading of the file of that day lends it.
    """
    return [*_sentences(_status_allows(account)), *obstacles(account, at=at, file=file)]


def obstacles(
    account: Account, *, at: datetime, file: AccountFile | None = None, identities_may_be_open: bool = False
) -> list[str]:
    """What stands in the way whatever state the account is in: what a reopening looks at.

    With `identities_may_be_open` it does not matter whether everybody is verified.
    """
    file = file or AccountFile(account, legal_day(at))
    told: list[Told] = []
    try:
        told += [guard(file) for guard in _OWN_GUARDS if not (identities_may_be_open and guard in _OF_IDENTITIES)]
    except TooTangled as refusal:  # nobody can say who the owners are, and this alone stands in the way
        told = [str(refusal)]
    told += [guard(account, at) for guard in _GUARDS]
    return [sentence for each in told for sentence in _sentences(each)]


def _sentences(told: Told) -> list[str]:
    return [told] if isinstance(told, str) else list(told or ())


@flow
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
    rating.rate_risk(account, by=by, at=at)
    notice = AccountOpened(name=account.party.legal_name, account=account.reference)
    address = intake.primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)
    account.refresh_from_db(fields=["risk_tier", "risk_score", "next_review_on"])
    return account


# --- the guards, in the order in which staff meet the questions -------------------------------------------------------


def _status_allows(account: Account) -> str | None:
    status = AccountStatus(account.status)
    waiting = (AccountStatus.PROSPECT, AccountStatus.DATA_REQUESTED, AccountStatus.VERIFYING)
    if status in waiting:
        return None
    return f"The account is {status.label}; only one that waits to be opened can be opened."


def _kind_is_settled(file: AccountFile) -> str | None:
    if file.account.party.kind == PartyKind.UNDETERMINED:
        return "It is not settled whether the customer is a person or an entity. Settle it."
    return None


def _status_is_settled(file: AccountFile) -> list[str]:
    """R7: before anything else, for the customer and each beneficial owner."""
    people = [file.account.party, *file.owners]
    return [status_is_open(party) for party in people if party.us_status == UsStatus.UNSETTLED]


def status_is_open(party: Party) -> str:
    """The sentence about a party whose U.S. status nobody has settled."""
    return f"It is not settled whether {party.reference} is a U.S. or a foreign person. Settle the status."


def is_not_verified(party: Party) -> str:
    """The sentence about a party whose identity is not verified."""
    return f"{party.reference} is not verified. Start a verification or bring it to an end."


def _elements_are_complete(file: AccountFile) -> list[str]:
    """R9-R17; whether the kind is settled has a guard of its own."""
    return [gap.sentence for gap in missing_in(file) if gap.code != "kind"]


def _owners_make_sense(file: AccountFile) -> list[str]:
    """Shares above 100 percent, circles nobody stands outside of: such a list does not say who the owners are (R21)."""
    return [f"{fault} Correct the owners." for fault in file.above.faults()]


def _owners_are_certified(file: AccountFile) -> str | None:
    """R22, our own policy where the regime does not ask for it; where it does, the elements say what is missing."""
    asked = "owners_certification" in file.regime.elements
    if asked or file.account.party.kind == PartyKind.INDIVIDUAL or not file.to_verify or file.certified_on:
        return None
    return "Nobody has certified the owners. Ask the person who opens the account to sign the list."


def _everybody_is_verified(file: AccountFile) -> list[str]:
    return [is_not_verified(party) for party in file.unverified()]


def _nothing_disagrees(file: AccountFile) -> str | None:
    unsettled = Discrepancy.objects.filter(verification__account=file.account, settled_at__isnull=True)
    unsettled = unsettled.filter(verification__concluded_at__isnull=True)
    names = sorted(set(unsettled.values_list("verification__reference", flat=True)))
    return f"Discrepancies are not settled in {', '.join(names)}. Settle them." if names else None


def _everybody_is_screened(file: AccountFile) -> list[str]:
    """R35: U.S. persons too, against every list as it stands now, after the last change of their data."""
    lists = list(WatchlistSnapshot.objects.filter(is_current=True))
    if not lists:
        return ["No watch list is loaded, so nobody could be screened. Load one."]
    done = {}
    looks = Screening.objects.filter(party__in=file.everybody, snapshot__in=lists)
    for party, snapshot, moment in looks.order_by("at").values_list("party_id", "snapshot_id", "at"):
        done[party, snapshot] = moment
    return [
        f"{party.reference} is not screened against the lists as they stand now. Wait for the next round of screening."
        for party in file.everybody
        if any(done.get((party.pk, each.pk)) is None or done[party.pk, each.pk] < party.changed_at for each in lists)
    ]


def _hits_are_judged(file: AccountFile) -> list[str]:
    judged = (HitStatus.CONFIRMED, HitStatus.DISMISSED)
    waiting = sorted(hit.reference for hit in file.current_hits if hit.status not in judged)
    return [f"{name} waits for a judgement by two people. Judge it." for name in waiting]


def _nobody_is_listed(file: AccountFile) -> list[str]:
    """31 CFR 578.201 for the customer and the owners, 578.411 for what blocked persons hold together (R36)."""
    listed = {hit.party_id: hit.reference for hit in reversed(file.current_hits) if hit.status == HitStatus.CONFIRMED}
    if not listed:
        return []
    direct = {file.account.party_id, *(owner.pk for owner in file.owners)} & set(listed)
    if direct:
        names = ", ".join(sorted(listed[party] for party in direct))
        return [f"The customer or an owner is on a sanctions list ({names}). Block the account; it cannot be opened."]
    return _aggregated(file, frozenset(listed))


def _aggregated(file: AccountFile, listed: frozenset[UUID]) -> list[str]:
    found = file.above.blocked_holding(listed)
    if not found.is_blocked:
        return []
    references = {str(each.pk): each.reference for each in file.everybody}
    return [
        f"Listed persons together hold {found.percent.normalize():f} % of the customer, and "
        f"{found.bound.normalize():f} % is enough to block it ({file.regime.cite('blocked_share_percent')}). "
        f"{' '.join(blocked_reasons(found, references.__getitem__))} Block the account; it cannot be opened."
    ]


def _nobody_was_seen_before(file: AccountFile) -> list[str]:
    """Strong ties to whom we shut out wait for a person's judgement; no tie decides by itself."""
    return seen_before.why_not_open(file)


def _nothing_is_blocked(file: AccountFile) -> str | None:
    blocks = (each for each in file.restrictions if each.level == Level.BLOCKED and each.lifted_at is None)
    block = next(blocks, None)
    return f"{block.reference} blocks the account. Lift the block first." if block else None


_OF_IDENTITIES = (_everybody_is_verified, _nothing_disagrees)
_OWN_GUARDS: tuple[Callable[[AccountFile], Told], ...] = (
    _kind_is_settled,
    _status_is_settled,
    _elements_are_complete,
    _owners_make_sense,
    _owners_are_certified,
    _everybody_is_verified,
    _nothing_disagrees,
    _everybody_is_screened,
    _hits_are_judged,
    _nobody_is_listed,
    _nobody_was_seen_before,
    _nothing_is_blocked,
)
