"""What the buttons of cases ask."""

from django import forms

from accounts.models import Account
from cases.flows.review import LONGEST_NOTE, ClosedWhy, ReopenedWhy
from cases.rules.disclosure import GROUNDS, Ground, Recipient
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.staff.models import StaffMember

MOST_ACCOUNTS = 200
LAWFUL = [(ground.value, ground.label) for ground in Ground if GROUNDS[ground].data_classes]


def _day(**kwargs) -> forms.DateField:
    """A day in the one spelling that cannot be misread."""
    return forms.DateField(
        input_formats=["%Y-%m-%d"], widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs
    )


class AssignForm(forms.Form):
    to = forms.CharField(label="To", max_length=150, help_text="User name of the colleague.")

    def clean_to(self):
        user = StaffMember.objects.filter(username=self.cleaned_data["to"].strip(), is_active=True).first()
        if user is None:
            raise forms.ValidationError("No active member of staff has this user name.")
        return user


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note", max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What you found out or did. Card numbers are masked; nobody can change a note later.",
    )  # fmt: skip


class ProposeForm(forms.Form):
    """Asks about one account of the case; the list holds only these."""

    wants_record = True
    account = forms.ChoiceField(label="Account")
    outcome = forms.ChoiceField(label="Outcome", choices=OutcomeCode.choices())
    reason = forms.ChoiceField(label="Reason", choices=[(code, reason.title) for code, reason in REASONS.items()])

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        subjects = record.subjects.select_related("account").order_by("joined_at", "pk") if record else []
        self._accounts = {subject.account.reference: subject.account for subject in subjects}
        self.fields["account"].choices = [(reference, reference) for reference in self._accounts]

    def clean_account(self):
        return self._accounts[self.cleaned_data["account"]]


class WhyForm(forms.Form):
    why = forms.CharField(
        label="Why", max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Your colleague reads this.",
    )  # fmt: skip


class CloseForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=ClosedWhy.choices())


class ReopenForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=ReopenedWhy.choices())


class RequestForm(forms.Form):
    """A request of an authority about one or more accounts, given by their references."""

    accounts = forms.CharField(
        label="Accounts", widget=forms.Textarea(attrs={"rows": 3}),
        help_text="References, separated by spaces or lines, for example ACC-7K3M-9QXD.",
    )  # fmt: skip
    authority = forms.CharField(label="Authority", max_length=200, help_text="Who asks.")
    authority_reference = forms.CharField(
        label="Their reference", max_length=100, required=False, help_text="The number on their letter."
    )
    ground = forms.ChoiceField(label="Ground", choices=Ground.choices())
    received_on = _day(label="Received on", help_text="The day it came; the days of a preservation count from it.")

    def clean_accounts(self):
        wanted = list(dict.fromkeys(self.cleaned_data["accounts"].upper().replace(",", " ").split()))
        if len(wanted) > MOST_ACCOUNTS:
            raise forms.ValidationError(f"Give at most {MOST_ACCOUNTS} accounts in one request.")
        found = {account.reference: account for account in Account.objects.filter(reference__in=wanted)}
        unknown = [reference for reference in wanted if reference not in found]
        if unknown:
            shown = ascii(unknown[0][:20])[1:-1]
            raise forms.ValidationError(f"No account has the reference “{shown}”. Copy it from the account's page.")
        return [found[reference] for reference in wanted]


class ServeForm(forms.Form):
    ground = forms.ChoiceField(label="Ground of the process", choices=LAWFUL)


class CollectForm(forms.Form):
    ground = forms.ChoiceField(label="Ground", choices=Ground.choices())
    recipient = forms.ChoiceField(label="Recipient", choices=Recipient.choices())


class ApproveForm(forms.Form):
    """The approver says that the paper the ground demands lies before them."""

    wants_record = True
    paper_seen = forms.BooleanField(label="The paper is on file and I have read it")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        if record is not None:
            paper = GROUNDS[Ground(record.ground)].paper
            self.fields["paper_seen"].label = f"I have read {paper}, and it covers what is listed"


class ReceiptForm(forms.Form):
    received_by = forms.CharField(label="Received by", max_length=200, help_text="Who signed the receipt.")
    received_on = _day(label="Received on")
