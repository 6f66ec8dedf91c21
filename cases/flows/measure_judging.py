"""What people find of a measure's hits, and who takes an account out of a measure for a time (R95).

That a measure does not apply to whom it was found by deciding evidence, that its terms are met, and every override
take two people.
"""

from datetime import date, datetime

from accounts.flows import texts
from accounts.flows.texts import BadField
from accounts.models import Account
from cases.flows import address_alone, measure_effects
from cases.models import MeasureHit, MeasureOverride, SpecialMeasure
from cases.rules.measure_stages import (
    FITTING,
    LIVE,
    Action,
    JudgedWhy,
    Judgement,
    OverrideGround,
    OverrideState,
    Strength,
)
from cases.rules.measures import require_free_days
from cases.verbs import Verb
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class NothingToAnswer(Refusal):
    """No proposal waits here."""


class NotOverridable(Refusal):
    """Nothing may take an account out of this measure."""


class MeasureIsOver(Refusal):
    """The measure is over, so nothing about its hits is to be decided any more."""


@flow
def judge(hit: MeasureHit, *, judgement: str, why: str, by: Actor, at: datetime) -> MeasureHit:
    """Say whether the measure applies; `why` is a code that fits. What frees a deciding hit waits for a second person.

    What it means for the account is done at once. Raises BadField, MeasureIsOver, AddressAlone.
    """
    hit = _locked(hit)
    if judgement not in FITTING:
        raise BadField(f"Judgement is not known. Use one of: {', '.join(FITTING)}.")
    judgement, why = Judgement(judgement), JudgedWhy(texts.chosen("Why", why, JudgedWhy))
    if why not in FITTING[judgement]:
        fits = ", ".join(f"“{each.label}”" for each in FITTING[judgement])
        raise BadField(f"Why does not fit “{judgement.label}”. Choose one of: {fits}.")
    if judgement == Judgement.TERMS_MET and hit.measure.action != Action.CONDITION:
        raise BadField("The measure prohibits accounts and has no terms that could be met. Choose another judgement.")
    if judgement == Judgement.APPLIES:
        address_alone.require_more_for_hit(hit)
    bound = hit.decides or hit.judgement == Judgement.APPLIES
    hit.proposal, hit.why = judgement.value, why.value
    hit.proposed_by, hit.proposed_by_key = by.label, person_key(by)
    if judgement == Judgement.TERMS_MET or (judgement == Judgement.NOT and bound):
        hit.save(update_fields=["proposal", "why", "proposed_by", "proposed_by_key"])
        _record(Verb.HIT_PROPOSED, hit, judgement.value, by=by, at=at)
        return hit
    return _judged(hit, by=by, at=at)


@flow
def agree(hit: MeasureHit, *, shown: str, by: Actor, at: datetime) -> MeasureHit:
    """The second signature under a proposed judgement.

    `shown` is the digest of what lay before this person. Raises NothingToAnswer, SecondPersonNeeded, PreparedAnew.
    """
    hit = _proposed(_locked(hit))
    require_second_person(hit.proposed_by_key, by, deed="this judgement")
    require_as_shown(shown, digest_of(hit), name=f"The judgement of {hit.reference}")
    return _judged(hit, by=by, at=at)


def digest_of(hit: MeasureHit) -> str:
    """What is agreed to: the judgement that is proposed, why and by whom, and the evidence it is about."""
    return digest(hit.reference, hit.proposal, hit.why, hit.proposed_by_key, hit.decides, hit.evidence)


def _judged(hit: MeasureHit, *, by: Actor, at: datetime) -> MeasureHit:
    hit.judgement, hit.proposal, hit.judged_at, hit.judged_by = hit.proposal, "", at, by.label
    hit.save(update_fields=["judgement", "proposal", "why", "proposed_by", "proposed_by_key", "judged_at", "judged_by"])
    _record(Verb.HIT_JUDGED, hit, hit.judgement, by=by, at=at)
    measure_effects.settle(hit, by=by, at=at)
    return hit


@flow
def send_back(hit: MeasureHit, *, by: Actor, at: datetime) -> MeasureHit:
    """Do not agree, or take one's own proposal back: what was judged before stands. Raises NothingToAnswer."""
    hit = _proposed(_locked(hit))
    hit.proposal = hit.why = ""
    hit.save(update_fields=["proposal", "why"])
    audit.record(Verb.HIT_RETURNED, hit, by=by, at=at, within=hit.account, hit=hit.reference)
    return hit


def _proposed(hit: MeasureHit) -> MeasureHit:
    if not hit.proposal:
        raise NothingToAnswer(f"No judgement of {hit.reference} waits for a second person. It may have been answered.")
    return hit


def _record(verb: Verb, hit: MeasureHit, judgement: str, *, by: Actor, at: datetime) -> None:
    audit.record(
        verb, hit, by=by, at=at, within=hit.account, hit=hit.reference, measure=hit.measure.reference,
        judgement=judgement, why=hit.why,
    )  # fmt: skip


# --- overrides --------------------------------------------------------------------------------------------------------


