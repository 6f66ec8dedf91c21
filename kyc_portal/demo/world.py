"""The demo world: who is in it and what becomes of each; built once, harmless to build again."""

from datetime import date, datetime
from pathlib import Path

from django.conf import settings

from accounts.flows import (
    address_ranges,
    external_answers,
    external_checks,
    intake,
    parties,
    privacy,
    redress,
    restrictions,
    reverification,
    screening,
    signals,
    unverified,
    us_status,
    verification,
)
from accounts.models import Account, Party
from accounts.rules.us_status import StatusEvidence
from cases.flows import bundle_preview, bundles, decisions, legal_requests, review
from cases.models import Case
from cases.rules.request_checks import points_of
from kyc_portal.demo import (
    abuse,
    deciding,
    evidence,
    files,
    legal_desk,
    measures,
    own_page,
    people,
    resale,
    stories,
    systems,
)
from kyc_portal.demo.stories import Stage, company, person
from kyc_portal.notices import outbox
from kyc_portal.policy.cip import approve_cip
from kyc_portal.records import retention
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.models import StaffMember

CIP_TEXT = """Who is a customer, what we ask of them, which documents and other means we use when, what we do when a
person cannot be verified, how resellers are held to the same, how long records are kept. (Demo text.)"""


def is_there() -> bool:
    """Whether the world was built before."""
    return StaffMember.objects.filter(username="rosa").exists()


def build(*, now: datetime) -> None:
    """Build everybody's story, oldest first."""
    folder = Path(settings.LOCAL_DIR) / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(people.add_people(now), folder, now)
    approve_cip(
        title="Customer identification programme", text=CIP_TEXT, effective_from=stage.ago(2000).date(),
        by=stage.actor("conrad"), at=stage.ago(2000),
    )  # fmt: skip
    stories.load_list(stage, days=1900, with_malicious=False)
    _load_ranges(stage, folder)
    masked_customer_is_purged(stage)
    listed_customer_is_kept(stage)
    company_works(stage)
    resale.reseller_sells(stage)
    held_customer_is_exported(stage)
    masked_customer_waits(stage)
    silent_customer_is_asked(stage)
    unverified_customer_asks_again(stage)
    steel_maker_waits(stage)
    prospects_wait(stage)
    people_ask_about_their_data(stage)
    abuse.others_complain(stage)
    abuse.customer_is_waited_for(stage)
    evidence.customers_are_seen(stage)
    evidence.customer_comes_back(stage)
    _decide_and_disclose(stage)
    outbox.deliver_queued(at=now)
    retention.purge_due(as_of=legal_day(now), today=legal_day(now), execute=True, by=SCHEDULER, at=now)


def _load_ranges(stage: Stage, folder: Path) -> None:
    """Which addresses lie in which country, and which are a VPN's."""
    loaded = {"source": "demo", "as_of": stage.ago(1900).date(), "by": SCHEDULER, "at": stage.ago(1900)}
    address_ranges.load_ranges("country", files.COUNTRIES, **loaded)
    address_ranges.load_ranges("vpn", files.write_vpn_ranges(folder), **loaded)


def _decide_and_disclose(stage: Stage) -> None:
    """What people have before them today; the gateway is told of what changes after it was connected."""
    measures.measure_is_determined(stage)
    measures.another_waits(stage)
    deciding.customer_is_right_on_appeal(stage)
    legal_desk.customer_is_taken_in(stage)
    systems.gateway_is_told(stage)
    measures.measure_takes_effect(stage)
    deciding.customer_appeals(stage)
    legal_desk.customer_is_blocked(stage)
    systems.messages_go_out(stage)
    deciding.decision_can_be_undone(stage)
    deciding.cases_are_worked(stage)
    legal_desk.request_is_challenged(stage)
    legal_desk.bundle_waits(stage)
    legal_desk.commerce_asks(stage)
    systems.product_waits(stage)
    evidence.flags_are_counted(stage)


def masked_customer_is_purged(stage: Stage) -> None:
    """Seen only through a VPN, paying from elsewhere; limited, held, released, closed, and purged today."""
    account = stories.open_person(
        stage, person("Tomas Rehor", "CZ", "Brno", date(1988, 4, 2)), code="CZE", days=1500, payment="PA"
    )
    stories.see_access(stage, account, "rehor", "81.2.69.142", days=1400, acts=files.WORK)
    case = deciding.decide(
        stage, account, outcome="limit", reason="masked_access", note="No answer about the VPN.", days=1395
    )
    review.close_case(case, why="decided", by=stage.actor("lena"), at=stage.ago(1394))
    legal_case = _preserve_and_hand_over(stage, account, days=1390)
    legal_requests.lapse_preservations(on=stage.ago(1290).date(), by=SCHEDULER, at=stage.ago(1290))
    review.close_case(legal_case, why="answered", by=stage.actor("laszlo"), at=stage.ago(1285))
    restrictions.lift(
        account.restrictions.in_force().get(), why="The customer explained the VPN.", by=stage.actor("lena"),
        at=stage.ago(1280),
    )  # fmt: skip
    reverification.request_after(account, trigger="payment changed", by=SCHEDULER, at=stage.ago(1270))
    stories.verify(
        stage,
        account,
        account.party,
        method="photo_document",
        days=1262,
        trigger="payment changed",
        document=account.party.documents.first(),
    )
    stories.leave(stage, account, days=1200)


