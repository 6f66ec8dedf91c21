"""Forms of the account's and the verification's buttons: fields and layout only, the flows judge."""

from django import forms
from django.utils import timezone

from accounts.admin.forms import RecordForm, day_field, lines_field, text_field
from accounts.flows.parties_concerned import everybody
from accounts.rules import closing, restricting, risk
from accounts.rules.verifying import Result, WhyWithoutDocuments, methods_for
from kyc_portal.records.clock import legal_day

NO_NAMES = "No names or numbers of people: this stands in the timeline."
FIELDS = (
    ("legal_name", "legal name"), ("birth_date", "date of birth"), ("address", "address"),
    ("number", "document number"), ("citizenship", "citizenship"), ("formation_country", "country of formation"),
    ("registration", "register entry"), ("email", "e-mail"), ("phone", "telephone"), ("payment", "means of payment"),
)  # fmt: skip
TRIGGERS = (
    ("opening", "Opening of the account"), ("periodic", "Periodic review"), ("document_expired", "Document expired"),
    ("owners_changed", "Owners changed"), ("reseller_changed", "Reseller changed"),
    ("reseller_ended", "Reseller ended"), ("redress", "Redress"),
    ("doubt", "Doubt about the identity"),
    *((why.value, why.label.capitalize()) for why in WhyWithoutDocuments),
)  # fmt: skip


class RestrictForm(forms.Form):
    """Why, and until when; the customer reads the wording that belongs to the reason."""

    reason = forms.ChoiceField(label="Reason", choices=restricting.CHOICES)
    last_day = day_field("Last day", help_text="Leave empty when somebody has to lift it.")


class UrgentForm(forms.Form):
    """Why it cannot wait, and the day by which two people will have decided."""

    reason = forms.ChoiceField(label="Reason", choices=restricting.CHOICES)
    last_day = day_field(
        "Last day", required=True, help_text="At most as far away as our own policy allows one person."
    )


class BlockForm(forms.Form):
    """Why; a block has no end day."""

    reason = forms.ChoiceField(label="Reason", choices=restricting.CHOICES, initial="listed")


class LiftForm(RecordForm):
    """Which restriction is lifted, and why."""

    restriction = forms.ChoiceField(label="Restriction")
    why = text_field("Why", 200, required=True, help_text=NO_NAMES)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        standing = self.record.restrictions.in_force().order_by("applied_at", "pk")
        self._standing = {str(row.pk): row for row in standing}
        self.fields["restriction"].choices = [
            (key, f"{row.reference}: {row.get_level_display()}, {row.basis}") for key, row in self._standing.items()
        ]

    def clean_restriction(self):
        return self._standing[self.cleaned_data["restriction"]]


class StartVerificationForm(RecordForm):
    """Whose identity is looked at, and what the occasion is."""

    party = forms.ChoiceField(label="Who")
    trigger = forms.ChoiceField(label="Occasion", choices=TRIGGERS)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        today = legal_day(timezone.now())
        self._parties = {str(party.pk): party for party in everybody(self.record, on=today)}
        self.fields["party"].choices = [
            (key, f"{party.legal_name} ({party.reference})") for key, party in self._parties.items()
        ]

    def clean_party(self):
        return self._parties[self.cleaned_data["party"]]


class TierForm(forms.Form):
    """Which tier, why, and through which day the flags do not decide."""

    tier = forms.ChoiceField(label="Tier", choices=risk.CHOICES)
    reason = text_field("Why", 300, required=True, help_text=NO_NAMES)
    last_day = day_field("Last day", required=True, help_text="From the day after, the red flags decide again.")


class CloseForm(forms.Form):
    """Why the account is closed."""

    reason = forms.ChoiceField(label="Reason", choices=closing.BY_HAND)


class ReopenForm(forms.Form):
    """Why the account is taken up again."""

    reason = text_field("Why", 80, required=True, help_text=NO_NAMES)


class MethodForm(RecordForm):
    """One method and what it found."""

    method = forms.ChoiceField(label="Method")
    result = forms.ChoiceField(label="Result", choices=[(each.value, each.label) for each in Result])
    source = text_field("Source", 200, required=True, help_text="The register, agency or person asked.")
    matched = forms.MultipleChoiceField(
        label="What agreed", choices=FIELDS, required=False, widget=forms.CheckboxSelectMultiple
    )
    document = forms.ChoiceField(label="Document examined", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        party = self.record.party
        self.fields["method"].choices = [(each.code, each.title) for each in methods_for(party.kind) if each.by_hand]
        self._documents = {str(row.pk): row for row in party.documents.order_by("added_at", "pk")}
        known = [(key, f"{row.reference} ({row.kind})") for key, row in self._documents.items()]
        self.fields["document"].choices = [("", "–"), *known]

    def clean_document(self):
        return self._documents.get(self.cleaned_data["document"])


class DiscrepancyForm(forms.Form):
    """Two values that disagree; both are sealed."""

    field = forms.ChoiceField(label="What disagrees", choices=FIELDS)
    stated = text_field("What the customer stated", 300, required=True)
    found = text_field("What was found", 300, required=True)


class SettleForm(RecordForm):
    """How one discrepancy was settled."""

    discrepancy = forms.ChoiceField(label="Discrepancy")
    how = text_field("How it was settled", 300, required=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        unsettled = self.record.discrepancies.filter(settled_at__isnull=True).order_by("found_at", "pk")
        self._unsettled = {str(row.pk): row for row in unsettled}
        self.fields["discrepancy"].choices = [(key, row.field) for key, row in self._unsettled.items()]

    def clean_discrepancy(self):
        return self._unsettled[self.cleaned_data["discrepancy"]]


class ConcludeForm(forms.Form):
    """What came out, and what it rests on."""

    verified = forms.TypedChoiceField(
        label="Conclusion",
        choices=[("", "–"), ("yes", "The identity is verified"), ("no", "It is not verified")],
        coerce=lambda answer: answer == "yes",
    )
    reason = lines_field("What this rests on", 500, required=True)
