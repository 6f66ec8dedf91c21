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
    CHECKED = "cases.checked", "ticked a point of {case}'s list: {what}"
    EXCUSED = "cases.excused", "left a point of {case}'s list out: {what} ({why})"
    CHECK_TAKEN_BACK = "cases.check_taken_back", "took back a point of {case}'s list: {what}"
    RESTRICTED = "cases.restricted", "restricted {case} to {to}"
    OPENED_UP = "cases.opened_up", "opened {case} to everybody who sees cases of its kind"
    BROKE_IN = "cases.broke_in", "broke into {case} ({why})", GRAVE
    MERGED = "cases.merged", "let {case} go on in {to}"
    MERGE_UNDONE = "cases.merge_undone", "made {case} a case of its own again, apart from {to}"
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
    CHALLENGED = "cases.challenged", "recorded that {request} is challenged ({why}; {hold})"
    CHALLENGE_ENDED = "cases.challenge_ended", "ended the challenge of {request} ({outcome})"
    BACKUP_ORDERED = (
        "cases.backup_ordered",
        "took in {request} for a backup copy, due on {due_on} ({hold})",
    )
    BACKUP_MOVED = "cases.backup_moved", "recorded of {reference}: {state}", "sha256"
    BACKUP_NOTICED = "cases.backup_noticed", "recorded the notice on {reference}; kept at least until {until}"
    VOLUNTARY_PROPOSED = (
        "cases.voluntary_proposed",
        "chose the ground {reference} ({ground}) to disclose",
    )
    VOLUNTARY_APPROVED = "cases.voluntary_approved", "approved the ground {reference} ({ground})", GRAVE
    VOLUNTARY_DECLINED = "cases.voluntary_declined", "declined the ground {reference} ({ground})"
    VOLUNTARY_WITHDRAWN = "cases.voluntary_withdrawn", "took the ground {reference} ({ground}) back"
    REDACTED = "cases.bundle_redacted", "took something out of {bundle} under {code}", "sha256"
    REDACTION_UNDONE = "cases.bundle_redaction_undone", "let something stand in {bundle} again ({code})"
    PREVIEWED = "cases.bundle_previewed", "looked at {bundle} as its recipient will see it", "digest"
    APPROVAL_ENDED = "cases.bundle_approval_ended", "ended the approval of {bundle}: it is to be approved anew"
    PROPERTY_REPORT_OPENED = "cases.property_report_opened", "opened {report} ({kind}), due on {due_on}"
    PROPERTY_REPORT_DRAFTED = "cases.property_report_drafted", "drafted {report}"
    PROPERTY_REPORT_APPROVED = "cases.property_report_approved", "approved {report}", "digest"
    PROPERTY_REPORT_SENT = "cases.property_report_sent", "sent {report} ({how})", GRAVE
    PROPERTY_REPORT_CONFIRMED = "cases.property_report_confirmed", "recorded the receipt of {report}"
    PROPERTY_REPORT_DROPPED = "cases.property_report_dropped", "dropped {report} ({why})"
    PROPERTY_REPORT_TAKEN = "cases.property_report_taken", "took {report} as {kind}"
    COMMERCE_REVIEW_LOGGED = "cases.commerce_review_logged", "logged {reference} of Commerce ({kind})"
    COMMERCE_ASKED = "cases.commerce_asked", "recorded the question {reference} of Commerce, due on {due_on}"
    COMMERCE_ANSWERED = "cases.commerce_answered", "answered {reference} of Commerce"
    REMEDY_RECOMMENDED = "cases.remedy_recommended", "took in the recommended measure {reference}, due on {due_on}"
    REMEDY_MOVED = "cases.remedy_moved", "recorded of the measure {reference}: {state}"
    COMMERCE_REVIEW_CLOSED = "cases.commerce_review_closed", "closed {reference} of Commerce"
    FLAGGED = "cases.flagged", "held {count} accounts for {reference}, which Commerce looks at"
    FLAG_ENDED = "cases.flag_ended", "ended {reference}: Commerce looks at it no more"
    COLLECTED = "cases.bundle_collected", "collected {bundle} ({items} items)"
    SET_ASIDE = "cases.bundle_set_aside", "set {bundle} aside"
    APPROVED = "cases.bundle_approved", "approved {bundle}", "digest"
    BUILT = "cases.bundle_built", "built {bundle} ({files} files)", "digest"
    BUILD_FAILED = "cases.bundle_build_failed", "could not build {bundle} ({error})"
    BUNDLE_EXPORTED = "cases.bundle_exported", "wrote {bundle} into a folder", "digest", GRAVE
    CUSTODY_TOLD = "cases.bundle_custody_told", "wrote the custody sheet of {bundle}", "digest"
    BUNDLE_DELETED = "cases.bundle_deleted", "deleted the files of {bundle}"
    HANDED_OVER = "cases.bundle_handed_over", "handed over {bundle}", GRAVE
    RECEIPTED = "cases.bundle_receipted", "recorded the receipt of {bundle}"
    MEASURE_RECORDED = "cases.measure_recorded", "recorded {measure} ({kind}), determined on {day}", GRAVE
    MEASURE_CONFIRMED = "cases.measure_confirmed", "confirmed {measure}", GRAVE
    MEASURE_COMPUTED = "cases.measure_computed", "looked for whom {measure} hits: {hits}", "new", "changed", "gone"
    MEASURE_LOOKED = "cases.measure_looked", "looked at {hits} accounts for {measure}", "new", "changed", "gone"
    MEASURE_IN_EFFECT = "cases.measure_in_effect", "brought {measure} into effect", "hits", GRAVE
    MEASURE_EXTENDED = "cases.measure_extended", "extended {measure} through {through}", GRAVE
    MEASURE_OVER = "cases.measure_over", "ended {measure} ({why})"
    MEASURE_REVIEWED = "cases.measure_reviewed", "reviewed what {measure} restricted ({count})", GRAVE
    MEASURE_CLOSED = "cases.measure_closed", "closed {measure}: it restricts nobody any more"
    MEASURE_WEIGHED = "cases.measure_weighed", "noted what was weighed for {measure} ({code})"
    HIT_PROPOSED = "cases.measure_hit_proposed", "proposed for {hit} of {measure}: {judgement} ({why})"
    HIT_JUDGED = "cases.measure_hit_judged", "judged {hit} of {measure}: {judgement} ({why})"
    HIT_RETURNED = "cases.measure_hit_returned", "sent the judgement of {hit} back"
    OVERRIDE_PROPOSED = "cases.override_proposed", "proposed {override} of {measure} ({ground}) through {through}"
    OVERRIDE_AGREED = "cases.override_agreed", "agreed to {override} of {measure} ({ground}) through {through}", GRAVE
    OVERRIDE_DECLINED = "cases.override_declined", "declined {override} of {measure}"
    OVERRIDE_ENDED = "cases.override_ended", "ended {override} of {measure}"
    DOWNLOADED = "cases.bundle_downloaded", "downloaded {bundle}", "digest", GRAVE
