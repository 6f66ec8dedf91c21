"""Feeding the rules of ownership from the database, by day."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.flows import activation, identification, ownership
from accounts.flows.ownership import OwnersAbove
from accounts.flows.texts import BadField
from accounts.models import OwnershipStake
from accounts.rules.ownership_tree import MOST_BOXES
from tests.builders import make_company, make_hit, make_party
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
        assert OwnersAbove(one, TODAY).faults() == ()
        assert "own each other in a circle" in OwnersAbove(one, TODAY).remarks()[0]
        assert one.reference in OwnersAbove(one, TODAY).remarks()[0]


class TestTree:
    def test_it_names_and_counts_along_the_chain(self):
        company, holding, person = make_company().party, make_company().party, make_party()
        own(company, holding, "60")
        own(holding, person, "45", has_control=True)

        root = OwnersAbove(company, TODAY).tree()

        box = root.children[0].children[0]
        assert (root.percent, box.name, box.percent) == ("", person.legal_name, "45.00 %")
        assert box.marks == ("controls", "27.00 % of the first box")

    def test_there_is_no_tree_without_owners(self):
        assert OwnersAbove(make_company().party, TODAY).tree() is None

    @pytest.mark.parametrize("owners", [3, 30])
    def test_the_number_of_queries_depends_on_levels_only(self, owners, django_assert_num_queries):
        company = make_company().party
        for _ in range(owners):
            own(company, make_party(), "1")

        with django_assert_num_queries(3):
            OwnersAbove(company, TODAY).tree()

    def test_a_circle_and_a_party_that_stands_twice_are_marked(self):
        company, holding, other, person = [make_company().party for _ in range(3)] + [make_party()]
        own(company, holding, "50")
        own(company, other, "40")
        own(holding, person, "30")
        own(other, holding, "20")
        own(holding, company, "10")

        first, second = OwnersAbove(company, TODAY).tree().children

        assert [(box.name, box.tone, box.repeats) for box in first.children][1] == (company.legal_name, "warning", True)
        assert (second.children[0].marks[-1], second.children[0].children) == ("its owners stand elsewhere", ())

    def test_without_names_it_shows_references(self):
        company, person = make_company().party, make_party()
        own(company, person, "30")

        (box,) = OwnersAbove(company, TODAY).tree(names=False).children
        assert (box.name, person.legal_name in box.detail) == (person.reference, False)

    def test_a_large_tree_is_cut_with_a_sentence(self):
        company = make_company().party
        for _ in range(MOST_BOXES + 2):
            own(company, make_party(), "0.5")
        above = OwnersAbove(company, TODAY)

        assert len(above.tree().children) == MOST_BOXES
        assert above.tree().marks == ("2 more are in the table",)
        assert above.remarks() == (f"The tree shows the {MOST_BOXES} nearest of 122 stakes; shares count all of them.",)


class TestReasons:
    def test_t15_they_name_the_chain_and_tell_namesakes_apart(self):
        company, holding = make_company().party, make_company().party
        person = make_party(legal_name="Ann Li")
        own(company, holding, "60")
        own(holding, person, "50")
        above = OwnersAbove(company, TODAY)
        holding.legal_name = company.legal_name
        holding.save()

        assert above.reasons(above.owners[0]) == (
            f"Holds {holding.legal_name} ({holding.reference}) with 50 %, which holds {company.legal_name} "
            f"({company.reference}) with 60 %: 30 %.",
            "In all 30 %, at or above 25 %: the ownership prong is met.",
        )

    def test_t16_confirmed_hits_are_added_up(self):
        company, one, other = make_company().party, make_party(), make_party(legal_name="Bob Roe")
        own(company, one, "25")
        own(company, other, "25")
        make_hit(one, status="confirmed")
        assert "hold 25 %" in OwnersAbove(company, TODAY).blocked_reasons()[-1]

        make_hit(other, status="confirmed")

        told = OwnersAbove(company, TODAY).blocked_reasons()
        assert "hold 50 %" in told[-1] and "It is blocked although no list names it." in told[-1]

    def test_hits_nobody_confirmed_say_nothing(self):
        company, owner = make_company().party, make_party()
        own(company, owner, "60")
        make_hit(owner)

        assert OwnersAbove(company, TODAY).blocked_reasons() == ()


class TestWhatIsRefused:
    """Bad input: owners adding up to 140 %, days the wrong way round."""

    def add(self, company, percent, by, **given):
        return identification.add_owner(company, owner=make_party(), percent=Decimal(percent), by=by, at=NOON, **given)

    def test_owners_adding_up_to_140_percent(self, analyst):
        company = make_company().party
        self.add(company, 80, analyst)

        with pytest.raises(BadField, match="to 140 % on 2026-03-02, more than 100"):
            self.add(company, 60, analyst)
        assert company.stakes_in_it.count() == 1

    def test_stakes_of_other_days_do_not_add_up(self, analyst):
        company = make_company().party
        self.add(company, 80, analyst, to_on=date(2026, 1, 31))

        self.add(company, 60, analyst, from_on=date(2026, 2, 1))
        self.add(company, 40, analyst, from_on=date(2026, 3, 1))

        with pytest.raises(BadField, match="to 120 % on 2026-01-31"):
            self.add(company, 40, analyst, to_on=date(2026, 1, 31))

    def test_the_same_owner_comes_back_after_a_stake_that_is_over(self, analyst):
        company, person = make_company().party, make_party()
        for given in ({"to_on": date(2026, 1, 31)}, {}):
            identification.add_owner(company, owner=person, percent=Decimal(9), by=analyst, at=NOON, **given)

        assert company.stakes_in_it.count() == 2

    def test_a_last_day_before_the_first(self, analyst):
        with pytest.raises(BadField, match="Last day 2026-01-01 lies before held from 2026-02-01"):
            self.add(make_company().party, 5, analyst, from_on=date(2026, 2, 1), to_on=date(2026, 1, 1))

    def test_the_database_refuses_it_too(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            own(make_company().party, make_party(), "5", from_on=date(2026, 2, 1), to_on=date(2026, 1, 1))

    def test_a_circle_is_taken_in_and_does_not_stop_the_opening(self, analyst):
        one, other = make_company(), make_company()
        for owned, owner in ((one, other), (other, one)):
            identification.add_owner(owned.party, owner=owner.party, percent=Decimal(40), by=analyst, at=NOON)

        assert not any("circle" in sentence for sentence in activation.obstacles(one, at=NOON))


def test_changes_below_are_found(analyst):
    company, holding = make_company(), make_company()
    identification.add_owner(company.party, owner=holding.party, percent=Decimal(60), by=analyst, at=NOON)

    assert ownership.accounts_below(holding.party, TODAY) == sorted([company, holding], key=lambda account: account.pk)
