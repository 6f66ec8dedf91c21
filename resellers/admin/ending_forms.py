"""What is asked for at the end of a relationship, of a report to an authority, and of a request for a CIP."""

from django import forms

from accounts.admin.forms import day_field
from resellers.admin.forms import ResellerForm
from resellers.models import Reseller
from resellers.rules.ending import OWN_OUTCOMES, Channel, EndReason, Outcome


class ChoiceForm(forms.Form):
    """What is to become of customers, and to whom they move."""

    outcome = forms.ChoiceField(label="Their customers", choices=Outcome.choices())
    target = forms.CharField(
        max_length=20, required=False, label="Other reseller",
        help_text="The reference of the one they move to, for example RSL-7K3M-9QXD; else empty.",
    )  # fmt: skip

    def clean_target(self) -> Reseller | None:
        if not self.cleaned_data["target"].strip():
            return None
        found = ResellerForm({"reseller": self.cleaned_data["target"]})
        if not found.is_valid():
            raise forms.ValidationError(found.errors["reseller"].data)
        return found.cleaned_data["reseller"]


class ProposeEndForm(ChoiceForm):
    """Why the relationship is to end, and what follows for everybody."""

    reason = forms.ChoiceField(label="Reason", choices=EndReason.choices())
    words = forms.CharField(max_length=4000, label="Why", widget=forms.Textarea(attrs={"rows": 6}))
    own_outcome = forms.ChoiceField(label="The reseller's own account", choices=OWN_OUTCOMES)
    field_order = ["reason", "words", "outcome", "target", "own_outcome"]


class ReportForm(forms.Form):
    """What an authority is to be told."""

    authority = forms.CharField(max_length=200, label="Authority")
    about = forms.CharField(max_length=4000, label="What is reported", widget=forms.Textarea(attrs={"rows": 8}))


class ReportSentForm(forms.Form):
    """How it was reported."""

    channel = forms.ChoiceField(label="Channel", choices=Channel.choices())
    report_id = forms.CharField(
        max_length=100, required=False, label="Number of the report", help_text="The authority's own, if it gave one."
    )


class AskCipForm(forms.Form):
    """Who asks for the CIP, and since when."""

    requester = forms.CharField(max_length=200, label="Who asks", help_text="The authority, such as the BIS.")
    requester_number = forms.CharField(max_length=100, required=False, label="Their number")
    requested_on = day_field("Asked on", required=True, help_text="The day on which the request came: day 0.")


class SentForm(forms.Form):
    """How the copy went out."""

    channel = forms.ChoiceField(label="Channel", choices=Channel.choices())
