import base64
import csv
import hashlib
import json
import os
import threading
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import bagit
import pypdfium2
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.flows import document_files, identification, verification
from accounts.formats.bag_reading import verify_bag
from accounts.models import AccessBatch, AccessRecord, IdentityDocument
from cases import tasks
from cases.flows import (
    bundle_files,
    bundle_preview,
    bundle_redactions,
    bundle_shown,
    bundles,
    decisions,
    legal_requests,
    review,
)
from cases.models import Bundle
from cases.rules.disclosure import NotCovered
from cases.rules.stages import LegalRequestState
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records import keys
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.work.models import Job, JobState
from tests.builders import make_cip
from tests.cases.builders import (
    approve_seen,
    make_bundle,
    make_case,
    make_open_account,
    make_request,
    put_on_file,
    validated,
)
from tests.conftest import NOON, person

FORMULA = '=HYPERLINK("http://example.invalid","x")'
MILLISECOND = timedelta(milliseconds=1)
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


def make_full_account(**changes):
    """An account with a document with its file, access records and a name that a spreadsheet would run."""
    account = make_open_account(**{"legal_name": FORMULA, **changes})
    document = IdentityDocument(
        party=account.party, kind="passport", country="DE", added_at=NOON, added_by="ana", file_type="image/png",
        file_sha256=document_files.store(account.party_id, b"the original"),
    )  # fmt: skip
    document.number = "X1234567Z"
    document.save()
    batch = AccessBatch.objects.create(
        account=account, format="cloudtrail", file_name="log", sha256="ab" * 32, read_count=2, new_count=2,
        known_count=0, refused_count=0, imported_at=NOON, imported_by="ana",
    )  # fmt: skip
    AccessRecord.objects.bulk_create(
        AccessRecord(
            account=account, batch=batch, at=NOON + timedelta(minutes=number), kind="access", action="Login",
            address="203.0.113.9", source_system="log", event_id=str(number),
        )
        for number in range(2)
    )  # fmt: skip
    return account


@pytest.fixture
def full_case(analyst_user, lead):
    """A decided case of a full account, with a note."""
    account = make_full_account()
    case = make_case(account, "confirmed_list_hit", worked_by=analyst_user)
    review.add_note(case, text="Called the customer.", by=analyst_user.as_actor, at=NOON)
    decision = decisions.propose(
        case, account=account, outcome="block", reason="list_match_confirmed", by=analyst_user.as_actor, at=NOON
    )
    decisions.countersign(decision, by=lead, at=NOON)
    case.refresh_from_db()
    return case


@pytest.fixture
def built(full_case, counsel, second_counsel):
    def build(**changes) -> tuple[Bundle, Path]:
        bundle = make_bundle(full_case, by=counsel, approved_by=second_counsel, **changes)
        bundle = bundles.build(bundle, by=SCHEDULER, at=LATER)
        return bundle, Path(settings.BUNDLE_DIR) / bundle.reference / "data"

    return build


def facts(data: Path, name: str) -> list[dict]:
    return json.loads((data / "facts" / f"{name}.json").read_text())


def everything_readable(data: Path) -> str:
    """The text of every file of a payload, of the PDF as pdfium reads it."""
    texts = [path.read_text() for path in data.rglob("*") if path.is_file() and path.suffix not in (".png", ".pdf")]
    with pypdfium2.PdfDocument(data / "cover.pdf") as document:
        texts += [page.get_textpage().get_text_bounded() for page in document]
    return "\n".join(texts)


