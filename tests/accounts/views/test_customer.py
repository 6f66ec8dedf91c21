"""The customer's own page: the link opens once, what is handed in is checked, and nothing is given away (TH7, R23)."""

import io
import itertools
import json
import re
import zipfile
from datetime import timedelta

import pikepdf
import pytest
import time_machine
from axes.models import AccessAttempt
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.flows import asking_again, customer_links, intake, objections, restrictions, reverification, verification
from accounts.models import Account, CustomerLink, IdentityDocument, Objection, OwnershipStake, Party
from accounts.rules.ownership import LONGEST_CHAIN
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import NOT_SHOWN, deliver_queued, wording_of
from kyc_portal.records.logs import LogFormatter
from kyc_portal.records.models import AuditEvent, AuditPending
from tests.bad_input.doors import misfits
from tests.builders import make_account, make_cip, make_company, make_hit, make_open_account, make_party, png_bytes
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
UNKNOWN = "A" * 43
BEFORE = NOON - timedelta(days=30)


@pytest.fixture(autouse=True)
def the_day():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(analyst):
    """A prospect who was asked for what is missing."""
    return intake.request_data(make_account(), by=analyst, at=NOON)


def address_of(account, kind: str = "data_requested") -> str:
    """The path of the link in the newest notice, as only the recipient reads it."""
    notice = Notice.objects.filter(key=str(account.pk), kind=kind).order_by("-queued_at", "-pk").first()
    return "/me/" + json.loads(notice.context.reveal())["link"].partition("/me/")[2]


def open_page(path: str, browser: Client | None = None) -> Client:
    """A browser in which the link was opened."""
    browser = browser or Client()
    answer = browser.post(path, {"notice": "1"})
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/me/")
    return browser


