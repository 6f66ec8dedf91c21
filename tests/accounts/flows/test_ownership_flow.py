"""Feeding the rules of ownership from the database, by day."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.flows import identification, ownership
from accounts.flows.ownership import OwnersAbove
from accounts.models import OwnershipStake
from tests.builders import make_company, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def own(owned, owner, percent, **given):
    return OwnershipStake.objects.create(owner=owner, owned=owned, percent=Decimal(percent), **given)


class TestOwnersOf:
    @pytest.mark.parametrize(("percent", "found"), [("25", 1), ("24.9999", 0)])
    def test_t14_the_threshold_of_the_regime_is_inclusive(self, percent, found):
        company = make_company().party
        own(company, make_party(), percent)

        assert len(OwnersAbove(company, TODAY).owners) == found

    @pytest.mark.parametrize(("lower", "upper", "found"), [("60", "45", 1), ("50", "49", 0)])
    def test_t15_shares_are_multiplied_along_a_chain(self, lower, upper, found):
        company, holding, person = make_company().party, make_company().party, make_party()
        own(company, holding, lower)
        own(holding, person, upper)

        owners = OwnersAbove(company, TODAY).owners

        assert [owner.owner for owner in owners] == [str(person.pk)][:found]

    def test_only_stakes_of_the_day_count(self):
        company = make_company().party
        own(company, make_party(), "50", to_on=date(2026, 3, 1))
        own(company, make_party(), "50", from_on=date(2026, 3, 3))

        assert OwnersAbove(company, TODAY).owners == ()
        assert len(OwnersAbove(company, date(2026, 3, 1)).owners) == 1

    def test_an_owner_of_unknown_kind_counts_as_a_person(self):
        company, unknown = make_company().party, make_party(kind="undetermined", birth_date=None)
        own(company, unknown, "30")

        assert len(OwnersAbove(company, TODAY).owners) == 1

    def test_circles_end(self):
        one, other, person = make_company().party, make_company().party, make_party()
        own(one, other, "40")
        own(other, one, "40")
        own(one, person, "30")

        owners = OwnersAbove(one, TODAY).owners

        assert [owner.owner for owner in owners] == [str(person.pk)]
        assert "own each other in a circle" in OwnersAbove(one, TODAY).faults()[0]
        assert one.reference in OwnersAbove(one, TODAY).faults()[0]


class TestTree:
    def test_it_names_and_counts_along_the_chain(self):
        company, holding, person = make_company().party, make_company().party, make_party()
        own(company, holding, "60")
        own(holding, person, "45", has_control=True)

        root = OwnersAbove(company, TODAY).tree()

        box = root.children[0].children[0]
        assert (root.percent, box.name, box.percent) == ("", person.legal_name, "45.00 %")
        assert "controls" in box.detail and f"27.00 % of {company.reference}" in box.detail

    def test_there_is_no_tree_without_owners(self):
        assert OwnersAbove(make_company().party, TODAY).tree() is None

    @pytest.mark.parametrize("owners", [3, 30])
    def test_the_number_of_queries_depends_on_levels_only(self, owners, django_assert_num_queries):
        company = make_company().party
        for _ in range(owners):
            own(company, make_party(), "1")

        with django_assert_num_queries(3):
            OwnersAbove(company, TODAY).tree()


def test_changes_below_are_found(analyst):
    company, holding = make_company(), make_company()
    identification.add_owner(company.party, owner=holding.party, percent=Decimal(60), by=analyst, at=NOON)

    assert ownership.accounts_below(holding.party, TODAY) == sorted([company, holding], key=lambda account: account.pk)
