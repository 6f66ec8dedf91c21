"""What tests of bad input ask: a row behind every button, was anything written, does each value fit its column."""

import io
import re
from datetime import timedelta
from decimal import Decimal

from django.apps import apps
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client
from django.utils import timezone

from accounts.flows import (
    access_log,
    address_ranges,
    closing,
    customer_links,
    identification,
    intake,
    objections,
    privacy,
    redress,
    restrictions,
    seen_before,
    unverified,
    verification,
)
from accounts.rules.closing import REASONS as CLOSING_REASONS
from cases.flows import (
    appeals,
    backup_copies,
    bundle_redactions,
    bundle_shown,
    bundles,
    challenges,
    commerce,
    decisions,
    legal_requests,
    property_reports,
    voluntary,
)
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.api import webhook_sending, webhooks
from kyc_portal.api.outgoing import Outcome
from kyc_portal.policy import products
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Citation
from kyc_portal.records import clock_watch, purge_runs
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.staff.actions import actions_of
from kyc_portal.staff.models import BreakGlass, StaffMember
from resellers.flows import attestation, cip_requests, findings, reports, sampling, termination
from resellers.models import Reseller, ResellerManager, RosterHit
from tests.accounts.logs import event, jsonl
from tests.builders import (
    make_account,
    make_company,
    make_downstream,
    make_entry,
    make_list,
    make_open_account,
    make_party,
    make_reseller,
    png_bytes,
)
from tests.cases import reports as abuse_reports
from tests.cases.builders import approve_report, make_bundle, make_case, make_request, validated
from tests.cases.measures import make_one_of_each_hit
from tests.conftest import NOON
from tests.kyc_portal.api.builders import make_key
from tests.kyc_portal.staff.worlds import make_world
from tests.resellers.signing import Signer

NEVER_STORED = re.compile("[\x00\ud800-\udfff]")
CARD = "4111 1111 1111 1111"
# Not about a customer's payment: programme and holidays, a hold's ground, a customer number that must stay as it is.
MAY_HOLD_DIGITS = ("policy.", "records.LegalHold", "accounts.Account.external_key")


def all_rights(username: str = "all.rights") -> StaffMember:
    """Somebody with every right: what is refused to them is refused because of the input."""
    return StaffMember.objects.create(username=username, email="all@provider.example", is_staff=True, is_superuser=True)


def logged_in(user: StaffMember, **options) -> Client:
    """A browser that gets a server error as an answer, as a user would."""
    client = Client(raise_request_exception=False, **options)
    client.force_login(user)
    return client


def make_one_of_each(folder, user: StaffMember) -> None:
    """A row for nearly every button: parties, accounts in each state, papers, cases, requests, bundles."""
    make_world()
    company = make_company()
    identification.add_owner(company.party, owner=make_party(), percent=Decimal(40), by=SCHEDULER, at=NOON)
    _make_objection()
    _make_unverified()
    _make_findings()
    _make_sampled()
    _make_certifications()
    _make_ends()
    account = make_open_account()
    running = verification.start(account, account.party, trigger="doubt", by=SCHEDULER, at=NOON)
    verification.find_discrepancy(running, field="address", stated="here", found="there", by=SCHEDULER, at=NOON)
    restrictions.restrict_by_hand(make_open_account(), level="limited", reason="listed", by=SCHEDULER, at=NOON)
    words = {"reason": "listed", "public_wording": "The law asks for it.", "basis": "test"}
    restrictions.block(make_open_account(), **words, by=SCHEDULER, at=NOON)
    closing.close_account(make_open_account(), reason=next(iter(CLOSING_REASONS)), by=SCHEDULER, at=NOON)
    _make_cases(user)
    make_one_of_each_hit(user)
    abuse_reports.take_in()
    abuse_reports.take_in(abuse_reports.botnet(source_identifier="canary-name.example"))
    access_log.import_access_lines(account, jsonl(event(1)), format="jsonl", file_name="a", by=SCHEDULER, at=NOON)
    nobody = jsonl(event(2, account="key-of-nobody"), event(3))
    access_log.import_access_lines(
        None, nobody, format="jsonl", file_name="b", keep_good_rows=True, by=SCHEDULER, at=NOON
    )  # fmt: skip
    path = folder / "vpn.txt"
    path.write_text("1.2.0.0/16\n")
    address_ranges.load_ranges("vpn", path, by=SCHEDULER, at=NOON)
    make_key()
    _make_told()
    now = timezone.now()
    privacy.log_request(
        kind="access", name="Maria Example", contact="maria@customer.example", received_on=now.date(), by=SCHEDULER,
        at=now,
    )  # fmt: skip
    _make_tie()
    purge_runs.ask(as_of=NOON.date(), today=NOON.date(), executes=False, by=SCHEDULER, at=NOON)
    clock_watch.look()
    BreakGlass.objects.create(
        member=user, what="legal_matters", reason="harm", about_label="accounts.account", about_key=str(account.pk),
        about_name=account.reference, started_at=now, ends_at=now + timedelta(hours=1),
    )  # fmt: skip


