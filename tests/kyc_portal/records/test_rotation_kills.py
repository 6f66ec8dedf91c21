"""A rotation that is killed at any moment leaves every key readable, wrapped once, and told of; the next run ends it.

KYC_KILLS says how often; by default five on PostgreSQL and two on SQLite, of which the former is production's.
"""

import os
import random
import signal
import subprocess
import sys
import time
import uuid

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from accounts.flows import document_files
from kyc_portal.records.keys import key_of_subject, parse_key, seal
from kyc_portal.records.models import AuditEvent, SubjectKey
from kyc_portal.settings.tests import _key
from tests.builders import make_party, png_bytes
from tests.kyc_portal.test_worker import ROOT, database_url

SUBJECTS = 3000
OLD, NEW = _key("m"), _key("n").replace("test-1", "test-2")
ROTATING = f"""
from kyc_portal.settings.tests import *
MASTER_KEYS = [{NEW!r}, {OLD!r}]
DATABASES["default"].pop("TEST", None)
"""
RUN = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
connection.ensure_connection()
print("ready", flush=True)
call_command("rotate_keys")
"""


@pytest.fixture
def rotate(tmp_path):
    """Start `rotate_keys` as a process of its own on the test database; it has said that it begins."""
    (tmp_path / "rotating.py").write_text(ROTATING)

    def start() -> subprocess.Popen:
        given = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "rotating",
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        }
        process = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, env=given, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    return start


@pytest.fixture
def subjects(transactional_db) -> dict[uuid.UUID, bytes]:
    """The clear keys of many subjects, each wrapped under the old master key."""
    clear = {uuid.uuid4(): os.urandom(32) for _ in range(SUBJECTS)}
    key_id, master = parse_key(OLD)
    SubjectKey.objects.bulk_create(
        [
            SubjectKey(subject=each, master_key_id=key_id, wrapped=seal(master, key, f"subject:{each}"))
            for each, key in clear.items()
        ],
        batch_size=500,
    )
    return clear


@override_settings(MASTER_KEYS=[NEW, OLD])
def test_a_rotation_killed_at_random_moments_loses_no_key_and_is_finished_by_the_next(subjects, rotate):
    midway = []
    for _ in range(int(os.environ.get("KYC_KILLS", 5 if connection.vendor == "postgresql" else 2))):
        process = rotate()
        time.sleep(random.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        over = SubjectKey.objects.filter(master_key_id="test-2").count()
        midway.append(over)
        told = sum(AuditEvent.objects.filter(verb="records.keys.rotated").values_list("facts__count", flat=True))
        assert told == over, "a batch and its event go together"
        assert all(key_of_subject(each) == key for each, key in random.sample(sorted(subjects.items()), 200))

    last = rotate()
    output, _ = last.communicate(timeout=120)

    assert last.returncode == 0 and f"{SUBJECTS - midway[-1]} keys wrapped anew" in output
    with override_settings(MASTER_KEYS=[NEW]):
        assert {each: key_of_subject(each) for each in subjects} == subjects
    assert midway == sorted(midway)
    told = AuditEvent.objects.filter(verb="records.keys.rotated").values_list("facts__count", flat=True)
    assert sum(told) == SUBJECTS


@pytest.mark.django_db
def test_a_document_needs_no_sealing_anew(tmp_path, settings):
    settings.PRIVATE_DIR = tmp_path
    party = make_party()
    sha256 = document_files.store(party.pk, png_bytes())
    path = document_files.path_of(party.pk, sha256)
    before = path.read_bytes()

    settings.MASTER_KEYS = [NEW, OLD]
    call_command("rotate_keys", verbosity=0)
    settings.MASTER_KEYS = [NEW]

    assert path.read_bytes() == before
    assert document_files.read(party.pk, sha256) == png_bytes()
