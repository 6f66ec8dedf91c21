"""The waiting work of cases on the first page."""

from cases.models import AbuseReport, Appeal, Bundle, Case, Decision, LegalRequest
from kyc_portal.staff.site import Tile

APPEALS = "admin:cases_appeal_changelist"
CASES, REQUESTS, BUNDLES, REPORTS = (
    "admin:cases_case_changelist", "admin:cases_legalrequest_changelist", "admin:cases_bundle_changelist",
    "admin:cases_abusereport_changelist",
)  # fmt: skip

TILES = (
    Tile(
        "My cases", "Cases you work now.", "cases.view_case",
        lambda user, today: Case.objects.assigned_to(user), CASES, "queue=mine",
    ),
    Tile(
        "Cases nobody has", "Take one and look at it.", "cases.review",
        lambda user, today: Case.objects.visible_to(user).unassigned(), CASES, "queue=unassigned", "warning",
    ),
    Tile(
        "Abuse reports waiting", "Nobody knows yet which account they are about.", "cases.resolve_abusereport",
        lambda user, today: AbuseReport.objects.waiting(), REPORTS, "queue=waiting", "warning",
    ),
    Tile(
        "To countersign", "Decisions a colleague proposed.", "cases.decide",
        lambda user, today: Decision.objects.proposed().exclude(proposed_by_key=str(user.pk)), CASES,
        "queue=countersign", "warning",
    ),
    Tile(
        "Appeals to answer", "Customers do not agree with a decision; somebody who took no part answers.",
        "cases.answer_appeal", lambda user, today: Appeal.objects.to_answer(), APPEALS, "queue=to_answer", "warning",
    ),
    Tile(
        "Answers to countersign", "Answers to appeals that a colleague proposed.", "cases.answer_appeal",
        lambda user, today: Appeal.objects.to_countersign().exclude(proposed_by_key=str(user.pk)), APPEALS,
        "queue=to_countersign", "warning",
    ),
    Tile(
        "Overdue cases", "Cases past the day they were due (own policy).", "cases.view_case",
        lambda user, today: Case.objects.visible_to(user).overdue(today), CASES, "queue=overdue", "danger",
    ),
    Tile(
        "Requests to act on", "Requests of authorities that wait.", "cases.handle_legal",
        lambda user, today: LegalRequest.objects.to_act_on(), REQUESTS, "queue=to_act_on", "warning",
    ),
    Tile(
        "Bundles to approve", "Evidence a colleague collected.", "cases.approve_bundle",
        lambda user, today: Bundle.objects.to_approve().exclude(collected_by_key=str(user.pk)), BUNDLES,
        "queue=to_approve", "warning",
    ),
)  # fmt: skip