@pytest.mark.django_db
class TestCollect:
    def test_it_lists_what_the_ground_covers(self, full_case, counsel):
        bundle = make_bundle(full_case, ground="subpoena", recipient="law_enforcement", by=counsel)

        classes = set(bundle.items.values_list("data_class", flat=True))
        assert classes == {"subscriber", "access", "custody", "audit"}

    def test_it_lists_more_for_a_regulator(self, full_case, counsel):
        bundle = make_bundle(full_case, by=counsel)

        document = IdentityDocument.objects.get()
        assert bundle.items.get(label="accounts.identitydocument").sha256 == document.file_sha256
        assert {"risk", "decisions"} <= set(bundle.items.values_list("data_class", flat=True))

    def test_a_preservation_hands_nothing_over(self, full_case, counsel):
        with pytest.raises(NotCovered, match="hands nothing over"):
            make_bundle(full_case, ground="preservation", recipient="law_enforcement", by=counsel)

    def test_it_refuses_a_recipient_the_ground_does_not_name(self, full_case, counsel):
        with pytest.raises(NotCovered):
            make_bundle(full_case, ground="subpoena", recipient="customer", by=counsel)

    @pytest.mark.parametrize("state", ["received", "challenged", "lapsed", "rejected"])
    def test_it_refuses_a_ground_no_request_in_order_gives_and_names_what_is_on_file(self, full_case, counsel, state):
        request = put_on_file(full_case, ground="subpoena", state=LegalRequestState(state))

        with pytest.raises(legal_requests.NotOnFile, match=rf"{request.reference} \(subpoena, {state}\)"):
            bundles.collect(full_case, ground="subpoena", recipient="court", by=counsel, at=NOON)

        assert not Bundle.objects.exists()

    @pytest.mark.parametrize("state", ["validated", "preserving", "renewed", "process_served"])
    def test_it_takes_the_ground_of_a_request_in_order(self, full_case, counsel, state):
        put_on_file(full_case, ground="subpoena", state=LegalRequestState(state))

        bundle = bundles.collect(full_case, ground="subpoena", recipient="court", by=counsel, at=NOON)

        assert (bundle.state, bundle.ground) == ("collected", "subpoena")

    def test_it_refuses_another_ground_than_the_one_on_file(self, full_case, counsel):
        put_on_file(full_case, ground="subpoena")

        with pytest.raises(legal_requests.NotOnFile, match="no validated request on the ground “search warrant”"):
            bundles.collect(full_case, ground="search_warrant", recipient="court", by=counsel, at=NOON)

    def test_it_refuses_what_rests_on_a_request_of_another_case(self, full_case, counsel):
        put_on_file(make_case(), ground="subpoena")

        with pytest.raises(legal_requests.NotOnFile, match="On file: no request"):
            bundles.collect(full_case, ground="subpoena", recipient="court", by=counsel, at=NOON)

    def test_it_names_nobody_in_its_items(self, full_case, counsel):
        bundle = make_bundle(full_case, by=counsel)

        assert FORMULA not in str(list(bundle.items.values_list("name", flat=True)))


@pytest.mark.django_db
class TestApprove:
    def test_it_needs_another_person(self, full_case, counsel):
        bundle = make_bundle(full_case, by=counsel)

        with pytest.raises(SecondPersonNeeded):
            approve_seen(bundle, by=counsel, at=NOON)

    def test_it_refuses_when_the_request_was_rejected_meanwhile(self, counsel, second_counsel):
        request = validated(make_request(ground="subpoena", by=counsel), by=counsel, at=NOON)
        bundle = bundles.collect(request.case, ground="subpoena", recipient="court", by=counsel, at=NOON)
        legal_requests.reject(request, why="taken_back", by=counsel, at=NOON)

        with pytest.raises(legal_requests.NotOnFile, match="subpoena, rejected"):
            approve_seen(bundle, by=second_counsel, at=NOON)

    def test_it_needs_a_person(self, full_case, counsel):
        bundle = make_bundle(full_case, by=counsel)

        with pytest.raises(SecondPersonNeeded):
            approve_seen(bundle, by=Actor("operator", "os:root", "operator root"), at=NOON)

    def test_who_did_not_look_does_not_approve(self, full_case, counsel, second_counsel):
        bundle = make_bundle(full_case, by=counsel)
        digest = bundle_preview.look(bundle, by=counsel, at=NOON).digest

        with pytest.raises(bundles.NotWhatWasSeen, match="have not opened the preview"):
            bundles.approve(bundle, shown=digest, by=second_counsel, at=NOON)

        bundle.refresh_from_db()
        assert (bundle.state, bundle.approved_sha256) == ("collected", "")

    def test_a_look_at_what_it_was_before_is_none(self, full_case, counsel, second_counsel):
        bundle = make_bundle(full_case, by=counsel)
        seen = bundle_preview.look(bundle, by=second_counsel, at=NOON).digest
        bundle_redactions.redact(
            bundle, place="facts/customers, row 1, product", code="L1", reason="Privileged.", by=counsel, at=NOON
        )

        with pytest.raises(bundles.NotWhatWasSeen, match="has changed since you opened this page"):
            bundles.approve(bundle, shown=seen, by=second_counsel, at=NOON)
        with pytest.raises(bundles.NotWhatWasSeen, match="have not opened the preview"):
            bundles.approve(bundle, shown=bundle_shown.digest_of(bundle), by=second_counsel, at=NOON)

    def test_it_keeps_the_hash_of_what_was_seen(self, full_case, counsel, second_counsel):
        bundle = make_bundle(full_case, by=counsel)
        seen = bundle_preview.look(bundle, by=second_counsel, at=NOON).digest

        assert bundles.approve(bundle, shown=seen, by=second_counsel, at=NOON).approved_sha256 == seen
        assert AuditEvent.objects.get(verb="cases.bundle_previewed").facts["digest"] == seen

    def test_what_was_set_aside_is_not_approved(self, full_case, counsel, second_counsel):
        bundle = bundles.set_aside(make_bundle(full_case, by=counsel), by=counsel, at=NOON)

        with pytest.raises(MoveNotAllowed):
            approve_seen(bundle, by=second_counsel, at=NOON)


