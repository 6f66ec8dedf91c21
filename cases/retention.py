"""How long cases are kept and what goes with them (requirements R47, R50, R54); our own policy, shown as such."""

from collections.abc import Iterator
from datetime import date

from django.db import models
from django.utils import timezone

from accounts.flows.belonging import OF_ACCOUNT, join, with_owners
from accounts.flows.document_files import ask_deletion
from accounts.flows.keeping import add_periods, ended_before, guarded_rows, periods_of
from accounts.models import Account, Party
from cases.flows.evidence import accounts_of, parties_of
from cases.models import (
    Absence,
    AbuseEvidence,
    AbuseReport,
    Appeal,
    Assignment,
    BackupCopy,
    Bundle,
    BundleItem,
    BundleReceipt,
    BundleRedaction,
    Case,
    CaseCheck,
    CaseLock,
    CaseMerge,
    CaseNote,
    CaseReader,
    CaseSignal,
    CaseSubject,
    Challenge,
    CommerceAsk,
    CommerceReview,
    Decision,
    FlaggedClass,
    FlaggedHold,
    LegalRequest,
    MeasureFactor,
    MeasureHit,
    MeasureOverride,
    PropertyReport,
    Remedy,
    RequestCheck,
    SavedView,
    SpecialMeasure,
    VoluntaryDisclosure,
)
from cases.rules.measure_stages import MeasureState
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
    yield BundleRedaction.objects.filter(bundle__case=case)
    for model in (RequestCheck, Challenge, BackupCopy):
        yield model.objects.filter(request__case=case)
    yield AbuseEvidence.objects.filter(report__case=case)
    yield CaseMerge.objects.filter(models.Q(kept=case) | models.Q(merged=case))
    for model in (CaseReader, CaseCheck):
        yield model.objects.filter(case=case)
    yield Appeal.objects.filter(decision__case=case)
    for model in (
        AbuseReport, Bundle, VoluntaryDisclosure, Decision, CaseLock, CaseNote, CaseSignal, Assignment, LegalRequest,
        CaseSubject,
    ):  # fmt: skip
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
    for copy in BackupCopy.objects.filter(request__case=case):
        forget_clocks(copy)
    for appeal in Appeal.objects.filter(decision__case=case):
        forget_clocks(appeal)
    forget_clocks(case)


def keys_of_reports(case: Case) -> list:
    """Abuse reports have keys of their own; notes are sealed under a customer's key, which goes with the customer."""
    return list(case.abuse_reports.order_by("pk").values_list("pk", flat=True))


def ended_measures(as_of: date) -> models.QuerySet[SpecialMeasure]:
    """Measures that are over and hit nobody whose file is still kept."""
    over = SpecialMeasure.objects.filter(state__in=[MeasureState.CLOSED.value, MeasureState.WITHDRAWN.value])
    return over.exclude(models.Exists(MeasureHit.objects.filter(measure=models.OuterRef("pk"))))


def periods_of_measure(measure: SpecialMeasure) -> list[Period]:
    """Our own period from its end: as long as a case."""
    regime, ended_on = regime_on(legal_day(timezone.now())), legal_day(measure.ended_at)
    years, source = regime.whole("case_retention_years"), regime.cite("case_retention_years")
    sentence = f"{years} years after it ended on {ended_on} ({source})."
    return [Period("case_retention_years", keep_through(ended_on, years=years), sentence)]


def hits_of_ended(as_of: date) -> models.QuerySet[MeasureHit]:
    """Hits of accounts that ended before that day."""
    return MeasureHit.objects.filter(account__in=ended_before(as_of)).select_related("account__party")