@flow
def propose_override(
    hit: MeasureHit, *, ground: str, from_on: date, to_on: date, by: Actor, at: datetime
) -> MeasureOverride:
    """Propose to take the account out of the measure from a day through a day.

    Raises NotOverridable, BadDates (also where another override stands on one of the days), BadField.
    """
    hit = _locked(hit)
    if hit.measure.strength != Strength.OVERRIDABLE:
        raise NotOverridable(f"{hit.measure.reference} was recorded as one nothing overrides. Judge the hit instead.")
    ground = texts.chosen("Ground", ground, OverrideGround)
    others = hit.overrides.live().order_by("from_on").values_list("reference", "from_on", "to_on")
    require_free_days(from_on, to_on, others, today=legal_day(at), through=hit.measure.expires_on)
    row = MeasureOverride.objects.create(
        hit=hit, ground=ground, from_on=from_on, to_on=to_on, proposed_at=at, proposed_by=by.label,
        proposed_by_key=person_key(by),
    )  # fmt: skip
    _record_override(Verb.OVERRIDE_PROPOSED, row, by=by, at=at)
    return row


@flow
def agree_override(hit: MeasureHit, *, shown: str, by: Actor, at: datetime) -> MeasureOverride:
    """The second signature; if its days have begun, the account is released at once.

    `shown` is the reference of the override that lay before this person; its row never changes. Raises
    NothingToAnswer, SecondPersonNeeded, PreparedAnew.
    """
    hit = _locked(hit)
    row = _proposed_override(hit, shown)
    require_second_person(row.proposed_by_key, by, deed="an override of a special measure")
    row.state, row.answered_at, row.answered_by = OverrideState.AGREED.value, at, by.label
    row.save(update_fields=["state", "answered_at", "answered_by"])
    _record_override(Verb.OVERRIDE_AGREED, row, by=by, at=at)
    measure_effects.settle(hit, by=by, at=at)
    return row


@flow
def decline_override(hit: MeasureHit, *, shown: str, by: Actor, at: datetime) -> MeasureOverride:
    """Do not agree, or take one's own proposal back; `shown` as in agree_override."""
    row = _proposed_override(_locked(hit), shown)
    row.state, row.answered_at, row.answered_by = OverrideState.DECLINED.value, at, by.label
    row.save(update_fields=["state", "answered_at", "answered_by"])
    _record_override(Verb.OVERRIDE_DECLINED, row, by=by, at=at)
    return row


@flow
def end_override(hit: MeasureHit, *, by: Actor, at: datetime) -> MeasureOverride:
    """End an agreed override before its last day; if the measure is in effect, it restricts again at once."""
    hit = _locked(hit)
    row = _override(hit, OverrideState.AGREED, on=legal_day(at))
    row.state, row.ended_at, row.ended_by = OverrideState.ENDED.value, at, by.label
    row.save(update_fields=["state", "ended_at", "ended_by"])
    _record_override(Verb.OVERRIDE_ENDED, row, by=by, at=at)
    measure_effects.settle(hit, by=by, at=at)
    return row


def next_override(hit: MeasureHit) -> MeasureOverride | None:
    """Of the overrides that wait for a second person the one whose days begin first: the next one to be answered."""
    return hit.overrides.filter(state=OverrideState.PROPOSED.value).order_by("from_on", "pk").first()


def _proposed_override(hit: MeasureHit, shown: str) -> MeasureOverride:
    """The next override to be answered, if it is the one that was shown. Raises NothingToAnswer, PreparedAnew."""
    row = _override(hit, OverrideState.PROPOSED)
    require_as_shown(shown, row.reference, name=f"The override of {hit.reference}")
    return row


def _override(hit: MeasureHit, state: OverrideState, *, on: date | None = None) -> MeasureOverride:
    """The override in this state whose days begin first; of agreed ones, one that is not past."""
    rows = hit.overrides.filter(state=state.value)
    row = (rows.filter(to_on__gte=on) if on else rows).order_by("from_on", "pk").first()
    if row is None:
        raise NothingToAnswer(f"{hit.reference} has no override that is {state.label}. It may have been answered.")
    row.hit = hit
    return row


def _record_override(verb: Verb, row: MeasureOverride, *, by: Actor, at: datetime) -> None:
    facts = {"ground": row.ground, "through": row.to_on}
    told = {name: value for name, value in facts.items() if name in verb.facts}
    audit.record(
        verb, row.hit, by=by, at=at, within=row.hit.account, override=row.reference, measure=row.hit.measure.reference,
        **told,
    )  # fmt: skip


def _locked(hit: MeasureHit) -> MeasureHit:
    """Account, then measure, then hit. Raises MeasureIsOver."""
    account = Account.objects.select_for_update(of=("self",)).get(pk=hit.account_id)
    measure = SpecialMeasure.objects.select_for_update(of=("self",)).get(pk=hit.measure_id)
    hit = MeasureHit.objects.select_for_update(of=("self",)).get(pk=hit.pk)
    hit.account, hit.measure = account, measure
    if measure.state not in LIVE:
        raise MeasureIsOver(
            f"{measure.reference} is {measure.get_state_display()}. Its hits are not judged any more; what it "
            "restricted is lifted after the review."
        )
    return hit
