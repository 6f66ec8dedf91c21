"""API keys: who answers for each, what it opens, until when; made and revoked by administrators."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone

from kyc_portal.api import keys
from kyc_portal.api.models import ApiKey
from kyc_portal.api.scopes import SCOPES
from kyc_portal.staff.actions import flow_action, where_sealed
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, timeline_section


class ApiKeyForm(forms.Form):
    """For which system, in whose name, for what, from where and how long."""

    name = forms.CharField(max_length=60, label="System", help_text="Such as “log shipper, Frankfurt”.")
    owner = forms.ModelChoiceField(
        StaffMember.objects.filter(is_active=True).order_by("username"), to_field_name="username",
        help_text="Answers for what the system does. The key dies when they leave or lose the role it rests on.",
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        choices=[(scope.code, f"{scope.code}: {scope.words}") for scope in SCOPES.values()],
        widget=forms.CheckboxSelectMultiple, label="What it may do",
    )  # fmt: skip
    networks = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), label="Only from these networks",
        help_text="One a line or with commas between, such as 192.0.2.0/24. Leave empty for every place.",
    )  # fmt: skip
    days = forms.IntegerField(
        min_value=1, max_value=settings.API_KEY_MAX_DAYS, label="Days until it runs out",
        help_text=f"At most {settings.API_KEY_MAX_DAYS}.",
    )  # fmt: skip

    def clean_networks(self) -> list[str]:
        return self.cleaned_data["networks"].replace(",", " ").split()


class StateFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "in_force": ("in force", lambda rows, user, today: rows.in_force(timezone.now())),
        "revoked": ("revoked", lambda rows, user, today: rows.filter(revoked_at__isnull=False)),
    }


@admin.register(ApiKey)
class ApiKeyAdmin(RecordAdmin):
    list_display = ["reference", "name", "owner", "what", "expires_at", "last_used_on", "revoked_at"]
    list_filter = [StateFilter]
    list_select_related = ["owner"]
    search_fields = ["reference", "name", "owner__username"]
    ordering = ["-created_at"]
    adding = ApiKeyForm
    adding_is_grave = True
    add_label = "Make an API key"

    @admin.display(description="scopes")
    def what(self, key):
        return ", ".join(key.scopes)

    def add(self, *, by, at, **cleaned):
        return keys.create_key(by=by, at=at, **cleaned)

    def added(self, request, key):
        """The only page that ever shows the key; a message would leave it in the session."""
        sealed = where_sealed(request)
        context = {**self.admin_site.each_context(request), "title": "The new key", "opts": self.opts, "key": key}
        response = TemplateResponse(request, "admin/api/new_key.html", {**context, "sealed": sealed})
        response["Cache-Control"] = "no-store, private"
        return response

    def page_title(self, key):
        return key.name

    def badges(self, key):
        if key.revoked_at:
            return [Badge("revoked", "danger")]
        if key.expires_at <= timezone.now():
            return [Badge("run out")]
        return [Badge("in force", "good") if keys.owner_may(key) else Badge("dead: its owner may not", "warning")]

    def sections(self, key, *, user, at):
        rows = [
            ("System", key.name), ("Owner", Link(key.owner.username, key.owner)), ("May", self.what(key)),
            ("Only from", ", ".join(key.networks) or "every network"), ("Runs out", key.expires_at),
            ("Last used", key.last_used_on or "never"), ("Made", key.created_at), ("Made by", key.created_by),
            ("Revoked", key.revoked_at), ("Revoked by", key.revoked_by),
        ]  # fmt: skip
        return [Facts("key", "The key", rows), timeline_section(key)]

    @flow_action(
        "Revoke", tone="danger", grave=True, when=lambda key: key.revoked_at is None,
        warning="The system that uses this key is refused from its next request on. This cannot be undone.",
    )  # fmt: skip
    def revoke(self, key, *, by, at):
        keys.revoke_key(key, by=by, at=at)
        return f"{key.reference} is revoked."
