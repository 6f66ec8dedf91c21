"""What no field of a form may hold, and how much of it a message repeats."""

import pytest
from django import forms

from kyc_portal.staff.typed import is_sound


class Form(forms.Form):
    name = forms.CharField()
    note = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=[("a", "A")])
    kinds = forms.MultipleChoiceField(choices=[("a", "A")], required=False)
    password = forms.CharField(required=False, widget=forms.PasswordInput)


def judged(**given) -> tuple[bool, dict]:
    form = Form({"name": "Ann", "kind": "a", **given})
    return is_sound(form), {field: " ".join(errors) for field, errors in form.errors.items()}


class TestIsSound:
    @pytest.mark.parametrize("name", ["Ann", "=1+1", "İ ı ß ς 😀", "<script>", "  Ann ", "a\tb\r\nc", "e\u0301"])
    def test_it_takes_what_can_be_read(self, name):
        assert judged(name=name) == (True, {})

    @pytest.mark.parametrize(
        ("name", "said"),
        [("a\x1bb", "a control character (U+001B)"), ("a\u202eb", "an invisible direction control (U+202E)"),
         ("a\ud800", "half of a surrogate pair"), ("a\x85b", "a control character (U+0085)"),
         ("\u200b", "shows nothing")],
        ids=ascii,
    )  # fmt: skip
    def test_it_refuses_at_the_field_what_cannot(self, name, said):
        sound, errors = judged(name=name)

        assert not sound and said in errors["name"]

    def test_an_empty_line_may_stay_empty_and_a_password_is_its_owners_affair(self):
        assert judged(note="\u200b", password="a\x1bb") == (True, {})

    @pytest.mark.parametrize("value", ["x" * 20_000, "\u202e" * 50, "\x1b[31m" * 90])
    def test_a_message_repeats_at_most_eighty_characters(self, value):
        sound, errors = judged(kind=value, kinds=[value])

        assert not sound
        assert all(text.isprintable() and len(text) < 200 for text in errors.values())
