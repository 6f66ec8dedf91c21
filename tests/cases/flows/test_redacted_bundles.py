"""What a recipient may not see is in no byte of any file of their bundle (R52, R114)."""

import base64
import json
import re
import zlib
from pathlib import Path

import jsonschema
import pypdfium2
import pytest
import stix2
from django.conf import settings
from followthemoney import model

from accounts.flows import document_files, identification
from accounts.models import AccessBatch, AccessRecord, IdentityDocument, MethodResult
from cases.flows import bundles, review
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_cip
from tests.cases.builders import make_bundle, make_case, make_open_account
from tests.cases.formats.test_exchange_formats import VERIFIED_CLAIMS
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
NUMBER, IBAN, BIRTH, NOTE = "X1234567Z", "DE89370400440532013000", "1981-05-09", "Called the neighbour about it."
STAFF = "analyst-with-a-name"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"
    settings.PROVIDER_NAME = "Cumulus"


@pytest.fixture
def case(analyst_user):
    """A case of a person with a paper, a means of payment, a birth date, access records, a note and a verification."""
    account = make_open_account(legal_name="Maria Silence", kind="individual")
    party = account.party
    party.birth_date = BIRTH
    party.save()
    document = IdentityDocument(
        party=party, kind="passport", country="DE", added_at=NOON, added_by=STAFF, file_type="image/png",
        file_sha256=document_files.store(party.pk, b"the-image-of-the-paper"),
    )  # fmt: skip
    document.number = NUMBER
    document.save()
    identification.add_payment_method(party, kind="bank", identifier=IBAN, by=analyst_user.as_actor, at=NOON)
    batch = AccessBatch.objects.create(
        account=account, format="csv", file_name="log", sha256="ab" * 32, read_count=1, new_count=1, known_count=0,
        refused_count=0, imported_at=NOON, imported_by=STAFF,
    )  # fmt: skip
    AccessRecord.objects.create(
        account=account, batch=batch, at=NOON, kind="access", action="Login", address="203.0.113.9",
        source_system="log", event_id="1", anonymiser="vpn",
    )  # fmt: skip
    verification = account.verifications.create(
        party=party, cip_version=make_cip(), trigger="opening", status="verified", started_at=NOON, started_by=STAFF,
        started_by_key="1", concluded_at=NOON, concluded_by=STAFF,
    )  # fmt: skip
    MethodResult.objects.create(
        verification=verification, method="photo_document", result="match", source="passport", document=document,
        at=NOON, by=STAFF,
    )  # fmt: skip
    case = make_case(account, worked_by=analyst_user)
    review.add_note(case, text=NOTE, by=analyst_user.as_actor, at=NOON)
    return case


@pytest.fixture
def built(case, counsel, second_counsel):
    def build(**changes) -> Path:
        bundle = make_bundle(case, by=counsel, approved_by=second_counsel, **changes)
        bundles.build(bundle, by=SCHEDULER, at=NOON)
        return Path(settings.BUNDLE_DIR) / bundle.reference

    return build


def every_byte(folder: Path) -> str:
    """All files and their names, and what is packed in them: base64 texts, and the PDF as it is read and unpacked."""
    texts = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        texts += [path.name, data.decode("utf-8", "replace"), data.decode("latin-1")]
        texts += [_unpacked(each) for each in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", data)]
        if path.suffix == ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                texts += [page.get_textpage().get_text_bounded() for page in document]
            streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.S)
            texts += [_inflated(each) for each in streams]
    return "\n".join(texts)


def _unpacked(text: bytes) -> str:
    text = text.rstrip(b"=")
    text = text[: len(text) - (len(text) % 4 == 1)]
    return base64.b64decode(text + b"=" * (-len(text) % 4)).decode("latin-1")


def _inflated(stream: bytes) -> str:
    try:
        return zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>"))).decode("latin-1")
    except (ValueError, zlib.error):
        return ""


@pytest.mark.parametrize(
    ("changes", "removed", "kept"),
    [
        (
            {"ground": "court_order", "recipient": "court"},
            [NUMBER, IBAN, BIRTH, NOTE, "the-image-of-the-paper", "carl", STAFF],
            ["Maria Silence", "203.0.113.9", "1981"],
        ),
        ({"ground": "search_warrant", "recipient": "law_enforcement"}, ["carl", STAFF], [NUMBER, IBAN, BIRTH]),
        ({"ground": "subpoena", "recipient": "law_enforcement"}, [NUMBER, BIRTH, NOTE, '"anonymization"'], [IBAN]),
        (
            {"ground": "customer_request", "recipient": "customer"},
            [NOTE, "carl", STAFF, '"anonymization"'],
            [NUMBER, IBAN, BIRTH, "the-image-of-the-paper"],
        ),
    ],
    ids=lambda value: value["ground"] if isinstance(value, dict) else "",
)
def test_what_is_removed_is_in_no_byte_of_the_bundle(built, changes, removed, kept):
    whole = every_byte(built(**changes))

    assert [each for each in removed if each in whole] == []
    assert [each for each in kept if each not in whole] == []


def test_the_exchange_files_of_a_built_bundle_satisfy_their_judges(built):
    data = built() / "data"

    lines = (data / "exchange/parties.ftm.json").read_text().splitlines()
    for entity in map(json.loads, lines):
        model.get(entity["schema"]).validate(entity)
    stix = stix2.parse((data / "exchange/indicators.stix.json").read_text(), allow_custom=False)
    assert "indicator" in {each.type for each in stix.objects}
    [claims] = json.loads((data / "exchange/verified-claims.json").read_text())
    jsonschema.validate(claims, VERIFIED_CLAIMS, jsonschema.Draft202012Validator)
    details = claims["verified_claims"]["verification"]["evidence"][0]["document_details"]
    assert (details["document_number"], claims["verified_claims"]["claims"]["birthdate"]) == (NUMBER, BIRTH)


def test_custody_names_for_each_file_its_records_and_hands(built, case):
    data = built() / "data"

    rows = {row["path"]: row for row in json.loads((data / "custody.json").read_text())["files"]}
    document, batch = IdentityDocument.objects.get(), AccessBatch.objects.get()
    paper = rows[f"documents/{document.reference}.png"]
    assert paper["source_records"] == [f"{document.reference} {document.file_sha256}"]
    assert rows["access/records.csv"]["source_records"] == [f"{batch.reference} {batch.sha256}"]
    account = case.subjects.get().account
    assert account.reference in rows["facts/customers.json"]["source_records"]
    assert {(row["collected_by"], row["approved_by"], row["added_by"]) for row in rows.values()} == {
        ("carl", "cora", "the scheduler")
    }
    assert all(row["bytes"] == (data / path).stat().st_size for path, row in rows.items())
