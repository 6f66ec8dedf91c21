"""Requests of authorities: log, validate, preserve, renew once, let lapse (requirement R111; 18 U.S.C. 2703(f)).

Preserving freezes what exists and hands nothing over.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from accounts.flows.texts import EARLIEST, Texts
from accounts.models import Account
from cases.flows import triage
from cases.flows.evidence import accounts_of, parties_of
from cases.models import Case, LegalRequest, RequestCheck
from cases.models.case import CaseKind
from cases.rules.disclosure import Ground, hands_over
from cases.rules.request_checks import require_checked
from cases.rules.scope import asked_for
from cases.rules.stages import LEGAL_REQUEST_LIFECYCLE, LegalRequestState, RejectedWhy
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.holds import place_hold, release_hold
from kyc_portal.records.models import LegalHold
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

PRESERVATION = "preservation"  # the clock's kind and the hold's reason
MOST_NAMED = 5


class BadRequest(Refusal):
    """Something about the request cannot be as it was given."""


class NotOnFile(Refusal):
    """No request of the case in order gives the ground."""


class PreservationOver(Refusal):
    """The days of the preservation have passed."""


@flow
def log_request(
    *,
    accounts: Sequence[Account],
    authority: str,
    authority_reference: str,
    ground: str,
    received_on: date,
    kinds: Collection[str] = (),
    from_on: date | None = None,
    through_on: date | None = None,
    by: Actor,
    at: datetime,
) -> LegalRequest:
    """Write down what an authority asks about these accounts, in a legal case of exactly these accounts.

    `kinds` (codes of DataClass) and the days are its scope; none named means no limit. Raises BadRequest, BadScope.
    """
    asked_for(kinds, from_on, through_on, (), of=())
    told = Texts()
    authority = told.line("Authority", authority.strip(), 200)
    authority_reference = told.line("Their reference", authority_reference.strip(), 100)
    _require_sound(accounts, authority, ground, received_on, today=legal_day(at))
    locked = [triage.lock_customer(account) for account in sorted(accounts, key=lambda account: str(account.pk))]
    case = _case_on(locked) or _open_on(locked, ground, by=by, at=at)
    request = LegalRequest.objects.create(
        case=case, authority=authority, authority_reference=authority_reference, ground=ground,
        received_on=received_on, logged_at=at, logged_by=by.label, scope_kinds=sorted(set(kinds)), scope_from=from_on,
        scope_through=through_on,
    )  # fmt: skip
    audit.record(Verb.REQUEST_LOGGED, request, by=by, at=at, within=case, request=request.reference, ground=ground)
    told.record_masked(request, by=by, at=at)
    return request


def _require_sound(accounts: Sequence[Account], authority: str, ground: str, received_on: date, *, today: date) -> None:
    if not accounts:
        raise BadRequest("The request names no account. Give the reference of at least one.")
    if not authority:
        raise BadRequest("The request names no authority. Write who asks.")
    if ground not in list(Ground):
        raise BadRequest(f"There is no such ground. Choose one of: {', '.join(Ground)}.")
    if received_on < EARLIEST:
        raise BadRequest(f"The request cannot have come on {received_on}. Correct the day.")
    if received_on > today:
        raise BadRequest(f"The request cannot have come on {received_on}: that day has not come. Correct the day.")


def _case_on(accounts: list[Account]) -> Case | None:
    """The open legal case of exactly these accounts; a case of more would mix what two authorities may know."""
    wanted = {account.pk for account in accounts}
    cases = Case.objects.open().filter(kind=CaseKind.LEGAL, subjects__account=accounts[0]).order_by("opened_at", "pk")
    for case in cases:
        if set(case.subjects.values_list("account_id", flat=True)) == wanted:
            return case
    return None


def _open_on(accounts: list[Account], ground: str, *, by: Actor, at: datetime) -> Case:
    label = Ground(ground).label
    case = triage.open_case(kind=CaseKind.LEGAL, title=label[0].upper() + label[1:], by=by, at=at)
    for account in accounts:
        triage.add_subject(case, account, at=at)
    return case


@flow
def validate(request: LegalRequest, *, checked: Collection[str], by: Actor, at: datetime) -> LegalRequest:
    """Confirm, point by point of its checklist (codes of Point), that the request is in order; who did it is kept.

    Raises NotChecked with what is missing, and MoveNotAllowed for a request that is challenged.
    """
    request = moved(request, LegalRequestState.VALIDATED, out_of=[LegalRequestState.RECEIVED])
    points = require_checked(request.ground, checked)
    request.save(update_fields=["state"])
    RequestCheck.objects.bulk_create(
        RequestCheck(request=request, point=point.value, checked_at=at, checked_by=by.label) for point in points
    )
    audit.record(Verb.REQUEST_VALIDATED, request, by=by, at=at, within=request.case, request=request.reference)
    return request


@flow
def reject(request: LegalRequest, *, why: str, by: Actor, at: datetime) -> LegalRequest:
    """Do not follow a request that is not in order; `why` is a code. Raises BadRequest, MoveNotAllowed."""
    if why not in list(RejectedWhy):
        raise BadRequest(f"There is no such reason to reject a request. Choose one of: {', '.join(RejectedWhy)}.")
    request = moved(request, LegalRequestState.REJECTED)
    request.rejected_why = RejectedWhy(why).value
    request.save(update_fields=["state", "rejected_why"])
    audit.record(Verb.REQUEST_REJECTED, request, by=by, at=at, within=request.case, request=request.reference, why=why)
    return request


class SeveralRequests(Refusal):
    """More than one request of the case gives the ground, and their scopes may differ."""


def in_order_for(case: Case, ground: str, *, named: str = "") -> LegalRequest:
    """The request of this case in order that gives this ground, the one with the reference `named` if it is given.

    Raises NotOnFile, which names what is on file, and SeveralRequests when there are more and none is named.
    """
    found = list(LegalRequest.objects.in_order().filter(case=case, ground=ground).order_by("received_on", "pk"))
    chosen = [each for each in found if each.reference == named] if named else found
    if len(chosen) > 1:
        raise SeveralRequests(
            f"Several requests give this ground: {', '.join(each.reference for each in chosen)}. Choose one of them."
        )
    if not chosen:
        raise not_on_file(case, ground)
    return chosen[0]


def not_on_file(case: Case, ground: str) -> NotOnFile:
    """Says that no request in order gives the ground, and what is on file."""
    found = case.legal_requests.order_by("-received_on", "-logged_at", "pk")[:MOST_NAMED]
    named = [f"{each.reference} ({Ground(each.ground).label}, {each.get_state_display()})" for each in found]
    return NotOnFile(
        f"{case.reference} has no validated request on the ground “{Ground(ground).label}”. "
        f"On file: {', '.join(named) or 'no request'}. Log the paper and validate it, or choose the ground it gives."
    )


@flow
def preserve(request: LegalRequest, *, by: Actor, at: datetime) -> LegalRequest:
    """Hold the accounts, everybody behind them and the case, for the days the law gives from the day it came (T31)."""
    request = moved(request, LegalRequestState.PRESERVING)
    regime, accounts = regime_on(legal_day(at)), accounts_of(request.case)
    clock = start_clock(
        PRESERVATION, request, figure="preservation_days", regime=regime, on=request.received_on, by=by, at=at
    )
    request.preserve_through = clock.due_on
    request.hold = place_hold(
        [*accounts, *parties_of(accounts, on=legal_day(at)), request.case],
        reason=PRESERVATION, ground=request.reference, until=request.preserve_through, by=by, at=at,
    )  # fmt: skip
    request.save(update_fields=["state", "preserve_through", "hold"])
    _record_through(Verb.PRESERVED, request, by=by, at=at, hold=request.hold.reference)
    return request


@flow
def renew_preservation(request: LegalRequest, *, by: Actor, at: datetime) -> LegalRequest:
    """Renew once: the further days follow on the first ones. Raises PreservationOver when those have passed."""
    request = moved(request, LegalRequestState.RENEWED)
    if legal_day(at) > request.preserve_through:
        raise PreservationOver(
            f"The preservation ended on {request.preserve_through}. Log the renewal as a new request."
        )
    regime, first_end = regime_on(legal_day(at)), request.preserve_through
    request.preserve_through = add_days(first_end, regime.whole("preservation_renewal_days"))
    request.save(update_fields=["state", "preserve_through"])
    LegalHold.objects.in_force().filter(pk=request.hold_id).update(until=request.preserve_through)
    stop_clock(PRESERVATION, request, by=by, at=at)
    start_clock(PRESERVATION, request, figure="preservation_renewal_days", regime=regime, on=first_end, by=by, at=at)
    _record_through(Verb.PRESERVATION_RENEWED, request, by=by, at=at)
    return request


@flow
def serve_process(request: LegalRequest, *, ground: str, by: Actor, at: datetime) -> LegalRequest:
    """Further process came: records may be handed over on that ground; the hold stays until it is released."""
    if not hands_over(ground):
        raise BadRequest("Choose the ground of the process: a preservation request hands nothing over.")
    request = moved(request, LegalRequestState.PROCESS_SERVED)
    request.ground = ground
    request.save(update_fields=["state", "ground"])
    stop_clock(PRESERVATION, request, by=by, at=at)
    audit.record(
        Verb.PROCESS_SERVED, request, by=by, at=at, within=request.case, request=request.reference, ground=ground
    )
    return request


def lapse_preservations(*, on: date, by: Actor, at: datetime) -> dict:
    """Nightly: let go what was preserved through a day before `on`, each in its own transaction."""
    over = LegalRequest.objects.preservation_over(on).order_by("preserve_through", "pk")
    return sweep("cases.lapse_preservations", over, lambda request: lapse(request, on=on, by=by, at=at), at=at)


@flow
def lapse(request: LegalRequest, *, on: date, by: Actor, at: datetime) -> LegalRequest:
    """Release the hold of one preservation whose last day is past; one that was renewed meanwhile stays."""
    request = LegalRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if not LegalRequest.objects.preservation_over(on).filter(pk=request.pk).exists():
        return request
    LEGAL_REQUEST_LIFECYCLE.require(request.state, LegalRequestState.LAPSED)
    request.state = LegalRequestState.LAPSED.value
    request.save(update_fields=["state"])
    hold = LegalHold.objects.in_force().filter(pk=request.hold_id).first()
    if hold is not None:
        release_hold(hold, reason=f"{request.reference} lapsed", by=by, at=at)
    stop_clock(PRESERVATION, request, by=by, at=at)
    audit.record(Verb.PRESERVATION_LAPSED, request, by=by, at=at, within=request.case, request=request.reference)
    return request


def locked(request: LegalRequest) -> LegalRequest:
    """The row, locked until the transaction ends; requests are locked before the bundles that rest on them."""
    return LegalRequest.objects.select_for_update(of=("self",)).select_related("case").get(pk=request.pk)


def moved(request: LegalRequest, to: LegalRequestState, *, out_of: Collection[LegalRequestState] = ()) -> LegalRequest:
    """The locked row in its new state, not yet saved. Raises MoveNotAllowed.

    A challenge ends by its own act only: without `out_of` nothing else moves a request that is challenged.
    """
    request = locked(request)
    LEGAL_REQUEST_LIFECYCLE.require(request.state, to)
    if request.state not in (out_of or set(LegalRequestState) - {LegalRequestState.CHALLENGED}):
        raise MoveNotAllowed(
            f"{request.reference} is {request.get_state_display()}, so it cannot become {to.label} this way."
        )
    request.state = to.value
    return request


def _record_through(verb: Verb, request: LegalRequest, *, by: Actor, at: datetime, **facts) -> None:
    audit.record(
        verb, request, by=by, at=at, within=request.case, request=request.reference,
        through=request.preserve_through, **facts,
    )  # fmt: skip