def _make_tie() -> None:
    """One who was refused, and somebody with the same e-mail address."""
    email = "again@customer.example"
    intake.refuse_prospect(make_account(email=email), reason="listed", by=SCHEDULER, at=NOON)
    seen_before.look_back(make_account(email=email).party, by=SCHEDULER, at=NOON)


def _make_told() -> None:
    """A system that is told of changes with two secrets, a message that was given up, a product that is proposed."""
    made = {"by": SCHEDULER, "at": timezone.now()}
    key = make_key(at=made["at"], scopes=["access.read"])
    endpoint = webhooks.create_endpoint(name="Provisioning", url="https://hooks.example.com/", key=key, **made)
    webhooks.rotate_secret(endpoint, **made)
    make_open_account(at=made["at"])
    patience = webhook_sending.patience_of(regime_on(made["at"].date()))
    webhook_sending.note_attempt(endpoint.deliveries.first(), Outcome(410, "", 5), patience=patience, **made)
    citation = Citation.objects.get(code="eo-13984-5")
    products.propose(
        code="compute", title="Machines", is_iaas=True, why="Runs what customers deploy.", citation=citation,
        limited_may_start=False, limited_may_use=True, **made,
    )  # fmt: skip


def _make_objection() -> None:
    """A prospect who was asked, has a link out, and objects by one used before."""
    account = intake.request_data(make_account(), by=SCHEDULER, at=NOON)
    link = customer_links.standing(account)
    objections.raise_objection(link, text="Canaryobjection", by=customer_links.as_customer(link), at=NOON)


def _make_unverified() -> None:
    """Identities that could not be verified: undecided, proposed, limited, limited and under redress."""
    made = {"by": SCHEDULER, "at": NOON}
    words = {"reason": "no_source", "explanation": "Nobody knows them."}
    for outcome in ("", "closed", "limited", "limited"):
        account = make_open_account()
        attempt = verification.start(account, account.party, trigger="doubt", **made)
        for _ in range(2):
            attempt = verification.conclude(attempt, verified=False, reason="No source.", **made)
        row = unverified.propose(attempt, outcome=outcome, **words, **made) if outcome else None
    redress.enter(row, text="Canaryobjection too", received_on=NOON.date(), **made)


def _make_findings() -> None:
    """A finding against a reseller that is open, and one whose cure waits for its second signature."""
    reseller = make_reseller()
    make_entry(reseller, name="Canarycustomer")
    made = {"by": SCHEDULER, "at": NOON}
    for _ in range(2):
        finding = findings.record_finding(
            reseller, kind="no_cip", source="a sample", evidence="Canaryevidence", demand="Write one.",
            knowledge_at=NOON, **made,
        )  # fmt: skip
    findings.propose_cure(finding, why="It is there.", **made)


def _make_certifications() -> None:
    """Of each reseller with a manager a certification that holds, and the attestation that is open a year later."""
    for binding in ResellerManager.objects.select_related("reseller", "user"):
        Signer(binding.reseller, binding).certify(everybody=True)
    attestation.open_due(on=NOON.date() + timedelta(days=366), by=SCHEDULER, at=NOON)


