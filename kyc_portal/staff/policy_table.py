"""Who may do what: a row for each address and secret, and in policy_screens.py for each screen and button (ASVS 8.1.1).

Rights are named as in roles.py, which says who holds them; of several in one text, one is enough. What has no row is
closed to everybody: the middleware answers 404, and policy_check.py names it when the portal starts.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import cache

from django.apps import apps
from django.conf import settings
from django.db.models import Q

from kyc_portal.staff.policy_rows import (
    ANY_STAFF,
    ANYBODY_HERE,
    EVERYBODY,
    KEY_HOLDERS,
    Act,
    Hidden,
    Named,
    Page,
    has_one,
)
from kyc_portal.staff.policy_screens import SCREENS, UNMASK

SMALL = 64 * 1024  # bytes: a form without a file
CASE_WORKERS = "cases.review cases.handle_legal"
LARGE = 64 * 1024 * 1024  # a file of customers; the policy's own figure for these is smaller

# Addresses that are no page of a record. A name may end in "*"; the first row that fits counts.
PAGES: dict[str, Page] = {
    "health": Page(get=EVERYBODY),
    "login": Page(get=EVERYBODY, post=EVERYBODY),
    "logout": Page(post=EVERYBODY),
    "start": Page(get=ANYBODY_HERE),
    # --- signing in, and a person's own pages
    "account_login": Page(get=EVERYBODY, post=EVERYBODY),
    "mfa_authenticate": Page(get=EVERYBODY, post=EVERYBODY),
    "mfa_login_webauthn": Page(get=EVERYBODY, post=EVERYBODY),
    "openid_connect_*": Page(get=EVERYBODY, has_head=False),
    "choose_password": Page(get=EVERYBODY, post=EVERYBODY),
    "account_reauthenticate": Page(get=ANYBODY_HERE, post=ANYBODY_HERE),
    "mfa_index": Page(get=ANYBODY_HERE),
    "mfa_list_webauthn": Page(get=ANYBODY_HERE),
    "mfa_view_recovery_codes": Page(get=ANYBODY_HERE),
    "mfa_*": Page(get=ANYBODY_HERE, post=ANYBODY_HERE),
    "own_sessions": Page(get=ANYBODY_HERE, post=ANYBODY_HERE),
    "end_session": Page(post=ANYBODY_HERE),
    # --- the rest
    "api:verifier-answers": Page(post=KEY_HOLDERS),  # proves itself by a signature; the view limits the body
    "api:*": Page(get=KEY_HOLDERS, post=KEY_HOLDERS),
    "admin:login": Page(get=EVERYBODY, post=EVERYBODY),
    "admin:logout": Page(post=EVERYBODY),
    "admin:index": Page(get=ANY_STAFF),
    "admin:jsi18n": Page(get=ANY_STAFF),
    "admin:password_change": Page(get=ANY_STAFF, post=ANY_STAFF),
    "admin:password_change_done": Page(get=ANY_STAFF),
    "admin:accounts_risksignal_catalogue": Page(get="accounts.view_risksignal"),
    "admin:accounts_risksignal_detector": Page(get="accounts.view_risksignal"),
    "admin:accounts_verification_workspace": Page(
        get="accounts.view_verification", post=UNMASK, of="accounts.verification"
    ),
    "accounts:original": Page(get="accounts.download_document", has_head=False, of="accounts.identitydocument"),
    "accounts:copy": Page(get="accounts.view_identitydocument", has_head=False, of="accounts.identitydocument"),
    "accounts:copy_of_person": Page(
        get="accounts.handle_privacy", post="accounts.handle_privacy", of="accounts.privacyrequest"
    ),
    "admin:records_purgerun_rules": Page(get="records.view_purgerun"),
    "accounts:reveal": Page(get=UNMASK, post=UNMASK, of="accounts.party"),
    "accounts:access": Page(get="accounts.view_accessrecord", besides="accounts.view_account", of="accounts.account"),
    "accounts:links": Page(get="accounts.view_party", of="accounts.party"),
    "accounts:owners_on_a_day": Page(get="accounts.view_party", of="accounts.party"),
    "accounts:export_ownership": Page(
        get="accounts.export_ownership", post="accounts.export_ownership", of="accounts.party"
    ),
    "accounts:import_ownership": Page(
        get="accounts.import_ownership", post="accounts.import_ownership", of="accounts.party"
    ),
    "accounts:import_customers": Page(get="accounts.import_customers", post="accounts.import_customers"),
    # --- the customer's own page: a link and the cookie it gives are judged by the views themselves
    "customer:link": Page(get=EVERYBODY, post=EVERYBODY, most_bytes=SMALL),
    "customer:start": Page(get=EVERYBODY),
    "customer:part": Page(get=EVERYBODY, post=EVERYBODY, most_bytes=settings.DOCUMENT_MAX_BYTES + SMALL),
    "customer:confirm": Page(get=EVERYBODY, post=EVERYBODY, most_bytes=SMALL),
    "customer:contact": Page(get=EVERYBODY, post=EVERYBODY, most_bytes=SMALL),
    "customer:objection": Page(get=EVERYBODY, post=EVERYBODY, most_bytes=SMALL),
    "customer:done": Page(post=EVERYBODY, most_bytes=SMALL),
    "customer:leave": Page(post=EVERYBODY, most_bytes=SMALL),
    "admin:cases_decision_catalogue": Page(get="cases.view_decision"),
    "admin:cases_decision_replay": Page(get="cases.view_decision", of="cases.decision"),
    "cases:download_bundle": Page(get="cases.download_bundle", has_head=False, of="cases.bundle"),
    "admin:cases_specialmeasure_dry_run": Page(get="cases.view_specialmeasure", of="cases.specialmeasure"),
    "admin:cases_specialmeasure_dry_run_file": Page(get="cases.view_specialmeasure", of="cases.specialmeasure"),
    "cases:property_report_file": Page(get="cases.report_property", has_head=False, of="cases.propertyreport"),
    "cases:preview_bundle": Page(get="cases.collect_bundle cases.approve_bundle", has_head=False, of="cases.bundle"),
    "cases:download_report": Page(get="cases.download_abusereport", has_head=False, of="cases.abusereport"),
    # --- the queue: who sees cases reads it, who works them acts; which case is judged by the flow, one by one
    "review:queue": Page(get="cases.view_case"),
    "review:case": Page(get="cases.view_case", of="cases.case"),
    "review:case_take": Page(post=CASE_WORKERS, most_bytes=SMALL, of="cases.case", act="take"),
    "review:case_note": Page(post=CASE_WORKERS, most_bytes=SMALL, of="cases.case", act="note"),
    "review:case_check": Page(post=CASE_WORKERS, most_bytes=SMALL, of="cases.case", act="note"),
    "review:case_propose": Page(post="cases.review", most_bytes=SMALL, of="cases.case", act="propose"),
    "review:case_countersign": Page(post="cases.decide", most_bytes=SMALL, of="cases.case", act="countersign"),
    "review:case_decline": Page(post="cases.decide", most_bytes=SMALL, of="cases.case", act="decline"),
    "review:case_undo": Page(post="cases.review cases.decide", most_bytes=SMALL, of="cases.case", act="undo"),
    "review:case_withdraw": Page(post=CASE_WORKERS, most_bytes=SMALL, of="cases.case", act="withdraw"),
    "review:break_in": Page(get="cases.break_in", post="cases.break_in", most_bytes=SMALL),
    "review:next": Page(post="cases.review cases.handle_legal", most_bytes=SMALL),
    "review:assign": Page(post="cases.assign", most_bytes=SMALL),
    "review:close": Page(post="cases.review cases.handle_legal", most_bytes=SMALL),
    "review:decide": Page(post="cases.review", most_bytes=SMALL),
    "review:save_view": Page(post="cases.view_case", most_bytes=SMALL),
    "review:let_view_go": Page(post="cases.view_case", most_bytes=SMALL),
    "review:absences": Page(
        get="cases.review cases.handle_legal", post="cases.review cases.handle_legal", most_bytes=SMALL
    ),
    "review:end_absence": Page(post="cases.review cases.handle_legal", most_bytes=SMALL),
    "resellers:overview": Page(get=ANYBODY_HERE),
    "resellers:accounts": Page(get=ANYBODY_HERE),
    "resellers:roster": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:customer": Page(get=ANYBODY_HERE),
    "resellers:uploads": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=LARGE),
    "resellers:template": Page(get=ANYBODY_HERE),
    "resellers:upload": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:bad_rows": Page(get=ANYBODY_HERE),
    "resellers:messages": Page(get=ANYBODY_HERE),
    "resellers:message": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:cip": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=2_000_000),
    "resellers:certification": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:certifications": Page(get=ANYBODY_HERE),
    "resellers:certified": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:attestations": Page(get=ANYBODY_HERE),
    "resellers:attestation": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:findings": Page(get=ANYBODY_HERE),
    "resellers:finding": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=SMALL),
    "resellers:samples": Page(get=ANYBODY_HERE),
    "resellers:sample": Page(get=ANYBODY_HERE),
    "resellers:sampled": Page(get=ANYBODY_HERE, post=ANYBODY_HERE, most_bytes=settings.DOCUMENT_MAX_BYTES + SMALL),
    "resellers:counts": Page(get=ANYBODY_HERE),
    "admin:resellers_reseller_counts": Page(get="resellers.view_reseller"),
    "admin:resellers_reseller_counts_file": Page(get="resellers.view_reseller"),
    "admin:resellers_sampledfile_original": Page(
        get="resellers.download_sample", has_head=False, of="resellers.sampledfile"
    ),
    "resellers:ending": Page(get=ANYBODY_HERE),
    "admin:accounts_accessbatch_refused": Page(
        get="accounts.view_accessrecord", besides="accounts.view_accessbatch", has_head=False, of="accounts.accessbatch"
    ),
    "admin:resellers_ciprequest_download": Page(get="resellers.produce_cip", has_head=False, of="resellers.ciprequest"),
    "resellers:password": Page(get=ANYBODY_HERE, post=ANYBODY_HERE),
}

# Addresses of the admin that stand for many rows: the end of their name, and the argument that says which row.
DOORS = {"_do": "name", ":app_list": "app_label"}


def argument_of(name: str) -> str:
    """The argument of an address that says which row is meant; "" for an address with one row."""
    found = (argument for end, argument in DOORS.items() if name.startswith("admin:") and name.endswith(end))
    return next(found, "")


# Sealed columns, and who reads them in clear; for everybody else they are dots. A hit shows its party's birth date.
FIELDS: dict[str, str] = {
    "accounts.party.birth_date": UNMASK,
    "accounts.party.national_id": UNMASK,
    "accounts.party.registration_number": UNMASK,
    "accounts.screeninghit.birth_date": "accounts.judge_hit accounts.second_hit",  # beside the entry's, to compare
    **dict.fromkeys((f"accounts.address.{column}" for column in ("lines", "contact_name")), UNMASK),
    "accounts.ownershipcertification.signed_by": UNMASK,
    "accounts.contactpoint.value": UNMASK,
    "accounts.identitydocument.number": UNMASK,
    "accounts.identitydocument.mrz": UNMASK,
    "accounts.identitydocument.file_name": f"{UNMASK} accounts.download_document",
    **dict.fromkeys(
        (f"accounts.paymentmethod.{column}" for column in ("identifier", "holder", "customer_number", "transactions")),
        UNMASK,
    ),
    **dict.fromkeys(("accounts.discrepancy.stated", "accounts.discrepancy.found"), UNMASK),
    "accounts.zonereading.proposal": UNMASK,
    **dict.fromkeys((f"accounts.externalcheck.{column}" for column in ("question", "send_customer_to")), UNMASK),
    "accounts.externalanswer.body": UNMASK,
    "accounts.objection.text": "accounts.verify accounts.answer_redress",  # whoever answers it
    "accounts.privacyrequest.name": "accounts.handle_privacy accounts.answer_privacy",  # the two who decide
    "accounts.privacyrequest.contact": "accounts.handle_privacy accounts.answer_privacy",
    **dict.fromkeys(
        (f"resellers.resellercontact.{column}" for column in ("name", "email", "phone")),
        "resellers.add_reseller resellers.decide_cip",  # who works with them
    ),
    "resellers.finding.evidence": "resellers.hold_against resellers.end_finding",
    "resellers.finding.plan": "resellers.hold_against resellers.end_finding",
    "resellers.termination.words": "resellers.propose_termination resellers.decide_termination",
    "resellers.authorityreport.about": "resellers.report_to_authority",
    "resellers.resellermessage.text": "resellers.write_to",
    **dict.fromkeys(
        (f"resellers.rosterentry.{column}" for column in ("email", "birth_date", "registration_number")), UNMASK
    ),
    "resellers.sampledfile.file_name": "resellers.judge_sample resellers.download_sample",
    "resellers.sampledfile.words": "resellers.judge_sample resellers.hold_against",
    "resellers.rosterhit.birth_date": "accounts.judge_hit accounts.second_hit",  # beside the entry's, to compare
    **dict.fromkeys(  # shown once, to whoever made it
        (f"api.webhookendpoint.{column}" for column in ("secret", "former_secret")), "api.manage_keys"
    ),
    "notices.notice.address": UNMASK,
    "notices.notice.context": UNMASK,
    "cases.casenote.text": "cases.view_case",
    "cases.measurefactor.note": "cases.handle_measure cases.review_measure",
    **dict.fromkeys(
        (
            f"cases.propertyreport.{column}"
            for column in ("property", "transaction", "places", "contact_name", "contact_phone", "contact_email")
        ),
        "cases.report_property",
    ),
    "cases.voluntarydisclosure.facts": "cases.collect_bundle cases.approve_bundle",
    "cases.abusereport.contact": "cases.resolve_abusereport",  # the desk alone: reporters must not be found out
}

# What a reseller's manager learns of a customer besides the country of an address, and nothing else of anybody.
OUTSIDERS_SEE = (
    "reseller__reference", "account__reference", "account__status", "account__created_at", "account__opened_at",
    "account__closed_at", "account__party__legal_name", "account__party__formation_country",
)  # fmt: skip

# Sections of a page, on whatever record's, that take a right of their own. Holds, and the events about them, tell of an
# authority's request that must stay secret.
SECRET_SECTIONS = {
    "holds": "records.view_legalhold",
    "hits": "accounts.view_screeninghit",
    "seen-before": "accounts.view_seenbefore",
    "blocked-owners": "accounts.view_screeninghit",
    "documents": "accounts.view_identitydocument",
    "known-keys": "accounts.view_unknownaccount",
    "reports": "resellers.view_authorityreport",
}
SECRET_VERBS = {
    "records.hold.": "records.view_legalhold",
    "resellers.report.": "resellers.view_authorityreport",
    "cases.property_report": "cases.view_propertyreport",
}


def right_to_see(label: str) -> str:
    """The right to see records of a kind, named by its label ("accounts.party")."""
    app, _, model = label.partition(".")
    return f"{app}.view_{model}"


def act(label: str, name: str) -> Act:
    """The row of a button. Raises LookupError when the table does not know it."""
    try:
        return SCREENS[label].acts[name]
    except KeyError:
        raise LookupError(f"The button {name} of {label} has no row in kyc_portal/staff/policy_screens.py.") from None


def may_see(user, label: str, column: str) -> bool:
    """Whether this person reads a sealed column in clear."""
    return has_one(user, FIELDS[f"{label}.{column}"])


def may_see_section(user, section: str) -> bool:
    """Whether this person may know of a section that pages of several kinds share."""
    return section not in SECRET_SECTIONS or user.has_perm(SECRET_SECTIONS[section])


def may_see_verb(user, verb: str) -> bool:
    """Whether this person may read events of this verb on a record's page."""
    return all(user.has_perm(right) for start, right in SECRET_VERBS.items() if verb.startswith(start))


