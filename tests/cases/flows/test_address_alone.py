"""No decision rests on an address alone, whichever way somebody decides (R18, R41)."""

import pytest
from django.test import Client

from accounts.flows import address_alone, closing, restrictions
from accounts.models import Restriction
from cases.flows import bulk, checklist, decisions
from cases.models import Decision
from tests.cases.builders import finish_list, make_case, make_open_account, make_signal
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
MASKED = "anonymised_access_only"
SUSPENDED = {"outcome": "suspend", "reason": "unusual_use"}


def propose(case, by, **chosen):
    return decisions.propose(case, account=case.subjects.get().account, **(chosen or SUSPENDED), by=by, at=NOON)


class TestDecisions:
    def test_an_address_alone_decides_nothing(self, analyst_user, analyst):
        case = make_case(code=MASKED, worked_by=analyst_user)

        for chosen in (SUSPENDED, {"outcome": "limit", "reason": "masked_access"}):
            with pytest.raises(address_alone.AddressAlone, match="No decision rests on an address alone: look at"):
                propose(case, analyst, **chosen)

        assert not Decision.objects.exists() and not Restriction.objects.exists()
        assert propose(case, analyst, outcome="watch", reason="masked_access").state == "countersigned"

    def test_another_flag_is_enough(self, analyst_user, analyst):
        account = make_open_account()
        case = make_case(account, MASKED, worked_by=analyst_user)
        make_signal(account, "country_conflict")

        assert propose(case, analyst).state == "proposed"

    def test_a_named_point_that_was_looked_at_is_enough_and_an_excused_one_is_not(self, analyst_user, analyst):
        case = make_case(code=MASKED, worked_by=analyst_user)
        checklist.answer(case, item="identity_compared", excused_why="cannot_wait", by=analyst, at=NOON)
        with pytest.raises(address_alone.AddressAlone):
            propose(case, analyst)

        checklist.take_back(case, item="identity_compared", by=analyst, at=NOON)
        checklist.answer(case, item="identity_compared", by=analyst, at=NOON)

        assert propose(case, analyst).state == "proposed"

    def test_of_many_cases_only_those_are_refused(self, analyst_user, analyst):
        masked, other = (make_case(code=code, worked_by=analyst_user) for code in (MASKED, "country_conflict"))

        told = bulk.decide([masked.pk, other.pk], **SUSPENDED, user=analyst_user, by=analyst, at=NOON)

        assert [(each.reference, each.is_done) for each in told] == [(masked.reference, False), (other.reference, True)]
        assert "address alone" in told[0].sentence
        assert Decision.objects.get().case == other

    def test_the_page_says_so(self, analyst_user, analyst):
        case, client = make_case(code=MASKED, worked_by=analyst_user), Client()
        client.force_login(analyst_user)
        finish_list(case, by=analyst)
        checklist.take_back(case, item="identity_compared", by=analyst, at=NOON)
        checklist.answer(case, item="identity_compared", excused_why="cannot_wait", by=analyst, at=NOON)
        page = client.get(f"/review/{case.reference}/")
        chosen = {**SUSPENDED, "account": case.subjects.get().account.reference}

        answer = client.post(f"/review/{case.reference}/propose/", {**chosen, "version": page.context_data["version"]})

        assert answer.status_code == 200
        assert "No decision rests on an address alone" in answer.content.decode()


class TestByHand:
    def test_no_account_is_stopped_closed_or_refused_for_an_address(self, lead):
        account = make_open_account()
        make_signal(account, MASKED)

        for act in (
            lambda: restrictions.restrict_by_hand(account, level="limited", reason="use_unexplained", by=lead, at=NOON),
            lambda: closing.close_by_hand(account, reason="terms_broken", by=lead, at=NOON),
            lambda: address_alone.refuse_by_hand(account, reason="own_policy", by=lead, at=NOON),
        ):
            with pytest.raises(address_alone.AddressAlone, match="a document, a payment, a statement"):
                act()
        assert not Restriction.objects.exists()

    def test_an_order_and_what_else_is_found_are_grounds(self, lead):
        ordered, found = make_open_account(), make_open_account()
        for account in (ordered, found):
            make_signal(account, MASKED)
        make_signal(found, "mrz_check_failed")

        restrictions.restrict_by_hand(ordered, level="limited", reason="authority_order", by=lead, at=NOON)
        restrictions.restrict_by_hand(found, level="limited", reason="use_unexplained", by=lead, at=NOON)

        assert Restriction.objects.count() == 2