def as_it_looks(answer) -> tuple:
    """What a stranger can tell answers apart by."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    headers = {name: value for name, value in answer.headers.items() if name not in ("Expires", "Last-Modified")}
    return answer.status_code, headers, sorted(set(answer.cookies) - {"csrftoken"}), body


def picture(name: str = "passport.png", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, png_bytes() if data is None else data)


PAPER = {"kind": "passport", "number": "X1234567", "country": "DE", "expires_on": "2034-01-01"}


class TestLink:
    def test_it_shows_the_privacy_notice_and_uses_nothing_until_the_button(self, account):
        browser, path = Client(), address_of(account)

        page = browser.get(path)

        assert page.status_code == 200 and b"version 1" in page.content and b"destroy it" in page.content
        assert CustomerLink.objects.get().used_at is None
        assert account.reference.encode() not in page.content

    def test_r23_opening_keeps_which_notice_was_shown_and_when(self, account):
        open_page(address_of(account))

        link = CustomerLink.objects.get()
        assert (link.notice_number, link.used_at) == (1, NOON)
        assert AuditPending.objects.exists() or AuditEvent.objects.filter(verb="accounts.link_opened").exists()

    def test_another_version_than_the_one_shown_is_shown_first(self, account):
        answer = Client().post(address_of(account), {"notice": "7"})

        assert answer.status_code == 200 and CustomerLink.objects.get().used_at is None

    def test_only_its_hash_is_stored_and_the_address_is_forgotten_once_sent(self, account, mailoutbox):
        token = address_of(account).rstrip("/").rpartition("/")[2]

        deliver_queued(at=NOON)

        kept = repr(list(CustomerLink.objects.values())) + repr(list(AuditEvent.objects.values()))
        notice = Notice.objects.get(kind="data_requested")
        assert token not in kept and token not in notice.context.reveal()
        assert token in next(mail.body for mail in mailoutbox if "more information" in mail.subject)
        assert CustomerLink.objects.get().token_sha256 == customer_links.hashed(token)

    def test_staff_who_read_the_wording_do_not_read_the_link(self, account):
        _, body = wording_of(Notice.objects.get(kind="data_requested"))

        assert NOT_SHOWN in body and "/me/" not in body

    def test_no_link_is_made_where_no_address_is_known(self, analyst):
        account = intake.request_data(make_account(email=""), by=analyst, at=NOON)

        assert not CustomerLink.objects.exists()
        assert "/me/" not in Notice.objects.get(key=str(account.pk), kind="data_requested").context.reveal()

    def test_th7_used_expired_withdrawn_replaced_and_unknown_look_alike(self, account, analyst, the_day):
        used, other = address_of(account), make_account
        expired = intake.request_data(other(), by=analyst, at=NOON - timedelta(days=15))
        withdrawn = intake.request_data(other(), by=analyst, at=NOON)
        replaced = intake.request_data(other(), by=analyst, at=NOON)
        refused = intake.request_data(other(), by=analyst, at=NOON)
        paths = {name: address_of(each) for name, each in [
            ("expired", expired), ("withdrawn", withdrawn), ("replaced", replaced), ("refused", refused)]}  # fmt: skip
        customer_links.withdraw(withdrawn, by=analyst, at=NOON)
        asking_again.send_again(replaced, by=analyst, at=NOON)
        intake.refuse_prospect(refused, reason="withdrawn", by=analyst, at=NOON)
        open_page(used)
        paths |= {
            "used": used,
            "unknown": f"/me/link/{UNKNOWN}/",
            "garbled": "/me/link/%F0%28/",
            "long": f"/me/link/{'x' * 3000}/",
        }

        looks = {}
        for name, path in paths.items():
            AccessAttempt.objects.all().delete()
            seen = as_it_looks(Client().get(path)), as_it_looks(Client().post(path, {"notice": "1"}))
            looks[name] = tuple(map(str, seen))

        assert {first for first, _ in looks.values()} == {looks["unknown"][0]}
        assert {second for _, second in looks.values()} == {looks["unknown"][1]}
        assert "'Referrer-Policy': 'strict-origin'" in looks["used"][1] and "no-store" in looks["used"][1]
        assert "ask for a new link" in looks["used"][1]

    def test_a_second_browser_is_not_let_in_and_the_first_stays(self, account):
        path = address_of(account)
        first = open_page(path)

        second = Client()
        assert second.post(path, {"notice": "1"}).status_code == 404
        assert second.get("/me/").status_code == 404
        assert first.get("/me/").status_code == 200

    def test_two_tabs_of_the_same_browser_lead_to_one_page(self, account):
        path = address_of(account)
        browser = open_page(path)

        again = browser.get(path)

        assert (again.status_code, again.headers["Location"]) == (302, "/me/")

    def test_the_cookie_is_bound_to_the_path_and_to_us(self, account):
        cookie = open_page(address_of(account)).cookies["customer"]

        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/me/", True, "Lax")
        for forged in (cookie.value[:-2], cookie.value.partition(":")[0], "x", f"{CustomerLink.objects.get().pk}:x"):
            stranger = Client()
            stranger.cookies["customer"] = forged
            assert stranger.get("/me/").status_code == 404

    def test_leaving_ends_the_session_for_every_copy_of_the_cookie(self, account):
        browser = open_page(address_of(account))
        copy = Client()
        copy.cookies["customer"] = browser.cookies["customer"].value

        assert browser.post("/me/leave/").status_code == 200
        assert copy.get("/me/").status_code == 404

    def test_tries_are_limited_as_the_log_in_is_and_lock_nobody_out_of_it(self, account, settings, analyst_user):
        stranger, path = Client(), address_of(account)
        for _ in range(settings.AXES_FAILURE_LIMIT):
            assert stranger.post(f"/me/link/{UNKNOWN}/", {"notice": "1"}).status_code == 404

        assert stranger.post(path, {"notice": "1"}).status_code == 429
        assert CustomerLink.objects.get().used_at is None
        assert Client(REMOTE_ADDR="203.0.113.9").post(path, {"notice": "1"}).status_code == 302
        log_in = {"login": analyst_user.username, "password": "correct horse battery"}
        assert stranger.post("/login/", log_in).status_code != 429
        assert "127.0.0.1" not in repr(list(AccessAttempt.objects.values()))

    def test_nothing_of_the_address_reaches_the_log(self, account, caplog):
        path = address_of(account)
        with caplog.at_level("DEBUG"):
            Client().get(path)
            Client().post(path, {"notice": "1"})
            Client().post(path, {"notice": "1"})

        written = "\n".join(LogFormatter().format(record) for record in caplog.records)
        assert path.split("/")[3] not in written


class TestEnds:
    def test_it_ends_with_the_answer_and_the_session_shows_where_things_stand(self, account, analyst):
        make_cip()
        browser = open_page(address_of(account))

        verification.start(account, account.party, trigger="opening", by=analyst, at=NOON)

        page = browser.get("/me/")
        assert CustomerLink.objects.get().ended_why == "answered"
        assert page.status_code == 200 and b"We are looking at what you gave us" in page.content
        assert browser.post("/me/give/email/", {"value": "new@customer.example"}).status_code == 404

    def test_withdrawing_closes_the_open_page(self, account, analyst):
        browser = open_page(address_of(account))

        customer_links.withdraw(account, by=analyst, at=NOON)

        assert browser.get("/me/").status_code == 404
        with pytest.raises(customer_links.NoLink, match="No link is out"):
            customer_links.withdraw(account, by=analyst, at=NOON)

    def test_sending_again_makes_a_new_link_and_ends_the_old_one(self, account, analyst):
        old = address_of(account)

        asking_again.send_again(account, by=analyst, at=NOON + timedelta(minutes=1))

        assert address_of(account) != old
        assert [link.ended_why for link in CustomerLink.objects.order_by("issued_at")] == ["replaced", ""]

    def test_nothing_is_sent_again_where_nothing_is_asked(self, analyst):
        with pytest.raises(reverification.NotAsked, match="Nothing is asked"):
            asking_again.send_again(make_open_account(), by=analyst, at=NOON)

    def test_a_session_that_ends_in_the_middle_of_a_form_says_that_nothing_was_saved(self, account, the_day):
        browser = open_page(address_of(account))
        assert browser.get("/me/give/phone/").status_code == 200

        the_day.move_to(NOON + timedelta(minutes=61))
        answer = browser.post("/me/give/phone/", {"value": "+4930901820"})

        assert answer.status_code == 404 and b"was not saved" in answer.content
        assert not account.party.contact_points.filter(kind="phone").exists()


class TestHandingIn:
    def give(self, browser, key: str, **fields):
        return browser.post(f"/me/give/{key}/", fields)

    def test_a_prospect_hands_in_everything_that_is_asked(self, account):
        browser = open_page(address_of(account))
        assert self.give(browser, "use_location", country="DE").status_code == 302
        assert self.give(browser, "phone", value="+49 30 901820").status_code == 302
        assert "/me/give/payment_source/" not in browser.get("/me/").content.decode()  # the same form takes it
        paid = {"kind": "card", "last_four": "4242", "institution": "Example Bank", "source": "my salary"}
        assert self.give(browser, "payment", **paid).status_code == 302
        assert self.give(browser, "identity_document", **PAPER, file=picture()).status_code == 302

        page = browser.get("/me/").content.decode()
        left = re.findall(r'href="/me/give/([\w-]+)/"', page)
        assert left == []
        assert browser.post("/me/done/").status_code == 302
        assert b"everything is handed in" in browser.get("/me/").content

        link, document = CustomerLink.objects.get(), IdentityDocument.objects.get()
        assert set(link.given) == {"use_location", "phone", "payment", "identity_document"}
        assert (document.added_by, document.file_type) == ("the customer", "image/png")
        assert list(Account.objects.handed_in()) == [account]

    def test_done_with_nothing_handed_in_says_so(self, account):
        answer = open_page(address_of(account)).post("/me/done/")

        assert answer.status_code == 409 and b"Nothing was handed in" in answer.content

    def test_r45_reverification_asks_document_and_statement(self, analyst):
        account = make_open_account(at=BEFORE)
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON)
        browser = open_page(address_of(account, "reverification_asked"))

        page = browser.get("/me/").content.decode()

        assert re.findall(r'href="/me/give/([\w-]+)/"', page) == [
            "identity_document", "unchanged", "address", "email", "phone",
        ]  # fmt: skip
        assert self.give(browser, "unchanged").status_code == 200  # not ticked
        assert self.give(browser, "unchanged", confirmed="on").status_code == 302
        assert self.give(browser, "identity_document", **PAPER, file=picture()).status_code == 302
        assert b"handed in" in browser.get("/me/").content

    def test_a_company_names_its_owners_and_certifies_them(self, analyst):
        account = intake.request_data(make_company(), by=analyst, at=NOON)
        browser = open_page(address_of(account))
        owner = {
            "kind": "individual", "legal_name": "Olga Owner", "percent": "60", "citizenship": "DE",
            "birth_date": "1970-01-02", "address_lines": "1 Ring", "address_country": "DE",
        }  # fmt: skip

        assert self.give(browser, "owners", **owner).status_code == 302
        page = browser.get("/me/give/owners_certification/").content.decode()
        assert "Olga Owner, 60 %" in page
        assert self.give(browser, "owners_certification", confirmed="on").status_code == 302

        stake = account.party.stakes_in_it.get()
        assert account.ownership_certifications.get().signed_on == NOON.date()
        of_owner = f"identity_document-{stake.owner.reference.lower()}"
        assert of_owner in browser.get("/me/").content.decode()
        assert self.give(browser, of_owner, **PAPER, file=picture()).status_code == 302
        assert stake.owner.documents.count() == 1

    @pytest.mark.parametrize("key", ["birth_date", "nothing", "identity_document-pty-2222-2222", "x" * 300])
    def test_what_is_not_asked_is_not_taken(self, account, key):
        browser = open_page(address_of(account))

        assert browser.get(f"/me/give/{key}/").status_code == 404
        assert self.give(browser, key, birth_date="1970-01-01").status_code == 404

    def test_what_is_on_file_is_answered_like_what_is_new(self, analyst):
        account = make_open_account(at=BEFORE, email="maria@known.example")
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON)
        browser = open_page(address_of(account, "reverification_asked"))

        known = self.give(browser, "email", value="maria@known.example")
        new = self.give(browser, "email", value="maria@new.example")

        assert as_it_looks(known) == as_it_looks(new)
        warned = Notice.objects.get(kind="contact_added")
        assert warned.address.reveal() == "maria@known.example" and "maria@new" not in wording_of(warned)[1]
        assert account.party.contact_points.filter(kind="email").count() == 2

    def test_nobody_hands_in_without_end(self, account):
        browser = open_page(address_of(account))
        CustomerLink.objects.update(given_count=60)

        answer = self.give(browser, "phone", value="+49 30 901820")

        assert answer.status_code == 200 and b"a great deal" in answer.content
        assert not account.party.contact_points.filter(kind="phone").exists()


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
        chain = [
            account.party,
            *(Party(legal_name=f"Canarylink {number}", **given) for number in range(LONGEST_CHAIN + 2)),
        ]
        Party.objects.bulk_create(chain[1:])
        OwnershipStake.objects.bulk_create(
            OwnershipStake(owner=above, owned=below, percent=100) for below, above in itertools.pairwise(chain)
        )

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


class TestObjection:
    def test_it_becomes_work_for_staff_with_a_day_and_a_notice(self, account, lead):
        browser = open_page(address_of(account))

        assert browser.post("/me/objection/", {"text": "You asked the wrong person."}).status_code == 302

        objection = Objection.objects.open().get()
        assert objection.text.reveal() == "You asked the wrong person."
        assert (objection.due_on - NOON.date()).days == 30
        assert Notice.objects.filter(kind="objection_received").count() == 1
        assert objection.reference.encode() in browser.get("/me/").content
        again = browser.post("/me/objection/", {"text": "Again."})
        assert b"waits for its answer" in again.content and Objection.objects.count() == 1

        objections.answer(objection, outcome="right", by=lead, at=NOON)
        told = Notice.objects.get(kind="objection_answered")
        assert "You are right." in wording_of(told)[1]
        with pytest.raises(objections.NotOpen, match="was answered"):
            objections.answer(objection, outcome="right", by=lead, at=NOON)

    def test_who_sent_the_link_or_restricted_does_not_answer(self, account, analyst, lead):
        open_page(address_of(account)).post("/me/objection/", {"text": "No."})
        objection = Objection.objects.get()

        with pytest.raises(objections.TookPart, match="Somebody else"):
            objections.answer(objection, outcome="stands", by=analyst, at=NOON)
        restrictions.block(
            account, reason="listed", public_wording="The law asks for it.", basis="test", by=lead, at=NOON
        )
        with pytest.raises(objections.TookPart, match="Somebody else"):
            objections.answer(objection, outcome="stands", by=lead, at=NOON)
        assert Objection.objects.open().exists()

    def test_an_empty_one_is_refused(self, account):
        answer = open_page(address_of(account)).post("/me/objection/", {"text": "\u2800 "})

        assert b"There is a problem" in answer.content and not Objection.objects.exists()


class TestNothingIsGivenAway:
    CANARIES = ("Canarylist", "Canarystranger", "Canarystreet", "ana", "canary-risk", "CASE", "hit", "risk", "sanction")

    def test_th7_no_page_tells_of_lists_cases_risk_others_or_staff(self, analyst):
        make_party(legal_name="Canarystranger")
        account = make_open_account(at=BEFORE, legal_name="Maria Canaryself")
        make_hit(account.party, status="confirmed", entry_name="Canarylist")
        make_hit(account.party, entry_name="Canarylist")
        reverification.ask(account, trigger="canary-risk", by=analyst, at=NOON)
        account.party.addresses.create(kind="business", lines="Canarystreet 5", country="DE")
        browser = open_page(address_of(account, "reverification_asked"))
        browser.post("/me/objection/", {"text": "I object."})

        paths = ["/me/", "/me/objection/"]
        paths += re.findall(r'href="(/me/give/[\w-]+/)"', browser.get("/me/").content.decode())
        told = [browser.get(path) for path in paths] + [browser.post(path, {}) for path in paths[1:]]
        told += [browser.post("/me/done/", follow=True), browser.post("/me/leave/")]

        assert len(paths) == 7
        for answer in told:
            text = re.sub(r"<[^>]*>", " ", answer.content.decode())
            words = set(re.findall(r"[\w-]+", text))
            assert not words & set(self.CANARIES), answer.request["PATH_INFO"]
            assert not re.search(r"watch ?list|sanction|suspicio|red flag|screen", text, re.IGNORECASE)

    def test_staff_logged_in_in_the_same_browser_lend_it_no_right(self, account, analyst_user):
        browser = Client()
        browser.force_login(analyst_user)

        assert browser.get("/me/").status_code == 404
        page = open_page(address_of(account), browser).get("/me/")
        assert analyst_user.username.encode() not in page.content.split(b"<body")[1]


class TestStaffAct:
    def do(self, client, account, name: str, **form):
        return client.post(f"/admin/accounts/account/{account.pk}/do/{name}/", form, follow=True).content.decode()

    def test_they_send_the_link_again_and_withdraw_it(self, account, client, analyst_user, the_day):
        client.force_login(analyst_user)
        first = address_of(account)

        the_day.move_to(NOON + timedelta(minutes=1))
        told = self.do(client, account, "send-link")
        assert "A new link" in told and address_of(account) != first and "/me/link/" not in told
        assert Client().post(first, {"notice": "1"}).status_code == 404

        assert "No link is out" in self.do(client, account, "withdraw-link")
        assert Client().post(address_of(account), {"notice": "1"}).status_code == 404
        assert customer_links.standing(account) is None

    def test_without_an_address_they_read_that_no_link_was_made(self, client, analyst, analyst_user):
        account = intake.request_data(make_account(email=""), by=analyst, at=NOON)
        client.force_login(analyst_user)

        assert "so no link was made" in self.do(client, account, "send-link")

    def test_an_objection_is_read_by_who_answers_and_answered_once(self, account, client, lead_user, auditor_user):
        open_page(address_of(account)).post("/me/objection/", {"text": "Canarywords of mine."})
        objection = Objection.objects.get()
        page = f"/admin/accounts/objection/{objection.pk}/"

        client.force_login(auditor_user)
        seen = client.get(f"{page}change/").content.decode()
        assert objection.reference in seen and "Canarywords" not in seen
        assert client.post(f"{page}do/answer/", {"outcome": "right"}).status_code == 403

        client.force_login(lead_user)
        assert "Canarywords" in client.get(f"{page}change/").content.decode()
        assert client.post(f"{page}do/answer/", {"outcome": "nonsense"}).status_code == 200
        assert client.post(f"{page}do/answer/", {"outcome": "stands"}, follow=True).status_code == 200
        objection.refresh_from_db()
        assert (objection.outcome, objection.answered_by) == ("stands", lead_user.username)

    def test_r45_the_reminder_carries_a_link_of_its_own(self, analyst):
        account = make_open_account(at=BEFORE)
        reverification.ask(account, trigger="by hand", by=analyst, at=NOON - timedelta(days=40))
        first = address_of(account, "reverification_asked")

        reverification.request_due(at=NOON)

        assert address_of(account, "reverification_overdue") != first
        open_page(address_of(account, "reverification_overdue"))


class TestStaffSee:
    def test_that_a_link_is_out_until_when_and_whether_used_never_the_link(self, account, client, analyst_user):
        token = address_of(account).split("/")[3]
        client.force_login(analyst_user)
        page = f"/admin/accounts/account/{account.pk}/change/"

        before = client.get(page).content.decode()
        open_page(f"/me/link/{token}/")
        after = client.get(page).content.decode()

        reference = CustomerLink.objects.get().reference
        assert reference in before and "2026-03-16" in before and ">out<" in re.sub(r"\s", "", before)
        assert "open now" in after and token not in before + after

    def test_a_session_over_is_told_as_used(self, account, client, analyst_user, the_day):
        open_page(address_of(account))
        the_day.move_to(NOON + timedelta(hours=2))
        client.force_login(analyst_user)

        page = client.get(f"/admin/accounts/account/{account.pk}/change/").content.decode()

        assert "open now" not in page and timezone.now() > CustomerLink.objects.get().session_until