def _preserve_and_hand_over(stage: Stage, account: Account, *, days: int) -> Case:
    """An authority asks to preserve and serves process; one of the legal team collects, the other approves."""
    laszlo, livia = stage.actor("laszlo"), stage.actor("livia")
    request = legal_requests.log_request(
        accounts=[account], authority="District Attorney", authority_reference="GJ-2211", ground="subpoena",
        received_on=stage.ago(days).date(), by=laszlo, at=stage.ago(days),
    )  # fmt: skip
    legal_requests.validate(request, checked=points_of(request.ground), by=laszlo, at=stage.ago(days, 10))
    legal_requests.preserve(request, by=laszlo, at=stage.ago(days, 11))
    bundle = bundles.collect(request.case, ground="subpoena", recipient="court", by=laszlo, at=stage.ago(days - 5))
    seen = bundle_preview.look(bundle, by=livia, at=stage.ago(days - 6))
    bundles.approve(bundle, shown=seen.digest, by=livia, at=stage.ago(days - 6))
    bundles.build(bundle, by=SCHEDULER, at=stage.ago(days - 6, 12))
    return request.case


def listed_customer_is_kept(stage: Stage) -> None:
    """Opened before being listed; the new list names them, two people confirm it, two decide, the account ends.

    Closed more than two years ago, and yet kept: what a sanctions decision rests on is kept for ten years.
    """
    account = stories.open_person(
        stage, person("Anton Sergeyevich Volkanov", "RS", "Novi Sad", date(1979, 3, 12)), code="SRB", days=1450
    )
    stories.load_list(stage, days=1350, with_malicious=True)
    deciding.confirm_listed(stage, account, days=1350)
    deciding.decide(stage, account, outcome="close", reason="list_match_confirmed", note="See the hit.", days=1348)


def company_works(stage: Stage) -> None:
    """A company with an owner behind another company: 60 % of 45 % is 27 %, an owner the rule wants verified."""
    ingrid = person("Ingrid Solheim", "NO", "Bergen", date(1971, 9, 30))
    tor = person("Tor Aasen", "NO", "Oslo", date(1969, 1, 14))
    holding = company("Nordfjord Holding AS", "NO", "Bergen")
    account = stories.open_company(
        stage,
        company("Meridian Gridworks GmbH", "DE", "Leipzig"),
        [(None, holding, "60", ""), ("Nordfjord Holding AS", ingrid, "45", "NOR"), (None, tor, "24.5", "")],
        days=300,
    )
    for days in (40, 12, 3):
        stories.see_access(
            stage, account, f"meridian-{days}", files.HOME_GERMANY, days=days, acts=(*files.WORK, *files.READS)
        )


def held_customer_is_exported(stage: Stage) -> None:
    """A prosecutor asks to preserve, then serves process; evidence is collected, approved by a second person, built."""
    account = stories.open_person(
        stage, person("Pavel Dvorsky", "SK", "Kosice", date(1992, 8, 21)), code="SVK", days=120
    )
    stories.see_access(stage, account, "dvorsky", files.HOME_SWEDEN, days=60, acts=(*files.WORK, *files.READS))
    _preserve_and_hand_over(stage, account, days=20)


def masked_customer_waits(stage: Stage) -> None:
    """Today's case: seen only through a VPN, paying from elsewhere; a proposal awaits its second signature."""
    account = stories.open_person(
        stage, person("Samira Haddad", "JO", "Amman", date(1994, 12, 9)), code="JOR", days=90, payment="CY"
    )
    stories.see_access(stage, account, "haddad", "81.2.69.160", days=2, acts=(*files.WORK, *files.READS))
    case = deciding.open_case_of(account)
    review.take(case, user=stage.people["rosa"], at=stage.ago(1, 9))
    review.add_note(
        case,
        text="Asked about the VPN and the Cypriot card; no answer yet.",
        by=stage.actor("rosa"),
        at=stage.ago(1, 10),
    )
    decisions.propose(
        case, account=account, outcome="suspend", reason="unusual_use", by=stage.actor("rosa"), at=stage.ago(1, 11)
    )


