"""Requests of authorities: log, validate, preserve, renew once, let lapse (requirement R111; 18 U.S.C. 2703(f)).

Preserving freezes what exists and hands nothing over.
"""

from collections.abc import Sequence
from datetime import date, datetime

from accounts.flows.texts import EARLIEST, Texts
from accounts.models import Account
from cases.flows import triage
from cases.flows.evidence import accounts_of, parties_of
from cases.models import Case, LegalRequest
from cases.models.case import CaseKind
from cases.rules.disclosure import Ground
from cases.rules.stages import LEGAL_REQUEST_LIFECYCLE, LegalRequestState, RejectedWhy
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
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
    by: Actor,
    at: datetime,
) -> LegalRequest:
    """Write down what an authority asks about these accounts, in a legal case of exactly these accounts."""
    told = Texts()
    authority = told.line("Authority", authority.strip(), 200)
    authority_reference = told.line("Their reference", authority_reference.strip(), 100)
    _require_sound(accounts, authority, ground, received_on, today=legal_day(at))
    locked = [triage.lock_customer(account) for account in sorted(accounts, key=lambda account: str(account.pk))]
    case = _case_on(locked) or _open_on(locked, ground, by=by, at=at)
    request = LegalRequest.objects.create(
        case=case, authority=authority, authority_reference=authority_reference, ground=ground,
        received_on=received_on, logged_at=at, logged_by=by.label,
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
def validate(request: LegalRequest, *, by: Actor, at: datetime) -> LegalRequest:
    """Confirm that the request comes from who it says and is in order."""
    request = _moved(request, LegalRequestState.VALIDATED)
    request.save(update_fields=["state"])
    audit.record(Verb.REQUEST_VALIDATED, request, by=by, at=at, within=request.case, request=request.reference)
    return request


@flow
def reject(request: LegalRequest, *, why: str, by: Actor, at: datetime) -> LegalRequest:
    """Do not follow a request that is not in order; `why` is a code. Raises BadRequest, MoveNotAllowed."""
    if why not in list(RejectedWhy):
        raise BadRequest(f"There is no such reason to reject a request. Choose one of: {', '.join(RejectedWhy)}.")
    request = _moved(request, LegalRequestState.REJECTED)
    request.rejected_why = RejectedWhy(why).value
    request.save(update_fields=["state", "rejected_why"])
    audit.record(Verb.REQUEST_REJECTED, request, by=by, at=at, within=request.case, request=request.reference, why=why)
    return request


def require_in_order(case: Case, ground: str) -> None:
    """Raise NotOnFile, which names what is on file, unless a request of this case in order has this ground."""
    if LegalRequest.objects.in_order().filter(case=case, ground=ground).exists():
        return
    found = case.legal_requests.order_by("-received_on", "-logged_at", "pk")[:MOST_NAMED]
    named = [f"{each.reference} ({Ground(each.ground).label}, {each.get_state_display()})" for each in found]
    raise NotOnFile(
        f"{case.reference} has no validated request on the ground “{Ground(ground).label}”. "
        f"On file: {', '.join(named) or 'no request'}. Log the paper and validate it, or choose the ground it gives."
    )


@flow
def preserve(request: LegalRequest, *, by: Actor, at: datetime) -> LegalRequest:
    """Hold the accounts, everybody behind them and the case, for the days the law gives from the day it came (T31)."""
    request = _moved(request, LegalRequestState.PRESERVING)
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
    request = _moved(request, LegalRequestState.RENEWED)
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
    if ground not in list(Ground) or ground == Ground.PRESERVATION:
        raise BadRequest("Choose the ground of the process: a preservation request hands nothing over.")
    request = _moved(request, LegalRequestState.PROCESS_SERVED)
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


def _moved(request: LegalRequest, to: LegalRequestState) -> LegalRequest:
    """The locked row in its new state, not yet saved. Raises MoveNotAllowed."""
    request = LegalRequest.objects.select_for_update(of=("self",)).select_related("case").get(pk=request.pk)
    LEGAL_REQUEST_LIFECYCLE.require(request.state, to)
    request.state = to.value
    return request


def _record_through(verb: Verb, request: LegalRequest, *, by: Actor, at: datetime, **facts) -> None:
    audit.record(
        verb, request, by=by, at=at, within=request.case, request=request.reference,
        through=request.preserve_through, **facts,
    )  # fmt: skip
