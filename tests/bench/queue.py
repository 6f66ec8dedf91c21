"""The queue's page beside the stock admin's list of the same cases, at a thousand cases and at a hundred thousand.

    make bench ARGS="queue --cases 100000"

Both are asked for by the same person through the whole portal (middleware, rights, template), in turns. The rival is
Django's own ModelAdmin on the same table with the same columns, search, filters and order, nothing of ours, at 50 rows
a page as the queue and at its own 100. The figures of SQLite say little; those of PostgreSQL count.
"""

import argparse
import gc
from datetime import timedelta
from functools import partial

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from tests.bench.running import median_ratio, own_database, paired, seconds

FEW = 1_000
BATCH = 5_000
PAGES = {
    "queue page": "/review/",
    "stock list of 50": "/stock/cases/case/",
    "stock list of 100": "/hundred/cases/case/",
}
LOOKS = 5  # of one side in one round, so that one slow moment is not the round


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with own_database("queue"), override_settings(ROOT_URLCONF="tests.bench.stock_admin"):
        client, filled, at_few = someone(), 0, []
        for many in (FEW, options.cases):
            fill(filled, many)
            settle()
            filled = many
            told = paired({name: partial(look, client, address) for name, address in PAGES.items()}, options.rounds)
            ours = told["queue page"]
            print(f"  {many:,} cases")
            for name, address in PAGES.items():
                print(f"    {name:20} {min(told[name]) * 1000:7.1f} ms, {queries(client, address)} queries")
            for name in list(PAGES)[1:]:
                print(f"    queue to {name:20} {median_ratio(ours, told[name])}")
            at_few = at_few or ours
        print(f"  queue at {options.cases:,} to {FEW:,}: {median_ratio(ours, at_few)}")


def look(client: Client, address: str) -> float:
    def ask() -> None:
        for _ in range(LOOKS):
            answer = client.get(address)
            assert answer.status_code == 200, answer

    return seconds(ask) / LOOKS


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def someone() -> Client:
    """Somebody who may see both pages."""
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from tests.bad_input.doors import all_rights

    client = Client()
    with one_flow(SCHEDULER):
        client.force_login(all_rights())
    return client


def fill(there: int, wanted: int) -> None:
    """So many cases: each about an account with a flag, due over a month around today; every third is somebody's."""
    from accounts.models import Account, Party, RiskSignal
    from cases.models import Case, CaseSignal, CaseSubject
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from kyc_portal.staff.models import StaffMember

    now, somebody = timezone.now(), StaffMember.objects.first()
    for begin in range(there, wanted, BATCH):
        numbers = range(begin, min(begin + BATCH, wanted))
        with one_flow(SCHEDULER):
            parties = Party.objects.bulk_create(
                Party(kind="individual", legal_name=f"Maria Muster {number}", created_at=now, changed_at=now)
                for number in numbers
            )
            accounts = Account.objects.bulk_create(
                Account(party=party, external_key=f"K{number}", product="compute", source="bench", created_at=now)
                for number, party in zip(numbers, parties, strict=True)
            )
            flags = RiskSignal.objects.bulk_create(
                RiskSignal(
                    account=account, code="country_conflict", weight=number % 100, sentence="Countries do not agree.",
                    known_at=now,
                )
                for number, account in zip(numbers, accounts, strict=True)
            )  # fmt: skip
            cases = Case.objects.bulk_create([_case(number, now, somebody) for number in numbers])
            CaseSubject.objects.bulk_create(
                CaseSubject(case=case, account=account, joined_at=now)
                for case, account in zip(cases, accounts, strict=True)
            )
            CaseSignal.objects.bulk_create(
                CaseSignal(case=case, signal=flag) for case, flag in zip(cases, flags, strict=True)
            )


def settle() -> None:
    """Let the database look at its tables, as it does by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)" if connection.vendor == "postgresql" else "ANALYZE")
    gc.collect()  # what the filling left behind is nobody's time


def _case(number: int, now, somebody):
    from cases.models import Case
    from kyc_portal.records.clock import legal_day

    due = now + timedelta(minutes=(number * 7919) % (30 * 24 * 60) - 3 * 24 * 60)
    mine = number % 3 == 0
    return Case(
        kind=("red_flag", "list_hit", "abuse")[number % 3], title="Countries do not agree", weight=number % 100,
        opened_at=now - timedelta(days=2), due_at=due, due_on=legal_day(due), due_from=now, waits_from=now,
        status="in_review" if mine else "open", assigned_to=somebody if mine else None,
        assigned_at=now if mine else None,
    )  # fmt: skip
