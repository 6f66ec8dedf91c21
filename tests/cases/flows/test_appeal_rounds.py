"""An answer to an appeal, sent back and proposed anew: no order of acts puts one person's will into effect (R37).

Ana proposes the decision and lea signs it. Leo, carl and carla answer appeals and took no part in it.
"""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Account, Restriction
from cases.flows import appeal_answers, appeals, decisions, effects, review
from cases.models import Appeal, Decision
from kyc_portal.four_eyes import PreparedAnew, SecondPersonNeeded
from tests.builders import make_open_account as make_usable_account
from tests.cases.builders import make_case, make_open_account
from tests.cases.flows.test_appeals import DAY, WHY, appealed, decided, sign
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
UPHELD, REVERSED = ("upheld", "rightly_decided"), ("reversed", "somebody_else")
LATER = NOON + 2 * DAY


@pytest.fixture
def leo(db):
    return person("leo", "lead reviewer")


@pytest.fixture
def blocked(analyst_user, lead) -> Decision:
    """It rests on a list, so that every answer takes two."""
    account = make_open_account()
    case = make_case(account, "confirmed_list_hit", worked_by=analyst_user)
    made = decisions.propose(
        case, account=account, outcome="block", reason="list_match_confirmed", by=analyst_user.as_actor, at=NOON
    )
    return decisions.countersign(made, by=lead, at=NOON)


def give(appeal: Appeal, user, outcome: str, reason: str, *, at=LATER, **more) -> Appeal:
    """The answer of whoever has the appeal, which is given to them first."""
    appeals.assign(appeal, to=user, by=user.as_actor, at=at)
    return appeal_answers.answer(
        appeal, outcome=outcome, reason=reason, why=WHY, **more, by=user.as_actor, at=at
    )  # fmt: skip


def send_back(appeal: Appeal, user, *, at=LATER) -> Appeal:
    return appeal_answers.send_back(appeal, why="I do not agree.", by=user.as_actor, at=at)


class TestWhoSigns:
    """By the last proposer alone: who proposed in a round before may sign what somebody else proposes now."""

    @pytest.mark.parametrize(
        ("first", "second", "signer", "is_given"),
        [
            ("leo", "leo", "leo", False), ("leo", "leo", "carl", True), ("leo", "leo", "carla", True),
            ("leo", "carl", "leo", True), ("leo", "carl", "carl", False), ("leo", "carl", "carla", True),
            ("leo", "carla", "leo", True), ("leo", "carla", "carl", True), ("leo", "carla", "carla", False),
            ("leo", "carl", "lea", False), ("leo", "leo", "lea", False), ("leo", "leo", "ana", False),
        ],
    )  # fmt: skip
    def test_it_takes_two_who_say_the_same_in_the_last_round(
        self, blocked, leo, counsel_user, second_counsel_user, lead_user, analyst_user, first, second, signer, is_given
    ):
        """Carl sends back what leo proposed; `second` proposes anew."""
        people = {"leo": leo, "carl": counsel_user, "carla": second_counsel_user, "lea": lead_user, "ana": analyst_user}
        appeal = send_back(give(appealed(blocked), people[first], *UPHELD), counsel_user)
        appeal = give(appeal, people[second], *REVERSED, at=LATER + DAY)
        assert appeal.state == "proposed"

        if not is_given:
            with pytest.raises(SecondPersonNeeded):
                sign(appeal, by=people[signer].as_actor)
            assert Account.objects.get(pk=blocked.account_id).status == "blocked"
            return
        answered = sign(appeal, by=people[signer].as_actor)
        assert answered.proposed_by_key != answered.answered_by_key
        assert Account.objects.get(pk=blocked.account_id).status == "active"

    def test_whoever_signed_the_decision_gets_no_part_by_any_way(self, blocked, leo, lead_user, counsel_user):
        appeal = appealed(blocked)
        for state in ("open", "proposed", "open again"):
            if state == "proposed":
                appeal = give(appeal, leo, *REVERSED)
                with pytest.raises(SecondPersonNeeded, match="lea signed DEC-"):
                    sign(appeal, by=lead_user.as_actor)
                with pytest.raises(appeals.TookPart, match="lea cannot send back the answer to the appeal against it"):
                    send_back(appeal, lead_user)
                appeal = send_back(appeal, counsel_user)
                continue
            with pytest.raises(appeals.TookPart, match="lea cannot answer the appeal against it"):
                appeals.assign(appeal, to=lead_user, by=lead_user.as_actor, at=LATER)
        assert Appeal.objects.get().state == "open"


