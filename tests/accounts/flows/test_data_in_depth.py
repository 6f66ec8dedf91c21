"""Names in scripts, addresses of others, payment, signed lists of owners, kind not settled, discrepancies (R10-R34)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.flows import activation, corrections, identification, intake, parties, restrictions, verification
from accounts.flows.texts import BadField
from accounts.models import Account, Party, PaymentMethod, Verification
from accounts.rules.new_parties import NewAddress
from accounts.rules.numbers import FullCardNumber
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.statements import NoStatement, approve_statement
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.refusal import Refusal
from tests.builders import make_account, make_cip, make_company, make_complete_account, make_open_account, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

T1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
T7 = T1.replace("7408122F", "7408123F")
DAY = NOON.date()


class TestNames:
    def test_r10_every_name_is_kept_with_its_script(self):
        names = (("trade", "Works One"), ("trade", "Works Two"), ("script", "Мария Пример"), ("script", "例子"))

        party = make_party(names=names)
        parties.add_name(party, kind="script", name="Μαρία", by=SCHEDULER, at=NOON)

        found = dict(party.names.values_list("name", "script"))
        assert found == {
            "Works One": "Latin", "Works Two": "Latin", "Мария Пример": "Cyrillic", "例子": "Han", "Μαρία": "Greek",
        }  # fmt: skip


class TestAddresses:
    @pytest.mark.parametrize("kind", ["next_of_kin", "contact_person"])
    def test_r12_the_address_of_another_says_whose_it_is(self, kind):
        account = make_account(addresses=())
        address = NewAddress(kind=kind, lines="Long Street 1", region="", country="DE")
        assert "address" in _missing(account)

        with pytest.raises(BadField, match="Name of the contact is empty"):
            parties.add_address(account.party, address=address, by=SCHEDULER, at=NOON)
        named = NewAddress(kind=kind, lines="Long Street 1", region="", country="DE", contact_name="Otto Kin")
        row = parties.add_address(account.party, address=named, by=SCHEDULER, at=NOON)

        assert row.contact_name.reveal() == "Otto Kin" and "Otto" not in str(row)
        assert "address" not in _missing(account)

    def test_a_contact_beside_an_own_address_is_refused(self):
        address = NewAddress(kind="residence", lines="Long Street 1", region="", country="DE", contact_name="Otto Kin")

        with pytest.raises(BadField, match="the address is the party's own"):
            parties.add_address(make_party(), address=address, by=SCHEDULER, at=NOON)


class TestPayment:
    @pytest.mark.parametrize("kind", ["card", "bank", "wallet", "prepaid", "marketplace"])
    @pytest.mark.parametrize("number", ["4111111111111111", "5555 5555 5555 4444", "3782-822463-10005"])
    def test_e12_a_whole_card_number_is_refused_whatever_the_kind(self, kind, number, caplog):
        with pytest.raises(FullCardNumber) as refused:
            identification.add_payment_method(make_party(), kind=kind, identifier=number, by=SCHEDULER, at=NOON)

        assert number not in str(refused.value) and number not in caplog.text
        assert not PaymentMethod.objects.exists()

    def test_r14_the_holder_is_kept_sealed(self):
        payment = identification.add_payment_method(
            make_party(), kind="bank", identifier="DE89370400440532013000", holder="Eva Payer", by=SCHEDULER, at=NOON
        )

        stored = PaymentMethod.objects.get(pk=payment.pk)
        assert (stored.holder.reveal(), str(stored.holder)) == ("Eva Payer", "••••••")

    def test_r14_customer_number_and_transactions_are_kept_sealed_and_grow(self):
        payment = identification.add_payment_method(
            make_party(), kind="card", customer_number="CUS-77", transactions="T-1\nT-1\n\n T-2 ", by=SCHEDULER, at=NOON
        )

        identification.add_transactions(payment, transactions="T-2\nT-3", by=SCHEDULER, at=NOON)

        stored = PaymentMethod.objects.get(pk=payment.pk)
        assert (stored.customer_number.reveal(), str(stored.transactions)) == ("CUS-77", "••••••")
        assert stored.transactions.reveal().split() == ["T-1", "T-2", "T-3"]
        event = AuditEvent.objects.get(verb="accounts.transactions_added")
        assert event.facts == {"count": 1, "kind": "card"}

    @pytest.mark.parametrize(
        ("numbers", "says"),
        [
            ("T-1", "on file already"),
            ("", "on file already"),
            ("4111 1111 1111 1111", "whole card number"),
            ("\n".join(map(str, range(201))), "more than 200"),
            ("x" * 101, "101 characters long"),
            ("T\x00", "NUL"),
        ],
    )
    def test_r14_bad_transactions_are_refused_and_change_nothing(self, numbers, says):
        payment = identification.add_payment_method(
            make_party(), kind="card", transactions="T-1", by=SCHEDULER, at=NOON
        )

        with pytest.raises(Refusal, match=says):
            identification.add_transactions(payment, transactions=numbers, by=SCHEDULER, at=NOON)

        assert PaymentMethod.objects.get().transactions.reveal() == "T-1"


class TestCertification:
    def certify(self, account):
        return identification.certify_owners(
            account, signed_on=DAY, signed_by="Eva Signer", text_version="1", by=SCHEDULER, at=NOON
        )

    def test_r22_it_says_who_signed_which_text_and_when(self):
        row = self.certify(make_company())

        assert (row.signed_by.reveal(), row.text_version, row.signed_on) == ("Eva Signer", "1", DAY)
        with pytest.raises(BadField, match="Signed by is empty"):
            identification.certify_owners(
                make_company(), signed_on=DAY, signed_by=" ", text_version="1", by=SCHEDULER, at=NOON
            )

    def test_r22_only_a_wording_that_was_approved_can_have_been_signed(self, compliance):
        with pytest.raises(NoStatement, match="no such version"):
            identification.certify_owners(
                make_company(), signed_on=DAY, signed_by="Eva", text_version="2", by=SCHEDULER, at=NOON
            )
        approve_statement(kind="owners", text="I swear:", effective_from=DAY, by=compliance, at=NOON)

        row = identification.certify_owners(
            make_company(), signed_on=DAY, signed_by="Eva", text_version="2", by=SCHEDULER, at=NOON
        )

        assert row.text_version == "2"

    def test_r22_a_new_owner_breaks_it_and_a_new_signature_mends_it(self):
        company = make_company()
        self.certify(company)
        assert "owners_certification" not in _missing(company)

        stake = identification.add_owner(company.party, owner=make_party(), percent=Decimal(30), by=SCHEDULER, at=NOON)
        row = company.ownership_certifications.get()
        assert (row.broken_at, row.broken_why) == (NOON, "owners_changed")
        assert "owners_certification" in _missing(company)

        self.certify(company)
        assert "owners_certification" not in _missing(company)
        identification.end_stake(stake, to_on=DAY, by=SCHEDULER, at=NOON)
        assert "owners_certification" in _missing(company)
        assert AuditEvent.objects.filter(verb="accounts.certification_broken").count() == 2

    def test_r22_doubt_breaks_it_once(self):
        company = make_company()
        self.certify(company)

        identification.doubt_certification(company, by=SCHEDULER, at=NOON)

        assert company.ownership_certifications.get().broken_why == "in_doubt"
        with pytest.raises(BadField, match="there is none to doubt"):
            identification.doubt_certification(company, by=SCHEDULER, at=NOON)


class TestKind:
    def undetermined(self):
        return make_account(kind="undetermined", birth_date=None)

    def test_a_clock_runs_until_it_is_settled(self):
        party = self.undetermined().party
        clock = clocks_of(party).get()
        assert (clock.kind, clock.due_on) == ("settle person or entity", DAY + timedelta(days=30))

        corrections.correct(party, kind="entity", by=SCHEDULER, at=NOON)

        assert not clocks_of(party).exists()

    def test_nobody_is_watched_whose_kind_is_known(self):
        assert not clocks_of(make_party()).exists()
        assert clocks_of(make_party(kind="undetermined", birth_date=None)).exists()

    def test_the_account_is_not_opened(self):
        reasons = activation.why_not(self.undetermined(), at=NOON)

        assert "It is not settled whether the customer is a person or an entity. Settle it." in reasons

    def test_the_identity_is_not_accepted(self):
        make_cip()
        account = self.undetermined()
        running = verification.start(account, account.party, trigger="opening", by=SCHEDULER, at=NOON)
        verification.record_method(
            running,
            method="public_database",
            result="match",
            matched=["legal_name"],
            source="register",
            by=SCHEDULER,
            at=NOON,
        )

        with pytest.raises(verification.NotProven, match="Settle the kind first"):
            verification.conclude(running, verified=True, reason="Seen.", by=SCHEDULER, at=NOON)

    def test_it_is_not_left_open_again_while_an_account_is_in_use(self):
        account = make_open_account()

        with pytest.raises(BadField, match=f"while {account.reference} is active"):
            corrections.correct(account.party, kind="undetermined", by=SCHEDULER, at=NOON)

        assert Party.objects.get(pk=account.party_id).kind == "individual"


class TestDiscrepancies:
    def failed(self):
        make_cip()
        account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1974, 8, 12))
        identification.add_document(account.party, kind="passport", mrz=T7, by=SCHEDULER, at=NOON)
        running = verification.start(account, account.party, trigger="opening", by=SCHEDULER, at=NOON)
        return verification.conclude(running, verified=False, reason="Not genuine.", by=SCHEDULER, at=NOON)

    def test_t7_an_unsettled_one_blocks_the_last_word_whichever_it_is(self):
        running = self.failed()
        assert (running.status, running.concluded_at) == ("failed", None)

        with pytest.raises(verification.NotProven, match="These still disagree"):
            verification.conclude(running, verified=False, reason="No.", by=SCHEDULER, at=NOON)
        assert Verification.objects.get(pk=running.pk).status == "failed"

        for row in running.discrepancies.all():
            settled = verification.settle_discrepancy(row, how="It stays unexplained.", by=SCHEDULER, at=NOON)
            assert (settled.settled_by, settled.settled_at) == (SCHEDULER.label, NOON)
        ended = verification.conclude(running, verified=False, reason="No.", by=SCHEDULER, at=NOON)
        assert (ended.status, ended.concluded_at) == ("unverifiable", NOON)

    def test_r34_after_the_conclusion_nothing_is_noted_any_more(self):
        make_cip()
        account = make_complete_account()
        running = verification.start(account, account.party, trigger="opening", by=SCHEDULER, at=NOON)
        verification.record_method(
            running,
            method="public_database",
            result="match",
            matched=["legal_name"],
            source="register",
            by=SCHEDULER,
            at=NOON,
        )
        verification.conclude(running, verified=True, reason="Seen.", by=SCHEDULER, at=NOON)

        with pytest.raises(verification.NotUnderWay):
            verification.find_discrepancy(running, field="name", stated="a", found="b", by=SCHEDULER, at=NOON)


class TestCouldNotVerify:
    def limited(self):
        account = make_open_account()
        running = verification.start(account, account.party, trigger="doubt", by=SCHEDULER, at=NOON)
        verification.conclude(running, verified=False, reason="Not genuine.", by=SCHEDULER, at=NOON)
        return account, running

    def test_r39_the_end_of_a_limit_narrows_while_the_doubt_lasts_and_may_be_repeated(self):
        account, running = self.limited()
        limit, late = account.restrictions.in_force().get(), NOON + timedelta(days=16)
        assert (limit.level, limit.until) == ("limited", NOON + timedelta(days=15))

        assert restrictions.end_expired(at=late) == {"done": 1, "failed": 0}
        assert restrictions.end_expired(at=late) == {"done": 0, "failed": 0}

        narrowed = account.restrictions.in_force().get()
        assert (narrowed.level, narrowed.until) == ("suspended", None)
        assert (narrowed.basis, narrowed.object_by) == (f"{running.reference} overdue", date(2026, 4, 17))

    def test_r40_what_time_stopped_stays_stopped_until_somebody_decides(self):
        account, running = self.limited()
        restrictions.end_expired(at=NOON + timedelta(days=16))

        running.refresh_from_db()
        verification.conclude(running, verified=False, reason="No.", by=SCHEDULER, at=NOON + timedelta(days=17))

        assert restrictions.strictest(account).level == "suspended"
        assert all(row.until is None for row in account.restrictions.in_force())


def _missing(account) -> set[str]:
    return {gap.code for gap in intake.missing_for(Account.objects.get(pk=account.pk), on=DAY)}
