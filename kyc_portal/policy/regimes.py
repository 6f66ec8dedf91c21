"""The shipped regime profiles: every figure with its unit, citation and trust mark. Nothing here binds by itself.

The 2024 rule is a proposal; a figure no text gives is our own policy and says so. Loaded after each migration; a row
that is there already is left as it is, because an operator may have changed it.
"""

from dataclasses import dataclass
from datetime import date

from kyc_portal.policy import access_figures
from kyc_portal.policy.address_figures import ADDRESS_FIGURES
from kyc_portal.policy.link_figures import LINKS

# The first privacy notice (own policy); an operator approves further versions under Policy.
PRIVACY_NOTICE = """Before we open an account, and from time to time after that, we ask for some information about you and verify it. We use it only to establish who uses our infrastructure and to meet our legal duties, keep it encrypted, and destroy it when no duty to keep it remains. Only members of our staff who need it can see it, and every look is recorded."""  # noqa: E501
# What the person who opens an account signs of its owners (R22, own policy); the list of owners follows it.
CERTIFICATION_OF_OWNERS = """I certify, for the company, that to the best of my knowledge these are all persons who own or control a substantial part of it, and that what is stated of them is complete and correct:"""  # noqa: E501
# What a reseller's manager signs of customers on its roster, and once a year of its whole programme (R63, own policy).
CERTIFICATION_OF_DOWNSTREAM = """I certify, for the reseller and under the authority it gave me, that each customer named in this certification was identified and verified as its CIP prescribes, to the extent and on the evidence stated here; that what the roster states of each is complete and correct to the best of my knowledge; and that we will tell the provider when this no longer holds."""  # noqa: E501
YEARLY_ATTESTATION = """I attest, for the reseller and under the authority it gave me, that in the period named here it kept and carried out its written CIP; that it reviewed the CIP against its services and the threats it met; that the figures shown here follow from what it stated of its customers; and that what is not in order is named among them."""  # noqa: E501
TEXTS_FROM = date(2020, 1, 1)


@dataclass(frozen=True)
class ShippedCitation:
    text: str
    standing: str
    mark: str


@dataclass(frozen=True)
class Figure:
    name: str
    value: str
    unit: str
    citation: str
    reason: str = ""  # why this value, where no text gives one and people will ask


@dataclass(frozen=True)
class Profile:
    code: str
    title: str
    standing: str
    elements: tuple[str, ...]
    figures: tuple[Figure, ...]


CITATIONS = {
    "nprm-302": ShippedCitation("15 CFR 7.302 (89 FR 5698)", "proposed", "S"),
    "nprm-303": ShippedCitation("15 CFR 7.303 (89 FR 5698)", "proposed", "S"),
    "nprm-305": ShippedCitation("15 CFR 7.305 (89 FR 5698)", "proposed", "S"),
    "nprm-307": ShippedCitation("15 CFR 7.307 (89 FR 5698)", "proposed", "S"),
    "eo-13984": ShippedCitation("Executive Order 13984, section 1 (86 FR 6837)", "in_force", "P"),
    "eo-13984-5": ShippedCitation("Executive Order 13984, section 5 (86 FR 6837)", "in_force", "S"),
    "ofac-578-411": ShippedCitation("31 CFR 578.411", "in_force", "P"),
    "ofac-501-601": ShippedCitation("31 CFR 501.601", "in_force", "P"),
    "ofac-501-603": ShippedCitation("31 CFR 501.603", "in_force", "P"),
    "usc-2703f": ShippedCitation("18 U.S.C. 2703(f)", "in_force", "P"),
    "usc-2703c": ShippedCitation("18 U.S.C. 2703(c)(2), what a subpoena reaches (our reading)", "in_force", "S"),
    "ofac-501-604": ShippedCitation("31 CFR 501.604", "in_force", "P"),
    "icts-791-106": ShippedCitation("15 CFR 791.106", "in_force", "P"),
    "usc-2704": ShippedCitation("18 U.S.C. 2704", "in_force", "P"),
    # The section is cited in S and D; which paragraph says what was not read in the text itself.
    "usc-2702-consent": ShippedCitation("18 U.S.C. 2702, lawful consent (paragraph unconfirmed)", "in_force", "S"),
    "usc-2702-protection": ShippedCitation(
        "18 U.S.C. 2702, protection of our rights or property (paragraph unconfirmed)", "in_force", "S"
    ),
    "usc-2702-emergency": ShippedCitation(
        "18 U.S.C. 2702, emergency with danger of death or serious injury (paragraph unconfirmed)", "in_force", "S"
    ),
    "court-privacy": ShippedCitation("Federal court rules on privacy in filings (unconfirmed)", "in_force", "D"),
    "bank-cip": ShippedCitation("31 CFR 1020.220", "in_force", "A"),
    "bank-reliance": ShippedCitation("31 CFR 1020.220(a)(6), which binds banks", "in_force", "A"),
    "bank-cdd": ShippedCitation("31 CFR 1010.230", "in_force", "A"),
    "own": ShippedCitation("Own policy", "own_policy", "D"),
}

