"""Requests of people about their data: found, handed over, erased or kept, and what they are told (R47, R54)."""

import io
import json
import tempfile
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.flows import (
    access_log,
    address_ranges,
    confirming,
    document_files,
    identification,
    parties,
    person_export,
    personal_data,
    privacy,
)
from accounts.flows.texts import BadField
from accounts.models import (
    Account,
    ContactPoint,
    Identifier,
    IdentityDocument,
    Party,
    PaymentMethod,
    PrivacyRequest,
    RiskSignal,
)
from accounts.rules.privacy import Outcome, public_sentences
from kyc_portal.four_eyes import PreparedAnew, SecondPersonNeeded
from kyc_portal.notices.models import Notice
from kyc_portal.notices.outbox import wording_of
from kyc_portal.policy.models import Deadline
from kyc_portal.records import deletion, holds, retention
from kyc_portal.records.models import AuditEvent, LegalHold, SubjectKey, Tombstone
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work.models import Job
from kyc_portal.work.queue import run_due
from tests.accounts.logs import event, jsonl
from tests.builders import make_company, make_hit, make_open_account, make_party, png_bytes
from tests.cases.builders import make_case, make_request
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1)
CLOSED = datetime(2020, 1, 1, 12, tzinfo=UTC)


def ask(kind="erasure", party: Party | None = None, *, by=SCHEDULER, at=LATER) -> PrivacyRequest:
    request = privacy.log_request(
        kind=kind, name="Maria Example", contact="maria@customer.example", received_on=at.date(), by=by, at=at
    )
    if party:
        privacy.identify(request, party=party.reference, how="contact", by=by, at=at)
    return request


def answered(kind, party, compliance, counsel) -> PrivacyRequest:
    request = privacy.prepare(ask(kind, party), by=compliance, at=LATER)
    request = privacy.answer(request, shown=privacy.digest_of(request), by=counsel, at=LATER)
    run_due(LATER)
    request.refresh_from_db()
    return request


def told(request) -> str:
    notice = Notice.objects.get(kind="privacy_request_answered", key=str(request.pk))
    return wording_of(notice)[1].replace(request.reference, "PRV")


def end(account: Account) -> Account:
    Account.objects.filter(pk=account.pk).update(status="closed", closed_at=CLOSED)
    account.refresh_from_db()
    return account


def add_unneeded(party: Party) -> None:
    """A document nobody used, an e-mail that was replaced and a means of payment that ended, all after verifying."""
    for number, email in enumerate(("older@customer.example", "newer@customer.example")):
        contact = parties.add_contact(
            party, kind="email", value=email, by=SCHEDULER, at=LATER + timedelta(hours=number)
        )
        confirming.ask(contact, by=SCHEDULER, at=LATER + timedelta(hours=number))
    identification.add_document(
        party, kind="passport", number="UNUSED1", country="DE", expires_on=date(2034, 1, 1),
        file=io.BytesIO(png_bytes("unused")), file_name="unused.png", by=SCHEDULER, at=LATER,
    )  # fmt: skip
    payment = identification.add_payment_method(
        party, kind="bank", identifier="123456789", institution="Bank", source="sales", by=SCHEDULER, at=LATER
    )
    identification.end_payment_method(payment, by=SCHEDULER, at=LATER)


class TestLogRequest:
    def test_it_starts_our_own_clock_and_confirms_the_receipt(self, compliance):
        request = ask(by=compliance)

        clock = Deadline.objects.get(key=str(request.pk))
        assert (request.due_on, clock.due_on, clock.standing) == (date(2026, 4, 2), date(2026, 4, 2), "own_policy")
        notice = Notice.objects.get(key=str(request.pk))
        assert notice.address.reveal() == "maria@customer.example"
        assert AuditEvent.objects.get(verb="accounts.privacy_logged").facts == {
            "request": request.reference, "kind": "erasure",
        }  # fmt: skip

    def test_name_and_contact_are_sealed_under_the_requests_own_key(self):
        request = ask()

        assert SubjectKey.objects.filter(subject=request.pk).exists()
        assert str(request.name) == "••••••" and request.name.reveal() == "Maria Example"

    @pytest.mark.parametrize(
        "changes",
        [
            {"kind": "forget me"},
            {"name": " "},
            {"contact": ""},
            {"received_on": date(2999, 1, 1)},
            {"received_on": None},
        ],
    )
    def test_it_refuses_what_cannot_be(self, changes):
        given = {"kind": "access", "name": "M", "contact": "m@customer.example", "received_on": NOON.date(), **changes}

        with pytest.raises(BadField):
            privacy.log_request(**given, by=SCHEDULER, at=NOON)

        assert not PrivacyRequest.objects.exists() and not Deadline.objects.exists()

    def test_an_unknown_party_is_refused(self):
        with pytest.raises(BadField, match="PTY-NONE is not on file"):
            privacy.identify(ask(), party="PTY-NONE", how="contact", by=SCHEDULER, at=NOON)


