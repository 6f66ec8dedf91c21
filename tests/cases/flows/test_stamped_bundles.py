"""A bundle with a time-stamp (RFC 3161): OpenSSL is the authority, and the judge of what lies in the bundle (R114)."""

from datetime import timedelta
from pathlib import Path

import bagit
import pytest
from django.conf import settings

from accounts.formats.bag_reading import TAMPERED, WHOLE, Verdict, verify_bag
from cases.flows import bundles
from kyc_portal.records import keys, stamps
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.formats.bundles import make_bag, relist
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON
from tests.kyc_portal.records.authority import Authority, judged_by_openssl, needs_openssl

pytestmark = [pytest.mark.django_db, needs_openssl]


@pytest.fixture
def authority(settings, tmp_path):
    made = Authority(tmp_path / "authority")
    settings.BUNDLE_DIR = tmp_path / "bundles"
    settings.BUNDLE_STAMP_URL, settings.STAMP_CA = made.url, str(made.root)
    yield made
    made.close()


@pytest.fixture
def approved(counsel, second_counsel):
    return make_bundle(make_case(), by=counsel, approved_by=second_counsel)


def verdict_on(folder: Path):
    return verify_bag(folder, {keys.signing_key()[0]: keys.public_key_bytes()})


def test_openssl_and_both_judges_of_the_bundle_agree(authority, approved):
    bundle = bundles.build(approved, by=SCHEDULER, at=NOON)
    folder = Path(settings.BUNDLE_DIR) / bundle.reference

    listed, stamp = folder / "tagmanifest-sha256.txt", folder / "timestamp.tsr"
    assert judged_by_openssl(listed, stamp, authority.root)
    assert not judged_by_openssl(folder / "tagmanifest-sha512.txt", stamp, authority.root)
    assert verdict_on(folder).code == WHOLE
    bagit.Bag(str(folder)).validate()
    assert len(authority.queries) == 1 and len(authority.queries[0]) < 80  # the authority learns a hash only


def test_a_changed_missing_or_foreign_stamp_is_found(authority, approved, tmp_path):
    bundle = bundles.build(approved, by=SCHEDULER, at=NOON)
    folder = Path(settings.BUNDLE_DIR) / bundle.reference
    stamp, whole = folder / "timestamp.tsr", (folder / "timestamp.tsr").read_bytes()

    stamp.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert verdict_on(folder) == Verdict(TAMPERED, "“timestamp.tsr” is not the one that was signed.")
    stamp.unlink()
    assert verdict_on(folder).code == TAMPERED
    stamp.write_bytes(whole)
    assert verdict_on(folder).code == WHOLE

    bag = make_bag(tmp_path)
    (bag / "timestamp.tsr").write_bytes(whole)
    relist(bag)
    assert verify_bag(bag, {}).code == TAMPERED


@pytest.mark.parametrize("manner", ["answers_an_error", "refuses", "answers_garbage", "stamps_another_imprint"])
def test_without_the_stamp_nothing_is_offered_and_the_next_try_finishes(authority, approved, manner):
    authority.manner = manner

    assert bundles.build_approved(by=SCHEDULER, at=NOON) == {"done": 0, "failed": 1}
    approved.refresh_from_db()
    assert approved.state == "failed" and not (Path(settings.BUNDLE_DIR) / approved.reference).exists()

    authority.manner = "well"
    assert bundles.build_approved(by=SCHEDULER, at=NOON + timedelta(hours=1)) == {"done": 1, "failed": 0}


@pytest.mark.parametrize("url", ["ftp://x", "http://example.org/tsr", "https://", "https://a:b@example.org/"])
def test_an_address_that_cannot_be_used_is_named_when_the_portal_starts(url):
    [(what, _)] = stamps.faults_of_settings([], bundles=url)

    assert what.startswith("KYC_BUNDLE_STAMP_URL")
