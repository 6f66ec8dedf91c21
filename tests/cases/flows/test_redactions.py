"""Redaction by recipient, ground and hand; approval of the very words; what is taken out occurs nowhere (R52, R114)."""

import base64
import io
import json
import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.flows import document_files, identification
from accounts.formats.upload import UploadRefused
from accounts.models import AccessRecord, Party, PaymentMethod
from cases.flows import bundle_reasons, bundle_redactions, bundle_shown, bundles
from cases.models import Bundle
from cases.rules.redaction import BY_GROUND, EXEMPTION_CITATIONS, Exemption, redacted
from kyc_portal.four_eyes import SecondPersonNeeded
from kyc_portal.policy.models import Citation
from kyc_portal.records.refs import SCHEDULER
from tests.builders import png_bytes
from tests.cases.builders import approve_seen, make_bundle, make_case
from tests.cases.flows.test_bundles import make_full_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def account():
    """With a document as a picture and a payment; its access records name nobody."""
    account = make_full_account(legal_name="Paula Person")
    identification.add_document(
        account.party, kind="passport", number="X1234567Z", country="DE", file=io.BytesIO(png_bytes("Paula")),
        file_name="p.png", by=SCHEDULER, at=NOON,
    )  # fmt: skip
    identification.add_payment_method(
        account.party, kind="bank", identifier="DE89370400440532013000", institution="Bank", country="DE",
        holder="Paula Person", source="salary", by=SCHEDULER, at=NOON,
    )  # fmt: skip
    return account


@pytest.fixture
def collected(account, counsel):
    def collect(ground="regulator_request", recipient="regulator") -> Bundle:
        return make_bundle(make_case(account), ground=ground, recipient=recipient, by=counsel)

    return collect


def every_byte(bundle: Bundle) -> bytes:
    """All files of a built bundle, names included, and what they hold in base64."""
    files = [path for path in bundles.folder_of(bundle).rglob("*") if path.is_file()]
    found = b"\n".join(path.name.encode() + b"\n" + path.read_bytes() for path in files)
    return found + b"\n".join(base64.b64decode(match + b"=" * (-len(match) % 4)) for match in BASE64.findall(found))


def place_of(bundle: Bundle, table: str, column: str) -> str:
    shown = next(each for each in bundle_shown.Shown.of(bundle).tables if each.name == table)
    return bundle_shown.place_of(shown, 1, column)


def take_out(bundle, place, by, *, code="P2", reason="It is about somebody else.", copy=None):
    return bundle_redactions.redact(bundle, place=place, code=code, reason=reason, copy=copy, by=by, at=NOON)


def build(bundle, by) -> Bundle:
    return bundles.build(approve_seen(bundle, by=by, at=NOON), by=SCHEDULER, at=LATER)


def log_of(bundle) -> list[dict]:
    return json.loads((bundles.folder_of(bundle) / "data/redactions.json").read_text())


class TestCodes:
    @pytest.mark.parametrize("code", Exemption)
    def test_each_has_a_citation_with_its_trust_mark(self, code):
        citation = Citation.objects.get(code=EXEMPTION_CITATIONS[code])

        assert citation.mark in {"P", "S", "A", "D"}

    def test_a_ground_takes_away_what_the_recipient_alone_might_have(self):
        assert redacted("other_person", "law_enforcement") is None
        assert redacted("other_person", "law_enforcement", "consent").exemption == Exemption.OTHER_PERSON
        assert all(redacted(field, "regulator", ground) for ground, row in BY_GROUND.items() for field in row)