def silent_customer_is_asked(stage: Stage) -> None:
    """Re-verification came round, nobody answered, the grace is over: a red flag and an unassigned case."""
    account = stories.open_person(
        stage, person("Oskar Lindqvist", "SE", "Umea", date(1977, 5, 25)), code="SWE", days=900,
        expires=stage.ago(30).date(),
    )  # fmt: skip
    for days in (100, 60, 30, 5):
        reverification.request_due(by=SCHEDULER, at=stage.ago(days, 6))
    signals.run_detectors(account, by=SCHEDULER, at=stage.ago(4, 6))


def unverified_customer_asks_again(stage: Stage) -> None:
    """Nobody could confirm who they are: two people closed the account; they ask for redress, which somebody answers
    who took no part."""
    rosa, lena = stage.actor("rosa"), stage.actor("lena")
    account = stories.open_person(
        stage, person("Milena Petrova", "BG", "Varna", date(1983, 10, 2)), code="BGR", days=400
    )
    attempt = verification.start(account, account.party, trigger="doubt", by=rosa, at=stage.ago(40))
    verification.record_method(
        attempt, method="public_database", result="no_match", source="population register", by=rosa, at=stage.ago(39)
    )
    verification.conclude(attempt, verified=False, reason="The register knows nobody.", by=rosa, at=stage.ago(38))
    verification.escalate(attempt, by=rosa, at=stage.ago(37))
    attempt = verification.conclude(
        attempt, verified=False, reason="No answer to two letters.", by=rosa, at=stage.ago(24)
    )
    row = unverified.propose(
        attempt, outcome="closed", reason="no_source", explanation="The register knows nobody, and letters came back.",
        by=rosa, at=stage.ago(23),
    )  # fmt: skip
    unverified.countersign(row, by=lena, at=stage.ago(22))
    redress.enter(
        row, text="I moved to my sister's. My new identity card is enclosed; please look again.",
        received_on=stage.ago(6).date(), by=stage.actor("ravi"), at=stage.ago(5),
    )  # fmt: skip


def steel_maker_waits(stage: Stage) -> None:
    """A U.S. company on the list: no identity checks are needed, and yet it is screened, and the hit waits."""
    new = company("Cedar Falls Steel LLC", "US", "Cedar Falls, Iowa")
    account = intake.open_prospect(new, source="web form", product="compute", by=stage.actor("ravi"), at=stage.ago(6))
    us_status.settle_status(
        account.party,
        evidence=StatusEvidence(kind="entity", formation_country="US"),
        by=stage.actor("ravi"),
        at=stage.ago(6, 10),
    )
    screening.screen_party(account.party, by=SCHEDULER, at=stage.ago(6, 11))


def prospects_wait(stage: Stage) -> None:
    """Prospects from a file, one of them already asked for what is missing: their link is open for a visitor to try."""
    for key, kind, name, country, mail, street, _ in files.CUSTOMER_ROWS:
        home = intake.NewAddress(kind="residence", lines=street, region="", country=country)
        new = intake.NewParty(kind=kind, legal_name=name, citizenship=country, email=mail, addresses=(home,))
        account = intake.open_prospect(
            new, source="customer file", product="storage", external_key=key, by=stage.actor("ravi"), at=stage.ago(3)
        )
    intake.request_data(account, by=stage.actor("ravi"), at=stage.ago(2))
    own_page.keep(account)
    _ask_outside(stage, Account.objects.get(external_key=files.CUSTOMER_ROWS[0][0]))


def _ask_outside(stage: Stage, account: Account) -> None:
    """The first of them is being verified: an outside verifier (the stand-in) was asked, and has answered."""
    by, at = stage.actor("ravi"), stage.ago(1, 14)
    started = verification.start(account, account.party, trigger="not_in_person", by=by, at=at)
    check = external_checks.ask(started, by=by, at=at)
    external_checks.hand_over(str(check.pk), by=SCHEDULER, at=at)
    external_answers.interpret(str(check.answers.get().pk), by=SCHEDULER, at=at)


def people_ask_about_their_data(stage: Stage) -> None:
    """One copy is ready; a request for erasure awaits its second signature; one is not looked at yet."""
    conrad = stage.actor("conrad")
    for name, kind, days in (("Oskar Lindqvist", "access", 9), ("Samira Haddad", "erasure", 5)):
        party = Party.objects.get(legal_name=name)
        request = privacy.log_request(
            kind=kind, name=name, contact=parties.primary_email(party), received_on=stage.ago(days).date(), by=conrad,
            at=stage.ago(days),
        )  # fmt: skip
        privacy.identify(request, party=party.reference, how="contact", by=conrad, at=stage.ago(days, 10))
        request = privacy.prepare(request, by=conrad, at=stage.ago(days - 1))
        if kind == "access":
            privacy.answer(request, shown=privacy.digest_of(request), by=stage.actor("laszlo"), at=stage.ago(days - 2))
    privacy.log_request(
        kind="erasure", name="Somebody Else", contact="somebody@nowhere.example", received_on=stage.ago(1).date(),
        by=conrad, at=stage.ago(1),
    )  # fmt: skip
