"""The nightly reconciliation: every change has its event, or is named."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from accounts.flows import corrections, restrictions, verification
from accounts.models import Party, PartyName
from kyc_portal.records import acting, audit, changes, sealing, verifying
from kyc_portal.records.models import AuditEvent, RowChange, Standing
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.records.tasks import reconcile_changes
from kyc_portal.records.verbs import Verb
from tests.builders import make_account, make_downstream, make_hit, make_open_account, make_reseller
from tests.conftest import NOON
from tests.kyc_portal.records.trails import unguarded

pytestmark = pytest.mark.django_db
INTRUDER = Actor(kind="operator", key="os:intruder", label="operator intruder")


@pytest.fixture(autouse=True)
def looked_at_before(lead_user, analyst_user, compliance_user, auditor_user):
    """What the tests' own furniture changed is none of these tests' business."""
    changes.reconcile(by=SCHEDULER, at=NOON)
    RowChange.objects.unexplained().update(standing=Standing.SETTLED)


def reconcile() -> changes.Reconciled:
    return changes.reconcile(by=SCHEDULER, at=NOON)


def by_hand(party) -> None:
    """Somebody writes past every flow."""
    with acting.acting(INTRUDER):
        party.citizenship = "FR"
        party.save()


class TestReconcile:
    def test_what_flows_did_is_explained(self, lead, analyst):
        account = make_open_account()
        restrictions.limit(account, reason="under_review", public_wording="x", basis="test", by=lead, at=NOON)
        corrections.correct(account.party, citizenship="FR", by=analyst, at=NOON)
        verification.start(account, account.party, trigger="by hand", by=analyst, at=NOON)
        make_downstream(make_reseller())

        told = reconcile()

        arranged = RowChange.objects.unexplained().filter(actor="operator:os:tests")  # a list that no flow loaded
        assert told.rows > 50 and told.missing == arranged.count()
        assert not RowChange.objects.waiting().exists()

    def test_a_change_past_every_flow_is_named_with_who_and_what(self):
        party = make_account().party
        reconcile()
        by_hand(party)

        told = reconcile()

        event = AuditEvent.objects.filter(verb=Verb.CHANGE_UNEXPLAINED.code).latest("id")
        assert told == changes.Reconciled(rows=1, missing=1)
        assert (event.about_label, event.about_key) == ("accounts.party", str(party.pk))
        assert event.facts == {"rows": 1, "source": "operator:os:intruder"}

    def test_one_event_speaks_for_all_changes_of_a_kind(self):
        party = make_account().party
        reconcile()
        with acting.acting(INTRUDER):
            for number in range(3):
                PartyName.objects.create(party=party, kind="alias", name=f"N{number}")
            by_hand(party)

        told = reconcile()

        by_intruder = AuditEvent.objects.filter(verb=Verb.CHANGE_UNEXPLAINED.code, facts__source="operator:os:intruder")
        found = by_intruder.values_list("about_label", "facts__rows")
        assert told.missing == 4
        assert sorted(found) == [("accounts.party", 1), ("accounts.partyname", 3)]

    def test_a_look_at_identity_data_explains_no_change(self):
        party = make_account().party
        reconcile()
        with acting.within_request("click-7"):
            audit.record(Verb.VIEWED, party, by=INTRUDER, at=NOON)
            by_hand(party)

        assert reconcile().missing == 1

    def test_a_change_and_the_event_of_another_request_do_not_meet(self, lead):
        account = make_open_account()
        reconcile()
        restrictions.limit(account, reason="under_review", public_wording="x", basis="test", by=lead, at=NOON)
        by_hand(Party.objects.get(pk=account.party_id))

        assert reconcile().missing == 1

    def test_it_may_be_repeated(self):
        by_hand(make_account().party)
        first = reconcile()

        assert first.missing == 1
        assert reconcile() == changes.Reconciled(0, 0)

    def test_a_day_larger_than_one_round_takes_several(self, monkeypatch):
        monkeypatch.setattr(changes, "PAGE", 10)
        monkeypatch.setattr(changes, "MOST_AT_ONCE", 20)
        for _ in range(4):
            make_account()
        by_hand(make_account().party)

        told = reconcile()

        assert told.rows > 40 and told.missing == 1
        assert list(changes.altered_rounds()) == []

    def test_the_task_tells_what_it_found(self):
        by_hand(make_account().party)

        assert reconcile_changes()["unexplained"] == 1

    def test_the_command_ends_with_one_when_an_event_is_missing(self):
        by_hand(make_account().party)
        out = io.StringIO()

        with pytest.raises(CommandError) as error:
            call_command("reconcile_changes", stdout=out)

        assert error.value.returncode == 1
        assert "1 without an event" in out.getvalue()


class TestDigest:
    """The records themselves are bound into the sealed trail by the event of their round."""

    def tamper(self, statement: str) -> None:
        with unguarded(), connection.cursor() as cursor:
            cursor.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE records_rowchange SET actor = 'person:1' WHERE actor = 'operator:os:intruder'",
            "DELETE FROM records_rowchange WHERE actor = 'operator:os:intruder'",
            "UPDATE records_rowchange SET fields = '' WHERE actor = 'operator:os:intruder'",
        ],
        ids=["another actor", "removed", "other columns"],
    )
    def test_a_record_that_was_altered_is_found_by_the_check_of_the_trail(self, statement):
        by_hand(make_account().party)
        reconcile()
        sealing.seal_pending()
        before = verifying.verify()

        self.tamper(statement)

        assert before.code == 4, "whole, only without a witness"
        verdict = verifying.verify()
        assert verdict.code == 1 and "changes of rows" in str(verdict)


class TestLookingIntoIt:
    def test_compliance_settles_all_of_a_kind(self, client, compliance_user):
        by_hand(make_account().party)
        reconcile()
        change = RowChange.objects.unexplained().get()
        client.force_login(compliance_user)

        page = client.get(reverse("admin:records_rowchange_change", args=[change.pk]))
        client.post(reverse("admin:records_rowchange_do", args=[change.pk, "settle"]), {"reason": "defect"})

        change.refresh_from_db()
        assert "no event" in page.content.decode().lower()
        assert change.standing == Standing.SETTLED
        assert AuditEvent.objects.get(verb=Verb.CHANGE_SETTLED.code).facts == {"reason": "defect", "rows": 1}

    def test_twice_is_refused(self, compliance):
        by_hand(make_account().party)
        reconcile()
        change = RowChange.objects.unexplained().get()
        changes.settle(change, reason="defect", by=compliance, at=NOON)

        with pytest.raises(changes.NothingUnexplained, match="looked into before"):
            changes.settle(change, reason="defect", by=compliance, at=NOON)

    def test_the_page_of_an_event_shows_what_the_database_recorded(self, client, auditor_user, lead):
        account = make_open_account()
        restrictions.limit(account, reason="under_review", public_wording="x", basis="test", by=lead, at=NOON)
        event = AuditEvent.objects.filter(about_key=str(account.pk)).latest("id")
        client.force_login(auditor_user)

        page = client.get(reverse("admin:records_auditevent_change", args=[event.pk])).content.decode()

        assert "What the database recorded" in page and "restriction" in page

    def test_a_reviewer_sees_no_list_of_changes(self, client, analyst_user):
        make_hit(make_account().party)
        client.force_login(analyst_user)

        assert client.get(reverse("admin:records_rowchange_changelist")).status_code == 403
