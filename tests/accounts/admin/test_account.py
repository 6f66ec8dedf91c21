"""The page of an account, its list and its buttons."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.flows import closing, identification, restrictions
from accounts.models import AccessBatch, AccessRecord, Account, RiskSignal
from accounts.rules import ownership as rules
from accounts.rules.new_parties import NewAddress
from accounts.rules.ownership import TooTangled
from kyc_portal.records.models import IdentityView
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.logs import roll_up
from tests.builders import (
    make_account,
    make_cip,
    make_company,
    make_hit,
    make_list,
    make_open_account,
    make_party,
    make_ready_account,
    make_verified,
)
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db

LIST = "admin:accounts_account_changelist"


def page(client, account):
    return client.get(reverse("admin:accounts_account_change", args=[account.pk]))


def press(client, account, name, **answers):
    url = reverse("admin:accounts_account_do", args=[account.pk, name.replace("_", "-")])
    return client.post(url, answers, follow=True)


def log(account, count, *, start=NOON):
    batch = AccessBatch.objects.create(
        account=account, format="lines", file_name="a.log", sha256=f"{count:064}", read_count=count, new_count=count,
        known_count=0, refused_count=0, imported_at=NOON, imported_by="ana",
    )  # fmt: skip
    AccessRecord.objects.bulk_create(
        AccessRecord(
            account=account, batch=batch, at=start - timedelta(days=number), kind="access", action="login",
            address="81.2.69.160", country="GB", anonymiser="vpn" if number % 2 else "", source_system="s",
            event_id=f"{count}-{number}",
        )
        for number in range(count)
    )  # fmt: skip
    Account.objects.filter(pk=account.pk).update(last_access_at=start)
    roll_up(account)


@pytest.fixture
def as_analyst(client, analyst_user):
    client.force_login(analyst_user)
    return client


@pytest.fixture
def as_lead(client, lead_user):
    client.force_login(lead_user)
    return client


class TestPage:
    def test_it_tells_what_stands_in_the_way_of_opening(self, as_analyst):
        account = make_account()

        body = page(as_analyst, account).content.decode()

        assert "What stands in the way" in body
        assert "No telephone number is on file" in body
        assert account.party.legal_name in body

    def test_a_prospect_nobody_has_rated_has_no_tier_yet(self, as_analyst):
        body = page(as_analyst, make_account()).content.decode()
        assert body.count("Rated when the account is opened.") == 2 and "medium risk" not in body

        assert "Rated when" not in page(as_analyst, make_open_account()).content.decode()

    def test_r12_it_says_when_a_box_stands_in_for_a_street_address(self, as_analyst):
        box, home = (NewAddress(kind, "PSC 1 Box 2", "AE", "US") for kind in ("apo_fpo", "residence"))
        words = b"The APO or FPO box stands in: no street address of their own is known."

        assert words in page(as_analyst, make_account(addresses=(box,))).content
        assert words not in page(as_analyst, make_account(addresses=(box, home))).content

    def test_beside_what_is_missing_stands_the_button_that_adds_it(self, as_analyst):
        company = make_company(phone="")
        owner = make_party(addresses=())
        identification.add_owner(company.party, owner=owner, percent=Decimal(60), by=SCHEDULER, at=NOON)

        body = page(as_analyst, company).content.decode()

        for party, button, words in (
            (company.party, "add-contact", "No telephone number is on file"),
            (owner, "add-address", f"Owner {owner.reference}: No street address"),
            (owner, "settle-status", f"It is not settled whether {owner.reference} is a U.S."),
        ):
            url = reverse("admin:accounts_party_do", args=[party.pk, button])
            assert re.search(rf'<li>{words}[^<]* <a href="{url}">', body), words
        start = reverse("admin:accounts_account_do", args=[company.pk, "start-verification"])
        assert re.search(rf'<li>{company.party.reference} is not verified[^<]* <a href="{start}">', body)

    def test_who_may_not_press_the_button_reads_the_sentence_alone(self, client):
        account = make_account(phone="")
        client.force_login(person("aud", "auditor"))

        body = page(client, account).content.decode()

        assert "No telephone number is on file" in body and "/do/add-contact/" not in body

    def test_of_an_account_in_use_it_shows_what_has_come_to_be_missing(self, as_analyst):
        account = make_open_account()
        assert "What is missing" not in page(as_analyst, account).content.decode()

        method = account.party.payment_methods.get()
        identification.end_payment_method(method, by=SCHEDULER, at=NOON)

        body = page(as_analyst, account).content.decode()
        assert "What is missing" in body and "No means of payment is on file" in body
        assert reverse("admin:accounts_party_do", args=[account.party_id, "add-payment"]) in body

    def test_an_account_in_use_shows_none(self, as_analyst):
        assert "What stands in the way" not in page(as_analyst, make_open_account()).content.decode()

    def test_sealed_values_stay_dots(self, as_analyst):
        account = make_account(email="maria.secret@customer.example", national_id="ID-778899")

        body = page(as_analyst, account).content.decode()

        assert "maria.secret" not in body
        assert "ID-778899" not in body
        assert "1985" not in body

    def test_looking_is_counted(self, as_analyst, analyst_user):
        account = make_account()

        page(as_analyst, account)
        page(as_analyst, account)

        assert IdentityView.objects.get(about_key=str(account.pk)).count == 2

    def test_owners_hits_flags_and_accesses_are_shown(self, as_analyst):
        account, owner = make_company(), make_party(legal_name="Owner Above")
        identification.add_owner(account.party, owner=owner, percent=Decimal(60), by=SCHEDULER, at=NOON)
        hit = make_hit(owner)
        flag = RiskSignal.objects.create(
            account=account, code="expired_document", weight=15, sentence="No document is valid.", known_at=NOON
        )
        log(account, 4)

        body = page(as_analyst, account).content.decode()

        for words in ("Owner Above", hit.reference, flag.reference, "50 % of those through anonymising", "GB"):
            assert words in body

    def test_the_customer_file_is_not_shown_to_strangers(self, client, administrator_user, reseller_manager_user):
        account = make_account()
        client.force_login(administrator_user)
        assert page(client, account).status_code == 403

        client.force_login(reseller_manager_user)
        assert page(client, account).status_code == 403

    def test_its_queries_do_not_grow_with_the_file(self, as_lead):
        small, big = self.filled(3), self.filled(30)
        for account in (small, big):  # the first look of a day is written to the trail
            page(as_lead, account)

        assert self.queries(as_lead, big) == self.queries(as_lead, small) <= 57

    def test_it_reads_the_owners_once_for_all_who_ask(self, as_lead):
        one, four = self.filled(1, percent=25), self.filled(4, percent=25)
        make_list()
        for account in (one, four):
            page(as_lead, account)

        assert (
            self.queries(as_lead, four) == self.queries(as_lead, one) <= 57
        )  # 6 while not compared yet with whom we shut out

    def test_owners_too_tangled_to_follow_are_told_and_the_page_stands(self, as_lead, monkeypatch):
        def give_up(*given):
            raise TooTangled("The owners cannot be followed. Untangle them.")

        account = self.filled(1)
        monkeypatch.setattr(rules, "beneficial_owners", give_up)

        assert "The owners cannot be followed" in page(as_lead, account).content.decode()

    def filled(self, count, percent=1):
        account = make_company()
        for number in range(count):
            owner = make_party()
            identification.add_owner(account.party, owner=owner, percent=Decimal(percent), by=SCHEDULER, at=NOON)
            make_hit(owner)
            RiskSignal.objects.create(account=account, code=f"code_{number}", weight=1, sentence="–", known_at=NOON)
        log(account, count)
        return account

    def queries(self, client, account):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert page(client, account).status_code == 200
        return len(seen)


class TestList:
    def test_its_queries_do_not_grow_with_the_rows(self, as_analyst):
        def queries():
            with CaptureQueriesContext(connection) as seen:
                assert as_analyst.get(reverse(LIST)).status_code == 200
            return len(seen)

        for _ in range(3):
            make_account()
        queries()
        few = queries()
        for _ in range(27):
            make_account()

        assert queries() == few

    @pytest.mark.parametrize("waiting", ["opening", "review", "unanswered", "restricted", "foreign", "ended"])
    def test_each_filter_opens(self, as_analyst, waiting):
        make_account()

        assert as_analyst.get(reverse(LIST), {"waiting": waiting}).status_code == 200

    def test_it_finds_by_reference_and_by_name(self, as_analyst):
        account, other = make_account(), make_account()

        for words in (account.reference, account.party.legal_name):
            body = as_analyst.get(reverse(LIST), {"q": words}).content.decode()
            assert account.reference in body
            assert other.reference not in body

    def test_the_restricted_ones_are_listed_once(self, as_analyst, lead):
        account = make_open_account()
        for basis in "AB":
            restrictions.limit(account, reason="x", public_wording="–", basis=basis, by=lead, at=NOON)

        body = as_analyst.get(reverse(LIST), {"waiting": "restricted"}).content.decode()

        assert body.count(f"/{account.pk}/change/") == 1


class TestButtons:
    def test_a_customer_is_added(self, as_analyst):
        answers = {"kind": "individual", "legal_name": "New Person", "address_kind": "residence"}

        as_analyst.post(reverse("admin:accounts_account_add"), answers, follow=True)

        assert Account.objects.get().party.legal_name == "New Person"
        assert Account.objects.get().source == "form"

    def test_opening_shows_every_reason_and_changes_nothing(self, as_analyst):
        account = make_account()

        body = press(as_analyst, account, "activate").content.decode()

        account.refresh_from_db()
        assert account.status == "prospect"
        assert "No watch list is loaded" in body
        assert "No telephone number" in body

    def test_an_account_is_opened(self, as_analyst):
        account = make_ready_account()

        press(as_analyst, account, "activate")

        account.refresh_from_db()
        assert account.is_open

    def test_a_verification_is_started(self, as_analyst):
        make_cip()
        account = make_account()

        press(as_analyst, account, "start_verification", party=str(account.party_id), trigger="opening")

        assert account.verifications.get().started_by == "ana"

    def test_a_stranger_cannot_be_chosen(self, as_analyst):
        account, stranger = make_account(), make_party()

        press(as_analyst, account, "start_verification", party=str(stranger.pk), trigger="opening")

        assert not account.verifications.exists()

    @pytest.mark.parametrize("name", ["limit", "suspend"])
    def test_use_is_restricted_until_the_end_of_the_last_day(self, as_lead, name):
        account = make_open_account()
        last_day = date.today() + timedelta(days=9)

        press(as_lead, account, name, reason="use_unexplained", last_day=last_day.isoformat())

        restriction = account.restrictions.get()
        assert restriction.until.date() == last_day + timedelta(days=1)
        assert restriction.object_by > date.today()

    def test_a_restriction_is_lifted(self, as_lead, lead):
        account = make_open_account()
        standing = restrictions.limit(account, reason="x", public_wording="–", basis="A", by=lead, at=NOON)

        press(as_lead, account, "lift", restriction=str(standing.pk), why="answered")

        assert not account.restrictions.in_force().exists()

    def test_a_block_is_made_and_its_report_opened(self, as_lead):
        account = make_open_account()
        make_hit(account.party, status="confirmed")

        press(as_lead, account, "block", reason="listed")

        account.refresh_from_db()
        assert account.status == "blocked" and account.property_reports.get().state == "open"

    def test_one_person_alone_does_not_block_without_a_confirmed_hit(self, as_lead):
        account = make_open_account()

        page = press(as_lead, account, "block", reason="listed").content.decode()

        account.refresh_from_db()
        assert "No list hit of this customer is confirmed" in page and account.status == "active"

    def test_one_person_alone_suspends_for_days_only(self, as_lead):
        account = make_open_account()

        page = press(as_lead, account, "suspend", reason="use_unexplained", last_day="2099-01-01").content.decode()

        assert "One person suspends through" in page and not account.restrictions.exists()

    def test_what_is_blocked_is_not_closed_by_one_person(self, as_lead, lead):
        account = make_open_account()
        make_hit(account.party, status="confirmed")
        press(as_lead, account, "block", reason="listed")

        with pytest.raises(closing.UnknownReason, match="Two people decide"):
            closing.close_by_hand(account, reason="own_request", by=lead, at=NOON)

    def test_the_owners_certification_is_recorded(self, as_analyst):
        account = make_company()

        press(as_analyst, account, "certify_owners", signed_on="2026-03-01", text_version="1", signed_by="Eva Signer")

        assert account.ownership_certifications.get().text_version == "1"

    def test_an_account_is_closed_and_taken_up_again(self, as_lead):
        account = make_open_account()

        press(as_lead, account, "close", reason="own_request")
        account.refresh_from_db()
        assert account.status == "closed"

        press(as_lead, account, "reopen", reason="came back")
        account.refresh_from_db()
        assert account.status == "active"

    def test_a_prospect_is_refused(self, as_analyst):
        account = make_account()

        press(as_analyst, account, "refuse", reason="data_not_given")

        account.refresh_from_db()
        assert account.status == "refused"

    @pytest.mark.parametrize("name", ["request_data", "run_detectors"])
    def test_a_prospect_is_looked_at(self, as_analyst, name):
        assert press(as_analyst, make_account(), name).status_code == 200

    def test_proof_is_asked_for_again(self, as_analyst):
        account = make_open_account()

        press(as_analyst, account, "ask_again")

        account.refresh_from_db()
        assert account.review_trigger == "by hand"

    def test_many_accounts_are_suspended_each_by_itself(self, as_lead):
        sound, prospect = make_open_account(), make_account()
        answers = {
            "action": "suspend", "confirmed": "1", "index": "0", "reason": "use_unexplained",
            "last_day": str(timezone.localdate() + timedelta(days=7)),
            "_selected_action": [str(sound.pk), str(prospect.pk)],
        }  # fmt: skip

        body = as_lead.post(reverse(LIST), answers, follow=True).content.decode()

        assert sound.restrictions.exists()
        assert "there is no use to restrict" in body

    @pytest.mark.parametrize("name", ["limit", "suspend", "block", "lift", "close", "reopen"])
    def test_a_reviewer_may_not_restrict_or_close(self, as_analyst, name):
        assert press(as_analyst, make_open_account(), name).status_code == 403

    @pytest.mark.parametrize("name", ["activate", "start_verification", "refuse", "suspend", "close"])
    def test_an_auditor_may_do_nothing(self, client, auditor_user, name):
        client.force_login(auditor_user)

        assert press(client, make_account(), name).status_code == 403


class TestVerificationPage:
    def page(self, client, record):
        return client.get(reverse("admin:accounts_verification_change", args=[record.pk]))

    def press(self, client, record, name, **answers):
        url = reverse("admin:accounts_verification_do", args=[record.pk, name.replace("_", "-")])
        return client.post(url, answers, follow=True)

    def begun(self, client):
        make_cip()
        account = make_ready_account()
        press(client, account, "start_verification", party=str(account.party_id), trigger="doubt")
        return account.verifications.get(status="in_progress")

    def test_a_verification_is_led_to_its_end(self, as_analyst):
        record = self.begun(as_analyst)

        self.press(as_analyst, record, "find_discrepancy", field="address", stated="Here St", found="There St")
        row = record.discrepancies.get()
        self.press(as_analyst, record, "settle_discrepancy", discrepancy=str(row.pk), how="Moved.")
        self.press(
            as_analyst, record, "record_method", method="public_database", result="match", source="register",
            matched=["address"],
        )  # fmt: skip
        self.press(as_analyst, record, "conclude", verified="yes", reason="All agree.")

        record.refresh_from_db()
        assert record.status == "verified"
        body = self.page(as_analyst, record).content.decode()
        assert "Compared with a public database" in body
        assert "There St" not in body

    def test_one_that_failed_is_escalated_and_needs_a_colleague(self, as_analyst):
        record = self.begun(as_analyst)
        self.press(
            as_analyst,
            record,
            "record_method",
            method="public_database",
            result="match",
            matched=["legal_name"],
            source="register",
        )
        self.press(as_analyst, record, "conclude", verified="no", reason="In doubt.")
        self.press(as_analyst, record, "escalate")

        body = self.press(as_analyst, record, "conclude", verified="yes", reason="Fine.").content.decode()

        record.refresh_from_db()
        assert record.status == "escalated"
        assert "You took the first step yourself" in body

    def test_the_list_opens_with_each_filter(self, as_analyst):
        make_verified(make_ready_account())

        for waiting in ("unfinished", "second"):
            url = reverse("admin:accounts_verification_changelist")
            assert as_analyst.get(url, {"waiting": waiting}).status_code == 200

    def test_an_auditor_reads_and_changes_nothing(self, client, auditor_user):
        record = make_verified(make_ready_account())
        client.force_login(auditor_user)

        assert self.page(client, record).status_code == 200
        assert self.press(client, record, "record_method").status_code == 403


class TestFirstPage:
    def test_it_counts_the_waiting_work(self, as_analyst):
        make_account()

        body = as_analyst.get(reverse("admin:index")).content.decode()

        for title in ("Prospects waiting", "Verifications open", "Reviews due", "Reviews unanswered"):
            assert title in body
