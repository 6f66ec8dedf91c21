"""What the forms of a case's own page ask, and those of merging and restricting."""

import re

from django import forms

from cases.admin.forms import NoteForm, ProposeForm, SignForm, WhyForm
from cases.rules.checklist import ExcusedWhy
from kyc_portal.staff.models import StaffMember

REFERENCE = re.compile(r"DEC(-[0-9A-Z]{4}){2}")


class CaseNoteForm(NoteForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].widget.attrs["rows"] = 4


class CaseProposeForm(ProposeForm):
    """The same question as of the button; what each choice means stands once, below both."""

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, record=record, **kwargs)
        self.explained = []
        for name in ("outcome", "reason"):
            field, told = self.fields[name], self.fields[name].widget
            self.explained.append({"title": told.title, "head": told.head, "rows": told.rows})
            choices = field.choices
            field.widget = forms.Select()
            field.choices = choices
        self.fields["reason"].help_text = ""


class MeantField(forms.MultipleChoiceField):
    """References of the decisions that were shown beside a form; the flow says what became of them."""

    widget = forms.MultipleHiddenInput

    def valid_value(self, value):
        return REFERENCE.fullmatch(value) is not None


class AnswerForm(forms.Form):
    """An answer to one decision of the case or to several."""

    decisions = MeantField(
        required=False,
        error_messages={"invalid_choice": "The form names no decision. Look at the page, and send it again."},
    )


class CaseSignForm(AnswerForm, SignForm):
    pass


class CaseDeclineForm(AnswerForm, WhyForm):
    pass


class CheckForm(forms.Form):
    """One point of the list: done, left out for a reason, or taken back."""

    item = forms.CharField(max_length=40, widget=forms.HiddenInput)
    excused_why = forms.ChoiceField(
        label="Leave it out because", required=False, choices=[("", "Choose a reason"), *ExcusedWhy.choices()]
    )
    how = forms.ChoiceField(choices=[("done", "Done"), ("excuse", "Leave out"), ("back", "Take back")])

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("how") == "excuse" and not cleaned.get("excused_why"):
            self.add_error(None, "Choose why this point need not be done.")
        return cleaned


class MergeForm(forms.Form):
    other = forms.CharField(
        label="The other case", max_length=20,
        help_text="Its reference, for example CSE-7K3M-9QXD. Its accounts, red flags, notes and reports come here, "
        "and it is closed. The decisions made in it stay with it.",
    )  # fmt: skip


class RestrictForm(forms.Form):
    to = forms.CharField(
        label="Open to", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="User names, separated by spaces or lines; you are one of them in any case. Think of somebody who "
        "can countersign. For everybody else it will be as if the case did not exist.",
    )  # fmt: skip

    def clean_to(self):
        wanted = list(dict.fromkeys(self.cleaned_data["to"].replace(",", " ").split()))
        found = {user.get_username(): user for user in StaffMember.objects.filter(username__in=wanted, is_active=True)}
        if unknown := [name for name in wanted if name not in found]:
            shown = ascii(unknown[0][:40])[1:-1]
            raise forms.ValidationError(f"No active member of staff has the user name “{shown}”.")
        return [found[name] for name in wanted]
