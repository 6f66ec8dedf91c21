"""What the buttons for accounts that belong together ask, and what is said of cases they have already."""

from collections.abc import Iterable

from django import forms
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from cases.admin.case_page import shortened
from cases.admin.forms import ProposeForm
from cases.flows import tied
from cases.models import Case
from kyc_portal.staff.policy_table import right_to_see
from kyc_portal.staff.sections import Link, Table


def named(account: Account, case: Case | None) -> str:
    """The account's reference, with the customer's name for who may see customers (`case.looked_at_by`)."""
    user = getattr(case, "looked_at_by", None)
    if user is None or not user.has_perm(right_to_see("accounts.party")):
        return account.reference
    return f"{account.reference}, {shortened(account.party.legal_name)}"


class TiedForm(forms.Form):
    """Which of the tied accounts come into the case; none is ticked beforehand."""

    wants_record = True
    accounts = forms.MultipleChoiceField(
        label="Accounts tied to this case", widget=forms.CheckboxSelectMultiple,
        help_text="Strength, and what is shared, behind each. Tick those that this case shall decide as well.",
    )  # fmt: skip

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        found = tied.tied_accounts(record, at=timezone.now()) if record else []
        self._accounts = {each.account.reference: each.account for each in found}
        own = tied.own_cases(self._accounts.values(), beside=record) if found else {}
        self.fields["accounts"].choices = [
            (
                each.account.reference,
                f"{named(each.account, record)} ({each.account.get_status_display()}), {each.score:.0%}: "
                f"{each.sentence}{own_in_words('It', own.get(each.account.pk, ()))}",
            )
            for each in found
        ]
        if record and not found:
            self.fields["accounts"].help_text = "No account outside of this case is tied to one in it strongly enough."

    def clean_accounts(self):
        return [self._accounts[reference] for reference in self.cleaned_data["accounts"]]


def own_in_words(who: str, cases: Iterable[Case]) -> str:
    """That an account has open cases of its own, after what else is said of it; "" where it has none."""
    references = ", ".join(each.reference for each in cases)
    return f" {who} has an open case of its own, {references}." if references else ""


def own_cases_section(case: Case, accounts: Iterable[Account]) -> Table | None:
    """The open cases that these accounts have already, each with the way to merge it; None where there is none."""
    accounts = list(accounts)
    own = tied.own_cases(accounts, beside=case)
    merge = reverse("admin:cases_case_do", args=[case.pk, "merge"])
    rows = [
        [
            Link(account.reference, account), Link(each.reference, reverse("review:case", args=[each.reference])),
            each.get_status_display(), str(each.assigned_to or "nobody"),
            Link(f"Merge {each.reference}", f"{merge}?from=work&other={each.reference}"),
        ]
        for account in accounts for each in own.get(account.pk, ())
    ]  # fmt: skip
    note = (
        "Taking the account in leaves its own case open. Merge that case instead, and the account comes here with its "
        "red flags, notes and reports."
    )
    head = ["Account", "Its own case", "State", "Who works it", "Merge"]
    return Table("own-cases", "They have open cases of their own", head, rows, note=note) if rows else None


class ProposeForSeveralForm(ProposeForm):
    """One outcome and reason for the accounts ticked; each gets a decision of its own."""

    account = None
    accounts = forms.MultipleChoiceField(
        label="Accounts", widget=forms.CheckboxSelectMultiple,
        help_text="Each gets a decision of its own, with this outcome and reason. All of them, or none.",
    )  # fmt: skip
    field_order = ("accounts", "outcome", "reason", "at_once")

    def __init__(self, *args, record=None, **kwargs):
        self._case = record
        super().__init__(*args, record=record, **kwargs)

    def offer_accounts(self, accounts):
        self.fields["accounts"].choices = [
            (reference, named(account, self._case)) for reference, account in accounts.items()
        ]

    def clean_accounts(self):
        return [self._accounts[reference] for reference in self.cleaned_data["accounts"]]
