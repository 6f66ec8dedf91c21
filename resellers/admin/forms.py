"""What the reseller desk is asked for; a reference or user name is resolved here, in one sentence when unknown."""

from django import forms

from accounts.models import Account
from kyc_portal.staff.models import StaffMember
from resellers.models import Reseller, ResellerManager


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
