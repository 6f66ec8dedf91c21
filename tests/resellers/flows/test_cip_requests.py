"""A reseller's CIP goes to whoever may ask for it as a signed bundle, within ten days (R4, R57)."""

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import bagit
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings as django_settings

from accounts.flows.texts import BadField
from accounts.formats.bag_reading import verify_bag
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.records import audit, bundle_folders, keys
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.templatetags.marks import clock_tone
from kyc_portal.work import queue
from resellers.flows import cip, cip_copy, cip_requests, file, findings
from resellers.models import CipRequest
from tests.at_once import needs_row_locks
from tests.builders import approve_reseller_cip, make_applicant, make_cip, make_reseller
from tests.conftest import NOON
from tests.resellers.ending import RITA, make_finding

pytestmark = pytest.mark.django_db
DAY = NOON.date()
MADE = {"by": SCHEDULER, "at": NOON}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


def ask(reseller, *, on=DAY, at=NOON, **changes) -> CipRequest:
    given = {"requester": "Bureau of Industry and Security", "requester_number": "BIS-7", **changes}
    return cip_requests.ask(reseller, requested_on=on, by=RITA, at=at, **given)


def produced(reseller, **changes) -> tuple[CipRequest, Path]:
    request = cip_requests.produce(ask(reseller, **changes).reference, **MADE)
    return request, Path(django_settings.BUNDLE_DIR) / request.reference


def table(folder: Path, name: str) -> list[dict]:
    return json.loads((folder / f"data/{name}.json").read_text())


class TestAsk:
    def test_r57_day_ten_is_the_last_good_one(self):
        reseller = make_reseller(at=NOON - timedelta(days=90))

        request = ask(reseller, on=date(2026, 3, 1))

        assert (request.due_on, request.citation.standing) == (date(2026, 3, 11), "proposed")
        assert clocks_of(request).get().due_on == date(2026, 3, 11)
        assert list(CipRequest.objects.overdue(date(2026, 3, 11))) == []
        assert list(CipRequest.objects.overdue(date(2026, 3, 12))) == [request]
        assert [clock_tone(request.due_on, date(2026, 3, day)) for day in (11, 12)] == ["warning", "danger"]
        event = AuditEvent.objects.get(verb="resellers.cip_request.asked")
        assert "Bureau" not in str(event.facts)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"requester": " "}, "Who asks is empty"),
            ({"requester": "a\x00"}, "NUL"),
            ({"on": None}, "Asked on is empty"),
            ({"on": DAY + timedelta(days=1)}, "lies in the future"),
            ({"on": DAY - timedelta(days=400)}, "more than a year ago"),
        ],
    )
    def test_what_cannot_be_is_refused_and_starts_nothing(self, changes, says):
        reseller = make_reseller()
        with pytest.raises(BadField, match=says):
            ask(reseller, **changes)

        assert not CipRequest.objects.exists()

    def test_without_a_cip_there_is_nothing_to_hand_over(self):
        with pytest.raises(cip_requests.NoCipYet, match="had handed in no CIP by"):
            ask(make_applicant())


