"""Answers of outside verifiers in an evidence bundle: the file as it came, or a note that it is missing (R52, R114)."""

import hashlib
import json
from pathlib import Path

import pytest
from django.conf import settings

from accounts.formats.bag_reading import verify_bag
from accounts.models import ExternalAnswer
from cases.flows import bundle_files, bundles
from kyc_portal.records import keys
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.verifier import answer_to, deliver, make_check, make_verification, read
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def answer():
    check = make_check(make_verification())
    text = json.dumps(answer_to(check, their_reference="v-1"), indent=4) + "\n"
    return read(deliver(check, text))


@pytest.fixture
def built(answer, analyst_user, counsel, second_counsel):
    def build(**changes) -> Path:
        case = make_case(answer.check_asked.verification.account, worked_by=analyst_user)
        bundle = make_bundle(case, by=counsel, approved_by=second_counsel, **changes)
        bundle = bundles.build(bundle, by=SCHEDULER, at=NOON)
        return Path(settings.BUNDLE_DIR) / bundle.reference

    return build


def facts(folder: Path, name: str) -> list[dict]:
    return json.loads((folder / "data" / "facts" / f"{name}.json").read_text())


class TestAnswers:
    def test_a_regulator_gets_the_file_as_it_came_with_its_proof(self, built, answer):
        folder = built()

        data = (folder / "data" / "answers" / f"{answer.reference}.json").read_bytes()
        assert data.decode() == answer.body.reveal()
        [row] = facts(folder, "external_answers")
        assert row["sha256"] == hashlib.sha256(data).hexdigest() and row["headers"]["webhook-id"] == "msg_1"
        [asked] = facts(folder, "external_checks")
        assert json.loads(asked["question"])["legal_name"] == "Maria Silence" and asked["state"] == "answered"
        [method] = facts(folder, "methods")
        assert method["method"] == "outside_verifier" and asked["check"] in method["source"]
        told = (folder / "data" / "audit" / "events.jsonl").read_text()
        assert f"answered {asked['check']}" in told and f"read the answer to {asked['check']}" in told
        custody = json.loads((folder / "data" / "custody.json").read_text())["files"]
        [entry] = [each for each in custody if "answers/" in each["path"]]
        assert "its signature checked" in entry["origin"]
        assert verify_bag(folder, {keys.signing_key()[0]: keys.public_key_bytes()}).code in (0, 4)

    def test_it_is_approved_as_a_thing_of_its_own(self, answer, analyst_user, counsel):
        case = make_case(answer.check_asked.verification.account, worked_by=analyst_user)

        bundle = make_bundle(case, by=counsel)

        item = bundle.items.get(label="accounts.externalanswer")
        assert (item.data_class, item.sha256) == ("verification", answer.sha256)

    def test_the_customer_gets_a_note_in_its_place(self, built, answer):
        folder = built(ground="customer_request", recipient="customer")

        assert not (folder / "data" / "answers").exists()
        for file in (folder / "data").rglob("*.json"):
            assert "v-1" not in file.read_text() or "methods" in file.name

    def test_one_that_was_changed_stops_the_bundle(self, built, answer):
        ExternalAnswer.objects.filter(pk=answer.pk).update(sha256="0" * 64)

        with pytest.raises(bundle_files.FileNotWhole, match=answer.reference):
            built()
