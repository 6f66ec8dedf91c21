"""Where other systems are told of changes, with the secret shown once, and every message with its tries."""

from functools import partial

from django import forms
from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone

from kyc_portal.api import webhooks
from kyc_portal.api.models import ApiKey, DeliveryState, WebhookDelivery, WebhookEndpoint
from kyc_portal.staff.actions import flow_action, where_sealed
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

LAST = 20
TONES = {
    DeliveryState.QUEUED: "info",
    DeliveryState.SENT: "good",
    DeliveryState.GIVEN_UP: "danger",
    DeliveryState.DROPPED: "",
}


class KeyForm(forms.Form):
    key = forms.ModelChoiceField(
        ApiKey.objects.filter(revoked_at__isnull=True).order_by("reference"), to_field_name="reference",
        label="Under the API key", help_text=f"It must open {webhooks.SCOPE}. When it dies, nothing more is told.",
    )  # fmt: skip


class EndpointForm(KeyForm):
    """Which system is told, where, and in whose name."""

    name = forms.CharField(max_length=60, label="System", help_text="Such as “provisioning, Frankfurt”.")
    url = forms.CharField(
        max_length=300, label="Address", help_text="Begins with https:// and is reached from everywhere."
    )
    field_order = ["name", "url", "key"]


class StateFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "active": ("told", lambda rows, user, today: rows.active()),
        "ended": ("ended", lambda rows, user, today: rows.filter(ended_at__isnull=False)),
    }


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(RecordAdmin):
    list_display = ["reference", "name", "url", "key", "created_at", "ended_at"]
    list_filter = [StateFilter]
    list_select_related = ["key"]
    search_fields = ["reference", "name", "url"]
    ordering = ["-created_at"]
    adding = EndpointForm
    adding_is_grave = True
    add_label = "Have changes told to a system"

    def add(self, *, by, at, **cleaned):
        return webhooks.create_endpoint(by=by, at=at, **cleaned)

    def added(self, request, endpoint):
        """The only page that ever shows the secret; a message would leave it in the session."""
        own = {"title": "The new secret", "opts": self.opts, "endpoint": endpoint, "sealed": where_sealed(request)}
        context = {**self.admin_site.each_context(request), **own}
        response = TemplateResponse(request, "admin/api/new_secret.html", context)
        response["Cache-Control"] = "no-store, private"
        return response

    def page_title(self, endpoint):
        return endpoint.name

    def badges(self, endpoint):
        if endpoint.ended_at:
            return [Badge("ended")]
        is_told = webhooks.may_be_told(endpoint, timezone.now())
        return [Badge("told of changes", "good") if is_told else Badge("its key does not open this", "danger")]

    def sections(self, endpoint, *, user, at):
        rows = [
            ("System", endpoint.name), ("Address", endpoint.url), ("Under", Link(endpoint.key.reference, endpoint.key)),
            ("Former secret signs until", endpoint.former_until or "only one secret signs"),
            ("Made", endpoint.created_at), ("Made by", endpoint.created_by),
            ("Ended", endpoint.ended_at), ("Ended by", endpoint.ended_by),
        ]  # fmt: skip
        last = endpoint.deliveries.order_by("-queued_at", "-number")[:LAST]
        table = Table(
            "deliveries", f"The last {LAST} messages", ["Message", "Account", "Queued", "State", "Tries"],
            [[Link(e.reference, e), e.account, e.queued_at, e.get_state_display(), e.attempts] for e in last],
            empty="Nothing was told yet: no answer has changed since.",
        )  # fmt: skip
        return [Facts("endpoint", "The endpoint", rows), table, timeline_section(endpoint)]

    @flow_action(
        "Change the secret", grave=True, when=lambda endpoint: endpoint.ended_at is None,
        warning="The former secret goes on signing beside the new one for a while. Carry the new one over in time.",
    )  # fmt: skip
    def rotate(self, endpoint, *, by, at):
        return partial(self.added, endpoint=webhooks.rotate_secret(endpoint, by=by, at=at))

    @flow_action(
        "Drop the former secret", grave=True, when=lambda endpoint: endpoint.former_secret is not None,
        warning="A receiver that knows only the former secret refuses every message from now on.",
    )  # fmt: skip
    def drop_former(self, endpoint, *, by, at):
        webhooks.drop_former(endpoint, by=by, at=at)
        return f"Only the newest secret of {endpoint.reference} signs."

    @flow_action("Put under another key", form=KeyForm, grave=True, when=lambda endpoint: endpoint.ended_at is None)
    def change_key(self, endpoint, *, by, at, key):
        webhooks.change_key(endpoint, key=key, by=by, at=at)
        return f"{endpoint.reference} is under {key.reference}."

    @flow_action(
        "End", tone="danger", grave=True, when=lambda endpoint: endpoint.ended_at is None,
        warning="The system learns of no change any more, and what waits is dropped. This cannot be undone.",
    )  # fmt: skip
    def end(self, endpoint, *, by, at):
        webhooks.end_endpoint(endpoint, by=by, at=at)
        return f"{endpoint.reference} is ended."


class SendingFilter(QuerysetFilter):
    title = "sending"
    parameter_name = "sending"
    options = {
        "failing": ("failing", lambda rows, user, today: rows.failing()),
        "waiting": ("waiting", lambda rows, user, today: rows.waiting()),
        "given_up": ("given up", lambda rows, user, today: rows.filter(state=DeliveryState.GIVEN_UP)),
    }


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(RecordAdmin):
    list_display = ["reference", "account", "number", "endpoint", "state", "attempts", "due_at", "queued_at"]
    list_filter = [SendingFilter]
    list_select_related = ["endpoint"]
    search_fields = ["reference", "account", "endpoint__reference"]
    ordering = ["-queued_at"]

    def badges(self, delivery):
        return [Badge(delivery.get_state_display(), TONES[DeliveryState(delivery.state)])]

    def sections(self, delivery, *, user, at):
        rows = [
            ("Account", delivery.account), ("Number of the change", delivery.number),
            ("Endpoint", Link(delivery.endpoint.name, delivery.endpoint)), ("Queued", delivery.queued_at),
            ("Next try", delivery.due_at if delivery.state == DeliveryState.QUEUED else None),
            ("Ended", delivery.ended_at), ("Message", delivery.body),
        ]  # fmt: skip
        tries = [
            [each.number, each.at, each.status or each.fault.replace("_", " "), f"{each.milliseconds:,} ms"]
            for each in delivery.tries.order_by("-at", "-pk")
        ]
        table = Table("tries", "Tries", ["Try", "At", "Answer", "Took"], tries, empty="Not tried yet.")
        return [Facts("message", "The message", rows), table, timeline_section(delivery)]

    @flow_action("Send again")
    def send_again(self, delivery, *, by, at):
        webhooks.send_again(delivery, by=by, at=at)
        return f"{delivery.reference} is sent again within a minute."
