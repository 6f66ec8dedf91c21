"""What a record's page is made of: facts, tables, pictures, a timeline; templates/admin/record draws them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from urllib.parse import urlsplit

from django.db import models
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kyc_portal.notices.outbox import notices_about
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.models import Standing
from kyc_portal.records import audit, holds
from kyc_portal.staff import policy_table
from kyc_portal.staff.access_picture import SeenDay
from kyc_portal.staff.templatetags.marks import Badge, cell, visible
from kyc_portal.staff.templatetags.marks import Clock as ShownClock

__all__ = ["Badge", "Bars", "Clock", "Facts", "Html", "Link", "Picture", "Reason", "Strip", "Table", "Timeline", "Tree"]

TIMELINE_LENGTH = 60
CASE = re.compile(r"CSE(-[0-9A-Z]{4})+")
CLOCK_KINDS = {Standing.IN_FORCE: "legal", Standing.PROPOSED: "proposed", Standing.OWN_POLICY: "own"}


def for_viewer(section, user):
    """The section without links to pages this person may not open; their text stays. None for what they may not know.

    Who may not see holds learns nothing of one: a hold tells of an authority's request that must stay secret.
    """
    if not policy_table.may_see_section(user, section.id):
        return None
    changes = {}
    if isinstance(section, Timeline):
        told = [event for day in section.days for event in day["events"]]
        unseen = _unseen_cases(user, told)
        days = [
            {**day, "events": [event for event in day["events"] if policy_table.may_see_verb(user, event["verb"])
                               and not unseen & _cases_in(event)]}
            for day in section.days
        ]  # fmt: skip
        changes["days"] = [day for day in days if day["events"]]
    if rows := getattr(section, "rows", None):
        changes["rows"] = [tuple(_for_viewer(cell, user) for cell in row) for row in rows]
    if getattr(section, "url", "") and not _may_open(section.url, user):
        changes["url"] = ""
    if table := getattr(section, "table", None):
        changes["table"] = for_viewer(table, user)
    return replace(section, **changes) if changes else section


def _cases_in(event: dict) -> set[str]:
    """The references of cases that an event names."""
    return {fact for fact in event.get("facts", {}).values() if isinstance(fact, str) and CASE.fullmatch(fact)}


def _unseen_cases(user, events: Iterable[dict]) -> set[str]:
    """Cases that events name and that do not exist for this person; an event that names one is not told."""
    named = set().union(*(_cases_in(event) for event in events))
    return policy_table.unseen_of(user, "cases.case", named) if named else set()


def _may_open(url: str, user) -> bool:
    """Whether this address is none of ours, or one that the policy table opens to this person."""
    try:
        page = policy_table.page_at(resolve(urlsplit(url).path))
    except Resolver404:
        return True
    return page is not None and page.opens_to(user, "GET")


def _for_viewer(cell, user):
    if not isinstance(cell, Link):
        return cell
    if isinstance(cell.to, str):
        return cell if _may_open(cell.to, user) else visible(cell.text)
    return cell if user.has_perm(policy_table.right_to_see(cell.to._meta.label_lower)) else visible(cell.text)


def url_of(record: models.Model) -> str:
    """The record's page in the admin; "" when it has none."""
    try:
        return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
    except NoReverseMatch:
        return ""


@dataclass(frozen=True)
class Link:
    """A text that leads to a record's page or to an address of ours."""

    text: object
    to: models.Model | str

    def __html__(self) -> str:
        url = self.to if isinstance(self.to, str) else url_of(self.to)
        return format_html('<a href="{}">{}</a>', url, cell(self.text)) if url else cell(self.text)


@dataclass(frozen=True)
class Reason:
    """A sentence on what stands in the way, and where it is put right; `door` is None when there is no such place."""

    sentence: str
    door: Link | None = None

    def seen_by(self, user) -> "Reason":
        """The sentence alone, for who may not go there."""
        return replace(self, door=self.door if self.door and isinstance(_for_viewer(self.door, user), Link) else None)


@dataclass(frozen=True)
class Clock:
    """A day by which something is due, and whose day it is: `standing` as of a citation. They look different."""

    due: date
    standing: str = Standing.OWN_POLICY
    what: str = ""

    def seen_on(self, today: date) -> ShownClock:
        return ShownClock(self.due, today, CLOCK_KINDS[self.standing], self.what)


@dataclass(frozen=True)
class Facts:
    id: str
    title: str
    rows: Sequence[tuple[str, object]]
    note: str = ""
    url: str = ""
    url_label: str = ""
    kind: str = "facts"


@dataclass(frozen=True)
class Table:
    id: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str = ""
    more_url: str = ""
    more_label: str = ""
    note: str = ""
    url: str = ""
    url_label: str = ""
    kind: str = "table"


