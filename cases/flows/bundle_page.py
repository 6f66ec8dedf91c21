"""The page a recipient opens first: the facts as tables, what was left out, every file (requirement R114)."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.template.loader import render_to_string

from accounts.formats.bundle_content import IndexPage, plain
from cases.flows.bundle_facts import FactTable


def style() -> bytes:
    """The look of the page; it lies beside it in the bundle."""
    return render_to_string("bundles/bundle.css").encode()


def page_for_people(page: IndexPage, tables: Sequence[FactTable]) -> bytes:
    """The page as HTML that refers to nothing outside the bundle."""
    shown = [
        {
            "name": table.name,
            "title": table.title,
            "head": [column.replace("_", " ").capitalize() for column in table.columns],
            "rows": [[as_text(value) for value in row.values()] for row in table.rows],
        }
        for table in tables
    ]
    context = {"page": page, "about": about_rows(page), "tables": shown}
    return render_to_string("bundles/index.html", context).encode()


def about_rows(page: IndexPage) -> list[tuple[str, str]]:
    """What stands on the cover: a label and its value."""
    return [
        ("Handed over by", page.provider or "–"), ("Case", page.case_reference), ("Made for", page.recipient),
        ("Ground", page.ground), *page.request, ("Collected", as_text(page.collected_at)),
        ("Approved", as_text(page.approved_at)), ("Built", as_text(page.built_at)), ("Signed with key", page.key_id),
        ("Files", f"{len(page.files)} listed here, {page.total_bytes} bytes"),
    ]  # fmt: skip


def as_text(value: object) -> str:
    """A fact as text for people: moments in UTC, lists with commas."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{str(plain(value)).replace('T', ' ').removesuffix('Z')[:19]} UTC"
    value = plain(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
