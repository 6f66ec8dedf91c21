"""Verifying a party: who, by which methods, with what disagreement, to which end."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.flows import identification, us_status, verification
from accounts.models import Account, Discrepancy, IdentityDocument, MethodResult, Party
from accounts.models.party import UsStatus
from accounts.rules.us_status import StatusEvidence
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.cip import approve_cip
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.current import NoCip
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.builders import (
    make_account,
    make_cip,
    make_company,
    make_complete_account,
    make_open_account,
    make_party,
    make_verified,
)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

T1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
T7 = T1.replace("7408122F", "7408123F")
DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


def begin(account=None, *, by=SCHEDULER, party=None):
    account = account or make_complete_account()
    return verification.start(account, party or account.party, trigger="opening", by=by, at=NOON)


def matched(under_way, *, method="public_database", document=None, by=SCHEDULER, result="match"):
    return verification.record_method(
        under_way,
        method=method,
        result=result,
        source="register",
        document=document,
        by=by,
        at=NOON,
        matched=["legal_name"] if result in ("match", "partial") else [],
    )


def conclude(under_way, *, verified=True, by=SCHEDULER):
    return verification.conclude(under_way, verified=verified, reason="Seen and compared.", by=by, at=NOON)


class TestStart:
    def test_r3_it_is_tied_to_the_cip_in_force_that_day(self, analyst, cip):
        approve_cip(title="Next", text="Later.", effective_from=DAY + timedelta(days=1), by=analyst, at=NOON)

        assert begin(by=analyst).cip_version == cip

    def test_it_is_refused_before_any_cip_is_in_force(self, analyst):
        account = make_complete_account()

        with pytest.raises(NoCip):
            verification.start(
                account, account.party, trigger="opening", by=analyst, at=NOON - timedelta(days=365 * 10)
            )

    def test_it_moves_a_prospect_on_and_starts_the_clock(self, analyst):
        account = make_complete_account()

        begin(account, by=analyst)

        account.refresh_from_db()
        assert account.status == "verifying"
        assert clocks_of(account).get().due_on == DAY + timedelta(days=15)

    def test_it_refuses_a_second_attempt_while_one_is_under_way(self, analyst):
        first = begin(by=analyst)

        with pytest.raises(verification.AlreadyBeingVerified, match=first.reference):
            begin(first.account, by=analyst)

    def test_it_refuses_a_stranger(self, analyst):
        account, stranger = make_complete_account(), make_party()

        with pytest.raises(verification.NotConcerned, match=stranger.reference):
            begin(account, party=stranger, by=analyst)

    def test_it_refuses_an_account_that_has_ended(self, analyst):
        account = make_complete_account()
        Account.objects.filter(pk=account.pk).update(status="refused", closed_at=NOON)

        with pytest.raises(verification.AccountEnded, match="not opened"):
            begin(account, by=analyst)

    def test_t7_a_wrong_check_digit_becomes_a_discrepancy(self, analyst):
        account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1974, 8, 12))
        document = identification.add_document(account.party, kind="passport", mrz=T7, by=analyst, at=NOON)

        under_way = begin(account, by=analyst)

        fields = set(under_way.discrepancies.values_list("field", flat=True))
        assert f"{document.reference}: check digit of birth_date" in fields
        assert len(fields) == 2

    def test_t1_a_specimen_that_agrees_leaves_nothing_to_settle(self, analyst):
        account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1974, 8, 12))
        identification.add_document(account.party, kind="passport", mrz=T1, by=analyst, at=NOON)

        assert not begin(account, by=analyst).discrepancies.exists()

    def test_both_values_are_kept_and_sealed(self, analyst):
        account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1975, 8, 12))
        identification.add_document(account.party, kind="passport", mrz=T1, by=analyst, at=NOON)

        row = begin(account, by=analyst).discrepancies.get()

        assert row.field.endswith("date of birth")
        assert (row.stated.reveal(), row.found.reveal()) == ("1975-08-12", "1974-08-12")
        assert str(row.stated) == "••••••"


class TestRecordMethod:
    def test_it_keeps_method_result_and_source(self, analyst):
        under_way = begin(by=analyst)

        matched(under_way, result="partial", by=analyst)
        matched(under_way, by=analyst)

        assert list(under_way.results.order_by("pk").values_list("by", flat=True)) == ["ana", "ana"]
        assert MethodResult.objects.filter(verification=under_way, result="partial").exists()

    @pytest.mark.parametrize(
        ("method", "result", "source"),
        [
            ("existence_document", "match", "x"),
            ("nonsense", "match", "x"),
            ("references", "yes", "x"),
            ("references", "match", " "),
        ],
    )
    def test_it_refuses_what_does_not_fit(self, analyst, method, result, source):
        under_way = begin(by=analyst)

        with pytest.raises(verification.UnfitMethod):
            verification.record_method(under_way, method=method, result=result, source=source, by=analyst, at=NOON)

    @pytest.mark.parametrize("result", ["match", "partial"])
    def test_what_agrees_must_say_what(self, analyst, result):
        under_way = begin(by=analyst)

        with pytest.raises(verification.UnfitMethod, match="not said what agreed"):
            verification.record_method(
                under_way, method="contact_customer", result=result, source="a call", by=analyst, at=NOON
            )

        assert not under_way.results.exists()

    def test_a_photo_document_bears_a_photograph(self, analyst):
        under_way = begin(by=analyst)
        articles = identification.add_document(under_way.party, kind="articles", number="1", by=analyst, at=NOON)

        with pytest.raises(verification.UnfitMethod, match="bears no photograph"):
            matched(under_way, method="photo_document", document=articles, by=analyst)

    def test_the_same_result_twice_a_day_is_refused_and_another_day_taken(self, analyst):
        under_way = begin(by=analyst)
        given = {"method": "contact_customer", "result": "no_match", "source": "a call", "by": analyst}
        verification.record_method(under_way, **given, at=NOON)

        with pytest.raises(verification.UnfitMethod, match="on file already today"):
            verification.record_method(under_way, **given, at=NOON)
        verification.record_method(under_way, **given, at=NOON + timedelta(days=1))

        assert under_way.results.count() == 2

    def test_r26_a_document_that_is_only_named_proves_nothing(self, analyst):
        under_way = begin(by=analyst)
        empty = identification.add_document(under_way.party, kind="passport", by=analyst, at=NOON)
        matched(under_way, method="photo_document", document=empty, by=analyst)

        with pytest.raises(verification.NotProven, match="only proof is a document"):
            verification.conclude(under_way, verified=True, reason="x", by=analyst, at=NOON)

    def test_a_documentary_method_needs_a_document_of_this_party(self, analyst):
        under_way, other = begin(by=analyst), make_complete_account().party.documents.get()

        with pytest.raises(verification.UnfitMethod, match="needs a document"):
            matched(under_way, method="photo_document", by=analyst)
        with pytest.raises(verification.UnfitMethod, match="somebody else"):
            matched(under_way, method="photo_document", document=other, by=analyst)

    def test_a_document_added_meanwhile_is_compared_as_well(self, analyst):
        account = make_account(legal_name="Somebody Else")
        under_way = begin(account, by=analyst)
        later = NOON + timedelta(hours=1)
        document = identification.add_document(account.party, kind="passport", mrz=T1, by=analyst, at=later)

        matched(under_way, method="photo_document", document=document, by=analyst)

        assert under_way.discrepancies.filter(field=f"{document.reference}: name").exists()

    def test_it_takes_nothing_after_the_end(self, analyst):
        done = make_verified(make_complete_account())

        with pytest.raises(verification.NotUnderWay, match="is verified"):
            matched(done, by=analyst)


class TestDiscrepancies:
    def test_a_field_is_noted_once_until_it_is_settled(self, analyst):
        under_way = begin(by=analyst)
        values = {"field": "address", "stated": "A", "found": "B", "by": analyst, "at": NOON}
        first = verification.find_discrepancy(under_way, **values)

        with pytest.raises(verification.AlreadyNoted, match="address"):
            verification.find_discrepancy(under_way, **values)
        verification.settle_discrepancy(first, how="Moved in May.", by=analyst, at=NOON)
        verification.find_discrepancy(under_way, **values)

        assert Discrepancy.objects.filter(verification=under_way).count() == 2

    def test_it_is_settled_once_and_with_words(self, analyst):
        under_way = begin(by=analyst)
        row = verification.find_discrepancy(under_way, field="address", stated="A", found="B", by=analyst, at=NOON)

        with pytest.raises(verification.WordsMissing):
            verification.settle_discrepancy(row, how="  ", by=analyst, at=NOON)
        verification.settle_discrepancy(row, how="Moved.", by=analyst, at=NOON)
        with pytest.raises(verification.AlreadySettled, match="ana"):
            verification.settle_discrepancy(row, how="Again.", by=analyst, at=NOON)


class TestConclude:
    def test_it_needs_a_method_that_matched(self, analyst):
        under_way = begin(by=analyst)
        matched(under_way, result="partial", by=analyst)

        with pytest.raises(verification.NotProven, match="No method found a match"):
            conclude(under_way, by=analyst)

    def test_r34_an_unsettled_discrepancy_blocks_it(self, analyst):
        under_way = begin(by=analyst)
        matched(under_way, by=analyst)
        row = verification.find_discrepancy(under_way, field="address", stated="A", found="B", by=analyst, at=NOON)

        with pytest.raises(verification.NotProven, match="address"):
            conclude(under_way, by=analyst)
        verification.settle_discrepancy(row, how="Moved.", by=analyst, at=NOON)

        assert conclude(under_way, by=analyst).status == "verified"

    @pytest.mark.parametrize(("days", "proves"), [(-1, False), (0, True)])
    def test_r26_an_expired_document_alone_proves_nothing(self, analyst, days, proves):
        account = make_complete_account()
        document = account.party.documents.get()
        IdentityDocument.objects.filter(pk=document.pk).update(expires_on=DAY + timedelta(days=days))
        under_way = begin(account, by=analyst)
        matched(under_way, method="photo_document", document=document, by=analyst)

        if proves:
            assert conclude(under_way, by=analyst).status == "verified"
        else:
            with pytest.raises(verification.NotProven, match="expired"):
                conclude(under_way, by=analyst)

    def test_t4_a_visa_alone_proves_nothing(self, analyst):
        account = make_complete_account()
        visa = identification.add_document(account.party, kind="visa", number="V1", by=analyst, at=NOON)
        under_way = begin(account, by=analyst)
        matched(under_way, method="photo_document", document=visa, by=analyst)

        with pytest.raises(verification.NotProven, match="does not prove"):
            conclude(under_way, by=analyst)

    def test_an_expired_document_beside_another_method_does(self, analyst):
        account = make_complete_account()
        document = account.party.documents.get()
        IdentityDocument.objects.filter(pk=document.pk).update(expires_on=DAY - timedelta(days=9))
        under_way = begin(account, by=analyst)
        matched(under_way, method="photo_document", document=document, by=analyst)
        matched(under_way, by=analyst)

        assert conclude(under_way, by=analyst).concluded_at == NOON

    def test_a_reason_is_asked_for(self, analyst):
        under_way = begin(by=analyst)

        with pytest.raises(verification.WordsMissing):
            verification.conclude(under_way, verified=False, reason=" ", by=analyst, at=NOON)

    def test_a_failed_one_cannot_simply_become_verified(self, analyst, lead):
        under_way = begin(by=analyst)
        matched(under_way, by=analyst)
        conclude(under_way, verified=False, by=analyst)

        with pytest.raises(MoveNotAllowed, match="failed"):
            conclude(under_way, by=lead)

    def test_r37_after_an_escalation_another_person_accepts_it(self, analyst, lead):
        under_way = self.escalated(analyst)

        with pytest.raises(SecondPersonNeeded, match="first step yourself"):
            conclude(under_way, by=analyst)

        assert conclude(under_way, by=lead).status == "verified"

    def test_r37_no_machine_accepts_it(self, analyst, analyst_user):
        under_way = self.escalated(analyst)
        client = Actor.api_client("key-1", "shop", owner=analyst_user)

        for actor in (SCHEDULER, Actor.operator(), client):
            with pytest.raises(SecondPersonNeeded):
                conclude(under_way, by=actor)

    def escalated(self, by):
        under_way = begin(by=by)
        matched(under_way, by=by)
        conclude(under_way, verified=False, by=by)
        return verification.escalate(under_way, by=by, at=NOON)

    def test_twice_not_verified_means_it_could_not_be(self, analyst):
        under_way = begin(by=analyst)

        assert conclude(under_way, verified=False, by=analyst).concluded_at is None
        ended = conclude(under_way, verified=False, by=analyst)

        assert (ended.status, ended.concluded_at) == ("unverifiable", NOON)
        assert not clocks_of(ended.account).exists()


class TestAccountInUse:
    def test_r39_it_is_limited_with_an_end_while_the_identity_is_in_doubt(self, analyst):
        account = make_open_account()
        under_way = begin(account, by=analyst)

        conclude(under_way, verified=False, by=analyst)

        limit = account.restrictions.get()
        assert (limit.level, limit.basis) == ("limited", under_way.reference)
        assert limit.until == NOON + timedelta(days=15)
        assert limit.object_by == DAY + timedelta(days=30)

    def test_it_is_released_when_the_identity_is_accepted(self, analyst, lead):
        account = make_open_account()
        under_way = begin(account, by=analyst)
        matched(under_way, by=analyst)
        conclude(under_way, verified=False, by=analyst)
        verification.escalate(under_way, by=analyst, at=NOON)

        conclude(under_way, by=lead)

        assert not account.restrictions.in_force().exists()

    def test_r40_it_stays_limited_without_end_when_it_could_not_be_verified(self, analyst):
        account = make_open_account()
        under_way = begin(account, by=analyst)

        conclude(under_way, verified=False, by=analyst)
        conclude(under_way, verified=False, by=analyst)

        assert account.restrictions.in_force().get().until is None

    def test_a_prospect_has_no_use_to_limit(self, analyst):
        under_way = begin(by=analyst)

        conclude(under_way, verified=False, by=analyst)

        assert not under_way.account.restrictions.exists()


class TestPartiesToVerify:
    def company(self, *, us, owners):
        account = make_company(formation_country="US" if us else "DE")
        self.settle(account.party)
        for citizenship, percent in owners:
            owner = make_party(citizenship=citizenship)
            self.settle(owner)
            identification.add_owner(account.party, owner=owner, percent=Decimal(percent), by=SCHEDULER, at=NOON)
        account.refresh_from_db()
        return account

    def settle(self, party):
        evidence = StatusEvidence(
            kind=party.kind, citizenship=str(party.citizenship), formation_country=str(party.formation_country)
        )
        us_status.settle_status(party, evidence=evidence, by=SCHEDULER, at=NOON)

    def who(self, account):
        found = verification.parties_to_verify(account, on=DAY)
        return ["customer" if party.pk == account.party_id else str(party.citizenship) for party in found]

    def test_r8_nobody_when_all_are_us_persons(self):
        assert self.who(self.company(us=True, owners=[("US", 60)])) == []

    def test_r8_the_foreign_owner_of_a_us_customer(self):
        assert self.who(self.company(us=True, owners=[("US", 60), ("FR", 25)])) == ["FR"]

    def test_a_foreign_customer_and_its_foreign_owners(self):
        assert self.who(self.company(us=False, owners=[("US", 60), ("FR", 30)])) == ["customer", "FR"]

    def test_t14_an_owner_below_the_threshold_is_not_asked(self):
        assert self.who(self.company(us=False, owners=[("FR", 24)])) == ["customer"]

    def test_an_unsettled_person_counts_as_foreign(self):
        account = make_account()

        assert account.party.us_status == UsStatus.UNSETTLED
        assert self.who(account) == ["customer"]

    def test_the_newest_attempt_decides_whether_somebody_is_verified(self, analyst):
        account = make_complete_account()
        make_verified(account)
        assert verification.unverified_parties(account, on=DAY) == []

        later = NOON + timedelta(days=1)
        again = verification.start(account, account.party, trigger="doubt", by=analyst, at=later)
        assert verification.unverified_parties(account, on=DAY) == []

        verification.conclude(again, verified=False, reason="Not the same person.", by=analyst, at=later)
        assert verification.unverified_parties(account, on=DAY) == [Party.objects.get(pk=account.party_id)]
