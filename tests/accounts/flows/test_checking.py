"""What the checks answered: kept with source and evidence, added to and never changed, and no proof of anybody."""

import io
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import checking, corrections, identification, intake, parties, personal_data, verification
from accounts.flows.discrepancies import note_disagreements
from accounts.models import AccessBatch, AccessRecord, CheckResult, Discrepancy, IdentityDocument
from accounts.models.identity import PaymentKind
from accounts.rules.answers import Outcome
from accounts.rules.checks import CHECKS
from accounts.rules.verifying import METHODS
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records.keys import destroy_key, evidence
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.flows.test_verification import T1, T7
from tests.accounts.logs import roll_up
from tests.builders import make_account, make_cip, make_company, make_verified, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def cip(db):
    return make_cip()


@pytest.fixture
def account():
    return make_account(legal_name="Anna Maria Eriksson", birth_date=date(1974, 8, 12), phone="+4930901820")


def begin(account, *, by=SCHEDULER, at=NOON):
    return verification.start(account, account.party, trigger="opening", by=by, at=at)


def add_iban(account, number="DE89370400440532013000", *, by=SCHEDULER, at=LATER):
    return identification.add_payment_method(
        account.party, kind="bank", identifier=number, country="DE", by=by, at=at
    )  # fmt: skip


def answers(under_way, code):
    return list(under_way.checks.filter(code=code).order_by("turn", "about"))


class TestWhenTheyRun:
    def test_r33_at_the_start_with_method_source_result_fields_moment_and_evidence(self, account, analyst):
        under_way = begin(account, by=analyst)

        (row,) = answers(under_way, "phones")
        assert (row.outcome, row.matched, row.at, row.by) == ("passed", ["phone"], NOON, "ana")
        assert row.source.startswith("phonenumberslite ")
        contact = account.party.contact_points.get(kind="phone")
        assert (row.about_label, row.about_key, row.about) == ("accounts.contactpoint", str(contact.pk), "telephone")
        assert len(row.evidence) == 64 and "4930901820" not in f"{row.evidence} {row.reason} {row.about}"

    def test_no_row_holds_a_value(self, account, analyst):
        parties.add_contact(account.party, kind="email", value="anna@mailinator.com", by=analyst, at=NOON)
        corrections.correct(account.party, national_id="123-45-6789", by=analyst, at=NOON)
        add_iban(account, at=NOON)
        identification.add_document(account.party, kind="passport", mrz=T1, by=analyst, at=NOON)

        under_way = begin(account, by=analyst)

        keys = ("id", "verification_id", "about_key", "evidence", "file_sha256")  # random, and may hold any digits
        rows = CheckResult.objects.filter(verification=under_way).values()
        kept = str([{name: value for name, value in row.items() if name not in keys} for row in rows])
        for value in (
            "mailinator",
            "123-45-6789",
            "DE8937",
            "L898902C3",
            "1974",
            "Eriksson",
            "ERIKSSON",
            "Long Street",
        ):
            assert value not in kept

    @pytest.mark.parametrize(
        ("code", "add"),
        [
            ("emails", lambda party: parties.add_contact(
                party, kind="email", value="b@example.org", by=SCHEDULER, at=LATER)),
            ("numbers", lambda party: identification.add_payment_method(
                party, kind="wallet", identifier="1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", by=SCHEDULER, at=LATER)),
            ("machine_zones", lambda party: identification.add_document(
                party, kind="passport", mrz=T1, by=SCHEDULER, at=LATER)),
            ("addresses", lambda party: parties.add_address(
                party, address=intake.NewAddress("residence", "Hauptstr. 1\n10115 Berlin", "", "DE"),
                by=SCHEDULER, at=LATER)),
            ("identifiers", lambda party: corrections.correct(party, national_id="12", by=SCHEDULER, at=LATER)),
        ],
    )  # fmt: skip
    def test_again_when_something_is_added_while_one_is_open(self, account, code, add):
        under_way = begin(account)
        before = len(answers(under_way, code))

        add(account.party)

        new = answers(under_way, code)[before:]
        assert [row.at for row in new] == [LATER]

    def test_not_for_one_that_is_concluded(self, account, analyst):
        identification.add_document(account.party, kind="passport", number="X1", by=analyst, at=NOON)
        done = make_verified(account)
        count = done.checks.count()

        add_iban(account)

        assert done.checks.count() == count
        with pytest.raises(checking.Concluded, match="is concluded"):
            checking.run_again(done, by=analyst, at=LATER)

    def test_for_an_owner_too(self, analyst):
        company = make_company()
        owner = make_account().party
        identification.add_owner(company.party, owner=owner, percent=50, by=analyst, at=NOON)

        under_way = verification.start(company, owner, trigger="opening", by=analyst, at=NOON)

        assert answers(under_way, "emails")


