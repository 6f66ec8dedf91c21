"""The page of a party: what it shows, what it hides, what its buttons do."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.flows import identification, parties
from accounts.models import Account, IdentityDocument, Party
from kyc_portal.records.models import AuditEvent, IdentityView
from tests.builders import make_company, make_hit, make_party, new_person, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
WALLET = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}${7*7}",
    "W" * 200,
    "<b>" * 60,
]


def page_of(party) -> str:
    return reverse("admin:accounts_party_change", args=[party.pk])


def act_on(party, name) -> str:
    return reverse("admin:accounts_party_do", args=[party.pk, name])


@pytest.fixture
def reviewer(client, analyst_user):
    client.force_login(analyst_user)
    return client


@pytest.fixture
def full_party(analyst):
    """A company with one of everything."""
    company = make_company(registration_number="HRB-SECRET-1", phone="+493012345678").party
    owner = make_party(national_id="NID-SECRET-2", phone="+493012345678")
    identification.add_owner(company, owner=owner, percent=Decimal("60.5"), by=analyst, at=NOON)
    identification.add_document(
        company, kind="register_extract", number="DOC-SECRET-3", country="DE", expires_on=date(2020, 1, 1), by=analyst,
        at=NOON,
    )  # fmt: skip
    identification.add_payment_method(
        company, kind="bank", identifier="123SECRET456", source="own", by=analyst, at=NOON
    )
    parties.add_name(company, kind="trade", name="Example Trade", by=analyst, at=NOON)
    make_hit(company)
    return company


class TestPage:
    def test_it_shows_everything_but_what_is_sealed(self, reviewer, full_party):
        page = reviewer.get(page_of(full_party)).content.decode()

        for shown in (
            "60.5 %",
            "Example Trade",
            "expired",
            "telephone number",
            "Holds",
            "the ownership prong is met.",
            "Nobody above it is on a list by a confirmed hit.",
            "ending",
        ):
            assert shown in page, shown
        assert "SECRET" not in page and "12345678" not in page
        assert "added a means of payment" in page

    def test_the_look_is_counted(self, reviewer, full_party):
        for _ in range(2):
            reviewer.get(page_of(full_party))

        assert IdentityView.objects.get(about_key=str(full_party.pk)).count == 2
        assert AuditEvent.objects.filter(verb="records.viewed", about_key=str(full_party.pk)).count() == 1

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_names_are_inert(self, reviewer, analyst, name):
        company = make_company(legal_name=name, names=(("alias", name),)).party
        owner = new_person(legal_name=name)
        identification.add_owner(company, owner=owner, percent=Decimal(50), by=analyst, at=NOON)

        page = reviewer.get(page_of(company))
        listed = reviewer.get(reverse("admin:accounts_party_changelist"))
        confirming = reviewer.get(act_on(company, "end-stake"))

        for response in (page, listed, confirming):
            text = response.content.decode()
            assert response.status_code == 200
            assert (
                "<script>alert" not in text and "<img src=x" not in text and "<b><b>" not in text and ">49<" not in text
            )
            assert not re.search(r"<script(?![^>]*src=)", text)

    def test_its_identifiers_are_listed_with_how_many_share_them(self, reviewer, analyst):
        party, other = make_party(phone="+493012345678"), make_party(phone="+493012345678")
        identification.add_payment_method(party, kind="wallet", identifier=WALLET, by=analyst, at=NOON)

        body = reviewer.get(page_of(party)).content.decode()
        table = body[body.index('id="identifiers"') :]
        rows = re.findall(r"<tr>.*?</tr>", table[: table.index("</table>")], flags=re.S)

        shared = {kind: row for row in rows for kind in ("telephone number", "wallet") if kind in row}
        assert "1 other" in shared["telephone number"] and "nobody" in shared["wallet"]
        assert other.reference in body and WALLET not in body and "+4930" not in body

    def test_it_lists_what_is_missing_of_the_party_itself(self, reviewer):
        company, owner = make_company(phone="").party, make_party(addresses=(), birth_date=None)
        passive = make_party(kind="entity", citizenship="", birth_date=None, addresses=())

        of_company, of_owner = (reviewer.get(page_of(each)).content.decode() for each in (company, owner))

        assert "No telephone number is on file" in of_company and act_on(company, "add-contact") in of_company
        assert "No street address is on file" in of_owner and "No telephone number" not in of_owner
        assert "What is missing" not in reviewer.get(page_of(passive)).content.decode()

    def test_it_takes_the_same_number_of_queries_for_3_and_30_of_everything(self, reviewer, analyst):
        counts = []
        for many in (3, 30):
            company = make_company().party
            for number in range(many):
                owner = make_party()
                identification.add_owner(company, owner=owner, percent=Decimal(1), by=analyst, at=NOON)
                parties.add_name(company, kind="alias", name=f"Name {number}", by=analyst, at=NOON)
                parties.add_contact(company, kind="phone", value=f"+49301234{many:02}{number:02}", by=analyst, at=NOON)
                identification.add_document(company, kind="articles", number=f"{many}-{number}", by=analyst, at=NOON)
                identification.add_payment_method(
                    company, kind="bank", identifier=f"1234567{many}{number}", by=analyst, at=NOON
                )
            reviewer.get(page_of(company))
            with CaptureQueriesContext(connection) as queries:
                assert reviewer.get(page_of(company)).status_code == 200
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 39

    @pytest.mark.parametrize("rows", [3, 30])
    def test_the_list_takes_a_fixed_number_of_queries(self, reviewer, rows, django_assert_max_num_queries):
        for _ in range(rows):
            make_party()

        with django_assert_max_num_queries(12):
            page = reviewer.get(reverse("admin:accounts_party_changelist"), {"q": "Maria"})

        assert page.content.decode().count("PTY-") >= rows

    def test_search_takes_wildcards_literally(self, reviewer):
        make_party(legal_name="Per%cent_Name")
        make_party(legal_name="Plain")

        for query in ("%", "_", "' OR 1=1--"):
            page = reviewer.get(reverse("admin:accounts_party_changelist"), {"q": query}).content.decode()
            assert "Plain" not in page

    def test_people_without_the_right_see_nothing(self, client, full_party, senior_user, reseller_manager_user):
        for user in (senior_user, reseller_manager_user):
            client.force_login(user)
            assert client.get(page_of(full_party)).status_code in (302, 403)

    def test_an_auditor_reads_and_has_no_buttons(self, client, full_party, auditor_user):
        client.force_login(auditor_user)

        page = client.get(page_of(full_party)).content.decode()

        assert "Example Trade" in page and "/do/" not in page
        assert client.get(act_on(full_party, "add-name")).status_code == 403


class TestNewCustomer:
    GIVEN = {
        "kind": "individual", "legal_name": "Ada <b>Example</b>", "aliases": "Ada E.\nA. Example", "citizenship": "DE",
        "birth_date": "1985-05-17", "email": "ada@customer.example", "phone": "+49 30 1234567",
        "address_kind": "residence", "address_lines": "1 Road\n10115 Berlin", "address_country": "DE",
        "use_country": "FR", "product": "compute", "external_key": "K-1",
    }  # fmt: skip

    def send(self, client, **changes):
        return client.post(reverse("admin:accounts_account_add"), {**self.GIVEN, **changes}, follow=True)

    def test_the_form_opens_a_prospect(self, reviewer):
        page = self.send(reviewer)

        account = Account.objects.select_related("party").get(external_key="K-1")
        assert page.redirect_chain and "Ada &lt;b&gt;Example&lt;/b&gt;" in page.content.decode()
        assert account.party.birth_date.reveal() == "1985-05-17"
        assert set(account.party.names.values_list("name", flat=True)) == {"Ada E.", "A. Example"}
        assert set(account.party.addresses.values_list("kind", flat=True)) == {"residence", "use_location"}

    @pytest.mark.parametrize(
        ("changes", "shown"),
        [
            ({"legal_name": "\u200b"}, "shows nothing"),
            ({"birth_date": "17.05.1985"}, "Write it as YYYY-MM-DD"),
            ({"birth_date": "1899-12-31"}, "lies before 1900"),
            ({"email": "a@b"}, "no e-mail address"),
            ({"phone": "030 1234567"}, "with its country code"),
            ({"citizenship": "ZZ"}, "Select a valid choice"),
            ({"legal_name": "x" * 301}, "at most 300 characters"),
            ({"legal_name": "a\x00b"}, "Null characters are not allowed"),
            ({"kind": "entity"}, "the kind is entity"),
        ],
    )
    def test_what_is_refused_is_told_and_the_rest_is_kept(self, reviewer, changes, shown):
        page = self.send(reviewer, **changes).content.decode()

        assert shown in page and 'value="K-1"' in page
        assert not Account.objects.exists() and not Party.objects.exists()


class TestButtons:
    def press(self, client, party, button, **given):
        return client.post(act_on(party, button), given, follow=True)

    def test_settle_status(self, reviewer):
        party = make_party()

        page = self.press(reviewer, party, "settle-status", citizenship="US")

        party.refresh_from_db()
        assert party.us_status == "us" and "U.S. person: citizen" in page.content.decode()

    def test_add_document_with_its_file(self, reviewer):
        party = make_party()
        file = SimpleUploadedFile("scan.png", png_bytes(), content_type="text/html")

        page = self.press(reviewer, party, "add-document", kind="passport", number="C1", country="DE", file=file)

        document = IdentityDocument.objects.get()
        assert (document.party, document.file_type) == (party, "image/png")
        assert f"/accounts/documents/{document.pk}/copy/1/" in page.content.decode()

    def test_a_refused_document_is_told_at_the_form(self, reviewer):
        file = SimpleUploadedFile("scan.svg", b"<svg/>")

        page = self.press(reviewer, make_party(), "add-document", kind="passport", number="C1", file=file)

        assert "Allowed are PDF, PNG and JPEG" in page.content.decode() and 'value="C1"' in page.content.decode()
        assert not IdentityDocument.objects.exists()

    @pytest.mark.parametrize(
        ("button", "given", "shown"),
        [
            ("add-name", {"kind": "alias", "name": "Mary"}, "will be screened again"),
            ("add-name", {"kind": "alias", "name": "a\u202eb"}, "direction control"),
            ("add-address", {"kind": "residence", "lines": "1 Road", "country": "DE"}, "is on file"),
            ("add-address", {"kind": "residence", "country": "DE"}, "Address is empty"),
            ("add-contact", {"kind": "email", "value": "new@customer.example"}, "can be reached this way"),
            ("add-contact", {"kind": "email", "value": "a@b"}, "no e-mail address"),
            ("add-payment", {"kind": "bank", "identifier": "12345678"}, "is on file"),
            ("add-payment", {"kind": "card", "identifier": "4111111111111111"}, "whole card number"),
            ("add-document", {"kind": "passport", "issued_on": "02/03/2024"}, "Write it as YYYY-MM-DD"),
        ],
    )
    def test_a_button_does_it_or_says_why_not(self, reviewer, button, given, shown):
        assert shown in self.press(reviewer, make_party(), button, **given).content.decode()

    def test_owners_come_and_go(self, reviewer):
        company, person = make_company().party, make_party()

        self.press(reviewer, company, "add-owner", reference=person.reference, percent="30", kind="individual")
        self.press(reviewer, company, "add-owner", kind="individual", legal_name="Nina New", percent="10")
        stake = company.stakes_in_it.get(owner=person)
        page = self.press(reviewer, company, "end-stake", stake=str(stake.pk), to_on="2026-01-01")

        stake.refresh_from_db()
        assert stake.to_on == date(2026, 1, 1) and f"The stake of {person.reference} ended" in page.content.decode()
        assert Party.objects.filter(legal_name="Nina New").exists()

    def test_an_unknown_reference_is_one_sentence(self, reviewer):
        page = self.press(
            reviewer, make_company().party, "add-owner", reference="PTY-NONE", percent="30", kind="entity"
        )

        assert "There is no party with this reference" in page.content.decode()

    def test_another_companys_stake_cannot_be_ended(self, reviewer, analyst):
        mine, other = make_company().party, make_company().party
        stake = identification.add_owner(other, owner=make_party(), percent=Decimal(9), by=analyst, at=NOON)

        self.press(reviewer, mine, "end-stake", stake=str(stake.pk), to_on="2026-01-01")

        stake.refresh_from_db()
        assert stake.to_on is None
