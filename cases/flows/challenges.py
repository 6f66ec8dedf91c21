"""A request is challenged (requirement R111): everything that rests on it stands still, and what is on file is kept.

It ends in one of four ways: the request was upheld, the challenge was withdrawn, the request was narrowed, or quashed.
"""

from collections.abc import Collection
from datetime import date, datetime

from accounts.flows.texts import Texts
from cases.flows import legal_requests
from cases.flows.evidence import accounts_of, parties_of
from cases.models import Bundle, Challenge, LegalRequest
from cases.rules.scope import AskedFor, BadScope, asked_for
from cases.rules.stages import (
    BUNDLE_LIFECYCLE,
    BundleState,
    ChallengedBy,
    ChallengedWhy,
    ChallengeOutcome,
    LegalRequestState,
    RejectedWhy,
)
from cases.verbs import Verb
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.holds import place_hold, release_hold
from kyc_portal.records.models import LegalHold
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

HOLD_REASON = "challenge"
UNFINISHED = (BundleState.COLLECTED, BundleState.APPROVED, BundleState.FAILED)


class BadChallenge(Refusal):
    """Something about the challenge cannot be as it was given."""


class ChallengeOver(Refusal):
    """The challenge has ended already."""


@flow
def challenge(request: LegalRequest, *, by_whom: str, why: str, docket: str = "", by: Actor, at: datetime) -> Challenge:
    """Stop everything that rests on the request and hold what it is about, whatever else holds it.

    Raises BadChallenge, and MoveNotAllowed for a request that has ended or is challenged already.
    """
    if by_whom not in list(ChallengedBy) or why not in list(ChallengedWhy):
        raise BadChallenge("Choose who challenges the request, and why, from the lists.")
    told = Texts()
    docket = told.line("Number at the court", docket.strip(), 100)
    before = legal_requests.locked(request).state
    request = legal_requests.moved(request, LegalRequestState.CHALLENGED)
    request.save(update_fields=["state"])
    accounts = accounts_of(request.case)
    hold = place_hold(
        [*accounts, *parties_of(accounts, on=legal_day(at)), request.case],
        reason=HOLD_REASON, ground=request.reference, by=by, at=at,
    )  # fmt: skip
    made = Challenge.objects.create(
        request=request, by_whom=by_whom, why=why, docket=docket, state_before=before, opened_at=at,
        opened_by=by.label, hold=hold,
    )  # fmt: skip
    audit.record(
        Verb.CHALLENGED, request, by=by, at=at, within=request.case, request=request.reference, why=why,
        hold=hold.reference,
    )  # fmt: skip
    told.record_masked(request, by=by, at=at)
    return made


@flow
def end(
    challenge: Challenge,
    *,
    outcome: str,
    kinds: Collection[str] = (),
    from_on: date | None = None,
    through_on: date | None = None,
    accounts: Collection[str] = (),
    by: Actor,
    at: datetime,
) -> Challenge:
    """End a challenge. The request goes back to where it stood; quashed, it falls and what it preserved is let go.

    Narrowed takes the new scope, which may ask for nothing the old one did not; what was collected on the old one and
    is not built yet is set aside. Raises BadChallenge, BadScope, ChallengeOver.
    """
    if outcome not in list(ChallengeOutcome):
        raise BadChallenge(f"There is no such outcome. Choose one of: {', '.join(ChallengeOutcome)}.")
    request = legal_requests.locked(challenge.request)
    challenge = Challenge.objects.select_for_update(of=("self",)).get(pk=challenge.pk)
    if challenge.ended_at is not None:
        raise ChallengeOver(f"{challenge.reference} ended already: {challenge.get_outcome_display()}.")
    if outcome != ChallengeOutcome.NARROWED and (kinds or from_on or through_on or accounts):
        raise BadScope("A new scope is given, but the request was not narrowed. Leave it out, or choose “narrowed”.")
    if outcome == ChallengeOutcome.NARROWED:
        _narrow(request, kinds, from_on, through_on, accounts)
        _set_aside(request, by=by, at=at)
    to = LegalRequestState(challenge.state_before)
    if outcome == ChallengeOutcome.QUASHED:
        to, request.rejected_why = LegalRequestState.REJECTED, RejectedWhy.QUASHED.value
    legal_requests.moved(request, to, out_of=[LegalRequestState.CHALLENGED])
    request.state = to.value
    request.save()
    challenge.outcome, challenge.ended_at, challenge.ended_by = ChallengeOutcome(outcome).value, at, by.label
    challenge.save(update_fields=["outcome", "ended_at", "ended_by"])
    _release(challenge.hold_id, challenge, by=by, at=at)
    if outcome == ChallengeOutcome.QUASHED:
        _set_aside(request, by=by, at=at)
        _release(request.hold_id, challenge, by=by, at=at)
        stop_clock(legal_requests.PRESERVATION, request, by=by, at=at)
    audit.record(
        Verb.CHALLENGE_ENDED, request, by=by, at=at, within=request.case, request=request.reference, outcome=outcome
    )
    return challenge


def _narrow(request: LegalRequest, kinds, from_on, through_on, accounts) -> None:
    known = [account.reference for account in accounts_of(request.case)]
    new: AskedFor = asked_for(kinds, from_on, through_on, accounts, of=known)
    if new == request.asked or not new.is_within(request.asked):
        raise BadScope(
            "The new scope must ask for less than the old one and for nothing it did not ask. Name kinds, days or "
            "accounts that lie within it."
        )
    request.scope_kinds, request.scope_accounts = sorted(new.kinds), sorted(new.accounts)
    request.scope_from, request.scope_through = from_on, through_on


def _set_aside(request: LegalRequest, *, by: Actor, at: datetime) -> None:
    """What waits on the old scope, or on nothing any more, is collected anew or not at all."""
    waiting = Bundle.objects.select_for_update(of=("self",)).filter(request=request, state__in=UNFINISHED)
    for bundle in waiting.order_by("pk"):
        BUNDLE_LIFECYCLE.require(bundle.state, BundleState.DRAFT)
        bundle.state = BundleState.DRAFT.value
        bundle.save(update_fields=["state"])
        audit.record(Verb.SET_ASIDE, bundle, by=by, at=at, within=request.case, bundle=bundle.reference)


def _release(hold_id, challenge: Challenge, *, by: Actor, at: datetime) -> None:
    """Let one hold go, if somebody has not already; every other hold on the same records stays."""
    hold = LegalHold.objects.in_force().filter(pk=hold_id).first() if hold_id else None
    if hold is not None:
        release_hold(hold, reason=f"{challenge.reference} ended", by=by, at=at)
