"""Which files a row belongs to: from any row of the files to the records on which a legal hold can stand (R54).

A path is a lookup as Django writes it ("verification__account"; "" is the row itself), or a KeyOf. Each retention rule
lists the paths of what it covers; the gate for deletions follows them in Python, the database's triggers in SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import models


@dataclass(frozen=True)
class KeyOf:
    """A column that holds the key of a `record` without being a foreign key, and the lookup to follow from there.

    Where the column names records of several kinds as text, `label` is the column that says which kind.
    """

    column: str
    record: type[models.Model]
    then: str = ""
    label: str = ""


Path = str | KeyOf
Paths = Mapping[type[models.Model], Sequence[Path]]


def root_of(model: type[models.Model], path: Path) -> type[models.Model]:
    """The kind of record at the end of a path; raises FieldDoesNotExist for one that leads nowhere."""
    if isinstance(path, KeyOf):
        return root_of(path.record, path.then)
    for name in filter(None, path.split("__")):
        model = model._meta.get_field(name).related_model
    return model


def is_forward(model: type[models.Model], path: Path) -> bool:
    """Whether each step of a path leads to one record only, so that the row belongs to it and to nobody else."""
    if isinstance(path, KeyOf):
        return is_forward(path.record, path.then)
    for name in filter(None, path.split("__")):
        field = model._meta.get_field(name)
        if not field.concrete:
            return False
        model = field.related_model
    return True


def steps_of(path: Path) -> int:
    """How far the record at the end of a path is away; 0 is the row itself."""
    return 1 + steps_of(path.then) if isinstance(path, KeyOf) else len(list(filter(None, path.split("__"))))


def keys_of(rows: models.QuerySet, path: Path) -> set:
    """The keys of the records at the end of a path, for all these rows."""
    if isinstance(path, KeyOf):
        named = rows.filter(**{path.label: path.record._meta.label_lower}) if path.label else rows
        keys = set(named.order_by().values_list(path.column, flat=True))
        if not path.then:
            return keys
        return keys_of(path.record._base_manager.filter(pk__in=keys), path.then)
    return set(rows.order_by().values_list(path or "pk", flat=True)) - {None}


def select_keys(model: type[models.Model], path: Path, vendor: str) -> str:
    """The same keys as a SELECT over the rows that go: the table `gone` on PostgreSQL, the row OLD on SQLite."""
    lookup, alias, joins, where = path, "gone", [], ""
    used = {model._meta.pk.column}
    key = f"gone.{model._meta.pk.column}"
    if isinstance(path, KeyOf):
        lookup, alias, used = path.then, "", {path.column}
        key, where = _key_in(model, path, vendor)
        used |= {path.label} - {""}
        model = path.record
    for number, name in enumerate(filter(None, lookup.split("__"))):
        field, joined = model._meta.get_field(name), f"t{number}"
        if not field.concrete:
            joins.append(f"JOIN {field.related_model._meta.db_table} {joined} ON {joined}.{field.field.column} = {key}")
            alias, key = joined, f"{joined}.{field.related_model._meta.pk.column}"
        else:
            if not alias:
                joins.append(f"JOIN {model._meta.db_table} {joined} ON {joined}.{model._meta.pk.column} = {key}")
                alias = joined
            used |= {field.column} if alias == "gone" else set()
            alias, key = "", f"{alias}.{field.column}"
        model = field.related_model
    columns = ", ".join(f"OLD.{column} AS {column}" for column in sorted(used))
    source = "gone" if vendor == "postgresql" else f"(SELECT {columns}) gone"
    return " ".join([f"SELECT DISTINCT {key} AS key FROM {source}", *joins]) + where  # noqa: S608, names of our own models


def _key_in(model: type[models.Model], path: KeyOf, vendor: str) -> tuple[str, str]:
    """The column as a key of the record's table, and the condition that the row names such a record."""
    key = f"gone.{path.column}"
    where = f" WHERE gone.{path.label} = '{path.record._meta.label_lower}'" if path.label else ""
    if model._meta.get_field(path.column).get_internal_type() != "UUIDField":
        key = f"CAST({key} AS uuid)" if vendor == "postgresql" else f"replace({key}, '-', '')"
    return key, where
