"""The waiting work on resellers on the first page."""

from kyc_portal.staff.site import Tile
from resellers.models import (
    Attestation,
    AuthorityReport,
    CipRequest,
    Finding,
    ResellerCip,
    RosterHit,
    Sample,
    SampledFile,
    Termination,
)

CIPS, FINDINGS = "admin:resellers_resellercip_changelist", "admin:resellers_finding_changelist"
ATTESTATIONS = "admin:resellers_attestation_changelist"
HITS, SAMPLES = "admin:resellers_rosterhit_changelist", "admin:resellers_sample_changelist"
SAMPLED = "admin:resellers_sampledfile_changelist"
ENDS, REPORTS = "admin:resellers_termination_changelist", "admin:resellers_authorityreport_changelist"
REQUESTS = "admin:resellers_ciprequest_changelist"

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
    Tile(
        "Hits on downstream customers", "Customers of resellers who resemble a list entry; propose a judgement.",
        "accounts.judge_hit", lambda user, today: RosterHit.objects.to_propose(), HITS, "judgement=open", "warning",
    ),
    Tile(
        "Hits on downstream customers to sign", "A colleague proposed a judgement; agree or return it.",
        "accounts.second_hit", lambda user, today: RosterHit.objects.awaiting_second(user), HITS, "judgement=second",
        "warning",
    ),
    Tile(
        "Sampled files to judge", "Files that resellers handed in for a sample; look whether they are in order.",
        "resellers.judge_sample", lambda user, today: SampledFile.objects.to_judge(), SAMPLED, "found=judge",
    ),
    Tile(
        "Samples to conclude", "The last day for the files is past; what is missing counts as failed.",
        "resellers.judge_sample", lambda user, today: Sample.objects.overdue(today), SAMPLES, "todo=overdue",
        "warning",
    ),
    Tile(
        "Ends of relationships to sign", "It was proposed to end the relationship with a reseller; agree or withdraw.",
        "resellers.decide_termination", lambda user, today: Termination.objects.awaiting_second(user), ENDS,
        "look=second", "danger",
    ),
    Tile(
        "Ended resellers' customers that failed", "They could not be handled; choose another outcome or try again.",
        "resellers.propose_termination", lambda user, today: Termination.objects.with_failures(), ENDS, "look=failed",
        "danger",
    ),
    Tile(
        "Relationships not ended in time", "The last good day is past, and the relationship has not ended.",
        "resellers.view_termination", lambda user, today: Termination.objects.overdue(today), ENDS, "look=overdue",
        "danger",
    ),
    Tile(
        "Reports to authorities to make", "What was found at a reseller is to be reported; note when it was.",
        "resellers.report_to_authority", lambda user, today: AuthorityReport.objects.to_make(), REPORTS, "make=yes",
        "warning",
    ),
    Tile(
        "Resellers' CIPs to hand over", "An authority asked for the CIP of a reseller; hand the copy over.",
        "resellers.produce_cip", lambda user, today: CipRequest.objects.unanswered(), REQUESTS, "answer=open",
        "warning",
    ),
)  # fmt: skip
