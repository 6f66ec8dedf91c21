"""One row of each kind of the shared ground, and a walk over every address of the portal, for the tests of screens."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import URLPattern, get_resolver

from kyc_portal.notices import kinds, outbox
from kyc_portal.policy.clocks import start_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Holiday
from kyc_portal.records import audit, holds
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job, JobState
from resellers.flows.onboarding import bind_manager
from resellers.models import Reseller
from tests.builders import make_account, make_cip, make_downstream, make_hit, make_reseller
from tests.conftest import NOON, person

ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")
UNTOUCHED_BY_READING = ("sessions.session",)


@dataclass
class World:
    """Two resellers, A and B, each with a manager and a customer; everything of B carries a canary."""

    mine: Reseller
    foreign: Reseller
    canaries: tuple[str, ...]


def make_world() -> World:
    """A and B, and one row of each kind of the shared ground that speaks of B's customer."""
    mine = make_reseller(legal_name="Alpha Resale")
    foreign = make_reseller(legal_name="Canaryreseller", email="canaryreseller@customer.example")
    bind_manager(mine, user=person("manager.a", "reseller manager"), by=SCHEDULER, at=NOON)
    bind_manager(foreign, user=person("canarymanager", "reseller manager"), by=SCHEDULER, at=NOON)
    make_downstream(mine, legal_name="Aaron Own")
    link = make_downstream(foreign, legal_name="Canaryperson Foreign", email="canarymail@customer.example")
    make_ground(link.account)
    make_hit(link.account.party, entry_name="CANARYENTRY")
    return World(
        mine, foreign, ("Canaryreseller", "canarymanager", "Canaryperson", "canarymail", "CANARYENTRY", "canaryground")
    )


def make_ground(account) -> None:
    """A notice, a clock, a hold, a job, a tombstone, a look and a holiday."""
    notice = kinds.AccountOpened(name=account.party.legal_name, account=account.reference)
    outbox.queue_notice(
        notice, about=account, subject=account.party_id, address="canarymail@b.example", by=SCHEDULER, at=NOON
    )
    start_clock(
        "report", account, figure="verify_days", regime=regime_on(NOON.date()), on=NOON.date(), by=SCHEDULER, at=NOON
    )
    holds.place_hold([account], reason="litigation", ground="canaryground", by=SCHEDULER, at=NOON)
    audit.record_view(account, by=SCHEDULER, at=NOON)
    Job.objects.create(kind="test.kind", key=str(account.pk), state=JobState.DEAD, asked_at=NOON, due_at=NOON)
    Holiday.objects.create(day=date(2026, 7, 3), title="Independence Day, observed")
    make_cip()
    gone = make_account()
    Tombstone.objects.create(
        label="accounts.account", key=str(uuid.uuid4()), name="ACC-GONE-GONE", rule="customer_file", basis="test",
        kept_through=date(2026, 1, 1), counts={"accounts.account": 1}, holds_looked_at=1, digest="0" * 64,
        event_id=audit.history_of(gone).first().pk, purged_at=NOON, purged_by="the scheduler",
    )  # fmt: skip


def registered() -> list[tuple[type[models.Model], admin.ModelAdmin]]:
    """Every screen of the admin site."""
    return sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label)


def routes(patterns=None, before: str = "", model=None) -> Iterator[tuple[str, str]]:
    """(route with its placeholders, the dotted name of the model whose admin page it is, or "")."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, _model_of(pattern.name or "")
        else:
            yield from routes(pattern.url_patterns, route)


def _model_of(name: str) -> str:
    app_label, _, rest = name.partition("_")
    return f"{app_label}.{rest.rpartition('_')[0]}" if rest else ""


def filled(route: str, key: str) -> str:
    """The route as a path, each placeholder filled with the same key, odd kinds with something that fits them."""
    fits = {"int": "1", "slug": "close"}
    path = ARGUMENT.sub(lambda found: fits.get(found[1] or "str", key), route)
    return "/" + re.sub(r"[\^$\\]|\(\?P<\w+>[^)]*\)", lambda found: key if found[0].startswith("(") else "", path)


def pages_of(model, screen) -> Iterator[str]:
    """The list, the form to add and the page and buttons of one row, if there is a row."""
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    yield base
    if screen.adding:
        yield f"{base}add/"
    row = model._default_manager.first()
    if row is not None:
        yield f"{base}{row.pk}/change/"
        yield from (f"{base}{row.pk}/do/{name}/" for name in buttons_of(screen))


def buttons_of(screen) -> list[str]:
    """The names of a screen's buttons as its addresses write them."""
    found = {}
    for cls in type(screen).__mro__:
        for value in vars(cls).values():
            action = getattr(value, "flow_action", None)
            if action is not None:
                found[action.name.replace("_", "-")] = action
    return sorted(found)


def digest_of_all_rows() -> str:
    """One hash over every row of every table, sessions left out."""
    whole = hashlib.sha256()
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label_lower):
        if model._meta.label_lower in UNTOUCHED_BY_READING:
            continue
        columns = [field.attname for field in model._meta.concrete_fields if field.get_internal_type() != "BinaryField"]
        rows = sorted(map(repr, model._base_manager.order_by().values_list(*columns)))
        whole.update(repr((model._meta.label_lower, rows)).encode())
    return whole.hexdigest()
