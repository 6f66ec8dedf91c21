"""Hold a failing against a reseller, take its plan, and accept the cure by two people (R58, R59; proposed 7.303)."""

from datetime import datetime

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from resellers.flows import file
from resellers.models import Finding, Reseller
from resellers.rules.findings import MOVES, FindingKind, FindingState
from resellers.verbs import Verb

CURE_BY = "cure"
LONGEST = 4000


@flow
def record_finding(
    reseller: Reseller,
    *,
    kind: str,
    source: str,
    evidence: str,
    demand: str,
    knowledge_at: datetime,
    by: Actor,
    at: datetime,
) -> Finding:
    """Record evidence with the moment it became known: from that day the relationship ends unless it is cured.

    The last good day is the day of knowledge plus the regime's figure (T30). `demand` is what the reseller reads.
    Raises BadField or Ended.
    """
    reseller, told = file.locked(reseller), Texts()
    file.require_running(reseller)
    kind = texts.chosen("Kind", kind, FindingKind)
    if knowledge_at is None or knowledge_at > at:
        raise BadField("Known since lies in the future, or is empty. Enter the moment at which it became known.")
    if knowledge_at < reseller.added_at:
        since = legal_day(reseller.added_at)
        raise BadField(f"Known since lies before {since}, when it became a reseller. Correct it.")
    finding = Finding(
        reseller=reseller, kind=kind, source=texts.required("Source", told.line("Source", source, 100)),
        demand=texts.required("What it must do", told.line("What it must do", demand, 500)),
        knowledge_at=knowledge_at, recorded_at=at, recorded_by=by.label,
    )  # fmt: skip
    finding.evidence = texts.required("Evidence", told.lines("Evidence", evidence, LONGEST))
    day = legal_day(knowledge_at)
    clock = start_clock(CURE_BY, finding, figure="reseller_end_days", regime=regime_on(day), on=day, by=by, at=at)
    finding.due_on, finding.citation = clock.due_on, clock.citation
    finding.save(force_insert=True)
    _tell(Verb.FOUND, finding, by, at, kind=kind, due_on=finding.due_on)
    told.record_masked(finding, by=by, at=at)
    return finding


@flow
def plan_cure(finding: Finding, *, plan: str, by: Actor, at: datetime) -> Finding:
    """Keep what the reseller will do and by when; the clock goes on. A later plan takes its place.

    Raises BadField, MoveNotAllowed or Ended.
    """
    finding, told = _locked(finding), Texts()
    file.require_running(finding.reseller)
    if finding.state != FindingState.PLANNED:
        MOVES.require(finding.state, FindingState.PLANNED)
    finding.plan = texts.required("Plan", told.lines("Plan", plan, LONGEST))
    finding.state, finding.planned_at, finding.planned_by = FindingState.PLANNED.value, at, by.label
    finding.save(update_fields=["plan", "state", "planned_at", "planned_by"])
    _tell(Verb.CURE_PLANNED, finding, by, at)
    told.record_masked(finding, by=by, at=at)
    return finding


@flow
def propose_cure(finding: Finding, *, why: str, by: Actor, at: datetime) -> Finding:
    """Propose that it is cured; a second person decides. Raises BadField or MoveNotAllowed."""
    finding, told = _locked(finding), Texts()
    MOVES.require(finding.state, FindingState.CURE_PROPOSED)
    finding.why = texts.required("Why", told.line("Why", why, 500))
    finding.state, finding.proposed_by, finding.proposed_by_key = (
        FindingState.CURE_PROPOSED.value, by.label, person_key(by),
    )  # fmt: skip
    finding.save(update_fields=["why", "state", "proposed_by", "proposed_by_key"])
    _tell(Verb.CURE_PROPOSED, finding, by, at)
    told.record_masked(finding, by=by, at=at)
    return finding


@flow
def accept_cure(finding: Finding, *, shown: str, by: Actor, at: datetime) -> Finding:
    """The second signature: it is cured and the clock stops.

    `shown` is the digest of what lay before this person. Raises SecondPersonNeeded, PreparedAnew or MoveNotAllowed.
    """
    finding = _locked(finding)
    MOVES.require(finding.state, FindingState.CURED)
    require_second_person(finding.proposed_by_key, by, deed="the cure of a finding")
    require_as_shown(shown, digest_of(finding), name=f"The cure of {finding.reference}")
    return _end(finding, FindingState.CURED, Verb.CURE_ACCEPTED, by, at)


def digest_of(finding: Finding) -> str:
    """What is agreed to: why it is said to be cured and by whom, and which plan it followed."""
    return digest(finding.reference, finding.state, finding.why, finding.proposed_by_key, finding.planned_at)


@flow
def send_back(finding: Finding, *, by: Actor, at: datetime) -> Finding:
    """It is not cured: the finding stands as before, with its clock. Raises MoveNotAllowed."""
    finding = _locked(finding)
    before = FindingState.PLANNED if finding.plan else FindingState.OPEN
    if finding.state != FindingState.CURE_PROPOSED:
        MOVES.require(finding.state, FindingState.CURED)
    finding.state, finding.proposed_by, finding.proposed_by_key = before.value, "", ""
    finding.save(update_fields=["state", "proposed_by", "proposed_by_key"])
    _tell(Verb.CURE_SENT_BACK, finding, by, at)
    return finding


@flow
def end_with_relationship(finding: Finding, *, by: Actor, at: datetime) -> Finding:
    """The relationship is over: nothing is left to be cured, and the clock stops (T30). Raises MoveNotAllowed."""
    finding = _locked(finding)
    MOVES.require(finding.state, FindingState.ENDED)
    return _end(finding, FindingState.ENDED, Verb.FINDING_ENDED, by, at)


@flow
def withdraw(finding: Finding, *, why: str, by: Actor, at: datetime) -> Finding:
    """It was wrong; somebody else than who recorded it says so. Raises SecondPersonNeeded, BadField, MoveNotAllowed."""
    finding, told = _locked(finding), Texts()
    MOVES.require(finding.state, FindingState.WITHDRAWN)
    require_second_person(None, by, deed="the end of a finding")
    if finding.recorded_by == by.label:
        raise BadField(f"Finding {finding.reference} was recorded by you. Ask a colleague to withdraw it.")
    finding.why = texts.required("Why", told.line("Why", why, 500))
    told.record_masked(finding, by=by, at=at)
    return _end(finding, FindingState.WITHDRAWN, Verb.FINDING_WITHDRAWN, by, at)


def _end(finding: Finding, state: FindingState, verb: Verb, by: Actor, at: datetime) -> Finding:
    finding.state, finding.ended_at, finding.ended_by = state.value, at, by.label
    finding.save(update_fields=["state", "ended_at", "ended_by", "why"])
    stop_clock(CURE_BY, finding, by=by, at=at)
    _tell(verb, finding, by, at)
    return finding


def _tell(verb: Verb, finding: Finding, by: Actor, at: datetime, **facts) -> None:
    reseller = finding.reseller.reference
    audit.record(verb, finding, by=by, at=at, within=finding.reseller, reseller=reseller, **facts)


def _locked(finding: Finding) -> Finding:
    """The finding under its reseller's lock, as everything of a reseller's file is taken."""
    file.locked(finding.reseller)
    rows = Finding.objects.select_for_update(of=("self",)).select_related("reseller__account")
    return rows.get(pk=finding.pk)
