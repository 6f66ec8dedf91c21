"""What measures do to accounts: restrict whom they hit, release whom they do not, refuse openings (R91, R92, R97).

Each account is a transaction of its own, so a sweep may be killed and begun anew. The dry run is the very query that
the sweep works off.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from accounts.flows import restrictions
from accounts.formats.text import neutralised
from accounts.models import Account, Restriction
from cases.flows import measure_hits, special_measures
from cases.flows.measure_evidence import policy_codes
from cases.models import MeasureHit, SpecialMeasure
from cases.rules.measure_stages import FREES, Action, Judgement, MeasureState
from cases.rules.measures import deciding, sentence
from cases.rules.outcomes import APPEAL_WINDOW, OutcomeCode, consequence_of
from kyc_portal.calendars import add_days
from kyc_portal.policy.current import regime_on
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.work.failures import sweep

REASON = "special_measure"
LATELY = timedelta(hours=2)  # what was opened or changed then is looked at every five minutes, the rest at night
OUTCOME = {Action.PROHIBIT: OutcomeCode.SUSPEND, Action.CONDITION: OutcomeCode.LIMIT}
DONE_IN_WORDS = {Action.PROHIBIT: "suspended", Action.CONDITION: "limited"}
_ACT = {Action.PROHIBIT: restrictions.suspend, Action.CONDITION: restrictions.limit}


# --- the dry run ------------------------------------------------------------------------------------------------------


def day_of_dry_run(measure: SpecialMeasure, today: date) -> date:
    """The day the dry run speaks of: the first day of the measure, or today once that is past."""
    return max(measure.effective_on, today)


def would_restrict(measure: SpecialMeasure, *, today: date) -> QuerySet[MeasureHit]:
    """The hits whose accounts the measure would restrict, by what is known and judged now; changes nothing."""
    rows = MeasureHit.objects.filter(measure=measure).to_restrict(day_of_dry_run(measure, today))
    return rows.select_related("account", "measure").order_by("account__reference")


def would_refuse(measure: SpecialMeasure, *, today: date) -> QuerySet[MeasureHit]:
    """The hits of prospects whose opening the measure would refuse."""
    rows = MeasureHit.objects.filter(measure=measure).to_refuse(day_of_dry_run(measure, today))
    return rows.select_related("account", "measure").order_by("account__reference")


HEAD = ("Account", "State", "What would happen", "Hit", "Judgement", "Why")


def dry_run_lines(measure: SpecialMeasure, *, today: date) -> Iterator[str]:
    """The list of the dry run as CSV, row by row; no names, and nothing a spreadsheet would run."""
    done = DONE_IN_WORDS[Action(measure.action)]
    yield _line(HEAD)
    for rows, what in ((would_restrict(measure, today=today), done), (would_refuse(measure, today=today), "refused")):
        for hit in rows.iterator(chunk_size=500):
            yield _line(row_of(hit, what))


def row_of(hit: MeasureHit, what: str) -> tuple[str, ...]:
    """One row of the dry run, as the page and the file show it."""
    account = hit.account
    return (
        account.reference, account.get_status_display(), what, hit.reference, hit.get_judgement_display(),
        " ".join(hit.sentences),
    )  # fmt: skip


def _line(values: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([neutralised(str(value)) for value in values])
    return out.getvalue()


# --- what is done to accounts -----------------------------------------------------------------------------------------


@flow
def restrict(hit: MeasureHit, *, by: Actor, at: datetime) -> Restriction | None:
    """Suspend or limit one account because of its measure; None when meanwhile there is nothing to do."""
    account, hit = _locked(hit)
    if hit.measure.state != MeasureState.IN_EFFECT:
        return None
    if not MeasureHit.objects.to_restrict(legal_day(at)).filter(pk=hit.pk).exists():
        return None
    day, action = legal_day(at), Action(hit.measure.action)
    told = consequence_of(OUTCOME[action], REASON)
    return _ACT[action](
        account, reason=REASON, public_wording=told.public_wording, basis=hit.measure.reference,
        object_by=add_days(day, regime_on(day).whole(APPEAL_WINDOW)), by=by, at=at,
    )  # fmt: skip


@flow
def release(hit: MeasureHit, *, by: Actor, at: datetime) -> Restriction | None:
    """Lift what rests on the measure alone from an account that was judged free of it, or is overridden today."""
    account, hit = _locked(hit)
    if not MeasureHit.objects.to_release(legal_day(at)).filter(pk=hit.pk).exists():
        return None
    standing = account.restrictions.in_force().filter(basis=hit.measure.reference).first()
    why = hit.get_judgement_display() if hit.judgement in FREES else "an override is in force"
    return restrictions.lift(standing, why=f"{hit.measure.reference}: {why}", by=by, at=at)


def settle(hit: MeasureHit, *, by: Actor, at: datetime) -> None:
    """Do at once what a judgement or an override means for the account; part of the caller's transaction."""
    if release(hit, by=by, at=at) is None:
        restrict(hit, by=by, at=at)


