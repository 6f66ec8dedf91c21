"""Taking customers in: what is refused with its field, what is sealed, who is told."""

from datetime import date, timedelta

import pytest
from django.db import connection

from accounts.flows import intake, parties
from accounts.flows.texts import BadField
from accounts.models import Account, Address, ContactPoint, Identifier, Party
from accounts.rules.numbers import BadNumber
from accounts.rules.refusals import REFUSAL_REASONS, UnknownReason
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.audit import history_of
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account, make_complete_account, make_party, new_person
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def codes_of(record) -> list[str]:
    return [event.verb for event in history_of(record)]


class TestOpenProspect:
    def test_it_opens_an_individual_with_notice_and_history(self, analyst):
        account = intake.open_prospect(new_person(), source="form", product="compute", by=analyst, at=NOON)

        assert (account.status, account.source, account.party.kind) == ("prospect", "form", "individual")
        assert set(codes_of(account)) == {"accounts.prospect_opened", "notices.queued"}
        assert codes_of(account.party) == ["accounts.prospect_opened"]
        notice = Notice.objects.get()
        assert notice.kind == "privacy_notice" and account.reference in wording_of(notice)[1]

    def test_it_takes_in_a_party_whose_kind_nobody_knows_yet(self, analyst):
        new = new_person(kind="undetermined", birth_date=None)

        account = intake.open_prospect(new, source="form", by=analyst, at=NOON)

        assert account.party.kind == "undetermined"

    def test_it_tells_nobody_when_there_is_no_address(self, analyst):
        intake.open_prospect(new_person(email=""), source="form", by=analyst, at=NOON)

        assert Notice.objects.get().state == "no_address"

    def test_it_refuses_a_customer_number_that_is_taken(self, analyst):
        intake.open_prospect(new_person(), source="form", external_key="K1", by=analyst, at=NOON)

        with pytest.raises(intake.KnownCustomer, match="exists already"):
            intake.open_prospect(new_person(), source="form", external_key="K1", by=analyst, at=NOON)

        assert Account.objects.count() == Party.objects.count() == 1

    def test_it_keeps_many_accounts_without_a_customer_number(self, analyst):
        for _ in range(2):
            intake.open_prospect(new_person(), source="form", external_key="\u200b", by=analyst, at=NOON)

        assert Account.objects.filter(external_key=None).count() == 2

    def test_it_stores_no_clear_text_of_what_is_sealed(self, analyst):
        new = new_person(national_id="ID-77-SECRET", phone="+49 30 1234567", birth_date=date(1985, 5, 17))

        account = intake.open_prospect(new, source="form", by=analyst, at=NOON)

        clear = [b"SECRET", b"1234567", b"1985-05-17", b"Long Street", new.email.encode()]
        tables = [Party, Address, ContactPoint, Identifier, Notice, AuditEvent]
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"SELECT * FROM {table._meta.db_table}")  # noqa: S608  names of our own tables
                stored = b"\n".join(bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode()
                                    for row in cursor.fetchall() for cell in row)  # fmt: skip
                assert not [text for text in clear if text in stored], table
        assert account.party.national_id.reveal() == "ID-77-SECRET"
        assert Party.objects.get().birth_date.reveal() == "1985-05-17"


