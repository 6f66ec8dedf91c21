"""A reseller's CIP from hand-in to decision, its contract and contacts, and what they do to its standing (R55, R56)."""

import hashlib
from datetime import date, timedelta

import pytest

from accounts.flows import activation, restrictions
from accounts.flows.texts import BadField
from accounts.models import Account
from accounts.rules.numbers import BadNumber
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import cip, cip_review, file, onboarding
from resellers.models import ResellerCip, ResellerContact
from resellers.rules.cip import requirements_of
from tests.builders import (
    approve_reseller_cip,
    make_account,
    make_applicant,
    make_cip,
    make_open_account,
    make_ready_account,
    make_reseller,
)
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
DAY = NOON.date()


@pytest.fixture
def desk(reseller_desk_user):
    return reseller_desk_user.as_actor


@pytest.fixture
def second(db):
    return person("carla", "compliance").as_actor


@pytest.fixture
def manager(reseller_manager_user):
    return reseller_manager_user.as_actor


@pytest.fixture
def handed_in(manager):
    return cip.submit_cip(make_applicant(), title="Ours", text="We look at papers.", by=manager, at=NOON)


def judge_all(found: ResellerCip, by, *, gap: str = ""):
    for each in requirements_of(found.source):
        words, verdict = ("Say how.", "gap") if each.code == gap else ("", "met")
        cip_review.judge(found, requirement=each.code, verdict=verdict, words=words, by=by, at=NOON)


def reasons(reseller, on=DAY) -> str:
    return " ".join(file.standing_of(reseller, on=on).reasons)


class TestHandIn:
    def test_r55_it_keeps_the_words_their_hash_and_starts_the_clock(self, handed_in, manager):
        assert handed_in.sha256 == hashlib.sha256(b"We look at papers.").hexdigest()
        assert (handed_in.number, handed_in.status, handed_in.submitted_by) == (1, "submitted", manager.label)
        assert clocks_of(handed_in).get().due_on == DAY + timedelta(days=14)
        assert AuditEvent.objects.get(verb="resellers.cip.submitted").facts["sha256"] == handed_in.sha256

    def test_r56_adopting_ours_names_the_version_and_the_agreement(self, desk):
        ours = make_cip()

        found = cip.adopt_provider_cip(make_applicant(), agreement="MSA-1", agreed_on=DAY, by=desk, at=NOON)

        assert (found.provider_cip, found.words, found.sha256) == (ours, ours.text, ours.sha256)
        assert (found.source, found.text, found.agreement) == ("adopted", "", "MSA-1")

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"title": " ", "text": "x"}, "Title is empty"),
            ({"title": "x", "text": " \n"}, "Text is empty"),
            ({"title": "x", "text": "a\x00b"}, "NUL"),
            ({"title": "x", "text": "x" * 400_001}, "at most 400,000|at most 400000"),
        ],
    )
    def test_bad_words_are_refused(self, desk, given, says):
        with pytest.raises(BadField, match=says):
            cip.submit_cip(make_applicant(), **given, by=desk, at=NOON)

        assert not ResellerCip.objects.exists()

    @pytest.mark.parametrize(
        ("agreement", "agreed_on", "says"),
        [("", DAY, "Agreement is empty"), ("M", None, "Agreed on is empty"), ("M", DAY + timedelta(days=1), "future")],
    )
    def test_an_agreement_that_cannot_be_is_refused(self, desk, agreement, agreed_on, says):
        make_cip()
        with pytest.raises(BadField, match=says):
            cip.adopt_provider_cip(make_applicant(), agreement=agreement, agreed_on=agreed_on, by=desk, at=NOON)

    def test_while_one_waits_no_other_is_taken(self, handed_in, manager):
        with pytest.raises(cip.AlreadyWaiting, match="handed in"):
            cip.submit_cip(handed_in.reseller, title="Ours", text="Other words.", by=manager, at=NOON)

    def test_the_same_words_again_are_refused(self, handed_in, manager, desk):
        cip_review.begin(handed_in, by=desk, at=NOON)
        judge_all(handed_in, desk, gap="again")
        cip_review.return_with_gaps(handed_in, by=desk, at=NOON)

        with pytest.raises(cip.NothingNew, match="same words"):
            cip.submit_cip(handed_in.reseller, title="Ours", text="We look at papers.", by=manager, at=NOON)

        assert cip.submit_cip(handed_in.reseller, title="Ours", text="And again.", by=manager, at=NOON).number == 2


