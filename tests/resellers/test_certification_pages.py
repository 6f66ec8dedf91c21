"""The manager's pages of certification and attestation: what is done there, what nobody learns (R63, TH1, TH2)."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kyc_portal.policy.statements import approve_statement
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from resellers.flows import attestation, certification, onboarding
from resellers.models import Attestation, Certification, CertifiedEntry, RosterEntry
from resellers.views.bound import PER_PAGE
from tests.builders import make_entry
from tests.conftest import NOON, person
from tests.resellers.signing import change_roster, make_signer

pytestmark = pytest.mark.django_db
LIST, ACTS, YEARS = "/resellers/certification/", "/resellers/certifications/", "/resellers/attestations/"


@pytest.fixture
def signer(db):
    return make_signer()


@pytest.fixture
def manager(client, signer):
    client.force_login(signer.binding.user)
    return client


def now_entry(signer, number: str = "C-1", **changes) -> RosterEntry:
    """A customer verified today, as the pages' clock goes."""
    return make_entry(signer.reseller, number, **{"verified_on": timezone.now().date(), **changes})


def form(*entries, **changes) -> dict:
    given = {"whom": "chosen", "scope": "identity", "evidence": ["document", "video"], "statement": "1"}
    return {**given, "form_key": str(uuid.uuid4()), "entry": [each.reference for each in entries], **changes}


def send(client, signer, *entries, follow=True, **changes):
    return client.post(f"{LIST}?reseller={signer.reseller.reference}", form(*entries, **changes), follow=follow)


def body(answer) -> str:
    return answer.content.decode()


class TestList:
    def test_it_shows_each_customer_with_where_it_stands_and_the_words(self, manager, signer):
        entry = now_entry(signer, name="Müller <b>Works</b>")
        signer.certify(now_entry(signer, "C-2"), at=timezone.now())

        page = body(manager.get(LIST))

        assert entry.reference in page and "Müller &lt;b&gt;Works&lt;/b&gt;" in page
        assert "never certified" in page and ">certified<" in page and "I certify, for the reseller" in page

    def test_it_can_be_read_by_state(self, manager, signer):
        entries = {name: now_entry(signer, name) for name in ("kept", "changed", "never", "withdrawn")}
        act = signer.certify(*(entries[name] for name in ("kept", "changed", "withdrawn")), at=timezone.now())
        change_roster(entries["changed"], at=timezone.now())
        signer.withdraw(act, entries=[entries["withdrawn"].reference])

        found = {
            state: set(
                re.findall(r"<td>(kept|changed|never|withdrawn)</td>", body(manager.get(LIST, {"state": state})))
            )
            for state in ("certified", "broken", "never", "withdrawn", "lapsed", "no such", "")
        }

        assert found == {
            "certified": {"kept"}, "broken": {"changed"}, "never": {"never"}, "withdrawn": {"withdrawn"},
            "lapsed": set(), "no such": set(entries), "": set(entries),
        }  # fmt: skip

    def test_it_pages_by_key_without_counting_and_costs_the_same_for_many(self, manager, signer):
        for n in range(3):
            now_entry(signer, f"C-{n:03}")
        manager.get(LIST)
        with CaptureQueriesContext(connection) as few:
            manager.get(LIST)
        for n in range(3, 2 * PER_PAGE + 10):
            now_entry(signer, f"C-{n:03}")

        with CaptureQueriesContext(connection) as many:
            first = manager.get(LIST)

        assert len(many) == len(few) <= 12
        assert not any("COUNT(" in query["sql"].upper() for query in many)
        seen, page, pages = [], first, 0
        while page is not None:
            seen += re.findall(r"<td>(C-\d+)</td>", body(page))
            following = re.search(r'rel="next" href="(\S+)"', body(page))
            page, pages = manager.get(LIST + following[1].replace("&amp;", "&")) if following else None, pages + 1
        assert seen == [f"C-{n:03}" for n in range(2 * PER_PAGE + 10)] and pages == 3
        back = re.search(r'rel="prev" href="(\S+)"', body(manager.get(LIST + self.at(signer, 2 * PER_PAGE))))
        assert re.findall(r"<td>(C-\d+)</td>", body(manager.get(LIST + back[1].replace("&amp;", "&"))))[0] == "C-051"

    def at(self, signer, number: int) -> str:
        return f"?after={signer.reseller.entries.get(number=f'C-{number:03}').reference}"

    @pytest.mark.parametrize("asked", ["DSC-0000-0000", "x" * 300, "'", "\u202e", "0"])
    def test_an_odd_place_is_the_beginning(self, manager, signer, asked):
        entry = now_entry(signer)

        assert entry.reference in body(manager.get(LIST, {"after": asked}))

    def test_no_address_holds_what_a_reseller_calls_a_customer(self, manager, signer):
        for n in range(PER_PAGE + 1):
            now_entry(signer, f"ann{n:03}@customer.example")

        addresses = re.findall(r'(?:href|action)="([^"]+)"', body(manager.get(LIST)))

        assert not any("customer.example" in address for address in addresses)

    def test_who_is_bound_to_none_and_whose_roster_is_empty_read_what_to_do(self, client, manager):
        assert "Send a file of your customers" in body(manager.get(LIST))
        client.force_login(person("nobody", "reseller manager"))

        assert "not bound to a reseller yet" in body(client.get(LIST))
        assert "Nothing was signed yet" in body(client.get(ACTS)) and "Nothing is to be attested" in body(
            client.get(YEARS)
        )

    @pytest.mark.parametrize("address", [LIST, ACTS, YEARS, f"{ACTS}CRT-0000-0000/", f"{YEARS}ATT-0000-0000/"])
    def test_staff_are_sent_to_their_own_pages(self, client, analyst_user, address):
        client.force_login(analyst_user)

        assert client.get(address).headers["Location"] == "/admin/"


