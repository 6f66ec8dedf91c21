"""Whoever was shut out comes back: found when they come, found among those here, kept through the purge (T21, T22)."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.flows import activation, closing, identification, intake, links, parties, restrictions, seen_before
from accounts.flows.texts import BadField
from accounts.models import Account, Party, RestrictedCustomer, RiskSignal, Screening, SeenBefore
from cases.models import Case, CaseSignal, CaseSubject
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.records import holds, retention
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from tests.builders import make_account, make_company, make_complete_account, make_list, make_party, make_verified
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

PHONE = "+4930901829"
CARD = "tok_campaign_0001"
LATER = NOON + timedelta(days=1)


def pays(account: Account, identifier: str = CARD, kind: str = "card", *, at=NOON) -> Account:
    identification.add_payment_method(
        account.party, kind=kind, identifier=identifier, institution="Example Bank", country="DE", source="own salary",
        last_four="4242", by=SCHEDULER, at=at,
    )  # fmt: skip
    return account


def shut_out(reason: str = "terms_broken", **changes) -> Account:
    """A customer with a card, whose account is closed for this reason."""
    account = pays(make_account(**changes))
    account.status, account.closed_at, account.closing_reason = "closed", NOON, reason
    with one_flow(SCHEDULER, NOON):
        account.save(update_fields=["status", "closed_at", "closing_reason"])
    work()
    return account


def in_use() -> Account:
    """A customer with a card and an open account, without what leads there."""
    account = pays(make_account())
    account.status, account.opened_at = "active", NOON
    with one_flow(SCHEDULER, NOON):
        account.save(update_fields=["status", "opened_at"])
    return account


def established(count: int = 1, reason: str = "", **changes) -> list[Account]:
    """Customers whose accounts were opened; they are in use, or ended for this reason."""
    made = [make_account(**changes) for _ in range(count)]
    ended = {"status": "closed", "closed_at": NOON, "closing_reason": reason} if reason else {"status": "active"}
    Account.objects.filter(pk__in=[each.pk for each in made]).update(opened_at=NOON, **ended)
    return made


def ready(**changes) -> Account:
    """An account that only has to be opened; that it was screened is written down without screening it."""
    account = make_complete_account(**changes)
    make_verified(account)
    Screening.objects.create(party=account.party, snapshot=make_list(), at=NOON, hit_count=0)
    account.refresh_from_db()
    return account


def work(at=LATER) -> None:
    """What the workers do within a minute."""
    assert queue.run_due(at)["failed"] == 0
    assert seen_before.look_back_due(at=at).get("failed", 0) == 0


def ties_of(account: Account) -> list[SeenBefore]:
    return list(SeenBefore.objects.filter(party=account.party_id).order_by("-score"))


class TestSomebodyComes:
    def test_t21_who_shares_a_card_with_one_closed_for_cause_is_flagged(self):
        gone, back = shut_out(), pays(make_account())

        work()

        [tie] = ties_of(back)
        assert (tie.earlier, tie.remembered, tie.why) == (gone.party, None, "terms_broken")
        assert tie.shared == [{"kind": "card", "holders": 2}] and float(tie.score) == 0.85
        assert tie.sentence == (
            f"Shares the same payment card with {gone.reference}, which was shut out (terms broken)."
        )  # fmt: skip
        [flag] = back.signals.all()
        assert (flag.code, flag.weight) == ("seen_before", 50)
        assert flag.evidence == {
            "ties": [tie.reference], "earlier": [gone.reference], "outcomes": ["terms_broken"], "kinds": ["card"],
        }  # fmt: skip
        assert Case.objects.get().subjects.get().account == back

    @pytest.mark.parametrize("reason", ["own_request", "unused", "product_ended"])
    def test_an_ordinary_closing_is_held_against_nobody(self, reason):
        shut_out(reason)
        back = pays(make_account())

        work()

        assert not ties_of(back) and not RiskSignal.objects.exists()
        assert not any("shut out" in sentence for sentence in activation.why_not(back, at=LATER))

    @pytest.mark.parametrize(
        ("reason", "counts"),
        [("document_not_genuine", True), ("identity_not_verified", True), ("withdrawn", False), ("duplicate", False)],
    )
    def test_one_refused_counts_unless_it_was_no_fault_of_theirs(self, reason, counts):
        refused = pays(make_account())
        intake.refuse_prospect(refused, reason=reason, by=SCHEDULER, at=NOON)
        back = pays(make_account())

        work()

        assert [tie.why for tie in ties_of(back)] == [reason] * counts

    def test_a_weak_tie_is_kept_but_raises_no_flag_and_a_weaker_one_is_not_kept(self):
        lines = (intake.NewAddress(kind="residence", lines="1 Office Street", region="", country="DE"),)
        gone = make_account(addresses=lines)
        intake.refuse_prospect(gone, reason="listed", by=SCHEDULER, at=NOON)
        back = make_account(addresses=lines)
        work()
        neighbours = established(6, addresses=lines)

        work()

        [tie] = ties_of(back)
        assert float(tie.score) == 0.4 and not RiskSignal.objects.exists()
        assert [ties_of(each) for each in neighbours] == [[]] * 6  # eight hold it by now

    def test_its_owners_are_compared_with_it(self):
        gone = shut_out()
        company = make_company()
        owner = pays_party(make_party())
        identification.add_owner(company.party, owner=owner, percent=60, has_control=True, by=SCHEDULER, at=NOON)

        work()

        [tie] = ties_of(company)
        assert tie.earlier == gone.party and tie.shared == [{"kind": "card", "holders": 2}]
        assert company.signals.get().code == "seen_before"

    def test_the_owner_of_a_company_that_was_shut_out_is_found_in_person(self):
        company, owner = make_company(), make_party(phone=PHONE)
        identification.add_owner(company.party, owner=owner, percent=60, has_control=True, by=SCHEDULER, at=NOON)
        intake.refuse_prospect(company, reason="listed", by=SCHEDULER, at=NOON)
        back = make_account(phone=PHONE)

        work()

        assert [tie.earlier for tie in ties_of(back)] == [company.party]

    def test_one_who_owns_what_was_shut_out_himself_is_a_tie_of_the_company(self):
        owner = shut_out().party
        company = make_company()
        identification.add_owner(company.party, owner=owner, percent=60, has_control=True, by=SCHEDULER, at=NOON)

        work()

        assert [(tie.earlier, tie.shared[0]["kind"]) for tie in ties_of(company)] == [(owner, "owner")]

    def test_a_company_and_its_owner_count_as_one_holder(self):
        company, owner = make_company(phone=PHONE), make_party(phone=PHONE)
        identification.add_owner(company.party, owner=owner, percent=60, has_control=True, by=SCHEDULER, at=NOON)
        intake.refuse_prospect(company, reason="listed", by=SCHEDULER, at=NOON)
        back = make_account(phone=PHONE)

        work()

        assert ties_of(back)[0].shared == [{"kind": "phone", "holders": 2}]

    def test_who_comes_back_again_and_again_makes_a_value_no_less_telling(self):
        for _ in range(5):
            shut_out()
        back = pays(make_account())

        work()

        assert {each["holders"] for tie in ties_of(back) for each in tie.shared} == {2}
        assert len(ties_of(back)) == 5

    def test_it_is_asked_once_and_again_only_when_a_value_comes(self):
        back = make_account()
        work()
        assert not Party.objects.filter(look_back_due=True).exists()
        gone = shut_out()
        back.party.refresh_from_db()
        assert not back.party.look_back_due

        pays(back)
        assert Party.objects.get(pk=back.party_id).look_back_due
        work()

        assert [tie.earlier for tie in ties_of(back)] == [gone.party]

    def test_what_the_key_change_makes_anew_is_no_news(self, settings):
        party = make_account().party
        work()

        links.fingerprint_party(party, at=LATER)

        assert not Party.objects.filter(look_back_due=True).exists()

    def test_nothing_of_it_is_done_twice(self):
        shut_out()
        back = pays(make_account())
        work()
        before = (ties_of(back)[0].updated_at, AuditEvent.objects.filter(verb="accounts.tie_found").count())

        seen_before.look_back(back.party, by=SCHEDULER, at=LATER + timedelta(hours=1))

        assert (ties_of(back)[0].updated_at, before[1]) == (before[0], 1)
        assert AuditEvent.objects.filter(verb="accounts.tie_found").count() == 1

    @pytest.mark.parametrize("others", [2, 12])
    def test_its_queries_do_not_grow_with_the_others(self, others, django_assert_max_num_queries):
        for _ in range(others):
            make_account(phone=PHONE)
        back = make_account(phone=PHONE)

        with django_assert_max_num_queries(16):
            seen_before.look_back(back.party, by=SCHEDULER, at=LATER)


def pays_party(party: Party) -> Party:
    identification.add_payment_method(
        party, kind="card", identifier=CARD, institution="Example Bank", country="DE", source="own salary",
        last_four="4242", by=SCHEDULER, at=NOON,
    )  # fmt: skip
    return party


class TestWhatMakesAValueCommon:
    def test_t21_five_who_come_one_after_another_are_all_held_up(self):
        gone = shut_out(phone=PHONE)
        for _ in range(5):
            back = pays(ready(phone=PHONE))
            assert any("are they the same?" in sentence for sentence in activation.why_not(back, at=LATER))
            work()

            [tie] = ties_of(back)
            assert (tie.earlier, float(tie.score)) == (gone.party, 0.94)
            assert tie.shared == [{"kind": "card", "holders": 2}, {"kind": "phone", "holders": 2}]
            assert back.signals.get().code == "seen_before"
            assert tie.sentence == (
                f"Shares the same payment card and telephone number with {gone.reference}, which was shut out "
                "(terms broken)."
            )
            assert activation.why_not(back, at=LATER) == [
                f"{tie.sentence} Judge the tie {tie.reference}: are they the same?"
            ]

    def test_t21_who_was_let_in_and_is_tied_thins_nothing_either(self):
        gone = shut_out(phone=PHONE)
        before = pays(make_account(phone=PHONE))
        work()
        Account.objects.filter(pk=before.pk).update(status="active", opened_at=NOON)

        back = pays(make_account(phone=PHONE))
        work()

        assert [(tie.earlier, float(tie.score)) for tie in ties_of(back)] == [(gone.party, 0.94)]

    def test_one_found_to_be_another_counts_once_their_account_is_open(self, analyst):
        shut_out()
        before = pays(make_account())
        work()
        seen_before.judge(ties_of(before)[0], judgement="not_same", why="Her father.", by=analyst, at=LATER)
        Account.objects.filter(pk=before.pk).update(status="active", opened_at=NOON)

        back = pays(make_account())
        work()

        assert ties_of(back)[0].shared == [{"kind": "card", "holders": 3}]

    @pytest.mark.parametrize(
        ("reason", "holders"), [("", 5), ("own_request", 5), ("product_ended", 5), ("not_verifiable", 2)]
    )
    def test_who_left_in_an_ordinary_way_counts_and_who_could_not_be_verified_does_not(self, reason, holders):
        lines = (intake.NewAddress(kind="residence", lines="1 Office Street", region="", country="DE"),)
        shut_out(phone=PHONE, addresses=lines)
        established(3, reason, addresses=lines)
        back = make_account(phone=PHONE, addresses=lines)

        work()

        shared = {each["kind"]: each["holders"] for each in ties_of(back)[0].shared}
        assert shared == {"phone": 2, "address": holders}

    def test_an_owner_counts_when_what_they_own_is_established(self):
        lines = (intake.NewAddress(kind="residence", lines="1 Office Street", region="", country="DE"),)
        shut_out(phone=PHONE, addresses=lines)
        company = make_company()
        Account.objects.filter(pk=company.pk).update(status="active", opened_at=NOON)
        for account in (company, make_company()):
            owner = make_party(addresses=lines)
            identification.add_owner(account.party, owner=owner, percent=60, has_control=True, by=SCHEDULER, at=NOON)
        back = make_account(phone=PHONE, addresses=lines)

        work()

        assert {"kind": "address", "holders": 3} in ties_of(back)[0].shared

    def test_t21_a_switchboard_of_fifty_customers_ties_nobody(self):
        gone = make_account(phone=PHONE)
        customers = established(50, phone=PHONE)
        intake.refuse_prospect(gone, reason="listed", by=SCHEDULER, at=NOON)
        back = make_account(phone=PHONE)

        work()

        assert not ties_of(back) and not SeenBefore.objects.filter(party__accounts__in=customers).exists()


class TestSomebodyIsShutOut:
    def test_t21_present_customers_are_found_at_once(self):
        here, stranger, other = pays(make_account()), make_account(), in_use()
        work()

        closing.close_account(other, reason="terms_broken", by=SCHEDULER, at=NOON)
        assert queue.run_due(LATER)["done"] >= 1

        assert [tie.earlier for tie in ties_of(here)] == [other.party]
        assert here.signals.get().code == "seen_before" and not ties_of(stranger)

    def test_a_suspension_counts_while_it_stands(self):
        here, other = pays(make_account()), in_use()
        standing = restrictions.suspend(other, reason="x", public_wording="–", basis="D", by=SCHEDULER, at=NOON)
        work()
        [tie] = ties_of(here)
        assert (tie.why, tie.over_at) == ("suspended", None)

        restrictions.lift(standing, why="found wrong", by=SCHEDULER, at=LATER)
        work(LATER + timedelta(hours=1))

        tie.refresh_from_db()
        assert tie.over_at is not None and not SeenBefore.objects.standing().exists()

    def test_a_limit_counts_for_nothing(self):
        here, other = pays(make_account()), in_use()
        restrictions.limit(other, reason="x", public_wording="–", basis="D", by=SCHEDULER, at=NOON)
        work()

        assert not ties_of(here)

    def test_a_tie_once_found_is_not_hidden_by_many_new_customers_with_the_same_value(self, analyst):
        gone, back = shut_out(), pays(make_account())
        work()
        for _ in range(14):
            pays(make_account())
        links.remember(back.party, [("card", CARD)], at=NOON)

        work()

        [tie] = ties_of(back)
        assert (tie.earlier, tie.over_at, float(tie.score)) == (gone.party, None, 0.85)
        seen_before.judge(tie, judgement="same", why="The same face.", by=analyst, at=LATER)
        assert any("they are the same" in reason for reason in activation.why_not(back, at=LATER))

    def test_an_account_taken_up_again_ends_its_ties(self):
        gone, back = shut_out(), pays(make_account())
        work()
        Account.objects.filter(pk=gone.pk).update(status="active", closed_at=None, closing_reason="")
        seen_before.note_standing({gone.pk}, by=SCHEDULER, at=LATER)

        work(LATER + timedelta(hours=1))

        assert ties_of(back)[0].over_at is not None

    def test_a_job_for_an_account_that_is_gone_does_nothing(self):
        assert seen_before.look_again("0" * 32, by=SCHEDULER, at=LATER) == {"done": 0, "failed": 0}


class TestOpening:
    def test_t21_a_strong_tie_waits_for_a_person(self, analyst):
        gone, back = shut_out(), pays(ready())
        [before] = activation.why_not(back, at=LATER)  # nobody looked yet: it is compared when it is asked
        assert gone.reference in before and before.endswith("are they the same?")
        work()
        [tie] = ties_of(back)

        with pytest.raises(activation.NotReady, match=f"Judge the tie {tie.reference}"):
            activation.activate(back, by=analyst, at=LATER)
        seen_before.judge(tie, judgement="not_same", why="Father and daughter.", by=analyst, at=LATER)

        assert activation.activate(back, by=analyst, at=LATER).status == "active"

    def test_who_is_the_same_or_cannot_be_told_is_not_opened(self, analyst):
        shut_out()
        back = pays(ready())
        work()
        [tie] = ties_of(back)

        seen_before.judge(tie, judgement="same", why="The same face.", by=analyst, at=LATER)
        [reason] = activation.why_not(back, at=LATER)
        assert f"Somebody found that they are the same ({tie.reference})" in reason
        seen_before.judge(tie, judgement="cannot_tell", why="The picture is bad.", by=analyst, at=LATER)
        [reason] = activation.why_not(back, at=LATER)
        assert f"Nobody could tell whether they are the same ({tie.reference})" in reason

    def test_a_weaker_tie_does_not_hold_it_up(self):
        gone = make_account(phone=PHONE)
        intake.refuse_prospect(gone, reason="listed", by=SCHEDULER, at=NOON)
        back = ready(phone=PHONE)
        work()

        assert back.signals.get().code == "seen_before"
        assert activation.why_not(back, at=LATER) == []


class TestJudging:
    @pytest.fixture
    def tie(self):
        shut_out(phone=PHONE)
        back = pays(make_account())
        work()
        return ties_of(back)[0]

    def test_the_same_evidence_is_not_raised_again(self, tie, analyst):
        account = tie.party.accounts.get()
        seen_before.judge(tie, judgement="not_same", why="A shared office.", by=analyst, at=LATER)

        seen_before.look_back(tie.party, by=SCHEDULER, at=LATER)

        assert not account.signals.open().exists()
        assert account.signals.get().answer == "not the same as before"
        tie.refresh_from_db()
        assert (tie.judgement, tie.judged_on, tie.judged_by) == ("not_same", ["card"], analyst.label)

    def test_more_evidence_asks_anew(self, tie, analyst):
        seen_before.judge(tie, judgement="not_same", why="A shared office.", by=analyst, at=LATER)
        parties.add_contact(tie.party, kind="phone", value=PHONE, by=analyst, at=LATER)
        work(LATER + timedelta(hours=1))

        tie.refresh_from_db()
        assert (tie.judgement, tie.judged_why) == ("", "")
        assert [each["kind"] for each in tie.shared] == ["card", "phone"]
        assert tie.party.accounts.get().signals.open().get().evidence["kinds"] == ["card", "phone"]

    def test_bad_judgements_are_refused_and_change_nothing(self, tie, analyst):
        for given in ({"judgement": "maybe", "why": "x"}, {"judgement": "same", "why": "  "}):
            with pytest.raises(BadField):
                seen_before.judge(tie, by=analyst, at=LATER, **given)
        with pytest.raises(SecondPersonNeeded):
            seen_before.judge(tie, judgement="same", why="x", by=SCHEDULER, at=LATER)
        tie.refresh_from_db()
        assert tie.judgement == ""

    def test_a_tie_that_is_over_is_not_judged(self, tie, analyst):
        tie.over_at = LATER
        tie.save()

        with pytest.raises(seen_before.TieIsOver):
            seen_before.judge(tie, judgement="same", why="x", by=analyst, at=LATER)

    def test_a_card_number_in_the_reason_is_masked(self, tie, analyst):
        told = seen_before.judge(tie, judgement="same", why="Card 4111 1111 1111 1111.", by=analyst, at=LATER)

        assert "4111 1111" not in told.judged_why


CLOSED = datetime(2015, 2, 28, 12, tzinfo=UTC)


def purge(as_of):
    return retention.purge_due(as_of=as_of, today=as_of, execute=True, by=SCHEDULER, at=LATER)


def age(account: Account) -> None:
    """Its account ended long ago, so that its time is over."""
    Account.objects.filter(pk=account.pk).update(closed_at=CLOSED)


class TestPurge:
    def test_t22_the_tie_survives_the_purge_of_the_earlier_customer(self):
        gone, back = shut_out(), pays(make_account())
        work()
        age(gone)

        assert [stone.name for stone in purge(NOON.date()).gone] == [gone.reference]

        [tie] = ties_of(back)
        assert (tie.earlier, tie.remembered) == (None, RestrictedCustomer.objects.get())
        assert tie.remembered.reference == tie.earlier_reference == gone.reference
        seen_before.look_back(back.party, by=SCHEDULER, at=LATER)
        [tie] = ties_of(back)
        assert tie.over_at is None and tie.shared == [{"kind": "card", "holders": 2}]
        assert f"{gone.reference}, which was shut out (terms broken); its file was purged on" in tie.sentence

    def test_t22_one_purged_is_known_when_they_come_later(self):
        age(shut_out())
        purge(NOON.date())
        back = pays(make_account())

        work()

        [tie] = ties_of(back)
        assert tie.remembered == RestrictedCustomer.objects.get() and tie.earlier is None
        assert back.signals.get().code == "seen_before"
        nodes, [edge] = links.neighbourhood(back.party, 1, 9)
        assert [(node.label, node.is_restricted) for node in nodes][1] == (tie.earlier_reference, True)
        assert {edge.a, edge.b} == {back.party_id, tie.remembered_id}

    def test_the_tie_goes_with_its_own_customer_and_stays_while_that_is_held(self):
        gone, back = shut_out(), pays(make_account())
        work()
        CaseSignal.objects.all()._raw_delete("default")  # a case keeps the files of its subjects
        CaseSubject.objects.all()._raw_delete("default")
        intake.refuse_prospect(back, reason="withdrawn", by=SCHEDULER, at=NOON)
        age(back)
        hold = holds.place_hold([back.party], reason="litigation", ground="Doe v. Us", by=SCHEDULER, at=NOON)

        purge(NOON.date())
        assert [tie.earlier for tie in ties_of(back)] == [gone.party]
        holds.release_hold(hold, reason="It is settled.", by=SCHEDULER, at=NOON)
        purge(NOON.date())

        assert not SeenBefore.objects.exists()

    def test_when_what_is_remembered_goes_the_tie_is_over(self):
        gone, back = shut_out(), pays(make_account())
        work()
        age(gone)
        purge(NOON.date())

        purge(NOON.date().replace(year=NOON.year + 10))

        [tie] = ties_of(back)
        assert not RestrictedCustomer.objects.exists()
        assert (tie.remembered, tie.earlier) == (None, None) and tie.over_at is not None
