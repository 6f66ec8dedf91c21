"""Twenty ways to change a row, twenty records with an actor; a change without an actor or a flow is refused."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.urls import reverse

from accounts.flows import corrections, restrictions
from accounts.models import AccessBatch, AccessDay, AccessRecord, Account, ContactPoint, Party, PartyName, Restriction
from accounts.rules.restricting import REASONS
from accounts.tasks import end_expired_restrictions
from kyc_portal.records import acting, row_triggers
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import RowChange, SubjectKey
from kyc_portal.records.recorded import OutsideFlow, Recorded
from kyc_portal.records.refs import Actor
from tests.builders import make_account, make_open_account
from tests.conftest import BUILDER, NOON

pytestmark = pytest.mark.django_db
SOMEBODY = Actor(kind="operator", key="os:somebody", label="operator somebody")
WHO = "operator:os:somebody"


def sql(statement: str, *parameters) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def key_for(row: models.Model) -> str:
    """The key as this database keeps a UUID."""
    return str(row.pk) if connection.vendor == "postgresql" else row.pk.hex


def a_name(party) -> PartyName:
    return PartyName(party=party, kind="alias", name="Maria E.")


def in_bulk(act):
    def run(account):
        with one_flow(SOMEBODY):
            act(account)

    return run


def _flow(account):
    corrections.correct(account.party, citizenship="FR", by=SOMEBODY, at=NOON)


def _saved(account):
    account.party.citizenship = "FR"
    account.party.save()


def _bulk_update(account):
    account.party.citizenship = "FR"
    Party.objects.bulk_update([account.party], ["citizenship"])


def _upserted(account):
    row = SubjectKey.objects.get(subject=account.party_id)
    row.master_key_id = "test-9"
    SubjectKey.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["subject"], update_fields=["master_key_id"]
    )


def _loaded(account):
    row = {"model": "policy.holiday", "fields": {"day": "2026-07-04", "title": "Independence Day"}}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([row], file)
        file.flush()
        call_command("loaddata", file.name, verbosity=0)


WAYS = {
    "save of a new row": (lambda a: a_name(a.party).save(), "accounts.partyname", "insert"),
    "save of an old row": (_saved, "accounts.party", "update"),
    "create": (
        lambda a: PartyName.objects.create(party=a.party, kind="alias", name="M"), "accounts.partyname", "insert",
    ),
    "get_or_create": (
        lambda a: PartyName.objects.get_or_create(party=a.party, kind="alias", name="M"),
        "accounts.partyname", "insert",
    ),
    "update_or_create": (
        lambda a: Party.objects.update_or_create(pk=a.party_id, defaults={"citizenship": "FR"}),
        "accounts.party", "update",
    ),
    "related manager": (lambda a: a.party.names.create(kind="alias", name="M"), "accounts.partyname", "insert"),
    "queryset update": (
        in_bulk(lambda a: Party.objects.filter(pk=a.party_id).update(citizenship="FR")), "accounts.party", "update",
    ),
    "update by expression": (
        in_bulk(lambda a: Account.objects.filter(pk=a.pk).update(risk_score=models.F("risk_score") + 1)),
        "accounts.account", "update",
    ),
    "bulk_create": (
        in_bulk(lambda a: PartyName.objects.bulk_create([a_name(a.party)])), "accounts.partyname", "insert",
    ),
    "bulk_update": (in_bulk(_bulk_update), "accounts.party", "update"),
    "upsert": (in_bulk(_upserted), "records.subjectkey", "update"),
    "delete without signals": (
        lambda a: ContactPoint._base_manager.filter(party=a.party)._raw_delete("default"),
        "accounts.contactpoint", "delete",
    ),
    "raw SQL update": (
        lambda a: sql("UPDATE accounts_party SET citizenship = 'FR' WHERE id = %s", key_for(a.party)),
        "accounts.party", "update",
    ),
    "raw SQL delete": (
        lambda a: sql("DELETE FROM accounts_contactpoint WHERE party_id = %s", key_for(a.party)),
        "accounts.contactpoint", "delete",
    ),
    "raw SQL many": (
        lambda a: connection.cursor().executemany(
            "UPDATE accounts_party SET citizenship = %s WHERE id = %s", [("FR", key_for(a.party))]
        ),
        "accounts.party", "update",
    ),
    "roles of a person": (
        lambda a: a.someone.groups.add(Group.objects.get(name="auditor")), "staff.staffmember_groups", "insert",
    ),
    "permissions of a role": (
        lambda a: Group.objects.get(name="auditor").permissions.clear(), "auth.group_permissions", "delete",
    ),
    "a flow": (_flow, "accounts.party", "update"),
    "loaddata": (_loaded, "policy.holiday", "insert"),
    "mass data": (
        in_bulk(
            lambda a: AccessRecord.objects.bulk_create(
                AccessRecord(account=a, batch=a.batch, at=NOON + timedelta(minutes=n), kind="access", event_id=str(n))
                for n in range(3)
            )
        ),
        "accounts.accessrecord", "insert",
    ),
}  # fmt: skip


@pytest.fixture
def account(analyst_user):
    account = make_account()
    account.someone = analyst_user
    account.batch = AccessBatch.objects.create(
        account=account,
        format="csv",
        file_name="x",
        sha256="0" * 64,
        imported_at=NOON,
        imported_by="x",
        read_count=0,
        new_count=0,
        known_count=0,
        refused_count=0,
    )
    return account


def changes_of(act) -> list[RowChange]:
    last = RowChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    act()
    return list(RowChange.objects.filter(pk__gt=last).order_by("pk"))


class TestTwentyWays:
    def test_there_are_twenty_and_the_doors_below(self):
        assert len(WAYS) == 20

    @pytest.mark.parametrize("way", WAYS)
    def test_each_leaves_one_record_with_its_actor(self, account, way):
        act, label, kind = WAYS[way]

        def changed():
            with acting.acting(SOMEBODY):
                act(account)

        found = [change for change in changes_of(changed) if change.label == label and change.act == kind]

        assert found, f"{way} left no record"
        assert {change.actor for change in found} == {WHO}

    def test_the_record_names_columns_and_the_key_as_the_trail_does(self, account):
        with acting.acting(SOMEBODY), acting.within_request("click-1"):
            [change] = changes_of(lambda: _saved(account))

        assert (change.key, change.fields, change.request_id) == (str(account.party_id), "citizenship", "click-1")

    def test_sums_are_recorded_once_a_statement_however_they_change(self, account):
        def changed():
            with acting.one_flow(SOMEBODY):
                days = [
                    AccessDay(
                        account=account, day=NOON.date() + timedelta(days=n), kind="access", public=False, count=1,
                        hours=1, first_at=NOON, last_at=NOON,
                    )
                    for n in range(3)
                ]  # fmt: skip
                AccessDay.objects.bulk_create(days)
                AccessDay.objects.update(count=2)

        found = [(each.act, each.key, each.fields, each.actor) for each in changes_of(changed)]

        assert found == [("insert", "", "", WHO), ("update", "", "", WHO)]

    def test_a_save_that_changes_nothing_leaves_none(self, account):
        assert changes_of(lambda: account.party.save()) == []

    def test_mass_data_leaves_one_record_for_all_rows_of_a_statement(self, account):
        with acting.acting(SOMEBODY):
            found = changes_of(lambda: WAYS["mass data"][0](account))

        assert [(change.label, change.key) for change in found] == [("accounts.accessrecord", "")]

    def test_what_is_rolled_back_leaves_none(self, account):
        def undone():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                _saved(account)
                raise ZeroDivisionError

        assert changes_of(undone) == []


class TestDoors:
    def test_a_page_writes_as_the_person(self, client, lead_user):
        account = make_open_account()
        client.force_login(lead_user)
        url = reverse("admin:accounts_account_do", args=[account.pk, "limit"])

        found = changes_of(lambda: client.post(url, {"reason": next(iter(REASONS)), "last_day": ""}))

        made = [change for change in found if change.label == "accounts.restriction"]
        assert made and {change.actor for change in made} == {f"person:{lead_user.pk}"}

    def test_a_task_writes_as_the_scheduler(self):
        account = make_open_account()
        restrictions.limit(
            account, reason="under_review", public_wording="x", basis="t", until=NOON, by=SOMEBODY, at=NOON
        )

        found = changes_of(lambda: end_expired_restrictions(at=(NOON + timedelta(days=1)).isoformat()))

        assert Restriction.objects.get().lifted_at is not None
        assert {each.actor for each in found if each.label == "accounts.restriction"} == {"scheduler:scheduler"}

    def test_a_command_writes_as_whoever_it_names(self, compliance_user):
        Group.objects.get(name="auditor").permissions.clear()

        found = changes_of(lambda: call_command("sync_roles", verbosity=0))

        assert {change.actor.partition(":")[0] for change in found} == {"operator"}

    @pytest.mark.django_db(transaction=True)
    def test_a_shell_writes_as_the_operator(self):
        account = make_account()
        statement = (
            "from accounts.models import Party\n"
            f"party = Party.objects.get(pk='{account.party_id}')\nparty.citizenship = 'FR'\nparty.save()"
        )
        database = connection.settings_dict
        url = f"sqlite:///{database['NAME']}"
        if connection.vendor == "postgresql":
            url = "postgres://{USER}@{HOST}:{PORT}/{NAME}".format(**database)

        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", statement],
            env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "kyc_portal.settings.tests"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        change = RowChange.objects.filter(label="accounts.party", key=str(account.party_id)).latest("pk")
        assert change.actor.startswith("operator:os:") and change.actor != f"operator:{BUILDER.key}"


class TestNobody:
    @pytest.fixture(autouse=True)
    def nobody(self, account):
        token = acting._actor.set(None)
        yield
        acting._actor.reset(token)

    @pytest.mark.parametrize("way", ["save of an old row", "raw SQL update", "raw SQL delete", "roles of a person"])
    def test_a_write_without_an_actor_is_refused_on_postgresql_and_recorded_on_sqlite(self, account, way):
        act, label, kind = WAYS[way]
        if connection.vendor == "postgresql":
            with pytest.raises(DatabaseError, match="no actor is set"), transaction.atomic():
                act(account)
            return

        found = changes_of(lambda: act(account))

        assert [(change.label, change.act, change.actor) for change in found] == [(label, kind, "")]

    def test_the_actor_of_an_earlier_write_does_not_linger(self, account):
        if connection.vendor != "postgresql":
            pytest.skip("SQLite asks the connection each time")
        with transaction.atomic():
            with acting.acting(SOMEBODY):
                _saved(account)
            with pytest.raises(DatabaseError, match="no actor is set"), transaction.atomic():
                sql("UPDATE accounts_party SET citizenship = 'DE' WHERE id = %s", key_for(account.party))

    def test_a_savepoint_that_is_undone_takes_no_actor_along(self, account):
        with acting.acting(SOMEBODY), transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                _saved(account)
                raise ZeroDivisionError
            found = changes_of(
                lambda: sql("UPDATE accounts_party SET citizenship = 'FR' WHERE id = %s", key_for(account.party))
            )

        assert {change.actor for change in found} == {WHO}

    def test_a_foreign_program_cannot_write_to_sqlite(self):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL's own refusal is tested above")
        with connection.cursor() as cursor:
            cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name IN ('policy_holiday', 'records_rowchange')")
            made = [statement for (statement,) in cursor.fetchall() if statement]
        foreign = sqlite3.connect(":memory:")
        for statement in made:
            foreign.execute(statement)

        with pytest.raises(sqlite3.OperationalError, match="kyc_actor"):
            foreign.execute("INSERT INTO policy_holiday (day, title) VALUES ('2026-07-04', 'Independence Day')")
        foreign.close()


class TestOutsideOfFlows:
    @pytest.fixture(autouse=True)
    def no_flow(self, account):
        with acting.acting(SOMEBODY):
            yield

    @pytest.mark.parametrize(
        "change",
        [
            lambda a: Party.objects.update(citizenship="FR"),
            lambda a: Party.objects.all().delete(),
            lambda a: PartyName.objects.bulk_create([a_name(a.party)]),
            lambda a: Party.objects.bulk_update([a.party], ["citizenship"]),
            lambda a: a.party.contact_points.all().delete(),
            lambda a: Account.objects.ended().update(risk_score=0),
        ],
        ids=["update", "delete", "bulk_create", "bulk_update", "related", "own queryset"],
    )
    def test_rows_are_not_changed_in_bulk(self, account, change):
        with pytest.raises(OutsideFlow, match="outside of a flow"):
            change(account)

        assert changes_of(lambda: None) == []

    def test_every_model_of_the_three_apps_is_guarded(self):
        ours = [
            model for model in row_triggers.recorded_models()
            if model._meta.app_label in {"accounts", "cases", "resellers"} and not model._meta.auto_created
        ]  # fmt: skip

        assert [model for model in ours if not issubclass(model, Recorded)] == []


@pytest.mark.parametrize("statement", ["UPDATE records_rowchange SET actor = 'x'", "DELETE FROM records_rowchange"])
def test_a_record_cannot_be_altered(account, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)


def test_a_table_cannot_be_emptied_at_once(account):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DatabaseError, match="never emptied"), transaction.atomic():
        sql("TRUNCATE accounts_partyname CASCADE")
