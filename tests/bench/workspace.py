"""The page of one case beside the stock admin's change page of the same case, among few cases and among many.

    make bench ARGS="workspace --cases 100000 --accesses 1000000"

The case has five accounts, 15 flags, 20 notes and, among many, 10,000 access records of its first account; the rest of
the records is spread over the other accounts. Both pages are asked for by the same person through the whole portal, in
turns. The rival shows the same case with its subjects, signals and notes as inlines: no accesses, no timeline, no
documents, no checklist, and the notes sealed; nor does it record that somebody looked. PostgreSQL's figures count.
"""

import argparse
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.db import connection
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from tests.bench.queue import FEW, fill, look, queries, settle, someone
from tests.bench.running import median_ratio, own_database, paired

SUBJECTS, FLAGS, NOTES, OWN_ACCESSES = 5, 10, 20, 10_000
BATCH = 5_000
COLUMNS = (
    "account_id", "batch_id", "at", "kind", "action", "principal", "address", "raw_source", "user_agent_sha256",
    "source_system", "event_id", "country", "anonymiser", "special_use",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--accesses", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args(arguments)
    with own_database("workspace"), override_settings(ROOT_URLCONF="tests.bench.stock_admin"):
        client = someone()
        fill(0, FEW)
        case = furnished()
        pages = {"workspace": reverse("review:case", args=[case.reference])}
        pages["stock change page"] = f"/stock/cases/case/{case.pk}/change/"
        at_few = _measured(f"{FEW:,} cases, no access records", client, pages, options.rounds)
        fill(FEW, options.cases)
        add_accesses(case, options.accesses)
        among = f"{options.cases:,} cases, {options.accesses:,} access records"
        at_many = _measured(among, client, pages, options.rounds)
        print(f"  workspace among many to among few: {median_ratio(at_many, at_few)}")


def _measured(among: str, client, pages: dict[str, str], rounds: int) -> list[float]:
    settle()
    told = paired({name: partial(look, client, address) for name, address in pages.items()}, rounds)
    print(f"  {among}")
    for name, address in pages.items():
        print(f"    {name:20} {min(told[name]) * 1000:7.1f} ms, {queries(client, address)} queries")
    print(f"    workspace to stock   {median_ratio(told['workspace'], told['stock change page'])}")
    return told["workspace"]


def furnished():
    """The first case, taken by somebody, with more accounts, flags and notes."""
    from accounts.models import RiskSignal
    from accounts.rules.detectors import BY_CODE
    from cases.flows import review
    from cases.models import Case, CaseSignal, CaseSubject
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER
    from kyc_portal.staff.models import StaffMember

    now, somebody = timezone.now(), StaffMember.objects.first()
    codes = [code for code in BY_CODE if code != "country_conflict"][:FLAGS]  # which each account has already
    subject = CaseSubject.objects.order_by("pk").first()
    others = list(CaseSubject.objects.exclude(case=subject.case).order_by("pk")[: SUBJECTS - 1])
    with one_flow(SCHEDULER):
        CaseSubject.objects.bulk_create(
            CaseSubject(case=subject.case, account=other.account, joined_at=now) for other in others
        )
        flags = RiskSignal.objects.bulk_create(
            RiskSignal(account=subject.account, code=code, weight=10, sentence="Seen again.", known_at=now)
            for code in codes
        )
        CaseSignal.objects.bulk_create(CaseSignal(case=subject.case, signal=flag) for flag in flags)
        CaseSignal.objects.filter(case__in=[other.case_id for other in others]).update(case=subject.case)
    for number in range(NOTES):
        review.add_note(subject.case, text=f"Looked at it, time {number}.", by=somebody.as_actor, at=now)
    return Case.objects.get(pk=subject.case_id)


def add_accesses(case, many: int) -> None:
    """So many access records over the last ninety days: COPY on PostgreSQL, batches elsewhere."""
    from accounts.models import AccessBatch, AccessRecord, Account
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER

    now, own = timezone.now(), case.subjects.order_by("pk").first().account_id
    with one_flow(SCHEDULER):
        batch = AccessBatch.objects.create(
            account_id=own, format="cloudtrail", file_name="log", sha256="ab" * 32, read_count=many, new_count=many,
            known_count=0, refused_count=0, imported_at=now, imported_by="bench",
        )  # fmt: skip
        others = list(Account.objects.exclude(pk=own).values_list("pk", flat=True))
        rows = _accesses(own, others, batch.pk, many, now)
        if connection.vendor == "postgresql":
            names = ", ".join(COLUMNS)
            with connection.cursor() as cursor, cursor.copy(f"COPY accounts_accessrecord ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            AccessRecord.objects.bulk_create(
                (AccessRecord(**dict(zip(COLUMNS, row, strict=True))) for row in rows), batch_size=BATCH
            )


def _accesses(own, others: list, batch, many: int, now) -> Iterator[tuple]:
    for number in range(many):
        account = own if number < OWN_ACCESSES else others[number % len(others)]
        yield (
            account, batch, now - timedelta(seconds=number * 7_776_000 // many), "access", "ConsoleLogin",
            f"user-{number % 977}", f"10.{number % 200}.{number // 200 % 200}.7", "", "", "cloudtrail", str(number),
            "DE", "", "",
        )  # fmt: skip


if __name__ == "__main__":
    main()