def rows_for(user, rows):
    """Of a queryset the rows that exist for this person: none without the right to see the kind, and none hidden."""
    label = rows.model._meta.label_lower
    if not user.has_perm(right_to_see(label)):
        return rows.none()
    for hidden in _hidden_from(user, label):
        rows = rows.exclude(**{hidden.column: hidden.value})
    screen = SCREENS[label]
    if screen.named:
        rows = rows.exclude(_closed_to(user, screen.named))
    if screen.own and not user.has_perm(screen.all_for):
        rows = rows.filter(**{screen.own: user.pk})
    if not screen.speaks_of:
        return rows
    seen = [kind for kind in SCREENS if user.has_perm(right_to_see(kind))]
    rows = rows.filter(label__in=seen)
    for kind in seen:
        for hidden in _hidden_from(user, kind):
            unseen = apps.get_model(kind)._base_manager.filter(**{hidden.column: hidden.value})
            rows = rows.exclude(label=kind, name__in=unseen.values("reference"))
        if named := SCREENS[kind].named:
            unseen = apps.get_model(kind)._base_manager.filter(_closed_to(user, named))
            rows = rows.exclude(label=kind, name__in=unseen.values("reference"))
    return rows


def _closed_to(user, named: Named) -> Q:
    """The rows of a screen that are open to named people, of whom this is none."""
    open_to = apps.get_model(named.readers)._base_manager.filter(user=user.pk, ended_at__isnull=True)
    return Q(**{named.flag: True}) & ~Q(**{f"{named.path}__in": open_to.values("case")})


