"""One gate for every deletion: each way of deleting a row, against rows that are held and rows that are not (R54)."""

import threading

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.urls import reverse

from accounts.models import (
    AccessBatch,
    AccessRecord,
    Account,
    Address,
    Party,
    PartyName,
    RiskSignal,
    UnknownAccount,
    WaitingLine,
)
from cases.models import Case, CaseNote
from kyc_portal.notices.models import Notice
from kyc_portal.records import deletion, holds, retention
from kyc_portal.records.keys import destroy_key
from kyc_portal.records.models import HeldRecord, LegalHold, SubjectKey
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.roots import keys_of, root_of, select_keys
from kyc_portal.records.tasks import purge_due_records
from tests.at_once import needs_row_locks, rounds
from tests.builders import make_account, make_company, make_party
from tests.cases.builders import make_case
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON.replace(year=2036)


def hold_on(*records) -> LegalHold:
    return holds.place_hold(records, reason="order", ground="Order 4", by=SCHEDULER, at=NOON)


def access_record(account: Account) -> AccessRecord:
    batch = AccessBatch.objects.create(
        account=account, format="lines", file_name="a.log", sha256="0" * 64, read_count=1, new_count=1, known_count=0,
        refused_count=0, imported_at=NOON, imported_by="ana",
    )  # fmt: skip
    return AccessRecord.objects.create(
        account=account, batch=batch, at=NOON, kind="access", action="login", source_system="s", event_id="1"
    )


def execute(sql: str, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def on_this_database(row):
    return row._meta.pk.get_db_prep_value(row.pk, connection)


def _ended(account: Account) -> Account:
    Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON)
    account.refresh_from_db()
    return account


# Each way takes an address of a party. By hand, none of them may succeed, held or not.
BY_HAND = {
    "model": lambda row: row.delete(),
    "queryset": lambda row: Address.objects.filter(pk=row.pk).delete(),
    "queryset of all": lambda row: Address.objects.all().delete(),
    "related manager": lambda row: row.party.addresses.all().delete(),
    "base manager": lambda row: Address._base_manager.filter(pk=row.pk).delete(),
    "model of the party above": lambda row: Party.objects.get(pk=row.party_id).delete(),
    "slice by keys": lambda row: Address.objects.filter(pk__in=[row.pk]).delete(),
    "iterated": lambda row: [each.delete() for each in list(Address.objects.all())],
}
# What passes the ORM by. Unheld rows go, held ones stay.
PAST_THE_ORM = {
    "raw delete of a queryset": lambda row: Address.objects.filter(pk=row.pk)._raw_delete("default"),
    "raw delete of all": lambda row: Address.objects.all()._raw_delete("default"),
    "SQL": lambda row: execute("DELETE FROM accounts_address WHERE id = %s", on_this_database(row)),
    "SQL without condition": lambda row: execute("DELETE FROM accounts_address"),
    "SQL with a join": lambda row: execute(
        "DELETE FROM accounts_address WHERE party_id IN (SELECT id FROM accounts_party)"
    ),
}


class TestByHand:
    @pytest.mark.parametrize("held", [True, False])
    @pytest.mark.parametrize("way", BY_HAND.values(), ids=list(BY_HAND))
    def test_no_way_of_the_orm_deletes_a_customers_row(self, way, held):
        row = Address.objects.get(party=make_account().party)
        if held:
            hold_on(row.party)

        with pytest.raises((deletion.NotByHand, DatabaseError, ProtectedError)), transaction.atomic():
            way(row)

        assert Address.objects.filter(pk=row.pk).exists()

    def test_the_refusal_tells_nothing_of_the_hold(self):
        row = Address.objects.get(party=make_account().party)
        hold = hold_on(row.party)

        with pytest.raises(deletion.NotByHand) as refused, transaction.atomic():
            row.delete()

        assert str(refused.value).startswith("The portal does not delete addresses by hand.")
        assert hold.reference not in str(refused.value)

    @pytest.mark.parametrize("held", [True, False])
    def test_the_admin_has_no_way(self, client, lead_user, held):
        account = make_account()
        if held:
            hold_on(account)
        client.force_login(lead_user)

        url = reverse("admin:accounts_account_change", args=[account.pk]).replace("/change/", "/delete/")
        answers = [
            client.get(url), client.post(url, {"post": "yes"}),
            client.post(
                reverse("admin:accounts_account_changelist"),
                {"action": "delete_selected", "_selected_action": [str(account.pk)], "post": "yes"},
            ),
        ]  # fmt: skip

        assert [answer.status_code in (302, 403, 404) for answer in answers] == [True] * 3
        assert Account.objects.filter(pk=account.pk).exists()
        assert not LogEntry.objects.filter(action_flag=3).exists()

    def test_kept_records_that_are_no_customers_do_not_go_by_hand_either(self, lead_user):
        with pytest.raises(deletion.NotByHand, match="members of staff"), transaction.atomic():
            lead_user.delete()