class TestByHand:
    def test_it_needs_a_place_a_code_and_a_reason(self, collected, counsel):
        bundle = collected()
        good = place_of(bundle, "customers", "legal_name")

        for place, code, reason in (("facts/nowhere", "P2", "Why."), (good, "Z9", "Why."), (good, "P2", " ")):
            with pytest.raises(bundles.Refusal):
                take_out(bundle, place, counsel, code=code, reason=reason)
        assert not bundle.redactions.standing().exists()

    def test_the_log_names_place_code_and_reason_and_the_original_stays(self, collected, counsel, second_counsel):
        bundle = collected()
        place = place_of(bundle, "payments", "identifier")
        take_out(bundle, place, counsel, code="P1", reason="A bank number.")

        built = build(bundle, second_counsel)

        assert {"place": place, "code": "P1", "meaning": f"{Exemption.FILING_PRIVACY.label}: A bank number."} in log_of(
            built
        )
        assert PaymentMethod.objects.get().identifier.reveal() == "DE89370400440532013000"
        assert b"DE89370400440532013000" not in every_byte(built)

    def test_what_is_taken_out_at_one_place_stands_at_no_other(self, collected, counsel, second_counsel):
        bundle = collected()
        AccessRecord.objects.update(principal="arn:user/paula person")
        take_out(bundle, place_of(bundle, "customers", "legal_name"), counsel)

        built = build(bundle, second_counsel)

        assert b"paula person" not in every_byte(built).lower()

    @pytest.mark.parametrize(
        "reason",
        [
            "Privacy of PAULA  person.", "Her bank number is de89370400440532013000.", "Write to paula@example.org.",
            "Call 555-12-3456.", "It was 123456.",
        ],
    )  # fmt: skip
    def test_a_reason_does_not_repeat_what_it_hides(self, collected, counsel, reason):
        bundle = collected()
        take_out(bundle, place_of(bundle, "payments", "identifier"), counsel, reason="A bank number, by order 26-mc-7.")

        with pytest.raises(bundle_reasons.TellsWhatItHides) as refused:
            take_out(bundle, place_of(bundle, "customers", "legal_name"), counsel, reason=reason)

        assert not any(each in str(refused.value).lower() for each in ("paula", "de89", "555", "1234"))
        assert bundle.redactions.get().place.startswith("facts/payments")

    def test_nor_what_is_left_out_whole(self, collected, counsel):
        bundle = collected()
        item = bundle_shown.place_of_item(bundle.items.get(data_class="payment"))

        with pytest.raises(bundle_reasons.TellsWhatItHides):
            take_out(bundle, item, counsel, reason="It is DE89370400440532013000.")
        take_out(bundle, item, counsel, reason="Order of 2026-02-27.")

    def test_nor_what_the_rules_hide(self, collected, counsel):
        bundle = collected(recipient="court", ground="court_order")

        with pytest.raises(bundle_reasons.TellsWhatItHides):
            take_out(bundle, place_of(bundle, "customers", "legal_name"), counsel, reason="Born on 1985-05-17.")

    def test_an_earlier_reason_is_read_too(self, collected, counsel):
        bundle = collected()
        take_out(bundle, place_of(bundle, "payments", "identifier"), counsel, reason="Paula Person pays with it.")

        with pytest.raises(bundle_reasons.TellsWhatItHides, match="Undo that redaction first"):
            take_out(bundle, place_of(bundle, "customers", "legal_name"), counsel)

    def test_a_whole_item_can_be_left_out(self, collected, counsel, second_counsel):
        bundle = collected()
        item = bundle.items.get(data_class="payment")
        take_out(bundle, bundle_shown.place_of_item(item), counsel)

        built = build(bundle, second_counsel)

        assert not (bundles.folder_of(built) / "data/facts/payments.json").exists()
        assert any(row["place"].startswith("item ") for row in log_of(built))

    def test_who_took_something_out_does_not_approve(self, collected, counsel, second_counsel):
        bundle = collected()
        take_out(bundle, place_of(bundle, "customers", "legal_name"), second_counsel)

        with pytest.raises(SecondPersonNeeded):
            approve_seen(bundle, by=second_counsel, at=NOON)

    def test_it_can_be_undone_before_approval_only(self, collected, counsel, second_counsel):
        bundle = collected()
        made = take_out(bundle, place_of(bundle, "customers", "legal_name"), counsel)
        approve_seen(bundle, by=second_counsel, at=NOON)
        with pytest.raises(bundle_redactions.NotNow, match="Take its approval back"):
            bundle_redactions.undo(made, by=counsel, at=NOON)
        bundles.take_back(bundle, by=counsel, at=NOON)

        bundle_redactions.undo(made, by=counsel, at=NOON)

        assert b"Paula Person" in every_byte(build(bundle, second_counsel))


