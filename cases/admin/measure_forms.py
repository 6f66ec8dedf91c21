"""What the buttons of special measures and their hits ask."""

from django import forms
from django_countries import countries

from cases.admin.forms import day_field
from cases.flows.special_measures import LONGEST_NOTE, LONGEST_TERMS, LONGEST_TEXT
from cases.rules.measure_stages import (
    FACTORS,
    FITTING,
    Action,
    EndedWhy,
    FactorCode,
    JudgedWhy,
    Judgement,
    MeasureKind,
    OverrideGround,
    Strength,
)


def blank(words: str, choices) -> list[tuple[str, str]]:
    return [("", words), *choices]


def _lines(label: str, rows: int, most: int, **kwargs) -> forms.CharField:
    return forms.CharField(label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class MeasureForm(forms.Form):
    """A determination, with the place or the person it names."""

    kind = forms.ChoiceField(label="Kind", choices=blank("Choose a kind", MeasureKind.choices()))
    country = forms.ChoiceField(
        label="Jurisdiction", required=False, choices=blank("None: it names a person", list(countries))
    )
    party = forms.CharField(
        label="Person", max_length=20, required=False,
        help_text="Reference of the party on file, for example PTY-7K3M-9QXD; empty for a jurisdiction.",
    )  # fmt: skip
    action = forms.ChoiceField(label="Action", choices=blank("Choose an action", Action.choices()))
    strength = forms.ChoiceField(label="Strength", choices=blank("Choose a strength", Strength.choices()))
    title = forms.CharField(label="Title", max_length=150)
    source = forms.CharField(label="Published in", max_length=200, help_text="For example 91 FR 12345.")
    text = _lines("Text", 8, LONGEST_TEXT, help_text="The words of the determination, as published.")
    terms = _lines("Terms", 4, LONGEST_TERMS, required=False, help_text="Only where accounts are allowed on terms.")
    determined_on = day_field(label="Determined on")
    effective_on = day_field(
        label="Takes effect on", required=False,
        help_text="Empty for the earliest day the proposed rule allows, counted from the determination.",
    )  # fmt: skip


class ExtendForm(forms.Form):
    through = day_field(label="Through", required=False, help_text="Its new last day; empty for one whole period more.")


class EndForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", EndedWhy.choices()))


class FactorForm(forms.Form):
    """Asks about the factors of the measure's kind."""

    wants_record = True
    factor = forms.ChoiceField(label="Factor", choices=blank("Choose a factor", FactorCode.choices()))
    note = _lines("What was weighed", 8, LONGEST_NOTE, help_text="Sealed; nobody can change it later.")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        if record is not None:
            factors = [(each.value, each.label) for each in FACTORS[MeasureKind(record.kind)]]
            self.fields["factor"].choices = blank("Choose a factor", factors)


class JudgeForm(forms.Form):
    """A judgement and what it rests on; whether the two fit the flow says."""

    wants_record = True
    judgement = forms.ChoiceField(label="Judgement", choices=[])
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", JudgedWhy.choices()))

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        prohibits = record is not None and record.measure.action == Action.PROHIBIT
        offered = [each for each in FITTING if not (prohibits and each == Judgement.TERMS_MET)]
        choices = [(each.value, each.label) for each in offered]
        self.fields["judgement"].choices = blank("Choose a judgement", choices)


class OverrideForm(forms.Form):
    ground = forms.ChoiceField(label="Ground", choices=blank("Choose a ground", OverrideGround.choices()))
    from_on = day_field(label="From", help_text="Today or later.")
    to_on = day_field(label="Through", help_text="Its last day; not after the last day of the measure.")
