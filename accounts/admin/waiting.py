"""Accounts nobody knows: the keys under which accesses wait, and the button that says whose they are (R18)."""

from django import forms
from django.contrib import admin

from accounts.admin.forms import text_field
from accounts.flows import waiting
from accounts.models import UnknownAccount, WaitingLine
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

MOST_LINES = 20


class NameAccountForm(forms.Form):
    """Whose the accesses are."""

    account = text_field("Account", 20, required=True, help_text="Its reference, such as ACC-7K3M-9QXD.")


@admin.register(UnknownAccount)
class UnknownAccountAdmin(RecordAdmin):
    list_display = ["reference", "source_system", "key", "line_count", "first_at", "last_at", "last_delivered_at"]
    search_fields = ["=reference", "=key"]
    search_help_text = "The whole reference, or the whole key."
    ordering = ["source_system", "key"]

    def page_title(self, record):
        return f"{record.key} in {record.source_system}"

    def badges(self, record):
        known = waiting.account_of(record.source_system, record.key)
        return [Badge("being moved", "info") if known else Badge(f"{record.line_count:,} waiting", "warning")]

    def sections(self, record, *, user, at):
        known = waiting.account_of(record.source_system, record.key)
        facts = [
            ("Source system", record.source_system), ("Its key of the account", record.key),
            ("Accesses that wait", record.line_count), ("First access", record.first_at),
            ("Last access", record.last_at), ("Waiting since", record.waiting_since),
            ("Last delivered", record.last_delivered_at), ("Known as", Link(known, known) if known else None),
        ]  # fmt: skip
        note = "Unclaimed accesses go after some days (own policy, figure waiting_access_days)."
        return [
            Facts("unknown", "Unknown account", [fact for fact in facts if fact[1] is not None], note=note),
            _newest(record), timeline_section(record),
        ]  # fmt: skip

    @flow_action(
        "This is account …", form=NameAccountForm, primary=True,
        when=lambda record: waiting.account_of(record.source_system, record.key) is None,
        warning="The accesses that wait are moved to the account, and later ones of this key go there at once.",
    )  # fmt: skip
    def name_account(self, record, *, by, at, account):
        named = waiting.name_account(record, account=account, by=by, at=at)
        return f"{record.reference} is {named.account.reference}. Its accesses are being moved.", named.account


def _newest(record: UnknownAccount) -> Table:
    lines = WaitingLine.objects.filter(source_system=record.source_system, account_key=record.key)
    rows = [
        [line.at, line.get_kind_display(), line.action, line.address or line.raw_source, Link(line.batch, line.batch)]
        for line in lines.select_related("batch").order_by("event_id")[:MOST_LINES]
    ]
    head = ["When", "Kind", "Action", "Source", "Delivery"]
    return Table(
        "lines", "Some of what waits", head, rows, empty="Nothing waits any more.",
        note=f"{MOST_LINES} are shown, in the order of their event ids.",
    )  # fmt: skip
