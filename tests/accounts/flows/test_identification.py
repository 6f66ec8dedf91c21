"""Documents, means of payment, owners: what is taken, what is refused, what follows."""

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.events import owners_changed
from accounts.flows import document_files, identification
from accounts.flows.texts import BadField
from accounts.formats.mrz import UnreadableMrz
from accounts.formats.upload import UploadRefused
from accounts.models import Account, IdentityDocument, OwnershipStake, Party
from accounts.rules.numbers import BadIban, FullCardNumber
from kyc_portal.records.audit import history_of
from kyc_portal.records.models import AuditEvent
from tests.builders import make_account, make_company, make_open_account, make_party, new_person, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

T1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
T4 = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"


def add(party, by, **given):
    return identification.add_document(party, **{"kind": "passport", "by": by, "at": NOON, **given})


class TestAddDocument:
    def test_t1_the_zone_gives_what_was_not_typed(self, analyst):
        document = add(make_party(birth_date=None), analyst, mrz=T1)

        stored = IdentityDocument.objects.get(pk=document.pk)
        assert (stored.number.reveal(), stored.expires_on) == ("L898902C3", date(2012, 4, 15))
        assert (stored.mrz.reveal(), stored.mrz_failed) == (T1, [])

    def test_what_was_typed_stands(self, analyst):
        document = add(make_party(birth_date=None), analyst, mrz=T1, number="X9", expires_on=date(2030, 1, 1))

        assert (document.number.reveal(), document.expires_on) == ("X9", date(2030, 1, 1))

    def test_t7_failed_check_digits_are_kept_by_name(self, analyst):
        party = make_party(birth_date=None)

        document = add(party, analyst, mrz=T1.replace("7408122F", "7408123F"))

        assert set(document.mrz_failed) == {"birth_date", "composite"}
        assert history_of(party).first().facts["failed"] == document.mrz_failed

    def test_t4_a_visa_does_not_pass_for_a_passport(self, analyst):
        with pytest.raises(BadField, match="that of a visa"):
            add(make_party(), analyst, mrz=T4)
        with pytest.raises(BadField, match="no visa"):
            add(make_party(), analyst, kind="visa", mrz=T1)

    def test_the_issuer_becomes_a_country(self, analyst):
        zone = T1.replace("P<UTO", "P<D<<")

        assert add(make_party(birth_date=None), analyst, mrz=zone).country == "DE"
        assert add(make_party(birth_date=None), analyst, mrz=T1).country == ""

    BAD = {
        "D5 issue after expiry": (
            {"issued_on": date(2020, 1, 2), "expires_on": date(2020, 1, 1)},
            "Date of issue 2020-01-02 lies after the date of expiry 2020-01-01",
        ),
        "D5 expiry before birth": ({"expires_on": date(1980, 1, 1)}, "Date of birth 1985-05-17 lies after the date of"),
        "D5 issue before birth": ({"issued_on": date(1980, 1, 1)}, "lies after the date of issue 1980-01-01"),
        "issued tomorrow": ({"issued_on": date(2026, 3, 3)}, "Date of issue 2026-03-03 lies in the future"),
        "zone of a licence": ({"kind": "driving_licence", "mrz": T1}, "a driving licence has none"),
        "NUL": ({"number": "1\x002"}, "Number holds a NUL"),
        "no country": ({"country": "XY"}, "Country XY is no country code"),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_it_refuses_what_makes_no_sense(self, case, analyst):
        changes, expected = self.BAD[case]

        with pytest.raises(BadField, match=expected):
            add(make_party(), analyst, **changes)

        assert not IdentityDocument.objects.exists()

    def test_it_refuses_a_zone_of_the_wrong_length(self, analyst):
        with pytest.raises(UnreadableMrz, match="Line 2 has 43 characters"):
            add(make_party(), analyst, mrz=T1[:-1])

    def test_d3_no_expiry_is_written_as_the_last_day(self, analyst):
        assert add(make_party(), analyst, expires_on=date(9999, 12, 31)).expires_on == date(9999, 12, 31)

    def test_it_makes_the_party_due_for_screening_and_findable(self, analyst):
        party, later = make_party(), NOON + timedelta(hours=1)

        add(party, analyst, number="X 1-2", country="DE", at=later)

        assert Party.objects.get(pk=party.pk).changed_at == later
        assert party.identifiers.filter(kind="document").count() == 1


class TestFiles:
    def test_the_file_is_encrypted_on_disk(self, analyst):
        data, party = png_bytes(), make_party()

        document = add(party, analyst, file=io.BytesIO(data), file_name="../../etc/scan.png")

        path = document_files.path_of(party.pk, document.file_sha256)
        assert (document.file_type, document.file_bytes) == ("image/png", len(data))
        assert document.file_name.reveal() == "scan.png"
        assert b"PNG" not in path.read_bytes() and data not in path.read_bytes()
        assert (path.stat().st_mode & 0o777, path.name) == (0o600, f"{document.file_sha256}.sealed")
        assert document_files.read(party.pk, document.file_sha256) == data

    def test_b23_the_same_bytes_twice_are_one_blob_and_two_rows(self, analyst):
        data, party, other = png_bytes(), make_party(), make_party()

        first, second, third = (
            add(party, analyst, file=io.BytesIO(data), file_name="a.png"),
            add(party, analyst, file=io.BytesIO(data), file_name="b.png"),
            add(other, analyst, file=io.BytesIO(data), file_name="a.png"),
        )

        folder = document_files.path_of(party.pk, first.file_sha256).parent
        assert first.file_sha256 == second.file_sha256 == third.file_sha256
        assert len(list(folder.iterdir())) == 1
        assert document_files.path_of(other.pk, third.file_sha256).exists()
        assert AuditEvent.objects.filter(verb="accounts.document_added").count() == 3

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.svg", b"<svg xmlns='x'/>"),
            ("a.png", b"MZ\x90\x00"),
            ("a.pdf", b""),
            ("a.pdf", b"<html>%PDF-1.7</html>"),
            ("a.jpg", png_bytes()),
            ("a.png", png_bytes() + b"PK\x03\x04" + b"x" * 40),
        ],
    )
    def test_it_refuses_files_that_are_no_documents(self, name, data, analyst):
        party = make_party()

        with pytest.raises(UploadRefused):
            add(party, analyst, file=io.BytesIO(data), file_name=name)

        assert not IdentityDocument.objects.exists()
        assert not (document_files._folder_of(party.pk)).exists()

    def test_b2_it_refuses_a_file_above_the_limit(self, analyst, settings):
        settings.DOCUMENT_MAX_BYTES = 100

        with pytest.raises(UploadRefused, match="larger than 100 bytes"):
            add(make_party(), analyst, file=io.BytesIO(png_bytes()), file_name="a.png")

    def test_a_rollback_leaves_no_file(self, analyst):
        party, data = make_party(), png_bytes("rolled back")

        with pytest.raises(RuntimeError), transaction.atomic():
            document = add(party, analyst, file=io.BytesIO(data), file_name="a.png")
            path = document_files.path_of(party.pk, document.file_sha256)
            assert path.exists()
            raise RuntimeError("something later in the same transaction fails")

        assert not path.exists() and not path.parent.exists()

    def test_a_rollback_spares_the_file_of_an_earlier_row(self, analyst):
        party, data = make_party(), png_bytes("kept")
        kept = add(party, analyst, file=io.BytesIO(data), file_name="a.png")

        with pytest.raises(RuntimeError), transaction.atomic():
            add(party, analyst, file=io.BytesIO(data), file_name="b.png")
            raise RuntimeError("fails")

        assert document_files.read(party.pk, kept.file_sha256) == data


