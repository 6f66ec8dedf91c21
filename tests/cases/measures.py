"""Builders of special measures, which call flows."""

from datetime import date, timedelta

from accounts.flows.intake import NewAddress
from cases.flows import measure_hits, measure_judging, special_measures
from cases.models import MeasureHit, SpecialMeasure
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.cases.builders import make_open_account
from tests.conftest import NOON

DETERMINED = date(2026, 3, 2)
BEGINS, EXPIRES = date(2026, 8, 29), date(2027, 8, 29)  # days 180 and 365 (T17 gives the first)
FIRST, SECOND = (Actor("person", key, key) for key in ("first counsel", "second counsel"))

FROM_THERE = (
    NewAddress(kind="residence", lines="1 Long Street", region="", country="BY"),
    NewAddress(kind="use_location", lines="", region="", country="DE"),
)


def noon_of(day: date):
    """That day's noon."""
    return NOON + (day - NOON.date())


def make_measure(*, confirmed=True, at=NOON, by=FIRST, **changes) -> SpecialMeasure:
    """A prohibition by jurisdiction (Belarus), determined on the day of the tests, with its hits computed."""
    given = {
        "kind": "jurisdiction", "country": "BY", "action": "prohibit", "strength": "overridable",
        "title": "Accounts from Belarus", "source": "91 FR 12345", "text": "No account may be kept.",
        "determined_on": at.date(),
    }  # fmt: skip
    measure = special_measures.record_determination(**{**given, **changes}, by=by, at=at)
    if confirmed:
        measure = special_measures.confirm(measure, by=SECOND, at=at)
    measure_hits.compute_hits(measure, by=SCHEDULER, at=at)
    measure.refresh_from_db()
    return measure


def make_in_effect(**changes) -> SpecialMeasure:
    """A measure in effect since its first day; nobody is restricted yet."""
    measure = make_measure(**changes)
    return special_measures.bring_into_effect(measure, by=SCHEDULER, at=noon_of(measure.effective_on))


def hit_of(measure: SpecialMeasure, account) -> MeasureHit:
    return MeasureHit.objects.get(measure=measure, account=account)


def make_one_of_each_hit(user) -> None:
    """A measure in each state but the last ones; hits unjudged, proposed, with an override proposed and agreed."""
    accounts = [make_open_account(addresses=FROM_THERE) for _ in range(4)]
    recorded = make_measure(confirmed=False)
    special_measures.note_factor(recorded, factor="source", note="Canaryfactor", by=FIRST, at=NOON)
    measure = make_measure()
    at = noon_of(measure.effective_on)
    special_measures.bring_into_effect(measure, by=SCHEDULER, at=at)
    made = {"by": FIRST, "at": at}
    measure_judging.judge(hit_of(measure, accounts[0]), judgement="not", why="not_located", **made)
    days = {"from_on": at.date(), "to_on": at.date() + timedelta(days=30)}
    for account in accounts[1:3]:
        measure_judging.propose_override(hit_of(measure, account), ground="safety", **days, **made)
    second = hit_of(measure, accounts[1])
    measure_judging.agree_override(second, shown=second.overrides.get().reference, by=SECOND, at=at)
    over = make_in_effect(country="KP")
    special_measures.end_early(over, why="revoked", **made)