BAD_TEXTS = {
    "C2 half a surrogate": ({"legal_name": "a\ud800"}, "Legal name holds half of a surrogate pair"),
    "A4 NUL": ({"legal_name": "a\x00b"}, "Legal name holds a NUL"),
    "C5 only invisible": ({"legal_name": "\u200b \u200d"}, "Legal name is empty"),
    "C5 empty": ({"legal_name": ""}, "Legal name is empty"),
    "C8 stacked marks": ({"legal_name": "e" + "\u0301" * 200}, "combining marks"),
    "C9 too long": ({"legal_name": "x" * 10_000}, "Legal name is 10,000 characters long; at most 300"),
    "B19 direction override": ({"legal_name": "a\u202egnp"}, "Legal name holds an invisible direction control"),
    "line break in a name": ({"legal_name": "a\nb"}, "Legal name holds a tab or line break"),
    "alias with NUL": ({"names": (("alias", "x\x00"),)}, "Further name holds a NUL"),
    "unknown kind of name": ({"names": (("nick", "x"),)}, "Kind of name nick is not known"),
    "too many names": ({"names": (("alias", "x"),) * 51}, "more than 50 further names"),
    "unknown kind": ({"kind": "robot"}, "Kind robot is not known"),
    "no country": ({"citizenship": "ZZ"}, "Citizenship ZZ is no country code"),
    "three letters": ({"citizenship": "DEU"}, "Citizenship DEU is no country code"),
    "D3 year 1": ({"birth_date": date(1, 1, 1)}, "Birth date 0001-01-01 lies before 1900"),
    "D3 1899": ({"birth_date": date(1899, 12, 31)}, "lies before 1900"),
    "D3 future": ({"birth_date": NOON.date() + timedelta(days=1)}, "Birth date 2026-03-03 lies in the future"),
    "an entity is not born": ({"kind": "entity"}, "Birth date is given, but the kind is entity"),
    "nobody is formed": ({"formation_country": "DE"}, "Country of formation is given"),
    "NUL in a number": ({"national_id": "1\x002"}, "National identification number holds a NUL"),
    "long number": ({"registration_number": "1" * 101}, "Registration number is 101 characters"),
    "address without lines": (
        {"addresses": (intake.NewAddress("residence", "", "", "DE"),)}, "Address is empty"
    ),
    "address without country": (
        {"addresses": (intake.NewAddress("residence", "Street", "", ""),)}, "Country of the address is empty"
    ),
    "address of unknown kind": (
        {"addresses": (intake.NewAddress("castle", "Street", "", "DE"),)}, "Kind of address castle is not known"
    ),
}  # fmt: skip

BAD_CONTACTS = {
    "E7 no domain": {"email": "a@b"},
    "E7 two at": {"email": "a@b@example.com"},
    "E7 header": {"email": "a@example.com\r\nBcc: x@example.com"},
    "E7 too long": {"email": "a" * 250 + "@example.com"},
    "no country code": {"phone": "030 123456"},
    "letters": {"phone": "call me"},
}


class TestBadInput:
    @pytest.mark.parametrize("case", BAD_TEXTS)
    def test_it_refuses_naming_the_field(self, case, analyst):
        changes, expected = BAD_TEXTS[case]

        with pytest.raises(BadField) as refusal:
            intake.open_prospect(new_person(**changes), source="form", by=analyst, at=NOON)

        assert expected in str(refusal.value) and len(str(refusal.value)) < 250
        assert not Party.objects.exists() and not AuditEvent.objects.filter(verb__startswith="accounts.").exists()

    @pytest.mark.parametrize("case", BAD_CONTACTS)
    def test_it_refuses_what_reaches_nobody(self, case, analyst):
        with pytest.raises((BadNumber, BadField)):
            intake.open_prospect(new_person(**BAD_CONTACTS[case]), source="form", by=analyst, at=NOON)

        assert not Party.objects.exists()

    @pytest.mark.parametrize(
        "name", ["<script>alert(1)</script>", "{{7*7}} %s%n ${7*7}", "x" * 300, "Zoe\u0301", "李 明"]
    )
    def test_it_keeps_other_names_as_typed(self, name):
        assert make_party(legal_name=name).legal_name == name

    def test_it_accepts_the_edges_of_birth_dates(self):
        for day in (date(1900, 1, 1), NOON.date()):
            assert make_party(birth_date=day).birth_date.reveal() == day.isoformat()

    def test_it_masks_card_numbers_and_says_where(self, analyst):
        account = intake.open_prospect(
            new_person(), source="form", product="pays with 4111 1111 1111 1111", by=analyst, at=NOON
        )

        assert account.product == "pays with •••• •••• •••• 1111"
        masked = [event.facts for event in AuditEvent.objects.filter(verb="accounts.card_masked")]
        assert masked == [{"fields": "Product"}]