class TestReview:
    def test_it_is_returned_with_its_gaps_by_requirement(self, handed_in, desk):
        cip_review.begin(handed_in, by=desk, at=NOON)
        judge_all(handed_in, desk, gap="screening")

        cip_review.return_with_gaps(handed_in, by=desk, at=NOON)

        handed_in.refresh_from_db()
        assert handed_in.status == "returned" and not clocks_of(handed_in).exists()
        assert cip_review.latest(handed_in)["screening"].words == "Say how."
        assert AuditEvent.objects.get(verb="resellers.cip.returned").facts == {"missing": "screening"}

    def test_r37_it_is_approved_by_two_people_and_replaces_the_earlier_one(self, desk, second):
        reseller = make_reseller()
        earlier = reseller.cips.get()
        found = cip.submit_cip(reseller, title="New", text="New words.", by=SCHEDULER, at=NOON)
        cip_review.begin(found, by=desk, at=NOON)
        judge_all(found, desk)
        found = cip_review.propose(found, decision="approve", reason="All there.", by=desk, at=NOON)
        assert file.standing_of(reseller, on=DAY).may_sell, "the earlier one counts until then"

        with pytest.raises(SecondPersonNeeded):
            cip_review.agree(found, shown=cip_review.digest_of(found), by=desk, at=NOON)
        cip_review.agree(found, shown=cip_review.digest_of(found), by=second, at=NOON)

        assert [row.status for row in (_again(earlier), _again(found))] == ["replaced", "approved"]

    def test_a_rejection_takes_two_people_too(self, handed_in, desk, second):
        cip_review.begin(handed_in, by=desk, at=NOON)
        handed_in = cip_review.propose(handed_in, decision="reject", reason="It is a recipe.", by=desk, at=NOON)

        cip_review.agree(handed_in, shown=cip_review.digest_of(handed_in), by=second, at=NOON)

        assert _again(handed_in).status == "rejected" and "no approved CIP" in reasons(handed_in.reseller)

    def test_who_disagrees_sends_the_proposal_back(self, handed_in, desk, second):
        cip_review.begin(handed_in, by=desk, at=NOON)
        handed_in = cip_review.propose(handed_in, decision="reject", reason="It is a recipe.", by=desk, at=NOON)

        cip_review.send_back(handed_in, by=second, at=NOON)

        assert (_again(handed_in).status, _again(handed_in).proposed_by) == ("under_review", "")

    @pytest.mark.parametrize("gap", ["", "owners"])
    def test_what_nobody_looked_at_or_is_not_met_cannot_be_approved(self, handed_in, desk, gap):
        cip_review.begin(handed_in, by=desk, at=NOON)
        if gap:
            judge_all(handed_in, desk, gap=gap)

        with pytest.raises(cip_review.NotJudged, match="not met" if gap else "not looked at"):
            handed_in = cip_review.propose(handed_in, decision="approve", reason="Fine.", by=desk, at=NOON)

        assert _again(handed_in).status == "under_review"

    def test_a_later_judgement_counts_instead(self, handed_in, desk):
        cip_review.begin(handed_in, by=desk, at=NOON)
        judge_all(handed_in, desk, gap="owners")
        cip_review.judge(handed_in, requirement="owners", verdict="met", by=desk, at=NOON + timedelta(minutes=1))

        handed_in = cip_review.propose(handed_in, decision="approve", reason="Found on page 3.", by=desk, at=NOON)

        assert handed_in.judgements.filter(requirement="owners").count() == 2

    def test_who_handed_it_in_judges_nothing_of_it(self, desk):
        found = cip.submit_cip(make_applicant(), title="Ours", text="Words.", by=desk, at=NOON)
        cip_review.begin(found, by=desk, at=NOON)

        for act in (
            lambda: cip_review.judge(found, requirement="data", verdict="met", by=desk, at=NOON),
            lambda: cip_review.propose(found, decision="reject", reason="No.", by=desk, at=NOON),
            lambda: cip_review.return_with_gaps(found, by=desk, at=NOON),
        ):
            with pytest.raises(cip_review.OwnText):
                act()

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"requirement": "shoes", "verdict": "met"}, "not one that this version"),
            ({"requirement": "data", "verdict": "fine"}, "must be met or gap"),
            ({"requirement": "data", "verdict": "gap", "words": " "}, "What is missing is empty"),
        ],
    )
    def test_a_judgement_that_says_nothing_is_refused(self, handed_in, desk, given, says):
        cip_review.begin(handed_in, by=desk, at=NOON)
        with pytest.raises(BadField, match=says):
            cip_review.judge(handed_in, **given, by=desk, at=NOON)

    def test_nothing_is_returned_without_a_gap_and_nothing_judged_out_of_turn(self, handed_in, desk):
        with pytest.raises(MoveNotAllowed):
            cip_review.judge(handed_in, requirement="data", verdict="met", by=desk, at=NOON)
        cip_review.begin(handed_in, by=desk, at=NOON)
        with pytest.raises(cip_review.NoGap):
            cip_review.return_with_gaps(handed_in, by=desk, at=NOON)
        for late, shown in ((cip_review.begin, {}), (cip_review.agree, {"shown": ""}), (cip_review.send_back, {})):
            with pytest.raises(MoveNotAllowed):
                late(handed_in, **shown, by=desk, at=NOON)