# What a red flag adds to the risk, by its code in the catalogue (accounts/rules/detectors.py).
WEIGHTS = tuple(
    Figure(f"weight_{code}", value, "of 100", "own", reason)
    for code, value, reason in (
        ("confirmed_list_hit", "100", "Two people have confirmed it. Nothing weighs more, and nothing is added to it."),
        (
            "possible_list_hit",
            "40",
            "Most resemblances are dismissed. Until then the customer is looked at more closely.",
        ),
        ("country_conflict", "30", "Often innocent (moving, central payment), yet what borrowed identities look like."),
        (
            "anonymised_access_only",
            "20",
            "Many honest people use a VPN: alone it only lifts a customer to medium risk.",
        ),
        ("expired_document", "15", "Time passes for everybody. Alone it does not change the tier."),
        ("reverification_overdue", "20", "Silence after a reminder is worth a look, not more."),
        ("watch_overdue", "20", "Nobody looked in time at an account that two people kept only under watch."),
        ("mrz_check_failed", "30", "Mostly a typing error; really printed there, a sign of forgery."),
        ("near_threshold_owners", "25", "Shares cut to size are a known way of staying unnamed."),
        ("impossible_travel", "20", "Roaming and company gateways look the same: alone only medium risk."),
        ("measured_jurisdiction_use", "40", "Somebody should look soon; most are travellers."),
        ("admin_elsewhere", "15", "Agencies and parent companies are common. Alone it does not change the tier."),
        ("burst_after_sleep", "15", "Many projects sleep. Alone it does not change the tier."),
        ("use_elsewhere", "20", "People move; yet the places of use decide which measures apply."),
        ("us_location_gone", "30", "Whoever is no U.S. person any more must be verified."),
        ("seen_before", "50", "It points to somebody whom we shut out, yet values are shared innocently too."),
    )
)

# Which documents count as proof, by the kinds of accounts/rules/documents.py. The proposal's own list was not read; it
# is said to follow the banks' rule, whose list this is. An operator changes a figure where its regime says otherwise.
LISTED, ADDED = "The banks' rule names it.", "Not named by the banks' rule, yet of the same nature."
ACCEPTED = tuple(
    Figure(f"accepts_{kind}", value, "yes (1) or no (0)", citation, reason)
    for kind, value, citation, reason in (
        ("passport", "1", "bank-cip", LISTED),
        ("driving_licence", "1", "bank-cip", LISTED),
        ("identity_card", "1", "bank-cip", "Issued by a government, with a photo, and shows the nationality."),
        ("residence_permit", "1", "bank-cip", "Issued by a government, with a photo, and shows the residence."),
        ("visa", "0", "own", "It proves neither nationality nor residence by itself."),
        ("articles", "1", "bank-cip", LISTED),
        ("business_licence", "1", "bank-cip", LISTED),
        ("partnership_agreement", "1", "bank-cip", LISTED),
        ("trust_instrument", "1", "bank-cip", LISTED),
        ("register_extract", "1", "own", ADDED),
    )
)

# What each source counts when countries are compared.
COUNTRIES = (
    Figure("country_weight_document", "40", "of 100", "own", "A government has looked at the holder."),
    Figure("country_weight_address", "25", "of 100", "own", "Stated, and seldom proven, yet hard to leave for long."),
    Figure("country_weight_payment", "20", "of 100", "own", "A bank has looked, but groups pay centrally."),
    Figure("country_weight_phone", "15", "of 100", "own", "Numbers are easily had abroad, and kept after moving."),
    Figure(
        "country_weight_access", "15", "of 100", "own",
        "People travel and addresses are placed wrongly: they only add to a country that is stated.",
    ),
    Figure("country_anonymised_percent", "10", "percent", "own", "Behind an anonymiser the place is somebody else's."),
    Figure("country_agree_percent", "60", "percent", "own", "Document and one other must point to one country."),
)  # fmt: skip

