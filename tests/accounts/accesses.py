"""Days and moments of access made up for the tests, as plain values and as rows."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from accounts.models import AccessBatch, AccessDay, AccessRecord
from accounts.rules.journeys import Visit
from accounts.rules.profile import AccessLimits, AccessRow
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import SCHEDULER

DAY = date(2026, 3, 2)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
LIMITS = AccessLimits(
    least_days=5, least_records=20, usual_percent=Decimal(10), quiet_days=60, speed_kmh=1000, tolerance_km=500,
    clock_minutes=15, admin_least_records=3, burst_days=7, burst_factor=Decimal(5), burst_least_records=50,
    elsewhere_percent=Decimal(60), us_percent=Decimal(20),
)  # fmt: skip


def row(ago=0, country="DE", **changes) -> AccessRow:
    """Four accesses `ago` days before the day, at nine and ten o'clock, from a network of that country."""
    day = DAY - timedelta(days=ago)
    begin = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    given = {
        "day": day, "kind": "access", "public": True, "country": country, "network": f"AS1 {country}",
        "anonymiser": "", "count": 4, "hours": 0b11 << 9, "first_at": begin, "last_at": begin + timedelta(hours=1),
    }  # fmt: skip
    return AccessRow(**{**given, **changes})


def rows(days, country="DE", since=0, **changes) -> tuple[AccessRow, ...]:
    """One such row a day, the newest `since` days ago."""
    return tuple(row(since + ago, country, **changes) for ago in range(days))


def visit(minutes, country, principal="ana", key=None, **changes) -> Visit:
    """One access so many minutes after midnight."""
    key = minutes if key is None else key
    return Visit(key, MIDNIGHT + timedelta(minutes=minutes), principal, country, **changes)


def keep_days(account, *kept: AccessRow) -> None:
    """The rows of an account as an import leaves them."""
    with one_flow(SCHEDULER):
        AccessDay.objects.bulk_create(AccessDay(account=account, **asdict(each)) for each in kept)


def keep_records(account, *visits: Visit) -> list[AccessRecord]:
    """The accesses themselves, with the days they make."""
    with one_flow(SCHEDULER):
        batch = AccessBatch.objects.create(
            account=account, format="jsonl", file_name="made up", sha256=f"{AccessBatch.objects.count():064x}",
            read_count=len(visits), new_count=len(visits), known_count=0, refused_count=0, imported_at=MIDNIGHT,
            imported_by="test",
        )  # fmt: skip
        made = AccessRecord.objects.bulk_create(
            AccessRecord(
                account=account, batch=batch, at=each.at, kind="access", action="Login", principal=each.principal,
                address="8.8.8.8" if each.public else None, country=each.country, anonymiser=each.anonymiser,
                source_system="test", event_id=f"{batch.pk}-{number}",
            )
            for number, each in enumerate(visits)
        )  # fmt: skip
    days = {}
    for each in visits:
        key = (each.at.date(), each.country, each.anonymiser, each.public)
        days.setdefault(key, []).append(each.at)
    network = f"AS{AccessBatch.objects.count()}"
    keep_days(account, *(
        AccessRow(day, "access", public, country, network, hidden, len(moments), 0, min(moments), max(moments))
        for (day, country, hidden, public), moments in days.items()
    ))  # fmt: skip
    return made
