"""How long cases are kept and what goes with them (requirements R47, R50, R54); our own policy, shown as such."""

from collections.abc import Iterator
from datetime import date

from django.db import models
from django.utils import timezone

from accounts.flows.belonging import OF_ACCOUNT, join
from accounts.flows.document_files import ask_deletion
from accounts.flows.keeping import add_periods, periods_of
from accounts.models import Account, Party
from cases.flows.evidence import accounts_of, parties_of
from cases.models import (
    Absence,
    AbuseEvidence,
    AbuseReport,
    Appeal,
    Assignment,
    Bundle,
    BundleItem,
    BundleReceipt,
    Case,
    CaseLock,
    CaseNote,
    CaseSignal,
    CaseSubject,
    Decision,
    LegalRequest,
    SavedView,
)
from cases.rules.stages import BundleState, CaseStatus
from kyc_portal.calendars import keep_through
from kyc_portal.policy.clocks import forget_clocks
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.records.retention import Period, RetentionRule, register
from kyc_portal.records.roots import KeyOf
from kyc_portal.work import queue

UNFINISHED = (BundleState.COLLECTED, BundleState.APPROVED, BundleState.FAILED)


def ended_cases(as_of: date) -> models.QuerySet[Case]:
    """Cases that are over, about accounts that have ended, with no bundle on its way and no appeal to answer."""
    running = CaseSubject.objects.exclude(account__in=Account.objects.ended()).values("case")
    unfinished = Bundle.objects.filter(state__in=UNFINISHED).values("case")
    appealed = Appeal.objects.open().values("decision__case")
    over = Case.objects.filter(status__in=[CaseStatus.DECIDED.value, CaseStatus.CLOSED.value])
    return over.exclude(pk__in=running).exclude(pk__in=unfinished).exclude(pk__in=appealed)


def periods(case: Case) -> list[Period]:
    """Our own period, and every period of the subjects' accounts; the longest decides."""
    regime = regime_on(legal_day(timezone.now()))
    ended_on = legal_day(max(moment for moment in (case.closed_at, case.decided_at) if moment))
    years = regime.whole("case_retention_years")
    own = Period(
        "case_retention_years",
        keep_through(ended_on, years=years),
        f"cases are kept {years} years after their end (own policy).",
    )
    return [own, *(period for each in accounts_of(case) for period in periods_of(each))]


def after_list_decisions(account: Account) -> Iterator[Period]:
    """What a decision rested on is kept as long as sanctions records when it rested on a list (31 CFR 501.601)."""
    decisions = list(account.decisions.filter(rests_on_list=True))
    if not decisions:
        return
    regime = regime_on(legal_day(timezone.now()))
    years, source = regime.whole("sanctions_retention_years"), regime.cite("sanctions_retention_years")
    for decision in decisions:
        start = legal_day(decision.answered_at or decision.proposed_at)
        sentence = f"{decision.reference} rests on a sanctions list: {years} years ({source})."
        yield Period("sanctions_retention_years", keep_through(start, years=years), sentence)


def guarded(case: Case) -> list[models.Model]:
    """The rows a hold may stand on: the case, its accounts, and everybody behind them."""
    accounts = accounts_of(case)
    return [case, *accounts, *parties_of(accounts, on=legal_day(timezone.now()))]


def contents(case: Case) -> Iterator[models.QuerySet]:
    """Everything that goes with a case, what refers to others first."""
    yield BundleReceipt.objects.filter(bundle__case=case)
    yield BundleItem.objects.filter(bundle__case=case)
    yield AbuseEvidence.objects.filter(report__case=case)
    yield Appeal.objects.filter(decision__case=case)
    for model in (AbuseReport, Bundle, Decision, CaseLock, CaseNote, CaseSignal, Assignment, LegalRequest, CaseSubject):
        yield model.objects.filter(case=case)
    yield Case.objects.filter(pk=case.pk)


def before(case: Case) -> None:
    """The bundles' folders are deleted by a job after the purge has committed; clocks go at once."""
    now = timezone.now()
    for bundle in case.bundles.all():
        queue.ask("cases.delete_bundle", bundle.reference, due_at=now, at=now)
    for report in case.abuse_reports.all():
        ask_deletion(report.pk, at=now)
    for request in case.legal_requests.all():
        forget_clocks(request)
    for appeal in Appeal.objects.filter(decision__case=case):
        forget_clocks(appeal)
    forget_clocks(case)


def keys_of_reports(case: Case) -> list:
    """Abuse reports have keys of their own; notes are sealed under a customer's key, which goes with the customer."""
    return list(case.abuse_reports.order_by("pk").values_list("pk", flat=True))


_PATHS_TO_CASE = {
    Case: "",
    **dict.fromkeys(
        (CaseSubject, CaseSignal, CaseLock, CaseNote, Assignment, Decision, LegalRequest, Bundle, AbuseReport), "case"
    ),
    **dict.fromkeys((BundleItem, BundleReceipt), "bundle__case"),
    AbuseEvidence: "report__case",
    Appeal: "decision__case",
}
# A hold on a case keeps it and what it is about; a hold on an account or its customer keeps their cases.
ROOTS = {
    model: [join(path, step) for step in ("", "subjects__account", "subjects__account__party")]
    for model, path in _PATHS_TO_CASE.items()
}
for _model in (CaseSubject, Decision, AbuseReport):
    ROOTS[_model] += ["account", "account__party"]
ROOTS[Appeal] += ["decision__account", "decision__account__party"]
ROOTS[CaseNote] += [KeyOf("subject", Party)]
ROOTS |= {model: [join(path, "cases__case")] for model, path in OF_ACCOUNT.items()}

add_periods(after_list_decisions)
register(
    RetentionRule(
        code="case",
        title="Cases with their notes, decisions, abuse reports, requests and bundles",
        covers=(
            Case, CaseSubject, CaseSignal, CaseLock, CaseNote, Assignment, Decision, LegalRequest, Bundle, BundleItem,
            BundleReceipt, AbuseReport, AbuseEvidence, Appeal,
        ),
        why="Kept for some years after their end (own policy), and as long as any of their accounts.",
        figures=("case_retention_years", "retention_years", "sanctions_retention_years"),
        candidates=ended_cases,
        periods=periods,
        guarded=guarded,
        contents=contents,
        before=before,
        subjects=keys_of_reports,
        roots=ROOTS,
    ),
    RetentionRule(
        code="absences",
        title="Absences of members of staff",
        covers=(Absence,),
        why="Kept for good: they say why a case was given back. They name a member of staff and days only.",
    ),
    RetentionRule(
        code="saved_views",
        title="Saved views of the queue",
        covers=(SavedView,),
        why="Until whoever keeps one lets it go; they hold codes of filters and a name without personal data.",
        comes_and_goes=True,
    ),
)  # fmt: skip
