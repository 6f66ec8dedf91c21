"""The waiting work on resellers on the first page."""

from kyc_portal.staff.site import Tile
from resellers.models import Attestation, Finding, ResellerCip

CIPS, FINDINGS = "admin:resellers_resellercip_changelist", "admin:resellers_finding_changelist"
ATTESTATIONS = "admin:resellers_attestation_changelist"

TILES = (
    Tile(
        "Resellers' CIPs to review", "Versions that resellers handed in; judge them by requirement.",
        "resellers.review_cip", lambda user, today: ResellerCip.objects.waiting(), CIPS, "waiting=yes",
    ),
    Tile(
        "Findings past their last day", "Resellers that did not cure in time; end the relationship.",
        "resellers.hold_against", lambda user, today: Finding.objects.overdue(today), FINDINGS, "cure=overdue",
        "danger",
    ),
    Tile(
        "Cures to sign", "A colleague proposed that a finding is cured; agree or send it back.",
        "resellers.end_finding", lambda user, today: Finding.objects.awaiting_second(user), FINDINGS, "cure=second",
        "warning",
    ),
    Tile(
        "Attestations past their last day", "Resellers that did not sign in time; they bring no customers until then.",
        "resellers.hold_against", lambda user, today: Attestation.objects.overdue(today), ATTESTATIONS,
        "signature=overdue", "danger",
    ),
)  # fmt: skip
