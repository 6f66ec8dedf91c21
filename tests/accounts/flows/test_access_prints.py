"""Access networks in a window tie customers, a little; behind anonymisers next to nothing (R18, R46)."""

from datetime import timedelta

import pytest

from accounts.flows import access_prints, links, seen_before
from accounts.models import AccessBatch, AccessRecord, Account, Identifier
from kyc_portal.policy.current import regime_on
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOME, VPN = "203.0.113.7", "198.51.100.9"


def used(account: Account, *accesses, imported_at=NOON) -> Account:
    """Taken in: (address, days after the registration, anonymiser)."""
    with one_flow(SCHEDULER):
        batch = AccessBatch.objects.create(
            account=account, format="jsonl", file_name="a", sha256=f"{AccessBatch.objects.count():064x}",
            read_count=len(accesses), new_count=len(accesses), known_count=0, refused_count=0,
            imported_at=imported_at, imported_by="test",
        )  # fmt: skip
        AccessRecord.objects.bulk_create(
            AccessRecord(
                account=account, batch=batch, at=account.created_at + day * DAY, kind="access", action="login",
                address=address, anonymiser=hidden, source_system="test", event_id=f"{batch.pk}{number}",
            )
            for number, (address, day, hidden) in enumerate(accesses)
        )  # fmt: skip
        account.last_access_at = NOON
        account.save(update_fields=["last_access_at"])
    return account


def values_of(account: Account) -> list:
    return sorted(access_prints.values_of_access(account, regime_on(NOON.date())))


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.7", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")],
)
def test_the_network_of_an_address(address, network):
    assert access_prints.network_of(address) == network


def test_only_public_addresses_of_telling_days_count():
    account = used(make_account(), (HOME, 1, ""), ("203.0.114.1", 30, ""), (VPN, 2, "vpn"))

    assert values_of(account) == [
        ("access_address", HOME), ("access_exit", VPN), ("access_network", "203.0.113.0/24"),
    ]  # fmt: skip


def test_the_days_before_the_end_count_of_who_was_shut_out():
    account = used(make_account(), ("203.0.114.1", 55, ""), ("203.0.115.1", 61, ""))
    account.status, account.closed_at = "closed", account.created_at + 60 * DAY

    assert [value for kind, value in values_of(account) if kind == "access_address"] == ["203.0.114.1"]


def test_the_few_most_used_are_kept_and_give_way_to_others():
    accesses = [(f"203.0.{number}.1", 1, "") for number in range(20) for _ in range(20 - number)]
    account = used(make_account(), *accesses)
    assert access_prints.fingerprint_access(account, by=SCHEDULER, at=NOON)
    assert Identifier.objects.filter(kind="access_address").count() == 5
    assert not access_prints.fingerprint_access(account, by=SCHEDULER, at=NOON)

    used(account, *[(f"203.1.{number}.1", 1, "") for number in range(5) for _ in range(30)])
    assert access_prints.fingerprint_access(account, by=SCHEDULER, at=NOON)

    assert Identifier.objects.filter(kind="access_address").count() == 5
    kept = set(Identifier.objects.filter(kind="access_address").values_list("digest", flat=True))
    wanted = links.identifiers(account.party, [("access_address", f"203.1.{number}.1") for number in range(5)], at=NOON)
    assert kept == {row.digest for row in wanted}


def test_each_night_whom_access_came_in_for_and_nobody_else():
    used(make_account(), (HOME, 1, ""))
    used(make_account(), (HOME, 30, ""))
    used(make_account(), (HOME, 1, ""), imported_at=NOON - 9 * DAY)

    assert access_prints.fingerprint_due(at=NOON) == {"done": 1, "failed": 0}
    assert Identifier.objects.filter(kind="access_address").count() == 1


def test_t22_who_comes_back_from_the_same_address_is_tied_to_whom_was_shut_out():
    gone, back = used(make_account(), (HOME, 1, ""), (VPN, 1, "vpn")), used(make_account(), (HOME, 3, ""))
    with one_flow(SCHEDULER, NOON):
        gone.status, gone.closed_at, gone.closing_reason = "refused", NOON, "listed"
        gone.save(update_fields=["status", "closed_at", "closing_reason"])

    access_prints.fingerprint_due(at=NOON)
    queue.run_due(NOON)
    seen_before.look_back_due(at=NOON)

    [tie] = back.party.seen_before.all()
    assert (tie.earlier, float(tie.score)) == (gone.party, 0.35)
    assert tie.sentence.startswith("Shares the same address of access with ACC-")


def test_an_exit_alone_ties_nobody():
    gone, back = used(make_account(), (VPN, 1, "vpn")), used(make_account(), (VPN, 3, "vpn"))
    access_prints.fingerprint_due(at=NOON)

    [found] = links.find_links(back.party)

    assert (found.party, found.score) == (gone.party, 0.05)
    assert seen_before.look_back(back.party, by=SCHEDULER, at=NOON) == []
