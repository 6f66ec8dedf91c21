"""What is kept of an end goes with the customer's file or with the reseller's, and keeps neither back (R47, R54)."""

from datetime import timedelta
from pathlib import Path

import pytest

from accounts.flows.closing import close_account
from kyc_portal.policy.models import Deadline
from kyc_portal.records.holds import place_hold
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.retention import purge_due
from kyc_portal.work import queue
from resellers.flows import cip_requests, reports
from resellers.models import AuthorityReport, CipRequest, DownstreamCustomer, Reseller, Termination, TerminationStep
from tests.builders import make_downstream, make_reseller
from tests.conftest import NOON
from tests.resellers.ending import RITA, carry_out, decided, make_other

pytestmark = pytest.mark.django_db
LONG_AFTER = NOON.date() + timedelta(days=4000)
THEN = NOON + timedelta(days=4001)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


def purge():
    return purge_due(as_of=LONG_AFTER, today=LONG_AFTER, execute=True, by=SCHEDULER, at=THEN)


def test_a_customers_file_goes_with_its_step_while_the_reseller_is_kept():
    reseller = make_reseller()
    link = make_downstream(reseller)
    row = carry_out(decided(reseller, outcome="close"))
    place_hold([reseller.account], reason="litigation", ground="a case", by=SCHEDULER, at=NOON)

    purge()

    assert not DownstreamCustomer.objects.filter(pk=link.pk).exists() and not TerminationStep.objects.exists()
    assert Termination.objects.filter(pk=row.pk).exists(), "the reseller is held"


def test_a_resellers_file_goes_although_its_customers_stay_with_another(settings):
    reseller, target = make_reseller(), make_other()
    link = make_downstream(reseller)
    row = decided(reseller, outcome="migrate", target=target)
    reports.open_report(reseller, termination=row, authority="One", about="Much.", by=RITA, at=NOON)
    request = cip_requests.ask(reseller, requester="BIS", requested_on=NOON.date(), by=RITA, at=NOON)
    cip_requests.produce(request.reference, by=SCHEDULER, at=NOON)
    carry_out(row)

    purge()
    queue.run_due(THEN + timedelta(days=10_000))

    assert not Reseller.objects.filter(pk=reseller.pk).exists()
    for model in (Termination, TerminationStep, AuthorityReport, CipRequest):
        assert not model.objects.exists(), model
    assert DownstreamCustomer.objects.get(pk=link.pk).reseller == target
    assert not Deadline.objects.filter(key__in=[str(request.pk)]).exists()
    assert not (Path(settings.BUNDLE_DIR) / request.reference).exists()


def test_a_hold_on_a_customer_keeps_what_became_of_it():
    reseller, target = make_reseller(), make_other()
    link = make_downstream(reseller)
    carry_out(decided(reseller, outcome="migrate", target=target))
    place_hold([link.account], reason="litigation", ground="a case", by=SCHEDULER, at=NOON)

    purge()

    assert TerminationStep.objects.filter(link=link).exists()


def test_a_customer_taken_over_goes_with_its_own_account():
    reseller = make_reseller()
    link = make_downstream(reseller)
    carry_out(decided(reseller))
    close_account(link.account, reason="own_request", by=SCHEDULER, at=NOON)

    purge()

    assert not DownstreamCustomer.objects.filter(pk=link.pk).exists()