class TestTheCopy:
    def test_the_official_validator_and_ours_find_it_whole(self):
        request, folder = produced(make_reseller())

        bag = bagit.Bag(str(folder))
        assert bag.validate() and bag.info["External-Identifier"] == request.reference
        command = [sys.executable, "-m", "bagit", "--validate", str(folder)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        verdict = verify_bag(folder, {keys.signing_key()[0]: keys.public_key_bytes()}, True, request.sha256)
        assert (verdict.code, request.state, request.payload_count) == (0, "produced", len(bag.payload_entries()))

    def test_its_signature_is_checked_without_any_code_of_ours(self, tmp_path):
        _, folder = produced(make_reseller())
        document = json.loads((folder / "signature.json").read_text())
        signature = bytes.fromhex(document.pop("signature"))
        statement = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

        Ed25519PublicKey.from_public_bytes(keys.public_key_bytes()).verify(signature, statement)
        for name, digest in document["signed"].items():
            algorithm = name.removesuffix(".txt").rpartition("-")[2]
            assert hashlib.new(algorithm, (folder / name).read_bytes()).hexdigest() == digest

        if shutil.which("openssl") is None:
            pytest.skip("OpenSSL is not installed here.")
        der = bytes.fromhex("302a300506032b6570032100") + bytes.fromhex(document["public_key"])
        for name, content in (("key.der", der), ("statement", statement), ("signature", signature)):
            (tmp_path / name).write_bytes(content)
        checked = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-in",
             "statement", "-sigfile", "signature"], cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stderr

    def test_one_changed_byte_is_seen(self):
        request, folder = produced(make_reseller())
        (folder / "data/versions.csv").write_bytes((folder / "data/versions.csv").read_bytes() + b" ")

        verdict = verify_bag(folder, {keys.signing_key()[0]: keys.public_key_bytes()}, True, request.sha256)

        assert verdict.code == 1
        with pytest.raises(bagit.BagValidationError):
            bagit.Bag(str(folder)).validate()

    def test_it_holds_versions_judgements_contract_findings_and_plans(self):
        reseller = make_reseller()
        finding = make_finding(reseller)
        findings.plan_cure(finding, plan="=We look at all of them.", by=RITA, at=NOON)

        _, folder = produced(reseller)

        (version,) = table(folder, "versions")
        assert (version["state"], version["whose_text"]) == ("approved", "its own text")
        assert (folder / "data" / version["file"]).read_text() == "We look."
        assert hashlib.sha256(b"We look.").hexdigest() == version["sha256"]
        assert {row["found"] for row in table(folder, "judgements")} == {"met"}
        assert [row["number"] for row in table(folder, "contracts")] == ["C-1"]
        assert [row["there_for"] for row in table(folder, "contacts")] == ["answers for its CIP"]
        (told,) = table(folder, "findings")
        assert (told["plan"], told["state"]) == ("=We look at all of them.", "cure planned")
        rows = list(csv.DictReader(io.StringIO((folder / "data/findings.csv").read_bytes().decode(), newline="")))
        assert rows[0]["plan"] == "'=We look at all of them."
        listed = json.loads((folder / "data/custody.json").read_text())["files"]
        custody = {row["path"]: row["sha256"] for row in listed}
        for path, digest in custody.items():
            assert hashlib.sha256((folder / "data" / path).read_bytes()).hexdigest() == digest
        assert {"about.json", "index.html", "versions.json"} <= set(custody)

    def test_people_and_evidence_are_left_out_and_that_is_said(self):
        reseller = make_reseller()
        make_finding(reseller)

        _, folder = produced(reseller)

        whole = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
        for word in ("Olga", "olga@reseller.example", "Two of ten files", "rita", "first of the desk"):
            assert word not in whole, word
        about = json.loads((folder / "data/about.json").read_text())
        assert about["left_out"] == list(cip_copy.WITHHELD)
        assert (about["requester"], about["due_on"]) == ("Bureau of Industry and Security", "2026-03-12")

    def test_one_that_adopts_ours_is_handed_over_with_our_words(self):
        reseller = make_applicant()
        make_cip()
        adopted = cip.adopt_provider_cip(reseller, agreement="A-1", agreed_on=DAY, by=SCHEDULER, at=NOON)
        approve_reseller_cip(adopted)

        _, folder = produced(reseller)

        (version,) = table(folder, "versions")
        assert (version["agreement"], version["whose_text"]) == ("A-1", "ours, adopted by agreement")
        assert (folder / "data" / version["file"]).read_text() == "How we verify."

    def test_it_speaks_of_the_day_of_the_request_whatever_came_later(self):
        reseller = make_reseller()
        later = NOON + timedelta(days=3)
        request = ask(reseller)
        approve_reseller_cip(cip.submit_cip(reseller, title="Second", text="Better.", by=RITA, at=later), at=later)
        file.record_contract(reseller, number="C-2", from_on=later.date(), to_on=None, by=RITA, at=later)
        make_finding(reseller, at=later)

        cip_requests.produce(request.reference, by=SCHEDULER, at=later)

        folder = Path(django_settings.BUNDLE_DIR) / request.reference
        assert [(row["version"], row["state"]) for row in table(folder, "versions")] == [(1, "approved")]
        assert [row["number"] for row in table(folder, "contracts")] == ["C-1"]
        assert table(folder, "findings") == []

    def test_a_request_noted_later_speaks_of_the_end_of_its_own_day(self):
        reseller = make_reseller()
        request = ask(reseller, at=NOON + timedelta(days=2))

        assert cip_requests.moment_of(request) == datetime(2026, 3, 3, tzinfo=UTC)
        assert cip_requests.moment_of(ask(reseller)) == NOON


