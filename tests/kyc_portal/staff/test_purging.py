"""The pages of retention: rules with sources, a simulation, its execution by a job, the clock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import ClockWatch, PurgeRun, Tombstone
from kyc_portal.records.purge_models import RunState
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from tests.builders import make_open_account

pytestmark = pytest.mark.django_db
RUNS, RULES, CLOCK = "/admin/records/purgerun/", "/admin/records/purgerun/rules/", "/admin/records/clockwatch/"


def ended_long_ago() -> Account:
    account = make_open_account()
    Account.objects.filter(pk=account.pk).update(status="closed", closed_at=timezone.now() - timedelta(days=1000))
    return account


def simulated(staff, *, as_of=None) -> PurgeRun:
    day = as_of or legal_day(timezone.now())
    answer = staff.post(f"{RUNS}add/", {"as_of": day.isoformat()})
    assert answer.status_code == 302, answer.content.decode()
    queue.run_due(timezone.now(), by=SCHEDULER)
    return PurgeRun.objects.get(executes=False)


class TestRules:
    def test_the_page_names_every_rule_and_the_source_of_its_periods(self, as_role):
        page = as_role("compliance").get(RULES).content.decode()

        for shown in (
            "Customer files", "15 CFR 7.302 (89 FR 5698)", "proposed", "2 years", "31 CFR 501.601", "10 years",
            "Audit trail, holds and tombstones", "watch lists",
        ):  # fmt: skip
            assert shown in page, shown

    @pytest.mark.parametrize("role", ["reviewer", "reseller desk", "administrator"])
    def test_others_do_not_see_it(self, as_role, role):
        assert as_role(role).get(RULES).status_code == 403


class TestPurge:
    def test_a_simulation_counts_and_changes_nothing(self, as_role):
        account = ended_long_ago()
        staff = as_role("compliance")

        run = simulated(staff)

        page = staff.get(f"{RUNS}{run.pk}/change/").content.decode()
        assert run.state == RunState.FINISHED
        for shown in (account.reference, "Would be destroyed", "2 years after it was closed", "Destroy what is due"):
            assert shown in page, shown
        assert Account.objects.filter(pk=account.pk).exists()

    def test_what_was_simulated_is_destroyed_by_a_job_as_the_person_who_asked(self, as_role):
        account = ended_long_ago()
        staff = as_role("compliance")
        run = simulated(staff)

        answer = staff.post(f"{RUNS}{run.pk}/do/destroy/")

        assert answer.status_code == 302
        assert Account.objects.filter(pk=account.pk).exists()  # never within the request
        waiting = staff.get(answer["Location"]).content.decode()
        assert "waiting for a worker" in waiting and "<progress" in waiting
        queue.run_due(timezone.now() + timedelta(seconds=1), by=SCHEDULER)
        assert Tombstone.objects.get(key=str(account.pk)).purged_by == PurgeRun.objects.get(executes=True).asked_by
        page = staff.get(answer["Location"]).content.decode()
        assert "finished" in page and "Destroyed" in page

    def test_a_day_to_come_is_simulated_but_not_executed(self, as_role):
        ended_long_ago()
        staff = as_role("compliance")
        run = simulated(staff, as_of=legal_day(timezone.now()) + timedelta(days=400))

        answer = staff.post(f"{RUNS}{run.pk}/do/destroy/")

        assert "has not come yet" in answer.content.decode()
        assert not PurgeRun.objects.filter(executes=True).exists()

    @pytest.mark.parametrize("role", ["auditor", "legal", "senior manager"])
    def test_readers_see_runs_and_ask_for_none(self, as_role, role):
        run = simulated(as_role("compliance"))
        staff = as_role(role)

        assert staff.get(f"{RUNS}{run.pk}/change/").status_code == 200
        assert staff.post(f"{RUNS}add/", {"as_of": "2026-03-02"}).status_code == 403
        assert staff.post(f"{RUNS}{run.pk}/do/destroy/").status_code == 403


class TestClock:
    def test_an_administrator_confirms_a_jump(self, as_role):
        moment = timezone.now()
        ClockWatch.objects.update_or_create(
            pk=1, defaults={"seen_at": moment, "jumped_from": moment - timedelta(days=9), "jumped_to": moment}
        )
        staff = as_role("administrator")
        assert "The clock is right" in staff.get(f"{CLOCK}1/change/").content.decode()
        assert "The clock jumped" in staff.get("/admin/").content.decode()

        staff.post(f"{CLOCK}1/do/confirm/")

        assert ClockWatch.objects.get().jumped_from is None

    def test_nobody_else_does(self, as_role):
        ClockWatch.objects.create(seen_at=timezone.now())

        assert as_role("compliance").get(f"{CLOCK}1/change/").status_code == 403
        assert as_role("auditor").post(f"{CLOCK}1/do/confirm/").status_code == 403