def _make_sampled() -> None:
    """Of A a sample with a file handed in, of B one concluded with a failure, and hits in each state."""
    made = {"by": SCHEDULER, "at": NOON}
    for reseller in Reseller.objects.filter(managers__isnull=False).order_by("managers__user__username"):
        is_b = reseller.managers.filter(user__username="canarymanager").exists()
        entry = make_entry(reseller, name="Canarydownstream" if is_b else "Own downstream")
        sampled = sampling.draw(reseller, seed="Canaryseed", **made).files.get()
        name = "canarysampled.png" if is_b else "own.png"
        sampling.hand_in(sampled, file=io.BytesIO(png_bytes("sampled")), file_name=name, binding=None, **made)
        if is_b:
            sampling.judge(sampled, result="fail", reasons=["expired"], words="Canarywords", **made)
            sampling.conclude(sampled.sample, by=SCHEDULER, at=NOON + timedelta(days=20))
        for number, status in enumerate(("dismiss_proposed", "confirmed") if is_b else ("open", "confirm_proposed")):
            RosterHit.objects.create(
                reseller=reseller, number=entry.number, entry=entry, snapshot=make_list(), found_at=NOON,
                entry_uid=str(number), entry_name="CANARYLISTED", score="0.970", compared=status, status=status,
            )  # fmt: skip


def _make_ends() -> None:
    """An end of a relationship proposed, one under way with a failure, a report to make, a copy of a CIP asked for."""
    made, words = {"by": SCHEDULER, "at": NOON}, {"reason": "misuse", "words": "Canaryend", "outcome": "direct"}
    waiting, running = make_reseller(), make_reseller()
    for reseller in (waiting, running):
        make_downstream(reseller)
    row = termination.propose(waiting, **words, **made)
    reports.open_report(waiting, authority="An authority", about="Canaryreport", termination=row, **made)
    for _ in range(2):
        request = cip_requests.ask(waiting, requester="An authority", requested_on=NOON.date(), **made)
    cip_requests.produce(request.reference, **made)
    row = termination.propose(running, **words, **made)
    termination.agree(row, shown=termination.digest_of(row), by=Actor("person", "second", "second"), at=NOON)
    row.steps.update(state="failed", why_failed="refused", attempts=1)


def _make_cases(user: StaffMember) -> None:
    """A case with a proposal that waits, a bundle in each state, a request in each state."""
    other = all_rights("other.rights").as_actor
    case = make_case(worked_by=user)
    reason = next(reason for reason in REASONS.values() if OutcomeCode.SUSPEND in reason.outcomes)
    subject = case.subjects.select_related("account").first()
    decisions.propose(
        case, account=subject.account, outcome=OutcomeCode.SUSPEND.value, reason=reason.code, by=user.as_actor, at=NOON
    )
    for outcome, reason in (("limit", "unusual_use"), ("no_action", "list_match_dismissed")):
        at_fault = make_case(worked_by=user)
        made = decisions.propose(
            at_fault, account=at_fault.subjects.get().account, outcome=outcome, reason=reason, by=user.as_actor, at=NOON
        )
        if made.state == "countersigned":
            appeals.log(made, text="Canaryappeal", received_on=NOON.date(), by=SCHEDULER, at=NOON)
    make_bundle(make_case(), by=SCHEDULER)
    built = bundles.build(make_bundle(make_case(), by=user.as_actor, approved_by=other), by=SCHEDULER, at=NOON)
    bundles.hand_over(built, by=other, at=NOON)
    bundles.build(make_bundle(make_case(), by=user.as_actor, approved_by=other), by=SCHEDULER, at=NOON)
    make_request(by=other)
    _make_legal_desk(user.as_actor, other)
    legal_requests.preserve(validated(make_request(by=other), by=other, at=NOON), by=other, at=NOON)


