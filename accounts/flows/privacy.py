"""Requests of people about their own data: log, identify, prepare by one person, answer by another (R47, R54).

No privacy statute is built in: the days to answer and the years the request is kept are our own policy, as figures of
the regime. What the person reads never depends on a hold, a list hit or an authority's request.
"""

from datetime import date, datetime

from accounts.flows import personal_data, texts
from accounts.flows.texts import BadField
from accounts.formats.text import shown
from accounts.models import Party, PrivacyRequest
from accounts.rules.numbers import normalised
from accounts.rules.privacy import Identified, Outcome, PrivacyKind, PrivacyState, public_sentences
from accounts.verbs import Verb
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import PrivacyRequestAnswered, PrivacyRequestReceived
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit, deletion
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

ERASE = "accounts.erase_person"  # the kind of job
ANSWER_BY = "answer by"


class NotInThisState(Refusal):
    """The request has gone further, or not so far."""


@flow
def log_request(*, kind: str, name: str, contact: str, received_on: date, by: Actor, at: datetime) -> PrivacyRequest:
    """Write down that somebody asks about their data; `contact` is the e-mail address that gets the answer.

    Starts the clock of our own policy and confirms the receipt. Raises BadField or BadNumber.
    """
    kind = texts.chosen("Request", kind, PrivacyKind)
    name = texts.required("Name", texts.code("Name", name, 300))
    contact = normalised("email", texts.required("E-mail", texts.code("E-mail", contact, 254)))
    received_on = texts.past_day("Received on", received_on, legal_day(at))
    if received_on is None:
        raise BadField("Received on is empty. Enter the day on which the request came.")

    request = PrivacyRequest(kind=kind, received_on=received_on, due_on=received_on, logged_at=at, logged_by=by.label)
    request.name, request.contact = name, contact
    clock = start_clock(
        ANSWER_BY, request, figure="privacy_answer_days", regime=regime_on(legal_day(at)), on=received_on, by=by, at=at
    )
    request.due_on = clock.due_on
    request.save(force_insert=True)
    audit.record(Verb.PRIVACY_LOGGED, request, by=by, at=at, request=request.reference, kind=kind)
    _tell(request, PrivacyRequestReceived(name=name, request=request.reference, answer_by=clock.due_on), by=by, at=at)
    return request


@flow
def identify(request: PrivacyRequest, *, party: str, how: str, by: Actor, at: datetime) -> PrivacyRequest:
    """Say which party on file asks (by its reference) and how we know that it is them. Raises BadField."""
    request = _locked(request, PrivacyState.RECEIVED)
    how = texts.chosen("How", how, Identified)
    found = Party.objects.filter(reference=party.strip().upper()).first()
    if found is None:
        raise BadField(f"Party {shown(party)} is not on file. Copy its reference, PTY-…, from its page.")
    request.subject, request.subject_name = found.pk, found.reference
    request.identified_how, request.identified_by, request.identified_by_key = how, by.label, person_key(by)
    request.save(update_fields=["subject", "subject_name", "identified_how", "identified_by", "identified_by_key"])
    audit.record(
        Verb.PRIVACY_IDENTIFIED, request, by=by, at=at, request=request.reference, party=found.reference, how=how
    )
    return request


@flow
def prepare(request: PrivacyRequest, *, by: Actor, at: datetime) -> PrivacyRequest:
    """Find all data about the party and leave the answer to a second person. Changes nothing else."""
    request = _locked(request, PrivacyState.RECEIVED)
    party = party_of(request)
    request.findings = [found.as_json() for found in personal_data.find_data(party)] if party else []
    request.state, request.prepared_at = PrivacyState.PREPARED.value, at
    request.prepared_by, request.prepared_by_key = by.label, person_key(by)
    request.save(update_fields=["findings", "state", "prepared_at", "prepared_by", "prepared_by_key"])
    audit.record(Verb.PRIVACY_PREPARED, request, by=by, at=at, request=request.reference, count=len(request.findings))
    return request


@flow
def send_back(request: PrivacyRequest, *, by: Actor, at: datetime) -> PrivacyRequest:
    """Do not agree to a prepared answer; it is prepared anew."""
    request = _locked(request, PrivacyState.PREPARED)
    request.state = PrivacyState.RECEIVED.value
    request.save(update_fields=["state"])
    audit.record(Verb.PRIVACY_RETURNED, request, by=by, at=at, request=request.reference)
    return request