_PATHS_TO_CASE = {
    Case: "",
    **dict.fromkeys(
        (
            CaseSubject,
            CaseSignal,
            CaseLock,
            CaseNote,
            CaseReader,
            CaseCheck,
            Assignment,
            Decision,
            LegalRequest,
            Bundle,
            AbuseReport,
            VoluntaryDisclosure,
        ),
        "case",
    ),
    **dict.fromkeys((BundleItem, BundleReceipt, BundleRedaction), "bundle__case"),
    **dict.fromkeys((RequestCheck, Challenge, BackupCopy), "request__case"),
    CaseMerge: "kept",
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
for _model in (CaseNote, VoluntaryDisclosure, BundleRedaction):
    ROOTS[_model] += [KeyOf("subject", Party)]
ROOTS[CaseMerge] += [join("merged", step) for step in ("", "subjects__account", "subjects__account__party")]
ROOTS[Appeal] += ["decision__account", "decision__account__party"]
ROOTS[CaseNote] += [KeyOf("subject", Party)]
ROOTS |= {model: [join(path, "cases__case")] for model, path in OF_ACCOUNT.items()}


def _ended_reports(as_of: date) -> models.QuerySet[PropertyReport]:
    return PropertyReport.objects.filter(ended_at__isnull=False, account__in=Account.objects.ended())


def _after_the_report(report: PropertyReport) -> list[Period]:
    """Reports and what they say are sanctions records (31 CFR 501.601)."""
    ended_on = legal_day(report.ended_at)
    regime = regime_on(ended_on)
    years, source = regime.whole("sanctions_retention_years"), regime.cite("sanctions_retention_years")
    sentence = f"{report.reference} ended on {ended_on}: {years} years ({source})."
    return [Period("sanctions_retention_years", keep_through(ended_on, years=years), sentence)]


def _report_contents(report: PropertyReport) -> list[models.QuerySet]:
    return [PropertyReport.objects.filter(pk=report.pk)]


add_periods(after_list_decisions)
register(
    RetentionRule(
        code="case",
        title="Cases with their notes, decisions, abuse reports, requests and bundles",
        covers=(
            Case, CaseSubject, CaseSignal, CaseLock, CaseNote, Assignment, Decision, LegalRequest, Bundle, BundleItem,
            BundleReceipt, BundleRedaction, RequestCheck, Challenge, BackupCopy, VoluntaryDisclosure, AbuseReport,
            AbuseEvidence,
            CaseReader, CaseCheck, CaseMerge, Appeal,
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
        code="measure_hits",
        title="Whom special measures hit, how it was judged, and who was taken out of one",
        covers=(MeasureHit, MeasureOverride),
        why="Go with the customer's file, just before it.",
        figures=("retention_years", "sanctions_retention_years"),
        candidates=hits_of_ended,
        periods=lambda hit: periods_of(hit.account),
        guarded=lambda hit: guarded_rows(hit.account),
        contents=lambda hit: [MeasureOverride.objects.filter(hit=hit), MeasureHit.objects.filter(pk=hit.pk)],
        subjects=lambda hit: [],
        roots={MeasureHit: with_owners("account"), MeasureOverride: with_owners("hit__account")},
    ),
    RetentionRule(
        code="special_measures",
        title="Special measures and what was weighed",
        covers=(SpecialMeasure, MeasureFactor),
        why="Kept for some years after their end (own policy), and as long as the file of anybody they hit.",
        figures=("case_retention_years",),
        candidates=ended_measures,
        periods=periods_of_measure,
        guarded=lambda measure: [measure.party] if measure.party_id else [],
        contents=lambda measure: [
            MeasureFactor.objects.filter(measure=measure), SpecialMeasure.objects.filter(pk=measure.pk)
        ],
        before=forget_clocks,
        subjects=lambda measure: [measure.pk],
        roots={SpecialMeasure: ["party"], MeasureFactor: ["measure__party"]},
    ),
    RetentionRule(
        code="property_reports",
        title="Reports on blocked property and rejected transactions",
        covers=(PropertyReport,),
        why="Kept as sanctions records for the regime's years after they were sent or dropped.",
        figures=("sanctions_retention_years",),
        candidates=_ended_reports,
        periods=_after_the_report,
        guarded=lambda report: [report.account, report.account.party],
        contents=_report_contents,
        before=forget_clocks,
        subjects=lambda report: [],
        roots={PropertyReport: ["account", "account__party"]},
    ),
    RetentionRule(
        code="commerce",
        title="Reviews by Commerce, what it asked and recommended, and transactions it looked at",
        covers=(CommerceReview, CommerceAsk, Remedy, FlaggedClass, FlaggedHold),
        why="Kept for good: they show how the programme was judged. They name accounts by reference only.",
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
