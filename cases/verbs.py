"""What is done to cases."""

from kyc_portal.records.verbs import AuditVerb


class Verb(AuditVerb):
    """What is done to cases."""

    OPENED = "cases.opened", "opened {case} ({kind})"
    JOINED = "cases.joined", "added {signal} to {case}"
    ASSIGNED = "cases.assigned", "gave {case} to {to}"
    NOTED = "cases.noted", "wrote a note"
    PROPOSED = "cases.proposed", "proposed {decision}: {outcome} ({reason})", "rests_on"
    COUNTERSIGNED = "cases.countersigned", "countersigned {decision}: {outcome} ({reason})"
    DECLINED = "cases.declined", "declined {decision}"
    WITHDRAWN = "cases.withdrawn", "withdrew {decision}"
    CLOSED = "cases.closed", "closed {case} ({why})"
    REOPENED = "cases.reopened", "opened {case} again ({why})"
    REQUEST_LOGGED = "cases.request_logged", "logged {request} ({ground})"
    REQUEST_VALIDATED = "cases.request_validated", "validated {request}"
    PRESERVED = "cases.preserved", "preserved records for {request} through {through} ({hold})"
    PRESERVATION_RENEWED = "cases.preservation_renewed", "renewed the preservation for {request} through {through}"
    PRESERVATION_LAPSED = "cases.preservation_lapsed", "let the preservation for {request} lapse"
    COLLECTED = "cases.bundle_collected", "collected {bundle} ({items} items)"
    APPROVED = "cases.bundle_approved", "approved {bundle}"
    BUILT = "cases.bundle_built", "built {bundle} ({files} files)", "digest"
    HANDED_OVER = "cases.bundle_handed_over", "handed over {bundle}"
    RECEIPTED = "cases.bundle_receipted", "recorded the receipt of {bundle}"
    DOWNLOADED = "cases.bundle_downloaded", "downloaded {bundle}", "digest"
