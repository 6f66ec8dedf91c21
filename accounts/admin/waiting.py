"""Accounts nobody knows: the keys under which accesses wait, the button that says whose they are, and what is said of
that on the account's page (R18)."""

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import models
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.forms import RecordForm, text_field
from accounts.flows import access_keeping, waiting
from accounts.models import Account, CloudAccount, UnknownAccount, WaitingLine
from accounts.models.access import NamingEndedWhy
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_LINES = 20
MOST_KEYS = 30
STANDING_FIRST = models.F("ended_at").asc(nulls_first=True)


class NameAccountForm(forms.Form):
    """Whose the accesses are."""

    account = text_field("Account", 20, required=True, help_text="Its reference, such as ACC-7K3M-9QXD.")


class EndNamingForm(RecordForm):
    """Which key is the account's no more, and why."""

    named = forms.ChoiceField(label="Key")
    reason = forms.ChoiceField(label="Reason", choices=NamingEndedWhy.choices)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._standing = {str(row.pk): row for row in keys_of(self.record) if row.ended_at is None}
        self.fields["named"].choices = [
            (key, f"{row.key} in {row.source_system}") for key, row in self._standing.items()
        ]

    def clean_named(self):
        return self._standing[self.cleaned_data["named"]]


@admin.register(UnknownAccount)
class UnknownAccountAdmin(RecordAdmin):
    list_display = ["reference", "source_system", "key", "line_count", "first_at", "last_at", "last_delivered_at"]
    search_fields = ["=reference", "=key"]
    search_help_text = "The whole reference, or the whole key."
    ordering = ["source_system", "key"]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The page; of one that is gone what became of it, where the trail knows."""
        key = unquote(object_id)
        gone = waiting.gone(key) if self.get_object(request, key) is None else None
        if gone is None:
            return super().change_view(request, object_id, form_url, extra_context)
        record = UnknownAccount(pk=key, reference=gone.reference)
        record.gone = gone
        return TemplateResponse(request, "admin/change_form.html", self._page(request, record, timezone.now()))

    def page_title(self, record):
        return "An account that was unknown" if record.gone else f"{record.key} in {record.source_system}"

    def badges(self, record):
        if record.gone:
            return [Badge("moved", "good")]
        known = waiting.account_of(record.source_system, record.key)
        return [Badge("being moved", "info") if known else Badge(f"{record.line_count:,} waiting", "warning")]

    def sections(self, record, *, user, at):
        if record.gone:
            return [_of_gone(record.gone), timeline_section(record)]
        known = waiting.account_of(record.source_system, record.key)
        facts = [
            ("Source system", record.source_system), ("Its key of the account", record.key),
            ("Accesses that wait", record.line_count), ("First access", record.first_at),
            ("Last access", record.last_at), ("Waiting since", record.waiting_since),
            ("Last delivered", record.last_delivered_at), ("Known as", Link(known, known) if known else None),
        ]  # fmt: skip
        (period,) = access_keeping.periods_of_unknown(record)
        note = f"Unclaimed accesses go {period.sentence}"
        return [
            Facts("unknown", "Unknown account", [fact for fact in facts if fact[1] is not None], note=note),
            _newest(record), timeline_section(record),
        ]  # fmt: skip

    @flow_action(
        "This is account …", form=NameAccountForm, primary=True,
        when=lambda record: not record.gone and waiting.account_of(record.source_system, record.key) is None,
        warning="The accesses that wait are moved to the account, and later ones of this key go there at once.",
    )  # fmt: skip
    def name_account(self, record, *, by, at, account):
        named = waiting.name_account(record, account=account, by=by, at=at)
        return f"{record.reference} is {named.account.reference}. Its accesses are being moved.", named.account


def _newest(record: UnknownAccount) -> Table:
    lines = WaitingLine.objects.filter(source_system=record.source_system, account_key=record.key)
    rows = [
        [line.at, line.get_kind_display(), line.action, line.address or line.raw_source, Link(line.batch, line.batch)]
        for line in lines.select_related("batch").order_by("event_id")[: MOST_LINES + 1]
    ]
    head = ["When", "Kind", "Action", "Source", "Delivery"]
    return Table(
        "lines", "What waits", head, rows[:MOST_LINES], empty="Nothing waits any more.",
        note=f"{MOST_LINES} are shown, in the order of their event ids." if len(rows) > MOST_LINES else "",
    )  # fmt: skip


def _of_gone(gone: waiting.Gone) -> Facts:
    account, named = gone.account, gone.named
    facts = [("Known as", Link(account, account) if account else "an account whose file is gone")]
    note = "Its accesses were moved there."
    if named:
        facts = [("Source system", named.source_system), ("Its key of the account", named.key), *facts]
        note += " Later ones of this key go there at once."
    if named and named.ended_at:
        facts += [("Naming ended", named.ended_at), ("By", named.ended_by), ("Because", named.get_ended_why_display())]
        note = "Its accesses were moved there and stay. Later ones of this key wait under a reference of their own."
    return Facts("unknown", "What became of it", facts, note=note)


# --- On the account's page --------------------------------------------------------------------------------------------


def keys_of(account: Account) -> list[CloudAccount]:
    """The account's keys in source systems, standing ones first, then the newest; read once for all parts of a page."""
    if "keys_on_page" not in account.__dict__:
        account.keys_on_page = list(account.cloud_accounts.order_by(STANDING_FIRST, "-named_at", "-pk"))
    return account.keys_on_page


def known_keys(account: Account) -> Table:
    """By which keys of source systems accesses come to the account, since when, and who said so."""
    shown = keys_of(account)[:MOST_KEYS]
    is_any_over = any(row.ended_at for row in shown)
    rows = [
        [
            row.source_system, row.key, _was(row), row.named_at, row.named_by, _until(row),
            *([row.ended_at, row.ended_by] if is_any_over else []),
        ]
        for row in shown
    ]  # fmt: skip
    notes = [f"{MOST_KEYS} of them are shown."] if len(keys_of(account)) > MOST_KEYS else []
    if is_any_over:
        notes.append(
            "Where a naming was ended, later accesses wait again. What came by it before stays with this account: "
            "evidence is not moved out of a file."
        )
    head = ["Source system", "Key", "Was", "Since", "By", "Now", *(["Ended", "Ended by"] if is_any_over else [])]
    empty = "Staff named none. Accesses come here by the customer number, or by our reference."
    return Table("known-keys", "Known by these keys", head, rows, empty=empty, note=" ".join(notes))


def _was(row: CloudAccount) -> str:
    """Under which reference its accesses waited, and how many of them came from there."""
    return f"{row.named_as}, {row.moved_count:,} moved" if row.named_as else ""


def _until(row: CloudAccount) -> Badge:
    return Badge(row.get_ended_why_display(), "warning") if row.ended_at else Badge("goes here", "good")