@pytest.mark.django_db
class TestBuild:
    def test_it_passes_the_official_validation(self, built):
        bundle, data = built()

        bag = bagit.Bag(str(data.parent))
        bag.validate()
        assert bag.info["External-Identifier"] == bundle.reference
        assert (bundle.state, bundle.payload_count) == ("built", len(bag.payload_entries()))

    def test_it_is_whole_for_our_own_verifier(self, built):
        bundle, data = built()

        verdict = verify_bag(data.parent, {keys.signing_key()[0]: keys.public_key_bytes()}, True, bundle.digest)

        assert (verdict.code, "Whole" in verdict.line) == (0, True)

    def test_it_refuses_to_build_what_nobody_approved(self, full_case, counsel):
        with pytest.raises(MoveNotAllowed):
            bundles.build(make_bundle(full_case, by=counsel), by=SCHEDULER, at=LATER)

    def test_it_holds_the_originals_decrypted(self, built):
        _, data = built()

        document = IdentityDocument.objects.get()
        assert (data / "documents" / f"{document.reference}.png").read_bytes() == b"the original"

    def test_it_neutralises_formulas_in_csv_and_only_there(self, built):
        _, data = built()

        rows = list(csv.DictReader((data / "facts/customers.csv").read_text().splitlines()))
        assert rows[0]["legal_name"] == f"'{FORMULA}"
        assert facts(data, "customers")[0]["legal_name"] == FORMULA

    def test_it_says_moments_in_utc(self, built, full_case):
        subject = full_case.subjects.get()
        last = AccessRecord.objects.filter(account=subject.account).latest("at")
        AccessRecord.objects.filter(pk=last.pk).update(at=NOON.astimezone(ZoneInfo("Asia/Kolkata")) + 250 * MILLISECOND)
        with timezone.override("America/New_York"):
            _, data = built()

        records = [json.loads(line) for line in (data / "access/records.jsonl").read_text().splitlines()]
        rows = list(csv.DictReader((data / "access/records.csv").read_text().splitlines()))
        assert [row["at"] for row in records] == ["2026-03-02T12:00:00Z", "2026-03-02T12:00:00.250000Z"]
        assert [row["at"] for row in rows] == [row["at"] for row in records]

    def test_it_tells_the_way_of_every_file(self, built):
        _, data = built()

        custody = {row["path"]: row for row in json.loads((data / "custody.json").read_text())["files"]}
        present = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
        assert set(custody) == present - {"custody.json", "custody.csv"}
        assert all(
            hashlib.sha256((data / path).read_bytes()).hexdigest() == row["sha256"] for path, row in custody.items()
        )
        assert {row["added_by"] for row in custody.values()} == {"the scheduler"}

    def test_its_page_refers_to_nothing_outside(self, built):
        _, data = built()

        page = (data / "index.html").read_text()
        assert "//" not in page.replace("http://example.invalid", "")
        assert "<script" not in page and "style=" not in page and "<style" not in page
        assert "=HYPERLINK(&quot;" in page

    def test_a_subpoena_gets_when_and_from_where_and_not_what_was_done(self, built):
        _, data = built(ground="subpoena", recipient="law_enforcement")

        rows = [json.loads(line) for line in (data / "access/records.jsonl").read_text().splitlines()]
        assert {(row["action"], row["principal"], row["event_id"]) for row in rows} == {("[redacted L2]",) * 3}
        assert all(row["at"] and row["address"] for row in rows)
        assert "L2" in {note["code"] for note in json.loads((data / "redactions.json").read_text())}

    def test_its_cover_says_what_it_answers_but_to_the_customer(self, built):
        bundle, data = built()
        _, own = built(ground="customer_request", recipient="customer")

        page, theirs = (data / "index.html").read_text(), everything_readable(own)
        assert f"{bundle.request.reference} of {bundle.request.authority}" in page
        assert "all that the ground allows" in page
        assert bundle.request.authority not in theirs and "Asked for" not in theirs

    def test_its_audit_excerpt_can_be_proven(self, built):
        _, data = built()

        lines = [json.loads(line) for line in (data / "audit/events.jsonl").read_text().splitlines()]
        by_verb = {line["verb"]: line for line in lines}
        event = AuditEvent.objects.get(verb="accounts.blocked")
        assert base64.b64decode(by_verb["accounts.blocked"]["canonical"]) == bytes(event.canonical)
        assert by_verb["cases.bundle_approved"]["actor"] == "cora"
        assert {line["verb"] for line in lines}.isdisjoint({"cases.request_logged", "records.hold.placed"})

    def test_r33_the_answers_of_the_checks_go_along_with_source_and_evidence(self, full_case, built):
        account = full_case.subjects.get().account
        make_cip()
        under_way = verification.start(account, account.party, trigger="doubt", by=SCHEDULER, at=NOON)

        _, data = built()

        rows = facts(data, "checks")
        assert len(rows) == under_way.checks.count() > 3
        emails = next(row for row in rows if row["check"] == "emails")
        kept = under_way.checks.get(code="emails")
        assert (emails["outcome"], emails["evidence"], emails["source"]) == ("passed", kept.evidence, kept.source)
        stated = next(row for row in rows if row["check"] == "stated")
        assert stated["file_sha256"] == IdentityDocument.objects.get().file_sha256

    def test_it_shortens_numbers_for_a_court(self, built):
        _, data = built(ground="court_order", recipient="court")

        assert facts(data, "documents")[0]["number"] == "…567Z [redacted P1]"
        assert not (data / "documents").exists()
        assert {"P1", "P4", "S1"} <= {note["code"] for note in json.loads((data / "redactions.json").read_text())}

    def test_staff_stay_unnamed_to_the_police_also_in_the_trail(self, built):
        _, data = built(ground="search_warrant", recipient="law_enforcement")

        lines = [json.loads(line) for line in (data / "audit/events.jsonl").read_text().splitlines()]
        whole = "".join(path.read_text() for path in data.rglob("*") if path.suffix in (".json", ".csv", ".jsonl"))
        assert {"[redacted P4]", "the scheduler"} == {line["actor"] for line in lines}
        assert all(line["canonical"] == "" for line in lines if line["actor"] == "[redacted P4]")
        assert '"ana"' not in whole and ",ana," not in whole
        assert "Called the customer." in whole

    def test_a_customer_is_never_told_of_a_list(self, built):
        _, data = built(ground="customer_request", recipient="customer")

        whole = everything_readable(data)
        assert facts(data, "restrictions")[0]["level"] == "suspended"
        assert facts(data, "decisions")[0]["told"].startswith("Your account cannot be used for now.")
        assert not {"list_match", "blocked", "sanction", "screen", "hit"} & set(whole.lower().replace('"', " ").split())
        assert "list_match_confirmed" not in whole and "[redacted S2]" not in whole

    def test_a_reason_goes_only_where_decisions_may_go(self, built):
        _, data = built(ground="subpoena", recipient="law_enforcement")

        assert "list_match_confirmed" not in (data / "audit/events.jsonl").read_text()
        assert not (data / "facts/decisions.json").exists()

    def test_it_brings_no_more_than_was_approved(self, full_case, counsel, second_counsel):
        bundle = make_bundle(full_case, by=counsel, approved_by=second_counsel)
        account = full_case.subjects.get().account
        identification.add_payment_method(
            account.party, kind="bank", identifier="DE89370400440532013000", by=counsel, at=NOON
        )

        bundles.build(bundle, by=SCHEDULER, at=LATER)

        assert not (Path(settings.BUNDLE_DIR) / bundle.reference / "data/facts/payments.json").exists()

    def test_it_writes_nothing_personal_into_the_trail(self, built):
        built()

        assert FORMULA not in str(list(AuditEvent.objects.values_list("facts", "about_name")))


