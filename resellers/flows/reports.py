"""Report what was found at a reseller to an authority, beside everything else that is done (R60; proposed 7.303).

Nothing waits for it and it waits for nothing. No text gives a number of days: our own policy sets one.
"""

from datetime import datetime

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.flows import file
from resellers.models import AuthorityReport, Finding, Reseller, Termination
from resellers.rules.ending import Channel, ReportState
from resellers.verbs import Verb

REPORT_BY = "report to an authority"
LONGEST = 4000


class ReportOver(Refusal):
    """The report was made, or is not needed."""


@flow
def open_report(
    reseller: Reseller, *, authority: str, about: str, finding: Finding | None = None,
    termination: Termination | None = None, by: Actor, at: datetime,
) -> AuthorityReport:  # fmt: skip
    """Note that an authority is to be told; its clock counts from the day the finding was known, else from today.

    Raises BadField.
    """
    reseller, told = file.locked(reseller), Texts()
    for one in filter(None, (finding, termination)):
        if one.reseller_id != reseller.pk:
            raise BadField(f"{one.reference} speaks of another reseller. Open the report on that one's page.")
    report = AuthorityReport(
        reseller=reseller, finding=finding, termination=termination, opened_at=at, opened_by=by.label,
        authority=texts.required("Authority", told.line("Authority", authority, 200)),
    )  # fmt: skip
    report.about = texts.required("What is reported", told.lines("What is reported", about, LONGEST))
    day = legal_day(finding.knowledge_at if finding else at)
    clock = start_clock(
        REPORT_BY, report, figure="authority_report_days", regime=regime_on(legal_day(at)), on=day, by=by, at=at
    )
    report.due_on, report.citation = clock.due_on, clock.citation
    report.save(force_insert=True)
    _tell(Verb.REPORT_OPENED, report, by, at, due_on=report.due_on)
    told.record_masked(report, by=by, at=at)
    return report


@flow
def note_sent(
    report: AuthorityReport, *, channel: str, report_id: str = "", by: Actor, at: datetime
) -> AuthorityReport:
    """It was made; the clock stops. `report_id` is the authority's own number. Raises BadField, ReportOver."""
    report, told = _open(report), Texts()
    report.channel = texts.chosen("Channel", channel, Channel)
    report.report_id = told.line("Number of the report", report_id, 100)
    report.state, report.sent_at, report.sent_by = ReportState.SENT.value, at, by.label
    report.save(update_fields=["channel", "report_id", "state", "sent_at", "sent_by"])
    return _over(Verb.REPORT_SENT, report, told, by, at)


@flow
def drop(report: AuthorityReport, *, why: str, by: Actor, at: datetime) -> AuthorityReport:
    """No report is needed after all; the reason stays on file. Raises BadField, ReportOver."""
    report, told = _open(report), Texts()
    report.why_dropped = texts.required("Why", told.line("Why", why, 500))
    report.state = ReportState.DROPPED.value
    report.save(update_fields=["why_dropped", "state"])
    return _over(Verb.REPORT_DROPPED, report, told, by, at)


def _over(verb: Verb, report: AuthorityReport, told: Texts, by: Actor, at: datetime) -> AuthorityReport:
    stop_clock(REPORT_BY, report, by=by, at=at)
    _tell(verb, report, by, at)
    told.record_masked(report, by=by, at=at)
    return report


def _tell(verb: Verb, report: AuthorityReport, by: Actor, at: datetime, **facts) -> None:
    reseller = report.reseller.reference
    audit.record(verb, report, by=by, at=at, within=report.reseller, reseller=reseller, **facts)


def _open(report: AuthorityReport) -> AuthorityReport:
    rows = AuthorityReport.objects.select_for_update(of=("self",)).select_related("reseller__account")
    report = rows.get(pk=report.pk)
    if report.state != ReportState.OPEN:
        raise ReportOver(f"{report.reference} is {report.get_state_display()} already. Nothing needs to be done.")
    return report