class TestTwoSteps:
    def test_who_prepared_does_not_answer(self, compliance):
        request = privacy.prepare(ask(), by=compliance, at=LATER)

        with pytest.raises(SecondPersonNeeded):
            privacy.answer(request, shown=privacy.digest_of(request), by=compliance, at=LATER)

    def test_an_answer_comes_after_preparing_and_once(self, compliance, counsel):
        with pytest.raises(privacy.NotInThisState):
            privacy.answer(ask(), shown="", by=counsel, at=LATER)
        request = answered("access", None, compliance, counsel)

        with pytest.raises(privacy.NotInThisState, match="answered"):
            privacy.answer(request, shown=privacy.digest_of(request), by=counsel, at=LATER)
        assert request.outcome == Outcome.NOTHING_FOUND
        assert not Deadline.objects.running().filter(key=str(request.pk)).exists()

    def test_what_is_sent_back_is_prepared_anew(self, compliance, counsel):
        request = privacy.send_back(privacy.prepare(ask(), by=compliance, at=LATER), by=counsel, at=LATER)

        assert privacy.prepare(request, by=compliance, at=LATER).state == "prepared"


class TestRounds:
    """Sent back and prepared anew, in each order: two people stand behind who asks and behind the answer."""

    MIA, NOA, ODA = (Actor(kind="person", key=name, label=name) for name in ("mia", "noa", "oda"))

    def named(self, by, party=None) -> PrivacyRequest:
        party = party or make_open_account().party
        return privacy.identify(ask("access"), party=party.reference, how="contact", by=by, at=LATER)

    def agree(self, request, by) -> PrivacyRequest:
        return privacy.answer(request, shown=privacy.digest_of(request), by=by, at=LATER)

    def test_who_said_which_party_asks_does_not_agree_though_another_prepared(self):
        request = privacy.prepare(self.named(self.MIA), by=self.NOA, at=LATER)

        with pytest.raises(SecondPersonNeeded, match="You said which party asks"):
            self.agree(request, self.MIA)
        assert self.agree(request, self.ODA).outcome == Outcome.COPY_READY

    @pytest.mark.parametrize(
        ("named_anew_by", "prepared_anew_by", "agreed_by", "is_answered"),
        [
            # Mia named the party and prepared, noa sent it back. Her naming stands unless somebody names it anew.
            (None, "mia", "mia", False), (None, "mia", "noa", True), (None, "mia", "oda", True),
            (None, "noa", "mia", False), (None, "noa", "noa", False), (None, "noa", "oda", True),
            (None, "oda", "mia", False), (None, "oda", "noa", True), (None, "oda", "oda", False),
            ("noa", "noa", "mia", True), ("noa", "noa", "noa", False), ("noa", "noa", "oda", True),
            ("noa", "mia", "mia", False), ("noa", "mia", "noa", False), ("noa", "mia", "oda", True),
        ],
    )  # fmt: skip
    def test_after_a_sending_back(self, named_anew_by, prepared_anew_by, agreed_by, is_answered):
        people = {"mia": self.MIA, "noa": self.NOA, "oda": self.ODA}
        party = make_open_account().party
        request = privacy.prepare(self.named(self.MIA, party), by=self.MIA, at=LATER)
        request = privacy.send_back(request, by=self.NOA, at=LATER)
        if named_anew_by:
            given = {"party": party.reference, "how": "contact"}
            request = privacy.identify(request, **given, by=people[named_anew_by], at=LATER)
        request = privacy.prepare(request, by=people[prepared_anew_by], at=LATER + timedelta(minutes=1))

        if is_answered:
            assert self.agree(request, people[agreed_by]).state == "answered"
            return
        with pytest.raises(SecondPersonNeeded):
            self.agree(request, people[agreed_by])
        assert PrivacyRequest.objects.get().state == "prepared"

    def test_a_signature_holds_for_what_lay_before_who_agrees(self):
        """Mia takes back what noa reads, names somebody else and prepares anew: noa's answer was to the first."""
        request = privacy.prepare(self.named(self.MIA), by=self.MIA, at=LATER)
        shown = privacy.digest_of(request)
        privacy.send_back(request, by=self.MIA, at=LATER)
        privacy.identify(request, party=make_open_account().party.reference, how="contact", by=self.MIA, at=LATER)
        request = privacy.prepare(request, by=self.MIA, at=LATER + timedelta(minutes=1))

        for old in (shown, ""):
            with pytest.raises(PreparedAnew, match="Open it again"):
                privacy.answer(request, shown=old, by=self.NOA, at=LATER)
        assert PrivacyRequest.objects.get().state == "prepared"
        assert not Notice.objects.filter(kind="privacy_request_answered").exists()
        assert self.agree(request, self.NOA).state == "answered"

    def test_of_requests_from_before_the_key_was_kept_the_name_tells(self):
        request = privacy.prepare(self.named(self.MIA), by=self.NOA, at=LATER)
        PrivacyRequest.objects.update(identified_by_key="")
        request.refresh_from_db()

        with pytest.raises(SecondPersonNeeded, match="You said which party asks"):
            self.agree(request, self.MIA)
        assert self.agree(request, self.ODA).state == "answered"

    def test_the_list_of_what_waits_leaves_out_ones_own(self, compliance_user, counsel_user):
        request = self.named(counsel_user.as_actor)
        privacy.prepare(request, by=compliance_user.as_actor, at=LATER)

        assert not PrivacyRequest.objects.to_answer(counsel_user).exists()
        assert not PrivacyRequest.objects.to_answer(compliance_user).exists()
        assert PrivacyRequest.objects.to_answer(person("cleo", "legal")).get() == request