@pytest.mark.django_db
class TestFailing:
    def test_a_failed_build_leaves_nothing_and_is_tried_again(self, full_case, counsel, second_counsel):
        bundle = make_bundle(full_case, by=counsel, approved_by=second_counsel)
        document = IdentityDocument.objects.get()
        path = document_files.path_of(document.party_id, document.file_sha256)
        kept = path.read_bytes()
        path.unlink()

        first = bundles.build_approved(by=SCHEDULER, at=LATER)
        bundle.refresh_from_db()
        assert (first, bundle.state) == ({"done": 0, "failed": 1}, "failed")
        assert os.listdir(settings.BUNDLE_DIR) == [".building"]

        path.write_bytes(kept)
        assert bundles.build_approved(by=SCHEDULER, at=LATER) == {"done": 0, "failed": 0}  # too soon
        assert bundles.build_approved(by=SCHEDULER, at=LATER + timedelta(hours=1)) == {"done": 1, "failed": 0}
        assert Job.objects.get(kind="cases.build_bundle").state == JobState.DONE

    def test_it_refuses_another_file_under_the_same_name(self, full_case, counsel, second_counsel, monkeypatch):
        bundle = make_bundle(full_case, by=counsel, approved_by=second_counsel)
        monkeypatch.setattr(document_files, "read", lambda subject, sha256: b"something else")

        with pytest.raises(bundle_files.FileNotWhole, match="DOC-"):
            bundles.build(bundle, by=SCHEDULER, at=LATER)

    def test_a_killed_build_leaves_no_half_bundle(self, full_case, counsel, second_counsel, monkeypatch):
        bundle = make_bundle(full_case, by=counsel, approved_by=second_counsel)

        class Killed(BaseException):
            pass

        def dies(*args):
            raise Killed

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(document_files, "read", dies)
            bundles.build(bundle, by=SCHEDULER, at=LATER)

        bundle.refresh_from_db()
        assert bundle.state == "approved"
        assert not (Path(settings.BUNDLE_DIR) / bundle.reference).exists()
        assert tasks.build_approved_bundles(at=LATER.isoformat()) == {"done": 1, "failed": 0}

    def test_it_replaces_what_a_worker_left_that_died_before_its_commit(self, full_case, counsel, second_counsel):
        bundle = make_bundle(full_case, by=counsel, approved_by=second_counsel)
        orphan = Path(settings.BUNDLE_DIR) / bundle.reference
        orphan.mkdir(parents=True)
        (orphan / "old").write_text("old")

        bundles.build(bundle, by=SCHEDULER, at=LATER)

        assert not (orphan / "old").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("triggers_lifted_for_flush", "roles_there")
