"""What the buttons for accounts that belong together ask."""

from django import forms
from django.utils import timezone

from cases.admin.forms import ProposeForm
from cases.flows.tied import tied_accounts


class TiedForm(forms.Form):
    """Which of the tied accounts come into the case; none is ticked beforehand."""

    wants_record = True
    accounts = forms.MultipleChoiceField(
        label="Accounts tied to this case", widget=forms.CheckboxSelectMultiple,
        help_text="Strength, and what is shared, behind each. Tick those that this case shall decide as well.",
    )  # fmt: skip

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        tied = tied_accounts(record, at=timezone.now()) if record else []
        self._accounts = {each.account.reference: each.account for each in tied}
        self.fields["accounts"].choices = [
            (
                each.account.reference,
                f"{each.account.reference} ({each.account.get_status_display()}), {each.score:.0%}: {each.sentence}",
            )
            for each in tied
        ]
        if record and not tied:
            self.fields["accounts"].help_text = "No account outside of this case is tied to one in it strongly enough."

    def clean_accounts(self):
        return [self._accounts[reference] for reference in self.cleaned_data["accounts"]]


class ProposeForSeveralForm(ProposeForm):
    """One outcome and reason for the accounts ticked; each gets a decision of its own."""

    account = None
    accounts = forms.MultipleChoiceField(
        label="Accounts", widget=forms.CheckboxSelectMultiple,
        help_text="Each gets a decision of its own, with this outcome and reason. All of them, or none.",
    )  # fmt: skip
    field_order = ("accounts", "outcome", "reason", "at_once")

    def offer_accounts(self, references):
        self.fields["accounts"].choices = [(reference, reference) for reference in references]

    def clean_accounts(self):
        return [self._accounts[reference] for reference in self.cleaned_data["accounts"]]
