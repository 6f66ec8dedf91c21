"""Take in abuse reports, find whose they are, attach and settle them (regulation T24; requirements R41, R91).

A report is somebody's word. It opens a case or joins one, and nothing else: no account is limited and nobody is written
to because of it. The same report again is harmless.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.flows import allocations, document_files
from accounts.formats.addresses import parse_address
from accounts.models import Account
from cases.flows import review, triage
from cases.formats.xarf import ReportRefused, Verdict, XarfReport, read_report
from cases.models import AbuseEvidence, AbuseReport, Case
from cases.rules.reports import AttachedWhy, Door, How, ReportState, SettledWhy
from cases.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit, holds
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

EARLIEST_YEAR = 1990
FUTURE_TOLERANCE = timedelta(days=1)  # for clocks that run fast


class NotWaiting(Refusal):
    """Somebody has said already what the report is about."""


class UnknownReason(Refusal):
    """The reason is not on the list."""


@dataclass(frozen=True)
class Outcome:
    """The report that holds what was sent, and whether this call took it in."""

    report: AbuseReport
    is_new: bool


def take_in(data: bytes, *, door: Door, by: Actor, at: datetime) -> Outcome:
    """Take in one XARF report, all of it or nothing; what came before by any door comes back with `is_new` False.

    A report came before when its bytes did, or its reporter's own number. Raises ReportRefused for bytes that are no
    report, and KeyProblem when nothing can be sealed.
    """
    said = read_report(data, most_bytes=settings.ABUSE_REPORT_MAX_BYTES)
    if said.moment.year < EARLIEST_YEAR or said.moment > at + FUTURE_TOLERANCE:
        raise ReportRefused(f"$.timestamp: nothing can have happened at {said.moment:%Y-%m-%d %H:%M} UTC. Correct it.")
    return _take_in(data, said, door, by=by, at=at)


@flow
def _take_in(data: bytes, said: XarfReport, door: Door, *, by: Actor, at: datetime) -> Outcome:
    known = _known(data, said)
    if known is not None:
        return Outcome(known, is_new=False)
    try:
        with transaction.atomic():  # whoever comes second waits here, and finds what the first took in
            report = _store(data, said, door, by, at)
    except IntegrityError:
        known = _known(data, said)
        if known is None:
            raise
        return Outcome(known, is_new=False)
    failed = sum(piece.verdict not in (Verdict.AGREES, Verdict.NOT_DECLARED) for piece in said.evidence)
    audit.record(
        Verb.REPORT_TAKEN, report, by=by, at=at, report=report.reference, kind=f"{said.category}/{said.type}",
        how=Door(door).label, sha256=report.sha256, items=len(said.evidence), failed=failed,
    )  # fmt: skip
    found = candidates(report)
    if len(found) == 1 and _still_there(found[0].account):
        _resolve(report, found[0].account, How(found[0].how))
        audit.record(
            Verb.REPORT_RESOLVED, report, by=by, at=at, within=report.account, report=report.reference,
            account=report.account.reference, how=found[0].how,
        )  # fmt: skip
    triage.take_in_abuse_report(report, by=by, at=at)
    return Outcome(report, is_new=True)


def _still_there(account: Account) -> bool:
    """Whether the account's destruction has not begun; nothing new may speak of one that is going."""
    try:
        holds.refuse_doomed(triage.lock_customer(account))
    except holds.AlreadyDestroyed:
        return False
    return True


def _known(data: bytes, said: XarfReport) -> AbuseReport | None:
    same = AbuseReport.objects.filter(sha256=document_files.digest_of(data)).first()
    if same is None and said.report_id:
        same = AbuseReport.objects.filter(reporter_domain=said.reporter_domain, outside_id=said.report_id).first()
    return same


def _store(data: bytes, said: XarfReport, door: Door, by: Actor, at: datetime) -> AbuseReport:
    """The rows, and the bytes sealed under the report's own key; when the transaction rolls back, both go."""
    report = AbuseReport(
        version=said.version, outside_id=said.report_id, category=said.category, type=said.type,
        occurred_at=said.moment, source_identifier=said.source_identifier,
        source_address=parse_address(said.source_identifier), source_port=said.source_port,
        reporter_org=said.reporter_org, reporter_domain=said.reporter_domain, contact=said.reporter_contact,
        indicators=list(said.indicators), risk=said.risk, warnings=list(said.warnings), received_at=at,
        received_by=by.label, door=Door(door).value, size=len(data), sha256=document_files.digest_of(data),
    )  # fmt: skip
    report.save(force_insert=True)
    document_files.store(report.pk, data)
    AbuseEvidence.objects.bulk_create(
        AbuseEvidence(
            report=report, number=number, content_type=piece.content_type, declared=piece.declared,
            computed=piece.computed, size=piece.size, verdict=piece.verdict.value,
        )
        for number, piece in enumerate(said.evidence, start=1)
    )  # fmt: skip
    return report


