"""Counts by country as of any day are what the rows of the rosters say, whatever happened to them (R64)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from kyc_portal.records.clock import legal_day
from resellers.flows import counts
from resellers.models import Reseller, RosterEntry
from tests.builders import make_entry, make_reseller
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
FIRST = date(2026, 3, 2)
NIGHT = datetime(2026, 3, 3, 4, 30, tzinfo=UTC)  # still 2 March where the law counts its days


def by_country(day, **given):
    return {each.country: (each.total, each.holds["verified"]) for each in counts.counts_on(day, **given)}


# What happens to a customer: a day on which it is stated anew (with a country, verified or not) or is gone (None).
STEPS = st.lists(
    st.tuples(st.integers(0, 9), st.none() | st.tuples(st.sampled_from(["DE", "FR", "IR"]), st.booleans())),
    min_size=1, max_size=5, unique_by=lambda step: step[0],
).map(sorted)  # fmt: skip
HISTORIES = st.lists(STEPS, min_size=1, max_size=5)


def live(reseller: Reseller, number: str, steps) -> None:
    """Write a history into the rows as acceptances do."""
    current = None
    for day, stated in steps:
        at = NOON + timedelta(days=day)
        if current is not None:
            why = "gone" if stated is None else "changed"
            RosterEntry.objects.filter(pk=current.pk).update(ended_at=at, ended_why=why)
            current = None
        if stated is not None:
            country, is_verified = stated
            verified = {"verified_on": FIRST if is_verified else None}
            current = make_entry(reseller, number, country=country, at=at, **verified)


def naive(histories, day: int) -> dict:
    """The same by going through every history by hand."""
    found: dict = {}
    for steps in histories:
        past = [stated for when, stated in steps if when <= day]
        if past and past[-1] is not None:
            country, is_verified = past[-1]
            total, verified = found.get(country, (0, 0))
            found[country] = (total + 1, verified + is_verified)
    return found


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=HISTORIES, other=HISTORIES, day=st.integers(-1, 11))
def test_r64_any_day_of_any_history_is_counted_as_by_hand(one, other, day):
    with transaction.atomic():
        resellers = [make_reseller(), make_reseller()]
        for reseller, histories in zip(resellers, (one, other), strict=True):
            for number, steps in enumerate(histories):
                live(reseller, f"C-{number}", steps)

        asked = FIRST + timedelta(days=day)

        assert by_country(asked, resellers=resellers[:1]) == naive(one, day)
        assert by_country(asked) == naive([*one, *other], day)
        transaction.set_rollback(True)


def test_the_day_ends_where_the_law_counts_its_days(settings):
    settings.LEGAL_TIME_ZONE = "America/New_York"
    make_entry(make_reseller(), at=NIGHT, verified_on=FIRST)
    assert legal_day(NIGHT) == FIRST

    assert by_country(FIRST) == {"DE": (1, 1)} and by_country(FIRST - timedelta(days=1)) == {}


def test_what_ends_on_a_day_is_not_counted_at_its_end(settings):
    settings.LEGAL_TIME_ZONE = "America/New_York"
    entry = make_entry(make_reseller())
    RosterEntry.objects.filter(pk=entry.pk).update(ended_at=NIGHT, ended_why="gone")

    assert by_country(FIRST) == {}


def test_what_waits_for_its_acceptance_is_not_counted():
    make_entry(make_reseller(), from_at=None)

    assert by_country(FIRST) == {}


def test_a_verification_counts_from_its_day():
    make_entry(make_reseller(), verified_on=FIRST + timedelta(days=2))

    assert by_country(FIRST + timedelta(days=1)) == {"DE": (1, 0)}
    assert by_country(FIRST + timedelta(days=2)) == {"DE": (1, 1)}


@pytest.mark.parametrize("customers", [1, 8])
def test_one_query_however_many(customers):
    for number in range(customers):
        make_entry(make_reseller(), country=["DE", "FR", "IT", "ES"][number % 4])

    with CaptureQueriesContext(connection) as asked:
        counts.counts_on(FIRST)

    assert len(asked) == 1


def test_a_further_measure_is_counted_everywhere(monkeypatch):
    monkeypatch.setattr(counts, "_MEASURES", [counts.VERIFIED])
    entities = counts.Measure("entity", "companies", "persons", lambda moment: models.Q(kind="entity"))
    counts.add_measure(entities)
    counts.add_measure(entities)
    reseller = make_reseller()
    make_entry(reseller, "C-1"), make_entry(reseller, "C-2", kind="individual", verified_on=None)

    [found] = counts.counts_on(FIRST)

    assert (found.total, found.holds, found.fails("entity")) == (2, {"verified": 1, "entity": 1}, 1)
    assert counts.head() == [
        "Country", "Customers", "verified by the reseller", "not verified", "companies", "persons",
    ]  # fmt: skip
    assert counts.row_of(found) == ["Germany", 2, 1, 1, 1, 1]


def test_the_most_customers_come_first_and_the_sum_is_that_of_all():
    reseller = make_reseller()
    for number, country in enumerate(["FR", "DE", "FR", "IR"]):
        make_entry(reseller, f"C-{number}", country=country)

    found = counts.counts_on(FIRST)

    assert [each.country for each in found] == ["FR", "DE", "IR"] and counts.sum_of(found).total == 4


@pytest.mark.parametrize("start", "=+-@")
def test_a18_nothing_in_the_file_runs_as_a_formula(start):
    found = [counts.CountryCount(f"{start}1+1", 1, {each.code: 0 for each in counts.measures()})]

    lines = list(counts.csv_lines(found, day=FIRST, whose=f"{start}cmd"))

    assert lines[1].startswith(f"2026-03-02,'{start}cmd,'{start}1+1,'{start}1+1,1,0,1")
