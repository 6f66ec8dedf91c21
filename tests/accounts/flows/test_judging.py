from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.flows import identification, screening, watchlists
from accounts.models import RiskSignal
from accounts.models.screening import HitStatus
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.accounts.lists import VOLKOV, write_list
from tests.builders import make_account, make_company, make_party, new_person
from tests.conftest import NOON

LATER = NOON + timedelta(days=1)
LISTED = {"legal_name": "Boris Volkov", "citizenship": "RU", "birth_date": date(1970, 7, 4)}


def load(folder):
    watchlists.load_snapshot("ofac-sdn", write_list(folder, VOLKOV), by=SCHEDULER, at=NOON)


def hits_of(party):
    screening.screen_party(party, by=SCHEDULER, at=NOON)
    return list(party.hits.all())


class TestJudging:
    @pytest.fixture
    def hit(self, db, tmp_path):
        load(tmp_path / "list")
        return hits_of(make_account(**LISTED).party)[0]

    def test_two_people_confirm_and_the_account_is_flagged(self, hit, analyst, lead):
        hit = screening.propose_judgement(hit, is_match=True, reason="All agrees.", by=analyst, at=NOON)

        judged = screening.second_judgement(hit, agrees=True, shown=screening.digest_of(hit), by=lead, at=LATER)

        codes = set(RiskSignal.objects.open().values_list("code", flat=True))
        assert (judged.status, judged.judged_by, judged.proposed_by) == ("confirmed", lead.label, analyst.label)
        assert "confirmed_list_hit" in codes

    def test_nobody_gives_both_signatures(self, hit, lead):
        screening.confirm_hit(hit, reason="All agrees.", by=lead, at=NOON)

        with pytest.raises(SecondPersonNeeded):
            screening.confirm_hit(hit, reason="Still.", by=lead, at=NOON)
        hit.refresh_from_db()
        assert hit.status == HitStatus.CONFIRM_PROPOSED

    @pytest.mark.parametrize("actor", [SCHEDULER, Actor(kind="operator", key="os:root", label="operator root")])
    def test_only_people_judge(self, hit, actor):
        with pytest.raises(screening.NotAPerson):
            screening.confirm_hit(hit, reason="All agrees.", by=actor, at=NOON)

    def test_a_proposal_can_be_returned(self, hit, analyst, lead):
        screening.dismiss_hit(hit, reason="Another man.", by=analyst, at=NOON)

        screening.second_judgement(hit, agrees=False, by=lead, at=NOON)

        hit.refresh_from_db()
        assert (hit.status, hit.proposed_by, hit.proposed_by_key) == (HitStatus.OPEN, "", "")

    def test_the_other_judgement_is_not_agreement(self, hit, analyst, lead):
        screening.dismiss_hit(hit, reason="Another man.", by=analyst, at=NOON)

        with pytest.raises(screening.HitNotOpen):
            screening.confirm_hit(hit, reason="The same man.", by=lead, at=NOON)

    @pytest.mark.parametrize("reason", ["", "  ", "\u200b"])
    def test_it_wants_a_reason(self, hit, analyst, reason):
        with pytest.raises(screening.NoReason):
            screening.confirm_hit(hit, reason=reason, by=analyst, at=NOON)

    def test_nothing_proposed_is_nothing_to_agree_to(self, hit, lead):
        with pytest.raises(screening.NothingProposed):
            screening.second_judgement(hit, agrees=True, shown=screening.digest_of(hit), by=lead, at=NOON)

    def test_a_wrong_judgement_is_put_right_by_two_people(self, hit, analyst, lead):
        screening.dismiss_hit(hit, reason="Another man.", by=analyst, at=NOON)
        screening.dismiss_hit(hit, by=lead, at=NOON)

        screening.confirm_hit(hit, reason="His passport came.", by=lead, at=LATER)
        judged = screening.confirm_hit(hit, by=analyst, at=LATER)

        assert judged.status == HitStatus.CONFIRMED

    def test_a_confirmed_owner_flags_the_company(self, tmp_path, analyst, lead):
        load(tmp_path / "list")
        account = make_company()
        stake = identification.add_owner(
            account.party, owner=new_person(**LISTED), percent=Decimal(60), by=SCHEDULER, at=NOON
        )
        [hit] = hits_of(stake.owner)
        screening.confirm_hit(hit, reason="All agrees.", by=analyst, at=NOON)

        screening.confirm_hit(hit, by=lead, at=NOON)

        signal = account.signals.get(code="confirmed_list_hit")
        assert signal.evidence == {"hits": [hit.reference], "blocked_percent": "60"}
        assert "60 % of the customer" in signal.sentence

    def test_two_at_once_give_one_judgement(self, transactional_db, tmp_path, in_threads):
        load(tmp_path / "list")
        [hit] = hits_of(make_party(**LISTED))
        first = Actor(kind="person", key="1", label="one")
        shown = screening.digest_of(screening.confirm_hit(hit, reason="All agrees.", by=first, at=NOON))

        def judge(number):
            second = Actor(kind="person", key=str(number), label="two")
            return lambda: screening.second_judgement(hit, agrees=True, shown=shown, by=second, at=NOON)

        outcomes = in_threads(judge(2), judge(3))

        refused = [each for each in outcomes if isinstance(each, Exception)]
        assert [type(each) for each in refused] == [screening.NothingProposed]
