"""What the buttons of the legal desk ask."""

from django import forms

from cases.admin.forms import SCOPE_KINDS, blank, day_field
from cases.flows.voluntary import LONGEST_FACTS
from cases.rules.backup import ReleasedWhy
from cases.rules.redaction import Exemption
from cases.rules.request_checks import points_of
from cases.rules.stages import ChallengedBy, ChallengedWhy, ChallengeOutcome
from cases.rules.voluntary import VOLUNTARY


class ValidateForm(forms.Form):
    """One box for each point of the checklist of this kind of paper."""

    wants_record = True
    checked = forms.MultipleChoiceField(
        label="What I have checked", widget=forms.CheckboxSelectMultiple, help_text="Your name stays with each point."
    )

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        points = points_of(record.ground) if record is not None else ()
        self.fields["checked"].choices = [(point.value, point.label) for point in points]


class ChallengeForm(forms.Form):
    by_whom = forms.ChoiceField(label="Challenged by", choices=blank("Choose who", ChallengedBy.choices()))
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", ChallengedWhy.choices()))
    docket = forms.CharField(label="Number at the court", max_length=100, required=False)


class EndChallengeForm(forms.Form):
    """How it ended; the scope only where the request was narrowed."""

    outcome = forms.ChoiceField(label="Outcome", choices=blank("Choose an outcome", ChallengeOutcome.choices()))
    kinds = forms.MultipleChoiceField(
        label="Kinds of records left", required=False, choices=SCOPE_KINDS, widget=forms.CheckboxSelectMultiple,
        help_text="Only where the request was narrowed.",
    )  # fmt: skip
    from_on = day_field(label="From", required=False)
    through_on = day_field(label="Through", required=False)
    accounts = forms.CharField(
        label="Accounts left", required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="References, separated by spaces; empty for all of the request.",
    )  # fmt: skip

    def clean_accounts(self):
        return self.cleaned_data["accounts"].upper().replace(",", " ").split()


class VoluntaryForm(forms.Form):
    """The lawful ground first, then the facts it rests on."""

    ground = forms.ChoiceField(
        label="Lawful ground", choices=blank("Choose a ground", [(each.value, each.label) for each in VOLUNTARY])
    )
    facts = forms.CharField(
        label="Facts", max_length=LONGEST_FACTS, widget=forms.Textarea(attrs={"rows": 6}),
        help_text=" ".join(f"{each.label.capitalize()}: {rule.facts}" for each, rule in VOLUNTARY.items()),
    )  # fmt: skip


class RedactForm(forms.Form):
    """What to take out, as the preview names it."""

    place = forms.CharField(
        label="Place", max_length=200,
        help_text="As the preview names it: “facts/customers, row 1, legal_name”, “documents/DOC-….pdf” or “item …”.",
    )  # fmt: skip
    code = forms.ChoiceField(
        label="Code",
        choices=blank("Choose a code", [(each.value, f"{each.value} {each.label}") for each in Exemption]),
    )
    reason = forms.CharField(label="Reason", max_length=200, help_text="The recipient reads it. No personal data.")
    copy = forms.FileField(
        label="Redacted copy", required=False,
        help_text="To go out instead of a document: PDF, PNG or JPEG, flattened: no text below the bars.",
    )  # fmt: skip


class UndoForm(forms.Form):
    """Which redaction is taken back."""

    wants_record = True
    redaction = forms.ChoiceField(label="Redaction")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        self._rows = {str(row.pk): row for row in record.redactions.standing().order_by("place")} if record else {}
        named = [(key, f"{row.place} ({row.code})") for key, row in self._rows.items()]
        self.fields["redaction"].choices = blank("Choose a redaction", named)

    def clean_redaction(self):
        return self._rows[self.cleaned_data["redaction"]]


class MadeForm(forms.Form):
    sha256 = forms.CharField(label="SHA-256 of the copy", max_length=64, min_length=64)


class NoticeForm(forms.Form):
    noticed_on = day_field(label="Day of the government's notice")


class ReleaseForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", ReleasedWhy.choices()))
