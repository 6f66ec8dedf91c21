from datetime import date, timedelta

import pytest

from accounts.flows.closing import close_account
from accounts.models import Account
from kyc_portal.records.holds import place_hold
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.retention import all_rules, purge_due
from resellers.flows import attestation, onboarding, roster_files, roster_taking
from resellers.models import (
    Attestation,
    Certification,
    CertifiedEntry,
    DownstreamCustomer,
    Reseller,
    ResellerManager,
    RosterEntry,
    RosterUpload,
)
from tests.builders import make_downstream, make_entry, make_reseller
from tests.conftest import NOON
from tests.resellers.rosters import REMY, agree, read, row, take_in
from tests.resellers.signing import make_signer

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

        assert (
            codes.index("roster") < codes.index("downstream") < codes.index("resellers") < codes.index("customer_file")
        )


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

    def test_what_was_certified_and_attested_goes_with_it(self):
        signer = make_signer()
        signer.certify(make_entry(signer.reseller))
        year_on = NOON + timedelta(days=366)
        attestation.open_due(on=year_on.date(), by=SCHEDULER, at=year_on)
        attestation.sign_attestation(
            Attestation.objects.get(), statement_number="1", binding=signer.binding, by=signer.actor, at=year_on
        )
        close(signer.reseller)

        purge(KEPT_THROUGH + timedelta(days=1))

        assert not Reseller.objects.exists() and not Attestation.objects.exists()
        assert not Certification.objects.exists() and not CertifiedEntry.objects.exists()

    def test_it_stays_while_a_customer_is_left(self):
        reseller = make_reseller()
        make_downstream(reseller)
        close(reseller)

        report = purge(KEPT_THROUGH + timedelta(days=1))

        assert Reseller.objects.exists() and Account.objects.filter(pk=reseller.account_id).exists()
        assert any("still refers" in why for _, why in report.kept)


class TestRoster:
    def test_what_ended_is_kept_for_the_years_after_its_end_and_what_is_in_force_stays(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2"))
        take_in(reseller, row("1", name="Other"), at=CLOSED)

        purge(KEPT_THROUGH)
        before = RosterEntry.objects.count()
        report = purge(KEPT_THROUGH + timedelta(days=1))

        assert before == 3 and [entry.name for entry in RosterEntry.objects.all()] == ["Other"]
        assert [stone.rule for stone in report.gone] == ["roster", "roster"]

    def test_a_hold_on_the_reseller_keeps_it(self):
        reseller = make_reseller()
        take_in(reseller, row("1"))
        take_in(reseller, row("2"), at=CLOSED)
        place_hold([reseller.account], reason="litigation", ground="Matter 7", by=SCHEDULER, at=CLOSED)

        report = purge(KEPT_THROUGH + timedelta(days=400))

        assert RosterEntry.objects.count() == 2 and any("Matter 7" in why for _, why in report.kept)

    def test_what_was_staged_of_a_discarded_file_goes_soon(self, monkeypatch):
        reseller = make_reseller()
        upload = read(reseller, row("1"))
        agree(upload)
        with monkeypatch.context() as patch:
            patch.setattr(roster_taking, "_bring_in_force", lambda *args, **named: None)
            roster_taking.accept(upload.reference, by=SCHEDULER, at=NOON)
        RosterUpload.objects.filter(pk=upload.pk).update(state="stopped")
        roster_files.discard(upload, by=REMY, at=NOON)

        purge(date(2026, 3, 9))
        before = RosterEntry.objects.count()
        purge(date(2026, 3, 10))

        assert before == 1 and not RosterEntry.objects.exists()

    def test_a_reseller_goes_with_its_rosters(self):
        reseller = make_reseller()
        take_in(reseller, row("1"), row("2", country="XX"), keeps_good_rows=True)
        close(reseller)

        purge(KEPT_THROUGH + timedelta(days=1))

        assert not Reseller.objects.exists() and not RosterEntry.objects.exists() and not RosterUpload.objects.exists()

    def test_a_roster_keeps_no_account_from_going(self):
        reseller = make_reseller()
        link = make_downstream(reseller)
        take_in(reseller, row("1", account=link.account.reference))
        close(link)

        purge(KEPT_THROUGH + timedelta(days=1))

        assert not Account.objects.filter(pk=link.account_id).exists()
        assert RosterEntry.objects.get().account is None
