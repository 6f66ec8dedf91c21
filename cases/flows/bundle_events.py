"""The excerpt of the audit trail in a bundle: what the ground covers and the request asks for (R52, R53, R114).

What no class of data stands for stays out: what other authorities asked, holds, who works what.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q

from accounts.models import AccessBatch
from cases.flows.bundle_redactor import Redactor
from cases.models import Bundle
from cases.rules.disclosure import DataClass, may_include
from cases.rules.redaction import FieldClass
from cases.rules.scope import AskedFor
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.verbs import sentence_of

D = DataClass
DELIVERY = AccessBatch._meta.label_lower

# Longest beginning wins; a verb that stands nowhere is not told.
CLASS_OF_VERB = {
    "accounts.prospect_opened": D.SUBSCRIBER,
    "accounts.data_requested": D.SUBSCRIBER,
    "accounts.refused": D.DECISIONS,
    "accounts.status_settled": D.IDENTITY,
    "accounts.name_added": D.SUBSCRIBER,
    "accounts.address_added": D.SUBSCRIBER,
    "accounts.contact_added": D.SUBSCRIBER,
    "accounts.document_": D.IDENTITY,
    "accounts.payment_added": D.PAYMENT,
    "accounts.owner": D.OWNERSHIP,
    "accounts.verification_": D.VERIFICATION,
    "accounts.method_recorded": D.VERIFICATION,
    "accounts.discrepancy_": D.VERIFICATION,
    "accounts.check_": D.VERIFICATION,
    "accounts.answer_": D.VERIFICATION,
    "accounts.review_": D.VERIFICATION,
    "accounts.screened": D.SCREENING,
    "accounts.hit_": D.SCREENING,
    "accounts.blocked": D.SCREENING,
    "accounts.activated": D.SUBSCRIBER,
    "accounts.closed": D.SUBSCRIBER,
    "accounts.reopened": D.SUBSCRIBER,
    "accounts.log_imported": D.ACCESS,
    "accounts.signal_": D.RISK,
    "accounts.risk_rated": D.RISK,
    "accounts.tier_": D.RISK,
    "accounts.watch_due": D.RISK,
    "accounts.unverified_": D.DECISIONS,
    "accounts.objected": D.DECISIONS,
    "accounts.objection_answered": D.DECISIONS,
    "accounts.redress_answered": D.DECISIONS,
    "accounts.limited": D.DECISIONS,
    "accounts.suspended": D.DECISIONS,
    "accounts.restriction_lifted": D.DECISIONS,
    "cases.opened": D.RISK,
    "cases.joined": D.RISK,
    "cases.subject_named": D.RISK,
    "cases.proposed": D.DECISIONS,
    "cases.countersigned": D.DECISIONS,
    "cases.in_effect": D.DECISIONS,
    "cases.declined": D.DECISIONS,
    "cases.withdrawn": D.DECISIONS,
    "cases.noted": D.NOTES,
    "cases.bundle_": D.CUSTODY,
    "records.viewed": D.AUDIT,
    "records.lines_fetched": D.AUDIT,
    "records.revealed": D.AUDIT,
}

FACT_CLASSES = {
    "to": FieldClass.STAFF,
    "rests_on": FieldClass.DETECTION,
    "code": FieldClass.DETECTION,
    "score": FieldClass.DETECTION,
    "tier": FieldClass.DETECTION,
}
NOT_FOR_CUSTOMERS = ("cases.", "accounts.unverified_")  # proposals and judgements; the notices told what came of them
OF_DECISIONS = frozenset({"reason", "basis", "outcome", "rests_on"})  # facts that tell why, wherever they stand

COLUMNS = (
    "id", "at", "verb", "sentence", "actor_kind", "actor", "about_label", "about_name", "within_label", "facts",
    "pii_commit", "canonical", "canonical_sha256",
)  # fmt: skip


def class_of(verb: str) -> DataClass | None:
    """The class of data an event of this verb belongs to; None for what no bundle tells."""
    fitting = [beginning for beginning in CLASS_OF_VERB if verb.startswith(beginning)]
    return CLASS_OF_VERB[max(fitting, key=len)] if fitting else None


def events_of(
    bundle: Bundle, records: Iterable[RecordRef], show: Redactor, *, asked: AskedFor, until: datetime
) -> Iterator[dict]:
    """The events about these records and within them, oldest first, as the recipient may see them.

    Of what the bundle rests on, only events of the kinds and days that are `asked` for; its own chain of custody always
    goes.

    The canonical bytes (the sealed form of an event) go along only where nothing of the event is blacked out; their
    SHA-256 always does, so that an event can be proven later against the whole trail.
    """
    wanted = Q(pk__in=[])
    tells_why = _may_go(bundle, asked, D.DECISIONS) and not show.is_for_customer
    for ref in records:
        wanted |= Q(about_label=ref.label, about_key=ref.key) | Q(within_label=ref.label, within_key=ref.key)
    for event in AuditEvent.objects.filter(wanted, at__lte=until).order_by("at", "id").iterator(chunk_size=500):
        data_class = class_of(event.verb)
        of_many = event.about_label == DELIVERY and not event.within_key  # its counts are others' as well
        of_another_bundle = data_class == D.CUSTODY and event.about_key != str(bundle.pk)
        untold = show.is_for_customer and data_class == D.DECISIONS and event.verb.startswith(NOT_FOR_CUSTOMERS)
        if of_many or of_another_bundle or untold or data_class is None or not _may_go(bundle, asked, data_class):
            continue
        day = legal_day(event.at)
        if data_class != D.CUSTODY and not asked.covers_days(day, day):
            continue
        yield _shown(event, show, tells_why=tells_why)


def _may_go(bundle: Bundle, asked: AskedFor, data_class: DataClass) -> bool:
    return may_include(bundle.ground, data_class) and asked.covers_kind(data_class)


def _shown(event: AuditEvent, show: Redactor, *, tells_why: bool) -> dict:
    place, facts, whole = "audit/events.jsonl", {}, True
    for name, value in event.facts.items():
        if name in OF_DECISIONS and not tells_why:
            whole = False
            continue
        facts[name] = value
        if name in FACT_CLASSES:
            facts[name] = show.show(FACT_CLASSES[name], value, f"{place}, {name}")
        whole = whole and facts[name] == value
    actor = event.actor_label
    if event.actor_kind != "scheduler":
        actor = show.show(FieldClass.STAFF, actor, f"{place}, actor")
    whole = whole and actor == event.actor_label
    canonical = bytes(event.canonical)
    return {
        "id": event.pk, "at": event.at, "verb": event.verb, "sentence": sentence_of(event.verb, facts),
        "actor_kind": event.actor_kind, "actor": actor, "about_label": event.about_label,
        "about_name": event.about_name, "within_label": event.within_label, "facts": facts,
        "pii_commit": bytes(event.pii_commit).hex() if event.pii_commit else "",
        "canonical": base64.b64encode(canonical).decode() if whole else "",
        "canonical_sha256": hashlib.sha256(canonical).hexdigest(),
    }  # fmt: skip