class TestSigning:
    def test_r63_those_ticked_are_certified_and_each_outcome_is_told(self, manager, signer):
        good, bad, other = now_entry(signer, "C-1"), now_entry(signer, "C-2", method=""), now_entry(signer, "C-3")

        page = body(send(manager, signer, good, bad))

        act = Certification.objects.get()
        assert (act.signed_by, act.scope, act.evidence, act.certified_count) == (
            "remy",
            "identity",
            ["document", "video"],
            1,
        )
        assert "1 of 2 customers are certified until" in page and "does not state how it was verified" in page
        assert other.reference not in page

    def test_all_on_the_page_are_those_it_showed(self, manager, signer):
        shown = [now_entry(signer, f"C-{n}") for n in range(2)]
        now_entry(signer, "C-9")

        send(manager, signer, whom="page", shown=[each.reference for each in shown], entry=[])

        assert set(CertifiedEntry.objects.values_list("number", flat=True)) == {"C-0", "C-1"}

    def test_all_of_a_large_roster_is_gone_through_by_a_job_with_progress(self, manager, signer, monkeypatch):
        monkeypatch.setattr(certification, "MOST_AT_ONCE", 2)
        for n in range(5):
            now_entry(signer, f"C-{n}")

        page = body(send(manager, signer, whom="all", entry=[]))

        assert (
            "data-progress" in page and "Customers gone through: 0 of 5" in page and 'http-equiv="refresh"' not in page
        )
        queue.run_due(timezone.now())
        act = Certification.objects.get()
        page = body(manager.get(f"{ACTS}{act.reference}/"))
        assert "data-progress" not in page and act.certified_count == 5

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"entry": []}, "No customer is chosen"),
            ({"scope": ""}, "This field is required"),
            ({"evidence": []}, "This field is required"),
            ({"evidence": ["rumour"]}, "Select a valid choice"),
            ({"whom": "everybody else's"}, "Select a valid choice"),
            ({"form_key": "7"}, "The form is not whole"),
            ({"statement": ""}, "The wording changed"),
            ({"entry": ["DSC-0000-0000"]}, "not on your roster"),
            ({"entry": ["\0"]}, "not on your roster"),
        ],
    )
    def test_what_cannot_be_is_told_on_the_form_and_nothing_is_lost(self, manager, signer, changes, says):
        entry = now_entry(signer)

        answer = send(manager, signer, entry, **changes)

        page = body(answer)
        assert answer.status_code == 200 and "There is a problem" in page and says in page
        assert not Certification.objects.exists()
        if "entry" not in changes:
            assert f'value="{entry.reference}" aria-label="Choose {entry.reference}" checked' in page

    def test_r22_words_that_changed_meanwhile_are_shown_and_can_be_signed(self, manager, signer, compliance):
        entry, today = now_entry(signer), timezone.now()
        approve_statement(kind="downstream", text="Other words.", effective_from=today.date(), by=compliance, at=today)

        page = body(send(manager, signer, entry))
        assert "Read it again, then sign" in page and "Other words." in page and 'name="statement" value="2"' in page

        send(manager, signer, entry, statement="2")
        assert Certification.objects.get().statement.number == 2

    def test_g1_the_same_form_twice_is_one_act_and_one_answer(self, manager, signer):
        entry, key = now_entry(signer), str(uuid.uuid4())

        first, second = (send(manager, signer, entry, form_key=key, follow=False) for _ in range(2))

        assert first.headers["Location"] == second.headers["Location"] and Certification.objects.count() == 1

    def test_a_form_shown_again_keeps_its_key(self, manager, signer):
        entry, key = now_entry(signer), str(uuid.uuid4())

        assert f'value="{key}"' in body(send(manager, signer, entry, form_key=key, evidence=[]))

    @pytest.mark.parametrize("where", [LIST, ACTS, YEARS])
    def test_who_lost_their_authority_meanwhile_is_told_and_signs_nothing(self, manager, signer, where):
        entry = now_entry(signer)
        act = signer.certify(now_entry(signer, "C-2"), at=timezone.now())
        attestation.open_due(on=(NOON + timedelta(days=366)).date(), by=SCHEDULER, at=NOON)
        onboarding.end_binding(signer.binding, by=SCHEDULER, at=NOON)
        one = {
            LIST: f"{LIST}?reseller={signer.reseller.reference}", ACTS: f"{ACTS}{act.reference}/",
            YEARS: f"{YEARS}{Attestation.objects.get().reference}/",
        }[where]  # fmt: skip

        answer = manager.post(one, {**form(entry), "which": "all", "why": "x"}, follow=True)

        assert "no longer bound to this reseller, so nothing was signed" in body(answer)
        assert Certification.objects.count() == 1 and act.lines.standing().count() == 1
        assert not Attestation.objects.filter(signed_at__isnull=False).exists()
        assert manager.get(one).status_code == 404