class TestFindData:
    def test_it_goes_over_everything_and_says_why_until_when(self):
        account = end(make_open_account())

        found = {each.rule: each for each in personal_data.find_data(account.party)}

        file = found["customer_file"]
        assert file.rows["accounts.party"] == file.rows["accounts.account"] == file.rows["accounts.verification"] == 1
        assert file.rows["accounts.address"] == 2 and file.rows["accounts.methodresult"] == 1
        assert (file.until, file.since) == ("2022-01-01", "2026-03-02")
        assert "2 years after it was closed" in file.why
        assert found["trail"].rows["records.auditevent"] > 5

    def test_an_account_in_use_has_no_end(self):
        (file,) = [each for each in personal_data.find_data(make_open_account().party) if each.rule == "customer_file"]

        assert "has not ended" in file.why and file.until == ""

    def test_cases_are_found_and_other_people_are_not(self):
        account, stranger = make_open_account(), make_open_account()
        make_case(account), make_case(stranger)

        found = {each.rule: each for each in personal_data.find_data(account.party)}

        assert found["case"].rows["cases.case"] == 1
        assert found["customer_file"].rows["accounts.party"] == 1

    def test_an_owner_is_not_shown_the_companys_rows(self):
        account, owner = make_company(), make_party()
        identification.add_owner(account.party, owner=owner, percent=60, by=SCHEDULER, at=NOON)

        (file,) = [each for each in personal_data.find_data(owner) if each.rule == "customer_file"]

        assert file.rows["accounts.ownershipstake"] == 1
        assert "accounts.account" not in file.rows

    def test_every_kind_of_row_is_handed_over_or_withheld_with_a_reason(self):
        reached = {model for model in deletion.guarded_models() if personal_data.paths_to_party(model)}

        listed = {model._meta.label_lower for model in person_export.HANDED_OVER} | set(person_export.WITHHELD)
        assert {model._meta.label_lower for model in reached} - {"notices.notice"} == listed
        assert all(reason.endswith(".") for reason in person_export.WITHHELD.values())


