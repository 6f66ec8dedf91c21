"""Opening an account: every guard by itself, and all of them at once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.flows import activation, identification, screening, verification
from accounts.models import Party, Restriction, WatchlistSnapshot
from accounts.models.party import UsStatus
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records import audit
from kyc_portal.records.refs import SCHEDULER
from tests.builders import (
    complete_party,
    make_account,
    make_company,
    make_complete_account,
    make_hit,
    make_list,
    make_party,
    make_ready_account,
    make_verified,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def reasons(account) -> str:
    return " ".join(activation.why_not(account, at=NOON))


class TestActivate:
    def test_it_opens_an_account_nothing_stands_in_the_way_of(self, analyst):
        account = make_ready_account()

        opened = activation.activate(account, by=analyst, at=NOON)

        assert opened.status == "active"
        assert opened.opened_at == NOON
        assert opened.risk_tier == "low"
        assert opened.next_review_on == date(2026, 3, 2) + timedelta(days=730)
        assert Notice.objects.filter(kind="account_opened", key=str(account.pk)).count() == 1
        assert any("opened the account" in audit.as_sentence(event) for event in audit.history_of(account))

    def test_it_says_every_reason_at_once_and_changes_nothing(self, analyst):
        account = make_account()

        with pytest.raises(activation.NotReady) as refused:
            activation.activate(account, by=analyst, at=NOON)

        account.refresh_from_db()
        assert account.status == "prospect"
        for sentence in ("Settle the status", "No document", "telephone", "is not verified", "No watch list is loaded"):
            assert sentence in str(refused.value)

    def test_it_does_not_open_twice(self, analyst):
        account = activation.activate(make_ready_account(), by=analyst, at=NOON)

        with pytest.raises(activation.NotReady, match="The account is active"):
            activation.activate(account, by=analyst, at=NOON)

    def test_it_stops_the_clock_of_the_verification(self, analyst):
        account = activation.activate(make_ready_account(), by=analyst, at=NOON)

        assert not clocks_of(account).exists()


class TestGuards:
    def test_an_undetermined_kind(self):
        account = make_ready_account()
        Party.objects.filter(pk=account.party_id).update(kind="undetermined")

        account.refresh_from_db()

        assert "whether the customer is a person or an entity" in reasons(account)

    def test_an_unsettled_status(self):
        account = make_ready_account()
        Party.objects.filter(pk=account.party_id).update(us_status=UsStatus.UNSETTLED)

        account.refresh_from_db()

        assert f"whether {account.party.reference} is a U.S. or a foreign person" in reasons(account)

    def test_a_change_after_the_screening(self):
        account = make_ready_account()
        Party.objects.filter(pk=account.party_id).update(changed_at=NOON + timedelta(minutes=1))

        account.refresh_from_db()

        assert "is not screened against the lists as they stand now" in reasons(account)

    def test_a_second_list_nobody_was_compared_with(self):
        account = make_ready_account()
        make_list("Another list")

        assert "is not screened" in reasons(account)

    def test_t12_a_us_person_is_screened_too(self):
        account = make_complete_account(citizenship="US")
        make_list()

        told = reasons(account)

        assert account.party.is_us
        assert "is not verified" not in told
        assert "is not screened" in told

    @pytest.mark.parametrize("status", ["open", "confirm_proposed", "dismiss_proposed"])
    def test_a_hit_that_is_not_judged(self, status):
        account = make_ready_account()
        hit = make_hit(account.party, status=status)

        assert f"{hit.reference} waits for a judgement" in reasons(account)

    def test_a_dismissed_hit_stands_in_nobodys_way(self):
        account = make_ready_account()
        make_hit(account.party, status="dismissed")

        assert reasons(account) == ""

    def test_a_confirmed_hit_on_the_customer(self):
        account = make_ready_account()
        make_hit(account.party, status="confirmed")

        assert "is on a sanctions list" in reasons(account)

    def test_a_hit_on_a_version_that_was_replaced_counts_no_more(self):
        account = make_ready_account()
        make_hit(account.party, status="confirmed")
        WatchlistSnapshot.objects.update(is_current=False)
        make_list("Newer list")
        screening.screen_party(account.party, by=SCHEDULER, at=NOON)

        account.refresh_from_db()

        assert "sanctions list" not in reasons(account)

    def test_an_unsettled_discrepancy(self, analyst):
        account = make_ready_account()
        again = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)
        verification.find_discrepancy(again, field="address", stated="A", found="B", by=analyst, at=NOON)

        assert f"Discrepancies are not settled in {again.reference}" in reasons(account)

    def test_a_block_in_force(self):
        account = make_ready_account()
        Restriction.objects.create(
            account=account, level="blocked", reason="listed", public_wording="–", basis="DEC-1", applied_at=NOON,
            applied_by="lea",
        )  # fmt: skip

        assert "blocks the account" in reasons(account)

    def test_a_guard_from_above_is_heard(self, monkeypatch):
        account = make_ready_account()
        monkeypatch.setattr(activation, "_GUARDS", list(activation._GUARDS))

        activation.add_guard(lambda account, at: "A measure is in force.")

        assert activation.why_not(account, at=NOON) == ["A measure is in force."]


class TestOwners:
    def owned(self, *percents, **changes):
        account = make_company()
        owners = [make_party(**changes) for _ in percents]
        for owner, percent in zip(owners, percents, strict=True):
            identification.add_owner(account.party, owner=owner, percent=Decimal(percent), by=SCHEDULER, at=NOON)
        account.refresh_from_db()
        return account, owners

    def test_t16_two_listed_holders_of_a_quarter_each_block_the_customer(self):
        account, owners = self.owned("24", "26")
        middle = make_company().party
        identification.add_owner(account.party, owner=middle, percent=Decimal(30), by=SCHEDULER, at=NOON)
        for party in (owners[0], middle):
            make_hit(party, status="confirmed")

        told = reasons(account)

        assert "Listed persons together hold 54 % of the customer, and 50 % is enough" in told
        assert "31 CFR 578.411" in told

    def test_less_than_half_in_listed_hands_is_no_block(self):
        account, owners = self.owned("24", "26")
        make_hit(owners[0], status="confirmed")

        told = reasons(account)

        assert "Listed persons" not in told
        assert "The customer or an owner is on a sanctions list" not in told

    def test_a_listed_beneficial_owner_stands_in_the_way_by_themselves(self):
        account, owners = self.owned("25")
        hit = make_hit(owners[0], status="confirmed")

        assert f"The customer or an owner is on a sanctions list ({hit.reference})" in reasons(account)

    def test_a_foreign_owner_of_a_us_customer_is_verified_and_the_customer_is_not(self, analyst):
        account, owners = self.owned("60")
        Party.objects.filter(pk=account.party_id).update(us_status=UsStatus.US)
        account.refresh_from_db()

        before = reasons(account)
        complete_party(owners[0])
        make_verified(account, owners[0])

        assert f"{owners[0].reference} is not verified" in before
        assert f"{account.party.reference} is not verified" not in before
        assert "is not verified" not in reasons(account)
