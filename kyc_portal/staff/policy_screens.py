"""Screens and their buttons: one row each, by kind of record (ASVS 8.1.1). A part of policy_table.py, which reads it.

Rights are named as in roles.py; of several in one text, one is enough.
"""

from kyc_portal.staff.policy_rows import Act, Hidden, Named, Screen

SEE_LEGAL = "cases.view_legalrequest"
UNMASK = "accounts.reveal"
CASE_WORK = "cases.review"

WAITING, USED, ENDED = "prospect data_requested verifying", "active blocked", "refused closed"
PROPOSED = "proposed"
FIRST = "proposed_by_key"
LIVE_CASE = "open in_review proposed"
WORKS = {"worker": "assigned_to_id"}  # the flow asks that the case be taken first
HAS = {**WORKS, "or_right": "cases.assign"}
LEGAL_WORK = {"legal": "cases.handle_legal"}
THE_CASE = Named("is_restricted", "pk")
OF_CASE = Named("case__is_restricted", "case")  # what belongs to a case exists for whom the case exists
OF_REQUEST = Named("request__case__is_restricted", "request__case")
OF_DECISION = Named("decision__case__is_restricted", "decision__case")

# The right to see records of a kind is always "app.view_model".
SCREENS: dict[str, Screen] = {
    # --- customers
    "accounts.account": Screen(add="accounts.add_account", acts={
        "activate": Act("accounts.activate", WAITING),
        "request_data": Act("accounts.verify", WAITING, many=True),
        "certify_owners": Act("accounts.verify"),
        "doubt_certification": Act("accounts.verify"),
        "start_verification": Act("accounts.verify"),
        "refuse": Act("accounts.refuse", WAITING),
        "ask_again": Act("accounts.verify", "active", many=True),
        "run_detectors": Act("accounts.verify", many=True),
        "set_tier": Act("accounts.set_tier", f"{WAITING} {USED}"),
        "end_tier": Act("accounts.set_tier", f"{WAITING} {USED}"),
        "limit": Act("accounts.restrict", USED, many=True),
        "suspend": Act("accounts.restrict", USED, many=True),
        "block": Act("accounts.restrict", f"{WAITING} {USED}"),
        "lift": Act("accounts.restrict"),
        "close": Act("accounts.close", "active"),
        "reopen": Act("accounts.close", ENDED),
        "send_link": Act("accounts.verify", "data_requested active"),
        "withdraw_link": Act("accounts.verify"),
    }),
    "accounts.objection": Screen(acts={
        "answer": Act("accounts.verify", "open"),
        "answer_redress": Act("accounts.answer_redress", "open"),
    }),
    "accounts.couldnotverify": Screen(acts={
        "countersign": Act("accounts.close", PROPOSED, after=FIRST),
        "decline": Act("accounts.close", PROPOSED, after=FIRST),
        "withdraw": Act("accounts.verify", PROPOSED),
        "enter_redress": Act("accounts.verify", "in_effect"),
    }),
    "accounts.party": Screen(acts={
        "settle_status": Act("accounts.settle_status"),
        "correct": Act("accounts.add_account"),
        "settle_kind": Act("accounts.add_account"),
        "add_name": Act("accounts.add_account"),
        "add_address": Act("accounts.add_account"),
        "add_contact": Act("accounts.add_account"),
        "confirm_contact": Act("accounts.verify"),
        "enter_code": Act("accounts.verify"),
        "add_document": Act("accounts.verify"),
        "add_payment": Act("accounts.add_account"),
        "end_payment": Act("accounts.add_account"),
        "add_owner": Act("accounts.add_account"),
        "end_stake": Act("accounts.add_account"),
    }),
    "accounts.verification": Screen(acts={
        "record_method": Act("accounts.verify", "in_progress escalated"),
        "run_checks": Act("accounts.verify", "in_progress escalated failed"),
        "ask_verifier": Act("accounts.verify", "in_progress escalated"),
        "find_discrepancy": Act("accounts.verify", "in_progress escalated"),
        "settle_discrepancy": Act("accounts.verify", "in_progress escalated failed"),
        "conclude": Act("accounts.verify", "in_progress escalated failed"),
        "escalate": Act("accounts.verify", "failed"),
        "decide_outcome": Act("accounts.verify", "unverifiable"),
    }),
    "accounts.screeninghit": Screen(acts={
        "propose_match": Act("accounts.judge_hit", "open dismissed"),
        "propose_no_match": Act("accounts.judge_hit", "open confirmed", many=True),
        "agree": Act("accounts.second_hit", "confirm_proposed dismiss_proposed", many=True, after=FIRST),
        "return_hit": Act("accounts.second_hit", "confirm_proposed dismiss_proposed"),
    }),
    "accounts.accessbatch": Screen(),
    "accounts.accessrecord": Screen(),
    "accounts.unknownaccount": Screen(acts={"name_account": Act("accounts.name_account")}),
    "accounts.addressrangesnapshot": Screen(),
    "accounts.identitydocument": Screen(acts=dict.fromkeys(
        ("read_zone", "confirm_zone", "set_zone_aside"), Act("accounts.verify"))),
    "accounts.paymentmethod": Screen(acts={"add_transactions": Act("accounts.add_account")}),
    "accounts.risksignal": Screen(),
    "accounts.seenbefore": Screen(acts={"judge": Act("accounts.verify")}),
    "accounts.privacyrequest": Screen(add="accounts.handle_privacy", acts={
        "identify": Act("accounts.handle_privacy", "received"),
        "prepare": Act("accounts.handle_privacy", "received"),
        "answer": Act("accounts.answer_privacy", "prepared"),
        "send_back": Act("accounts.answer_privacy", "prepared"),
    }),
    "accounts.watchlistsnapshot": Screen(),
    "resellers.reseller": Screen(add="resellers.add_reseller", acts={
        "add_customer": Act("resellers.add_reseller"),
        "bind": Act("resellers.bind_manager"),
        "end_binding": Act("resellers.bind_manager"),
        "submit_cip": Act("resellers.submit_cip"),
        "record_finding": Act("resellers.hold_against"),
        "draw_sample": Act("resellers.judge_sample"),
        "adopt_cip": Act("resellers.submit_cip"),
        "record_contract": Act("resellers.add_reseller"),
        "end_contract": Act("resellers.add_reseller"),
        "add_contact": Act("resellers.add_reseller"),
        "send_message": Act("resellers.write_to"),
        "propose_termination": Act("resellers.propose_termination"),
        "open_report": Act("resellers.report_to_authority"),
        "ask_cip": Act("resellers.produce_cip"),
    }),
    "resellers.downstreamcustomer": Screen(acts={"change_reseller": Act("resellers.add_reseller")}),
    "resellers.finding": Screen(acts={
        "plan": Act("resellers.hold_against", "open planned"),
        "propose_cure": Act("resellers.hold_against", "open planned"),
        "accept_cure": Act("resellers.end_finding", "cure_proposed", after=FIRST),
        "send_back": Act("resellers.end_finding", "cure_proposed"),
        "withdraw": Act("resellers.end_finding", "open planned"),
        "propose_termination": Act("resellers.propose_termination", "open planned cure_proposed"),
        "open_report": Act("resellers.report_to_authority"),
    }),
    "resellers.termination": Screen(acts={
        "agree": Act("resellers.decide_termination", PROPOSED, after=FIRST),
        "withdraw": Act("resellers.propose_termination resellers.decide_termination", PROPOSED),
        "choose_for_all": Act("resellers.propose_termination", "proposed under_way"),
        "try_again": Act("resellers.propose_termination", "under_way"),
        "open_report": Act("resellers.report_to_authority"),
    }),
    "resellers.terminationstep": Screen(acts={
        "choose": Act("resellers.propose_termination", "waiting failed", many=True),
        "try_again": Act("resellers.propose_termination", "failed", many=True),
    }),
    "resellers.authorityreport": Screen(acts={
        "note_sent": Act("resellers.report_to_authority", "open"),
        "drop": Act("resellers.report_to_authority", "open"),
    }),
    "resellers.ciprequest": Screen(acts={
        "produce_again": Act("resellers.produce_cip", "asked"),
        "note_sent": Act("resellers.produce_cip", "produced"),
    }),
    "resellers.certification": Screen(acts={"withdraw": Act("resellers.withdraw_certification")}),
    "resellers.attestation": Screen(),
    "resellers.sample": Screen(acts={
        "replay": Act("resellers.judge_sample"),
        "conclude": Act("resellers.judge_sample", "asked"),
        "make_finding": Act("resellers.hold_against", "concluded"),
    }),
    "resellers.sampledfile": Screen(acts={
        "judge": Act("resellers.judge_sample"),
        "make_finding": Act("resellers.hold_against"),
    }),
    "resellers.rosterhit": Screen(acts={
        "propose_match": Act("accounts.judge_hit", "open dismissed"),
        "propose_no_match": Act("accounts.judge_hit", "open confirmed", many=True),
        "agree": Act("accounts.second_hit", "confirm_proposed dismiss_proposed", many=True, after=FIRST),
        "return_hit": Act("accounts.second_hit", "confirm_proposed dismiss_proposed"),
    }),
    "resellers.resellercip": Screen(acts={
        "begin": Act("resellers.review_cip", "submitted"),
        "judge": Act("resellers.review_cip", "under_review"),
        "return_cip": Act("resellers.review_cip", "under_review"),
        "propose": Act("resellers.review_cip", "under_review"),
        "agree": Act("resellers.decide_cip", "approval_proposed rejection_proposed", after=FIRST),
        "send_back": Act("resellers.decide_cip", "approval_proposed rejection_proposed"),
    }),
    "resellers.rosterupload": Screen(),
    "resellers.rosterentry": Screen(),
    # --- cases
    "cases.case": Screen(add=CASE_WORK, hidden=(Hidden("kind", "legal", SEE_LEGAL),), named=THE_CASE, acts={
        "take": Act(CASE_WORK, LIVE_CASE, many=True, by_kind=LEGAL_WORK),
        "take_over": Act(CASE_WORK, LIVE_CASE, by_kind=LEGAL_WORK),
        "escalate": Act(CASE_WORK, "open in_review", by_kind=LEGAL_WORK, **HAS),
        "snooze": Act(CASE_WORK, "open in_review", by_kind=LEGAL_WORK, **HAS),
        "wake": Act(CASE_WORK, "open in_review", by_kind=LEGAL_WORK),
        "propose": Act(CASE_WORK, "in_review proposed", by_kind={"legal": ""}, **WORKS),
        "take_in_tied": Act(CASE_WORK, "open in_review", by_kind={"legal": ""}, **WORKS),
        "propose_several": Act(CASE_WORK, "in_review proposed", by_kind={"legal": ""}, **WORKS),
        "countersign": Act("cases.decide", PROPOSED),
        "decline": Act("cases.decide", PROPOSED),
        "withdraw": Act(CASE_WORK, PROPOSED, by_kind=LEGAL_WORK),
        "undo": Act("cases.review cases.decide", PROPOSED),
        "note": Act(CASE_WORK, by_kind=LEGAL_WORK),
        "assign": Act("cases.assign", LIVE_CASE, many=True),
        "log_request": Act("cases.handle_legal"),
        "collect": Act("cases.collect_bundle"),
        "choose_ground": Act("cases.collect_bundle", LIVE_CASE),
        "close": Act(CASE_WORK, "open in_review decided", by_kind=LEGAL_WORK),
        "reopen": Act(CASE_WORK, "decided closed", by_kind=LEGAL_WORK),
        "merge": Act(CASE_WORK, "open in_review", by_kind={"legal": ""}, **HAS),
        "undo_merge": Act(CASE_WORK, "open in_review", by_kind={"legal": ""}, **HAS),
        "restrict": Act("cases.assign", LIVE_CASE, by_kind=LEGAL_WORK),
        "open_up": Act("cases.assign", by_kind=LEGAL_WORK),
    }),
    "cases.decision": Screen(hidden=(Hidden("case__kind", "legal", SEE_LEGAL),), named=OF_CASE, acts={
        "countersign": Act("cases.decide", PROPOSED, after=FIRST),
        "decline": Act("cases.decide", PROPOSED, after=FIRST),
        "withdraw": Act("cases.review", PROPOSED),
        "undo": Act("cases.review cases.decide", "signed"),
        "log_appeal": Act("cases.review cases.answer_appeal", "countersigned"),
    }),
    "cases.appeal": Screen(hidden=(Hidden("decision__case__kind", "legal", SEE_LEGAL),), named=OF_DECISION, acts={
        "take": Act("cases.answer_appeal", "open"),
        "assign": Act("cases.assign", "open"),
        "answer": Act("cases.answer_appeal", "open"),
        "countersign": Act("cases.answer_appeal", PROPOSED, after=FIRST),
        "send_back": Act("cases.answer_appeal", PROPOSED),
    }),
    "cases.abusereport": Screen(named=OF_CASE, acts={
        "attach": Act("cases.resolve_abusereport", "waiting"),
        "settle": Act("cases.resolve_abusereport", "waiting", many=True),
    }),
    "cases.legalrequest": Screen(add="cases.handle_legal", named=OF_CASE, acts={
        "validate": Act("cases.handle_legal", "received"),
        "reject": Act("cases.handle_legal", "received validated"),
        "preserve": Act("cases.handle_legal", "validated"),
        "renew": Act("cases.handle_legal", "preserving"),
        "serve": Act("cases.handle_legal", "validated preserving renewed"),
        "take_in_backup": Act("cases.handle_legal", "validated"),
        "challenge": Act("cases.handle_legal", "received validated preserving renewed process_served"),
        "end_challenge": Act("cases.handle_legal", "challenged"),
    }),
    "cases.voluntarydisclosure": Screen(named=OF_CASE, acts={
        "approve": Act("cases.approve_bundle", PROPOSED, after=FIRST),
        "decline": Act("cases.approve_bundle", PROPOSED, after=FIRST),
        "withdraw": Act("cases.collect_bundle cases.approve_bundle", "proposed approved"),
    }),
    "cases.propertyreport": Screen(add="cases.report_property", acts={
        "draft": Act("cases.report_property", "open drafted approved"),
        "approve": Act("cases.report_property", "drafted", after="drafted_by_key"),
        "send": Act("cases.report_property", "approved"),
        "confirm": Act("cases.report_property", "sent"),
        "drop": Act("cases.report_property", "open drafted", after="drafted_by_key"),
    }),
    "cases.commercereview": Screen(add="cases.answer_commerce", acts={
        "add_ask": Act("cases.answer_commerce", "open remediation"),
        "answer": Act("cases.answer_commerce", "open remediation"),
        "recommend": Act("cases.answer_commerce", "open remediation"),
        "show_proof": Act("cases.answer_commerce", "remediation"),
        "judge_proof": Act("cases.answer_commerce", "remediation"),
        "close": Act("cases.answer_commerce", "open remediation"),
    }),
    "cases.flaggedclass": Screen(add="cases.answer_commerce", acts={
        "end_flag": Act("cases.answer_commerce"),
    }),
    "cases.backupcopy": Screen(named=OF_REQUEST, acts={
        "made": Act("cases.handle_legal", "ordered"),
        "confirm": Act("cases.handle_legal", "made"),
        "note_notice": Act("cases.handle_legal", "ordered made confirmed"),
        "release": Act("cases.handle_legal", "confirmed"),
    }),
    "cases.specialmeasure": Screen(add="cases.handle_measure", acts={
        "confirm": Act("cases.handle_measure", "recorded", after="recorded_by_key"),
        "compute": Act("cases.handle_measure", "recorded confirmed in_effect"),
        "begin": Act("cases.handle_measure", "confirmed", after="recorded_by_key"),
        "extend": Act("cases.handle_measure", "confirmed in_effect"),
        "end_early": Act("cases.handle_measure", "recorded confirmed in_effect"),
        "note_factor": Act("cases.handle_measure"),
        "review": Act("cases.review_measure", "over"),
    }),
    "cases.measurehit": Screen(acts={
        "judge": Act("cases.judge_measurehit"),
        "agree": Act("cases.judge_measurehit", after=FIRST),
        "send_back": Act("cases.judge_measurehit"),
        "propose_override": Act("cases.handle_measure"),
        "agree_override": Act("cases.handle_measure"),
        "decline_override": Act("cases.handle_measure"),
        "end_override": Act("cases.handle_measure"),
    }),
    "cases.bundle": Screen(named=OF_CASE, acts={
        "approve": Act("cases.approve_bundle", "collected"),
        "redact": Act("cases.collect_bundle", "collected"),
        "undo_redaction": Act("cases.collect_bundle", "collected"),
        "take_back": Act("cases.collect_bundle cases.approve_bundle", "approved failed"),
        "set_aside": Act("cases.collect_bundle", "collected approved failed"),
        "hand_over": Act("cases.download_bundle", "built"),
        "acknowledge": Act("cases.download_bundle", "handed_over"),
    }),
    # --- the shared ground
    "notices.notice": Screen(),
    "policy.cipversion": Screen(add="policy.approve_cip"),
    "policy.privacynoticeversion": Screen(add="policy.approve_cip"),
    "policy.statementversion": Screen(add="policy.approve_cip"),
    "policy.citation": Screen(),
    "policy.deadline": Screen(speaks_of=True),
    "policy.holiday": Screen(add="policy.add_holiday"),
    "policy.regimeprofile": Screen(),
    "policy.product": Screen(
        add="policy.keep_products",
        acts={
            "countersign": Act("policy.keep_products", "proposed", after="proposed_by_key"),
            "decline": Act("policy.keep_products", "proposed", after="proposed_by_key"),
            "withdraw": Act("policy.keep_products", "proposed"),
        },
    ),
    "records.auditevent": Screen(),
    "records.identityview": Screen(),
    "records.legalhold": Screen(add="records.place_hold", acts={"release": Act("records.release_hold")}),
    "records.tombstone": Screen(),
    "records.rowchange": Screen(acts={"settle": Act("records.settle_rowchange")}),
    "records.purgerun": Screen(add="records.purge", acts={"destroy": Act("records.purge", "finished")}),
    "records.clockwatch": Screen(acts={"confirm": Act("records.confirm_clock")}),
    "api.apikey": Screen(add="api.manage_keys", acts={"revoke": Act("api.manage_keys")}),
    "api.webhookendpoint": Screen(
        add="api.manage_keys",
        acts={name: Act("api.manage_keys") for name in ("rotate", "drop_former", "change_key", "end")},
    ),
    "api.webhookdelivery": Screen(acts={"send_again": Act("api.manage_keys", "sent given_up", many=True)}),
    "staff.breakglass": Screen(add="staff.take_breakglass", own="member_id", all_for="staff.see_everything", acts={
        "give_back": Act("staff.take_breakglass", whose="member_id"),
        "note_review": Act("staff.review_breakglass"),
    }),
    "staff.staffmember": Screen(add="staff.manage_people", acts={
        "change_roles": Act("staff.manage_people"),
        "give_link": Act("staff.manage_people"),
        "remove_factors": Act("staff.manage_people"),
        "end_sessions": Act("staff.manage_people"),
        "lift_lock": Act("staff.manage_people"),
        "make_inactive": Act("staff.manage_people"),
    }),
    "work.job": Screen(acts={"try_again": Act("work.revive", "dead", many=True)}),
}  # fmt: skip