class TestErase:
    def test_what_no_rule_needs_goes_with_its_file_and_fingerprints(self, compliance, counsel):
        account = make_open_account()
        party = account.party
        kept = set(party.documents.values_list("pk", flat=True))
        before = set(party.identifiers.values_list("kind", "digest"))
        add_unneeded(party)
        unused = party.documents.exclude(pk__in=kept).get()

        request = answered("erasure", party, compliance, counsel)

        assert request.outcome == Outcome.PARTLY_ERASED
        assert list(request.erased.values()) == [1, 1, 1]
        assert set(party.documents.values_list("pk", flat=True)) == kept
        assert not IdentityDocument.objects.filter(pk=unused.pk).exists()
        assert PaymentMethod.objects.filter(party=party).count() == 1
        mails = [each.value.reveal() for each in ContactPoint.objects.filter(party=party, kind="email")]
        assert "older@customer.example" not in mails and "newer@customer.example" in mails
        newer = set(party.identifiers.values_list("kind", "digest")) - before
        assert {kind for kind, _ in newer} == {"email", "email_root"}
        assert Job.objects.filter(kind="accounts.delete_file", key=f"{party.pk}/{unused.file_sha256}").exists()
        document_files.delete_file(f"{party.pk}/{unused.file_sha256}", by=SCHEDULER, at=LATER)
        assert not document_files.path_of(party.pk, unused.file_sha256).exists()
        assert "We erased: documents we did not use." in told(request)

    def test_what_a_verification_relied_on_stays(self, compliance, counsel):
        account = make_open_account()
        rows = Identifier.objects.count()

        request = answered("erasure", account.party, compliance, counsel)

        assert (request.outcome, request.erased) == (Outcome.KEPT, {})
        assert account.party.documents.count() == 1 and Identifier.objects.count() == rows

    def test_a_file_whose_time_is_over_goes_with_a_tombstone(self, compliance, counsel):
        account = end(make_open_account())

        request = answered("erasure", account.party, compliance, counsel)

        assert request.outcome == Outcome.ERASED
        assert not Party.objects.filter(pk=account.party_id).exists()
        assert Tombstone.objects.get().name == account.reference
        assert "We destroyed all data about you" in told(request)

    @pytest.mark.parametrize("is_due", [True, False])
    def test_a_hold_keeps_everything_and_the_person_does_not_learn_of_it(self, is_due, compliance, counsel):
        account, other = make_open_account(), make_open_account()
        if is_due:
            end(account)
        add_unneeded(account.party)
        hold = holds.place_hold([account], reason="order", ground="Order 4", by=counsel, at=NOON)

        request = answered("erasure", account.party, compliance, counsel)
        without = answered("erasure", other.party, compliance, counsel)

        assert (request.outcome, request.erased) == (Outcome.KEPT, {})
        assert account.party.documents.count() == 2
        assert told(request) == told(without)
        events = AuditEvent.objects.filter(about_key=str(request.pk)).values_list("facts", flat=True)
        assert hold.reference not in json.dumps([request.findings, *events])

    @pytest.mark.parametrize("status", ["open", "confirmed"])
    def test_who_resembles_somebody_on_a_list_keeps_everything_and_learns_nothing(self, status, compliance, counsel):
        account = make_open_account()
        add_unneeded(account.party)
        make_hit(account.party, status=status)

        request = answered("erasure", account.party, compliance, counsel)

        assert request.outcome == Outcome.KEPT
        assert "list" not in told(request).lower()

    def test_two_hundred_races_with_a_hold(self, transactional_db, in_threads, compliance, counsel):
        outcomes = {Outcome.KEPT: 0, Outcome.PARTLY_ERASED: 0}
        account = make_open_account()
        party = account.party
        for number in range(200):
            payment = PaymentMethod.objects.create(
                party=party, kind="none", added_at=LATER + timedelta(hours=number), ended_at=LATER
            )

            def place():
                return holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=LATER)

            def erase():
                return personal_data.erase(Party.objects.get(pk=party.pk), by=counsel, at=LATER)

            placed, erased = in_threads(place, erase)

            assert isinstance(placed, LegalHold), placed
            is_there = PaymentMethod.objects.filter(pk=payment.pk).exists()
            assert is_there is isinstance(erased, deletion.Held), erased
            outcomes[Outcome.KEPT if is_there else Outcome.PARTLY_ERASED] += 1
            holds.release_hold(placed, reason="over", by=counsel, at=LATER)
            PaymentMethod.objects.filter(pk=payment.pk)._raw_delete("default")

        assert sum(outcomes.values()) == 200


