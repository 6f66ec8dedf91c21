"""The world of the matrix: people of every kind, a row of every kind, and words of others that must not come out."""

import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.flows import identification, objections, parties, verification
from accounts.models import Account, IdentityDocument, Objection
from cases.flows import legal_requests, readers, review, triage
from cases.models import Appeal, Bundle, Case, Decision, PropertyReport
from cases.models.case import CaseKind
from kyc_portal.records.models import Tombstone
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import policy_table
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.policy_check import names_of
from kyc_portal.staff.policy_screens import SEE_LEGAL
from kyc_portal.staff.roles import ROLES
from kyc_portal.staff.sections import url_of
from resellers.flows import file, messages
from resellers.models import CipRequest, DownstreamCustomer, Reseller, SampledFile
from tests.accounts.verifier import answer_to, deliver, make_check, read
from tests.bad_input.doors import all_rights, make_one_of_each
from tests.builders import make_company, make_entry, png_bytes
from tests.cases import reports
from tests.cases.builders import make_bundle, make_case, make_request, validated
from tests.conftest import NOON, person

GONE = uuid.UUID("00000000-0000-4000-8000-00000000dead")
NEVER = uuid.UUID("00000000-0000-4000-8000-000000000000")
GONE_NUMBER, NEVER_NUMBER = 999_999_998, 999_999_999
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>")
FIXED = {
    "number": 1, "model": "party", "field": "birth_date", "pk": NEVER_NUMBER, "key": NEVER_NUMBER, "format": "jsonl",
    "saved": NEVER, "absence": NEVER, "uidb64": "MQ", "token": "x-y", "reference": "ACC-0000-0000", "kind": "csv",
    "code": "impossible_travel",
}  # fmt: skip
RANDOM = re.compile(
    r"""name="csrfmiddlewaretoken" value="\w+"|csrftoken=\w+|sessionid=\w+|expires=[^;]+|'Expires': [^)}]+"""
)
NOBODY, INACTIVE, WITHOUT_ROLE, EVERYTHING = "not logged in", "inactive", "staff without a role", "every right"
MANAGER_A, MANAGER_B = "reseller manager", "reseller manager of B"
PEOPLE = (NOBODY, INACTIVE, WITHOUT_ROLE, *ROLES, EVERYTHING)


@dataclass
class Canary:
    """A word that only holders of one of the rights may read on a page they reach by links."""

    word: str
    rights: str


@dataclass
class Matrix:
    """Who asks (name → browser), the records asked for, and the words to look for."""

    browsers: dict[str, Client] = field(default_factory=dict)
    users: dict[str, StaffMember] = field(default_factory=dict)
    canaries: list[Canary] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)  # pages where words of B stand
    known_to_b: list[str] = field(default_factory=list)  # what the other manager may read: their own
    addresses: dict[str, list] = field(default_factory=dict)  # the ways to ask for each address
    secrets: dict = field(default_factory=dict)  # by person, the words that they must not read
    seen: dict[str, dict[str, str]] = field(default_factory=dict)  # by who crawled, what they saw: address → text

    def ways_to(self, name: str, page: policy_table.Page) -> list:
        """(relation, path, record or None) of every way to ask for one address, found once for everybody."""
        if name not in self.addresses:
            self.addresses[name] = list(addresses_of(name, page))
        return self.addresses[name]

    def secrets_of(self, user) -> list[str]:
        """The words that this person must not read on any page; looked up once for each."""
        if user not in self.secrets:
            self.secrets[user] = [each.word for each in self.canaries if not policy_table.has_one(user, each.rights)]
        return self.secrets[user]


def make_matrix(folder: Path) -> Matrix:
    """The whole world, to be built once for many questions."""
    matrix = Matrix()
    worker = all_rights()
    make_one_of_each(folder, worker)
    _plant_customer_of_b(matrix)
    _plant_legal_matter(matrix, worker)
    _plant_restricted_case(matrix, worker)
    for model in apps.get_models():
        if model._meta.label_lower in policy_table.SCREENS and model is not Tombstone:
            _bury(model)
    _let_in(matrix)
    return matrix