# How a reseller vouches for its customers. No text gives a figure but for the yearly turn, and that one binds banks.
RESELLERS = (
    Figure("certification_months", "12", "months", "own", "As often as the reseller attests its whole programme."),
    Figure(
        "certification_days", "30", "days", "own",
        "Time to certify who is new on a roster, or of whom something else is stated now.",
    ),
    Figure("certification_soon_days", "30", "days", "own", "How long before its last day a certification is renewed."),
    Figure("reseller_verified_months", "24", "months", "own", "As old as our own look at a low risk may become."),
    Figure("reseller_lapsed_percent", "20", "percent", "own", "A few late ones happen; a fifth shows neglect."),
    Figure(
        "attestation_months", "12", "months", "bank-reliance",
        "A bank that relies on another has it certify its programme once a year.",
    ),
    Figure("attestation_days", "30", "days", "own", "A month to gather what is signed."),
)  # fmt: skip

# Samples of a reseller's customers (R64 names no figures): how many, how sure, and what makes a customer a risk.
SAMPLES = (
    Figure("sample_percent", "1", "percent", "own", "Of the customers on the roster, between the least and the most."),
    Figure(
        "sample_least", "60", "customers", "own",
        "None failing of 60 says, with 95 percent confidence, that at most some 6 percent of all would fail.",
    ),
    Figure("sample_most", "300", "customers", "own", "They say it to within some 6 points, however many there are."),
    Figure("sample_confidence_percent", "95", "percent", "own", "Usual in audits; a bound, not a promise."),
    Figure("sample_days", "14", "days", "own", "The files exist already; who needs longer has to make them."),
    Figure("sample_weight_unverified", "50", "of 100", "own", "A customer nobody verified is what samples look for."),
    Figure("sample_weight_sublets", "20", "of 100", "own", "Somebody stands between the reseller and the customer."),
    Figure("sample_weight_without_documents", "20", "of 100", "own", "Harder to check afterwards than a document."),
    Figure("sample_weight_abroad", "10", "of 100", "own", "A reseller sees a customer of another country less."),
)  # fmt: skip

# Special measures (R92-R97). Which evidence restricts by itself once a measure is in effect; a stated place and being
# the person named always do, an observed address never.
MEASURES = (
    Figure("measure_by_task", "1", "yes (1) or no (0)", "own", "Two people confirmed it; a day does not wait."),
    Figure("measure_review_days", "14", "days", "own", "Nobody stays restricted for long by what is over."),
    Figure("measure_decides_owner", "1", "yes (1) or no (0)", "own", "Else a company could stand in for its owner."),
    Figure("measure_decides_citizenship", "0", "yes (1) or no (0)", "own", "It says nothing of where somebody is."),
    Figure("measure_decides_payment", "0", "yes (1) or no (0)", "own", "Groups pay centrally, and families abroad."),
    Figure("measure_decides_sold_through", "0", "yes (1) or no (0)", "own", "Its customers can become ours instead."),
    Figure("measure_decides_roster", "0", "yes (1) or no (0)", "own", "A few customers say little of a reseller."),
)  # fmt: skip
ACCESSES = tuple(Figure(*row) for row in access_figures.ROWS)
# How long systems may keep an access answer, and how often they are told of a change (docs/access-answer.md).
ANSWERS = (
    Figure("access_answer_seconds", "60", "seconds", "own", "A stop must be felt within a minute."),
    Figure("webhook_attempts", "10", "attempts", "own", "With the pauses between them a little over two days."),
    Figure("webhook_first_pause_seconds", "30", "seconds", "own", "Most failures are a restart, over in a minute."),
    Figure("webhook_pause_factor", "3", "times", "own", "Growing fast: a receiver that is down is not hammered."),
    Figure("webhook_longest_pause_minutes", "1440", "minutes", "own", "Once a day is enough to see that it is back."),
    Figure("webhook_timeout_seconds", "10", "seconds", "own", "A receiver takes it in first, and works later."),
    Figure("webhook_overlap_hours", "24", "hours", "own", "Time to carry a new secret to every receiver."),
)

# Access logs that other systems hand in: how many at once, and when they are asked to come again.
ARRIVALS = (
    Figure("access_batches_at_once", "4", "batches", "own", "Of one key: enough to keep a line busy, not the portal."),
    Figure("access_batch_minutes", "15", "minutes", "own", "Longer than any batch takes: then its place is free."),
    Figure("access_jobs_wait_minutes", "30", "minutes", "own", "Work that waits longer must not grow any further."),
    Figure("access_batch_retry_seconds", "30", "seconds", "own", "About as long as one batch takes."),
)

