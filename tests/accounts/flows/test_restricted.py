"""Whom we shut out is known again when they return, though nothing of the person is left (trust.md 5.2, 11)."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from accounts.flows import identification, restricted, restrictions
from accounts.models import Account, Identifier, Party, RestrictedCustomer, RetainedFingerprint
from accounts.rules.closing import cause_of
from kyc_portal.calendars import keep_through
from kyc_portal.records import retention
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_open_account, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

CLOSED = datetime(2015, 2, 28, 12, tzinfo=UTC)
WALLET = "0x" + "ab" * 20


@pytest.mark.parametrize(
    ("reason", "levels", "cause"),
    [
        ("own_request", [], ""),
        ("unused", ["limited"], ""),
        ("terms_broken", [], "terms_broken"),
        ("masked_access", [], "masked_access"),
        ("own_request", ["suspended"], "suspended"),
        ("own_request", ["limited", "suspended", "blocked"], "blocked"),
        ("", [], ""),
    ],
)
def test_what_is_held_against_a_customer(reason, levels, cause):
    assert cause_of(reason, levels) == cause


def purge(as_of: date):
    return retention.purge_due(as_of=as_of, today=as_of, execute=True, by=SCHEDULER, at=timezone.now())


def purged(reason: str, *, suspended=False) -> Account:
    account = make_open_account()
    identification.add_payment_method(account.party, kind="wallet", identifier=WALLET, by=SCHEDULER, at=NOON)
    if suspended:
        restrictions.suspend(account, reason="x", public_wording="–", basis="D", by=SCHEDULER, at=CLOSED)
    Account.objects.filter(pk=account.pk).update(status="closed", closed_at=CLOSED, closing_reason=reason)
    assert [stone.name for stone in purge(NOON.date()).gone] == [account.reference]
    return account


def test_one_closed_for_cause_is_known_by_reference_only():
    gone = purged("terms_broken")
    returning = make_party()
    identification.add_payment_method(returning, kind="wallet", identifier=WALLET.upper(), by=SCHEDULER, at=NOON)

    [found] = restricted.find_restricted(returning)

    assert found.customer.reference == gone.reference
    assert "They share the same wallet. Restricted earlier (terms broken); the file was purged on" in found.sentence
    assert not Party.objects.filter(pk=gone.party_id).exists()
    assert not Identifier.objects.filter(party=gone.party_id).exists()


def test_one_who_was_suspended_at_the_end_is_known():
    purged("own_request", suspended=True)

    assert RestrictedCustomer.objects.get().reason == "suspended"
    assert RetainedFingerprint.objects.filter(kind="wallet").exists()


def test_of_anybody_else_no_fingerprint_is_left():
    purged("own_request")

    assert not RestrictedCustomer.objects.exists()
    assert not RetainedFingerprint.objects.exists()


def test_a_stranger_matches_nobody():
    purged("terms_broken")

    assert restricted.find_restricted(make_party(phone="")) == []


def test_they_go_when_their_own_period_is_over():
    purged("terms_broken")
    last_day = keep_through(legal_day(timezone.now()), years=5)
    [kept] = [why for ref, why in purge(last_day).kept if ref.label == "accounts.restrictedcustomer"]
    assert f"Kept through {last_day}: 5 years after the file was destroyed" in kept

    purge(date(last_day.year + 1, 1, 1))

    assert not RestrictedCustomer.objects.exists()
    assert not RetainedFingerprint.objects.exists()
    assert Tombstone.objects.filter(rule="restricted_customers").count() == 1


def test_the_partys_page_says_it(client, analyst_user):
    purged("terms_broken")
    returning = make_party()
    identification.add_payment_method(returning, kind="wallet", identifier=WALLET, by=SCHEDULER, at=NOON)
    client.force_login(analyst_user)

    page = client.get(f"/admin/accounts/party/{returning.pk}/change/").content.decode()

    assert "Restricted earlier (terms broken)" in page
