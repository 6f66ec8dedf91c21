"""Read the queue: its rows by urgency a page at a time, and how many each filter leaves, counted up to 100."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from cases.flows.next_case import desks_of
from cases.models import Case, CaseSignal, CaseSubject, Decision
from cases.rules.queue_filters import Filters, View
from cases.rules.stages import CaseStatus, DecisionState
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
    def of(cls, line: "Line") -> "Place":
        return cls(line.due_on, line.weight, line.due_at, line.key)

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
    return _narrowed(_of_filters(user, filters), user, filters.view, at)


def _of_filters(user: StaffMember, filters: Filters) -> QuerySet[Case]:
    """Of any view."""
    rows = Case.objects.visible_to(user)
    chosen = {name: value for name in ("kind", "desk") if (value := getattr(filters, name))}
    return rows.filter(**chosen) if chosen else rows


def _narrowed(rows: QuerySet[Case], user: StaffMember, view: str, at: datetime) -> QuerySet[Case]:
    if view == View.ASLEEP:
        rows = rows.asleep(at)
    elif view == View.COUNTERSIGN:
        waiting = Decision.objects.proposed().exclude(proposed_by_key=str(user.pk))
        rows = rows.filter(status=CaseStatus.PROPOSED.value, pk__in=waiting.values("case"))
    else:
        rows = rows.waiting(at)
    if view == View.MINE:
        rows = rows.filter(assigned_to=user)
    elif view == View.FREE:
        rows = rows.filter(assigned_to__isnull=True, desk__in=desks_of(user))
    elif view == View.OVERDUE:
        rows = rows.filter(due_on__lte=legal_day(at), due_at__lte=at)
    return rows


@dataclass
class Line:
    """One case as the queue shows it; its lists in the order in which they are told."""

    key: UUID
    reference: str
    kind: str
    title: str
    status: str
    weight: int
    desk: str
    due_on: date
    due_at: datetime
    waits_from: datetime
    snoozed_until: date | None
    who: str | None
    customers: list[tuple[str, str]] = field(default_factory=list)  # (name, reference of the account)
    flags: list[str] = field(default_factory=list)  # the sentences of those without an answer, the heaviest first
    proposed: list[tuple[str, str]] = field(default_factory=list)  # (by whom, code of the outcome), the newest first
    undo_until: datetime | None = None  # where nothing is proposed any more and what is signed can still be undone


COLUMNS = (
    "pk", "reference", "kind", "title", "status", "weight", "desk", "due_on", "due_at", "waits_from", "snoozed_until",
    "assigned_to__username",
)  # fmt: skip


def page_of(rows: QuerySet[Case], after: Place | None) -> tuple[list[Line], bool]:
    """Up to 50 lines, and whether more follow; four queries at most, whatever the rows. No model is built for them."""
    if after is not None:
        rows = rows.filter(after.later())
    found = [Line(*values) for values in rows.by_urgency().values_list(*COLUMNS)[: PAGE + 1]]
    lines = found[:PAGE]
    by_key = {line.key: line for line in lines}
    subjects = CaseSubject.objects.filter(case__in=by_key).order_by("joined_at", "pk")
    for key, *customer in subjects.values_list("case_id", "account__party__legal_name", "account__reference"):
        by_key[key].customers.append(tuple(customer))
    flags = CaseSignal.objects.filter(case__in=by_key, signal__answered_at__isnull=True)
    for key, sentence in flags.order_by("-signal__weight", "pk").values_list("case_id", "signal__sentence"):
        by_key[key].flags.append(sentence)
    if asked := [line.key for line in lines if line.status == CaseStatus.PROPOSED]:
        decisions = Decision.objects.unfinished().filter(case__in=asked).order_by("state", "-proposed_at", "pk")
        columns = ("case_id", "state", "takes_effect_at", "proposed_by", "outcome")
        for key, state, until, *proposed in decisions.values_list(*columns):  # those proposed come before those signed
            line = by_key[key]
            if state == DecisionState.PROPOSED:
                line.proposed.append(tuple(proposed))
            elif not line.proposed:
                line.undo_until = min(until, line.undo_until or until)
    return lines, len(found) > PAGE


def counts(user: StaffMember, filters: Filters, at: datetime) -> dict[str, str]:
    """For each view how many cases it leaves with the other filters as they are: "7", or "100+"; one query."""
    parts, values, found = [], [], _of_filters(user, filters)
    for view in View:
        try:
            rows = _narrowed(found, user, view.value, at).order_by().values("pk")[: MOST_COUNTED + 1]
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