class TestProduce:
    def test_the_request_wakes_a_worker_who_makes_it_once(self):
        request = ask(make_reseller())

        queue.run_due(NOON)
        cip_requests.produce(request.reference, by=SCHEDULER, at=NOON + timedelta(hours=1))

        request.refresh_from_db()
        assert (request.state, request.produced_at) == ("produced", NOON)
        assert AuditEvent.objects.filter(verb="resellers.cip_request.produced").count() == 1

    @pytest.mark.parametrize("seam", ["write", "event", "place"])
    def test_a_killed_worker_leaves_nothing_on_offer(self, monkeypatch, seam):
        class Killed(BaseException):
            pass

        def dies(*args, **given):
            raise Killed

        request = ask(make_reseller())
        place, name = {
            "write": (cip_copy, "render_to_string"), "event": (audit, "record"),
            "place": (cip_requests, "put_in_place"),
        }[seam]  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(place, name, dies)
            with pytest.raises(Killed):
                cip_requests.produce(request.reference, **MADE)

        request.refresh_from_db()
        root = Path(django_settings.BUNDLE_DIR)
        assert (request.state, request.sha256) == ("asked", "")
        assert [path.name for path in root.iterdir()] == [".building"]
        with pytest.raises(bundle_folders.NotBuilt, match="not produced yet"):
            cip_requests.note_download(request, by=RITA, at=NOON)
        cip_requests.produce(request.reference, **MADE)
        assert bagit.Bag(str(root / request.reference)).validate()

    def test_one_killed_after_the_rename_and_before_the_commit_is_made_anew(self, monkeypatch):
        class Killed(BaseException):
            pass

        def puts_and_dies(folder, reference):
            bundle_folders.put_in_place(folder, reference)
            raise Killed

        request = ask(make_reseller())
        with monkeypatch.context() as patch:
            patch.setattr(cip_requests, "put_in_place", puts_and_dies)
            with pytest.raises(Killed):
                cip_requests.produce(request.reference, **MADE)
        request.refresh_from_db()
        with pytest.raises(bundle_folders.NotBuilt):
            cip_requests.note_download(request, by=RITA, at=NOON)

        request = cip_requests.produce(request.reference, **MADE)

        assert cip_requests.note_download(request, by=RITA, at=NOON).name == request.reference

    def test_what_failed_five_times_can_be_made_again(self, monkeypatch):
        request = ask(make_reseller())
        with monkeypatch.context() as patch:
            patch.setattr(cip_requests, "_write", lambda *args, **given: 1 / 0)
            for hour in range(1, 8):
                queue.run_due(NOON + timedelta(hours=hour))
        assert cip_requests.has_given_up(request)

        cip_requests.produce_again(request, by=RITA, at=NOON + timedelta(hours=9))
        queue.run_due(NOON + timedelta(hours=9))

        request.refresh_from_db()
        assert request.state == "produced" and not cip_requests.has_given_up(request)

    def test_handed_over_the_clock_stops(self):
        request, _ = produced(make_reseller())

        request = cip_requests.note_sent(request, channel="form", by=RITA, at=NOON)

        assert (request.state, request.sent_by) == ("sent", "rita")
        assert not clocks_of(request).exists()
        with pytest.raises(cip_requests.WrongState, match="handed over, so it cannot"):
            cip_requests.note_sent(request, channel="form", by=RITA, at=NOON)

    def test_what_is_not_made_cannot_be_handed_over(self):
        with pytest.raises(cip_requests.WrongState, match="being produced"):
            cip_requests.note_sent(ask(make_reseller()), channel="form", by=RITA, at=NOON)

    def test_an_exchanged_bundle_is_not_given_out(self):
        request, folder = produced(make_reseller())
        (folder / "tagmanifest-sha256.txt").write_text("exchanged")

        with pytest.raises(bundle_folders.NotBuilt, match="missing or were changed"):
            cip_requests.note_download(request, by=RITA, at=NOON)
        assert not AuditEvent.objects.filter(verb="resellers.cip_request.downloaded").exists()


class TestTheFolders:
    def test_each_night_a_missing_one_is_named(self):
        request, folder = produced(make_reseller())
        assert cip_requests.reconcile() == {"removed": 0, "missing": 0}
        shutil.rmtree(folder)

        with pytest.raises(cip_requests.CopiesMissing, match=request.reference):
            cip_requests.reconcile()

    def test_only_a_copy_can_be_deleted(self):
        _, folder = produced(make_reseller())

        with pytest.raises(ValueError, match="no reference"):
            cip_requests.delete_files("../x", **MADE)
        cip_requests.delete_files(folder.name, **MADE)

        assert not folder.exists()


class TestParts:
    def test_another_part_stands_in_every_copy_from_now_on(self, monkeypatch):
        monkeypatch.setattr(cip_copy, "_PARTS", [*cip_copy.parts()])
        rows = [{"of_year": 2026}]
        cip_copy.add_part(cip_copy.Part("attestations", "Attestations", ("of_year",), lambda reseller, moment: rows))

        _, folder = produced(make_reseller())

        assert table(folder, "attestations") == rows
        assert "Attestations" in (folder / "data/index.html").read_text()
        with pytest.raises(ValueError, match="named versions"):
            cip_copy.add_part(cip_copy.parts()[0])


@pytest.mark.usefixtures("triggers_lifted_for_flush")
@needs_row_locks
def test_two_workers_make_one_copy(in_threads):
    request = ask(make_reseller())

    told = in_threads(*[lambda: cip_requests.produce(request.reference, **MADE)] * 2)

    request.refresh_from_db()
    assert request.state == "produced", told
    assert AuditEvent.objects.filter(verb="resellers.cip_request.produced").count() == 1
    assert bagit.Bag(str(Path(django_settings.BUNDLE_DIR) / request.reference)).validate()