class TestWhatIsSigned:
    def test_a_signature_holds_for_what_lay_before_who_signs(self, blocked, leo, counsel):
        appeal = give(appealed(blocked), leo, *UPHELD)
        shown = appeal_answers.digest_of(appeal)
        appeal = give(send_back(appeal, leo), leo, *REVERSED, at=LATER + timedelta(minutes=1))

        with pytest.raises(PreparedAnew, match="Open it again"):
            appeal_answers.countersign(appeal, shown=shown, by=counsel, at=LATER)

        assert Account.objects.get(pk=blocked.account_id).status == "blocked"
        assert sign(appeal, by=counsel).outcome == "reversed"

    def test_the_same_words_proposed_again_are_read_again(self, blocked, leo, counsel):
        appeal = give(appealed(blocked), leo, *UPHELD)
        shown = appeal_answers.digest_of(appeal)
        appeal = give(send_back(appeal, leo), leo, *UPHELD, at=LATER + timedelta(minutes=1))

        for old in (shown, ""):
            with pytest.raises(PreparedAnew):
                appeal_answers.countersign(appeal, shown=old, by=counsel, at=LATER)

    def test_the_page_carries_it_and_says_what_is_proposed(self, blocked, leo, client, counsel_user):
        appeal = give(appealed(blocked), leo, *UPHELD)
        client.force_login(counsel_user)
        url = reverse("admin:cases_appeal_do", args=[appeal.pk, "countersign"])
        page = client.get(url)
        carried = dict(page.context["hidden"])["shown"]
        assert "upheld: the decision stands" in page.content.decode() and WHY in page.content.decode()
        give(send_back(appeal, leo), leo, *REVERSED, at=LATER + timedelta(minutes=1))

        refused = client.post(url, {"shown": carried}).content.decode()
        assert "was prepared anew since you opened this page" in refused
        assert Appeal.objects.get().state == "proposed"

        again = client.get(url)
        assert "reversed: what the decision did" in again.content.decode()
        assert client.post(url, {"shown": dict(again.context["hidden"])["shown"]}).status_code == 302
        assert Appeal.objects.get().state == "answered"


class TestRoundTheNo:
    """What one person may answer alone takes two once a colleague has sent an answer back."""

    @pytest.fixture
    def closed(self, analyst_user, lead) -> Decision:
        account = make_usable_account()
        return decided(analyst_user, lead, outcome="close", reason="malicious_use", account=account)

    def milder(self) -> dict:
        return {"new_outcome": "suspend", "new_reason": "unusual_use"}

    @pytest.mark.parametrize("next_one", [("reversed", "put_right"), ("upheld", "rightly_decided")])
    def test_the_next_answer_takes_two_whatever_it_says(self, closed, leo, counsel_user, second_counsel, next_one):
        appeal = give(appealed(closed), leo, "changed", "milder_enough", **self.milder())
        assert appeal.state == "proposed"
        appeal = give(send_back(appeal, counsel_user), leo, *next_one)

        assert appeal.state == "proposed" and Account.objects.get(pk=closed.account_id).status == "closed"
        with pytest.raises(SecondPersonNeeded, match="first step yourself"):
            sign(appeal, by=leo.as_actor)
        assert sign(appeal, by=second_counsel).state == "answered"

    def test_taking_back_ones_own_is_no_way_round_either(self, closed, leo):
        appeal = send_back(give(appealed(closed), leo, "changed", "milder_enough", **self.milder()), leo)

        assert give(appeal, leo, "reversed", "put_right").state == "proposed"

    def test_what_nobody_sent_back_is_answered_alone_as_before(self, closed, leo):
        assert give(appealed(closed), leo, "reversed", "put_right").state == "answered"


