import io
from datetime import date, timedelta

import pytest

from accounts.flows import document_files
from accounts.flows.closing import close_account
from accounts.models import Account
from kyc_portal.records.holds import place_hold
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.retention import all_rules, purge_due
from kyc_portal.work import queue
from resellers.flows import onboarding, roster_screening, sampling
from resellers.models import (
    DownstreamCustomer,
    Reseller,
    ResellerManager,
    RosterHit,
    RosterScreening,
    Sample,
    SampledFile,
)
from tests.builders import make_downstream, make_entry, make_list, make_reseller, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
CLOSED = NOON + timedelta(days=10)
KEPT_THROUGH = date(2028, 3, 12)  # two years after the closing day, as proposed in 15 CFR 7.302


def purge(as_of: date):
    return purge_due(as_of=as_of, today=as_of, execute=True, by=SCHEDULER, at=NOON + timedelta(days=1000))


def close(*records):
    for record in records:
        close_account(record.account, reason="customer_left", by=SCHEDULER, at=CLOSED)


class TestTheRules:
    def test_links_and_resellers_go_before_accounts(self):
        codes = [rule.code for rule in all_rules()]

        assert codes.index("downstream") < codes.index("resellers") < codes.index("customer_file")


class TestDownstreamCustomer:
    def test_the_link_goes_with_the_account_and_not_before(self):
        link = make_downstream(make_reseller())
        close(link)

        purge(KEPT_THROUGH)
        kept = DownstreamCustomer.objects.exists()
        report = purge(KEPT_THROUGH + timedelta(days=1))

        assert kept
        assert not DownstreamCustomer.objects.exists()
        assert not Account.objects.filter(pk=link.account_id).exists()
        assert [stone.rule for stone in report.gone] == ["downstream", "customer_file"]

    def test_the_link_of_an_open_account_stays(self):
        make_downstream(make_reseller())

        purge(KEPT_THROUGH + timedelta(days=4000))

        assert DownstreamCustomer.objects.exists()

    def test_a_hold_on_the_customer_keeps_the_link(self):
        link = make_downstream(make_reseller())
        close(link)
        place_hold([link.account.party], reason="litigation", ground="Matter 7", by=SCHEDULER, at=CLOSED)

        report = purge(KEPT_THROUGH + timedelta(days=1))

        assert DownstreamCustomer.objects.exists() and not Tombstone.objects.exists()
        assert any("Matter 7" in why for _, why in report.kept)


class TestReseller:
    def test_it_goes_with_its_bindings_once_no_customer_is_left(self, reseller_manager_user):
        reseller = make_reseller()
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=SCHEDULER, at=NOON)
        link = make_downstream(reseller)
        close(reseller, link)

        purge(KEPT_THROUGH + timedelta(days=1))

        assert not Reseller.objects.exists() and not ResellerManager.objects.exists()
        assert not Account.objects.exists()

    def test_samples_their_files_and_hits_go_along(self):
        reseller = make_reseller()
        entry = make_entry(reseller)
        sampled = sampling.draw(reseller, by=SCHEDULER, at=NOON).files.get()
        file = io.BytesIO(png_bytes())
        sampled = sampling.hand_in(sampled, file=file, file_name="a.png", binding=None, by=SCHEDULER, at=NOON)
        roster_screening.ask_for_waiting(by=SCHEDULER, at=NOON)
        RosterHit.objects.create(
            reseller=reseller, number=entry.number, entry=entry, snapshot=make_list(), found_at=NOON, entry_uid="1",
            entry_name="LISTED", score="0.9", compared="x",
        )  # fmt: skip
        path = document_files.path_of(sampled.subject, sampled.file_sha256)
        assert path.exists() and RosterScreening.objects.exists()
        close(reseller)

        purge(KEPT_THROUGH + timedelta(days=1))
        queue.run_due(NOON + timedelta(days=1001))

        for model in (Reseller, Sample, SampledFile, RosterHit, RosterScreening, Account):
            assert not model.objects.exists()
        assert not path.exists()

    def test_it_stays_while_a_customer_is_left(self):
        reseller = make_reseller()
        make_downstream(reseller)
        close(reseller)

        report = purge(KEPT_THROUGH + timedelta(days=1))

        assert Reseller.objects.exists() and Account.objects.filter(pk=reseller.account_id).exists()
        assert any("still refers" in why for _, why in report.kept)
