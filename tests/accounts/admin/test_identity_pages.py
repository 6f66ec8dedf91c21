"""Documents: originals leave only as attachments, copies are pictures drawn anew, unmasking asks why."""

import io
import uuid

import pytest
from django.urls import reverse

from accounts.flows import document_files, identification, verification
from kyc_portal.records.audit import history_of
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff.downloads import disposition, safe_name
from tests.builders import make_account, make_cip, make_company, make_party, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(analyst):
    return identification.add_document(
        make_account().party, kind="passport", number="C01X00T47", country="DE", file=io.BytesIO(png_bytes()),
        file_name="Pass Zoé.png", by=analyst, at=NOON,
    )  # fmt: skip


@pytest.fixture
def reviewer(client, analyst_user):
    client.force_login(analyst_user)
    return client


@pytest.fixture
def lead_client(client, lead_user):
    client.force_login(lead_user)
    return client


def address(name, document, *more) -> str:
    return reverse(f"accounts:{name}", args=[document.pk, *more])


class TestOriginal:
    def test_it_leaves_as_an_attachment_in_a_sandbox(self, reviewer, document):
        response = reviewer.get(address("original", document))

        assert response.content == png_bytes()
        assert response["Content-Type"] == "image/png"
        assert response["Content-Disposition"] == (
            "attachment; filename=\"Pass Zo_.png\"; filename*=UTF-8''Pass%20Zo%C3%A9.png"
        )
        assert "sandbox" in response["Content-Security-Policy"] and "script" not in response["Content-Security-Policy"]
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff" and "no-store" in response["Cache-Control"]

    def test_it_is_told_on_the_pages_of_party_and_account(self, reviewer, document):
        reviewer.get(address("original", document))

        for record in (document.party, document.party.accounts.get()):
            event = history_of(record).first()
            assert (event.verb, event.facts["document"]) == ("accounts.document_downloaded", document.reference)

    @pytest.mark.parametrize("method", ["post", "put", "delete", "head", "options"])
    def test_nothing_but_get(self, reviewer, document, method):
        assert getattr(reviewer, method)(address("original", document)).status_code == 405

    def test_unknown_documents_and_rows_without_a_file_are_not_found(self, reviewer, analyst):
        bare = identification.add_document(make_party(), kind="passport", number="1", by=analyst, at=NOON)

        assert reviewer.get(reverse("accounts:original", args=[uuid.uuid4()])).status_code == 404
        assert reviewer.get(address("original", bare)).status_code == 404

    def test_a_lost_file_is_not_found(self, reviewer, document):
        document_files.path_of(document.party_id, document.file_sha256).unlink()

        assert reviewer.get(address("original", document)).status_code == 404

    def test_rights_are_asked_for(self, client, document, senior_user, compliance_user):
        assert client.get(address("original", document)).status_code == 302
        for user in (senior_user, compliance_user):
            client.force_login(user)
            assert client.get(address("original", document)).status_code == 403

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_other_sites_are_refused_even_by_a_link(self, reviewer, document, site):
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

        assert reviewer.get(address("original", document), headers=link).status_code == 403
        assert reviewer.get(address("copy", document, 1), headers=link).status_code == 403


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('a"b\\c.pdf', "attachment; filename=\"a_b_c.pdf\"; filename*=UTF-8''a_b_c.pdf"),
        ("a\r\nS: x.pdf", "attachment; filename=\"a__S_ x.pdf\"; filename*=UTF-8''a__S_%20x.pdf"),
        ("護照.pdf", "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E8%AD%B7%E7%85%A7.pdf"),
    ],
)  # fmt: skip
def test_a_download_name_breaks_no_header(name, expected):
    assert disposition(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/x.png", "_.._etc_x.png"),  # B17
        ("a\u202egnp.exe", "a_gnp.exe"),  # B19
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),  # B20 and on
        ("x" * 300, "x" * 150),
        ("...", "document"),
        ("", "document"),
        ("con.pdf", "_con.pdf"),
        ("LPT1", "_LPT1"),
        (".htaccess", "htaccess"),
        ("\U0001f6c2.png", "\U0001f6c2.png"),
        ("\ud800.png", "_.png"),
        ("Zoe\u0301.png", "Zoé.png"),
    ],
)
def test_a_download_name_is_one_no_system_stumbles_over(name, expected):
    assert safe_name(name) == expected


class TestCopy:
    def test_it_is_a_picture_drawn_anew_and_counted_once_a_day(self, reviewer, document):
        for _ in range(3):
            response = reviewer.get(address("copy", document, 1))

        assert response["Content-Type"] == "image/png" and response.content.startswith(b"\x89PNG")
        assert "sandbox" in response["Content-Security-Policy"]
        assert AuditEvent.objects.filter(verb="accounts.document_viewed").count() == 1

    def test_there_is_no_second_page(self, reviewer, document):
        assert reviewer.get(address("copy", document, 2)).status_code == 404
        assert reviewer.get(address("copy", document, 0)).status_code == 404

    def test_rights_are_asked_for(self, client, document, senior_user, administrator_user):
        for user in (senior_user, administrator_user):
            client.force_login(user)
            assert client.get(address("copy", document, 1)).status_code == 403