class TestWhatIsNotAsked:
    def test_django_deletes_its_own_sessions(self, client, lead_user):
        client.force_login(lead_user)
        Session.objects.update(expire_date=NOON)

        client.session.flush()
        Session.objects.all().delete()

        assert not Session.objects.exists()


class TestPastTheOrm:
    @pytest.mark.parametrize("way", PAST_THE_ORM.values(), ids=list(PAST_THE_ORM))
    @pytest.mark.parametrize("held", ["party", "account"])
    def test_a_held_row_stays(self, way, held):
        account = make_account()
        hold_on(account.party if held == "party" else account)
        row = Address.objects.get(party=account.party)

        with pytest.raises(IntegrityError, match="a legal hold keeps"), transaction.atomic():
            way(row)

        assert Address.objects.filter(pk=row.pk).exists()

    @pytest.mark.parametrize("way", PAST_THE_ORM.values(), ids=list(PAST_THE_ORM))
    @pytest.mark.parametrize("released", [True, False])
    def test_a_row_that_is_not_held_goes(self, way, released):
        account = make_account()
        hold = hold_on(account.party if released else make_party(addresses=()))
        if released:
            holds.release_hold(hold, reason="over", by=SCHEDULER, at=NOON)
        row = Address.objects.get(party=account.party)

        way(row)

        assert not Address.objects.filter(pk=row.pk).exists()

    def test_replace_does_not_pass_by(self):
        if connection.vendor != "sqlite":
            pytest.skip("only SQLite has REPLACE")
        account = make_account()
        hold_on(account)

        with pytest.raises(IntegrityError, match="a legal hold keeps"), transaction.atomic():
            execute("REPLACE INTO accounts_address SELECT * FROM accounts_address")

    @pytest.mark.parametrize("table", ["accounts_party", "accounts_accessrecord", "cases_case", "records_legalhold"])
    def test_truncate_does_not_pass_by(self, table):
        if connection.vendor != "postgresql":
            pytest.skip("only PostgreSQL has TRUNCATE")

        with pytest.raises(IntegrityError, match="never emptied"), transaction.atomic():
            execute(f"TRUNCATE {table} CASCADE")

    @needs_row_locks
    def test_another_isolation_is_refused_because_it_could_overlook_a_hold(self, transactional_db):
        party = make_party()

        with pytest.raises(IntegrityError, match="READ COMMITTED"), transaction.atomic():
            execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            Address.objects.filter(party=party)._raw_delete("default")

        assert party.addresses.exists()


def rows_of_every_kind() -> list:
    """Rows of an account, its customer, an owner and a case, each with the records whose holds must reach it."""
    account, owner = make_company(), make_party()
    account.party.stakes_in_it.create(owner=owner, percent=60)
    name = PartyName.objects.create(party=account.party, kind="trade", name="Example")
    case = make_case(account)
    note = CaseNote.objects.create(case=case, subject=account.party_id, text="seen", at=NOON, by="ana")
    notice = Notice.objects.create(
        kind="x", label="accounts.account", key=str(account.pk), name=account.reference, subject=account.party_id,
        queued_at=NOON,
    )  # fmt: skip
    another_flag = RiskSignal.objects.create(account=account, code="x", weight=1, sentence="–", known_at=NOON)
    ours, theirs = [account, account.party], [owner]
    return [
        (access_record(account), [*ours, *theirs, case]),
        (another_flag, [*ours, *theirs, case]),
        (name, ours),
        (owner.addresses.get(), [owner, *ours]),
        (account.party.stakes_in_it.get(), [*ours, owner]),
        (note, [case, *ours]),
        (case.subjects.get(), [case, *ours]),
        (notice, ours),
        (SubjectKey.objects.get(subject=account.party_id), ours),
    ]