class TestOneAct:
    def test_it_is_withdrawn_for_some_and_then_for_all_with_the_reason(self, manager, signer):
        entries = [now_entry(signer, f"C-{n}") for n in range(3)]
        act = signer.certify(*entries, at=timezone.now())
        address = f"{ACTS}{act.reference}/"

        page = body(
            manager.post(
                address, {"which": "chosen", "entry": entries[0].reference, "why": "No <i>proof</i>."}, follow=True
            )
        )
        assert "No &lt;i&gt;proof&lt;/i&gt;." in page and act.lines.standing().count() == 2

        page = body(manager.post(address, {"which": "all", "why": "All of it."}, follow=True))
        assert "All of it." in page and not act.lines.standing().exists() and 'name="why"' not in page

    @pytest.mark.parametrize(
        "sent",
        [
            {"which": "all", "why": " "}, {"which": "chosen", "why": "x"}, {"which": "all"},
            {"which": "chosen", "why": "x", "entry": "\0"}, {"which": "chosen", "why": "x", "entry": "DSC-0000-0000"},
        ],
    )  # fmt: skip
    def test_without_reason_or_customer_nothing_is_withdrawn(self, manager, signer, sent):
        act = signer.certify(now_entry(signer), at=timezone.now())

        answer = manager.post(f"{ACTS}{act.reference}/", sent)

        assert "There is a problem" in body(answer) and act.lines.standing().count() == 1

    def test_g1_withdrawn_twice_the_second_is_told(self, manager, signer):
        act = signer.certify(now_entry(signer), at=timezone.now())
        sent = {"which": "all", "why": "x"}
        manager.post(f"{ACTS}{act.reference}/", sent)

        assert "holds any more" in body(manager.post(f"{ACTS}{act.reference}/", sent))

    def test_its_customers_can_be_read_by_outcome_and_page_by_page(self, manager, signer):
        entries = [now_entry(signer, f"C-{n:03}", **({"method": ""} if n == 7 else {})) for n in range(PER_PAGE + 9)]
        act = signer.certify(*entries, at=timezone.now())
        signer.withdraw(act, entries=[entries[3].reference])

        def numbers(**asked):
            return re.findall(r"<td>(C-\d+)</td>", body(manager.get(f"{ACTS}{act.reference}/", asked)))

        assert numbers(show="refused") == ["C-007"] and numbers(show="ended") == ["C-003"]
        assert len(numbers()) == PER_PAGE and numbers(after=entries[PER_PAGE - 1].reference)[0] == "C-050"
        assert len(numbers(show="standing", after=entries[PER_PAGE + 1].reference)) == 7