# Figures that hold under every regime: law in force, and our own policy where no text gives a number.
COMMON = (
    Figure("sanctions_retention_years", "10", "years", "ofac-501-601"),
    Figure("blocked_share_percent", "50", "percent", "ofac-578-411"),
    Figure("blocked_report_days", "10", "business days", "ofac-501-603"),
    Figure("preservation_days", "90", "days", "usc-2703f"),
    Figure("preservation_renewal_days", "90", "days", "usc-2703f"),
    Figure("rejected_report_days", "10", "business days", "ofac-501-604"),
    Figure(
        "report_day_of_event_counts",
        "0",
        "yes (1) or no (0)",
        "own",
        "The day of the event is day 0; no text read says otherwise.",
    ),
    Figure("backup_copy_days", "2", "business days", "usc-2704"),
    Figure("backup_release_days", "14", "days", "usc-2704"),
    Figure("preservation_soon_days", "14", "days", "own", "Time to ask whether the authority renews."),
    Figure("verify_days", "15", "days", "own"),
    Figure("external_check_days", "3", "days", "own", "Verifiers answer within minutes; some ask the customer first."),
    Figure(
        "abuse_access_minutes",
        "60",
        "minutes",
        "own",
        "Reporters' clocks are wrong by minutes; an access further away says little of who held the address.",
    ),
    Figure(
        "abuse_story_days", "30", "days", "own", "A campaign goes on for weeks, and one person should see all of it."
    ),
    Figure("abuse_report_weight", "30", "of 100", "own", "One report of a stranger is worth a look, not more."),
    Figure("business_opens", "9", "o'clock", "own", "In the zone in which days of the law are counted."),
    Figure("business_closes", "17", "o'clock", "own", "In the zone in which days of the law are counted."),
    Figure("case_hours_red_flag", "24", "business hours", "own", "Three days of eight hours."),
    Figure(
        "case_hours_list_hit", "8", "business hours", "own", "A possible sanctions match is looked at within a day."
    ),
    Figure("case_hours_abuse", "16", "business hours", "own", "Others are being harmed meanwhile."),
    Figure("case_hours_legal", "24", "business hours", "own"),
    Figure("desk_hours_leads", "8", "business hours", "own", "What was passed on has waited before."),
    Figure("desk_hours_legal", "24", "business hours", "own"),
    Figure("case_lock_minutes", "30", "minutes", "own", "Long enough to telephone, too short for a lunch."),
    Figure("merge_undo_hours", "24", "hours", "own", "Whoever merged in error sees it by the next day."),
    Figure("break_in_shown_days", "30", "days", "own", "An auditor who looks once a month sees every break-in."),
    Figure("snooze_most_days", "30", "days", "own", "Nothing is put aside for longer than a month."),
    Figure("appeal_window_days", "30", "days", "own"),
    Figure("appeal_answer_days", "30", "days", "own", "As other objections; longer would keep people out too long."),
    Figure("undo_minutes", "10", "minutes", "own", "Long enough to notice a slip; what cannot wait is done at once."),
    Figure(
        "uninvolved_days",
        "7",
        "days",
        "own",
        "Whoever worked a case in the last days judged it already and signs nothing that takes an account away.",
    ),
    Figure("urgent_suspension_days", "14", "days", "own"),
    Figure("reverification_answer_days", "30", "days", "own"),
    Figure("reverification_grace_days", "14", "days", "own"),
    Figure("review_days_low", "730", "days", "own"),
    Figure("review_days_medium", "365", "days", "own"),
    Figure("review_days_high", "180", "days", "own"),
    Figure("case_retention_years", "2", "years", "own"),
    Figure("restricted_fingerprint_years", "5", "years", "own"),
    Figure("privacy_answer_days", "30", "days", "own"),
    Figure("privacy_retention_years", "2", "years", "own"),
    Figure("screening_possible_score", "0.70", "score", "own"),
    Figure("screening_strong_score", "0.85", "score", "own"),
    Figure("anonymised_access_least_records", "5", "records", "own"),
    Figure("near_threshold_points", "1", "points of a percent", "own"),
    Figure("near_threshold_owners", "2", "owners", "own"),
    Figure("medium_risk_score", "20", "points", "own"),
    Figure("high_risk_score", "50", "points", "own"),
    Figure("risk_override_days", "180", "days", "own"),
    Figure("kind_settling_days", "30", "days", "own"),
    Figure("customer_link_days", "14", "days", "own"),
    Figure("customer_session_minutes", "60", "minutes", "own"),
    Figure("contact_link_days", "3", "days", "own"),
    Figure("contact_code_minutes", "30", "minutes", "own"),
    Figure("contact_code_tries", "5", "tries", "own"),
    Figure("contact_asks_a_day", "5", "questions", "own"),
    Figure("reseller_cip_review_days", "14", "days", "own"),
    *RESELLERS,
    Figure("roster_most_thousand_rows", "200", "thousand rows", "own", "Read and taken in within minutes."),
    Figure("roster_most_megabytes", "40", "megabytes", "own", "A file is held in memory unsealed, never on a disk."),
    Figure("roster_most_depth", "3", "levels", "own", "Whoever sublets further is a reseller, with a file of its own."),
    Figure("roster_gone_percent", "10", "percent", "own", "More of a roster does not leave at once but by mistake."),
    Figure("roster_discarded_days", "7", "days", "own"),
    Figure("access_delivery_days", "365", "days", "own", "Log files are sent again within a year, if ever."),
    Figure("refused_line_days", "90", "days", "own", "A quarter to mend a line and send it again."),
    Figure("waiting_access_days", "180", "days", "own", "Time to find out whose they are; then they say nothing."),
    *SAMPLES,
    *MEASURES,
    Figure(
        "authority_report_days",
        "3",
        "days",
        "own",
        "No text gives a number; prompt means before the traces are gone.",
    ),
    Figure("objection_answer_days", "30", "days", "own"),
    Figure("redress_answer_days", "30", "days", "own"),
    Figure("watch_look_days", "90", "days", "own"),
    Figure("watch_weight", "50", "of 100", "own", "An identity nobody could verify: high risk, whatever else is."),
    Figure("watch_least_records", "1", "records", "own", "Under watch a single access is worth a look."),
    Figure("watchlist_shrink_percent", "20", "percent", "own"),
    Figure("document_grace_days", "0", "days", "bank-cip", "The document must be unexpired when it is looked at."),
    *ACCESSES,
    *ANSWERS,
    *ARRIVALS,
    *(Figure(name, value, unit, "own", reason) for name, value, unit, reason in ADDRESS_FIGURES),
    *(Figure(name, value, unit, "own", why) for name, value, unit, why in LINKS),
    *ACCEPTED,
    *COUNTRIES,
    *WEIGHTS,
)


