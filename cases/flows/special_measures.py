"""Special measures from determination to lapse (R91-R97, T17; proposed 15 CFR 7.307, E.O. 13984 section 2).

Legal records a determination and a second person confirms it. During the wait hits are computed and judged. On its
first day the measure comes into effect, by the task or by hand as policy says; each account is restricted in a
transaction of its own (measure_effects). After the last day a person reviews before anything is lifted.
"""

from datetime import date, datetime

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from accounts.models import Party
from accounts.rules.us_status import US_JURISDICTIONS
from cases.flows import measure_hits
from cases.models import MeasureFactor, SpecialMeasure
from cases.rules.measure_stages import (
    FACTORS,
    LIVE,
    MEASURE_LIFECYCLE,
    Action,
    EndedWhy,
    FactorCode,
    MeasureKind,
    MeasureState,
    Strength,
)
from cases.rules.measures import days_of, extended_through
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal

EFFECT, EXPIRY, REVIEW = "measure begins", "measure ends", "measure review"  # kinds of clocks
LONGEST_TEXT, LONGEST_TERMS, LONGEST_NOTE = 20_000, 4_000, 4_000


class NotOnFile(Refusal):
    """The party a measure is to name is not on file."""


class NotYet(Refusal):
    """The day has not come."""


class ByHandOnly(Refusal):
    """Policy wants a person to bring measures into effect."""


class WrongState(Refusal):
    """The measure is not where this can be done."""


@flow
def record_determination(
    *, kind: str, country: str = "", party: str = "", action: str, strength: str, title: str, source: str, text: str,
    terms: str = "", determined_on: date, effective_on: date | None = None, by: Actor, at: datetime,
) -> SpecialMeasure:  # fmt: skip
    """Write a determination down, with its days; `party` is a reference. Its hits are computed at once by a worker.

    Raises BadField, NotOnFile, BadDates.
    """
    told, today = Texts(), legal_day(at)
    regime = regime_on(today)
    days = days_of(
        determined_on, effective_on, today=today, wait_days=regime.whole("measure_wait_days"),
        length_days=regime.whole("measure_length_days"), source=regime.cite("measure_wait_days"),
    )  # fmt: skip
    kind = texts.chosen("Kind", kind, MeasureKind)
    where, whom = _place_or_person(MeasureKind(kind), country, party)
    action = texts.chosen("Action", action, Action)
    terms = told.lines("Terms", terms.strip(), LONGEST_TERMS)
    if (action == Action.CONDITION) != bool(terms):
        raise BadField("Terms are for a measure that allows accounts on terms only: enter them there and nowhere else.")
    measure = SpecialMeasure.objects.create(
        kind=kind, country=where, party=whom, action=action, strength=texts.chosen("Strength", strength, Strength),
        title=texts.required("Title", told.line("Title", title.strip(), 150)),
        source=texts.required("Published in", told.line("Published in", source.strip(), 200)),
        text=texts.required("Text", told.lines("Text", text.strip(), LONGEST_TEXT)), terms=terms,
        determined_on=determined_on, effective_on=days.effective_on, expires_on=days.expires_on,
        recorded_at=at, recorded_by=by.label, recorded_by_key=person_key(by),
    )  # fmt: skip
    audit.record(Verb.MEASURE_RECORDED, measure, by=by, at=at, measure=measure.reference, kind=kind, day=determined_on)
    told.record_masked(measure, by=by, at=at)
    start_clock(
        EFFECT, measure, figure="measure_wait_days", regime=regime, on=determined_on, due_on=days.effective_on,
        by=by, at=at,
    )  # fmt: skip
    measure_hits.ask_for_computing(measure, at=at)
    return measure


def _place_or_person(kind: MeasureKind, country: str, party: str) -> tuple[str, Party | None]:
    """The jurisdiction or the party, whichever the kind names, and not the other."""
    country, party = texts.country("Jurisdiction", country), party.strip().upper()
    if kind == MeasureKind.JURISDICTION:
        if party:
            raise BadField("Person belongs to a measure by person. Leave it empty, or choose the other kind.")
        if country in US_JURISDICTIONS:
            raise BadField("Jurisdiction is the United States or a territory. The order is about foreign ones.")
        return texts.required("Jurisdiction", country), None
    if country:
        raise BadField("Jurisdiction belongs to a measure by jurisdiction. Leave it empty, or choose the other kind.")
    texts.required("Person", texts.code("Person", party, 20))
    found = Party.objects.select_for_update(of=("self",)).filter(reference=party).first()
    if found is None:
        raise NotOnFile(
            f"No party on file has the reference “{ascii(party)[1:-1]}”. Copy it from the party's page; whom we do not "
            "know is added there first."
        )
    return "", found


