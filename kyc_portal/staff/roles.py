"""Roles and what each may do: one table. `sync_roles` makes the groups agree with it.

Duties that one person must not hold together stand beside it (SEPARATED); an auditor reads all and changes nothing.
"""

from collections.abc import Iterable

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import moment
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.verbs import Verb


class DutiesNotSeparated(Refusal):
    """One person would hold two duties that must lie with two."""


class NoSuchRole(Refusal):
    """A role that the table does not list."""


def _view(app: str, *models: str) -> tuple[str, ...]:
    return tuple(f"{app}.view_{model}" for model in models)


CUSTOMERS = _view(
    "accounts", "party", "account", "identitydocument", "paymentmethod", "verification", "screeninghit",
    "watchlistsnapshot", "accessbatch", "accessrecord", "addressrangesnapshot", "risksignal", "restriction",
    "objection", "couldnotverify", "seenbefore",
) + _view("resellers", "rosterhit")  # fmt: skip
MEASURES = _view("cases", "specialmeasure", "measurehit")
CASES = _view("cases", "case", "decision", "appeal")
ABUSE = _view("cases", "abusereport")  # the desk's own: reporters must not be found out
COMMERCE = _view("cases", "commercereview", "flaggedclass")
LEGAL = _view("cases", "legalrequest", "bundle", "voluntarydisclosure", "backupcopy", "propertyreport")
PRIVACY = _view("accounts", "privacyrequest")  # the answer may rest on a hold, of which reviewers must not know
RESELLERS = _view(
    "resellers", "reseller", "downstreamcustomer", "resellercip", "finding", "certification", "attestation", "sample",
    "sampledfile", "rosterupload", "rosterentry", "termination", "terminationstep", "ciprequest",
)  # fmt: skip
ASKED_FOR = _view("resellers", "reseller", "resellercip", "ciprequest")  # what an authority asks of resellers
REPORTS = _view("resellers", "authorityreport")  # who is reported to an authority must not learn of it from others
POLICY = _view(
    "policy", "regimeprofile", "citation", "cipversion", "privacynoticeversion", "statementversion", "deadline",
    "holiday", "product",
)  # fmt: skip
NOTICES = _view("notices", "notice")
# The whole trail and the holds tell of authorities' requests, which reviewers and leads must not know of.
GROUND = (
    *_view("records", "auditevent", "legalhold", "tombstone", "identityview", "rowchange", "purgerun"),
    *POLICY, *NOTICES,
)  # fmt: skip
WORK = _view("work", "job")
PEOPLE = _view("staff", "staffmember")
KEYS = _view("api", "apikey", "webhookendpoint", "webhookdelivery")
GLASS = (*_view("staff", "breakglass"), "staff.take_breakglass")  # what may be taken stands in breakglass.py

REVIEWING = (
    *ABUSE,
    *MEASURES,
    "cases.judge_measurehit",
    "cases.review",
    "accounts.judge_hit",
    "cases.take_in_abusereport",
    "cases.resolve_abusereport",
    "cases.download_abusereport",
)
VERIFYING = (
    "accounts.add_account", "accounts.settle_status", "accounts.verify", "accounts.activate", "accounts.refuse",
    "accounts.import_customers", "accounts.download_document", "accounts.reveal", "accounts.import_ownership",
    "accounts.export_ownership",
)  # fmt: skip

