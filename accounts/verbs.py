"""What is done to customers and their accounts."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to customers and their accounts."""

    PARTY_ADDED = "accounts.party_added", "put the party {party} on file ({kind})"
    CARD_MASKED = "accounts.card_masked", "masked a card number that was typed into: {fields}"
    CUSTOMERS_IMPORTED = (
        "accounts.customers_imported", "took in {file}: {new} new, {known} known, {refused} refused", "sha256",
    )  # fmt: skip
    PROSPECT_OPENED = "accounts.prospect_opened", "took in the prospect ({source})", "row"
    DATA_REQUESTED = "accounts.data_requested", "asked for what is missing ({missing})"
    REFUSED = "accounts.refused", "did not open the account ({reason})"
    STATUS_SETTLED = "accounts.status_settled", "settled the status of {party}: {status} ({basis})", "shown"
    DETAILS_CORRECTED = "accounts.details_corrected", "corrected details of {party}: {fields}"
    NAME_ADDED = "accounts.name_added", "added a further name ({kind}) of {party}"
    ADDRESS_ADDED = "accounts.address_added", "added an address ({kind}, {country}) of {party}"
    CONTACT_ADDED = "accounts.contact_added", "added a way to reach {party} ({kind})"
    DOCUMENT_ADDED = "accounts.document_added", "added the document {document} ({kind})", "sha256", "warnings", "failed"
    DOCUMENT_VIEWED = "accounts.document_viewed", "looked at the document {document}"
    DOCUMENT_DOWNLOADED = "accounts.document_downloaded", "downloaded the original of {document}", "sha256", GRAVE
    ZONE_ASKED = "accounts.zone_asked", "had the zone of {document} read off its picture"
    ZONE_PAGE = "accounts.zone_page", "began to look for the zone on page {number} of {document}"
    ZONE_READ = "accounts.zone_read", "read the zone off the picture of {document}: {outcome}"
    ZONE_CONFIRMED = "accounts.zone_confirmed", "confirmed the zone read off {document}", "failed"
    ZONE_SET_ASIDE = "accounts.zone_set_aside", "set aside the zone read off {document}"
    PAYMENT_ADDED = "accounts.payment_added", "added a means of payment ({kind})"
    TRANSACTIONS_ADDED = "accounts.transactions_added", "added {count} transactions to a means of payment ({kind})"
    PAYMENT_ENDED = "accounts.payment_ended", "noted that a means of payment is no longer used ({kind})"
    OWNER_ADDED = "accounts.owner_added", "added {owner} as owner or controller ({percent} %)", "has_control"
    OWNER_ENDED = "accounts.owner_ended", "ended the stake of {owner} on {to_on}"
    OWNERSHIP_IMPORTED = (
        "accounts.ownership_imported", "took in a file of owners: {new} new, {known} known, {changed} ended", "sha256",
        "read",
    )  # fmt: skip
    OWNERS_CERTIFIED = "accounts.owners_certified", "recorded the signed certification of owners (text {version})"
    CERTIFICATION_BROKEN = "accounts.certification_broken", "set aside the certification of owners ({reason})"
    VERIFICATION_STARTED = (
        "accounts.verification_started",
        "started verification {verification} of {party} ({trigger})",
        "cip",
    )
    CHECKS_RUN = "accounts.checks_run", "ran the checks of {verification}: {count} new answers, {failed} to look at"
    METHOD_RECORDED = "accounts.method_recorded", "recorded {method} in {verification}: {result}", "matched"
    CHECK_ASKED = "accounts.check_asked", "asked the outside verifier for {verification} ({check})", "fields"
    CHECK_HANDED_OVER = "accounts.check_handed_over", "handed {check} over to the outside verifier", "verification"
    CHECK_NOT_HANDED_OVER = (
        "accounts.check_not_handed_over", "could not hand {check} over to the outside verifier ({error})",
        "verification",
    )  # fmt: skip
    CHECK_UNANSWERED = "accounts.check_unanswered", "ended {check}, which was not answered", "verification"
    ANSWER_RECEIVED = "accounts.answer_received", "answered {check}", "verification", "sha256"
    ANSWER_READ = "accounts.answer_read", "read the answer to {check}: {state}", "verification", "result"
    DISCREPANCY_FOUND = "accounts.discrepancy_found", "found that the {field} disagrees ({verification})"
    DISCREPANCY_SETTLED = "accounts.discrepancy_settled", "settled the discrepancy on the {field} ({verification})"
    ESCALATED = "accounts.verification_escalated", "escalated {verification}: signatories are asked for"
    CONCLUDED = "accounts.verification_concluded", "concluded {verification}: {conclusion}"
    WATCHLIST_LOADED = (
        "accounts.watchlist_loaded",
        "loaded {list} ({entries} entries, {aliases} aliases)",
        "sha256",
        "forced",
    )
    SCREENED = "accounts.screened", "screened {party} against {list}: {hits} hits"
    WATCHLIST_RESTORED = "accounts.watchlist_restored", "made an older version of {list} current again", "sha256"
    LIST_CHANGE_LOOKED_AT = (
        "accounts.list_change_looked_at",
        "found whom the new version of {list} may touch: {entries} entries are new, changed or gone, {count} parties "
        "are screened again",
    )
    HIT_FOUND = "accounts.hit_found", "found {hit} on {list}", "score", "strong"
    HIT_CARRIED = "accounts.hit_carried", "carried {earlier} on to a newer version of the list as {hit}: {state}"
    HIT_REPLACED = "accounts.hit_replaced", "replaced {earlier} by {hit}"
    HIT_GONE = "accounts.hit_gone", "closed {hit} unjudged: it no longer resembles an entry of {list}"
    HIT_PROPOSED = "accounts.hit_proposed", "proposed to {judgement} {hit}"
    HIT_CONFIRMED = "accounts.hit_confirmed", "confirmed {hit}, a match on {list}"
    HIT_DISMISSED = "accounts.hit_dismissed", "dismissed {hit}"
    HIT_RETURNED = "accounts.hit_returned", "did not agree to {judgement} {hit}"
    ACTIVATED = "accounts.activated", "opened the account"
    LOG_IMPORTED = (
        "accounts.log_imported", "took in {batch}: {new} new of {read} records", "known", "waiting", "refused",
        "sha256",
    )  # fmt: skip
    ACCOUNT_NAMED = "accounts.account_named", "said that {row} is {account}: {count} accesses waited"
    NAMING_ENDED = "accounts.naming_ended", "ended that {row} is {account} ({reason}): later accesses wait again"
    ACCESSES_MOVED = "accounts.accesses_moved", "moved {count} accesses of {row} to {account}, {new} of them new"
    REFUSED_LINES_GONE = "accounts.refused_lines_gone", "let go {count} refused lines whose days are over", "through"
    DAYS_RECOUNTED = "accounts.days_recounted", "made the days of access of {count} accounts anew"
    RANGES_LOADED = "accounts.ranges_loaded", "loaded {kind} ranges ({count})", "sha256", "as_of"
    ADDRESSES_JUDGED = "accounts.addresses_judged", "judged {count} addresses by a new edition of the lists", "digest"
    VERDICTS_FORGOTTEN = "accounts.verdicts_forgotten", "let {count} verdicts go whose addresses nothing names"
    ALLOCATIONS_IMPORTED = (
        "accounts.allocations_imported",
        "took in which account held which addresses: {new} new, {changed} ended, {known} known",
        "sha256",
    )
    SIGNAL_RAISED = "accounts.signal_raised", "raised {signal}: {code}"
    SIGNAL_RENEWED = "accounts.signal_renewed", "noted new evidence for {signal}: {code}"
    SIGNAL_ANSWERED = "accounts.signal_answered", "answered {signal}: {answer}"
    RISK_RATED = "accounts.risk_rated", "rated the risk {tier} (score {score}), next review {next_review}"
    TIER_SET = "accounts.tier_set", "set the risk tier {tier} by hand ({row})", "last_day"
    TIER_ENDED = "accounts.tier_ended", "ended the tier {tier} set by hand ({row})"
    LIMITED = "accounts.limited", "limited the account ({reason}, basis {basis})", "until", "restriction"
    SUSPENDED = "accounts.suspended", "suspended the account ({reason}, basis {basis})", "until", "restriction"
    BLOCKED = "accounts.blocked", "blocked the account ({reason}, basis {basis})", "restriction"
    LIFTED = "accounts.restriction_lifted", "lifted {restriction}"
    REVIEW_ASKED = "accounts.review_asked", "asked for proof again ({trigger}), answer by {answer_by}"
    REVIEW_REMINDED = "accounts.review_reminded", "gave a last day to answer: {last_day}"
    REVIEW_ANSWERED = "accounts.review_answered", "took the answer to the review as given"
    CLOSED = "accounts.closed", "closed the account ({reason})"
    REOPENED = "accounts.reopened", "opened the account again"
    LINK_ISSUED = "accounts.link_issued", "sent the customer the link {link}", "until"
    LINK_OPENED = "accounts.link_opened", "opened {link} and was shown the privacy notice {version}"
    LINK_LEFT = "accounts.link_left", "left the page opened by {link}"
    LINK_ENDED = "accounts.link_ended", "ended {link} ({why})"
    CUSTOMER_GAVE = "accounts.customer_gave", "handed in {what} ({link})"
    HANDED_IN = "accounts.handed_in", "said that everything is handed in ({link})"
    CONFIRMATION_ASKED = "accounts.confirmation_asked", "asked to confirm a way to reach {party} ({kind})"
    CONTACT_CONFIRMED = "accounts.contact_confirmed", "confirmed a way to reach {party} ({kind}, {how})"
    CODE_REFUSED = "accounts.code_refused", "a wrong code for a way to reach {party}, try {count}"
    UNVERIFIED_PROPOSED = "accounts.unverified_proposed", "proposed after {verification}: {outcome} ({reason}, {row})"
    UNVERIFIED_IN_EFFECT = (
        "accounts.unverified_in_effect", "put into effect after {verification}: {outcome} ({reason}, {row})",
        "until", "day", GRAVE,
    )  # fmt: skip
    UNVERIFIED_DECLINED = "accounts.unverified_declined", "declined {row}: {outcome}"
    UNVERIFIED_WITHDRAWN = "accounts.unverified_withdrawn", "withdrew {row}: {outcome}"
    UNVERIFIED_OVER = "accounts.unverified_over", "ended {row}, {outcome}: {state}"
    WATCH_DUE = "accounts.watch_due", "made due to be looked at again: {row}, since {day}"
    REDRESS_ANSWERED = "accounts.redress_answered", "answered {objection} against {row}: {outcome}", GRAVE
    OBJECTED = "accounts.objected", "objected: {objection}, answer due on {due_on}", "link", "row"
    OBJECTION_ANSWERED = "accounts.objection_answered", "answered {objection}: {outcome}"
    PRIVACY_LOGGED = "accounts.privacy_logged", "logged the privacy request {request} ({kind})"
    PRIVACY_IDENTIFIED = "accounts.privacy_identified", "found that {request} is about {party} ({how})"
    PRIVACY_PREPARED = "accounts.privacy_prepared", "prepared the answer to {request}: {count} kinds of data found"
    PRIVACY_RETURNED = "accounts.privacy_returned", "did not agree to the answer to {request}"
    PRIVACY_AGREED = "accounts.privacy_agreed", "agreed to the erasure asked for in {request}", GRAVE
    PRIVACY_ANSWERED = "accounts.privacy_answered", "answered {request}: {outcome}", GRAVE
    SINGLE_DATA_ERASED = (
        "accounts.single_data_erased",
        "erased single data of {party} that no rule keeps: {what}",
        GRAVE,
    )
    FINGERPRINTS_RENEWED = (
        "accounts.fingerprints_renewed",
        "made the fingerprints of {count} parties anew under {key_id}",
    )
    LOOKED_BACK = "accounts.looked_back", "compared {party} with everybody we shut out; ties that stand: {count}"
    ACCESS_FINGERPRINTED = (
        "accounts.access_fingerprinted",
        "fingerprinted from where {party} was used around its registration and its end: {count} new",
    )
    FOUND_UNTIED = "accounts.found_untied", "compared {count} parties with everybody we shut out: no ties"
    LOOK_BACK_ASKED = "accounts.look_back_asked", "had {count} parties compared anew that share something with it"
    TIE_FOUND = (
        "accounts.tie_found",
        "found that {party} may have been seen before as {earlier} ({row})",
        "score",
        "matched",
    )
    TIE_OVER = "accounts.tie_over", "ended the tie {row}: nothing is held against the earlier customer"
    TIE_JUDGED = "accounts.tie_judged", "judged the tie {row} of {party}: {judgement}"
    ACCESS_LOOKED_AT = "accounts.access_looked_at", "looked at what other systems are told of {account}: {answer}"
