"""What is not certified narrows what a reseller may open (R61, R63)."""

from datetime import timedelta

import pytest

from accounts.flows import activation
from kyc_portal.policy.current import regime_on
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import coverage, file, onboarding
from tests.builders import make_downstream, make_entry, make_open_account, make_ready_account, make_reseller
from tests.conftest import NOON
from tests.resellers.signing import change_roster, make_signer

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=20)
LATE = (NOON + timedelta(days=31)).date()  # who is on the roster since NOON has 30 days


@pytest.fixture
def signer(db):
    return make_signer()


class TestOpening:
    @pytest.fixture
    def account(self, signer):
        account = make_ready_account()
        onboarding.add_downstream(signer.reseller, account=account, by=SCHEDULER, at=NOON)
        return account

    def why_not(self, account, at=NOON) -> list[str]:
        account.refresh_from_db()
        return activation.why_not(account, at=at)

    def test_no_customer_on_the_roster_names_the_account(self, signer, account):
        make_entry(signer.reseller)

        assert self.why_not(account) == [
            f"No customer on the roster of {signer.reseller.reference} names this account, so nobody certified it. Ask "
            f"the reseller to send the customer's row with {account.reference}."
        ]

    def test_its_customer_is_not_certified_and_then_it_is(self, signer, account):
        entry = make_entry(signer.reseller, account=account)
        assert self.why_not(account) == [
            f"{entry.reference}, this customer on the roster of {signer.reseller.reference}, is not certified. Ask the "
            "reseller's manager to certify it."
        ]

        signer.certify(entry)

        assert self.why_not(account) == []
        assert activation.activate(account, by=SCHEDULER, at=NOON).is_open

    @pytest.mark.parametrize("how", ["withdrawn", "changed", "lapsed", "gone"])
    def test_once_it_ended_the_account_is_not_opened(self, signer, account, how):
        entry = make_entry(signer.reseller, account=account)
        act, at = signer.certify(entry), LATER
        if how == "withdrawn":
            signer.withdraw(act, at=at)
        elif how == "lapsed":
            act.lines.update(lapses_on=NOON.date())
        else:
            change_roster(entry, why=how, at=at, account=account)

        assert any("not certified" in why or "nobody certified" in why for why in self.why_not(account, at))

    def test_a_customer_certified_by_another_reseller_does_not_count(self, signer, account):
        other = make_signer("rob")
        other.certify(make_entry(other.reseller, account=account))

        assert len(self.why_not(account)) == 1

    def test_who_was_brought_by_nobody_is_asked_nothing(self):
        assert activation.why_not(make_ready_account(), at=NOON) == []


class TestShare:
    def certified(self, signer, count: int, *, of: int):
        entries = [make_entry(signer.reseller, f"C-{n:02}") for n in range(of)]
        return signer.certify(*entries[:count])

    def test_above_the_share_no_account_is_opened_and_none_is_linked(self, signer):
        self.certified(signer, 7, of=10)

        found = file.standing_of(signer.reseller, on=LATE)

        assert found.reasons == (
            "3 of the 10 customers on its roster are not certified in time, more than 20 % (own policy). Have its "
            "manager certify them.",
        )
        with pytest.raises(onboarding.NoReseller, match="3 of the 10 customers"):
            make_downstream(signer.reseller, at=NOON + timedelta(days=31))

    @pytest.mark.parametrize(("certified", "may_sell"), [(10, True), (8, True), (7, False), (0, False)])
    def test_the_share_itself_is_still_good(self, signer, certified, may_sell):
        if certified:
            self.certified(signer, certified, of=10)
        else:
            make_entry(signer.reseller)

        assert file.standing_of(signer.reseller, on=LATE).may_sell is may_sell

    def test_who_is_new_or_stated_anew_has_some_days(self, signer):
        entry = make_entry(signer.reseller)
        assert file.standing_of(signer.reseller, on=LATE - timedelta(days=1)).may_sell
        signer.certify(entry)

        change_roster(entry, at=LATER)

        assert file.standing_of(signer.reseller, on=LATER.date() + timedelta(days=30)).may_sell
        assert not file.standing_of(signer.reseller, on=LATER.date() + timedelta(days=31)).may_sell

    def test_what_lapses_counts_from_the_day_after(self, signer):
        act = signer.certify(make_entry(signer.reseller))

        assert file.standing_of(signer.reseller, on=act.lapses_on).may_sell
        assert not file.standing_of(signer.reseller, on=act.lapses_on + timedelta(days=1)).may_sell

    def test_without_customers_nothing_is_late(self):
        assert file.standing_of(make_reseller(), on=LATE).may_sell

    def test_it_is_one_query(self, signer, django_assert_num_queries):
        self.certified(signer, 3, of=5)
        regime = regime_on(LATE)

        with django_assert_num_queries(1):
            found = coverage.coverage_of(signer.reseller, on=LATE, regime=regime)
        assert (found.total, found.certified, found.late) == (5, 3, 2)

    def test_an_account_already_open_stays_linked(self, signer):
        link = make_downstream(signer.reseller)
        make_entry(signer.reseller, account=make_open_account())

        assert link.account.is_open and not file.standing_of(signer.reseller, on=LATE).may_sell
