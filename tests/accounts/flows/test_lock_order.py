"""Two people at one file wait for each other and never in a ring: the account's row first, then the party's."""

import pytest

from accounts.flows import corrections, identification, parties
from accounts.models import Account, Party
from accounts.rules.new_parties import NewAddress
from kyc_portal.records.refs import SCHEDULER
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_open_account
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("triggers_lifted_for_flush")
HOW = {"by": SCHEDULER, "at": NOON}
ADDITIONS = {
    "payment": lambda party: identification.add_payment_method(party, kind="card", last_four="1111", **HOW),
    "document": lambda party: identification.add_document(party, kind="passport", number="X1", **HOW),
    "contact": lambda party: parties.add_contact(party, kind="phone", value="+4930123456", **HOW),
    "address": lambda party: parties.add_address(party, address=NewAddress("business", "Street 1", "", "FR"), **HOW),
    "correction": lambda party: corrections.correct(party, citizenship="FR", **HOW),
}


@needs_row_locks
@pytest.mark.parametrize("add", ADDITIONS.values(), ids=ADDITIONS)
def test_who_adds_to_a_party_lets_a_flow_of_its_account_go_on(in_threads, add):
    account = make_open_account()

    def hold_the_account():
        return Account.objects.select_for_update(of=("self",)).get(pk=account.pk)

    def go_on_to_the_party():
        Party.objects.select_for_update(of=("self",)).get(pk=account.party_id)

    held, added = once_it_waits(hold_the_account, lambda: add(account.party), in_threads, then=go_on_to_the_party)

    assert held == account and not isinstance(added, Exception), (held, added)
