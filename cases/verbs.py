"""What is done to cases."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to cases."""

    OPENED = "cases.opened", "opened {case} ({kind})"
    JOINED = "cases.joined", "added {signal} to {case}"
    REPORT_TAKEN = "cases.report_taken", "took in {report} ({kind}) by {how}", "sha256", "items", "failed"
    REPORT_JOINED = "cases.report_joined", "added {report} to {case}"
    REPORT_RESOLVED = "cases.report_resolved", "found that {report} is about {account} ({how})"
    REPORT_ATTACHED = "cases.report_attached", "attached {report} to {account} ({why})"
    REPORT_SETTLED = "cases.report_settled", "settled {report} without an account ({why})"
    REPORT_DOWNLOADED = "cases.report_downloaded", "downloaded {report} as it was sent", "sha256", GRAVE
    SUBJECT_NAMED = "cases.subject_named", "named {account} as a subject of {case}"
    ASSIGNED = "cases.assigned", "gave {case} to {to}"
    TAKEN_OVER = "cases.taken_over", "took {case} over from {old} ({why})", "forced"
    GIVEN_BACK = "cases.given_back", "put {case} back into the queue, {old} being away"
    ESCALATED = "cases.escalated", "passed {case} on from the desk {old} to {new} ({why})"
    SNOOZED = "cases.snoozed", "let {case} sleep until {until} ({why})"
    WOKEN = "cases.woken", "woke {case}"
    DUE_MOVED = "cases.due_moved", "counted the hours of {case} anew: due on {due_on}"
    WEIGHED = "cases.weighed", "weighed the case anew: {score}"
    AWAY = "cases.away", "entered an absence from {from_on} through {to_on}", "to"
    BACK = "cases.back", "ended the absence from {from_on} through {to_on}"
    VIEW_SAVED = "cases.view_saved", "kept a view of the queue"
    VIEW_SHARED = "cases.view_shared", "shared a view of the queue with {to}"
    VIEW_DELETED = "cases.view_deleted", "let a view of the queue go"
    NOTED = "cases.noted", "wrote a note"
    PROPOSED = "cases.proposed", "proposed {decision}: {outcome} ({reason})", "rests_on", "digest"
    COUNTERSIGNED = "cases.countersigned", "countersigned {decision}: {outcome} ({reason})", GRAVE
    IN_EFFECT = (
        "cases.in_effect",
        "put {decision} into effect: {outcome} ({reason}), by one signature",
        "rests_on",
        "digest",
        GRAVE,
    )
    SIGNED = (
        "cases.signed", "signed {decision}: {outcome} ({reason}), by one signature", "rests_on", "digest", GRAVE,
    )  # fmt: skip
    TOOK_EFFECT = "cases.took_effect", "brought {decision} into effect: {outcome} ({reason})", GRAVE
    UNDONE = "cases.undone", "undid {decision} before it took effect", GRAVE
    NOT_DONE = "cases.not_done", "could not bring {decision} into effect ({error})"
    DECLINED = "cases.declined", "declined {decision}"
    WITHDRAWN = "cases.withdrawn", "withdrew {decision}"
    APPEALED = "cases.appealed", "took in {appeal} against {decision}, to be answered by {due_on}", "why"
    APPEAL_ASSIGNED = "cases.appeal_assigned", "gave {appeal} to {to}"
    APPEAL_PROPOSED = "cases.appeal_proposed", "proposed an answer to {appeal}: {outcome} ({reason})"
    APPEAL_SENT_BACK = "cases.appeal_sent_back", "sent the proposed answer to {appeal} back: {outcome} ({reason})"
    APPEAL_ANSWERED = "cases.appeal_answered", "answered {appeal}: {outcome} ({reason})", GRAVE
    DECIDED_ON_APPEAL = (
        "cases.decided_on_appeal", "put {decision} into effect on {appeal}: {outcome} ({reason})", "digest", GRAVE,
    )  # fmt: skip
    CLOSED = "cases.closed", "closed {case} ({why})"
    REOPENED = "cases.reopened", "opened {case} again ({why})"
    REQUEST_LOGGED = "cases.request_logged", "logged {request} ({ground})"
    REQUEST_VALIDATED = "cases.request_validated", "validated {request}"
    REQUEST_REJECTED = "cases.request_rejected", "rejected {request} ({why})"
    PRESERVED = "cases.preserved", "preserved records for {request} through {through} ({hold})"
    PRESERVATION_RENEWED = "cases.preservation_renewed", "renewed the preservation for {request} through {through}"
    PRESERVATION_LAPSED = "cases.preservation_lapsed", "let the preservation for {request} lapse"
    PROCESS_SERVED = "cases.process_served", "recorded that process was served on {request} ({ground})"
    COLLECTED = "cases.bundle_collected", "collected {bundle} ({items} items)"
    SET_ASIDE = "cases.bundle_set_aside", "set {bundle} aside"
    APPROVED = "cases.bundle_approved", "approved {bundle}"
    BUILT = "cases.bundle_built", "built {bundle} ({files} files)", "digest"
    BUILD_FAILED = "cases.bundle_build_failed", "could not build {bundle} ({error})"
    BUNDLE_EXPORTED = "cases.bundle_exported", "wrote {bundle} into a folder", "digest", GRAVE
    BUNDLE_DELETED = "cases.bundle_deleted", "deleted the files of {bundle}"
    HANDED_OVER = "cases.bundle_handed_over", "handed over {bundle}", GRAVE
    RECEIPTED = "cases.bundle_receipted", "recorded the receipt of {bundle}"
    DOWNLOADED = "cases.bundle_downloaded", "downloaded {bundle}", "digest", GRAVE
