"""Find a record by the reference somebody typed, and its page by the name an event or a hold kept of it."""

from functools import cache, partial

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse

from kyc_portal.refusal import Refusal


class UnknownReference(Refusal):
    """No record of ours has this reference."""


@cache
def models_by_prefix() -> dict[str, type[models.Model]]:
    """The models whose rows carry a reference, by the letters in front of it; read from the models themselves."""
    found = {}
    for model in apps.get_models():
        try:
            default = model._meta.get_field("reference").default
        except FieldDoesNotExist:
            continue
        if isinstance(default, partial):
            found[default.args[0]] = model
    return found


def find(reference: str) -> models.Model:
    """The record of this reference, whatever its kind; raises UnknownReference, which shows at most 30 characters."""
    wanted = reference.strip().upper()
    model = models_by_prefix().get(wanted.partition("-")[0])
    record = model._default_manager.filter(reference=wanted).first() if model and len(wanted) <= 20 else None
    if record is None:
        shown = ascii(reference.strip()[:30])[1:-1][:60]
        raise UnknownReference(f"No record has the reference “{shown}”. Copy it from the record's page.")
    return record


def page_of(label: str, key: str) -> str:
    """The address of a record's page from its label and key; "" when it has none, or the kind is no longer ours."""
    app_label, _, model_name = label.partition(".")
    try:
        return reverse(f"admin:{app_label}_{model_name}_change", args=[key])
    except NoReverseMatch:
        return ""
