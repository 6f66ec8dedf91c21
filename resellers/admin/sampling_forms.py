"""What is asked when a sample is drawn and a file of it is judged."""

from django import forms

from resellers.flows.sampling import LONGEST_SEED, LONGEST_WORDS
from resellers.rules.sampling import GIVEN_REASONS, Result


class DrawForm(forms.Form):
    """How many customers, and by which seed; both may be left to the portal."""

    size = forms.IntegerField(
        required=False, label="How many", help_text="Empty: as many as the policy's figures say for this roster.",
    )  # fmt: skip
    seed = forms.CharField(
        max_length=LONGEST_SEED, required=False, label="Seed",
        help_text="Empty: by chance. It is kept, so that the draw can be repeated.",
    )  # fmt: skip


class JudgeFileForm(forms.Form):
    """What was found in a file."""

    wants_record = True
    result = forms.ChoiceField(label="The file is", choices=Result.choices())
    reasons = forms.MultipleChoiceField(
        required=False, label="What is not in order", widget=forms.CheckboxSelectMultiple,
        choices=[(each.value, each.label) for each in GIVEN_REASONS], help_text="The reseller reads these.",
    )  # fmt: skip
    words = forms.CharField(
        max_length=LONGEST_WORDS, required=False, label="In words", widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For our own people; the reseller does not read it.",
    )  # fmt: skip
    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, record, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = record.file_sha256