class TestFile:
    def test_an_applicant_may_not_sell_and_is_told_all_that_is_missing(self):
        assert [sentence.split(".")[0] for sentence in file.standing_of(make_applicant(), on=DAY).reasons] == [
            "No contract is in force",
            "It has no approved CIP",
            "Nobody is named who answers for its CIP",
        ]

    def test_a_contract_counts_from_its_first_to_its_last_day(self, desk):
        reseller = make_reseller()
        file.end_contract(reseller.contracts.get(), to_on=DAY + timedelta(days=9), by=desk, at=NOON)

        told = [reasons(reseller, DAY + timedelta(days=days)) for days in (-1, 0, 9, 10)]

        assert ["contract" in each for each in told] == [True, False, False, True]

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"number": " ", "from_on": DAY, "to_on": None}, "Number is empty"),
            ({"number": "C-2", "from_on": None, "to_on": None}, "In force from is empty"),
            ({"number": "C-2", "from_on": DAY, "to_on": DAY - timedelta(days=1)}, "before the first day"),
            ({"number": "C-1", "from_on": DAY, "to_on": None}, "contract on file"),
        ],
    )
    def test_a_contract_that_cannot_be_is_refused(self, desk, given, says):
        reseller = make_reseller()
        with pytest.raises(BadField, match=says):
            file.record_contract(reseller, **given, by=desk, at=NOON)

        assert reseller.contracts.count() == 1

    @pytest.mark.parametrize("to_on", [None, date(2020, 1, 1)])
    def test_a_last_day_that_cannot_be_is_refused(self, desk, to_on):
        with pytest.raises(BadField, match="Last day"):
            file.end_contract(make_reseller().contracts.get(), to_on=to_on, by=desk, at=NOON)

    def test_a_new_contact_takes_the_place_of_the_former_and_is_sealed(self, desk):
        reseller = make_reseller()

        file.add_contact(
            reseller, role="officer", name="Nia New", title="Officer", email="nia@reseller.example",
            phone="+971 4 123 4567", by=desk, at=NOON,
        )  # fmt: skip

        now = reseller.contacts.get(role="officer", ended_at__isnull=True)
        assert (now.name.reveal(), now.email.reveal(), now.phone.reveal()) == (
            "Nia New", "nia@reseller.example", "+97141234567",
        )  # fmt: skip
        assert str(ResellerContact.objects.get(pk=now.pk).name) == "••••••"
        assert reseller.contacts.filter(ended_at__isnull=False).count() == 1

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({"role": "boss", "name": "N", "email": "n@r.example"}, BadField),
            ({"role": "abuse", "name": " ", "email": "n@r.example"}, BadField),
            ({"role": "abuse", "name": "N", "email": ""}, BadField),
            ({"role": "abuse", "name": "N", "email": "n at r"}, BadNumber),
            ({"role": "abuse", "name": "N", "email": "n@r.example", "phone": "12"}, BadNumber),
        ],
    )
    def test_a_contact_nobody_could_reach_is_refused(self, desk, given, error):
        reseller = make_applicant()
        with pytest.raises(error):
            file.add_contact(reseller, **given, by=desk, at=NOON)

        assert not reseller.contacts.exists()


class TestGuard:
    def test_r55_its_customers_are_opened_only_while_it_may_sell(self, desk):
        reseller, account = make_reseller(), make_ready_account()
        onboarding.add_downstream(reseller, account=account, by=desk, at=NOON)
        file.end_contract(reseller.contracts.get(), to_on=DAY, by=desk, at=NOON)
        later = NOON + timedelta(days=1)

        (why,) = file.may_not_sell(Account.objects.get(pk=account.pk), later)

        assert "who brought this customer, may not sell: No contract is in force" in why
        assert why in activation.why_not(Account.objects.get(pk=account.pk), at=later)
        assert file.may_not_sell(make_account(), later) == []

    def test_r55_who_may_not_sell_brings_nobody(self, desk):
        with pytest.raises(onboarding.NoReseller, match=r"may not sell.*no approved CIP"):
            onboarding.add_downstream(make_applicant(), account=make_open_account(), by=desk, at=NOON)

    def test_its_own_restriction_keeps_it_from_selling(self, lead):
        reseller = make_reseller()
        restrictions.restrict_by_hand(
            reseller.account, level="suspended", reason="identity_in_doubt", last_day=DAY + timedelta(days=9), by=lead,
            at=NOON,
        )  # fmt: skip

        assert "Its own account is suspended" in reasons(reseller)

    def test_adopting_ours_is_enough(self, desk):
        make_cip()
        reseller = make_reseller()
        found = cip.adopt_provider_cip(reseller, agreement="MSA-1", agreed_on=DAY, by=SCHEDULER, at=NOON)

        approve_reseller_cip(found)

        assert reseller.cips.approved().get() == found and file.standing_of(reseller, on=DAY).may_sell


def _again(row: ResellerCip) -> ResellerCip:
    return ResellerCip.objects.get(pk=row.pk)