class TestLaterAdditions:
    def test_they_make_the_party_due_for_screening(self, analyst):
        party, later = make_party(), NOON + timedelta(days=1)

        parties.add_name(party, kind="alias", name="Mary", by=analyst, at=later)

        assert Party.objects.get(pk=party.pk).changed_at == later
        assert codes_of(party)[0] == "accounts.name_added"

    def test_a_new_address_is_fingerprinted(self, analyst):
        party = make_party(addresses=())
        address = intake.NewAddress("residence", "1 Road", "", "DE")

        parties.add_address(party, address=address, by=analyst, at=NOON)

        assert list(party.identifiers.filter(kind="address").values_list("kind", flat=True)) == ["address"]

    def test_notices_go_to_the_newest_email(self, analyst):
        party = make_party(email="old@customer.example")

        parties.add_contact(party, kind="email", value="new@customer.example", by=analyst, at=NOON + timedelta(days=1))

        assert intake.primary_email(party) == "new@customer.example"

    def test_the_same_name_is_not_added_twice(self, analyst):
        party = make_party()
        parties.add_name(party, kind="alias", name="Mary", by=analyst, at=NOON)

        with pytest.raises(BadField, match="on file already"):
            parties.add_name(party, kind="alias", name="Mary", by=analyst, at=NOON)


class TestRequestData:
    def test_it_lists_what_is_missing_and_starts_the_clock(self, analyst):
        account = make_account()

        intake.request_data(account, by=analyst, at=NOON)

        account.refresh_from_db()
        clock = clocks_of(account).get()
        notice = Notice.objects.get(kind="data_requested")
        assert account.status == "data_requested"
        assert (clock.kind, clock.due_on, clock.standing) == ("verify by", date(2026, 3, 17), "own_policy")
        assert "No telephone number is on file" in wording_of(notice)[1] and "2026-03-17" in wording_of(notice)[1]

    def test_asking_again_keeps_the_first_date(self, analyst):
        account = make_account()
        intake.request_data(account, by=analyst, at=NOON)

        intake.request_data(account, by=analyst, at=NOON + timedelta(days=5))

        assert clocks_of(account).get().due_on == date(2026, 3, 17)
        assert Notice.objects.filter(kind="data_requested").count() == 2

    def test_it_asks_for_nothing_when_nothing_is_missing(self, analyst):
        with pytest.raises(intake.NothingMissing):
            intake.request_data(make_complete_account(), by=analyst, at=NOON)


class TestRefuseProspect:
    def test_it_ends_the_account_and_its_clock(self, analyst):
        account = make_account()
        intake.request_data(account, by=analyst, at=NOON)

        intake.refuse_prospect(account, reason="data_not_given", by=analyst, at=NOON)

        account.refresh_from_db()
        assert (account.status, account.closed_at, account.closing_reason) == ("refused", NOON, "data_not_given")
        assert not clocks_of(account).exists()

    @pytest.mark.parametrize("reason", [reason.code for reason in REFUSAL_REASONS])
    def test_no_wording_tells_of_a_list(self, reason, analyst):
        intake.refuse_prospect(make_account(), reason=reason, by=analyst, at=NOON)

        body = wording_of(Notice.objects.get(kind="account_refused"))[1].lower()
        assert not [word for word in ("sanction", "list", "ofac", "hit", "screen") if f" {word}" in body]

    def test_it_refuses_an_unknown_reason_and_a_second_time(self, analyst):
        account = make_account()
        with pytest.raises(UnknownReason):
            intake.refuse_prospect(account, reason="mood", by=analyst, at=NOON)
        intake.refuse_prospect(account, reason="withdrawn", by=analyst, at=NOON)

        with pytest.raises(MoveNotAllowed):
            intake.refuse_prospect(account, reason="withdrawn", by=SCHEDULER, at=NOON)
