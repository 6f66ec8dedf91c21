"""The people of the tests, their moments, and what every test starts with."""

import contextlib
import contextvars
import io
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connections, transaction
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, settings

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


def browser_of(user) -> Client:
    """A browser in which this person is logged in."""
    client = Client()
    client.force_login(user)
    return client


def keep_on_sqlite(folder: Path) -> Callable[[], None]:
    """Keep the database of the tests as it is now; the answer makes it that again, in a tenth of a second."""
    kept = folder / "kept.sqlite3"
    with closing(sqlite3.connect(kept)) as copy:
        connections["default"].connection.backup(copy)
    return lambda: put_back(kept)


def put_back(kept: Path) -> None:
    """Make the SQLite database of the tests what it was when it was kept in this file."""
    connections["default"].ensure_connection()
    with closing(sqlite3.connect(kept)) as copy:
        copy.backup(connections["default"].connection)
    ContentType.objects.clear_cache()


CLOSE_OWN = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid()"""


def keep_on_postgresql() -> Callable[[], None]:
    """The same as a database beside it: to empty every table and to furnish them again takes ten times as long."""
    database = connections["default"]
    name = database.settings_dict["NAME"]

    def copy(source: str, target: str) -> None:
        connections.close_all()
        with database._nodb_cursor() as cursor:
            cursor.execute(CLOSE_OWN, [target])
            cursor.execute(f'DROP DATABASE IF EXISTS "{target}"')  # waits for who is on the way out, of other roles too
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}" STRATEGY FILE_COPY')
        ContentType.objects.clear_cache()

    copy(name, f"{name}_kept")
    return lambda: copy(f"{name}_kept", name)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, tmp_path_factory):
    """The roles are part of every installation, so they are there before the first test and after each transactional
    one, which finds everything as it is now: no flush, which the append-only triggers would refuse."""
    database = connections["default"]
    is_sqlite = database.vendor == "sqlite"
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            call_command("sync_roles", verbosity=0, stdout=io.StringIO())
            assert database.features.supports_json_field  # Django asks once, not where queries are counted
            begin_anew = keep_on_sqlite(tmp_path_factory.mktemp("kept")) if is_sqlite else keep_on_postgresql()
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda test_case: begin_anew())
        yield
        if not is_sqlite:
            with django_db_blocker.unblock(), database._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{database.settings_dict["NAME"]}_kept"')


@contextlib.contextmanager
def one_world(blocker) -> Iterator[None]:
    """What is made inside stands for many tests, each a savepoint in it, and is gone after the last of them.

    `blocker` is the fixture `django_db_blocker`.
    """
    whole = transaction.atomic()
    whole._from_testcase = True
    with blocker.unblock(), whole:
        yield
        transaction.set_rollback(True)


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
    """A test whose transactions really commit; see `django_db_setup` for how it is cleaned up."""


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
