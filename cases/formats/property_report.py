"""A report on blocked property or a rejected transaction as JSON and CSV: the same fields in the same order."""

from collections.abc import Iterator, Mapping

from accounts.formats.bundle_content import json_document, table_csv

FORMAT = "property-report/1"


def as_json(fields: Mapping[str, object]) -> bytes:
    """The fields as one JSON object, keys sorted, amounts as text so that no cent is lost; ends with a new line."""
    return json_document({"format": FORMAT, **fields})


def as_csv(fields: Mapping[str, object]) -> Iterator[bytes]:
    """One line for each field, a list on as many lines as it has members; formulas are neutralised."""
    return table_csv(("field", "value"), _lines(fields))


def _lines(fields: Mapping[str, object]) -> Iterator[dict]:
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Mapping):
                yield from ({"field": f"{name}.{key}", "value": item} for key, item in each.items())
            else:
                yield {"field": name, "value": each}