class TestAddPayment:
    def add(self, party, by, **given):
        return identification.add_payment_method(party, by=by, at=NOON, **given)

    def test_it_refuses_a_whole_card_number(self, analyst):
        with pytest.raises(FullCardNumber):
            self.add(make_party(), analyst, kind="card", identifier="4111 1111 1111 1111")

    def test_a_token_says_nothing_of_the_last_four(self, analyst):
        payment = self.add(make_party(), analyst, kind="card", identifier="tok_9f8e7d6c", last_four="4242")

        assert (payment.last_four, payment.identifier.reveal()) == ("4242", "tok_9f8e7d6c")

    def test_four_digits_alone_tie_nobody_together(self, analyst):
        party = make_party()

        payment = self.add(party, analyst, kind="card", identifier="4242")

        assert payment.last_four == "4242" and not party.identifiers.filter(kind="card").exists()

    def test_e13_an_iban_is_checked_and_brought_to_one_form(self, analyst):
        payment = self.add(make_party(), analyst, kind="bank", identifier="de89 3704 0044 0532 0130 00")

        assert (payment.identifier.reveal(), payment.last_four) == ("DE89370400440532013000", "3000")
        with pytest.raises(BadIban):
            self.add(make_party(), analyst, kind="bank", identifier="DE89 3704 0044 0532 0130 01")

    def test_e12_a_card_number_in_the_source_is_masked(self, analyst):
        payment = self.add(make_party(), analyst, kind="none", source="my card 4111111111111111")

        assert payment.source == "my card ••••••••••••1111"
        assert AuditEvent.objects.filter(verb="accounts.card_masked").count() == 1

    def test_no_payment_has_no_identifier(self, analyst):
        with pytest.raises(BadField, match="the kind is none"):
            self.add(make_party(), analyst, kind="none", identifier="12345678")

    def test_a_change_after_opening_asks_for_proof_again(self, analyst):
        account = make_open_account()

        self.add(account.party, analyst, kind="wallet", identifier="0x" + "Ab" * 20)

        account.refresh_from_db()
        assert (account.review_trigger, account.review_asked_on) == ("payment_changed", NOON.date())

    def test_ending_it_keeps_the_row(self, analyst):
        payment = self.add(make_party(), analyst, kind="bank", identifier="123456789")

        ended = identification.end_payment_method(payment, by=analyst, at=NOON)

        assert ended.ended_at == NOON
        with pytest.raises(BadField, match="ended before"):
            identification.end_payment_method(payment, by=analyst, at=NOON)