class TestTwoWorkersAtOnce:
    def test_one_builds_and_the_other_stands_back(self):
        counsel, second = person("cid", "legal").as_actor, person("cyd", "legal").as_actor
        bundle = make_bundle(make_case(make_full_account()), by=counsel, approved_by=second)
        gate, told = threading.Barrier(2), []

        def build():
            try:
                gate.wait(10)
                told.append(bundles.build(bundle, by=SCHEDULER, at=LATER).state)
            except (bundles.BeingBuilt, MoveNotAllowed) as refusal:
                told.append(type(refusal).__name__)
            finally:
                connection.close()

        threads = [threading.Thread(target=build) for _ in range(2)]
        [thread.start() for thread in threads]
        [thread.join(60) for thread in threads]

        assert sorted(told)[-1] == "built" and told.count("built") == 1
        assert AuditEvent.objects.filter(verb="cases.bundle_built").count() == 1
        assert verify_bag(Path(settings.BUNDLE_DIR) / bundle.reference, {}).code == 3


@pytest.mark.django_db
class TestHandingOver:
    def test_it_keeps_the_receipt(self, built, counsel):
        bundle, _ = built()

        bundle = bundles.hand_over(bundle, by=counsel, at=LATER)
        receipt = bundles.acknowledge(bundle, received_by="Registry", received_on=LATER.date(), by=counsel, at=LATER)

        assert (receipt.bundle.state, receipt.received_by) == ("receipted", "Registry")

    def test_it_refuses_a_receipt_from_tomorrow(self, built, counsel):
        bundle = bundles.hand_over(built()[0], by=counsel, at=LATER)

        with pytest.raises(bundles.BadReceipt, match="has not come"):
            bundles.acknowledge(
                bundle, received_by="Registry", received_on=LATER.date() + timedelta(days=1), by=counsel, at=LATER
            )


@pytest.mark.django_db
class TestDeleteFiles:
    def test_it_removes_a_bundles_folder(self, built):
        bundle, data = built()

        bundles.delete_files(bundle.reference, by=SCHEDULER, at=LATER)
        bundles.delete_files(bundle.reference, by=SCHEDULER, at=LATER)

        assert not data.parent.exists()

    @pytest.mark.parametrize("key", ["..", "../secret", "BDL-2222-2222/..", "", "/etc", "bdl-2222-2222"])
    def test_it_never_leaves_the_bundles_folder(self, key):
        with pytest.raises(ValueError, match="no reference"):
            bundles.delete_files(key, by=SCHEDULER, at=LATER)