def _make_legal_desk(user: Actor, other: Actor) -> None:
    """A row behind every button of the legal desk: a backup copy, a lawful ground, reports on property, reviews."""
    order = validated(make_request(ground="backup_order", by=other), by=other)
    backup_copies.take_in(order, by=other, at=NOON)
    asked = make_request(ground="emergency", by=other)
    voluntary.propose(asked.case, ground="emergency", facts="Somebody is in danger.", by=other, at=NOON)
    challenges.challenge(make_request(by=other), by_whom="us", why="burden", by=other, at=NOON)
    waiting = make_bundle(make_case(), by=other)
    bundle_redactions.redact(
        waiting, place=bundle_shown.place_of_item(waiting.items.first()), code="S3", reason="Not needed.", by=other,
        at=NOON,
    )  # fmt: skip
    texts = dict.fromkeys(property_reports.SEALED, "as told")
    for step in range(4):  # open, drafted, approved, sent
        report = property_reports.open_rejected(make_open_account(), happened_on=NOON.date(), by=other, at=NOON)
        if step:
            property_reports.draft(
                report, legal_authority="31 CFR part 578", value_usd="1.00", parties=[report.account.party.reference],
                texts=texts, by=other, at=NOON,
            )  # fmt: skip
        if step > 1:
            approve_report(report, by=user, at=NOON)
        if step > 2:
            property_reports.send(report, how="mail", by=other, at=NOON)
    review = commerce.log_review(kind="audit", about="The CIP", opened_on=NOON.date(), by=other, at=NOON)
    due = {"due_on": NOON.date() + timedelta(days=9), "by": other, "at": NOON}
    commerce.add_ask(review, question="Which lists?", asked_on=NOON.date(), **due)
    commerce.recommend(review, action="Train staff", owner="Ana", **due)
    shown = commerce.recommend(review, action="Write it down", owner="Ana", **due)
    commerce.show(shown, evidence="TRN-7", by=other, at=NOON)
    commerce.flag(title="One deal", accounts=[make_open_account()], by=other, at=NOON)


def buttons() -> list[tuple[type[models.Model], str]]:
    """(model, name) of every button, and (model, "add") of every form that adds a row."""
    found = []
    for model, screen in sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label):
        found += [(model, "add")] if getattr(screen, "adding", None) else []
        found += [(model, action.name) for action in actions_of(screen)]
    return found


def path_of(model: type[models.Model], name: str, request) -> str:
    """The address of a button on a row it fits, or on any row; the flow refuses where it does not fit."""
    base, screen = f"/admin/{model._meta.app_label}/{model._meta.model_name}/", admin.site._registry[model]
    if name == "add":
        return f"{base}add/"
    action = next(action for action in actions_of(screen) if action.name == name)
    rows = list(screen.get_queryset(request)[:60])
    row = next((row for row in rows if action.fits(row)), rows[0])
    return f"{base}{row.pk}/do/{name.replace('_', '-')}/"


def misfits() -> list[str]:
    """Stored texts that PostgreSQL would not take (too long, a NUL, half a surrogate pair), and whole card numbers."""
    found = []
    for model in apps.get_models():
        texts = models.CharField | models.TextField | models.JSONField
        columns = [field for field in model._meta.concrete_fields if isinstance(field, texts)]
        for row in model._base_manager.values_list(*(field.attname for field in columns)) if columns else ():
            for field, value in zip(columns, row, strict=True):
                text = value if isinstance(value, str) else repr(value)
                too_long = isinstance(value, str) and len(value) > (field.max_length or len(value))
                place = f"{model._meta.label}.{field.name}"
                shows_card = CARD in text and not place.startswith(MAY_HOLD_DIGITS)
                if too_long or NEVER_STORED.search(text) or shows_card:
                    found.append(f"{place}: {text[:60]!a}")
    return found


class Writes:
    """Counts the statements that change something, sessions left out; to be used with connection.execute_wrapper."""

    def __init__(self):
        self.count = 0

    def __call__(self, execute, sql, params, many, context):
        if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and "django_session" not in sql:
            self.count += 1
        return execute(sql, params, many, context)


def run(name: str, *arguments) -> tuple[int, str, str]:
    """(exit code, the sentence on standard error, what was printed) of a command; other exceptions pass through."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(name, *map(str, arguments), stdout=out, stderr=err)
    except CommandError as refusal:
        return refusal.returncode, str(refusal), out.getvalue() + err.getvalue()
    return 0, "", out.getvalue() + err.getvalue()


def assert_refused_in_one_line(answer: tuple[int, str, str]) -> str:
    """The law for commands: exit code 2, one line, at most 80 characters of what was typed, all of it printable."""
    code, sentence, _ = answer
    assert code == 2, answer
    assert sentence and "\n" not in sentence and sentence.isprintable(), sentence
    assert not re.search(r"(.)\1{80}", sentence), sentence[:300]
    return sentence