def may_see_kind_of(user, record) -> bool:
    """Whether a record's kind is no secret to this person, whoever else is named on the record itself."""
    label = record._meta.label_lower
    if not (user.is_active and user.has_perm(right_to_see(label))):
        return False
    return all(getattr(record, each.column) != each.value for each in _hidden_from(user, label))


def unseen_of(user, label: str, references: Collection[str]) -> set[str]:
    """Which of these records of one kind, by reference, do not exist for this person though they are there."""
    rows = apps.get_model(label)._base_manager.filter(reference__in=references)
    seen = rows_for(user, rows).values("pk")
    return set(rows.exclude(pk__in=seen).values_list("reference", flat=True))


def _hidden_from(user, label: str) -> list[Hidden]:
    return [hidden for hidden in SCREENS[label].hidden if not user.has_perm(hidden.unless)]


@cache
def every_page() -> dict[str, Page]:
    """PAGES and what the rows of SCREENS mean as addresses; a button is "admin:app_model_do:name"."""
    found = {}
    for label, screen in SCREENS.items():
        base, view = f"admin:{label.replace('.', '_')}", right_to_see(label)
        app = f"admin:app_list:{label.partition('.')[0]}"
        found[app] = Page(get=f"{found[app].get} {view}" if app in found else view)
        in_lists = " ".join(act.every_right for act in screen.acts.values() if act.many)
        found[f"{base}_changelist"] = Page(get=view, post=in_lists, besides=view)
        found[f"{base}_change"] = Page(get=view, of=label)
        if screen.add:
            found[f"{base}_add"] = Page(get=screen.add, post=screen.add)
        for name, act in screen.acts.items():
            found[f"{base}_do:{name}"] = Page(get=act.every_right, post=act.every_right, besides=view, of=label)
    return {**PAGES, **found}


def page_named(name: str) -> Page | None:
    """The row of an address by the name of its view; None when there is no row."""
    pages = every_page()
    if name in pages:
        return pages[name]
    return next((page for pattern, page in pages.items() if "*" in pattern and fnmatchcase(name, pattern)), None)


def page_at(match) -> Page | None:
    """The row of a resolved address (django.urls.ResolverMatch); a button and an app have rows of their own."""
    part = match.kwargs.get(argument_of(match.view_name), "")
    return page_named(f"{match.view_name}:{part.replace('-', '_')}" if part else match.view_name)