class TestExport:
    def copy(self, request) -> dict[str, bytes]:
        with tempfile.TemporaryFile() as out:
            person_export.export_data(request, out, by=SCHEDULER, at=LATER)
            with zipfile.ZipFile(out) as archive:
                assert archive.testzip() is None
                return {name: archive.read(name) for name in archive.namelist()}

    def test_it_holds_what_is_theirs_in_clear_with_the_documents(self, compliance, counsel):
        account = make_open_account(email="maria.unusual@customer.example")
        add_unneeded(account.party)
        request = answered("access", account.party, compliance, counsel)

        copy = self.copy(request)

        (party,) = json.loads(copy["parties.json"])
        assert party["legal name"] == account.party.legal_name and party["birth date"] == "1985-05-17"
        assert "maria.unusual@customer.example" in [row["value"] for row in json.loads(copy["contact-points.json"])]
        assert json.loads(copy["notices.json"])[0]["text"].startswith("Dear")
        document = account.party.documents.exclude(file_sha256="").get()
        assert copy[f"documents/{document.reference}.png"] == png_bytes("unused")
        assert "parties.json" in copy["index.html"].decode()
        event = AuditEvent.objects.get(verb="records.exported")
        assert event.about_key == str(request.pk) and len(event.facts["sha256"]) == 64

    def test_it_says_what_the_address_of_each_access_was_judged_to_mean(self, compliance, counsel, tmp_path):
        account, path = make_open_account(), tmp_path / "vpn.txt"
        path.write_text("8.8.8.0/24\n")
        listed = address_ranges.load_ranges("vpn", path, source="Canary lists", by=SCHEDULER, at=NOON).snapshot
        access_log.import_access_lines(
            account, jsonl(event(1)), format="jsonl", file_name="log.jsonl", by=SCHEDULER, at=NOON
        )

        copy = self.copy(answered("access", account.party, compliance, counsel))

        (row,) = json.loads(copy["access-records.json"])
        assert (row["address"], row["country"], row["anonymiser"], row["special use"]) == ("8.8.8.8", "", "vpn", "")
        text = b"".join(copy.values()).decode(errors="replace")
        assert listed.reference not in text and "Canary lists" not in text

    def test_no_other_person_flag_hit_case_note_or_authority_is_in_it(self, compliance, counsel):
        account, owner = make_company(), make_party(legal_name="Olga Canary")
        identification.add_owner(account.party, owner=owner, percent=60, by=SCHEDULER, at=NOON)
        make_hit(account.party, entry_name="CANARY LISTED")
        RiskSignal.objects.create(account=account, code="canary_flag", weight=1, sentence="canary", known_at=NOON)
        legal = make_request(account, by=counsel)
        hold = holds.place_hold([account], reason="order", ground="Canary court", by=counsel, at=NOON)
        request = answered("access", account.party, compliance, counsel)

        text = b"".join(self.copy(request).values()).decode(errors="replace").lower()

        for word in ("canary", owner.reference, legal.reference, hold.reference, "0.970", "example police"):
            assert word.lower() not in text

    @pytest.mark.parametrize("kind", ["erasure", "access"])
    def test_there_is_none_before_the_answer_and_for_other_requests(self, kind, compliance, counsel):
        party = make_open_account().party
        request = ask("access", party) if kind == "access" else answered("erasure", party, compliance, counsel)

        with pytest.raises(person_export.NoCopyReady):
            person_export.export_data(request, io.BytesIO(), by=SCHEDULER, at=LATER)


class TestKeeping:
    def test_the_request_itself_goes_two_years_after_its_answer_with_its_key_and_notices(self, compliance, counsel):
        request = answered("access", None, compliance, counsel)

        def purge(day):
            return retention.purge_due(as_of=day, today=day, execute=True, by=SCHEDULER, at=NOON)

        assert purge(date(2028, 3, 3)).gone == []
        assert [stone.name for stone in purge(date(2028, 3, 4)).gone] == [request.reference]
        assert not SubjectKey.objects.filter(subject=request.pk).exists()
        assert not Notice.objects.filter(key=str(request.pk)).exists()

    def test_a_hold_on_the_party_keeps_what_it_asked(self, compliance, counsel):
        party = make_open_account().party
        answered("access", party, compliance, counsel)
        holds.place_hold([party], reason="order", ground="Order 4", by=counsel, at=NOON)

        report = retention.purge_due(
            as_of=date(2029, 1, 1), today=date(2029, 1, 1), execute=True, by=SCHEDULER, at=NOON
        )

        assert report.gone == [] and PrivacyRequest.objects.exists()

    def test_a_request_does_not_keep_the_file_it_is_about(self, compliance, counsel):
        account = end(make_open_account())
        answered("access", account.party, compliance, counsel)

        day = date(2026, 3, 5)
        report = retention.purge_due(as_of=day, today=day, execute=True, by=SCHEDULER, at=LATER)

        assert [stone.name for stone in report.gone] == [account.reference]


@pytest.mark.parametrize("outcome", Outcome)
def test_no_sentence_speaks_of_holds_lists_or_authorities(outcome):
    text = " ".join(public_sentences(outcome, ("documents we did not use",))).lower()

    assert text.endswith(".")
    assert not [word for word in ("hold on", "legal hold", "list", "court", "authorit", "sanction") if word in text]