class TestAttestation:
    @pytest.fixture
    def row(self, signer):
        now_entry(signer)
        now_entry(signer, "C-2", country="FR", verified_on=None)
        attestation.open_due(on=(NOON + timedelta(days=366)).date(), by=SCHEDULER, at=NOON)
        return Attestation.objects.get()

    def test_r63_it_shows_what_is_attested_and_takes_the_signature(self, manager, signer, row):
        page = body(manager.get(f"{YEARS}{row.reference}/"))
        assert "Germany" in page and "France" in page and "I attest, for the reseller" in page
        assert "customers whose verification is not stated in full" in page and "as they are now" in page

        page = body(manager.post(f"{YEARS}{row.reference}/", {"statement": "1"}, follow=True))

        row.refresh_from_db()
        assert row.signed_by == "remy" and row.counts["total"] == 2
        assert "as they were signed" in page and "Sign the attestation" not in page
        assert row.reference in body(manager.get(YEARS))

    def test_g1_signed_twice_the_second_is_told(self, manager, row):
        address = f"{YEARS}{row.reference}/"
        manager.post(address, {"statement": "1"})

        assert "was signed by remy" in body(manager.post(address, {"statement": "1"}))

    @pytest.mark.parametrize("sent", [{}, {"statement": "2"}, {"statement": "x" * 999}])
    def test_other_words_are_not_signed(self, manager, row, sent):
        assert "Read it again" in body(manager.post(f"{YEARS}{row.reference}/", sent))

        row.refresh_from_db()
        assert row.signed_at is None


class TestOthers:
    """TH1: of another reseller a manager learns nothing, not even that it exists."""

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_th1_what_is_anothers_is_as_unknown_as_nothing(self, manager, signer, method):
        other = make_signer("rob")
        entry = now_entry(other)
        act = other.certify(entry, at=timezone.now())
        attestation.open_due(on=(NOON + timedelta(days=366)).date(), by=SCHEDULER, at=NOON)
        theirs = [
            f"{LIST}?reseller={other.reseller.reference}", f"{ACTS}{act.reference}/",
            f"{YEARS}{other.reseller.attestations.get().reference}/",
        ]  # fmt: skip
        sent = {**form(entry), "which": "all", "why": "x"}

        for address in theirs:
            answer = getattr(manager, method)(address, sent if method == "post" else None)
            assert answer.status_code == 404 and other.reseller.reference not in body(answer)

        for address in (LIST, ACTS, YEARS, f"{LIST}?after={entry.reference}"):
            page = body(manager.get(address))
            assert not any(name in page for name in (other.reseller.reference, entry.reference, act.reference))
        assert Certification.objects.count() == 1 and act.lines.standing().count() == 1

    def test_f6_another_resellers_customers_cannot_be_put_into_the_form(self, manager, signer):
        other = make_signer("rob")
        own, foreign = now_entry(signer), now_entry(other)

        for field in ({"entry": [own.reference, foreign.reference]}, {"whom": "page", "shown": [foreign.reference]}):
            page = body(send(manager, signer, **field))
            assert "not on your roster" in page and foreign.name not in page.replace(own.name, "")

        assert not CertifiedEntry.objects.exists()

    def test_a_manager_of_two_signs_for_the_one_that_is_shown(self, manager, signer):
        second = make_signer("rob").reseller
        onboarding.bind_manager(second, user=signer.binding.user, by=SCHEDULER, at=NOON)
        entry = make_entry(second, verified_on=timezone.now().date())

        manager.post(f"{LIST}?reseller={second.reference}", form(entry))

        act = Certification.objects.get()
        assert (act.reseller, act.signed_under.reseller) == (second, second)


class TestDue:
    def test_the_first_page_says_what_is_to_be_certified_and_signed(self, manager, signer):
        make_entry(signer.reseller)
        attestation.open_due(on=(NOON + timedelta(days=366)).date(), by=SCHEDULER, at=NOON)

        page = body(manager.get("/resellers/"))

        assert "Certify the customers who should be certified by now." in page
        assert f"Sign the yearly attestation {Attestation.objects.get().reference}." in page

    def test_it_says_what_lapses_soon(self, manager, signer):
        act = signer.certify(now_entry(signer), at=timezone.now())
        near = timezone.now().date() + timedelta(days=3)
        act.lines.update(lapses_on=near)

        assert "Certify again the customers whose certification lapses soon." in body(manager.get("/resellers/"))
