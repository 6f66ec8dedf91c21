"""How often the faults are tried, and where their processes live. `make faults` says how often; `make test` never."""

import os
import random

import pytest
from django.db import connection

from tests.faults import processes

ROUNDS, RACES = int(os.environ.get("FAULT_ROUNDS", "0")), int(os.environ.get("FAULT_RACES", "0"))
collect_ignore_glob = [] if ROUNDS else ["test_*.py"]


@pytest.fixture
def folder(transactional_db, tmp_path, settings):
    """A folder of the processes, with the files, keys and witness they share with this one."""
    settings.PRIVATE_DIR = tmp_path / "documents"
    settings.PRIVATE_DIR.mkdir()
    settings.WITNESSES = [f"file:{tmp_path / 'witness'}"]
    settings.MASTER_KEYS = list(settings.MASTER_KEYS)
    return tmp_path


@pytest.fixture
def chance(request) -> random.Random:
    """Random moments that can be had again: FAULT_SEED names the seed that was printed."""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().getrandbits(32))
    print(f"\n{request.node.name}: FAULT_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def begun():
    """Processes that were started; whatever still runs at the end is killed."""
    running: list[processes.Process] = []
    yield running
    for process in running:
        process.kill()


@pytest.fixture
def postgresql(folder):
    """The database server of this run, which is running again when the test ends."""
    if connection.vendor != "postgresql":
        pytest.skip("only a server can be killed")
    server = processes.Database()
    yield server
    server.start()


@pytest.fixture(scope="session")
def redis_of_this_run():
    address = os.environ.get("CELERY_BROKER_URL", "")
    if not address.startswith("redis"):
        pytest.skip("CELERY_BROKER_URL names no Redis; `make services` starts one")
    broker, first = processes.Broker(address), None
    first = broker.pid
    yield broker
    if broker.pid != first:
        broker.kill()


@pytest.fixture
def broker(folder, redis_of_this_run):
    redis_of_this_run.client.flushdb()
    return redis_of_this_run
