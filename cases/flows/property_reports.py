"""Report blocked property and rejected transactions (R109, R110): opened by the block itself, signed by two, sent."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.conf import settings

from accounts.flows.texts import EARLIEST, Texts, required
from accounts.formats.text import shown
from accounts.models import Account, IdentityDocument, Party, Restriction
from cases.flows.evidence import parties_of
from cases.flows.triage import lock_customer
from cases.formats.property_report import as_json
from cases.models import PropertyReport
from cases.rules.property_reports import (
    FIGURES,
    REPORT_LIFECYCLE,
    DroppedWhy,
    NotComplete,
    PropertyReportKind,
    PropertyReportState,
    SentBy,
    due_day,
    in_usd,
    require_authority,
)
from cases.verbs import Verb
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Holiday
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

CLOCK = "property report"
SEALED = {
    "property": ("Property", 2000), "transaction": ("Transaction", 2000), "places": ("Places", 1000),
    "contact_name": ("Contact", 150), "contact_phone": ("Phone", 50), "contact_email": ("E-mail", 254),
}  # fmt: skip


class BadReport(Refusal):
    """Something about the report cannot be as it was given."""


class Changed(Refusal):
    """The report is not any more what was approved."""


@flow
def open_for_block(account: Account, restriction: Restriction, *, by: Actor, at: datetime) -> PropertyReport:
    """A block came into force: its report is to be made. One that waits for this account already is kept."""
    waiting = PropertyReport.objects.to_do().filter(account=account, kind=PropertyReportKind.BLOCKED.value).first()
    return waiting or _open(account, PropertyReportKind.BLOCKED, legal_day(at), restriction.reference, by=by, at=at)


@flow
def open_rejected(account: Account, *, happened_on: date, by: Actor, at: datetime) -> PropertyReport:
    """A transaction of this account was rejected on that day. Raises BadReport."""
    if not EARLIEST <= happened_on <= legal_day(at):
        raise BadReport(f"A transaction cannot have been rejected on {happened_on}. Correct the day.")
    return _open(lock_customer(account), PropertyReportKind.REJECTED, happened_on, "", by=by, at=at)


def _open(
    account: Account, kind: PropertyReportKind, happened_on: date, basis: str, *, by: Actor, at: datetime
) -> PropertyReport:
    regime, figure = regime_on(legal_day(at)), FIGURES[kind]
    due_on = due_day(
        happened_on, regime.whole(figure), frozenset(Holiday.objects.values_list("day", flat=True)),
        event_counts=bool(regime.whole("report_day_of_event_counts")),
    )  # fmt: skip
    report = PropertyReport.objects.create(
        kind=kind.value, account=account, subject=account.party_id, basis=basis, happened_on=happened_on,
        due_on=due_on, citation=regime.figure(figure).citation, opened_at=at, opened_by=by.label,
    )  # fmt: skip
    start_clock(CLOCK, report, figure=figure, regime=regime, on=happened_on, due_on=due_on, by=by, at=at)
    _record(Verb.PROPERTY_REPORT_OPENED, report, by=by, at=at, kind=kind.value, due_on=due_on)
    return report


@flow
def draft(
    report: PropertyReport, *, legal_authority: str, value_usd: object, parties: Collection[str],
    documents: Collection[str] = (), texts: Mapping[str, str], by: Actor, at: datetime,
) -> PropertyReport:  # fmt: skip
    """Fill the report in. `parties` and `documents` are references of ours; `texts` has a text for each name in SEALED.

    Raises NotComplete for what is missing, MoveNotAllowed once it is sent.
    """
    report = _locked(report)
    if report.state != PropertyReportState.OPEN:  # what was drafted, or approved, is written anew and signed anew
        _move(report, PropertyReportState.OPEN)
    _move(report, PropertyReportState.DRAFTED)
    told = Texts()
    report.legal_authority = require_authority(told.line("Legal authority", legal_authority, 200))
    report.value_usd = in_usd(value_usd)
    report.parties = _parties(report, parties)
    report.documents = _documents(report, documents)
    for name, (title, longest) in SEALED.items():
        setattr(report, name, required(title, told.lines(title, texts.get(name, "").strip(), longest)))
    report.drafted_at, report.drafted_by, report.drafted_by_key = at, by.label, person_key(by)
    report.approved_at, report.approved_by, report.approved_sha256 = None, "", ""
    report.save()
    _record(Verb.PROPERTY_REPORT_DRAFTED, report, by=by, at=at)
    told.record_masked(report, by=by, at=at)
    return report


def _parties(report: PropertyReport, references: Collection[str]) -> list[str]:
    known = {party.reference for party in parties_of([report.account], on=report.happened_on)}
    known |= {report.account.party.reference}
    if not references:
        raise NotComplete("The report names no party. Give the reference of whoever holds the property, at least.")
    if strange := set(references) - known:
        raise NotComplete(
            f"{shown(min(strange)[:20])} has no part in {report.account.reference}. Give references of its parties."
        )
    return sorted(set(references))


def _documents(report: PropertyReport, references: Collection[str]) -> list[str]:
    parties = Party.objects.filter(reference__in=report.parties)
    known = IdentityDocument.objects.filter(party__in=parties).exclude(file_sha256="")
    if strange := set(references) - set(known.values_list("reference", flat=True)):
        raise NotComplete(
            f"{shown(min(strange)[:20])} is no document of these parties with a file. Give references of theirs."
        )
    return sorted(set(references))


@flow
def approve(report: PropertyReport, *, shown: str, by: Actor, at: datetime) -> PropertyReport:
    """Approve what a colleague drafted, these very words: `shown` is the SHA-256 of what lay before this person.

    Raises SecondPersonNeeded, MoveNotAllowed, and Changed when the report is another now.
    """
    report = _locked(report)
    _move(report, PropertyReportState.APPROVED)
    require_second_person(report.drafted_by_key, by, deed=report.reference)
    digest = digest_of(report)
    if shown != digest:
        raise Changed(f"{report.reference} has changed since you opened this page. Open it anew and read it again.")
    report.approved_at, report.approved_by, report.approved_sha256 = at, by.label, digest
    report.save()
    return _record(Verb.PROPERTY_REPORT_APPROVED, report, by=by, at=at, digest=report.approved_sha256)


@flow
def send(report: PropertyReport, *, how: str, by: Actor, at: datetime) -> PropertyReport:
    """Say that the approved report was sent; its clock stops. Raises Changed, BadReport."""
    if how not in list(SentBy):
        raise BadReport(f"Say how it was sent. Choose one of: {', '.join(SentBy)}.")
    report = _locked(report)
    _move(report, PropertyReportState.SENT)
    if digest_of(report) != report.approved_sha256:
        raise Changed(f"{report.reference} is not any more what was approved. Draft it anew and have it approved.")
    report.sent_at, report.sent_by, report.sent_how = at, by.label, SentBy(how).value
    report.ended_at = at
    report.save()
    stop_clock(CLOCK, report, by=by, at=at)
    return _record(Verb.PROPERTY_REPORT_SENT, report, by=by, at=at, how=report.sent_how)


@flow
def confirm(report: PropertyReport, *, receipt: str, by: Actor, at: datetime) -> PropertyReport:
    """Keep the number under which the authority has it."""
    report = _locked(report)
    _move(report, PropertyReportState.CONFIRMED)
    told = Texts()
    report.receipt = required("Number of the receipt", told.line("Number of the receipt", receipt.strip(), 100))
    report.save(update_fields=["state", "receipt"])
    _record(Verb.PROPERTY_REPORT_CONFIRMED, report, by=by, at=at)
    told.record_masked(report, by=by, at=at)
    return report


@flow
def drop(report: PropertyReport, *, why: str, by: Actor, at: datetime) -> PropertyReport:
    """Make no report, for a reason of the list; its clock stops. Of a draft not its author says so."""
    if why not in list(DroppedWhy):
        raise BadReport(f"Say why. Choose one of: {', '.join(DroppedWhy)}.")
    report = _locked(report)
    _move(report, PropertyReportState.DROPPED)
    require_second_person(report.drafted_by_key or None, by, deed=report.reference)
    report.dropped_why, report.ended_at = DroppedWhy(why).value, at
    report.save(update_fields=["state", "dropped_why", "ended_at"])
    stop_clock(CLOCK, report, by=by, at=at)
    return _record(Verb.PROPERTY_REPORT_DROPPED, report, by=by, at=at, why=why)


@flow
def take_file(report: PropertyReport, *, kind: str, by: Actor, at: datetime) -> dict[str, object]:
    """The fields for a file or the page that is printed; the trail keeps who took it and in which form."""
    _record(Verb.PROPERTY_REPORT_TAKEN, report, by=by, at=at, kind=kind)
    return fields_of(report)


def fields_of(report: PropertyReport) -> dict[str, object]:
    """What the report says, field by field, in clear."""
    names = dict(Party.objects.filter(reference__in=report.parties).values_list("reference", "legal_name"))
    files = IdentityDocument.objects.filter(reference__in=report.documents).values_list("reference", "file_sha256")
    text = {name: getattr(report, name).reveal() if getattr(report, name) else "" for name in SEALED}
    return {
        "reference": report.reference, "kind": report.kind, "under": report.citation.text,
        "holder": settings.PROVIDER_NAME, "contact_name": text["contact_name"], "contact_phone": text["contact_phone"],
        "contact_email": text["contact_email"], "account": report.account.reference,
        "date": report.happened_on.isoformat(), "due": report.due_on.isoformat(),
        "legal_authority": report.legal_authority, "property": text["property"], "transaction": text["transaction"],
        "value_usd": "" if report.value_usd is None else f"{report.value_usd:.2f}",
        "parties": [{"reference": each, "name": names.get(each, "")} for each in report.parties],
        "places": text["places"],
        "documents": [{"reference": each, "sha256": sha256} for each, sha256 in sorted(files)],
    }  # fmt: skip


def digest_of(report: PropertyReport) -> str:
    """SHA-256 of the report as its JSON file."""
    return hashlib.sha256(as_json(fields_of(report))).hexdigest()


def _locked(report: PropertyReport) -> PropertyReport:
    rows = PropertyReport.objects.select_for_update(of=("self",)).select_related("account__party", "citation")
    return rows.get(pk=report.pk)


def _move(report: PropertyReport, to: PropertyReportState) -> None:
    REPORT_LIFECYCLE.require(report.state, to)
    report.state = to.value


def _record(verb: Verb, report: PropertyReport, *, by: Actor, at: datetime, **facts) -> PropertyReport:
    audit.record(verb, report, by=by, at=at, within=report.account, report=report.reference, **facts)
    return report
