"""The waiting work of cases on the first page."""

from datetime import date

from django.db.models import QuerySet

from cases.flows.bundle_items import of_days
from cases.models import (
    AbuseReport,
    Appeal,
    Bundle,
    Case,
    CaseReader,
    CommerceReview,
    Decision,
    LegalRequest,
    MeasureHit,
    PropertyReport,
    SpecialMeasure,
    VoluntaryDisclosure,
)
from cases.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.policy.current import regime_on
from kyc_portal.staff.policy_table import rows_for
from kyc_portal.staff.site import Tile

APPEALS = "admin:cases_appeal_changelist"
CASES, REQUESTS, BUNDLES, REPORTS = (
    "admin:cases_case_changelist", "admin:cases_legalrequest_changelist", "admin:cases_bundle_changelist",
    "admin:cases_abusereport_changelist",
)  # fmt: skip
MEASURES, HITS = "admin:cases_specialmeasure_changelist", "admin:cases_measurehit_changelist"
EVENTS = "admin:records_auditevent_changelist"
COMMERCE = "admin:cases_commercereview_changelist"
PROPERTY, VOLUNTARY = "admin:cases_propertyreport_changelist", "admin:cases_voluntarydisclosure_changelist"


def break_ins(today: date) -> QuerySet[CaseReader]:
    """Break-ins into restricted cases of the last days, as many as the figure says; today is one of them."""
    since = add_days(today, 1 - regime_on(today).whole("break_in_shown_days"))
    return of_days(CaseReader.objects.filter(broke_in=True), "named_at", since, None)


TILES = (
    Tile(
        "My cases", "Cases you work now.", "cases.view_case",
        lambda user, today: Case.objects.visible_to(user).assigned_to(user), CASES, "queue=mine",
    ),
    Tile(
        "Cases nobody has", "Take one and look at it.", "cases.review",
        lambda user, today: Case.objects.visible_to(user).unassigned(), CASES, "queue=unassigned", "warning",
    ),
    Tile(
        "Abuse reports waiting", "Nobody knows yet which account they are about.", "cases.resolve_abusereport",
        lambda user, today: rows_for(user, AbuseReport.objects.waiting()), REPORTS, "queue=waiting", "warning",
    ),
    Tile(
        "To countersign", "Decisions a colleague proposed.", "cases.decide",
        lambda user, today: rows_for(user, Decision.objects.proposed()).exclude(proposed_by_key=str(user.pk)), CASES,
        "queue=countersign", "warning",
    ),
    Tile(
        "Appeals to answer", "Customers do not agree with a decision; somebody who took no part answers.",
        "cases.answer_appeal", lambda user, today: rows_for(user, Appeal.objects.to_answer()), APPEALS,
        "queue=to_answer", "warning",
    ),
    Tile(
        "Answers to countersign", "Answers to appeals that a colleague proposed.", "cases.answer_appeal",
        lambda user, today: rows_for(user, Appeal.objects.to_countersign()).exclude(proposed_by_key=str(user.pk)),
        APPEALS, "queue=to_countersign", "warning",
    ),
    Tile(
        "Overdue cases", "Cases past the day they were due (own policy).", "cases.view_case",
        lambda user, today: Case.objects.visible_to(user).overdue(today), CASES, "queue=overdue", "danger",
    ),
    Tile(
        "Requests to act on", "Requests of authorities that wait.", "cases.handle_legal",
        lambda user, today: rows_for(user, LegalRequest.objects.to_act_on()), REQUESTS, "queue=to_act_on", "warning",
    ),
    Tile(
        "Measures to confirm", "Determinations a colleague recorded.", "cases.handle_measure",
        lambda user, today: SpecialMeasure.objects.to_confirm().exclude(recorded_by_key=str(user.pk)), MEASURES,
        "queue=to_confirm", "warning",
    ),
    Tile(
        "Measures to review", "They are over, and what they restricted waits.", "cases.review_measure",
        lambda user, today: SpecialMeasure.objects.to_review(), MEASURES, "queue=to_review", "danger",
    ),
    Tile(
        "Hits of measures to judge", "Accounts that a special measure may mean.", "cases.judge_measurehit",
        lambda user, today: MeasureHit.objects.to_judge(), HITS, "queue=to_judge", "warning",
    ),
    Tile(
        "Judged hits of measures", "A colleague's judgement waits for you.", "cases.judge_measurehit",
        lambda user, today: MeasureHit.objects.to_agree().exclude(proposed_by_key=str(user.pk)), HITS,
        "queue=to_agree", "warning",
    ),
    Tile(
        "Preservations ending", "Ask whether the authority renews, before their last day.", "cases.handle_legal",
        lambda user, today: rows_for(user, LegalRequest.objects.preservation_ending(today)), REQUESTS, "queue=ending",
        "warning",
    ),
    Tile(
        "Challenges open", "What rests on these requests stands still.", "cases.handle_legal",
        lambda user, today: rows_for(user, LegalRequest.objects.challenged()), REQUESTS, "queue=challenged", "info",
    ),
    Tile(
        "Reports on property due", "Blocked property and rejected transactions, within business days.",
        "cases.report_property", lambda user, today: PropertyReport.objects.to_do(), PROPERTY, "queue=to_do", "danger",
    ),
    Tile(
        "Lawful grounds to approve", "A colleague wants to disclose without an order.", "cases.approve_bundle",
        lambda user, today: rows_for(user, VoluntaryDisclosure.objects.to_approve()).exclude(
            proposed_by_key=str(user.pk)
        ),
        VOLUNTARY, "queue=to_approve", "warning",
    ),
    Tile(
        "Commerce waits for answers", "Reviews with questions that nobody has answered.", "cases.answer_commerce",
        lambda user, today: CommerceReview.objects.waiting_for_answers(), COMMERCE,
        "queue=waiting", "warning",
    ),
    Tile(
        "Bundles to approve", "Evidence a colleague collected.", "cases.approve_bundle",
        lambda user, today: rows_for(user, Bundle.objects.to_approve()).exclude(collected_by_key=str(user.pk)), BUNDLES,
        "queue=to_approve", "warning",
    ),
    Tile(
        "Restricted cases broken into", "Lately; read in the trail who let themselves in, and why.",
        "staff.review_breakglass", lambda user, today: break_ins(today), EVENTS,
        f"verb={Verb.BROKE_IN.code}&when=month", "warning",
    ),
)  # fmt: skip
