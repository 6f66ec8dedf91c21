"""The last look at what somebody typed into a form, the same at every door of the admin (trust.md 3, rows C2-C5).

The flows judge what a value means. Here is refused what no field of any form may hold: characters that are not drawn or
that turn the direction of reading, and text that shows nothing where something is wanted. Messages repeat at most 80
characters of what was typed.
"""

import re

from django import forms

CHARACTERS_SHOWN = 80
NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def is_sound(form: forms.Form) -> bool:
    """Judge a bound form; what is wrong stands at its fields."""
    form.is_valid()
    for name, field in form.fields.items():
        if isinstance(field, forms.CharField) and name not in form.errors:
            fault = _fault(form[name].data, field)
            if fault:
                form.add_error(name, fault)
    _shorten(form)
    return not form.errors


def _fault(typed, field: forms.CharField) -> str:
    if not isinstance(typed, str) or getattr(field.widget, "input_type", "") == "password":
        return ""
    if found := NEVER.search(typed):
        return f"This text holds {_name_of(ord(found.group()))}. Remove it."
    if field.required and not any(sign.isprintable() and not sign.isspace() for sign in typed):
        return "This text shows nothing. Write something that can be read."
    return ""


def _name_of(code: int) -> str:
    if code == 0:
        return "a NUL character"
    kind = "a control character" if code < 0x2000 else "an invisible direction control"
    return "half of a surrogate pair" if code >= 0xD800 else f"{kind} (U+{code:04X})"


def _shorten(form: forms.Form) -> None:
    """Django's own messages repeat a value in full ("Select a valid choice. … is not one of the available choices")."""
    for errors in form.errors.as_data().values():
        for error in errors:
            value = (error.params or {}).get("value")
            if isinstance(value, str):
                error.params["value"] = _shown(value)


def _shown(value: str) -> str:
    visible = "".join(sign if sign.isprintable() else f"[U+{ord(sign):04X}]" for sign in value[:CHARACTERS_SHOWN])
    return visible if len(visible) <= CHARACTERS_SHOWN else visible[: CHARACTERS_SHOWN - 3] + "..."