def _let_in(matrix: Matrix) -> None:
    """A browser for everybody; whoever cannot log in had a session from before."""
    for name in PEOPLE:
        matrix.browsers[name] = browser = Client(raise_request_exception=False)
        if name == NOBODY:
            continue
        matrix.users[name] = user = _somebody(name)
        browser.force_login(user)
        if name == INACTIVE:
            StaffMember.objects.filter(pk=user.pk).update(is_active=False)
    matrix.users[MANAGER_B] = StaffMember.objects.get(username="canarymanager")
    matrix.browsers[MANAGER_B] = Client(raise_request_exception=False)
    matrix.browsers[MANAGER_B].force_login(matrix.users[MANAGER_B])


def _somebody(name: str) -> StaffMember:
    if name == MANAGER_A:
        return StaffMember.objects.get(username="manager.a")
    if name == EVERYTHING:
        return StaffMember.objects.get(username="all.rights")
    if name in ROLES:
        return person(f"one.{name}".replace(" ", "."), name)
    user = person(f"one.{name}".replace(" ", "."), "legal")
    if name == WITHOUT_ROLE:
        user.groups.clear()
    return user


def _plant_customer_of_b(matrix: Matrix) -> None:
    """Give B's customer something in every column, and note for each word who may read it."""
    party = DownstreamCustomer.objects.get(reseller=reseller_b()).account.party
    made = {"by": SCHEDULER, "at": NOON}
    identification.add_document(
        party, kind="passport", number="CANARYNUMBER", country="DE", file=io.BytesIO(png_bytes("canary")),
        file_name="canaryfile.png", **made,
    )  # fmt: skip
    identification.add_payment_method(
        party, kind="bank", identifier="CANARYPAYS", institution="Canarybank", country="DE", source="salary", **made
    )
    parties.add_name(party, kind="alias", name="Canaryalias", **made)
    address = parties.NewAddress(kind="business", lines="Canarystreet 7", region="", country="DE")
    parties.add_address(party, address=address, **made)
    account = party.accounts.get()
    identification.add_owner(make_company().party, owner=party, percent=Decimal(30), **made)
    running = verification.start(account, party, trigger="doubt", **made)
    verification.find_discrepancy(running, field="address", stated="Canarystreet 7", found="elsewhere", **made)
    check = make_check(running)
    said = {"result": "no_match", "matched": [], "differing": {"birth_date": "CANARYFOUND"}}
    read(deliver(check, answer_to(check, **said), id="msg_canary"))
    officer = {"role": "officer", "name": "Otto Officer", "email": "otto@canary.example"}
    file.add_contact(reseller_b(), **officer, **made)
    for each in (reseller_a(), reseller_b()):
        is_b = each == reseller_b()
        make_entry(each, "CANARY-8" if is_b else "OWN-8", name="Canarysubtenant" if is_b else "Own subtenant")
        messages.send(each, subject_line="Canaryletter" if is_b else "Own letter", text="Read it.", **made)
    case = make_case(account, worked_by=StaffMember.objects.get(username="all.rights"))
    review.add_note(case, text="Canarynote of the customer", **made)
    told = reports.botnet(source_identifier="203.0.113.77")
    told["reporter"]["contact"] = "canarysender@reporter.example"
    reports.allocate(account, "203.0.113.77")
    report = reports.take_in(told)
    matrix.seeds += [
        url_of(each)
        for each in (
            account,
            party,
            running,
            case,
            report,
            party.documents.get(file_type="image/png"),
            Objection.objects.plain().get(),  # by its key any of three might come first
            reseller_b(),
        )
    ]
    matrix.known_to_b = [
        "Canaryperson", account.reference, reseller_b().reference, "Canarysubtenant", "CANARY-8", "Canaryletter",
        "Canaryreseller", "Canarydownstream", "canarysampled",
    ]  # fmt: skip
    matrix.seeds += [url_of(each) for each in (reseller_b().samples.get(), reseller_b().roster_hits.first())]
    matrix.canaries += [
        Canary("CANARYNUMBER", ""), Canary("CANARYPAYS", ""), Canary("Canarystreet", ""), Canary("CANARYFOUND", ""),
        Canary("canaryfile", "accounts.download_document"), Canary("Canarynote", "cases.view_case"),
        Canary("canarysender", "cases.resolve_abusereport"), Canary("203.0.113.77", "cases.view_abusereport"),
        Canary("canarymail", "accounts.reveal"), Canary("Canarybank", "accounts.view_party"),
        Canary("Canaryalias", "accounts.view_party"), Canary("CANARYENTRY", "accounts.view_screeninghit"),
        Canary("Canarysubtenant", ANY_VIEW), Canary("CANARY-8", ANY_VIEW), Canary("Canaryletter", ANY_VIEW),
        Canary("Canaryreseller", ANY_VIEW), Canary("Canaryperson", ANY_VIEW),
        Canary("canaryground", TRAIL), Canary("Canaryreport", "resellers.report_to_authority"),
        Canary("Canaryobjection", "accounts.verify accounts.answer_redress"), Canary(account.reference, ANY_VIEW),
        Canary(reseller_b().reference, ANY_VIEW),
        Canary("Canarydownstream", "resellers.view_sample resellers.view_rosterhit"),
        Canary("CANARYLISTED", "resellers.view_rosterhit"),
        Canary("canarysampled", "resellers.judge_sample resellers.download_sample"),
        Canary("Canarywords", "resellers.judge_sample resellers.hold_against"),
        Canary("Canaryseed", "resellers.view_sample"),
    ]  # fmt: skip


