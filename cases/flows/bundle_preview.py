"""A bundle as its recipient will see it, for who approves it (requirement R114); each look is an event."""

from dataclasses import dataclass
from datetime import datetime

from cases.flows.bundle_page import as_text
from cases.flows.bundle_shown import Shown, digest_of
from cases.models import Bundle
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor, RecordRef


@dataclass(frozen=True)
class Preview:
    """Tables with their cells as text, documents, what is missing, and the hash that is approved."""

    tables: list[dict]
    attachments: list
    notes: tuple
    digest: str


@flow
def look(bundle: Bundle, *, by: Actor, at: datetime) -> Preview:
    """What the recipient will see; the trail keeps who looked."""
    shown = Shown.of(bundle)
    tables = [
        {
            "name": table.name, "title": table.title, "columns": table.columns,
            "rows": [[as_text(row[column]) for column in table.columns] for row in table.rows],
        }
        for table in shown.tables
    ]  # fmt: skip
    digest = digest_of(bundle, shown)  # of what is shown, not of what may stand there a moment later
    audit.record(Verb.PREVIEWED, bundle, by=by, at=at, within=bundle.case, bundle=bundle.reference, digest=digest)
    return Preview(tables, shown.attachments, shown.notes, digest)


def has_looked(bundle: Bundle, digest: str, *, by: Actor) -> bool:
    """Whether this very person has opened the preview while it showed what has this digest."""
    about = RecordRef.of(bundle)
    looks = AuditEvent.objects.filter(verb=Verb.PREVIEWED.code, about_label=about.label, about_key=about.key)
    return looks.filter(actor_kind=by.kind, actor_key=by.key, facts__digest=digest).exists()
