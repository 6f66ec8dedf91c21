"""What staff type when they judge a hit."""

from django import forms

from accounts.flows.screening import LONGEST_REASON


class JudgementForm(forms.Form):
    """Why party and entry are, or are not, the same."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What agrees and what differs: name, birth date, countries, numbers. Kept with the hit.",
    )