def _locked(hit: MeasureHit) -> tuple[Account, MeasureHit]:
    """Account, then measure, then hit: the order of locks."""
    account = Account.objects.select_for_update(of=("self",)).get(pk=hit.account_id)
    measure = SpecialMeasure.objects.select_for_update(of=("self",)).get(pk=hit.measure_id)
    hit = MeasureHit.objects.select_for_update(of=("self",)).get(pk=hit.pk)
    hit.account, hit.measure = account, measure
    return account, hit


# --- sweeps -----------------------------------------------------------------------------------------------------------


def bring_due_into_effect(*, by: Actor, at: datetime) -> dict:
    """Bring due measures into effect where policy allows it, then restrict and release account by account (R93).

    Returns {"done": n, "failed": n} by what was done. May be repeated, by two at once too.
    """
    today, told = legal_day(at), {}
    if regime_on(today).number("measure_by_task"):
        due = SpecialMeasure.objects.due(today).order_by("effective_on", "pk")
        told["into_effect"] = sweep("cases.measure_effect", due, lambda each: _begin(each, by=by, at=at), at=at)
    running = SpecialMeasure.objects.in_effect().order_by("effective_on", "pk")
    told["looked"] = sweep(
        "cases.measure_look",
        running,
        lambda each: measure_hits.look_at_changed(each, since=at - LATELY, by=by, at=at),
        at=at,
    )
    of_running = MeasureHit.objects.filter(measure__state=MeasureState.IN_EFFECT.value).order_by("pk")
    told["restricted"] = sweep(
        "cases.measure_restrict", of_running.to_restrict(today), lambda hit: restrict(hit, by=by, at=at), at=at
    )
    told["released"] = sweep(
        "cases.measure_release", of_running.to_release(today), lambda hit: release(hit, by=by, at=at), at=at
    )
    return told


def _begin(measure: SpecialMeasure, *, by: Actor, at: datetime) -> None:
    """Whoever came or changed since everybody was looked at is looked at before the measure binds."""
    measure_hits.look_at_changed(measure, since=measure.computed_at or at, by=by, at=at)
    special_measures.bring_into_effect(measure, by=by, at=at)


def lift_expired(*, on: date, by: Actor, at: datetime) -> dict:
    """End measures whose last day is before `on`; lift, account by account, what rests on those a person reviewed.

    Returns {"done": n, "failed": n} by what was done. Restrictions on any other basis stay (R97).
    """
    over = SpecialMeasure.objects.ran_out(on).order_by("expires_on", "pk")
    told = {
        "expired": sweep(
            "cases.measure_expire", over, lambda each: special_measures.expire(each, on=on, by=by, at=at), at=at
        )
    }
    for measure in SpecialMeasure.objects.filter(state=MeasureState.REVIEWED.value).order_by("pk"):
        resting = Restriction.objects.in_force().filter(basis=measure.reference).select_related("account")
        why = f"{measure.reference} is over; reviewed by {measure.reviewed_by}"[:200]
        told[measure.reference] = sweep(
            "cases.measure_lift",
            resting.order_by("pk"),
            lambda each, why=why: restrictions.lift(each, why=why, by=by, at=at),
            at=at,
        )
        if not resting.exists():
            sweep("cases.measure_close", [measure], lambda each: special_measures.close(each, by=by, at=at), at=at)
    return told


# --- the guard of openings --------------------------------------------------------------------------------------------


def forbids_opening(account: Account, at: datetime) -> list[str]:
    """The guard of opening: what each measure in force says of this customer, looked at anew (R91, R92).

    An account that was judged free, or is overridden today, may be opened; so may one that was only observed there.
    """
    day = legal_day(at)
    measures = list(SpecialMeasure.objects.binding_on(day).select_related("party").order_by("effective_on", "pk"))
    return [told for measure in measures if (told := _obstacle(account, measure, day))]


def _obstacle(account: Account, measure: SpecialMeasure, day: date) -> str:
    evidence = measure_hits.evidence_for(account, measure, on=day)
    found = deciding(evidence, policy_codes(regime_on(day)))
    hit = MeasureHit.objects.filter(measure=measure, account=account).first()
    if hit is not None:
        is_free = hit.judgement in FREES and not measure_hits.ties_anew(hit, evidence)
        if is_free or hit.overrides.standing_on(day).exists():
            return ""
        if hit.judgement == Judgement.APPLIES and not found:
            found = evidence
    if not found:
        return ""
    why = " ".join(sentence(each) for each in found)
    if measure.action == Action.CONDITION:
        demands, what_next = "allows this customer on its terms only", "Have its hit judged: the terms are met or not."
    else:
        demands, what_next = "prohibits this customer", "Refuse to open it, or have its hit judged."
    return f"{measure.reference} ({measure.title}) {demands}. {why} {what_next}"