class TestAgain:
    def test_with_nothing_changed_it_adds_nothing_and_tells_nothing(self, account, analyst):
        under_way = begin(account)
        rows, events = CheckResult.objects.count(), AuditEvent.objects.count()

        assert checking.run_again(under_way, by=analyst, at=LATER) == 0
        assert checking.run_again(under_way, by=analyst, at=LATER) == 0

        assert (CheckResult.objects.count(), AuditEvent.objects.count()) == (rows, events)

    def test_a_changed_value_is_answered_anew_and_the_old_answer_stays(self, account, analyst):
        corrections.correct(account.party, citizenship="US", national_id="536-90-4399", by=analyst, at=NOON)
        under_way = begin(account)

        corrections.correct(account.party, national_id="000-00-0000", by=analyst, at=LATER)

        first, second = answers(under_way, "identifiers")
        assert (first.outcome, second.outcome, first.at, second.at) == ("passed", "failed", NOON, LATER)
        assert (second.turn > first.turn) and first.evidence != second.evidence
        assert [row.pk for row in checking.shown(under_way) if row.code == "identifiers"] == [second.pk]

    def test_a_value_that_comes_back_is_answered_once_more(self, account, analyst):
        corrections.correct(account.party, citizenship="US", national_id="536-90-4399", by=analyst, at=NOON)
        under_way = begin(account)
        corrections.correct(account.party, national_id="000-00-0000", by=analyst, at=LATER)
        corrections.correct(account.party, national_id="536-90-4399", by=analyst, at=LATER)

        first, _, third = answers(under_way, "identifiers")
        assert (first.outcome, first.evidence) == (third.outcome, third.evidence)

    def test_another_version_of_a_library_is_another_answer(self, account, analyst):
        under_way = begin(account)
        CheckResult._base_manager.filter(verification=under_way, code="phones").update(source="phonenumberslite 1")

        checking.run_again(under_way, by=analyst, at=LATER)

        assert len(answers(under_way, "phones")) == 2

    def test_the_passing_of_days_is_seen(self, account, analyst):
        identification.add_document(
            account.party, kind="passport", number="X1", expires_on=NOON.date(), by=analyst, at=NOON
        )
        under_way = begin(account)

        checking.run_again(under_way, by=analyst, at=NOON + timedelta(days=1))

        assert [row.outcome for row in answers(under_way, "expiry")] == ["passed", "failed"]

    def test_a_figure_of_the_regime_changes_the_answer(self, account, analyst):
        identification.add_document(
            account.party, kind="passport", number="X1", expires_on=date(2026, 2, 20), by=analyst, at=NOON
        )
        under_way = begin(account)
        RegimeNumber.objects.filter(name="document_grace_days").update(value=30)
        RegimeNumber.objects.filter(name="accepts_passport").update(value=0)

        checking.run_again(under_way, by=analyst, at=NOON)

        assert [row.outcome for row in answers(under_way, "expiry")] == ["failed", "passed"]
        assert [row.outcome for row in answers(under_way, "suitability")] == ["passed", "failed"]

    def test_a_payment_that_has_ended_is_no_longer_shown(self, account, analyst):
        payment = add_iban(account, at=NOON)
        under_way = begin(account)
        assert any(row.code == "numbers" for row in checking.shown(under_way))

        identification.end_payment_method(payment, by=analyst, at=LATER)

        assert not any(row.code == "numbers" for row in checking.shown(under_way))
        assert answers(under_way, "numbers")

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.text(alphabet="ABCDEFGHIJ0123456789-ß ", min_size=1, max_size=30), min_size=1, max_size=3))
    def test_running_twice_is_running_once_whatever_is_on_file(self, account, numbers):
        fresh = make_account()
        for number in numbers:
            if number.strip(" -"):
                identification.add_document(fresh.party, kind="passport", number=number, by=SCHEDULER, at=NOON)
        under_way = begin(fresh)
        count = under_way.checks.count()

        assert checking.run_again(under_way, by=SCHEDULER, at=NOON) == 0
        assert under_way.checks.count() == count