@flow
def answer(request: PrivacyRequest, *, shown: str, by: Actor, at: datetime) -> PrivacyRequest:
    """Agree to what another prepared, and tell the person; an erasure is left to a worker, who alone may destroy.

    `shown` is the digest of what lay before this person. Raises SecondPersonNeeded for who prepared it and for who said
    which party asks, however often it was sent back, and PreparedAnew. The findings are made anew, as they are before
    anything goes.
    """
    request = _locked(request, PrivacyState.PREPARED)
    require_second_person(
        request.prepared_by_key, by, deed="the answer to a privacy request", barred=_named_the_party(request, by)
    )
    require_as_shown(shown, digest_of(request), name=request.reference)
    party = party_of(request)
    if party is not None and request.kind == PrivacyKind.ERASURE:
        request.state, request.agreed_by_key, request.answered_by = PrivacyState.ERASING.value, by.key, by.label
        request.save(update_fields=["state", "agreed_by_key", "answered_by"])
        audit.record(Verb.PRIVACY_AGREED, request, by=by, at=at, request=request.reference)
        queue.ask(ERASE, key=str(request.pk), due_at=at, at=at)
        return request
    return _answered(request, party, by=by, at=at)


def digest_of(request: PrivacyRequest) -> str:
    """SHA-256 of what is agreed to: who is said to ask, how that is known, and when and by whom it was prepared."""
    parts = (request.kind, request.subject, request.identified_how, request.prepared_by_key)
    return digest(request.reference, request.prepared_at, *parts)


def _named_the_party(request: PrivacyRequest, by: Actor) -> dict[str, str]:
    """Data is handed out or erased on who is said to ask: whoever said so has nobody's eyes beside their own."""
    key = request.identified_by_key
    if not key and request.identified_by and request.identified_by == by.label:  # from before the key was kept
        key = person_key(by)
    return {key: "You said which party asks."} if key else {}


def carry_out(key: str, *, by: Actor, at: datetime) -> None:
    """The job: erase what may go under a request that two agreed to, as the second of them; done before, do nothing."""
    request = PrivacyRequest.objects.filter(pk=key, state=PrivacyState.ERASING.value).first()
    if request is not None:
        _erase(request, by=Actor("person", request.agreed_by_key, request.answered_by), at=at)


@flow
def _erase(request: PrivacyRequest, *, by: Actor, at: datetime) -> None:
    request = _locked(request, PrivacyState.ERASING)
    _answered(request, party_of(request), by=by, at=at)


def _answered(request: PrivacyRequest, party: Party | None, *, by: Actor, at: datetime) -> PrivacyRequest:
    request.findings = [found.as_json() for found in personal_data.find_data(party)] if party else []
    outcome, request.erased = _act(request, party, by=by, at=at)
    request.outcome, request.state = outcome.value, PrivacyState.ANSWERED.value
    request.answered_at, request.answered_by = at, by.label
    request.save(update_fields=["findings", "erased", "outcome", "state", "answered_at", "answered_by"])
    audit.record(Verb.PRIVACY_ANSWERED, request, by=by, at=at, request=request.reference, outcome=outcome.value)
    stop_clock(ANSWER_BY, request, by=by, at=at)
    sentences = public_sentences(outcome, tuple(request.erased))
    notice = PrivacyRequestAnswered(name=request.name.reveal(), request=request.reference, sentences=sentences)
    _tell(request, notice, by=by, at=at)
    return request


def _act(request: PrivacyRequest, party: Party | None, *, by: Actor, at: datetime) -> tuple[Outcome, dict[str, int]]:
    if party is None:
        return Outcome.NOTHING_FOUND, {}
    if request.kind == PrivacyKind.ACCESS:
        return Outcome.COPY_READY, {}
    if request.kind == PrivacyKind.OBJECTION:
        return Outcome.EXPLAINED, {}
    try:
        erased = personal_data.erase(party, by=by, at=at)
    except deletion.Held:  # the person is told the same as whenever a rule keeps everything
        return Outcome.KEPT, {}
    if not Party.objects.filter(pk=party.pk).exists():
        return Outcome.ERASED, {}
    return (Outcome.PARTLY_ERASED if erased else Outcome.KEPT), erased


def party_of(request: PrivacyRequest) -> Party | None:
    """The party the request is about, while it is on file."""
    return Party.objects.filter(pk=request.subject).first() if request.subject else None


def _locked(request: PrivacyRequest, state: PrivacyState) -> PrivacyRequest:
    request = PrivacyRequest.objects.select_for_update().get(pk=request.pk)
    if request.state != state:
        now = request.get_state_display()
        raise NotInThisState(f"{request.reference} is “{now}”. Open its page to see what is next.")
    return request


def _tell(request: PrivacyRequest, notice, *, by: Actor, at: datetime) -> None:
    outbox.queue_notice(notice, about=request, subject=request.pk, address=request.contact.reveal(), by=by, at=at)
