"""What the page of a case shows, bounded, and the check that nobody changed the case since it was shown (R41)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TypeVar
from uuid import UUID

from django.db.models import Q

from accounts.flows import access_days
from accounts.models import Account
from cases.flows import review, triage
from cases.models import Case, CaseSubject
from cases.rules.access_summary import AccessSummary, summarise
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.records.verbs import Verb as RecordVerb
from kyc_portal.refusal import Refusal

SHOWN_DAYS = 90  # up to the last access of an account: what a person can take in
PAGE = 30  # events on a page of the timeline
READ = PAGE + 1
# No act of a person on the case: a look, and what the portal counts anew by itself.
NO_CHANGE = (RecordVerb.VIEWED.code, RecordVerb.REVEALED.code, Verb.WEIGHED.code, Verb.DUE_MOVED.code)

T = TypeVar("T")


class ChangedSince(Refusal):
    """Somebody changed the case after the page was shown; `events` are what happened, newest first."""

    def __init__(self, sentence: str, events: list[AuditEvent]):
        super().__init__(sentence)
        self.events = events


class BadPlace(Refusal):
    """The address names no place in the timeline."""


def changes_of(about: Case | Account | RecordRef):
    """The events that change what a page of a case says, newest first."""
    return audit.history_of(about).exclude(verb__in=NO_CHANGE)


def version_of(newest: Sequence[AuditEvent]) -> str:
    """What a form says it was made for: the newest events of the case, as `changes_of` gives up to `READ` of them.

    A page reads them before what belongs to the case, so that what it shows is never older than what it says; columns
    of the case itself are judged again by every flow. All of them count, not the newest alone: who began earlier may
    be done later.
    """
    digest = hashlib.sha256(",".join(str(event.pk) for event in newest).encode()).hexdigest()[:16]
    return f"{newest[0].pk if newest else ''}.{digest}"


@flow
def unless_changed(case: Case, *, shown: str, deed: Callable[[], T], by: Actor, at: datetime) -> T:
    """Do a deed to a case as it was shown, in one transaction. Raises ChangedSince when its version is another.

    The deed is a call of a flow. Accounts are locked before the case, in the order of their keys, as everybody does.
    """
    subjects = CaseSubject.objects.filter(case=case).select_related("account").order_by("account_id")
    for subject in subjects:
        triage.lock_customer(subject.account)
    case = review.lock_case(case)
    newest = list(changes_of(case)[:READ])
    if version_of(newest) != shown:
        known = shown.partition(".")[0]
        events = list(takewhile(lambda event: str(event.pk) != known, newest)) or newest[:3]
        who = ", ".join(dict.fromkeys(event.actor_label for event in events))
        raise ChangedSince(
            f"{case.reference} was changed by {who} after this page was shown. Nothing was done. Read what changed; "
            "what you typed is still in the form.",
            events,
        )
    return deed()


def newest_accesses(account: Account) -> AccessSummary:
    """The accesses of one account in the days up to its last one, summed up; one query, however many records."""
    last = account.last_access_at
    since = last.astimezone(UTC).date() - timedelta(days=SHOWN_DAYS - 1) if last else None
    return summarise(
        (row.day, row.country, bool(row.anonymiser), row.public, row.count) for row in access_days.rows(account, since)
    )


@dataclass(frozen=True)
class Page:
    """What happened to a case and one of its accounts, newest first: from which moment back; `older` names the next."""

    events: list[AuditEvent]
    older: str
    before: datetime | None


def timeline(case: Case, account: Account | None, *, before: str = "", newest: Sequence[AuditEvent] = ()) -> Page:
    """Up to 30 events from before a place, looks left out; a query for the case, unless its newest are given, and one
    for the account. Raises BadPlace."""
    place, events = _read_place(before), {event.pk: event for event in newest}
    for about in filter(None, (None if newest else case, account)):
        rows = changes_of(about)
        if place is not None:
            rows = rows.filter(Q(at__lt=place[0]) | Q(at=place[0], pk__lt=place[1]))
        events |= {event.pk: event for event in rows[:READ]}
    in_order = sorted(events.values(), key=lambda event: (event.at, event.pk), reverse=True)
    shown = in_order[:PAGE]
    older = f"{shown[-1].at.isoformat()}_{shown[-1].pk}" if len(in_order) > PAGE else ""
    return Page(shown, older, place[0] if place else None)


def _read_place(text: str) -> tuple[datetime, UUID] | None:
    if not text:
        return None
    moment, _, key = text.partition("_")
    try:
        place = datetime.fromisoformat(moment), UUID(key)
    except ValueError:
        place = None
    if place is None or place[0].tzinfo is None:
        raise BadPlace("This page of the timeline does not exist. Begin at its newest event.")
    return place