@flow
def confirm(measure: SpecialMeasure, *, by: Actor, at: datetime) -> SpecialMeasure:
    """The second signature under what was recorded. Raises SecondPersonNeeded, MoveNotAllowed."""
    measure = _moved(measure, MeasureState.CONFIRMED)
    require_second_person(measure.recorded_by_key, by, deed="the confirmation of a special measure")
    measure.confirmed_at, measure.confirmed_by = at, by.label
    measure.save(update_fields=["state", "confirmed_at", "confirmed_by"])
    audit.record(Verb.MEASURE_CONFIRMED, measure, by=by, at=at, measure=measure.reference)
    return measure


@flow
def bring_into_effect(measure: SpecialMeasure, *, by: Actor, at: datetime) -> SpecialMeasure:
    """From now on it restricts; accounts follow one by one. Not before its first day (R93).

    By the scheduler where policy allows it; otherwise by a person who did not record it. Raises NotYet, ByHandOnly,
    SecondPersonNeeded, MoveNotAllowed.
    """
    today = legal_day(at)
    regime = regime_on(today)
    measure = _moved(measure, MeasureState.IN_EFFECT)
    if today < measure.effective_on:
        raise NotYet(f"{measure.reference} takes effect on {measure.effective_on}, not before. Wait for that day.")
    if today > measure.expires_on:
        raise NotYet(f"{measure.reference} expired on {measure.expires_on}. Record a new determination.")
    if by.kind != SCHEDULER.kind:
        require_second_person(measure.recorded_by_key, by, deed="bringing a special measure into effect")
    elif not regime.number("measure_by_task"):
        raise ByHandOnly("By policy a person brings measures into effect. Open the measure and do it there.")
    measure.in_effect_at = at
    measure.save(update_fields=["state", "in_effect_at"])
    hits = measure.hits.applying().count()
    audit.record(Verb.MEASURE_IN_EFFECT, measure, by=by, at=at, measure=measure.reference, hits=hits)
    stop_clock(EFFECT, measure, by=by, at=at)
    start_clock(
        EXPIRY, measure, figure="measure_length_days", regime=regime, on=measure.effective_on,
        due_on=measure.expires_on, by=by, at=at,
    )  # fmt: skip
    return measure


@flow
def extend(measure: SpecialMeasure, *, through: date | None = None, by: Actor, at: datetime) -> SpecialMeasure:
    """Lengthen a confirmed measure through a day, or by one whole period (R94). Raises BadDates once it expired."""
    today = legal_day(at)
    regime = regime_on(today)
    measure = _locked(measure)
    _require(measure, (MeasureState.CONFIRMED, MeasureState.IN_EFFECT), "Only a measure that runs can be extended.")
    before = measure.expires_on
    measure.expires_on = extended_through(before, through, today=today, length_days=regime.whole("measure_length_days"))
    measure.extensions = [
        *measure.extensions,
        {"at": at.isoformat(), "by": by.label, "from": str(before), "through": str(measure.expires_on)},
    ]
    measure.save(update_fields=["expires_on", "extensions"])
    audit.record(Verb.MEASURE_EXTENDED, measure, by=by, at=at, measure=measure.reference, through=measure.expires_on)
    if stop_clock(EXPIRY, measure, by=by, at=at):
        start_clock(
            EXPIRY, measure, figure="measure_length_days", regime=regime, on=before, due_on=measure.expires_on,
            by=by, at=at,
        )  # fmt: skip
    return measure


@flow
def end_early(measure: SpecialMeasure, *, why: str, by: Actor, at: datetime) -> SpecialMeasure:
    """The authority took it back, or it was a mistake: withdrawn before its effect, over and to be reviewed after.

    Raises BadField, WrongState.
    """
    why = texts.chosen("Why", why, EndedWhy)
    measure = _locked(measure)
    _require(measure, LIVE, "Only a measure that is not over can be ended.")
    if measure.state == MeasureState.IN_EFFECT:
        return _end(measure, why, by=by, at=at)
    MEASURE_LIFECYCLE.require(measure.state, MeasureState.WITHDRAWN)
    measure.state, measure.ended_at, measure.ended_why = MeasureState.WITHDRAWN.value, at, why
    measure.save(update_fields=["state", "ended_at", "ended_why"])
    stop_clock(EFFECT, measure, by=by, at=at)
    audit.record(Verb.MEASURE_OVER, measure, by=by, at=at, measure=measure.reference, why=why)
    return measure


