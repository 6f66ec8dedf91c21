"""Read the queue: its rows by urgency a page at a time, and how many each filter leaves, counted up to 100."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Prefetch, Q, QuerySet

from cases.flows.next_case import desks_of
from cases.models import Case, CaseSignal, CaseSubject, Decision
from cases.rules.queue_filters import Filters, View
from cases.rules.stages import CaseStatus
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

PAGE = 50
MOST_COUNTED = 100


class BadPlace(Refusal):
    """The address names no place in the queue."""


@dataclass(frozen=True)
class Place:
    """Where a page of the queue begins: after this case, as the order knows it."""

    due_on: date
    weight: int
    due_at: datetime
    key: UUID

    @classmethod
    def of(cls, case: Case) -> "Place":
        return cls(case.due_on, case.weight, case.due_at, case.pk)

    def written(self) -> str:
        parts = [self.due_on.isoformat(), self.weight, self.due_at.isoformat(), self.key.hex]
        return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Place":
        """Raises BadPlace for what `written` never wrote."""
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            day, weight, moment, key = json.loads(urlsafe_b64decode(padded))
            place = cls(date.fromisoformat(day), int(weight), datetime.fromisoformat(moment), UUID(hex=key))
        except (ValueError, TypeError, AttributeError, NotBase64, OverflowError):
            place = None
        if place is None or place.due_at.tzinfo is None or not 0 <= place.weight <= 32_767:
            raise BadPlace("This page of the queue does not exist. Begin at its start.")
        return place

    def later(self) -> Q:
        """What comes after it; the day bounds the walk of the index."""
        same_day = Q(due_on=self.due_on)
        as_heavy = same_day & Q(weight=self.weight)
        return Q(due_on__gte=self.due_on) & (
            Q(due_on__gt=self.due_on)
            | (same_day & Q(weight__lt=self.weight))
            | (as_heavy & Q(due_at__gt=self.due_at))
            | (as_heavy & Q(due_at=self.due_at, pk__gt=self.key))
        )


def of_view(user: StaffMember, filters: Filters, at: datetime) -> QuerySet[Case]:
    """The cases of a view that exist for this person."""
    rows = Case.objects.visible_to(user)
    if filters.view == View.ASLEEP:
        rows = rows.asleep(at)
    elif filters.view == View.COUNTERSIGN:
        waiting = Decision.objects.proposed().exclude(proposed_by_key=str(user.pk))
        rows = rows.filter(status=CaseStatus.PROPOSED.value, pk__in=waiting.values("case"))
    else:
        rows = rows.waiting(at)
    if filters.view == View.MINE:
        rows = rows.filter(assigned_to=user)
    elif filters.view == View.FREE:
        rows = rows.filter(assigned_to__isnull=True, desk__in=desks_of(user))
    elif filters.view == View.OVERDUE:
        rows = rows.filter(due_on__lte=legal_day(at), due_at__lte=at)
    for name in ("kind", "desk"):
        if value := getattr(filters, name):
            rows = rows.filter(**{name: value})
    return rows


def page_of(rows: QuerySet[Case], after: Place | None) -> tuple[list[Case], bool]:
    """Up to 50 rows with what their lines say, and whether more follow; five queries, whatever the rows."""
    flags = CaseSignal.objects.select_related("signal").order_by("-signal__weight", "pk")
    subjects = CaseSubject.objects.select_related("account__party").order_by("joined_at", "pk")
    if after is not None:
        rows = rows.filter(after.later())
    found = list(
        rows.by_urgency()
        .select_related("assigned_to")
        .prefetch_related(
            Prefetch("signals", flags, to_attr="flags"),
            Prefetch("subjects", subjects, to_attr="listed_subjects"),
            Prefetch("decisions", Decision.objects.proposed(), to_attr="proposals"),
        )[: PAGE + 1]
    )
    return found[:PAGE], len(found) > PAGE


def counts(user: StaffMember, filters: Filters, at: datetime) -> dict[str, str]:
    """For each view how many cases it leaves with the other filters as they are: "7", or "100+"; one query."""
    parts, values = [], []
    for view in View:
        try:
            rows = of_view(user, filters.with_(view=view.value), at).order_by().values("pk")[: MOST_COUNTED + 1]
            text, params = rows.query.sql_with_params()
        except EmptyResultSet:
            text, params = "SELECT 1 WHERE 1 = 0", ()
        parts.append(f"(SELECT COUNT(*) FROM ({text}) AS rows_{view.value})")  # noqa: S608 the ORM wrote it
        values += params
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        found = cursor.fetchone()
    return {
        view.value: f"{MOST_COUNTED}+" if count > MOST_COUNTED else f"{count}"
        for view, count in zip(View, found, strict=True)
    }