class TestWhatIsHeld:
    @pytest.mark.parametrize("number", range(9))
    def test_a_hold_reaches_what_belongs_to_it_and_nothing_else(self, number):
        row, roots = rows_of_every_kind()[number]
        mine = type(row)._base_manager.filter(pk=row.pk)
        hold_on(make_account(), make_party())
        assert deletion.may_go(mine)

        for root in roots:
            with transaction.atomic():
                hold = hold_on(root)
                assert deletion.holds_on(mine) == [hold.reference]
                with pytest.raises(IntegrityError, match="a legal hold keeps"), transaction.atomic():
                    mine._raw_delete("default")
                transaction.set_rollback(True)
        mine._raw_delete("default")

        assert not mine.exists()

    def test_the_key_of_a_held_person_is_not_destroyed(self):
        party = make_party()
        hold_on(party)

        with pytest.raises(IntegrityError, match="a legal hold keeps"), transaction.atomic():
            destroy_key(party.pk)

        assert party.addresses.get().lines.reveal()


class TestRequireMayGo:
    def test_a_declared_deletion_of_what_is_not_held_goes(self):
        party = make_party()

        with transaction.atomic(), deletion.declared("erasure"):
            party.addresses.all().delete()

        assert not party.addresses.exists()

    def test_a_declared_deletion_of_what_is_held_names_the_hold_only(self):
        party = make_party(legal_name="Xavier Unusual")
        hold = hold_on(party)

        with pytest.raises(deletion.Held) as refused, transaction.atomic(), deletion.declared("purge"):
            party.addresses.all().delete()

        assert hold.reference in str(refused.value) and "Xavier" not in str(refused.value)
        assert "release" in str(refused.value)
        assert party.addresses.exists()

    def test_the_declaration_ends_with_its_block(self):
        with deletion.declared("purge"):
            pass

        with pytest.raises(deletion.NotByHand), transaction.atomic():
            deletion.require_may_go(Party.objects.all())


class TestHoldsThemselves:
    @pytest.mark.parametrize(
        "act",
        [
            lambda hold: HeldRecord.objects.all().delete(),
            lambda hold: HeldRecord.objects.all()._raw_delete("default"),
            lambda hold: LegalHold.objects.filter(pk=hold.pk)._raw_delete("default"),
            lambda hold: HeldRecord.objects.update(key="another"),
            lambda hold: execute("UPDATE records_heldrecord SET label = 'x'"),
            lambda hold: execute("DELETE FROM records_heldrecord"),
        ],
    )
    def test_no_hold_is_taken_away(self, act):
        hold = hold_on(make_party())

        with pytest.raises(IntegrityError, match="by its release only"), transaction.atomic():
            act(hold)

        assert hold.records.count() == 1

    def test_a_released_hold_does_not_come_back(self):
        hold = hold_on(make_party())
        holds.release_hold(hold, reason="over", by=SCHEDULER, at=NOON)

        with pytest.raises(IntegrityError, match="and once"), transaction.atomic():
            LegalHold.objects.filter(pk=hold.pk).update(released_at=None)

        with pytest.raises(IntegrityError, match="and once"), transaction.atomic():
            LegalHold.objects.filter(pk=hold.pk).update(released_at=LATER)


class TestPurges:
    @pytest.mark.parametrize("held", [True, False])
    @pytest.mark.parametrize("door", ["flow", "command", "task"])
    def test_it_takes_what_is_due_and_not_held(self, door, held):
        account = _ended(make_account())
        Account.objects.filter(pk=account.pk).update(closed_at=NOON.replace(year=2020))
        if held:
            hold_on(account.party)

        if door == "flow":
            retention.purge_due(as_of=NOON.date(), today=NOON.date(), execute=True, by=SCHEDULER, at=NOON)
        elif door == "command":
            call_command("purge_due", "--execute", verbosity=0)
        else:
            purge_due_records.run()

        assert Account.objects.filter(pk=account.pk).exists() is held
        assert Address.objects.filter(party=account.party_id).exists() is held


