"""Choose the lawful ground before anything is handed over that nobody ordered (requirement R113; 18 U.S.C. 2702)."""

from datetime import datetime

from accounts.flows.texts import Texts, required
from cases.flows.evidence import accounts_of
from cases.models import Case, VoluntaryDisclosure
from cases.rules.voluntary import VOLUNTARY, VoluntaryState
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

LONGEST_FACTS = 4000


class NotVoluntary(Refusal):
    """The ground is none of those on which the law lets us hand over by ourselves."""


class Answered(Refusal):
    """Somebody has answered it already."""


class AboutNobody(Refusal):
    """The case is about no account."""


@flow
def propose(case: Case, *, ground: str, facts: str, by: Actor, at: datetime) -> VoluntaryDisclosure:
    """Choose a ground for this case and say its facts in words; nothing is collected until a second person approves."""
    if ground not in VOLUNTARY:
        raise NotVoluntary(f"Choose one of the grounds the law names: {', '.join(VOLUNTARY)}.")
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    accounts = accounts_of(case)
    if not accounts:
        raise AboutNobody(f"{case.reference} is about no account, so there is nothing to hand over.")
    told = Texts()
    facts = required("Facts", told.lines("Facts", facts.strip(), LONGEST_FACTS))
    made = VoluntaryDisclosure(
        case=case, ground=ground, subject=accounts[0].party_id, proposed_at=at, proposed_by=by.label,
        proposed_by_key=person_key(by),
    )  # fmt: skip
    made.facts = facts
    made.save()
    _record(Verb.VOLUNTARY_PROPOSED, made, by=by, at=at, ground=ground)
    told.record_masked(made, by=by, at=at)
    return made


@flow
def approve(chosen: VoluntaryDisclosure, *, by: Actor, at: datetime) -> VoluntaryDisclosure:
    """Approve what a colleague chose. Raises SecondPersonNeeded, Answered."""
    require_second_person(chosen.proposed_by_key, by, deed=chosen.reference)
    return _answer(chosen, VoluntaryState.APPROVED, Verb.VOLUNTARY_APPROVED, by=by, at=at)


@flow
def decline(chosen: VoluntaryDisclosure, *, by: Actor, at: datetime) -> VoluntaryDisclosure:
    """Say that the facts do not carry the ground. Raises SecondPersonNeeded, Answered."""
    require_second_person(chosen.proposed_by_key, by, deed=chosen.reference)
    return _answer(chosen, VoluntaryState.DECLINED, Verb.VOLUNTARY_DECLINED, by=by, at=at)


@flow
def withdraw(chosen: VoluntaryDisclosure, *, by: Actor, at: datetime) -> VoluntaryDisclosure:
    """Take the ground back, approved or not: what rests on it and has not gone out stays here."""
    from_states = (VoluntaryState.PROPOSED, VoluntaryState.APPROVED)
    return _answer(chosen, VoluntaryState.WITHDRAWN, Verb.VOLUNTARY_WITHDRAWN, from_states, by=by, at=at)


def _answer(chosen, to, verb, from_states=(VoluntaryState.PROPOSED,), *, by, at) -> VoluntaryDisclosure:
    chosen = VoluntaryDisclosure.objects.select_for_update(of=("self",)).select_related("case").get(pk=chosen.pk)
    if chosen.state not in from_states:
        raise Answered(f"{chosen.reference} is {chosen.get_state_display()} already, by {chosen.answered_by}.")
    chosen.state, chosen.answered_at, chosen.answered_by = to.value, at, by.label
    chosen.save(update_fields=["state", "answered_at", "answered_by"])
    _record(verb, chosen, by=by, at=at, ground=chosen.ground)
    return chosen


def _record(verb: Verb, chosen: VoluntaryDisclosure, *, by: Actor, at: datetime, **facts) -> None:
    audit.record(verb, chosen, by=by, at=at, within=chosen.case, reference=chosen.reference, **facts)