ANY_VIEW = "accounts.view_party cases.view_case resellers.view_reseller records.view_auditevent"
# The whole trail and the holds tell of authorities' requests; who reads those may know of legal matters.
TRAIL = f"{SEE_LEGAL} records.view_auditevent records.view_legalhold"


def _plant_legal_matter(matrix: Matrix, worker: StaffMember) -> None:
    """A request of an authority about B's customer, preserved, with a case, a note, a hold, a bundle and a decision."""
    account = DownstreamCustomer.objects.get(reseller=reseller_b()).account
    by = worker.as_actor
    request = legal_requests.log_request(
        accounts=[account], authority="Canarycourt", authority_reference="CANARYREF-7", ground="preservation",
        received_on=NOON.date(), by=by, at=NOON,
    )  # fmt: skip
    legal_requests.preserve(validated(request, by=by, at=NOON), by=by, at=NOON)
    case = request.case
    review.take(case, user=worker, at=NOON)
    review.add_note(case, text="Canarylegal note", by=by, at=NOON)
    bundle = make_bundle(case, by=by)
    words = ["Canarycourt", "CANARYREF-7", "Canarylegal", request.reference, case.reference, bundle.reference]
    decision = Decision.objects.create(
        case=case, account=account, outcome="no_action", reason="concern_cleared", proposed_at=NOON, state="proposed",
        proposed_by="all.rights", proposed_by_key=str(worker.pk), rests_on={},
    )  # fmt: skip
    customer = Account.objects.select_related("party").get(pk=account.pk)
    objection = objections.take_in(customer, text="No.", through="mail", against=None, on=NOON.date(), by=by, at=NOON)
    appeal = Appeal.objects.create(
        decision=decision, objection=objection, received_on=NOON.date(), due_on=NOON.date(), logged_at=NOON,
        logged_by="all.rights",
    )  # fmt: skip
    matrix.seeds += [url_of(each) for each in (case, request, bundle, decision, appeal)]
    matrix.canaries += [Canary(word, TRAIL) for word in [*words, decision.reference, appeal.reference]]
    make_request(by=by)