ROLES: dict[str, tuple[str, ...]] = {
    "reviewer": (*CUSTOMERS, *CASES, *RESELLERS, *_view("policy", "deadline"), *REVIEWING, *VERIFYING),
    "lead reviewer": (
        *CUSTOMERS, *CASES, *RESELLERS, *POLICY, *NOTICES, *REVIEWING, *VERIFYING, *GLASS,
        "accounts.close", "accounts.answer_redress", "accounts.second_hit", "accounts.load_watchlist", "cases.assign",
        "cases.decide", "cases.review_measure", "cases.answer_appeal", "accounts.restrict", "accounts.set_tier",
    ),
    "reseller desk": (
        *CUSTOMERS, *RESELLERS, "resellers.add_reseller", "resellers.bind_manager", "resellers.submit_cip",
        "resellers.write_to", "resellers.withdraw_certification",
        "resellers.propose_termination", "resellers.produce_cip",
        "resellers.review_cip", "resellers.decide_cip", "resellers.hold_against", "resellers.end_finding",
        "resellers.judge_sample", "resellers.download_sample",
    ),
    "reseller manager": (),  # works in /resellers/ only, by binding to named resellers
    "legal": (
        *CUSTOMERS, *CASES, *MEASURES, *LEGAL, *PRIVACY, *ASKED_FOR, *REPORTS, *GROUND, *GLASS, "cases.handle_measure",
        "resellers.report_to_authority",
        "resellers.produce_cip",
        "cases.handle_legal", "cases.collect_bundle", "cases.approve_bundle", "cases.download_bundle",
        "cases.report_property", *COMMERCE, "cases.answer_commerce",
        "cases.answer_appeal", "accounts.answer_privacy", "accounts.answer_redress", "records.place_hold",
        "records.release_hold", "accounts.download_document",
        "accounts.reveal", "accounts.export_ownership",
    ),
    "compliance": (
        *CUSTOMERS, *CASES, *MEASURES, *RESELLERS, *REPORTS, *PRIVACY, *GROUND, *GLASS, "resellers.propose_termination",
        *COMMERCE, "cases.answer_commerce",
        "resellers.decide_termination", "resellers.report_to_authority", "resellers.produce_cip",
        "policy.approve_cip", "policy.add_holiday", "policy.keep_products", "cases.break_in",
        "records.purge", "records.settle_rowchange", "accounts.handle_privacy", "resellers.review_cip",
        "resellers.decide_cip", "resellers.hold_against", "resellers.end_finding", "resellers.withdraw_certification",
        "resellers.judge_sample", "resellers.download_sample",
    ),
    "senior manager": (*GROUND, *CASES, *MEASURES, *RESELLERS, "resellers.decide_termination", "policy.keep_products"),
    "auditor": (
        *CUSTOMERS, *CASES, *MEASURES, *LEGAL, *COMMERCE, *PRIVACY, *RESELLERS, *REPORTS, *ABUSE, *GROUND, *WORK,
        *PEOPLE, *KEYS,
        *_view("records", "clockwatch"), "staff.see_everything", "accounts.download_document",
        *_view("staff", "breakglass"), "staff.review_breakglass",
    ),
    "administrator": (
        *PEOPLE, *WORK, *KEYS, "staff.manage_people", "api.manage_keys", "work.revive",
        *_view("records", "auditevent", "rowchange", "clockwatch"), "records.confirm_clock",
    ),
}  # fmt: skip

# Two roles in one person would let them countersign themselves, or hide what they did.
SEPARATED = (
    ({"auditor"}, set(ROLES) - {"auditor"}),
    ({"administrator"}, set(ROLES) - {"administrator"}),
    ({"reseller manager"}, set(ROLES) - {"reseller manager"}),
    ({"legal"}, {"reviewer", "lead reviewer"}),
    ({"senior manager"}, {"reviewer", "lead reviewer", "reseller desk"}),
)


def require_separation(roles: Iterable[str]) -> None:
    """Raise DutiesNotSeparated when one person may not hold these roles together."""
    held = set(roles)
    for one, others in SEPARATED:
        if held & one and held & others:
            pair = f"“{min(held & one)}” and “{min(held & others)}”"
            raise DutiesNotSeparated(f"One person cannot be {pair}. Give the second role to somebody else.")


def holds_by_role(user: StaffMember, permission: str) -> bool:
    """Whether an active person has this permission by a role, not for a time only."""
    return ModelBackend().has_perm(user, permission)


def permissions_of(role: str) -> list[Permission]:
    """The permissions of a role, found by app and codename. Raises LookupError for one that does not exist."""
    found = []
    for name in ROLES[role]:
        app, _, codename = name.partition(".")
        permission = Permission.objects.filter(content_type__app_label=app, codename=codename).first()
        if permission is None:
            raise LookupError(f"The role {role} names the permission {name}, which does not exist.")
        found.append(permission)
    return found


@flow
def sync_roles(*, by: Actor, at=None) -> int:
    """Make the groups agree with ROLES; returns how many groups changed. May be repeated."""
    changed = 0
    for role in ROLES:
        group, is_new = Group.objects.get_or_create(name=role)
        wanted = {permission.pk for permission in permissions_of(role)}
        there = set(group.permissions.values_list("pk", flat=True))
        if is_new or wanted != there:
            group.permissions.set(wanted)
            changed += 1
    if changed:
        about = RecordRef("auth.group", "roles", "roles")
        audit.record(Verb.ROLES_SYNCED, about, by=by, at=at or moment(None), changed=changed)
    return changed


@flow
def give_roles(user: StaffMember, roles: Iterable[str], *, by: Actor, at) -> StaffMember:
    """Replace a person's roles; raises NoSuchRole or DutiesNotSeparated. Nobody gives roles to themselves."""
    roles = set(roles)
    if unknown := roles - set(ROLES):
        raise NoSuchRole(f"There is no role “{min(unknown)[:80]}”. Choose one of {', '.join(ROLES)}.")
    require_separation(roles)
    if by.kind == "person" and by.key == str(user.pk):
        raise DutiesNotSeparated("You cannot change your own roles. Ask another administrator.")
    user = StaffMember.objects.select_for_update().get(pk=user.pk)
    old = sorted(user.groups.values_list("name", flat=True))
    user.groups.set(Group.objects.filter(Q(name__in=roles)))
    user.is_staff = bool(roles - {"reseller manager"})
    user.save(update_fields=["is_staff"])
    audit.record(
        Verb.ROLES_CHANGED, user, by=by, at=at, old=", ".join(old) or "none", new=", ".join(sorted(roles)) or "none"
    )
    return user