@dataclass(frozen=True)
class ShippedProduct:
    """A product of the catalogue as shipped; an operator puts versions of their own in its place."""

    code: str
    title: str
    is_iaas: bool
    why: str
    limited_may_start: bool
    limited_may_use: bool


_COMPUTING = "A fundamental computing resource on which customers deploy and run software that is not predefined."
PRODUCTS = (
    ShippedProduct("compute", "Virtual and dedicated machines", True, _COMPUTING, False, True),
    ShippedProduct("gpu", "Machines with accelerators", True, _COMPUTING, False, False),
    ShippedProduct("storage", "Block and object storage", True, "The definition names storage.", False, True),
    ShippedProduct("network", "Private networks and addresses", True, "The definition names networks.", False, True),
    ShippedProduct(
        "support", "Support plan", False, "Help by people; nothing of the customer's runs on it.", True, True
    ),
)

NPRM_ELEMENTS = (
    "legal_name", "address", "use_location", "formation_country", "owners", "owners_certification", "payment",
    "payment_source", "email", "phone", "identity_document",
)  # fmt: skip

PROFILES = (
    Profile(
        "NPRM_2024",
        "Commerce's 2024 rule on IaaS identity verification",
        "proposed",
        NPRM_ELEMENTS,
        (
            Figure("owner_share_percent", "25", "percent", "nprm-302"),
            Figure("retention_years", "2", "years", "nprm-302"),
            Figure("reseller_cip_days", "10", "days", "nprm-303"),
            Figure("reseller_end_days", "30", "days", "nprm-303"),
            Figure("measure_wait_days", "180", "days", "nprm-307"),
            Figure("measure_length_days", "365", "days", "nprm-307"),
        ),
    ),
    Profile(
        "EO13984_MIN",
        "What Executive Order 13984 names itself",
        "in_force",
        ("legal_name", "address", "payment", "payment_source", "email", "phone", "national_id"),
        (
            Figure("owner_share_percent", "25", "percent", "own"),
            Figure("retention_years", "2", "years", "own"),
            Figure("reseller_cip_days", "10", "days", "own"),
            Figure("reseller_end_days", "30", "days", "own"),
        ),
    ),
    Profile(
        "BANK_CIP",
        "Customer identification at U.S. banks",
        "in_force",
        ("legal_name", "address", "birth_date", "national_id", "identity_document", "owners", "owners_certification"),
        (
            Figure("owner_share_percent", "25", "percent", "bank-cdd"),
            Figure("retention_years", "5", "years", "bank-cip"),
            Figure("method_retention_years", "5", "years", "bank-cip"),
            Figure("reseller_cip_days", "10", "days", "own"),
            Figure("reseller_end_days", "30", "days", "own"),
        ),
    ),
)
