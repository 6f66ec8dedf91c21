"""The people of the tests, their moments, and what every test starts with."""

import contextvars
import io
import os
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

from kyc_portal.records import triggers
from kyc_portal.records.acting import acting
from kyc_portal.records.refs import Actor
from kyc_portal.staff.models import StaffMember

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


BUILDER = Actor(kind="operator", key="os:tests", label="the tests")


@pytest.fixture(scope="session", autouse=True)
def a_builder_acts():
    """What a test arranges has an actor, without whom the database refuses it, and may be arranged in bulk."""
    with acting(BUILDER, as_flow=True):
        yield


HERE = Path(__file__).parent
PAGES = ("admin", "views", "staff", "signin", "bad_input")  # folders whose tests judge pages and forms, and files:
PAGE_FILES = re.compile(r"test_.*(page|pages|views|admin|roster_bad_files|demo)\Z|test_own_")
ON_BOTH = {"journeys", "records", "work"}  # what rests most on the database
LONGEST_NAME = 40


def pytest_make_parametrize_id(val, argname):
    """Whole files are called by their place: the moment they were made may stand in them, and processes must agree."""
    return argname if isinstance(val, bytes) and len(val) > LONGEST_NAME else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks what touches the database; of these what judges pages and forms by what they say, and what is tried on both
    databases: what needs transactions of its own, and the folders named above."""
    for item in items:
        django_db = item.get_closest_marker("django_db")
        if django_db or {"db", "transactional_db"} & set(item.fixturenames):
            item.add_marker("database")
            has_transactions = (django_db and django_db.kwargs.get("transaction")) or (
                {"transactional_db", "live_server"} & set(item.fixturenames)
            )
            parts = set(item.path.relative_to(HERE).parts)
            if not has_transactions and (set(PAGES) & parts or PAGE_FILES.match(item.path.stem)):
                item.add_marker("pages")
            elif has_transactions or ON_BOTH & parts:
                item.add_marker("both")


# Random examples cost much of the time of continuous integration; each property is tried more often elsewhere.
# How long anything takes is no test, so that a busy machine fails none.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("any"), max_examples=25)
settings.load_profile("ci" if os.environ.get("CI") else "any")


def person(username: str, role: str) -> StaffMember:
    """A member of staff with one role; roles come from kyc_portal/staff/roles.py."""
    user = StaffMember.objects.create(
        username=username, email=f"{username}@provider.example", is_staff=role != "reseller manager"
    )
    user.set_password("correct horse battery")
    user.save()
    user.groups.add(Group.objects.get(name=role))
    return user


def flush_and_furnish(test_case, flush=TransactionTestCase._fixture_teardown):
    """A transactional test is cleaned by emptying every table, which the append-only triggers refuse: lift them.

    The flush announces a migration, which makes the triggers, the permissions and the shipped policy again.
    """
    triggers.drop()
    flush(test_case)
    call_command("sync_roles", verbosity=0, stdout=io.StringIO())


def put_back(kept: sqlite3.Connection) -> None:
    """Make the SQLite database of the tests what it was when it was kept, in a tenth of a second."""
    connections["default"].ensure_connection()
    kept.backup(connections["default"].connection)
    ContentType.objects.clear_cache()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The roles are part of every installation, so they are there before the first test and after each transactional
    one. SQLite gets all of it back as it was, PostgreSQL is emptied and furnished again."""
    database = connections["default"]
    with closing(sqlite3.connect(":memory:")) as kept, pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            call_command("sync_roles", verbosity=0, stdout=io.StringIO())
            assert database.features.supports_json_field  # Django asks once, not where queries are counted
            if database.vendor == "sqlite":
                database.connection.backup(kept)
        furnish = (lambda test_case: put_back(kept)) if database.vendor == "sqlite" else flush_and_furnish
        patch.setattr(TransactionTestCase, "_fixture_teardown", furnish)
        yield


@pytest.fixture
def analyst_user(db):
    return person("ana", "reviewer")


@pytest.fixture
def lead_user(db):
    return person("lea", "lead reviewer")


@pytest.fixture
def counsel_user(db):
    return person("carl", "legal")


@pytest.fixture
def second_counsel_user(db):
    return person("cora", "legal")


@pytest.fixture
def compliance_user(db):
    return person("colin", "compliance")


@pytest.fixture
def auditor_user(db):
    return person("audrey", "auditor")


@pytest.fixture
def administrator_user(db):
    return person("adam", "administrator")


@pytest.fixture
def reseller_desk_user(db):
    return person("rita", "reseller desk")


@pytest.fixture
def reseller_manager_user(db):
    return person("remy", "reseller manager")


@pytest.fixture
def senior_user(db):
    return person("sam", "senior manager")


@pytest.fixture
def analyst(analyst_user) -> Actor:
    return analyst_user.as_actor


@pytest.fixture
def lead(lead_user) -> Actor:
    return lead_user.as_actor


@pytest.fixture
def counsel(counsel_user) -> Actor:
    return counsel_user.as_actor


@pytest.fixture
def second_counsel(second_counsel_user) -> Actor:
    return second_counsel_user.as_actor


@pytest.fixture
def compliance(compliance_user) -> Actor:
    return compliance_user.as_actor


@pytest.fixture
def auditor(auditor_user) -> Actor:
    return auditor_user.as_actor


@pytest.fixture
def triggers_lifted_for_flush(transactional_db):
    """A test whose transactions really commit; see `flush_and_furnish` for how it is cleaned up."""


@pytest.fixture
def in_threads():
    """Run calls at the same moment, each in a thread with a connection of its own; gives results or exceptions."""

    def run(*calls):
        barrier = threading.Barrier(len(calls), timeout=30)

        def one(call):
            try:
                barrier.wait()
                return call()
            except Exception as error:
                return error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(calls)) as pool:
            begun = [pool.submit(contextvars.copy_context().run, one, call) for call in calls]
            return [each.result() for each in begun]

    return run
