"""A decision on 500 cases at once, with audit, beside a stock admin action that only updates the same number of rows.

    make bench ARGS="bulk --cases 100000"

Both are sent by the same person through the whole portal, in turns, each time for 500 cases that nobody decided before.
Ours judges every case and account, keeps what each decision rests on, writes 500 decisions and 500 events, and for what
takes one signature answers the flags and stops the clocks. The rival is one UPDATE of the status: no decision is kept.
"""

import argparse
from itertools import islice

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from tests.bench.queue import fill, settle, someone
from tests.bench.running import median_ratio, own_database, paired, seconds

AT_ONCE = 500
DECISIONS = {
    "proposed": {"outcome": "suspend", "reason": "unusual_use"},
    "in effect": {"outcome": "no_action", "reason": "concern_cleared"},
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with own_database("bulk"), override_settings(ROOT_URLCONF="tests.bench.stock_admin"):
        client = someone()
        fill(0, options.cases)
        settle()
        fresh = in_review()
        sides = {name: lambda of=name: seconds(lambda: decide(client, next(fresh), of)) for name in DECISIONS}
        sides["stock"] = lambda: seconds(lambda: update(client, next(fresh)))
        for go in sides.values():
            go()  # once, so that nobody's first time counts
        told = paired(sides, options.rounds)
        print(f"  {AT_ONCE} of {options.cases:,} cases")
        print(f"    stock action, one UPDATE    {min(told['stock']) * 1000:7.0f} ms")
        for name in DECISIONS:
            inserts, others = queries(client, next(fresh), name)
            counted = f"{others} queries and {inserts} batched inserts"
            print(f"    decided, {name:18} {min(told[name]) * 1000:7.0f} ms, {counted}")
            print(f"      to stock                  {median_ratio(told[name], told['stock'])}")


def in_review():
    """Cases of somebody with every right, 500 at a time; their accounts are in use."""
    from accounts.models import Account
    from cases.models import Case
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from kyc_portal.staff.models import StaffMember

    with one_flow(SCHEDULER):
        Account.objects.update(status="active")
        Case.objects.update(assigned_to=StaffMember.objects.first(), status="in_review")
    keys = Case.objects.order_by("pk").values_list("pk", flat=True).iterator()
    return iter(lambda: list(islice(keys, AT_ONCE)), [])


def decide(client: Client, keys, name: str) -> None:
    from cases.models import Decision

    before = Decision.objects.count()
    answer = client.post(reverse("review:decide"), {"case": keys, "confirmed": "1", "at_once": "on", **DECISIONS[name]})
    assert answer.status_code == 200 and Decision.objects.count() == before + AT_ONCE, answer.content


def update(client: Client, keys) -> None:
    answer = client.post("/stock/cases/case/", {"action": "decide", "_selected_action": keys})
    assert answer.status_code == 302, answer


def queries(client: Client, keys, name: str) -> tuple[int, int]:
    """How many inserts, and how many others."""
    with CaptureQueriesContext(connection) as captured:
        decide(client, keys, name)
    inserts = sum(each["sql"].startswith("INSERT INTO") for each in captured)
    return inserts, len(captured) - inserts - 2  # the bench's own two counts


if __name__ == "__main__":
    main()
