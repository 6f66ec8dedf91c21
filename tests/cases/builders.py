"""Builders of cases and what belongs to them; each calls flows, so that what it makes is real."""

from datetime import date

from accounts.flows.signals import raise_signal
from accounts.models import Account, RiskSignal
from accounts.rules.detectors import BY_CODE, Flag
from cases.flows import bundle_preview, bundles, checklist, legal_requests, property_reports, review
from cases.models import Bundle, Case, LegalRequest, PropertyReport
from cases.rules.checklist import items_for
from cases.rules.disclosure import hands_over
from cases.rules.request_checks import points_of
from cases.rules.stages import LegalRequestState
from kyc_portal.records.refs import SCHEDULER
from tests.builders import make_account
from tests.conftest import NOON


def make_open_account(**changes) -> Account:
    """An account in use; how it came there is tested with accounts."""
    account = make_account(**changes)
    Account.objects.filter(pk=account.pk).update(status="active", opened_at=NOON)
    account.refresh_from_db()
    return account


def make_signal(account: Account | None = None, code: str = "country_conflict", *, at=NOON) -> RiskSignal:
    """A red flag, and with it the case the flag opens."""
    account = account or make_open_account()
    return raise_signal(account, Flag(code, f"{BY_CODE[code].title}.", {"count": 1}), by=SCHEDULER, at=at)


def make_case(account: Account | None = None, code: str = "country_conflict", *, worked_by=None, at=NOON) -> Case:
    """A case from a red flag; `worked_by` is the member of staff who has taken it."""
    case = make_signal(account, code, at=at).in_case.case
    return review.take(case, user=worked_by, at=at) if worked_by else case


def finish_list(case: Case, *, by, at=NOON) -> None:
    """Tick every point of a case's list, as whoever works it."""
    for item in items_for(case.kind):
        checklist.answer(case, item=item.code, by=by, at=at)


def make_request(*accounts: Account, ground="preservation", received_on=date(2026, 3, 1), by, at=NOON) -> LegalRequest:
    return legal_requests.log_request(
        accounts=accounts or [make_open_account()], authority="Example Police", authority_reference="EP-1",
        ground=ground, received_on=received_on, by=by, at=at,
    )  # fmt: skip


def validated(request: LegalRequest, *, by, at=NOON) -> LegalRequest:
    """A request whose whole checklist somebody has confirmed."""
    return legal_requests.validate(request, checked=points_of(request.ground), by=by, at=at)


def put_on_file(case: Case, *, ground: str, state=LegalRequestState.PROCESS_SERVED, at=NOON) -> LegalRequest:
    """A request in this very case; the flow would open a legal case of its own, which has no flags and decisions."""
    return LegalRequest.objects.create(
        case=case, authority="Example Court", ground=ground, state=state.value, received_on=at.date(), logged_at=at,
        logged_by="carl",
    )  # fmt: skip


def make_bundle(
    case: Case, *, ground="regulator_request", recipient="regulator", by, approved_by=None, at=NOON
) -> Bundle:
    if hands_over(ground) and not LegalRequest.objects.in_order().filter(case=case, ground=ground).exists():
        put_on_file(case, ground=ground, at=at)
    bundle = bundles.collect(case, ground=ground, recipient=recipient, by=by, at=at)
    return approve_seen(bundle, by=approved_by, at=at) if approved_by else bundle


def approve_seen(bundle: Bundle, *, by, at=NOON) -> Bundle:
    """Approve a bundle as a person does: after a look at its preview."""
    seen = bundle_preview.look(bundle, by=by, at=at)
    return bundles.approve(bundle, shown=seen.digest, by=by, at=at)


def approve_report(report: PropertyReport, *, by, at=NOON) -> PropertyReport:
    """Approve a report on property as it stands now."""
    report = PropertyReport.objects.get(pk=report.pk)
    return property_reports.approve(report, shown=property_reports.digest_of(report), by=by, at=at)