class TestDocumentPage:
    def test_it_shows_copies_and_never_the_number(self, reviewer, document):
        page = reviewer.get(reverse("admin:accounts_identitydocument_change", args=[document.pk])).content.decode()

        assert address("copy", document, 1) in page and address("original", document) in page
        assert "C01X00T47" not in page

    def test_compliance_gets_no_original(self, client, document, compliance_user):
        client.force_login(compliance_user)

        page = client.get(reverse("admin:accounts_identitydocument_change", args=[document.pk])).content.decode()

        assert address("copy", document, 1) in page
        assert address("original", document) not in page and "accounts/show" not in page

    @pytest.mark.parametrize("model", ["identitydocument", "paymentmethod"])
    @pytest.mark.parametrize("rows", [3, 30])
    def test_lists_take_a_fixed_number_of_queries(self, reviewer, analyst, model, rows, django_assert_max_num_queries):
        for number in range(rows):
            party = make_party()
            identification.add_document(party, kind="passport", number=f"{number}", by=analyst, at=NOON)
            identification.add_payment_method(party, kind="bank", identifier="12345678", by=analyst, at=NOON)

        with django_assert_max_num_queries(12):
            assert reviewer.get(reverse(f"admin:accounts_{model}_changelist")).status_code == 200

    def test_the_payment_page_masks_its_identifier(self, lead_client, analyst):
        payment = identification.add_payment_method(
            make_company().party, kind="bank", identifier="987654321", by=analyst, at=NOON
        )

        page = lead_client.get(reverse("admin:accounts_paymentmethod_change", args=[payment.pk])).content.decode()

        assert "987654321" not in page and f"/accounts/show/paymentmethod/{payment.pk}/identifier/" in page


class TestReveal:
    def url(self, record, field):
        return reverse("accounts:reveal", args=[record._meta.model_name, record.pk, field])

    def test_it_asks_why_before_it_shows(self, lead_client, document):
        url = self.url(document, "number")
        assert "C01X00T47" not in lead_client.get(url).content.decode()
        assert "C01X00T47" not in lead_client.post(url, {"why": ""}).content.decode()
        assert not AuditEvent.objects.filter(verb="records.revealed").exists()

        response = lead_client.post(url, {"why": "verification"})

        assert "C01X00T47" in response.content.decode() and "no-store" in response["Cache-Control"]
        event = AuditEvent.objects.get(verb="records.revealed")
        assert event.facts == {"field": "document number", "why": "to verify the customer"}
        assert (event.about_name, event.actor_label) == (document.party.reference, "lea")

    def test_the_page_of_the_party_leads_there(self, lead_client, document):
        page = lead_client.get(reverse("admin:accounts_party_change", args=[document.party_id])).content.decode()

        assert self.url(document.party, "birth_date") in page

    def test_a_value_that_disagrees_is_shown_too(self, lead_client, analyst):
        make_cip()
        account = make_account()
        running = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)
        found = verification.find_discrepancy(
            running, field="address", stated="Here 1", found="There 2", by=analyst, at=NOON
        )

        response = lead_client.post(self.url(found, "stated"), {"why": "verification"})

        assert "Here 1" in response.content.decode() and "There 2" not in response.content.decode()

    @pytest.mark.parametrize("field", ["legal_name", "screened_at", "password", "pk"])
    def test_other_fields_do_not_exist(self, lead_client, document, field):
        assert lead_client.get(self.url(document.party, field)).status_code == 404

    def test_rights_are_asked_for(self, client, document, compliance_user):
        client.force_login(compliance_user)

        assert client.post(self.url(document, "number"), {"why": "verification"}).status_code == 403


class TestImportPage:
    URL = "/accounts/customers/import/"

    def send(self, client, text, **given):
        file = io.BytesIO(text.encode())
        file.name = "customers.csv"
        return client.post(self.URL, {"file": file, **given}).content.decode()

    def test_it_takes_in_a_file(self, reviewer):
        page = self.send(reviewer, "kind,legal_name\nentity,A GmbH\n")

        assert "1 customers are new" in page

    def test_bad_rows_stand_in_a_table_and_markup_is_inert(self, reviewer):
        page = self.send(reviewer, "kind,legal_name\n<script>x</script>,A\nentity,\n")

        assert "2 of 2 rows cannot be taken in" in page and "Kind &lt;script&gt;" in page and "<script>x" not in page
        assert "Legal name is empty" in page

    def test_a_fault_of_the_file_is_told_at_its_field(self, reviewer):
        assert "lacks kind" in self.send(reviewer, "legal_name\nA\n")

    def test_it_shows_what_the_file_must_hold(self, reviewer):
        assert "registration_number" in reviewer.get(self.URL).content.decode()

    def test_rights_are_asked_for(self, client, auditor_user):
        client.force_login(auditor_user)

        assert client.get(self.URL).status_code == 403
