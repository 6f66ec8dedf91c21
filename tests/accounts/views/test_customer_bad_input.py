"""Bad input on the customer's own page: one clear sentence, nothing kept (trust.md section 3 B, C, F)."""

import io
import itertools
import zipfile

import pikepdf
import pytest
from django.test import Client

from accounts.flows import intake
from accounts.models import CustomerLink, IdentityDocument, OwnershipStake, Party
from tests.accounts.views.pages import PAPER, address_of, open_page, picture
from tests.bad_input.doors import misfits
from tests.builders import make_account, make_company, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def locked_pdf() -> bytes:
    made = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(made, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return made.getvalue()


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("passport.png", b"x")
    return made.getvalue()


class TestBadInput:
    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("scan.png", b"", "empty"),
            (
                "scan.svg",
                b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
                "PDF, PNG and JPEG",
            ),
            ("scan.pdf", locked_pdf(), "password"),
            ("scan.zip", zipped(), "PDF, PNG and JPEG"),
            ("scan.pdf", png_bytes(), "true ending"),
            ("scan.exe", b"MZ\x90\x00" + b"\0" * 200, "PDF, PNG and JPEG"),
            ("scan.png", png_bytes()[:60], "damaged"),
        ],
        ids=["zero bytes", "svg", "password", "zip", "wrong ending", "program", "cut off"],
    )
    def test_a_file_is_refused_in_one_sentence_and_nothing_is_kept(self, account, name, data, words):
        browser = open_page(address_of(account))

        answer = browser.post("/me/give/identity_document/", {**PAPER, "file": picture(name, data)})

        assert answer.status_code == 200 and words in answer.content.decode()
        assert not IdentityDocument.objects.exists() and CustomerLink.objects.get().given == {}

    def test_a_file_over_the_limit_is_refused(self, account, settings):
        settings.DOCUMENT_MAX_BYTES = 1000
        browser = open_page(address_of(account))

        answer = browser.post(
            "/me/give/identity_document/", {**PAPER, "file": picture(data=png_bytes() + b"\0" * 2000)}
        )

        assert b"larger than 1,000 bytes" in answer.content and not IdentityDocument.objects.exists()

    def test_a_huge_body_is_refused_before_it_is_read(self, account):
        browser = open_page(address_of(account))

        class Unread(io.BytesIO):
            def read(self, *args):
                raise AssertionError("the body was read")

        answer = browser.generic(
            "POST", "/me/give/identity_document/", b"", CONTENT_LENGTH=str(10**10), **{"wsgi.input": Unread()}
        )

        assert answer.status_code == 413 and b"nothing of it was saved" in answer.content

    @pytest.mark.parametrize("length", ["many", "-1", "٣", "1e9"])
    def test_a_length_that_is_none_is_no_error(self, account, length):
        browser = open_page(address_of(account))

        answer = browser.generic("POST", "/me/give/phone/", b"", CONTENT_LENGTH=length)

        assert answer.status_code < 500 and not account.party.contact_points.filter(kind="phone").exists()

    def test_owners_nobody_can_follow_are_told_in_words(self, analyst):
        account = intake.request_data(make_company(), by=analyst, at=NOON)
        browser = open_page(address_of(account))
        given = {"kind": "entity", "created_at": NOON, "changed_at": NOON}
        others = [Party(legal_name=f"Canarylink {number}", **given) for number in range(60)]
        Party.objects.bulk_create(others)
        pairs = [*itertools.permutations(others, 2), (others[0], account.party)]
        OwnershipStake.objects.bulk_create(OwnershipStake(owner=one, owned=other, percent=1) for one, other in pairs)

        for path in ("/me/", "/me/give/owners/"):
            answer = browser.get(path)
            assert answer.status_code == 409 and b"answer our message" in answer.content
            assert b"Canary" not in answer.content and b"chains" not in answer.content

    @pytest.mark.parametrize("value", ["x\x00y", "a" * 5000, "\u202eabc", "not an address", "<script>", "💥@", ""])
    def test_texts_are_judged_as_everywhere(self, analyst, value):
        account = intake.request_data(make_account(phone=""), by=analyst, at=NOON)
        browser = open_page(address_of(account))

        answer = browser.post("/me/give/phone/", {"value": value})

        assert answer.status_code == 200 and b"There is a problem" in answer.content
        assert b"<script>" not in answer.content.split(b"<main")[1] and misfits() == []

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
    def test_other_methods_are_refused(self, account, method):
        assert open_page(address_of(account)).generic(method, "/me/").status_code == 405

    def test_a_form_without_its_token_does_nothing(self, account):
        strict = Client(enforce_csrf_checks=True)

        assert strict.post(address_of(account), {"notice": "1"}).status_code == 403
        assert CustomerLink.objects.get().used_at is None
