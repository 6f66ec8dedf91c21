"""How long measures and their hits are kept: hits go with the customer's file, measures once they hit nobody (R47)."""

from datetime import date

import pytest

from accounts.models import Account
from cases.flows import special_measures
from cases.models import MeasureFactor, MeasureHit, SpecialMeasure
from kyc_portal.policy.models import Deadline
from kyc_portal.records import holds
from kyc_portal.records.models import SubjectKey
from kyc_portal.records.refs import SCHEDULER
from tests.cases.builders import make_open_account
from tests.cases.measures import FIRST, FROM_THERE, make_measure
from tests.cases.test_retention import purge
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
AFTER = date(2028, 3, 3)  # the day after the last one of what ended on the day of the tests


@pytest.fixture
def closed():
    account = make_open_account(addresses=FROM_THERE)
    measure = make_measure()
    special_measures.note_factor(measure, factor="source", note="Weighed.", by=FIRST, at=NOON)
    Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON)
    return account, measure


def test_a_hit_goes_with_the_file_and_the_measure_stays_while_it_lives(closed):
    account, measure = closed
    hit = MeasureHit.objects.get()

    told = purge(AFTER)

    assert told[hit.reference] == "gone"
    assert not Account.objects.filter(pk=account.pk).exists()
    assert SpecialMeasure.objects.get() == measure


def test_a_measure_goes_years_after_its_end_with_what_was_weighed_and_its_key(closed):
    _, measure = closed
    special_measures.end_early(measure, why="mistaken", by=FIRST, at=NOON)

    for _ in range(2):  # the first takes its hits
        purge(AFTER)

    assert not (MeasureHit.objects.exists() or SpecialMeasure.objects.exists() or MeasureFactor.objects.exists())
    assert not SubjectKey.objects.filter(subject=measure.pk).exists()
    assert not Deadline.objects.filter(key=str(measure.pk)).exists()


def test_a_hold_on_the_account_keeps_its_hit_and_so_the_measure(closed):
    account, measure = closed
    special_measures.end_early(measure, why="mistaken", by=FIRST, at=NOON)
    holds.place_hold([account], reason="litigation", ground="G-1", by=SCHEDULER, at=NOON)

    purge(AFTER)

    assert MeasureHit.objects.exists() and SpecialMeasure.objects.exists()