class TestEvidence:
    def test_equal_values_of_one_party_give_equal_evidence_and_of_two_parties_do_not(self, account, analyst):
        other = make_account(phone="+4930901820")

        one, two = (answers(begin(each), "phones")[0].evidence for each in (account, other))

        assert one != two

    def test_the_digest_of_the_file_is_kept(self, account, analyst):
        document = identification.add_document(
            account.party, kind="passport", mrz=T1, file=io.BytesIO(png_bytes()), file_name="p.png", by=analyst, at=NOON
        )

        (row,) = answers(begin(account), "machine_zones")

        assert row.file_sha256 == document.file_sha256 != ""

    def test_it_goes_with_the_key(self, account):
        under_way = begin(account)
        before = answers(under_way, "phones")[0].evidence

        destroy_key(account.party.pk)

        assert evidence(account.party.pk, checking.PLACE, "phones\x1f +4930901820") != before


class TestNoProof:
    def test_a_valid_iban_proves_nothing(self, account, analyst):
        add_iban(account, at=NOON)
        under_way = begin(account, by=analyst)
        assert answers(under_way, "numbers")[0].outcome == Outcome.PASSED

        with pytest.raises(verification.NotProven, match="No method found a match"):
            verification.conclude(under_way, verified=True, reason="The IBAN is good.", by=analyst, at=NOON)

    def test_even_when_every_check_passed(self, analyst):
        places = (intake.NewAddress("residence", "Hauptstr. 1\n10115 Berlin", "", "DE"),)
        account = make_account(legal_name="Anna Maria Eriksson", birth_date=date(1974, 8, 12), addresses=places)
        add_iban(account, at=NOON)
        under_way = begin(account, by=analyst)
        assert {row.outcome for row in checking.shown(under_way)} == {"passed"}

        with pytest.raises(verification.NotProven, match="No method found a match"):
            verification.conclude(under_way, verified=True, reason="All passed.", by=analyst, at=NOON)

    def test_no_check_has_the_code_of_a_method(self):

        assert not {check.code for check in CHECKS} & {method.code for method in METHODS}


class TestDisagreements:
    def zone(self, account, mrz, *, at=NOON, **given):
        return identification.add_document(account.party, kind="passport", mrz=mrz, by=SCHEDULER, at=at, **given)

    def test_r34_a_document_added_meanwhile_opens_what_disagrees_at_once(self, account):
        under_way = begin(account)

        document = self.zone(account, T7, at=LATER)

        fields = set(under_way.discrepancies.values_list("field", flat=True))
        assert f"{document.reference}: check digit of birth_date" in fields

    def test_t7_the_failed_check_and_its_discrepancy_stand_side_by_side(self, account):
        self.zone(account, T7)

        under_way = begin(account)

        (zone,) = answers(under_way, "machine_zones")
        assert zone.outcome == Outcome.FAILED and "birth date, composite" in zone.reason
        assert under_way.discrepancies.filter(field__endswith="check digit of birth_date").exists()

    def test_a_settled_one_stays_settled_for_the_same_two_values(self, account, analyst):
        corrections.correct(account.party, birth_date=date(1975, 8, 12), by=analyst, at=NOON)
        self.zone(account, T1)
        under_way = begin(account)
        row = under_way.discrepancies.get()
        verification.settle_discrepancy(row, how="The zone is right.", by=analyst, at=NOON)

        checking.run_again(under_way, by=analyst, at=LATER)

        assert under_way.discrepancies.count() == 1

    def test_another_value_opens_another_one(self, account, analyst):
        corrections.correct(account.party, birth_date=date(1975, 8, 12), by=analyst, at=NOON)
        self.zone(account, T1)
        under_way = begin(account)
        verification.settle_discrepancy(under_way.discrepancies.get(), how="A slip.", by=analyst, at=NOON)

        corrections.correct(account.party, birth_date=date(1976, 8, 12), by=analyst, at=LATER)

        second = under_way.discrepancies.get(settled_at=None)
        assert (second.stated.reveal(), second.found.reveal()) == ("1976-08-12", "1974-08-12")

    def test_another_value_opens_another_one_even_while_the_first_waits(self, account, analyst):
        corrections.correct(account.party, birth_date=date(1975, 8, 12), by=analyst, at=NOON)
        self.zone(account, T1)
        under_way = begin(account)

        corrections.correct(account.party, birth_date=date(1976, 8, 12), by=analyst, at=LATER)

        assert under_way.discrepancies.filter(settled_at=None).count() == 2

    def test_what_was_noted_before_pairs_were_kept_is_known_again(self, account, analyst):
        corrections.correct(account.party, birth_date=date(1975, 8, 12), by=analyst, at=NOON)
        document = self.zone(account, T1)
        under_way = begin(account)
        Discrepancy._base_manager.filter(verification=under_way).update(pair="")

        assert note_disagreements(under_way, document, by=analyst, at=LATER) == 0

    def test_the_pair_tells_neither_value(self, account, analyst):
        corrections.correct(account.party, birth_date=date(1975, 8, 12), by=analyst, at=NOON)
        self.zone(account, T1)

        assert len(begin(account).discrepancies.get().pair) == 64


