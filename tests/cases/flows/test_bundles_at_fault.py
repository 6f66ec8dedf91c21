"""A bundle while the disk fills up or its worker is killed: none by half, and the next try finishes (R114)."""

import errno
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from accounts.formats import bag
from accounts.formats.bag_reading import verify_bag
from cases.flows import bundles
from kyc_portal.records import bundle_folders, keys
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.formats.bundles import make_bag, verdict_on
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)
# Writes two files, tells that it is in the middle of the second, and waits there to be killed.
HALF = """
import sys, time
from pathlib import Path
from tests.accounts.formats.bundles import make_bag

def torn():
    yield b"x" * 100_000
    print("half", flush=True)
    time.sleep(60)

make_bag(Path(sys.argv[1]), files=[("a.txt", b"whole"), ("b.txt", torn())])
"""


class Killed(BaseException):
    """What no `except Exception` catches, as a dying process catches nothing."""


@pytest.fixture
def approved(db, tmp_path, settings, counsel, second_counsel):
    settings.BUNDLE_DIR = tmp_path / "bundles"
    return make_bundle(make_case(), by=counsel, approved_by=second_counsel)


def failing_at(monkeypatch, step: int, error: BaseException) -> list[str]:
    """Let the step-th file of a bundle fail when half of it is written; names of the files begun."""
    begun, stock = [], bag._write

    def write(path, content):
        begun.append(path.name)
        if len(begun) == step:
            path.write_bytes(b"half")
            raise error
        return stock(path, content)

    monkeypatch.setattr(bag, "_write", write)
    return begun


def assert_not_offered(bundle) -> None:
    assert not (Path(settings.BUNDLE_DIR) / bundle.reference).exists()
    with pytest.raises(bundles.NotBuilt):
        bundles.folder_of(type(bundle).objects.get(pk=bundle.pk))
    assert not AuditEvent.objects.filter(verb="cases.bundle_built").exists()


def assert_whole(bundle) -> None:
    bundle.refresh_from_db()
    trusted = {keys.signing_key()[0]: keys.public_key_bytes()}
    assert verify_bag(Path(settings.BUNDLE_DIR) / bundle.reference, trusted, True, bundle.digest).code == 0
    assert AuditEvent.objects.filter(verb="cases.bundle_built").count() == 1
    assert list((Path(settings.BUNDLE_DIR) / bundle_folders.BUILDING).glob("*/")) == []


# The first file, one in the middle of the payload, and the signature, which is the last.
@pytest.mark.parametrize("step", [1, 7, -1], ids=str)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Killed()], ids=["full", "killed"])
def test_g10_g8_no_half_bundle_is_offered_and_the_next_try_finishes(approved, monkeypatch, step, error):
    if step < 0:
        with monkeypatch.context() as patch:
            step += 1 + len(self_count(patch, approved))
    with monkeypatch.context() as patch:
        begun = failing_at(patch, step, error)
        if isinstance(error, Killed):
            with pytest.raises(Killed):
                bundles.build_approved(by=SCHEDULER, at=NOON)
        else:
            assert bundles.build_approved(by=SCHEDULER, at=NOON) == {"done": 0, "failed": 1}
    assert len(begun) == step
    assert_not_offered(approved)

    assert bundles.build_approved(by=SCHEDULER, at=LATER) == {"done": 1, "failed": 0}

    assert_whole(approved)


def self_count(patch, approved) -> list[str]:
    """The files of this bundle in the order they are written, from a build whose last step is refused."""
    begun = failing_at(patch, 10**6, Killed())
    patch.setattr(bundles, "_put_in_place", _die)
    with pytest.raises(Killed):
        bundles.build(approved, by=SCHEDULER, at=NOON)
    return begun


def _die(*_args, **_named):
    raise Killed


def test_g8_a_process_killed_for_good_leaves_nothing_under_the_name(tmp_path):
    command = [sys.executable, "-c", HALF, str(tmp_path)]
    place = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=place)
    try:
        assert worker.stdout.readline().strip() == "half"
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)
    finally:
        worker.kill()
        worker.stdout.close()
    assert [path.name for path in tmp_path.iterdir()] == [".B-2026-0001.part"]

    folder = make_bag(tmp_path)

    assert verdict_on(folder).code == 0
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.django_db
def test_a_worker_that_dies_between_the_files_and_its_commit_offers_nothing(approved, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(bundles, "put_in_place", _die)
        with pytest.raises(Killed):
            bundles.build(approved, by=SCHEDULER, at=NOON)
    approved.refresh_from_db()
    assert approved.state == "approved"
    assert_not_offered(approved)

    bundles.build(approved, by=SCHEDULER, at=LATER)

    assert_whole(approved)
