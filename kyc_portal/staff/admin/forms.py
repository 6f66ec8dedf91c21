"""What the screens of the shared ground ask for."""

from datetime import date

from django import forms
from django.conf import settings
from django.db import models
from django.utils import timezone

from kyc_portal.policy.models import StatementKind
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.models import FurtherPermissions, WhyTaken
from kyc_portal.staff.references import UnknownReference, find
from kyc_portal.staff.roles import ROLES

HOLD_REASONS = [
    ("litigation", "litigation, pending or expected"),
    ("legal_request", "request of an authority"),
    ("investigation", "investigation of our own"),
    ("regulator", "question of a regulator"),
]
MOST_HELD_AT_ONCE = 50
LONGEST_CIP = 400_000


def day_field(**changes) -> forms.DateField:
    """A day, written as ISO 8601 only, so that no country's order of day and month is guessed."""
    return forms.DateField(
        input_formats=["%Y-%m-%d"], widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "Write the day as YYYY-MM-DD, for example 2026-03-02."}, **changes,
    )  # fmt: skip


class HoldForm(forms.Form):
    """What is held, why, and when to look at it again."""

    references = forms.CharField(
        label="What is held",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="References of customers, accounts or cases, one a line or with commas between: ACC-7K3M-9QXD.",
    )
    reason = forms.ChoiceField(choices=HOLD_REASONS)
    ground = forms.CharField(max_length=200, help_text="The request, order or matter this hold rests on.")
    until = day_field(
        label="Look again on", required=False, help_text="The hold stays in force after this day, until it is released."
    )

    def clean_references(self) -> list[models.Model]:
        wanted = dict.fromkeys(self.cleaned_data["references"].replace(",", " ").upper().split())
        if len(wanted) > MOST_HELD_AT_ONCE:
            raise forms.ValidationError(f"Name at most {MOST_HELD_AT_ONCE} records for one hold.")
        records, unknown = [], []
        for reference in wanted:
            try:
                records.append(find(reference))
            except UnknownReference as refusal:
                unknown.append(str(refusal))
        if unknown:
            raise forms.ValidationError(unknown)
        return records

    def clean_until(self) -> date | None:
        until, today = self.cleaned_data["until"], legal_day(timezone.now())
        if until is not None and until < today:
            raise forms.ValidationError(f"{until} is past. Name a day from {today} on, or leave it empty.")
        return until


class ReleaseForm(forms.Form):
    reason = forms.CharField(max_length=200, label="Why it may go", help_text="Stands in the trail; name no person.")


class PurgeForm(forms.Form):
    """As of which day it is judged what would go; a day to come is only ever simulated."""

    as_of = day_field(
        label="As of", help_text="The day to judge by. Nothing is changed: this only counts what would go."
    )


class HolidayForm(forms.Form):
    """A day that is no business day."""

    day = day_field(help_text="Clocks of business days that start from now on leave this day out.")
    title = forms.CharField(label="Name", max_length=100)


class CipForm(forms.Form):
    """A new version of the written programme, approved as it stands here."""

    title = forms.CharField(max_length=200)
    text = forms.CharField(max_length=LONGEST_CIP, strip=False, widget=forms.Textarea(attrs={"rows": 24}))
    effective_from = day_field(label="In force from")


class PrivacyNoticeForm(forms.Form):
    """A new version of what customers read before they are asked for data."""

    text = forms.CharField(max_length=LONGEST_CIP, strip=False, widget=forms.Textarea(attrs={"rows": 16}))
    effective_from = day_field(label="In force from")


class StatementForm(forms.Form):
    """A new wording of what somebody signs."""

    kind = forms.ChoiceField(choices=StatementKind.choices)
    text = forms.CharField(max_length=LONGEST_CIP, strip=False, widget=forms.Textarea(attrs={"rows": 10}))
    effective_from = day_field(label="In force from")


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES],
        widget=forms.CheckboxSelectMultiple,
        help_text="Some roles may not lie with one person; the portal says which.",
    )


class MemberForm(RolesForm):
    """A person who is to log in."""

    username = forms.CharField(max_length=150, label="User name", help_text="Stands in the trail for good.")
    email = forms.EmailField(label="E-mail")

    field_order = ["username", "email", "roles"]


class BreakGlassForm(forms.Form):
    """What is needed beyond one's role, why, for which record and how long."""

    what = forms.ChoiceField(label="What you need", choices=FurtherPermissions.choices)
    reason = forms.ChoiceField(label="Why", choices=WhyTaken.choices)
    about = forms.CharField(
        label="For the sake of", max_length=20, help_text="Reference of the account or case, such as ACC-7K3M-9QXD."
    )
    hours = forms.IntegerField(
        min_value=1, max_value=settings.BREAK_GLASS_HOURS,
        help_text=f"At most {settings.BREAK_GLASS_HOURS}. It ends by itself; give it back when you are done.",
    )  # fmt: skip

    def clean_about(self) -> models.Model:
        try:
            return find(self.cleaned_data["about"])
        except UnknownReference as refusal:
            raise forms.ValidationError(str(refusal)) from None