class TestMapping:
    """The table of paths has no hole, and Python and SQL read it alike."""

    @pytest.mark.parametrize(
        "model",
        [model for rule in retention.all_rules() if rule.candidates and rule.roots for model in rule.covers],
        ids=lambda model: model._meta.label,
    )
    def test_each_model_of_a_rule_that_purges_leads_to_what_a_hold_stands_on(self, model):
        paths = deletion.paths_of(model)

        assert paths
        assert {root_of(model, path)._meta.label_lower for path in paths} <= holds._HOLDABLE

    def test_only_what_is_nobodys_yet_leads_nowhere(self):
        of_nobody = [rule.covers for rule in retention.all_rules() if rule.candidates and not rule.roots]

        assert {model for covers in of_nobody for model in covers} == {UnknownAccount, WaitingLine}

    def test_both_readings_find_the_same_keys(self):
        for row, _ in rows_of_every_kind():
            mine = type(row)._base_manager.filter(pk=row.pk)
            for path in deletion.paths_of(type(row)):
                assert by_sql(mine, path) == {str(key) for key in keys_of(mine, path)}

    def test_every_kind_of_record_refers_by_a_uuid(self):
        assert {model for rule in retention.all_rules() for model in rule.roots} >= {Party, Account, Case}
        assert all(model._meta.pk.get_internal_type() == "UUIDField" for model in (Party, Account, Case))


def by_sql(rows, path) -> set[str]:
    """What the trigger's SELECT gives for one row, read outside of a trigger."""
    table, pk = rows.model._meta.db_table, rows.model._meta.pk.column
    select = select_keys(rows.model, path, "postgresql")
    if connection.vendor == "sqlite":
        select = select.replace("CAST(gone.key AS uuid)", "replace(gone.key, '-', '')")
    key = rows.model._meta.pk.get_db_prep_value(rows.get().pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH gone AS (SELECT * FROM {table} WHERE {pk} = %s) {select}", [key])  # noqa: S608
        found = {key for (key,) in cursor.fetchall()}
    return {key if "-" in str(key) else _dashed(key) for key in map(str, found)}


def _dashed(key: str) -> str:
    return "-".join((key[:8], key[8:12], key[12:16], key[16:20], key[20:]))


class TestRaces:
    """A hold placed while a row is deleted: either the row is held and there, or it is gone and was not held before."""

    ROUNDS = 200

    @pytest.mark.parametrize("way", ["gate", "sql"])
    def test_hold_against_deletion(self, transactional_db, in_threads, way):
        seen = {"held": 0, "gone": 0}
        count = rounds(self.ROUNDS)
        for _ in range(count):
            party = make_party()

            def place(party=party):
                return hold_on(party)

            def delete(party=party):
                with transaction.atomic(), deletion.declared("erasure"):
                    rows = Address.objects.filter(party=party)
                    return rows.delete() if way == "gate" else rows._raw_delete("default")

            held, deleted = in_threads(place, delete)

            is_there = Address.objects.filter(party=party).exists()
            assert isinstance(held, LegalHold), held
            refused = isinstance(deleted, (deletion.Held, IntegrityError))
            assert is_there is refused, deleted
            seen["held" if is_there else "gone"] += 1

        assert sum(seen.values()) == count

    @needs_row_locks
    def test_a_hold_not_committed_yet_is_waited_for(self, transactional_db):
        party, locked, outcome = make_party(), threading.Event(), []

        def delete():
            locked.wait(10)
            try:
                Address.objects.filter(party=party)._raw_delete("default")
            except IntegrityError as error:
                outcome.append(error)
            finally:
                connection.close()

        deleting = threading.Thread(target=delete)
        deleting.start()
        with transaction.atomic():
            hold_on(party)
            locked.set()
            deleting.join(0.5)
            assert deleting.is_alive(), "the deletion did not wait for the hold"
        deleting.join(10)

        assert len(outcome) == 1 and "a legal hold keeps" in str(outcome[0])
        assert party.addresses.exists()