class TestCountries:
    def access(self, account, country, count, anonymiser=""):
        batch, _ = AccessBatch.objects.get_or_create(
            account=account, sha256="0" * 64, defaults={
                "format": "csv", "file_name": "a.csv", "read_count": 0, "new_count": 0, "known_count": 0,
                "refused_count": 0, "imported_at": NOON, "imported_by": "test",
            },
        )  # fmt: skip
        for number in range(count):
            AccessRecord.objects.create(
                account=account, batch=batch, at=NOON, kind="access", action="login", address="8.8.8.8",
                source_system="s", event_id=f"{country}{anonymiser}{number}", country=country, anonymiser=anonymiser,
            )  # fmt: skip
        roll_up(account)

    def test_r18_what_was_observed_is_counted_and_alone_decides_nothing(self, account, analyst):
        self.access(account, "BR", 4, "vpn")
        under_way = begin(account)

        (row,) = answers(under_way, "countries")

        assert row.outcome == Outcome.PASSED
        assert "Addresses were seen in BR" in row.reason and "4 of 4 accesses" in row.reason

    def test_accesses_of_the_company_say_nothing_of_its_owner(self, analyst):
        company = make_company()
        owner = make_account(phone="+4930901820").party
        identification.add_owner(company.party, owner=owner, percent=50, by=analyst, at=NOON)
        self.access(company, "BR", 4)

        under_way = verification.start(company, owner, trigger="opening", by=analyst, at=NOON)

        assert "BR" not in answers(under_way, "countries")[0].reason


def test_each_kind_of_payment_that_is_checked_exists():
    assert set(checking.PAYMENTS) <= set(PaymentKind)


def test_erasing_a_document_takes_the_answers_about_it_along(account, analyst):
    identification.add_document(account.party, kind="passport", number="X1", by=analyst, at=NOON)
    unused = identification.add_document(account.party, kind="identity_card", number="Y2", by=analyst, at=NOON)
    done = make_verified(account)
    keys = [str(row.pk) for row in account.party.documents.all() if row.pk != done.results.get().document_id]
    assert CheckResult.objects.filter(about_key__in=keys).exists()

    personal_data.erase(account.party, by=analyst, at=LATER)

    assert not IdentityDocument.objects.filter(pk__in=keys).exists()
    assert not CheckResult.objects.filter(about_key__in=keys).exists()
    assert unused.pk and CheckResult.objects.filter(verification=done).exists()


@pytest.mark.django_db(transaction=True)
def test_things_added_and_checked_at_once_are_each_answered_once(triggers_lifted_for_flush, in_threads):
    make_cip()
    account = make_account()
    under_way = begin(account)

    def add(number):
        return lambda: parties.add_contact(
            account.party, kind="email", value=f"b{number}@example.org", by=SCHEDULER, at=LATER
        )  # fmt: skip

    results = in_threads(add(1), add(2), add(3), lambda: checking.run_again(under_way, by=SCHEDULER, at=LATER))

    assert not [each for each in results if isinstance(each, Exception)], results
    mails = answers(under_way, "emails")
    assert len(mails) == 4 == len({row.about_key for row in mails})
    assert checking.run_again(under_way, by=SCHEDULER, at=LATER) == 0
