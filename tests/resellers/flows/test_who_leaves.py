"""Nobody leaves a roster by mistake, and nobody gets new time to be certified by being stated anew (R63, R64)."""

from datetime import timedelta

import pytest

from kyc_portal.policy.current import regime_on
from resellers.flows import coverage, roster_taking
from resellers.models import RosterEntry
from tests.builders import make_entry, make_reseller
from tests.conftest import NOON
from tests.resellers.rosters import agree, read, row, take_in
from tests.resellers.signing import change_roster, make_signer

pytestmark = pytest.mark.django_db


def late(reseller, at) -> int:
    return coverage.coverage_of(reseller, on=at.date(), regime=regime_on(at.date())).late


class TestLeaving:
    @pytest.mark.parametrize("lets_go", [0, 1, 3])
    def test_a_larger_part_leaves_only_when_somebody_says_how_many(self, lets_go):
        reseller = make_reseller()
        take_in(reseller, *(row(str(number)) for number in range(4)))
        upload = read(reseller, row("0"), row("1"))

        with pytest.raises(roster_taking.ManyLeave, match="2 customers would leave your roster"):
            agree(upload, lets_go=lets_go)
        assert RosterEntry.objects.in_force().count() == 4

        assert agree(upload, lets_go=2).state == "accepting"

    def test_a_few_of_many_leave_without_asking(self):
        reseller = make_reseller()
        take_in(reseller, *(row(str(number)) for number in range(20)))

        assert agree(read(reseller, *(row(str(number)) for number in range(19))), lets_go=0).state == "accepting"


class TestLate:
    def test_stating_a_customer_anew_gives_no_new_time(self):
        signer = make_signer()
        old = make_entry(signer.reseller)
        after = NOON + timedelta(days=40)
        assert late(signer.reseller, after) == 1

        change_roster(old, at=after)

        assert late(signer.reseller, after) == 1

    def test_leaving_and_coming_back_gives_none_either(self):
        signer = make_signer()
        old = make_entry(signer.reseller)
        after = NOON + timedelta(days=40)
        change_roster(old, why="gone", at=after)
        make_entry(signer.reseller, old.number, at=after)

        assert late(signer.reseller, after) == 1

    def test_a_certification_that_broke_gives_some_days(self):
        signer = make_signer()
        old = make_entry(signer.reseller)
        signer.certify(old)
        after = NOON + timedelta(days=40)
        assert late(signer.reseller, after) == 0

        change_roster(old, at=after)

        assert late(signer.reseller, after + timedelta(days=29)) == 0
        assert late(signer.reseller, after + timedelta(days=32)) == 1

    def test_one_that_was_withdrawn_gives_none(self):
        signer = make_signer()
        act = signer.certify(make_entry(signer.reseller))
        signer.withdraw(act)

        assert late(signer.reseller, NOON + timedelta(days=40)) == 1
