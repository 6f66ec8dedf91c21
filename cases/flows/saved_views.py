"""Keep a view of the queue under a name, share it with a role, let it go."""

import re
from datetime import datetime

from accounts.flows.texts import Texts, required
from cases.models import SavedView
from cases.models.case import CaseKind
from cases.rules.queue_filters import Filters, read_filters
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

LONGEST_NAME = 60
MOST_VIEWS = 30
PERSONAL = re.compile(r"@|\d{5}|[A-Z]{3}-[0-9A-Z]{4}-[0-9A-Z]{4}")
ROLES = ("reviewer", "lead reviewer", "legal", "compliance")


class BadView(Refusal):
    """The view cannot be kept like this."""


def filters_of(view: SavedView) -> Filters:
    """Its filters, judged again: a code that is gone by now is left out by whoever shows it. Raises BadFilter."""
    return read_filters(view.filters, dict(CaseKind.choices))


@flow
def save(
    *, owner: StaffMember, name: str, filters: Filters, shared_with: str = "", by: Actor, at: datetime
) -> SavedView:
    """Keep filters under a name of one's own; the same name again changes what it stands for.

    `shared_with` is a role one has oneself, or "". A name is one line of at most 60 characters without personal data.
    """
    told = Texts()
    name = required("Name", told.line("Name", name.strip(), LONGEST_NAME))
    if told.masked or PERSONAL.search(name):
        raise BadView(
            "The name holds a number or an address. Name the view by what it shows, such as “My abuse reports”."
        )
    if shared_with and shared_with not in ROLES:
        raise BadView(f"A view is shared with one of these roles: {', '.join(ROLES)}.")
    if shared_with and not owner.groups.filter(name=shared_with).exists():
        raise BadView(f"You share a view with a role of your own; “{shared_with}” is none.")
    StaffMember.objects.select_for_update(of=("self",)).get(pk=owner.pk)
    if SavedView.objects.filter(owner=owner).exclude(name=name).count() >= MOST_VIEWS:
        raise BadView(f"You keep {MOST_VIEWS} views. Let one go first.")
    view, _ = SavedView.objects.update_or_create(
        owner=owner, name=name,
        defaults={"filters": filters.as_codes(), "shared_with": shared_with, "saved_at": at},
    )  # fmt: skip
    if shared_with:
        audit.record(Verb.VIEW_SHARED, owner, by=by, at=at, to=shared_with)
    else:
        audit.record(Verb.VIEW_SAVED, owner, by=by, at=at)
    return view


@flow
def let_go(view: SavedView, *, owner: StaffMember, by: Actor, at: datetime) -> None:
    """Delete a view of one's own. Raises BadView for another's."""
    if view.owner_id != owner.pk:
        raise BadView(f"{view.owner} keeps this view. Only they let it go.")
    view.delete()
    audit.record(Verb.VIEW_DELETED, owner, by=by, at=at)
