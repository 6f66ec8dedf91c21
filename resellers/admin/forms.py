"""What the reseller desk is asked for; a reference or user name is resolved here, in one sentence when unknown."""

from django import forms

from accounts.admin.forms import day_field
from accounts.models import Account
from kyc_portal.staff.models import StaffMember
from resellers.models import Reseller, ResellerContract, ResellerManager
from resellers.models.cip import VERDICTS
from resellers.models.contract import ContactRole
from resellers.rules.cip import requirements_of
from resellers.rules.findings import FindingKind


class AccountForm(forms.Form):
    """Names one account by its reference."""

    account = forms.CharField(
        max_length=20, label="Account", help_text="The account's reference, for example ACC-7K3M-9QXD."
    )

    def clean_account(self) -> Account:
        reference = self.cleaned_data["account"].strip().upper()
        found = Account.objects.filter(reference=reference).first()
        if found is None:  # of whatever kind the reference is: nobody learns here what else exists
            shown = ascii(reference)[1:-1]
            raise forms.ValidationError(f"No account has the reference “{shown}”. Copy it from the account's page.")
        return found


class ResellerForm(forms.Form):
    """Names one reseller by its reference."""

    reseller = forms.CharField(
        max_length=20, label="Reseller", help_text="The reseller's reference, for example RSL-7K3M-9QXD."
    )

    def clean_reseller(self) -> Reseller:
        reference = self.cleaned_data["reseller"].strip().upper()
        found = Reseller.objects.filter(reference=reference).first()
        if found is None:
            shown = ascii(reference)[1:-1]
            raise forms.ValidationError(f"No reseller has the reference “{shown}”. Copy it from the reseller's page.")
        return found


class ManagerForm(forms.Form):
    """Names the person who is to read a reseller's customers."""

    user = forms.CharField(
        max_length=150, label="User name", help_text="A log-in with the role “reseller manager” only."
    )

    def clean_user(self) -> StaffMember:
        user = StaffMember.objects.filter(username=self.cleaned_data["user"].strip()).first()
        if user is None:
            raise forms.ValidationError("Nobody has this user name. Ask an administrator to add the person first.")
        return user


class BindingForm(forms.Form):
    """Chooses one of the managers bound to a reseller now."""

    wants_record = True
    binding = forms.ModelChoiceField(ResellerManager.objects.none(), label="Manager", empty_label=None)

    def __init__(self, *args, record, **kwargs):
        super().__init__(*args, **kwargs)
        bound = ResellerManager.objects.filter(reseller=record, ended_at__isnull=True)
        self.fields["binding"].queryset = bound.select_related("user", "reseller").order_by("user__username")
        self.fields["binding"].label_from_instance = lambda binding: binding.user.username


class CipTextForm(forms.Form):
    """A reseller's own CIP, pasted as it stands."""

    title = forms.CharField(max_length=200, label="Title")
    text = forms.CharField(max_length=400_000, strip=False, widget=forms.Textarea(attrs={"rows": 24}), label="Text")


class AdoptForm(forms.Form):
    """The agreement by which a reseller adopts our own CIP."""

    agreement = forms.CharField(max_length=100, label="Agreement", help_text="Its number or title.")
    agreed_on = day_field("Signed on", required=True)


class JudgeForm(forms.Form):
    """What was found on one requirement."""

    wants_record = True
    requirement = forms.ChoiceField(label="Requirement")
    verdict = forms.ChoiceField(label="Found", choices=VERDICTS)
    words = forms.CharField(
        max_length=500, required=False, label="What is missing", help_text="Of a gap; the reseller reads it."
    )

    def __init__(self, *args, record, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["requirement"].choices = [(each.code, each.title) for each in requirements_of(record.source)]


class ProposeForm(forms.Form):
    """How a review should end."""

    decision = forms.ChoiceField(label="Decision", choices=[("approve", "approve"), ("reject", "reject")])
    reason = forms.CharField(max_length=500, label="Reason", help_text="The reseller reads that of a rejection.")


class ContractForm(forms.Form):
    """A contract under which a reseller sells our products on."""

    number = forms.CharField(max_length=100, label="Number")
    from_on = day_field("In force from", required=True)
    to_on = day_field("Last day", help_text="Empty while nobody has ended it.")


class EndContractForm(forms.Form):
    """Which contract ends when."""

    wants_record = True
    contract = forms.ModelChoiceField(ResellerContract.objects.none(), label="Contract", empty_label=None)
    to_on = day_field("Last day", required=True)

    def __init__(self, *args, record, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["contract"].queryset = record.contracts.order_by("-from_on", "number")


class ContactForm(forms.Form):
    """A person to reach at a reseller."""

    role = forms.ChoiceField(label="There for", choices=ContactRole.choices)
    name = forms.CharField(max_length=300, label="Name")
    title = forms.CharField(max_length=100, label="Title", required=False)
    email = forms.CharField(max_length=254, label="E-mail")
    phone = forms.CharField(max_length=40, label="Telephone", required=False, help_text="With country code.")


class MessageForm(forms.Form):
    """What the reseller's managers are to read."""

    subject_line = forms.CharField(max_length=120, label="Subject")
    text = forms.CharField(max_length=4000, widget=forms.Textarea(attrs={"rows": 10}), label="Text")


class FindingForm(forms.Form):
    """A failing that became known."""

    kind = forms.ChoiceField(label="In what it fails", choices=FindingKind.choices())
    source = forms.CharField(max_length=100, label="Known from", help_text="Such as a sample, an authority, a report.")
    evidence = forms.CharField(max_length=4000, label="Evidence", widget=forms.Textarea(attrs={"rows": 8}))
    demand = forms.CharField(max_length=500, label="What it must do", help_text="The reseller reads this.")
    knowledge_at = forms.DateTimeField(
        label="Known since", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="In your time zone. The clock counts from this day.",
    )  # fmt: skip


class PlanForm(forms.Form):
    """What the reseller will do, and by when."""

    plan = forms.CharField(max_length=4000, label="Plan", widget=forms.Textarea(attrs={"rows": 8}))


class WhyForm(forms.Form):
    """A reason in words."""

    why = forms.CharField(max_length=500, label="Why")