def candidates(report: AbuseReport) -> Sequence[allocations.Holder]:
    """The accounts that held the reported address at that moment, as far as the records tell; none for a name."""
    if report.source_address is None:
        return ()
    window = timedelta(minutes=regime_on(legal_day(report.received_at)).whole("abuse_access_minutes"))
    return allocations.holders_of(parse_address(report.source_address), report.occurred_at, window=window)


def _resolve(report: AbuseReport, account: Account, how: How) -> None:
    report.account = triage.lock_customer(account)
    report.state, report.how = ReportState.RESOLVED.value, how.value
    report.save(update_fields=["account", "state", "how"])


@flow
def attach(report: AbuseReport, *, account: Account, why: str, by: Actor, at: datetime) -> AbuseReport:
    """Say which account a waiting report is about; its case then speaks of that account too, or it joins another.

    Raises NotWaiting, UnknownReason, AlreadyDestroyed.
    """
    if why not in list(AttachedWhy):
        raise UnknownReason(f"There is no such reason. Choose one of: {', '.join(AttachedWhy)}.")
    triage.lock_customer(account)  # accounts first, as everybody locks them
    report = _waiting(report)
    before = report.case
    _resolve(report, account, How.BY_HAND)
    _answer(report, by, at, attached_why=AttachedWhy(why).value)
    audit.record(
        Verb.REPORT_ATTACHED, report, by=by, at=at, within=report.account, report=report.reference,
        account=account.reference, why=why,
    )  # fmt: skip
    case = triage.take_in_abuse_report(report, by=by, at=at)
    if case.pk != before.pk:
        _close_if_empty(before, review.ClosedWhy.MERGED, by=by, at=at)
    return report


@flow
def settle(report: AbuseReport, *, why: str, by: Actor, at: datetime) -> AbuseReport:
    """End a waiting report without an account; a case that was about nothing else ends too.

    Raises NotWaiting, UnknownReason.
    """
    if why not in list(SettledWhy):
        raise UnknownReason(f"There is no such reason. Choose one of: {', '.join(SettledWhy)}.")
    report = _waiting(report)
    report.state = ReportState.SETTLED.value
    report.save(update_fields=["state"])
    _answer(report, by, at, settled_why=SettledWhy(why).value)
    audit.record(Verb.REPORT_SETTLED, report, by=by, at=at, within=report.case, report=report.reference, why=why)
    _close_if_empty(report.case, review.ClosedWhy.WITHOUT_ACCOUNT, by=by, at=at)
    return report


def _waiting(report: AbuseReport) -> AbuseReport:
    report = AbuseReport.objects.select_for_update(of=("self",)).select_related("case", "account").get(pk=report.pk)
    if report.state != ReportState.WAITING:
        raise NotWaiting(f"{report.reference} is {report.get_state_display()} already. See its page for who said so.")
    return report


def _answer(report: AbuseReport, by: Actor, at: datetime, **why: str) -> None:
    report.answered_at, report.answered_by = at, by.label
    for name, value in why.items():
        setattr(report, name, value)
    report.save(update_fields=["answered_at", "answered_by", *why])


def _close_if_empty(case: Case, why: review.ClosedWhy, *, by: Actor, at: datetime) -> None:
    """Close a case that is about no account and in which no report waits any more."""
    case = review.lock_case(case)
    is_about_something = case.subjects.exists() or case.abuse_reports.waiting().exists()
    if not is_about_something and case.status not in review.ENDED:
        review.close_case(case, why=why.value, by=by, at=at)


@flow
def take_original(report: AbuseReport, *, by: Actor, at: datetime) -> bytes:
    """The bytes as they were sent, with an event of who took them. Raises FileMissing, KeyProblem."""
    data = document_files.read(report.pk, report.sha256)
    audit.record(
        Verb.REPORT_DOWNLOADED, report, by=by, at=at, within=report.case, report=report.reference, sha256=report.sha256
    )
    return data
