"""A start-up check: every address, button and sealed column has its row in the policy table; no row is left over."""

from collections.abc import Iterator

from django.apps import apps
from django.contrib import admin
from django.core import checks
from django.urls import URLPattern, get_resolver

from kyc_portal.records.sealed import SealedTextField
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import declared_buttons


def names_of(patterns=None, before: str = "") -> Iterator[tuple[str, str]]:
    """(name of the view, route) of every address the portal answers, as a resolved address names itself."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield f"{before}{pattern.name or pattern.lookup_str}", str(pattern.pattern)
        else:
            inner = f"{before}{pattern.namespace}:" if pattern.namespace else before
            yield from names_of(pattern.url_patterns, inner)


def expected() -> set[str]:
    """The names that the table must know: of every address, of every button, and of every app's page."""
    names = {name for name, _ in names_of() if not policy_table.argument_of(name)}
    for model, screen in admin.site._registry.items():
        app, door = model._meta.app_label, f"admin:{model._meta.app_label}_{model._meta.model_name}_do"
        names |= {f"admin:app_list:{app}", *(f"{door}:{name}" for name in declared_buttons(type(screen)))}
    return names


def sealed_columns() -> set[str]:
    """Every sealed column there is, as "app.model.column"."""
    return {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SealedTextField)
    }


def faults() -> Iterator[str]:
    """What has no row, and which row speaks of nothing."""
    wanted, known = expected(), policy_table.every_page()
    yield from (f"{name} has no row." for name in sorted(wanted) if policy_table.page_named(name) is None)
    yield from (f"The row {name} speaks of nothing." for name in sorted(set(known) - wanted) if "*" not in name)
    sealed = sealed_columns()
    yield from (f"The sealed column {name} has no row." for name in sorted(sealed - set(policy_table.FIELDS)))


def check_policy(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """An error for each fault: what the table does not know is closed, so somebody would miss it."""
    hint = "Say in kyc_portal/staff/policy_table.py, of buttons in policy_screens.py, who may do what."
    return [checks.Error(fault, hint=hint, id="portal.E100") for fault in faults()]
