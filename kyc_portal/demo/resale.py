"""The demo's foreign reseller: how it came to sell our products on, and whom it brought."""

import re
import uuid
from datetime import date
from io import BytesIO

from kyc_portal.demo import files, stories
from kyc_portal.demo.stories import Stage, company, person
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import statement_on
from kyc_portal.records.refs import SCHEDULER, Actor
from resellers.flows import (
    attestation,
    certification,
    cip,
    cip_review,
    file,
    findings,
    messages,
    onboarding,
    roster_files,
    roster_screening,
    roster_taking,
    sampling,
)
from resellers.models import Reseller, ResellerCip, RosterScreening
from resellers.rules.cip import requirements_of
from resellers.rules.roster import Extent

RESELLER_CIP = (
    "Before an account is opened we ask each customer for name, address, place of use, e-mail, telephone "
    "and how they pay, and each company for its owners of 25 percent or more, with the same data of each "
    "of them.\n\n"
    "Passports and register extracts are compared with what was stated; what disagrees is written down "
    "and settled by a second person. Who cannot be verified is not opened. Everybody is screened against "
    "the sanctions lists before opening and daily.\n\n"
    "Records are kept for two years after an account is closed, encrypted, open to four named people. "
    "Abuse reports are read within a day; use that looks like an attack is stopped and reported. Whoever "
    "sells on for us signs this programme."
)


HEADER = (
    "customer_number,name,kind,country,customer_since,parent_number,email,birth_date,registration_number,product,"
    "verified_on,method,account\n"
)  # days in braces are so many days ago
ROSTER = """\
DR-1001,Farid Nouri,individual,AE,{219},,farid@nouri.example,1990-02-20,,compute,{202},document,{farid}
DR-1002,Leyla Aydin,individual,TR,{214},,leyla@aydin.example,1985-11-03,,compute,{202},document,{leyla}
DR-1003,Sahara Lines FZE,entity,AE,{387},,desk@sahara-lines.example,,FZE 20911,storage,{370},both,
DR-1004,Bosporus Analytics AS,entity,TR,{317},,it@bosporus.example,,IST 77120,compute,{296},document,
DR-1005,Jebel Hosting LLC,entity,OM,{297},,noc@jebel.example,,CR 118822,compute,{284},both,
DR-1006,Jebel Shops LLC,entity,OM,{278},DR-1005,shop@jebel.example,,CR 118901,compute,{269},other,
DR-1007,Salalah Fishing Co,entity,OM,{265},DR-1006,,,CR 119377,storage,,,
DR-1008,Nadir Petrov,individual,KZ,{240},,nadir@petrov.example,1979-07-14,,compute,{237},document,
"""
CHANGES = """\
DR-1004,Bosporus Analytics A.S.,entity,TR,{317},,it@bosporus.example,,IST 77120,compute,{36},document,
DR-1009,Caspian Freight LLP,entity,KZ,{55},,ops@caspian.example,,BIN 210440,compute,{41},document,
DR-1014,Black Fen Servers,entity,OM,{52},,root@fen.example,,CR 121007,compute,{43},other,
"""
WITH_BAD_ROWS = """\
DR-1010,Muscat Print House,entity,OM,{24},,print@muscat.example,,CR 120011,compute,{16},document,
DR-1011,Ankara Radyo,entity,TR,02.11.2026,,,,ANK 3321,compute,,,
DR-1012,Aktau Port,entity,Kazakhstan,{23},,,,BIN 220101,storage,,,
DR-1013,Gulf Kiosk,entity,AE,{22},DR-9999,,,FZE 33120,compute,,,
"""


def reseller_sells(stage: Stage) -> None:
    """A foreign reseller with a manager who sees two customers, and only these."""
    owner = person("Nadia Karam", "AE", "Dubai", date(1980, 6, 6))
    account = stories.open_company(
        stage,
        company("Delta Rook Trading LLC", "AE", "Dubai"),
        [(None, owner, "100", "ARE")],
        days=386,
        is_reseller=True,
    )
    desk = stage.actor("desmond")
    reseller = onboarding.add_reseller(account, by=desk, at=stage.ago(382))
    onboarding.bind_manager(reseller, user=stage.people["mina"], by=desk, at=stage.ago(381))
    may_sell(stage, reseller, days=378)
    for name, country, code, city, born in (
        ("Farid Nouri", "AE", "ARE", "Sharjah", date(1990, 2, 20)),
        ("Leyla Aydin", "TR", "TUR", "Izmir", date(1985, 11, 3)),
    ):
        sold = stories.open_person(stage, person(name, country, city, born), code=code, days=200)
        onboarding.add_downstream(reseller, account=sold, by=desk, at=stage.ago(199))
    states_its_customers(stage, reseller)
    is_held_against(stage, reseller, days=12)
    is_asked_for_files(stage, reseller, days=6)
    attestation.open_due(on=stage.ago(1).date(), by=SCHEDULER, at=stage.ago(1))
    messages.send(
        reseller, subject_line="New template for your customers' files", by=desk, at=stage.ago(3),
        text="From next month we read the column “method” of each customer: by documents, or without. "
        "Please fill it in for everybody whom you verified, and send your roster again.",
    )  # fmt: skip


