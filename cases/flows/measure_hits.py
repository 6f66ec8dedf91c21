"""Keep the hits of a measure as the customers are now, and what people found of each (R95).

Everybody is looked at in one pass at night and on demand; who is new or changed meanwhile is looked at within minutes.
Batches are transactions of their own, each with its event: killed half-way, the next pass does the rest.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import models
from django.db.models import Q

from accounts.models import Account
from accounts.models.account import ENDED_STATUSES
from cases.flows import measure_evidence
from cases.models import MeasureHit, SpecialMeasure
from cases.rules.measure_stages import FREES, LIVE, Judgement
from cases.rules.measures import Evidence, deciding
from cases.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow, one_flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

COMPUTE = "cases.compute_measure_hits"  # the job; its key is the measure's
BATCH = 500
STORED = ["evidence", "decides", "changed_at", "gone_at", "judgement", "proposal"]
MARGIN = timedelta(hours=1)  # an act may be committed after the moment it bears


class NotLive(Refusal):
    """The measure is over or withdrawn, so nobody is looked for."""


@dataclass
class Computed:
    """What one pass changed."""

    hits: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0

    def __iadd__(self, other: "Computed") -> "Computed":
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


def ask_for_computing(measure: SpecialMeasure, *, at: datetime) -> None:
    """Have the hits computed by a worker as soon as this transaction is over."""
    queue.ask(COMPUTE, key=str(measure.pk), due_at=at, at=at)


def compute_job(key: str, *, by: Actor, at: datetime) -> None:
    """The job: a measure that ended meanwhile needs no hits any more."""
    measure = SpecialMeasure.objects.live().filter(pk=key).first()
    if measure is not None:
        compute_hits(measure, by=by, at=at)


def compute_hits(measure: SpecialMeasure, *, by: Actor, at: datetime) -> Computed:
    """Look at every customer, and store what came, changed or went. Raises NotLive.

    May be repeated; judgements stay, unless something new ties an account to the measure.
    """
    measure = SpecialMeasure.objects.get(pk=measure.pk)
    _require_live(measure)
    found = measure_evidence.gather(measure, on=legal_day(at))
    told = Computed()
    for accounts in _batches(sorted(found, key=str)):
        told += _store(measure, accounts, found, by=by, at=at)
    told += _let_go(measure, MeasureHit.objects.filter(measure=measure), found.keys(), by=by, at=at)
    _note_computed(measure, told, by=by, at=at)
    return told


def look_at_changed(measure: SpecialMeasure, *, since: datetime, by: Actor, at: datetime) -> Computed:
    """The same for accounts that were opened or changed since a moment; costs what changed.

    All are looked at where nobody ever looked.
    """
    if measure.computed_at is None:
        return compute_hits(measure, by=by, at=at)
    since, told = since - MARGIN, Computed()
    changed = Account.objects.exclude(status__in=ENDED_STATUSES).filter(
        Q(created_at__gte=since) | Q(opened_at__gte=since) | Q(party__changed_at__gte=since)
    )
    for keys in _batches(changed.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=BATCH)):
        told += look_at(measure, Account.objects.filter(pk__in=keys), by=by, at=at)
    return told


def look_at(measure: SpecialMeasure, accounts: Iterable[Account], *, by: Actor, at: datetime) -> Computed:
    """Bring the hits of some accounts up to date."""
    accounts = list(accounts)
    found = measure_evidence.gather(measure, on=legal_day(at), accounts=accounts)
    told = _store(measure, list(found), found, by=by, at=at)
    stored = MeasureHit.objects.filter(measure=measure, account__in=accounts)
    told += _let_go(measure, stored, found.keys(), by=by, at=at)
    return told


def _require_live(measure: SpecialMeasure) -> None:
    if measure.state not in LIVE:
        raise NotLive(f"{measure.reference} is {measure.get_state_display()}; nobody is looked for any more.")


def _batches(keys: Iterable[UUID]) -> Iterator[list[UUID]]:
    keys = iter(keys)
    while part := list(islice(keys, BATCH)):
        yield part


def _store(measure: SpecialMeasure, keys: list[UUID], found, *, by: Actor, at: datetime) -> Computed:
    """Write what is new of one batch, in a transaction of its own; what is known is only read."""
    with one_flow(by):
        accounts = Account.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
        there = list(accounts.exclude(status__in=ENDED_STATUSES).values_list("pk", flat=True))
        _lock_live(measure)
        known = {hit.account_id: hit for hit in MeasureHit.objects.filter(measure=measure, account__in=there)}
        codes = measure_evidence.policy_codes(regime_on(legal_day(at)))
        new, changed = [], []
        for account in there:
            evidence, hit = found[account], known.get(account)
            if hit is None:
                hit = MeasureHit(measure=measure, account_id=account, found_at=at)
                new.append(hit)
            elif not _differs(hit, evidence, codes):
                continue
            else:
                changed.append(hit)
            _take(hit, evidence, codes, at)
        MeasureHit.objects.bulk_create(new)
        MeasureHit.objects.bulk_update(changed, STORED)
        told = Computed(hits=len(there), new=len(new), changed=len(changed))
        if new or changed:
            _record(Verb.MEASURE_LOOKED, measure, told, by=by, at=at)
    return told


def _record(verb: Verb, measure: SpecialMeasure, told: Computed, *, by: Actor, at: datetime) -> None:
    audit.record(verb, measure, by=by, at=at, measure=measure.reference, **vars(told))


def _lock_live(measure: SpecialMeasure) -> None:
    _require_live(SpecialMeasure.objects.select_for_update(of=("self",)).get(pk=measure.pk))


def _differs(hit: MeasureHit, evidence: list[Evidence], codes: Collection[str]) -> bool:
    rows = [each.as_row() for each in evidence]
    return hit.gone_at is not None or hit.evidence != rows or hit.decides != bool(deciding(evidence, codes))


def _take(hit: MeasureHit, evidence: list[Evidence], codes: Collection[str], at: datetime) -> None:
    """Put what was found into the hit; who was judged free is judged again once something new ties them."""
    is_new = ties_anew(hit, evidence)
    hit.evidence, hit.decides = [each.as_row() for each in evidence], bool(deciding(evidence, codes))
    hit.changed_at, hit.gone_at = at, None
    if is_new and (hit.judgement in FREES or hit.proposal in FREES):
        hit.judgement = Judgement.OPEN.value if hit.judgement in FREES else hit.judgement
        hit.proposal = ""


def ties_anew(hit: MeasureHit, evidence: Iterable[Evidence]) -> bool:
    """Whether something among the evidence was not there when the hit was stored, and so judged, last."""
    return bool({_tie(each) for each in evidence} - {_tie(Evidence.from_row(row)) for row in hit.evidence})


def _tie(evidence: Evidence) -> tuple:
    """What makes evidence another one: more accesses from a place, or another share of the same owner, do not."""
    return evidence.code, evidence.detail, evidence.country, evidence.via, evidence.control


def _let_go(measure: SpecialMeasure, stored: models.QuerySet, found: Collection[UUID], *, by, at) -> Computed:
    """Hits to whom nothing ties their account any more; what was restricted stays so until people judge it."""
    rows = stored.filter(gone_at__isnull=True).order_by("pk").values_list("pk", "account_id")
    gone = [pk for pk, account in rows.iterator(chunk_size=BATCH) if account not in found]
    for keys in _batches(gone):
        with one_flow(by):
            MeasureHit.objects.filter(pk__in=keys, gone_at__isnull=True).update(gone_at=at, evidence=[])
            _record(Verb.MEASURE_LOOKED, measure, Computed(gone=len(keys)), by=by, at=at)
    return Computed(gone=len(gone))


@flow
def _note_computed(measure: SpecialMeasure, told: Computed, *, by: Actor, at: datetime) -> None:
    SpecialMeasure.objects.filter(pk=measure.pk).update(computed_at=at)
    _record(Verb.MEASURE_COMPUTED, measure, told, by=by, at=at)


def recompute_live(*, by: Actor, at: datetime) -> dict:
    """Nightly: look at every customer for every live measure, one after the other."""
    told = {"measures": 0, "hits": 0}
    for measure in SpecialMeasure.objects.live().order_by("effective_on", "pk"):
        told["measures"] += 1
        told["hits"] += compute_hits(measure, by=by, at=at).hits
    return told


def evidence_for(account: Account, measure: SpecialMeasure, *, on: date) -> list[Evidence]:
    """What ties one account to a measure on a day; a few queries, nothing is stored."""
    return measure_evidence.gather(measure, on=on, accounts=[account]).get(account.pk, [])