@dataclass(frozen=True)
class Tree:
    """Owners as a picture; `table` is a Table with the same facts."""

    id: str
    title: str
    node: object
    table: Table | None = None
    empty: str = "No owners are known."
    note: str = ""
    kind: str = "tree"


@dataclass(frozen=True)
class Bars:
    """Bars for rows of (label, value, tone); `head` names the columns of the table beside them, or `table` is it."""

    id: str
    title: str
    rows: Sequence[tuple[object, int, str]]
    head: Sequence[str] = ()
    table: Table | None = None
    empty: str = ""
    note: str = ""
    url: str = ""
    url_label: str = ""
    is_wide: bool = False
    kind: str = "bars"


@dataclass(frozen=True)
class Strip:
    """Access by day from `first` to `last`, or from and to the days with any, with a table beside it."""

    id: str
    title: str
    days: Sequence[SeenDay]
    table: Table | None = None
    empty: str = ""
    note: str = ""
    first: date | None = None
    last: date | None = None
    url: str = ""
    url_label: str = ""
    is_wide: bool = False
    kind: str = "strip"


@dataclass(frozen=True)
class Picture:
    """A picture that is drawn already, with a table beside it."""

    id: str
    title: str
    svg: SafeString
    table: Table | None = None
    note: str = ""
    kind: str = "picture"


@dataclass(frozen=True)
class Html:
    """A section with a template of its own."""

    id: str
    title: str
    template: str
    context: dict = field(default_factory=dict)
    note: str = ""
    kind: str = "html"


@dataclass(frozen=True)
class Timeline:
    id: str
    title: str
    days: Sequence[dict]
    more_url: str = ""
    more_label: str = ""
    note: str = ""
    kind: str = "timeline"


_ADDED: dict[str, list[Callable]] = {}


def add_sections(label: str, function: Callable) -> None:
    """Called by an app's ready(): show sections of its own on the pages of a kind of record that lies below it.

    `label` is like "accounts.account"; `function(record, *, user, at)` returns a list of sections.
    """
    _ADDED.setdefault(label, []).append(function)


def with_added(own: Sequence, record: models.Model, *, user, at) -> list:
    """A page's own sections and those that others add, before the timeline when that is the last."""
    functions = _ADDED.get(record._meta.label_lower, ())
    added = [section for function in functions for section in function(record, user=user, at=at)]
    last = len(own) - 1 if own and isinstance(own[-1], Timeline) else len(own)
    return [*own[:last], *added, *own[last:]]


def timeline_section(record: models.Model, *also: models.Model) -> Timeline:
    """What happened to a record and within it, newest first, by day in the viewer's zone; one query a record."""
    events = []
    for each in (record, *also):
        events += audit.history_of(each)[:TIMELINE_LENGTH]
    newest_first = sorted(events, key=lambda event: (event.at, event.pk), reverse=True)
    return Timeline("timeline", "Timeline", _by_day(newest_first))


def _by_day(events: Iterable) -> list[dict]:
    days = []
    for day, group in groupby(events, key=lambda event: timezone.localtime(event.at).date()):
        told = [
            {
                "at": event.at,
                "actor": event.actor_label,
                "sentence": audit.as_sentence(event),
                "ref": event.about_name,
                "verb": event.verb,
                "facts": event.facts,
            }
            for event in group
        ]
        days.append({"day": day, "events": told})
    return days


def clocks_section(record: models.Model, *, today: date) -> Table:
    """The running clocks of a record, soonest first."""
    rows = [
        [Clock(clock.due_on, clock.standing, clock.kind).seen_on(today), str(clock.citation)]
        for clock in clocks_of(record)
    ]
    return Table("clocks", "Clocks", ["Clock", "Source"], rows, empty="No clock is running.")


def notices_section(record: models.Model) -> Table:
    """What the customer was told about a record."""
    rows = [
        [Link(notice.reference, notice), notice.kind.replace("_", " "), notice.get_state_display(), notice.queued_at]
        for notice in notices_about(record)[:20]
    ]
    return Table("notices", "Notices", ["Notice", "About", "State", "Queued"], rows, empty="Nothing was sent yet.")


def holds_section(*records: models.Model) -> Table:
    """The holds in force on these records: what is held cannot be destroyed."""
    found = {held.hold_id: held.hold for held in holds.held_records(records)}
    rows = [
        [Link(hold.reference, hold), hold.reason.replace("_", " "), hold.ground, hold.until] for hold in found.values()
    ]
    return Table("holds", "Holds", ["Hold", "Reason", "Ground", "Look again on"], rows, empty="Nothing is held.")
