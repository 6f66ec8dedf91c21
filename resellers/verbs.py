"""What is done to resellers and their customers."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to resellers and their customers."""

    ADDED = "resellers.added", "added the reseller {reseller}"
    MANAGER_BOUND = "resellers.manager_bound", "bound the manager {manager} to {reseller}"
    BINDING_ENDED = "resellers.binding_ended", "ended the binding of {manager} to {reseller}"
    RESELLER_CHANGED = "resellers.reseller_changed", "wrote down that {account} is now sold through {reseller}", "old"
    CIP_SUBMITTED = "resellers.cip.submitted", "handed in version {number} of the reseller's CIP ({source})", "sha256"
    CIP_REVIEW_BEGUN = "resellers.cip.review_begun", "began to review the reseller's CIP"
    CIP_JUDGED = "resellers.cip.judged", "judged the requirement {code} of the reseller's CIP: {result}"
    CIP_RETURNED = "resellers.cip.returned", "returned the reseller's CIP with gaps ({missing})"
    CIP_PROPOSED = "resellers.cip.proposed", "proposed to {decision} the reseller's CIP"
    CIP_SENT_BACK = "resellers.cip.sent_back", "sent the proposal on the reseller's CIP back"
    CIP_APPROVED = "resellers.cip.approved", "approved version {number} of the reseller's CIP", "sha256"
    CIP_REJECTED = "resellers.cip.rejected", "rejected version {number} of the reseller's CIP", "sha256"
    CONTRACT_RECORDED = "resellers.contract_recorded", "recorded a contract with {reseller}"
    CONTRACT_ENDED = "resellers.contract_ended", "noted {to_on} as the last day of a contract with {reseller}"
    CONTACT_ADDED = "resellers.contact_added", "added a contact at the reseller ({kind})"
    FOUND = "resellers.finding.recorded", "recorded a finding against {reseller} ({kind}), to be cured by {due_on}"
    CURE_PLANNED = "resellers.finding.planned", "handed in the plan of a cure of {reseller}"
    CURE_PROPOSED = "resellers.finding.cure_proposed", "proposed that a finding against {reseller} is cured"
    CURE_ACCEPTED = "resellers.finding.cured", "accepted the cure of a finding against {reseller}"
    CURE_SENT_BACK = "resellers.finding.sent_back", "sent back that a finding against {reseller} is cured"
    FINDING_WITHDRAWN = "resellers.finding.withdrawn", "withdrew a finding against {reseller}"
    MESSAGE_SENT = "resellers.message.sent", "wrote a message to the managers of {reseller}"
    MESSAGE_READ = "resellers.message.read", "marked a message to {reseller} as read"
    FINDING_ENDED = "resellers.finding.ended", "ended a finding against {reseller} with the relationship"
    TERMINATION_PROPOSED = (
        "resellers.termination.proposed", "proposed to end the relationship with {reseller} ({reason})", "count",
    )  # fmt: skip
    TERMINATION_AGREED = (
        "resellers.termination.agreed",
        "agreed to end the relationship with {reseller}",
        "count",
        GRAVE,
    )
    TERMINATION_WITHDRAWN = "resellers.termination.withdrawn", "withdrew the proposal to end it with {reseller}"
    TERMINATION_CHOSEN = (
        "resellers.termination.chosen", "chose what becomes of {count} customers of {reseller}: {outcome}", "to",
    )  # fmt: skip
    TERMINATION_RETRIED = "resellers.termination.retried", "had {count} customers of {reseller} tried again"
    TERMINATION_DONE = "resellers.termination.done", "ended the relationship with {reseller}", "count"
    STEP_DONE = (
        "resellers.termination.step_done", "ended that {account} is sold through {reseller}: {result}", "outcome",
    )  # fmt: skip
    STEP_FAILED = (
        "resellers.termination.step_failed", "could not end that {account} is sold through {reseller}: {reason}",
    )  # fmt: skip
    TAKEN_OVER = "resellers.taken_over", "wrote down that {account} is no longer sold through {reseller}"
    REPORT_OPENED = "resellers.report.opened", "noted a report to an authority on {reseller}, due on {due_on}"
    REPORT_SENT = "resellers.report.sent", "made a report to an authority on {reseller}", GRAVE
    REPORT_DROPPED = "resellers.report.dropped", "noted that no report on {reseller} is needed"
    CIP_ASKED = "resellers.cip_request.asked", "noted that the CIP of {reseller} is asked for, due on {due_on}"
    CIP_PRODUCED = "resellers.cip_request.produced", "produced the CIP of {reseller}", "files", "digest"
    CIP_HANDED_OVER = "resellers.cip_request.sent", "handed the CIP of {reseller} over", GRAVE
    CIP_DOWNLOADED = "resellers.cip_request.downloaded", "downloaded the CIP of {reseller}", "digest", GRAVE
    CIP_DELETED = "resellers.cip_request.deleted", "deleted the files of {request}"
    ROSTER_ENDED = "resellers.roster.ended", "ended {count} entries of the roster of {reseller}"
    ROSTER_ACCEPTED = "resellers.roster.accepted", "took in a roster of {reseller}"
    CUSTOMER_ADDED = "resellers.customer_added", "wrote down that {account} was brought by {reseller}"
