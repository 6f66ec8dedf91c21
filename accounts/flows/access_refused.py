"""The refused lines of a delivery, handed out to be mended and sent again (R18)."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count

from accounts.formats.text import neutralised
from accounts.models import AccessBatch
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.records.verbs import Verb

ROWS_AT_ONCE = 500


@flow
def as_text(batch: AccessBatch, *, by: Actor, at: datetime) -> Iterator[bytes]:
    """The lines as they were sent, one a line, UTF-8; one that a spreadsheet would run gets an apostrophe before it.

    That they were handed out stands in the trail.
    """
    rows = batch.refused_lines.exclude(content="")
    audit.record(
        Verb.EXPORTED, batch, by=by, at=at, within=batch.account, what="refused lines", sha256=batch.sha256,
        rows=rows.aggregate(count=Count("pk"))["count"],
    )  # fmt: skip
    found = rows.order_by("line").values_list("content", flat=True).iterator(chunk_size=ROWS_AT_ONCE)
    return (f"{neutralised(content)}\n".encode() for content in found)
