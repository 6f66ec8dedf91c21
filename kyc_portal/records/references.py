"""Which parts of a file have rows, and what outside of it still points into them; one query for all parts or relations.

Most files are small, and most of their parts are empty: a query for each would be nearly all of a purge's time.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from django.db import models
from django.db.models import Exists

from kyc_portal.records.refs import RecordRef


def with_rows(root: models.Model, parts: Iterable[models.QuerySet]) -> list[models.QuerySet]:
    """Those of the parts of a file that are not empty, in their order; `root` is its record, which is there."""
    parts = list(parts)
    asked = type(root)._base_manager.filter(pk=root.pk).values_list(*map(Exists, parts))
    answers = asked.first() if parts else None
    return [rows for rows, is_there in zip(parts, answers, strict=True) if is_there] if answers else []


def referring(
    root: models.Model, contents: Iterable[models.QuerySet], hang_on_it: Collection[type[models.Model]]
) -> Iterator[str]:
    """A sentence for each kind of row outside the file that still points into it.

    `hang_on_it` are the models whose rows belong to one file only, so that none of them can be another's.
    """
    there = with_rows(root, contents)
    outside = [_outside(relation, rows, there) for rows in there for relation in _pointing_at(rows.model, hang_on_it)]
    for rows in with_rows(root, outside):
        first = rows.first()
        if first is not None:
            yield f"{RecordRef.of(first).name} still refers to it."


def _pointing_at(model: type[models.Model], hang_on_it: Collection[type[models.Model]]) -> Iterator:
    for relation in model._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and relation.is_relation and not relation.concrete):
            continue
        if not relation.many_to_many and relation.related_model not in hang_on_it:
            yield relation


def _outside(relation, rows: models.QuerySet, there: Sequence[models.QuerySet]) -> models.QuerySet:
    """The rows that point at these by this relation and are none of the file's own."""
    found = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows.order_by()})
    for own in there:
        if own.model is found.model:
            found = found.exclude(pk__in=own.order_by().values("pk"))
    return found