def may_sell(stage: Stage, reseller: Reseller, *, days: int) -> None:
    """Contract, somebody who answers, and its CIP: returned once for a gap, mended, approved by two people."""
    desk, compliance, at = stage.actor("desmond"), stage.actor("conrad"), stage.ago(days)
    file.record_contract(reseller, number="MSA-0417", from_on=at.date(), to_on=None, by=desk, at=at)
    for role, name, title, email, phone in (
        ("officer", "Samir Haddad", "Head of compliance", "samir.haddad@delta-rook.example", "+971 4 123 4567"),
        ("abuse", "Abuse desk", "", "abuse@delta-rook.example", ""),
    ):
        file.add_contact(reseller, role=role, name=name, title=title, email=email, phone=phone, by=desk, at=at)
    manager = Actor.person(stage.people["mina"])
    first = cip.submit_cip(reseller, title="Customer identification", text=RESELLER_CIP, by=manager, at=at)
    judge_cip(first, gap="again", words="It does not say when customers are verified again.", by=desk, at=at)
    cip_review.return_with_gaps(first, by=desk, at=at)
    at = stage.ago(days - 10)
    text = f"{RESELLER_CIP}\n\nEvery customer is verified again each year, and when owners or payment change."
    second = cip.submit_cip(reseller, title="Customer identification, second edition", text=text, by=manager, at=at)
    judge_cip(second, by=desk, at=at)
    second = cip_review.propose(second, decision="approve", reason="The gap is closed.", by=desk, at=at)
    cip_review.agree(second, shown=cip_review.digest_of(second), by=compliance, at=at)


def states_its_customers(stage: Stage, reseller: Reseller) -> None:
    """A roster that was accepted and certified, a file with bad rows that waits, and one that cannot be used."""
    farid, leyla = (link.account.reference for link in reseller.customers.order_by("account__party__legal_name"))
    first = ROSTER.replace("{farid}", farid).replace("{leyla}", leyla)
    send_file(stage, reseller, "customers.csv", first, days=150, extent=Extent.COMPLETE, accepts=True)
    certifies(stage, reseller, days=149)
    send_file(stage, reseller, "changes.csv", CHANGES, days=30, extent=Extent.PART, accepts=True)
    send_file(stage, reseller, "new-customers.csv", WITH_BAD_ROWS, days=2, extent=Extent.PART)
    send_file(stage, reseller, "export.csv", "Maier;DE\n", header="Kunde;Land\n", days=1, extent=Extent.PART)


def is_asked_for_files(stage: Stage, reseller: Reseller, *, days: int) -> None:
    """Four customers are drawn; the manager handed in one file, and we compared everybody with the lists."""
    mina = stage.people["mina"]
    sample = sampling.draw(reseller, size=4, by=stage.actor("desmond"), at=stage.ago(days))
    first = sample.files.order_by("reference").first()
    sampling.hand_in(
        first, file=files.document_image("REGISTER EXTRACT", ["Made up for the demo"]), file_name="extract.png",
        binding=reseller.managers.get(user=mina), by=Actor.person(mina), at=stage.ago(days - 3),
    )  # fmt: skip
    roster_screening.ask_for_waiting(by=SCHEDULER, at=stage.now)
    for row in RosterScreening.objects.filter(finished_at__isnull=True).order_by("begun_at", "pk"):
        roster_screening.carry_on(str(row.pk), by=SCHEDULER, at=stage.now)


def send_file(
    stage: Stage, reseller: Reseller, name: str, rows: str, *, days: int, extent: Extent, header=HEADER, accepts=False
) -> None:
    """The manager sends a file, a job reads it, and where it is accepted another job takes it in."""
    mina, at = stage.people["mina"], stage.ago(days)
    text = header + re.sub(r"\{(\d+)\}", lambda found: f"{stage.ago(int(found[1])):%Y-%m-%d}", rows)
    sent = {"binding": reseller.managers.get(user=mina), "by": Actor.person(mina), "at": at}
    upload = roster_files.receive(reseller, file=BytesIO(text.encode()), file_name=name, extent=extent.value, **sent)
    roster_files.read(upload.reference, by=SCHEDULER, at=at)
    if accepts:
        roster_taking.agree(upload, keeps_good_rows=False, **sent)
        roster_taking.accept(upload.reference, by=SCHEDULER, at=at)


def certifies(stage: Stage, reseller: Reseller, *, days: int) -> None:
    """The manager certifies everybody who is verified."""
    mina, at = stage.people["mina"], stage.ago(days)
    wording = statement_on(StatementKind.DOWNSTREAM, at.date())
    certification.certify(
        reseller, entries=None, scope="identity", evidence=["document"], statement_number=str(wording.number),
        binding=reseller.managers.get(user=mina), form_key=uuid.uuid4(), by=Actor.person(mina), at=at,
    )  # fmt: skip


def is_held_against(stage: Stage, reseller: Reseller, *, days: int) -> None:
    """A sample showed a gap; the manager has handed in a plan, and the clock goes on."""
    at = stage.ago(days)
    finding = findings.record_finding(
        reseller, kind="not_carried_out", source="sample of ten files", knowledge_at=at, at=at,
        by=stage.actor("desmond"),
        evidence="Two of the ten files hold no document of the customer, only a copy of a bill.",
        demand="Verify each customer with a document, and send the two that are missing.",
    )  # fmt: skip
    plan = "Both customers are asked for a passport by the end of the week; until then their use is limited."
    findings.plan_cure(finding, plan=plan, by=Actor.person(stage.people["mina"]), at=stage.ago(days - 4))


def judge_cip(handed_in: ResellerCip, *, gap: str = "", words: str = "", by: Actor, at) -> None:
    """Judge a CIP on everything it must say; all of it is met but `gap`."""
    cip_review.begin(handed_in, by=by, at=at)
    for each in requirements_of(handed_in.source):
        verdict, missing = ("gap", words) if each.code == gap else ("met", "")
        cip_review.judge(handed_in, requirement=each.code, verdict=verdict, words=missing, by=by, at=at)
