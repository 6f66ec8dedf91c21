import io
import zipfile
from pathlib import Path

import pytest

from accounts.formats.bag_reading import verify_bag
from cases.flows import bundles
from kyc_portal.records import keys
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.downloads import zipped
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

ROLES = {
    "counsel_user": 200,
    "analyst_user": 403,
    "lead_user": 403,
    "compliance_user": 403,
    "auditor_user": 403,
    "administrator_user": 403,
    "reseller_desk_user": 403,
    "reseller_manager_user": 403,
    "senior_user": 403,
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def built(counsel, second_counsel):
    bundle = make_bundle(make_case(), by=counsel, approved_by=second_counsel)
    return bundles.build(bundle, by=SCHEDULER, at=NOON)


def url(bundle) -> str:
    return f"/cases/bundles/{bundle.reference}/download/"


class TestDownload:
    @pytest.mark.parametrize(("who", "status"), ROLES.items())
    def test_it_is_for_legal_only(self, client, built, request, who, status):
        client.force_login(request.getfixturevalue(who))

        assert client.get(url(built)).status_code == status

    def test_it_sends_strangers_to_the_login(self, client, built):
        answer = client.get(url(built))

        assert (answer.status_code, answer["Location"].startswith("/login/")) == (302, True)

    def test_it_gives_a_zip_that_is_whole(self, client, built, counsel_user, tmp_path):
        client.force_login(counsel_user)

        answer = client.get(url(built))

        path = tmp_path / "bundle.zip"
        path.write_bytes(answer.getvalue())
        trusted = {keys.signing_key()[0]: keys.public_key_bytes()}
        assert verify_bag(path, trusted, True, built.digest).code == 0
        assert answer["Content-Disposition"].startswith(f'attachment; filename="{built.reference}.zip"')
        assert "sandbox" in answer["Content-Security-Policy"] and answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]
        with zipfile.ZipFile(path) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}

    def test_it_gives_the_same_bytes_twice(self, client, built, counsel_user):
        client.force_login(counsel_user)

        assert client.get(url(built)).getvalue() == client.get(url(built)).getvalue()

    def test_it_stands_in_the_trail(self, client, built, counsel_user):
        client.force_login(counsel_user)

        client.get(url(built))

        event = AuditEvent.objects.get(verb="cases.bundle_downloaded")
        assert (event.actor_label, event.facts["digest"]) == ("carl", built.digest)

    def test_it_is_not_there_before_it_is_built(self, client, counsel, second_counsel, counsel_user):
        bundle = make_bundle(make_case(), by=counsel, approved_by=second_counsel)
        client.force_login(counsel_user)

        assert client.get(url(bundle)).status_code == 404
        assert client.get("/cases/bundles/..%2F..%2Fetc/download/").status_code == 404
        assert not AuditEvent.objects.filter(verb="cases.bundle_downloaded").exists()

    def test_it_is_not_there_when_the_folder_was_exchanged(self, client, built, counsel_user, settings):
        (Path(settings.BUNDLE_DIR) / built.reference / "tagmanifest-sha256.txt").write_text("other")
        client.force_login(counsel_user)

        assert client.get(url(built)).status_code == 404

    def test_it_goes_out_in_chunks(self, built, settings):
        chunks = list(zipped(Path(settings.BUNDLE_DIR) / built.reference))

        assert len(chunks) > 5
        with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as archive:
            assert archive.testzip() is None

    @pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
    def test_it_only_gives(self, client, built, counsel_user, method):
        client.force_login(counsel_user)

        assert getattr(client, method)(url(built)).status_code == 405