def _plant_restricted_case(matrix: Matrix, worker: StaffMember) -> None:
    """A case of B's customer that is open to two people alone, with a note and a decision."""
    case = triage.open_by_hand(
        accounts=[DownstreamCustomer.objects.get(reseller=reseller_b()).account], kind="abuse", title="Canaryclosed",
        by=worker.as_actor, at=NOON,
    )  # fmt: skip
    review.take(case, user=worker, at=NOON)
    review.add_note(case, text="Canaryclosed note", by=worker.as_actor, at=NOON)
    readers.restrict(case, to=[_somebody_else(worker)], by=worker.as_actor, at=NOON)
    decision = Decision.objects.create(
        case=case, account=case.subjects.get().account, outcome="no_action", reason="concern_cleared",
        proposed_at=NOON, state="proposed", proposed_by="all.rights", proposed_by_key=str(worker.pk), rests_on={},
    )  # fmt: skip
    named = "records.view_auditevent"  # for everybody else it is as if it did not exist; the trail is whole
    matrix.canaries += [Canary(word, named) for word in (case.reference, decision.reference)]
    matrix.canaries.append(Canary("Canaryclosed", "cases.add_case"))  # a right no role holds: the worker is named


def _somebody_else(worker: StaffMember) -> StaffMember:
    return StaffMember.objects.filter(is_superuser=True).exclude(pk=worker.pk).first()


def _bury(model) -> None:
    """What a purge leaves of a record: its tombstone."""
    Tombstone.objects.create(
        label=model._meta.label_lower, key=str(key_of(model, "purged")), name=f"GONE-{model._meta.model_name}"[:20],
        rule="customer_file", basis="test", kept_through=NOON.date(), counts={}, holds_looked_at=1, digest="0" * 64,
        event_id=1, purged_at=NOON, purged_by="the scheduler",
    )  # fmt: skip


def reseller_a() -> Reseller:
    return Reseller.objects.get(managers__user__username="manager.a")


def reseller_b() -> Reseller:
    return Reseller.objects.get(managers__user__username="canarymanager")


def key_of(model, relation: str):
    """A key that leads to nothing: of a record that was purged, or that never was."""
    if model._meta.pk.get_internal_type() == "UUIDField":
        return GONE if relation == "purged" else NEVER
    return GONE_NUMBER if relation == "purged" else NEVER_NUMBER


# --- Addresses --------------------------------------------------------------------------------------------------------


def everything_in(answer) -> str:
    """Status line, headers, cookies and body as one text.

    The session's cookie is left out: it comes again once a minute, whatever is asked, and tells nothing of a record.
    """
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    cookies = [each.output() for name, each in answer.cookies.items() if name != settings.SESSION_COOKIE_NAME]
    return "\n".join([f"{answer.status_code}", f"{answer.headers}", *cookies, body.decode(errors="replace")])


def without(text: str, key: str) -> str:
    """The answer without the key that was asked for and without what is random in every answer."""
    return RANDOM.sub("", text.replace(key, "KEY") if key else text)


@cache
def arguments_of() -> dict[str, list[str]]:
    """The names of the arguments of every address, by the name of its view."""
    return {name: [one or other for one, other in ARGUMENT.findall(route)] for name, route in names_of()}


def record_for(page: policy_table.Page, name: str):
    """The row an address is asked for: any of its kind that exists for staff; files and bundles that can be fetched."""
    model = apps.get_model(page.of)
    rows = model._default_manager.all()
    if model is IdentityDocument:
        rows = rows.exclude(file_sha256="").filter(party__legal_name__contains="Canary")
    if model is Bundle:
        rows = rows.filter(state="built")
    if model is PropertyReport:
        rows = rows.exclude(drafted_at=None)
    if model is CipRequest:
        rows = rows.filter(state="produced")
    for hidden in policy_table.SCREENS[page.of].hidden:
        rows = rows.exclude(**{hidden.column: hidden.value})
    if named := policy_table.SCREENS[page.of].named:
        rows = rows.filter(**{named.flag: False})
    if policy_table.SCREENS[page.of].speaks_of:
        rows = rows.filter(label="accounts.account")
    return rows.order_by("pk").first()