@pytest.fixture
def told():
    """The accounts whose owners were reported as changed."""
    accounts = []

    def receive(sender, account, **kwargs):
        accounts.append(account)

    owners_changed.connect(receive, dispatch_uid="test")
    yield accounts
    owners_changed.disconnect(dispatch_uid="test")


class TestOwners:
    def test_it_adds_an_owner_on_file_and_a_new_one(self, analyst, told):
        company, person = make_company(), make_party()

        identification.add_owner(company.party, owner=person, percent=Decimal("25"), by=analyst, at=NOON)
        stake = identification.add_owner(
            company.party, owner=new_person(legal_name="Nina New"), percent=Decimal("0"), has_control=True, by=analyst,
            at=NOON,
        )  # fmt: skip

        assert stake.owner.legal_name == "Nina New"
        assert told == [company, company]

    def test_it_tells_every_account_below(self, analyst, told):
        company, holding = make_company(), make_company()
        identification.add_owner(company.party, owner=holding.party, percent=Decimal(60), by=analyst, at=NOON)
        told.clear()

        identification.add_owner(holding.party, owner=make_party(), percent=Decimal(50), by=analyst, at=NOON)

        assert set(told) == {company, holding}

    BAD = {
        "more than all": ({"percent": Decimal("100.01")}, "Percent must be a number from 0 to 100"),
        "negative": ({"percent": Decimal("-1")}, "Percent must be"),
        "not a number": ({"percent": Decimal("NaN")}, "Percent must be"),
        "too fine": ({"percent": Decimal("1.00001")}, "at most four decimals"),
        "nothing": ({"percent": Decimal(0)}, "no control is stated"),
        "from tomorrow": (
            {"percent": Decimal(1), "from_on": date(2026, 3, 3)},
            "Held from 2026-03-03 lies in the future",
        ),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_it_refuses_senseless_stakes(self, case, analyst):
        changes, expected = self.BAD[case]
        with pytest.raises(BadField, match=expected):
            identification.add_owner(make_company().party, owner=make_party(), by=analyst, at=NOON, **changes)

        assert not OwnershipStake.objects.exists()

    def test_it_refuses_itself_an_individual_and_a_second_stake(self, analyst):
        company, person = make_company().party, make_party()
        with pytest.raises(BadField, match="the party itself"):
            identification.add_owner(company, owner=company, percent=Decimal(1), by=analyst, at=NOON)
        with pytest.raises(BadField, match="is an individual"):
            identification.add_owner(person, owner=company, percent=Decimal(1), by=analyst, at=NOON)
        identification.add_owner(company, owner=person, percent=Decimal(1), by=analyst, at=NOON)

        with pytest.raises(BadField, match="holds a stake already"):
            identification.add_owner(company, owner=person, percent=Decimal(2), by=analyst, at=NOON)

    def test_a_stake_ends_once_and_not_before_it_began(self, analyst, told):
        company = make_company().party
        stake = identification.add_owner(
            company, owner=make_party(), percent=Decimal(30), from_on=date(2026, 1, 5), by=analyst, at=NOON
        )
        for wrong in (date(2026, 1, 4), date(2026, 3, 3)):
            with pytest.raises(BadField, match="Last day"):
                identification.end_stake(stake, to_on=wrong, by=analyst, at=NOON)

        identification.end_stake(stake, to_on=date(2026, 3, 1), by=analyst, at=NOON)

        assert len(told) == 2
        with pytest.raises(BadField, match="on file already"):
            identification.end_stake(stake, to_on=date(2026, 3, 1), by=analyst, at=NOON)

    def test_certification_is_asked_of_entities_only(self, analyst):
        company = make_company()

        row = identification.certify_owners(
            company, signed_on=date(2026, 3, 1), signed_by="Eva Signer", text_version="1", by=analyst, at=NOON
        )

        assert (row.recorded_by, row.text_version) == (analyst.label, "1")
        with pytest.raises(BadField, match="not asked of an individual"):
            identification.certify_owners(
                make_account(), signed_on=NOON.date(), signed_by="Eva Signer", text_version="1", by=analyst, at=NOON
            )
        with pytest.raises(BadField, match="Signed on 2026-03-03 lies in the future"):
            identification.certify_owners(
                company, signed_on=date(2026, 3, 3), signed_by="Eva Signer", text_version="1", by=analyst, at=NOON
            )


def missing(account) -> set[str]:
    fresh = Account.objects.get(pk=account.pk)
    return {gap.code for gap in identification.missing_for(fresh, on=NOON.date())}


class TestMissingFor:
    def test_it_names_what_the_regime_asks_for(self):
        assert missing(make_account()) == {"use_location", "phone", "payment", "payment_source", "identity_document"}

    def test_r15_a_free_trial_needs_an_explanation(self, analyst):
        account = make_account()
        identification.add_payment_method(account.party, kind="none", by=analyst, at=NOON)
        assert "payment" in missing(account)

        identification.add_payment_method(account.party, kind="none", source="trial of 30 days", by=analyst, at=NOON)

        assert not {"payment", "payment_source"} & missing(account)

    def test_an_expired_document_does_not_count(self, analyst):
        account = make_account()
        add(account.party, analyst, number="X1", expires_on=NOON.date() - timedelta(days=1))
        assert "identity_document" in missing(account)

        add(account.party, analyst, number="X2", expires_on=NOON.date())

        assert "identity_document" not in missing(account)

    def test_a_document_or_a_card_that_is_only_named_does_not_count(self, analyst):
        account = make_account()
        add(account.party, analyst)
        identification.add_payment_method(account.party, kind="card", by=analyst, at=NOON)
        assert {"identity_document", "payment"} <= missing(account)

        add(account.party, analyst, number="X1")
        identification.add_payment_method(account.party, kind="card", last_four="1111", by=analyst, at=NOON)

        assert not {"identity_document", "payment"} & missing(account)

    def test_r9_foreign_owners_must_be_identified_as_well(self, analyst):
        company = make_company()
        identification.add_owner(
            company.party, owner=make_party(addresses=()), percent=Decimal(25), by=analyst, at=NOON
        )

        assert {"owner_address", "owner_identity_document"} <= missing(company) and "owners" not in missing(company)

    def test_r8_a_us_person_is_asked_nothing_more(self, analyst):
        account = make_account()
        Party.objects.filter(pk=account.party_id).update(us_status="us")

        assert missing(account) == set()

    def test_r8_a_us_company_names_its_owners_first(self, analyst):
        company = make_company()
        Party.objects.filter(pk=company.party_id).update(us_status="us")

        assert missing(company) == {"owners", "owners_certification"}