@flow
def expire(measure: SpecialMeasure, *, on: date, by: Actor, at: datetime) -> SpecialMeasure:
    """End a measure whose last day is past; one that was extended meanwhile stays. Nothing is lifted yet (R97)."""
    measure = _locked(measure)
    if not SpecialMeasure.objects.ran_out(on).filter(pk=measure.pk).exists():
        return measure
    if measure.state == MeasureState.IN_EFFECT:
        return _end(measure, "", by=by, at=at)
    measure.state, measure.ended_at = MeasureState.WITHDRAWN.value, at  # nobody brought it into effect in all its time
    measure.save(update_fields=["state", "ended_at"])
    stop_clock(EFFECT, measure, by=by, at=at)
    audit.record(Verb.MEASURE_OVER, measure, by=by, at=at, measure=measure.reference, why="expired")
    return measure


def _end(measure: SpecialMeasure, why: str, *, by: Actor, at: datetime) -> SpecialMeasure:
    MEASURE_LIFECYCLE.require(measure.state, MeasureState.OVER)
    day = legal_day(at)
    measure.state, measure.ended_at, measure.ended_why = MeasureState.OVER.value, at, why
    measure.save(update_fields=["state", "ended_at", "ended_why"])
    stop_clock(EXPIRY, measure, by=by, at=at)
    start_clock(REVIEW, measure, figure="measure_review_days", regime=regime_on(day), on=day, by=by, at=at)
    audit.record(Verb.MEASURE_OVER, measure, by=by, at=at, measure=measure.reference, why=why or "expired")
    return measure


@flow
def review(measure: SpecialMeasure, *, by: Actor, at: datetime) -> SpecialMeasure:
    """A person looked at what the measure restricted; from now on that is lifted, one account after the other (R97).

    Restrictions that rest on anything else stay. Raises SecondPersonNeeded for whoever is no person, MoveNotAllowed.
    """
    measure = _moved(measure, MeasureState.REVIEWED)
    require_second_person(None, by, deed="the review of a special measure")
    measure.reviewed_at, measure.reviewed_by = at, by.label
    measure.save(update_fields=["state", "reviewed_at", "reviewed_by"])
    stop_clock(REVIEW, measure, by=by, at=at)
    count = measure.hits.restricted().count()
    audit.record(Verb.MEASURE_REVIEWED, measure, by=by, at=at, measure=measure.reference, count=count)
    return measure


@flow
def close(measure: SpecialMeasure, *, by: Actor, at: datetime) -> SpecialMeasure:
    """Nothing rests on a reviewed measure any more."""
    measure = _moved(measure, MeasureState.CLOSED)
    measure.save(update_fields=["state"])
    audit.record(Verb.MEASURE_CLOSED, measure, by=by, at=at, measure=measure.reference)
    return measure


@flow
def note_factor(measure: SpecialMeasure, *, factor: str, note: str, by: Actor, at: datetime) -> MeasureFactor:
    """Keep what was weighed about one factor of the order (R96); sealed, and never changed later. Raises BadField."""
    told = Texts()
    factor = texts.chosen("Factor", factor, FactorCode)
    measure = _locked(measure)
    if FactorCode(factor) not in FACTORS[MeasureKind(measure.kind)]:
        raise BadField(f"Factor “{FactorCode(factor).label}” is not weighed for this kind of measure. Choose another.")
    note = texts.required("Note", told.lines("Note", note.strip(), LONGEST_NOTE))
    row = MeasureFactor(measure=measure, factor=factor, noted_at=at, noted_by=by.label)
    row.note = note
    row.save(force_insert=True)
    audit.record(Verb.MEASURE_WEIGHED, measure, by=by, at=at, measure=measure.reference, code=factor)
    told.record_masked(measure, by=by, at=at)
    return row


def _locked(measure: SpecialMeasure) -> SpecialMeasure:
    return SpecialMeasure.objects.select_for_update(of=("self",)).get(pk=measure.pk)


def _moved(measure: SpecialMeasure, to: MeasureState) -> SpecialMeasure:
    """The locked row in its new state, not yet saved. Raises MoveNotAllowed."""
    measure = _locked(measure)
    MEASURE_LIFECYCLE.require(measure.state, to)
    measure.state = to.value
    return measure


def _require(measure: SpecialMeasure, states: tuple[MeasureState, ...], sentence: str) -> None:
    if measure.state not in states:
        raise WrongState(f"{measure.reference} is {measure.get_state_display()}. {sentence}")
