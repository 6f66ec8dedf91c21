"""What is stored about one party: find all of it, and erase what no rule needs (requirements R47, R54)."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

from django.db import models
from django.db.models import Min, Q

from accounts.flows.document_files import DELETE_FILE
from accounts.flows.keeping import periods_of
from accounts.flows.links import fingerprint_party
from accounts.flows.screening_marks import forget_marks
from accounts.models import (
    Account,
    CheckResult,
    ContactConfirmation,
    ContactPoint,
    Identifier,
    IdentityDocument,
    Party,
    PaymentMethod,
    Verification,
    ZoneReading,
)
from accounts.models.screening import HitStatus
from accounts.verbs import Verb
from kyc_portal.records import audit, deletion
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent, IdentityView
from kyc_portal.records.refs import Actor
from kyc_portal.records.retention import RetentionRule, all_rules, longest, purge_file
from kyc_portal.records.roots import KeyOf, Path, is_forward, root_of, steps_of
from kyc_portal.work import queue

FILE, TRAIL = "customer_file", "trail"


@dataclass(frozen=True)
class Found:
    """What one retention rule keeps of a person: rows by kind, the earliest day, why and until when. For staff only."""

    rule: str
    title: str
    rows: dict[str, int] = field(default_factory=dict)
    since: str = ""
    why: str = ""
    until: str = ""

    def as_json(self) -> dict:
        return asdict(self)


# --- find -------------------------------------------------------------------------------------------------------------


def paths_to_party(model: type[models.Model]) -> list[Path]:
    """How a row says whose it is: the shortest paths to a party that never lead through a list of others' rows."""
    paths = [path for path in deletion.paths_of(model) if root_of(model, path) is Party]
    paths = [path for path in paths if is_forward(model, path)] or paths
    return [path for path in paths if steps_of(path) == min(map(steps_of, paths))]


def rows_about(model: type[models.Model], party_key) -> models.QuerySet:
    """The rows of this kind that are about a party."""
    paths, wanted = paths_to_party(model), Q(pk__in=[])
    for path in paths:
        wanted |= Q(**{path.column if isinstance(path, KeyOf) else path or "pk": party_key})
    rows = model._base_manager.filter(wanted)
    return rows if all(is_forward(model, path) for path in paths) else rows.distinct()


def find_data(party: Party) -> list[Found]:
    """Everything stored about a party, by the rule that keeps it; what there is nothing of is left out."""
    accounts = list(Account.objects.filter(party=party).order_by("created_at"))
    found = [_found(rule, party, accounts) for rule in all_rules()]
    file_first = sorted(filter(None, found), key=lambda each: each.rule != FILE)
    return [*file_first, _in_the_trail(party, accounts)]


def _found(rule: RetentionRule, party: Party, accounts: list[Account]) -> Found | None:
    rows, since = {}, []
    for model in rule.covers:
        about = rows_about(model, party.pk) if deletion.paths_of(model) else model._base_manager.none()
        if count := about.count():
            rows[model._meta.label_lower] = count
            since.append(about.aggregate(first=Min(moment))["first"] if (moment := _moment_of(model)) else None)
    if not rows:
        return None
    days = [legal_day(first) for first in since if first]
    why, until = _why(accounts) if rule.code == FILE else (rule.why, "")
    return Found(rule.code, rule.title, rows, min(days).isoformat() if days else "", why, until)


def _moment_of(model: type[models.Model]) -> str:
    """The column that says since when a row is there: its first moment that is always given."""
    moments = (each for each in model._meta.concrete_fields if isinstance(each, models.DateTimeField) and not each.null)
    return next((each.name for each in moments), "")


def _why(accounts: list[Account]) -> tuple[str, str]:
    """Why the file is kept, account by account, and the last day of the longest period."""
    sentences, days = [], []
    for account in accounts:
        period = longest(periods_of(account)) if account.closed_at else None
        sentences.append(f"{account.reference}: {period.sentence}" if period else f"{account.reference} has not ended.")
        days.append(period.kept_through if period else date.max)
    last = max(days, default=date.max)
    return " ".join(sentences) or "Kept with the file of a company.", "" if last == date.max else last.isoformat()


