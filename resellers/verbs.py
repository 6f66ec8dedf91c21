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
    CERTIFIED = (
        "resellers.certification.signed", "signed a certification of {count} customers of {reseller} ({basis})",
        "version",
    )  # fmt: skip
    CUSTOMERS_CERTIFIED = (
        "resellers.certification.gone_through", "certified {count} of {rows} customers of {reseller}", "digest",
    )  # fmt: skip
    CERTIFICATION_WITHDRAWN = (
        "resellers.certification.withdrawn",
        "withdrew the certification of {count} customers of {reseller}",
    )
    CERTIFICATION_BROKEN = (
        "resellers.certification.broken",
        "{changed} certifications of {reseller} ended with what they spoke of",
    )
    CERTIFICATION_LAPSED = "resellers.certification.lapsed", "{count} certifications of {reseller} lapsed"
    ATTESTATION_OPENED = "resellers.attestation.opened", "opened the yearly attestation of {reseller}, due on {due_on}"
    ATTESTED = "resellers.attestation.signed", "signed the yearly attestation of {reseller}", "version", "digest"
    ROSTER_RECEIVED = "resellers.roster.received", "received a roster of {reseller}", "sha256"
    ROSTER_BEGUN = "resellers.roster.begun", "began to {what} a roster of {reseller}"
    ROSTER_READ = (
        "resellers.roster.read", "read a roster of {reseller}: {read} rows, {refused} of them bad",
        "new", "changed", "same", "gone",
    )  # fmt: skip
    ROSTER_REFUSED = "resellers.roster.refused", "refused a roster of {reseller} as a whole"
    ROSTER_AGREED = "resellers.roster.agreed", "accepted a roster of {reseller}, {refused} bad rows left out", "sha256"
    ROSTER_STOPPED = "resellers.roster.stopped", "stopped taking in a roster of {reseller} ({reason})"
    ROSTER_ACCEPTED = (
        "resellers.roster.accepted", "took in a roster of {reseller}", "new", "changed", "same", "gone", "sha256",
    )  # fmt: skip
    ROSTER_DISCARDED = "resellers.roster.discarded", "discarded a roster of {reseller}"
    SAMPLE_DRAWN = "resellers.sample.drawn", "drew {count} of {rows} customers of {reseller}", "digest", "due_on"
    SAMPLE_REPEATED = "resellers.sample.repeated", "repeated a draw: {result}"
    SAMPLE_HANDED_IN = "resellers.sample.handed_in", "handed in the file asked for as {file}", "sha256", "warnings"
    SAMPLE_JUDGED = "resellers.sample.judged", "judged the file {file}: {result}", "why"
    SAMPLE_TAKEN = "resellers.sample.downloaded", "downloaded the file {file}", "sha256"
    SAMPLE_CONCLUDED = "resellers.sample.concluded", "concluded a sample of {reseller}: {failed} of {count} failed"
    SAMPLE_DROPPED = "resellers.sample.dropped", "dropped a sample of {reseller} with the end of the relationship"
    SAMPLE_HELD = "resellers.sample.finding_made", "made a finding against {reseller} of {what}"
    ROSTER_SCREENED = "resellers.roster.screened", "compared {count} customers of {reseller} with {list}", "hits"
    ROSTER_TO_SCREEN = "resellers.roster.to_screen", "has a roster of {reseller} compared with {list}"
    ROSTER_HIT_FOUND = (
        "resellers.hit.found",
        "found {hit} on a customer of {reseller} against {list}",
        "score",
        "strong",
    )
    ROSTER_HIT_CARRIED = "resellers.hit.carried", "carried the judgement of {earlier} on to {hit} ({state})"
    ROSTER_HIT_REPLACED = "resellers.hit.replaced", "replaced {earlier} by {hit}"
    ROSTER_HIT_GONE = "resellers.hit.gone", "set {hit} aside: customer or entry no longer says so"
    ROSTER_HIT_PROPOSED = "resellers.hit.proposed", "proposed to {judgement} {hit}"
    ROSTER_HIT_RETURNED = "resellers.hit.returned", "returned the proposal to {judgement} {hit}"
    ROSTER_HIT_CONFIRMED = "resellers.hit.confirmed", "confirmed {hit} on a customer of {reseller}"
    ROSTER_HIT_DISMISSED = "resellers.hit.dismissed", "dismissed {hit}"
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
    TERMINATION_BEGUN = "resellers.termination.begun", "began to handle the customers of {reseller}"
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
    CUSTOMER_ADDED = "resellers.customer_added", "wrote down that {account} was brought by {reseller}"