class TestEarlierRoundsOfTheDecision:
    """Who proposed or judged what came before it is not somebody new, though others signed it in the end."""

    @pytest.fixture
    def others(self, db) -> dict:
        return {name: person(name, "lead reviewer") for name in ("mia", "noa", "oda")}

    def propose(self, case, user, *, at=NOON) -> Decision:
        if case.assigned_to_id != user.pk:
            case = review.assign(case, to=user, by=case.assigned_to.as_actor, at=at)
        account = case.subjects.get().account
        return decisions.propose(
            case, account=account, outcome="suspend", reason="unusual_use", at_once=False, by=user.as_actor, at=at
        )

    def decide(self, case, user, lead, *, at=NOON) -> Decision:
        return decisions.countersign(self.propose(case, user, at=at), by=lead, at=at)

    def assert_barred(self, decision, *users, sentence):
        appeal = appealed(decision, at=NOON + DAY)
        for user in users:
            with pytest.raises(appeals.TookPart, match=sentence):
                appeals.assign(appeal, to=user, by=user.as_actor, at=LATER)
        return appeal

    def test_declined(self, analyst_user, lead, leo, others):
        case = make_case(worked_by=others["mia"])
        first = self.propose(case, others["mia"])
        first = decisions.decline(first, why="Too hard.", by=others["noa"].as_actor, at=NOON)
        assert first.answered_by_key == str(others["noa"].pk)
        decision = self.decide(case, analyst_user, lead, at=NOON + timedelta(hours=1))

        appeal = self.assert_barred(decision, others["mia"], sentence="mia proposed DEC-.*, which came before DEC-")
        with pytest.raises(appeals.TookPart, match="noa declined DEC-"):
            appeals.assign(appeal, to=others["noa"], by=others["noa"].as_actor, at=LATER)
        assert give(appeal, others["oda"], "upheld", "nothing_new").state == "answered"

    def test_declined_before_the_key_was_kept(self, analyst_user, lead, others):
        case = make_case(worked_by=others["mia"])
        first = decisions.decline(
            self.propose(case, others["mia"]), why="Too hard.", by=others["noa"].as_actor, at=NOON
        )  # fmt: skip
        Decision.objects.filter(pk=first.pk).update(answered_by_key="")
        decision = self.decide(case, analyst_user, lead, at=NOON + timedelta(hours=1))

        self.assert_barred(decision, others["noa"], sentence="noa declined")

    def test_withdrawn(self, analyst_user, lead, leo, others):
        case = make_case(worked_by=others["mia"])
        decisions.withdraw(self.propose(case, others["mia"]), by=others["mia"].as_actor, at=NOON)
        decision = self.decide(case, analyst_user, lead, at=NOON + timedelta(hours=1))

        appeal = self.assert_barred(decision, others["mia"], sentence="mia proposed")
        assert give(appeal, leo, "upheld", "nothing_new").state == "answered"

    def test_undone(self, analyst_user, lead, leo, others):
        case = make_case(worked_by=analyst_user)
        signed = decisions.countersign(
            self.propose(case, analyst_user), at_once=False, by=others["mia"].as_actor, at=NOON
        )  # fmt: skip
        effects.undo(signed, by=others["mia"].as_actor, at=NOON + timedelta(minutes=1))
        decision = self.decide(case, analyst_user, lead, at=NOON + timedelta(hours=1))

        appeal = self.assert_barred(decision, others["mia"], sentence="mia signed DEC-.*, which came before")
        assert give(appeal, leo, "upheld", "nothing_new").state == "answered"

    def test_changed_on_a_first_appeal_then_appealed_against_again(self, analyst_user, lead_user, leo, others):
        """Those who decided the first time do not answer the appeal against what somebody made of it."""
        first = decided(analyst_user, lead_user.as_actor, outcome="suspend")
        answered = give(
            appealed(first), leo, "changed", "milder_enough", new_outcome="limit", new_reason="unusual_use"
        )  # fmt: skip
        milder = answered.new_decision
        assert milder.proposed_by == "leo" and Restriction.objects.in_force().get().level == "limited"

        appeal = appealed(milder, at=NOON + 3 * DAY)

        for user, sentence in ((lead_user, "lea signed DEC-.*, which came before"), (leo, "leo signed DEC-")):
            with pytest.raises(appeals.TookPart, match=sentence):
                appeals.assign(appeal, to=user, by=user.as_actor, at=NOON + 3 * DAY)
        assert give(appeal, others["oda"], "reversed", "put_right", at=NOON + 4 * DAY).state == "answered"

    def test_other_accounts_and_cases_and_what_stands_bar_nobody(self, analyst_user, lead, others):
        mia = others["mia"]
        decisions.decline(
            self.propose(make_case(worked_by=mia), mia), why="No.", by=others["noa"].as_actor, at=NOON
        )  # fmt: skip
        account = make_open_account()
        case = make_case(account, worked_by=mia)
        decisions.propose(case, account=account, outcome="watch", reason="unusual_use", by=mia.as_actor, at=NOON)
        case = review.reopen(case, why="new_facts", by=mia.as_actor, at=NOON)
        decision = self.decide(case, analyst_user, lead, at=NOON + timedelta(hours=1))

        barred = appeals.barred_from_answering(decision, at=LATER)

        assert set(barred) == {str(analyst_user.pk), lead.key}
