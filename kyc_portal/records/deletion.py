"""One gate for every deletion (requirements R54, R80): what is held stays, and customers' rows never go by hand.

Every way of the ORM asks here: model, queryset, admin, cascade and shell by a signal, the purge and privacy erasure by
name. Behind it stand the triggers of kyc_portal/records/held_rows.py, which raw SQL meets as well.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from contextvars import ContextVar

from django.db import models
from django.db.models import Q
from django.db.models.signals import pre_delete

from kyc_portal.records import retention
from kyc_portal.records.models import HeldRecord
from kyc_portal.records.roots import Path, keys_of, root_of
from kyc_portal.refusal import Refusal

# Rules whose rows come and go with the work: places in a queue, clocks, keys. The trail has triggers of its own.
WORKING = {"trail", "sealed", "clocks", "jobs", "purge"}

_paths: dict[type[models.Model], list[Path]] = {}
_declared: ContextVar[str] = ContextVar("declared", default="")


class NotByHand(Refusal):
    """Somebody tried to delete a record outside of a purge and of an erasure."""


class Held(Refusal):
    """A legal hold in force keeps the record."""


@contextlib.contextmanager
def declared(deed: str) -> Iterator[None]:
    """Inside, rows may be deleted as part of this deed ("purge", "erasure"), unless they are held."""
    token = _declared.set(deed)
    try:
        yield
    finally:
        _declared.reset(token)


def guarded_models() -> list[type[models.Model]]:
    """Every model whose rows belong to files on which a hold can stand."""
    return list(_paths)


def paths_of(model: type[models.Model]) -> list[Path]:
    """Every path from rows of this model to records a hold can stand on, of all retention rules."""
    return _paths.get(model, [])


def _roots_of(rows: models.QuerySet) -> dict[type[models.Model], set]:
    found = defaultdict(set)
    for path in paths_of(rows.model):
        found[root_of(rows.model, path)] |= keys_of(rows, path)
    return found


def _holding(roots: dict[type[models.Model], set]) -> models.QuerySet[HeldRecord]:
    wanted = Q(pk__in=[])
    for model, keys in roots.items():
        wanted |= Q(label=model._meta.label_lower, key__in=[str(key) for key in keys])
    return HeldRecord.objects.filter(wanted, hold__released_at__isnull=True).order_by("hold__reference")


def holds_on(rows: models.QuerySet) -> list[str]:
    """The references of the holds in force that keep any of these rows; for who may see holds."""
    return list(dict.fromkeys(_holding(_roots_of(rows)).values_list("hold__reference", flat=True)))


def may_go(rows: models.QuerySet) -> bool:
    """Whether no hold keeps any of these rows at this moment; only `require_may_go` makes it stay so."""
    return not holds_on(rows)


def require_may_go(rows: models.QuerySet) -> None:
    """Refuse unless these rows may be deleted now, and keep new holds away until the transaction ends.

    Locks the records a hold could stand on, as placing a hold does, in the same order. Raises NotByHand outside of
    `declared`, before anything is said of holds, and Held with the references of the holds.
    """
    what = rows.model._meta.verbose_name_plural
    if not _declared.get():
        raise NotByHand(f"The portal does not delete {what} by hand. They go by purge, when their time is over.")
    roots = _roots_of(rows)
    for model in sorted(roots, key=lambda model: model._meta.label_lower):
        list(model._base_manager.filter(pk__in=roots[model]).order_by("pk").select_for_update().values_list("pk"))
    if references := holds_on(rows):
        raise Held(f"These {what} are kept by {', '.join(references)}. Only who may release holds can let them go.")


def _ask(sender, instance, **kwargs) -> None:
    require_may_go(sender._base_manager.filter(pk=instance.pk))


def guard_models() -> None:
    """Have every deletion through the ORM ask the gate; called once all retention rules are known."""
    for rule in retention.all_rules():
        for model, paths in rule.roots.items():
            _paths.setdefault(model, []).extend(paths)
        if rule.code not in WORKING:
            for model in rule.covers:
                pre_delete.connect(_ask, sender=model, dispatch_uid=f"deletion of {model._meta.label}")
