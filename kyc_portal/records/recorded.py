"""The base of every model whose rows the law may ask about: each change of a row leaves a record (R53).

The database writes the record (row_triggers.py), whichever way the change came. What changes many rows at once without
a signal (`update`, `delete`, `bulk_create`, `bulk_update`) is refused outside of a flow, which tells the trail why.
"""

from django.db import models

from kyc_portal.records.acting import in_flow


class OutsideFlow(RuntimeError):
    """Rows were changed in bulk by code that is no flow, so nothing would say why. It is a bug, or a shell."""


class RecordedQuerySet(models.QuerySet):
    """Refuses to change rows in bulk outside of a flow; raises OutsideFlow."""

    def _require_flow(self, what: str) -> None:
        if not in_flow():
            raise OutsideFlow(f"{self.model._meta.label}: {what} outside of a flow. Call the flow that does it.")

    def update(self, **values):
        self._require_flow("update")
        return super().update(**values)

    def delete(self):
        self._require_flow("delete")
        return super().delete()

    def bulk_create(self, objs, *args, **options):
        self._require_flow("bulk_create")
        return super().bulk_create(objs, *args, **options)

    def bulk_update(self, objs, fields, *args, **options):
        self._require_flow("bulk_update")
        return super().bulk_update(objs, fields, *args, **options)

    # Django marks these two; without the marks a template or a related manager could reach them as plain methods.
    delete.alters_data = update.alters_data = bulk_create.alters_data = bulk_update.alters_data = True
    delete.queryset_only = True


class Recorded(models.Model):
    """A model whose changes are recorded row by row; `recorded_in_bulk` says of mass data that one record per statement
    (on SQLite per request) is enough for rows that come or go, because their batch's event carries count and hash.

    `is_roll_up` says so of changes as well: the rows are worked out from others and can be made anew from them."""

    recorded_in_bulk = False
    is_roll_up = False

    objects = RecordedQuerySet.as_manager()

    class Meta:
        abstract = True