class TestAttachments:
    @pytest.fixture
    def document(self, account):
        return account.party.documents.get(file_sha256=document_files.digest_of(png_bytes("Paula")))

    def test_withheld_whole_the_log_names_it_and_its_hash(self, collected, document, counsel, second_counsel):
        bundle = collected()
        take_out(bundle, bundle_shown.path_of(document), counsel)

        built = build(bundle, second_counsel)

        noted = next(row for row in log_of(built) if row["place"] == bundle_shown.path_of(document))
        assert "withheld whole" in noted["meaning"] and document.file_sha256 in noted["meaning"]
        assert not (bundles.folder_of(built) / "data" / noted["place"]).exists()
        assert png_bytes("Paula") not in every_byte(built)
        assert document_files.read(document.party_id, document.file_sha256) == png_bytes("Paula")

    def test_a_redacted_copy_stands_in_its_place(self, collected, document, counsel, second_counsel):
        bundle, copy = collected(), png_bytes("█████")
        take_out(bundle, bundle_shown.path_of(document), counsel, copy=io.BytesIO(copy))

        built = build(bundle, second_counsel)

        data = bundles.folder_of(built) / "data"
        assert (data / f"documents/{document.reference}-redacted.png").read_bytes() == copy
        assert not (data / bundle_shown.path_of(document)).exists()
        assert document.file_sha256 in (data / "custody.json").read_text()
        assert png_bytes("Paula") not in every_byte(built)

    def test_a_copy_is_a_sound_document_and_not_the_original(self, collected, document, counsel):
        bundle, path = collected(), bundle_shown.path_of(document)

        with pytest.raises(UploadRefused):
            take_out(bundle, path, counsel, copy=io.BytesIO(b"no picture"))
        with pytest.raises(bundle_redactions.NoCopyHere, match="original itself"):
            take_out(bundle, path, counsel, copy=io.BytesIO(png_bytes("Paula")))
        with pytest.raises(bundle_redactions.NoCopyHere, match="no document"):
            take_out(bundle, place_of(bundle, "customers", "product"), counsel, copy=io.BytesIO(png_bytes("x")))
        assert not bundle.redactions.standing().exists()


class TestApproval:
    def test_it_is_of_these_very_words_and_a_later_change_needs_a_new_one(
        self, collected, account, counsel, second_counsel
    ):
        bundle = approve_seen(collected(), by=second_counsel, at=NOON)
        Party.objects.filter(pk=account.party_id).update(legal_name="Paula Married")

        assert bundles.build(bundle, by=SCHEDULER, at=LATER).state == "collected"

        bundle.refresh_from_db()
        assert (bundle.approved_by, bundle.approved_sha256) == ("", "")
        assert b"Paula Married" in every_byte(build(bundle, second_counsel))

    def test_every_change_gives_another_hash(self, collected, counsel):
        bundle = collected()
        before = bundle_shown.digest_of(bundle)
        made = take_out(bundle, place_of(bundle, "customers", "product"), counsel)
        after = bundle_shown.digest_of(bundle)
        bundle_redactions.undo(made, by=counsel, at=NOON)

        assert before != after and bundle_shown.digest_of(bundle) == before


# Of a value of at least four characters nothing is left, wherever the portal wrote it down as well.
secrets = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=9, max_size=14).map(lambda text: f"Q{text}")


class TestNothingIsLeft:
    @settings(
        max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    )
    @given(number=secrets, pays=secrets, is_court=st.booleans())
    @example(number="QX12345678", pays="QX123456789", is_court=True)
    def test_no_value_taken_out_occurs_in_any_byte_of_the_bundle(self, counsel, second_counsel, number, pays, is_court):
        account = make_full_account(legal_name="Paula Person")
        party = account.party
        party.national_id = number
        party.save(update_fields=["national_id"])
        paid = PaymentMethod(
            party=party, kind="bank", institution=f"Bank of {pays}", country="DE", source=f"from {number}",
            added_at=NOON, last_four=pays[-4:],
        )  # fmt: skip
        paid.identifier, paid.holder = pays, "Paula Person"
        paid.save()
        AccessRecord.objects.filter(account=account).update(principal=f"user/{number}")
        recipient = "court" if is_court else "regulator"
        bundle = make_bundle(
            make_case(account), ground="court_order" if is_court else "regulator_request", recipient=recipient,
            by=counsel,
        )  # fmt: skip
        if not is_court:
            for table, column in (("payments", "identifier"), ("identities", "national_id")):
                take_out(bundle, place_of(bundle, table, column), counsel)

        found = every_byte(build(bundle, second_counsel))

        assert number.encode() not in found and pays.encode() not in found
        assert b"[redacted P" in found