def _in_the_trail(party: Party, accounts: list[Account]) -> Found:
    keys = [str(each.pk) for each in (party, *accounts)]
    events = AuditEvent.objects.filter(Q(about_key__in=keys) | Q(within_key__in=keys))
    views = IdentityView.objects.filter(about_key__in=keys)
    rule = next(rule for rule in all_rules() if rule.code == TRAIL)
    first = events.aggregate(first=Min("at"))["first"]
    rows = {"records.auditevent": events.count(), "records.identityview": views.count()}
    return Found(TRAIL, rule.title, rows, legal_day(first).isoformat() if first else "", rule.why)


# --- erase ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unneeded:
    """Single data that may go before the file does, in the words the person reads, and why no rule needs it."""

    words: str
    why: str
    rows: Callable[[Party], models.QuerySet]


def _unused_documents(party: Party) -> models.QuerySet:
    return IdentityDocument.objects.filter(party=party, results=None)


def _replaced_contacts(party: Party) -> models.QuerySet:
    """All but the newest of each kind, if they came after the last verification."""
    newest = dict(party.contact_points.order_by("added_at", "pk").values_list("kind", "pk"))
    rows = ContactPoint.objects.filter(party=party).exclude(pk__in=newest.values())
    return rows.filter(added_at__gt=_verified_at(party))


def _ended_payments(party: Party) -> models.QuerySet:
    rows = PaymentMethod.objects.filter(party=party, ended_at__isnull=False)
    return rows.filter(added_at__gt=_verified_at(party))


def _verified_at(party: Party) -> datetime:
    return party.verifications.order_by("-concluded_at").values_list("concluded_at", flat=True).first()


UNNEEDED = (
    Unneeded(
        "documents we did not use", "R47 keeps what a verification relied on; no method used these.",
        _unused_documents,
    ),
    Unneeded(
        "contact details you replaced", "They came after the last verification, so that none relied on them.",
        _replaced_contacts,
    ),
    Unneeded(
        "means of payment you no longer use", "They came after the last verification, so that none relied on them.",
        _ended_payments,
    ),
)  # fmt: skip


@flow
def erase(party: Party, *, by: Actor, at: datetime) -> dict[str, int]:
    """Erase what no rule, hold or open work keeps; returns the single data that went, by their words.

    Files whose time is over go by the purge, with their tombstones; then `party` may be gone. Raises Held: then
    nothing went.
    """
    with deletion.declared("erasure"):
        deletion.require_may_go(Party.objects.filter(pk=party.pk))
        rule = next(rule for rule in all_rules() if rule.code == FILE)
        for key in Account.objects.ended().filter(party=party).order_by("pk").values_list("pk", flat=True):
            purge_file(rule, key, as_of=legal_day(at), by=by, at=at)
        party = Party.objects.select_for_update(of=("self",)).filter(pk=party.pk).first()
        erased = _erase_unneeded(party, at=at) if party and not _is_at_work_on(party) else {}
    if erased:
        what = ", ".join(f"{count} {words}" for words, count in erased.items())
        audit.record(Verb.SINGLE_DATA_ERASED, party, by=by, at=at, party=party.reference, what=what)
    return erased


def _is_at_work_on(party: Party) -> bool:
    """Never verified, being verified, or like somebody on a list: then anything may still be relied on (R35, R50)."""
    verifications = Verification.objects.filter(party=party)
    hits = party.hits.exclude(status__in=[HitStatus.DISMISSED, HitStatus.REPLACED])
    return not verifications.verified().exists() or verifications.unfinished().exists() or hits.exists()


def _erase_unneeded(party: Party, *, at: datetime) -> dict[str, int]:
    erased = {}
    for each in UNNEEDED:
        rows = each.rows(party)
        files = [row.file_sha256 for row in rows if getattr(row, "file_sha256", "")]
        keys = list(rows.values_list("pk", flat=True))
        CheckResult.objects.filter(verification__party=party, about_key__in=[str(key) for key in keys]).delete()
        if rows.model is IdentityDocument:
            ZoneReading.objects.filter(document__in=keys).delete()
        if rows.model is ContactPoint:  # what was asked about them goes first, and is not counted
            ContactConfirmation.objects.filter(contact__in=keys).delete()
        if count := rows.model._base_manager.filter(pk__in=keys).delete()[0]:
            erased[each.words] = count
        for sha256 in files:
            queue.ask(DELETE_FILE, key=f"{party.pk}/{sha256}", due_at=at, at=at)
    if erased:  # their fingerprints go with them; those of what stays are made anew
        Identifier.objects.filter(party=party).delete()
        forget_marks(party)
        fingerprint_party(party, at=at)
    return erased