OF_RESELLER = {
    "resellers.reseller": lambda reseller, account: reseller,
    "resellers.downstreamcustomer": lambda reseller, account: reseller.customers.first(),
    "resellers.resellercip": lambda reseller, account: reseller.cips.first(),
    "resellers.finding": lambda reseller, account: reseller.findings.first(),
    "resellers.certification": lambda reseller, account: reseller.certifications.first(),
    "resellers.attestation": lambda reseller, account: reseller.attestations.first(),
    "resellers.sample": lambda reseller, account: reseller.samples.first(),
    "resellers.sampledfile": lambda reseller, account: SampledFile.objects.filter(sample__reseller=reseller).first(),
    "resellers.rosterhit": lambda reseller, account: reseller.roster_hits.first(),
    "resellers.rosterupload": lambda reseller, account: reseller.uploads.first(),
    "resellers.rosterentry": lambda reseller, account: reseller.entries.first(),
    "resellers.termination": lambda reseller, account: reseller.terminations.first(),
    "resellers.ciprequest": lambda reseller, account: reseller.cip_requests.first(),
    "resellers.authorityreport": lambda reseller, account: reseller.reports.first(),
    "accounts.account": lambda reseller, account: account,
    "accounts.party": lambda reseller, account: account.party,
    "accounts.identitydocument": lambda reseller, account: account.party.documents.exclude(file_sha256="").first(),
    "accounts.paymentmethod": lambda reseller, account: account.party.payment_methods.first(),
    "accounts.screeninghit": lambda reseller, account: account.party.hits.first(),
    "accounts.verification": lambda reseller, account: account.verifications.first(),
    "cases.case": lambda reseller, account: (
        Case.objects.filter(subjects__account=account).exclude(kind=CaseKind.LEGAL).first()
    ),
}


def of_reseller(model, reseller: Reseller):
    """A row of this reseller's customer, of whatever kind; None where its customers have none."""
    found = OF_RESELLER.get(model._meta.label_lower)
    return found(reseller, reseller.customers.order_by("added_at").first().account) if found else None


def addresses_of(name: str, page: policy_table.Page) -> Iterator[tuple[str, str, object]]:
    """(relation, path, record or None) of every way to ask for one address."""
    view, part = name, ""
    if name not in arguments_of():
        view, _, part = name.rpartition(":")
    arguments, known = arguments_of()[view], FIXED | {"name": part.replace("_", "-"), "app_label": part}
    if not page.of:
        yield "no record", reverse(view, kwargs={each: known[each] for each in arguments}), None
        return
    model = apps.get_model(page.of)
    relations = {"existing": record_for(page, name), "own": of_reseller(model, reseller_a())}
    relations |= {"sibling": of_reseller(model, reseller_b()), "parent": _parent(model)}
    for hidden in policy_table.SCREENS[page.of].hidden:
        relations["hidden"] = model._default_manager.filter(**{hidden.column: hidden.value}).order_by("pk").first()
    if named := policy_table.SCREENS[page.of].named:
        relations["restricted"] = model._default_manager.filter(**{named.flag: True}).order_by("pk").first()
    if policy_table.SCREENS[page.of].speaks_of:
        legal = Case.objects.filter(kind=CaseKind.LEGAL)
        relations["hidden"] = model._default_manager.get(
            label="cases.case", name=legal.order_by("pk").first().reference
        )
    for relation, record in relations.items():
        if record is not None:
            yield relation, _path(view, arguments, known, record.pk, getattr(record, "reference", "")), record
    for relation in ("purged", "missing"):
        yield relation, _path(view, arguments, known, key_of(model, relation), "BDL-2222-2222"), None


def _parent(model):
    """What stands above a reseller's customers: the reseller's own company and account."""
    own = {"accounts.account": reseller_b().account, "accounts.party": reseller_b().account.party}
    return own.get(model._meta.label_lower)


def _path(view: str, arguments: list[str], known: dict, key, reference: str) -> str:
    known = {**known, "key": key, "object_id": key, "reference": reference}
    return reverse(view, kwargs={each: known[each] for each in arguments})
