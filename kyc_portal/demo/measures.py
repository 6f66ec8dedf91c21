"""The demo's special measures, both made up: one in effect, one in its days of waiting."""

from datetime import date

from accounts.models import Account
from cases.flows import measure_effects, measure_hits, measure_judging, special_measures
from cases.models import MeasureHit, SpecialMeasure
from cases.rules.measure_stages import Action, FactorCode, MeasureKind, OverrideGround, Strength
from kyc_portal.calendars import add_days
from kyc_portal.demo import files, stories
from kyc_portal.demo.deciding import ABROAD
from kyc_portal.demo.stories import Stage, company, person
from kyc_portal.records.refs import SCHEDULER

MADE_UP = "Made-up determination"
STAYS, MOVES_AWAY = "Alena Kavalchuk", "Dzmitry Hurski"


def determine(stage: Stage, *, country: str, title: str, days: int) -> SpecialMeasure:
    """One of the legal team records a determination, another confirms it, and everybody is looked at."""
    at = stage.ago(days)
    measure = special_measures.record_determination(
        kind=MeasureKind.JURISDICTION.value, country=country, action=Action.PROHIBIT.value,
        strength=Strength.OVERRIDABLE.value, title=title, source=MADE_UP, determined_on=at.date(),
        text="Accounts of foreign persons located there are prohibited from the day of effect on. (Demo text.)",
        by=stage.actor("laszlo"), at=at,
    )  # fmt: skip
    special_measures.confirm(measure, by=stage.actor("livia"), at=stage.ago(days, 11))
    measure_hits.compute_hits(measure, by=SCHEDULER, at=stage.ago(days, 12))
    measure.refresh_from_db()
    return measure


def measure_is_determined(stage: Stage) -> None:
    """Two customers are located where a measure will prohibit accounts after its days of waiting."""
    for name, city, born in (
        (STAYS, "Minsk", date(1990, 5, 17)),
        (MOVES_AWAY, "Brest", date(1986, 9, 8)),
    ):
        stories.open_person(stage, person(name, "BY", city, born), code="BLR", days=260)
    measure = determine(stage, country="BY", title="Accounts from Belarus (made up)", days=200)
    special_measures.note_factor(
        measure, factor=FactorCode.SOURCE.value, note="Two of our abuse reports of the last year point there.",
        by=stage.actor("laszlo"), at=stage.ago(200, 14),
    )  # fmt: skip


def measure_takes_effect(stage: Stage) -> None:
    """Both are suspended; one is taken out again, with some weeks to move its data away."""
    measure_effects.bring_due_into_effect(by=SCHEDULER, at=stage.ago(20))
    hit, first = MeasureHit.objects.get(account__party__legal_name=MOVES_AWAY), stage.ago(18)
    row = measure_judging.propose_override(
        hit, ground=OverrideGround.WIND_DOWN.value, from_on=first.date(), to_on=add_days(first.date(), 60),
        by=stage.actor("laszlo"), at=first,
    )  # fmt: skip
    measure_judging.agree_override(hit, shown=row.reference, by=stage.actor("livia"), at=stage.ago(18, 10))


def another_waits(stage: Stage) -> None:
    """A company is hit through its owner; another one was only seen there, which a person is to judge."""
    stories.open_company(
        stage,
        company("Sable Ridge Analytics S.A.", "LU", "Esch"),
        [(None, person("Karma Wangdi", "BT", "Thimphu", date(1975, 2, 2)), "40", "BTN")],
        days=80,
    )
    seen = Account.objects.get(party__legal_name="Meridian Gridworks GmbH")
    for address, days in ABROAD:
        stories.see_access(stage, seen, f"meridian-abroad-{days}", address, days=days, acts=files.WORK)
    determine(stage, country="BT", title="Accounts from Bhutan (made up)", days=4)
