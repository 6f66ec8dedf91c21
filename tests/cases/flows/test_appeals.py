"""Appeals: how they come in, who answers them, and what each answer does."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from accounts.flows import activation, customer_links, objections, restrictions
from accounts.models import Account, Objection, Restriction, ScreeningHit
from accounts.rules.asked import Purpose
from cases.flows import absences, appeal_answers, appeals, decisions, review
from cases.models import Appeal, Decision
from cases.rules.appeals import UnfitAnswer
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.records.refs import SCHEDULER
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_open_account as make_usable_account
from tests.cases.builders import make_case, make_open_account
from tests.conftest import NOON, person

DAY = timedelta(days=1)
LAST = date(2026, 4, 1)
WHY = "The facts were looked at again."


@pytest.fixture
def leo(db):
    return person("leo", "lead reviewer")


def decided(analyst_user, lead, *, outcome="suspend", reason="unusual_use", account=None) -> Decision:
    """A decision in effect: ana proposed it, lea signed what takes two."""
    case = make_case(account, worked_by=analyst_user)
    made = decisions.propose(
        case, account=case.subjects.get().account, outcome=outcome, reason=reason, by=analyst_user.as_actor, at=NOON
    )
    return made if made.state == "countersigned" else decisions.countersign(made, by=lead, at=NOON)


def appealed(decision: Decision, *, taken_by=None, at=NOON + DAY, **changes) -> Appeal:
    given = {"text": "It was not me.", "received_on": at.date(), **changes}
    appeal = appeals.log(decision, **given, by=SCHEDULER, at=at)
    return appeals.assign(appeal, to=taken_by, by=taken_by.as_actor, at=at) if taken_by else appeal


def give(appeal: Appeal, user, outcome: str, reason: str, **more) -> Appeal:
    return appeal_answers.answer(
        appeal, outcome=outcome, reason=reason, why=WHY, **more, by=user.as_actor, at=NOON + 2 * DAY
    )


def sign(appeal: Appeal, *, by, at=NOON + 2 * DAY) -> Appeal:
    """The second signature, under what stands there now."""
    return appeal_answers.countersign(appeal, shown=appeal_answers.digest_of(appeal), by=by, at=at)


def told() -> list[str]:
    return list(Notice.objects.order_by("queued_at", "pk").values_list("kind", flat=True))


@pytest.mark.django_db
class TestComeIn:
    def test_an_objection_on_the_customers_page_becomes_an_appeal(self, analyst_user, lead):
        decision = decided(analyst_user, lead)
        customer_links.issue(decision.account, purpose=Purpose.REVIEW, answer_by=LAST, by=lead, at=NOON)
        link = customer_links.standing(decision.account)

        objection = objections.raise_objection(
            link, text="It was not me.", by=customer_links.as_customer(link), at=NOON + DAY
        )

        appeal = Appeal.objects.get()
        clock = Deadline.objects.get(kind=appeals.ANSWER_BY)
        assert (appeal.decision, appeal.objection, appeal.state) == (decision, objection, "open")
        assert objection.answered_in == appeal.reference
        assert objection.due_on == appeal.due_on == clock.due_on == date(2026, 4, 2)
        assert (clock.name, str(clock.citation)) == (appeal.reference, "own policy")
        assert not Deadline.objects.filter(kind=objections.ANSWER_BY).exists()
        assert not Objection.objects.plain().exists()
        with pytest.raises(objections.AnsweredElsewhere, match=appeal.reference):
            objections.answer(objection, outcome="right", by=lead, at=NOON + DAY)

    @pytest.mark.parametrize(
        ("outcome", "reason", "on"),
        [("no_action", "concern_cleared", NOON + DAY), ("suspend", "unusual_use", NOON + 31 * DAY)],
        ids=["nothing was told", "after the last day"],
    )
    def test_any_other_objection_stays_one(self, analyst_user, lead, outcome, reason, on):
        decision = decided(analyst_user, lead, outcome=outcome, reason=reason)
        account = Account.objects.select_related("party").get(pk=decision.account_id)

        objection = objections.take_in(account, text="No.", through="mail", against=None, on=on.date(), by=lead, at=on)

        assert objection.answered_in == "" and not Appeal.objects.exists()
        assert Objection.objects.plain().get() == objection

    def test_staff_log_one_through_its_last_day(self, analyst_user, lead):
        appeal = appealed(decided(analyst_user, lead), at=NOON + 30 * DAY)

        assert (appeal.received_on, appeal.late_why) == (LAST, "")
        assert appeal.objection.raised_through == "mail"
        assert [event.verb for event in audit.history_of(appeal)] == ["cases.appealed", "policy.clock.started"]

    def test_a_late_one_wants_a_reason(self, analyst_user, lead):
        decision = decided(analyst_user, lead)

        with pytest.raises(appeals.TooLate, match=r"through 2026-04-01\. Say why"):
            appealed(decision, at=NOON + 31 * DAY)
        with pytest.raises(review.UnknownWhy, match="not_told"):
            appealed(decision, at=NOON + 31 * DAY, late_why="kindness")

        assert appealed(decision, at=NOON + 31 * DAY, late_why="prevented").late_why == "prevented"

    @pytest.mark.parametrize("received", [NOON - DAY, NOON + 2 * DAY], ids=["before the decision", "tomorrow"])
    def test_it_cannot_have_come_on_another_day(self, analyst_user, lead, received):
        with pytest.raises(appeals.BadDay, match="is not between 2026-03-02 and 2026-03-03"):
            appealed(decided(analyst_user, lead), received_on=received.date())

    def test_a_clock_that_jumps_back_says_so_and_stores_nothing(self, analyst_user, lead):
        with pytest.raises(appeals.BadDay, match="is not between 2026-03-02 and 2026-02-20"):
            appealed(decided(analyst_user, lead), at=NOON - 10 * DAY)

        assert not Objection.objects.exists()

    def test_one_appeal_against_a_decision(self, analyst_user, lead, leo):
        decision = decided(analyst_user, lead)
        first = give(appealed(decision, taken_by=leo), leo, "upheld", "nothing_new")

        with pytest.raises(appeals.AlreadyAppealed, match=first.reference):
            appealed(decision, at=NOON + 3 * DAY)

    def test_only_against_what_is_in_effect_and_was_told(self, analyst_user, lead):
        case = make_case(worked_by=analyst_user)
        waiting = decisions.propose(
            case, account=case.subjects.get().account, outcome="close", reason="unusual_use",
            by=analyst_user.as_actor, at=NOON,
        )  # fmt: skip

        with pytest.raises(appeals.NotAppealable, match=r"is proposed\. An appeal is against a decision in effect"):
            appealed(waiting)
        with pytest.raises(appeals.NotAppealable, match="told nothing"):
            appealed(decided(analyst_user, lead, outcome="watch"))


@pytest.mark.django_db
class TestWhoAnswers:
    def test_neither_who_proposed_nor_who_signed(self, analyst_user, lead_user, lead, leo):
        appeal = appealed(decided(analyst_user, lead))

        with pytest.raises(appeals.TookPart, match=r"lea signed DEC-.*\. So lea cannot answer .* Ask leo to do it\."):
            appeals.assign(appeal, to=lead_user, by=lead, at=NOON + DAY)
        with pytest.raises(appeals.CannotAnswer, match=r"ana does not answer appeals\. Ask leo to do it\."):
            appeals.assign(appeal, to=analyst_user, by=lead, at=NOON + DAY)
        assert appeals.assign(appeal, to=leo, by=lead, at=NOON + DAY).assigned_to == leo

    def test_nor_who_stands_in_for_one_of_them(self, analyst_user, lead_user, lead, leo):
        day = NOON.date()
        absences.enter(user=lead_user, stands_in=leo, from_on=day + DAY, to_on=day + 2 * DAY, by=lead, at=NOON)

        with pytest.raises(appeals.TookPart, match="You stand in for lea, who signed DEC-"):
            appealed(decided(analyst_user, lead), taken_by=leo)

    def test_whoever_has_it_and_nobody_else(self, analyst_user, lead, leo, counsel_user):
        appeal = appealed(decided(analyst_user, lead), taken_by=leo)

        with pytest.raises(appeal_answers.NotYours, match="it lies with leo"):
            give(appeal, counsel_user, "upheld", "nothing_new")
        with pytest.raises(appeals.CannotAnswer, match="cannot give appeals to others"):
            appeals.assign(appeal, to=leo, by=counsel_user.as_actor, at=NOON + DAY)

    def test_nobody_who_is_away(self, analyst_user, lead, leo):
        absences.enter(user=leo, from_on=NOON.date(), to_on=NOON.date() + DAY, by=lead, at=NOON)

        with pytest.raises(review.Away):
            appealed(decided(analyst_user, lead), taken_by=leo)


@pytest.mark.django_db
class TestAnswer:
    def test_upheld_changes_nothing_and_is_told_in_fixed_words(self, analyst_user, lead, leo):
        appeal = give(appealed(decided(analyst_user, lead), taken_by=leo), leo, "upheld", "nothing_new")

        appeal.decision.refresh_from_db()
        _, body = wording_of(Notice.objects.get(kind="objection_answered"))
        assert (appeal.state, appeal.answered_by, appeal.decision.state) == ("answered", "leo", "countersigned")
        assert Restriction.objects.in_force().exists()
        assert "stay with what we told you" in body and WHY not in body
        assert (appeal.objection.state, Objection.objects.get().outcome) == ("open", "stands")
        assert not Deadline.objects.running().filter(kind=appeals.ANSWER_BY).exists()

    def test_reversed_gives_the_account_back(self, analyst_user, lead, leo):
        decision = decided(analyst_user, lead)
        own = restrictions.limit(
            decision.account, reason="own", public_wording="Wait.", basis="by hand: own", by=lead, at=NOON
        )

        appeal = give(appealed(decision, taken_by=leo), leo, "reversed", "somebody_else")

        decision.refresh_from_db()
        assert (decision.state, decision.ended_by) == ("reversed", "leo")
        assert appeal.reference in decision.ended_why
        assert list(Restriction.objects.in_force()) == [own]

    def test_a_closed_account_is_taken_up_again_if_nothing_stands_in_the_way(self, analyst_user, lead, leo):
        decision = decided(analyst_user, lead, outcome="close", account=make_open_account())
        appeal = appealed(decision, taken_by=leo)

        with pytest.raises(activation.NotReady, match="verified"):  # nobody ever verified it: every reason is told
            give(appeal, leo, "reversed", "wrong_fact")

        appeal.refresh_from_db()
        assert (appeal.state, Account.objects.get(pk=decision.account_id).status) == ("open", "closed")

    def test_and_goes_back_into_use_when_nothing_does(self, analyst_user, lead, leo):
        decision = decided(analyst_user, lead, outcome="close", account=make_usable_account())

        give(appealed(decision, taken_by=leo), leo, "reversed", "wrong_fact")

        assert Account.objects.get(pk=decision.account_id).status == "active"

    def test_changed_leaves_something_milder(self, analyst_user, lead, leo):
        decision = decided(analyst_user, lead)

        appeal = give(
            appealed(decision, taken_by=leo), leo, "changed", "milder_enough", new_outcome="limit",
            new_reason="unusual_use",
        )  # fmt: skip

        decision.refresh_from_db()
        new = appeal.new_decision
        assert (decision.state, new.state, new.proposed_by) == ("changed", "countersigned", "leo")
        assert Restriction.objects.in_force().get().basis == new.reference
        assert new.appeal_by == date(2026, 4, 3)
        assert (told().count("account_restricted"), told().count("restriction_lifted")) == (2, 0)
        assert "objection_answered" in told()
        assert len(new.seen_sha256) == 64

    def test_nobody_is_worse_off_for_having_appealed(self, analyst_user, lead, leo):
        appeal = appealed(decided(analyst_user, lead, outcome="limit"), taken_by=leo)

        with pytest.raises(UnfitAnswer, match="to something milder only: “watch more closely”"):
            give(appeal, leo, "changed", "milder_enough", new_outcome="suspend", new_reason="unusual_use")

    @pytest.mark.parametrize(
        ("outcome", "reason", "more", "sentence"),
        [
            ("upheld", "somebody_else", {}, "does not fit the reason “Somebody else was meant”"),
            ("denied", "nothing_new", {}, "no such answer"),
            ("upheld", "whim", {}, "no reason with this code"),
            ("reversed", "wrong_fact", {"new_outcome": "limit"}, "Nothing else holds instead"),
        ],
    )
    def test_it_refuses_what_does_not_go_together(self, analyst_user, lead, leo, outcome, reason, more, sentence):
        appeal = appealed(decided(analyst_user, lead), taken_by=leo)

        with pytest.raises(UnfitAnswer, match=sentence):
            give(appeal, leo, outcome, reason, **more)

    def test_it_is_answered_once(self, analyst_user, lead, leo):
        appeal = give(appealed(decided(analyst_user, lead), taken_by=leo), leo, "upheld", "nothing_new")

        with pytest.raises(appeals.NotOpen, match="was answered by leo on 4 Mar 2026 at 12:00 UTC: upheld"):
            give(appeal, leo, "upheld", "nothing_new")

    def test_whatever_was_lifted_meanwhile_is_no_hindrance(self, analyst_user, lead, leo):
        decision = decided(analyst_user, lead)
        restrictions.lift(Restriction.objects.get(), why="Explained.", by=lead, at=NOON)

        assert give(appealed(decision, taken_by=leo), leo, "reversed", "put_right").state == "answered"


@pytest.mark.django_db
class TestWhatRestsOnAList:
    @pytest.fixture
    def blocked(self, analyst_user, lead) -> Decision:
        account = make_open_account()
        case = make_case(account, "confirmed_list_hit", worked_by=analyst_user)
        made = decisions.propose(
            case, account=account, outcome="block", reason="list_match_confirmed", by=analyst_user.as_actor, at=NOON
        )
        return decisions.countersign(made, by=lead, at=NOON)

    def test_even_to_uphold_it_takes_two(self, blocked, leo, lead, counsel):
        appeal = give(appealed(blocked, taken_by=leo), leo, "upheld", "rightly_decided")
        assert appeal.state == "proposed" and not Notice.objects.filter(kind="objection_answered").exists()

        with pytest.raises(SecondPersonNeeded, match="first step yourself"):
            sign(appeal, by=leo.as_actor)
        with pytest.raises(SecondPersonNeeded, match="lea signed DEC-"):
            sign(appeal, by=lead)

        answered = sign(appeal, by=counsel)
        assert (answered.state, answered.proposed_by, answered.answered_by) == ("answered", "leo", "carl")

    def test_it_is_sent_back_with_a_reason(self, blocked, leo, counsel):
        appeal = give(appealed(blocked, taken_by=leo), leo, "reversed", "somebody_else")

        back = appeal_answers.send_back(appeal, why="Ask for the birth date.", by=counsel, at=NOON + 2 * DAY)

        assert (back.state, back.sent_back_why) == ("open", "Ask for the birth date.")
        assert give(back, leo, "upheld", "nothing_new").state == "proposed"

    def test_reversed_unblocks_and_no_word_tells_of_a_list(self, blocked, leo, counsel):
        appeal = give(appealed(blocked, taken_by=leo), leo, "reversed", "somebody_else")

        sign(appeal, by=counsel)

        bodies = " ".join(wording_of(notice)[1] for notice in Notice.objects.all()).lower()
        assert Account.objects.get(pk=blocked.account_id).status == "active"
        assert "we have taken our decision back" in bodies
        assert not {"list", "sanction", "sanctions", "match", "block", "blocked", "hit"} & set(bodies.split())
        assert {"restriction_lifted", "objection_answered"} <= set(told())

    def test_a_block_is_changed_to_a_suspension(self, blocked, leo, counsel):
        new = {"new_outcome": "suspend", "new_reason": "unusual_use"}
        appeal = give(appealed(blocked, taken_by=leo), leo, "changed", "new_facts", **new)

        made = sign(appeal, by=counsel).new_decision

        assert Account.objects.get(pk=blocked.account_id).status == "active"
        assert Restriction.objects.in_force().get().level == "suspended"
        assert made.signers == {str(leo.pk), counsel.key} and made.rests_on_list

    def test_a_confirmed_hit_is_judged_anew_first(self, blocked, leo, monkeypatch):
        hit = ScreeningHit(reference="HIT-TEST", status="confirmed")
        monkeypatch.setattr(appeal_answers, "AccountFile", lambda account, on: type("File", (), {"hits": [hit]}))
        appeal = appealed(blocked, taken_by=leo)

        with pytest.raises(appeal_answers.GroundStands, match=r"HIT-TEST is confirmed, and DEC-.* rests on it"):
            give(appeal, leo, "reversed", "somebody_else")
        assert give(appeal, leo, "upheld", "rightly_decided").state == "proposed"


@needs_row_locks
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush", "roles_there")
def test_of_an_appeal_by_mail_and_one_on_the_page_at_once_one_is_taken_in(in_threads):
    analyst_user, lea = person("ina", "reviewer"), person("lea", "lead reviewer")
    decision = decided(analyst_user, lea.as_actor)
    account = Account.objects.select_related("party").get(pk=decision.account_id)

    def on_the_page():
        with transaction.atomic():
            customer = Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)
            return objections.take_in(
                customer, text="No.", through="page", against=None, on=NOON.date(), by=SCHEDULER, at=NOON
            )

    first, second = once_it_waits(lambda: appealed(decision, at=NOON), on_the_page, in_threads)

    assert isinstance(second, objections.AlreadyObjected)
    assert Appeal.objects.get().reference == first.reference
