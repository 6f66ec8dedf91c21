"""The demo's foreign reseller: how it came to sell our products on, and whom it brought."""

from datetime import date

from kyc_portal.demo import stories
from kyc_portal.demo.stories import Stage, company, person
from kyc_portal.records.refs import Actor
from resellers.flows import cip, cip_review, file, findings, messages, onboarding
from resellers.models import Reseller, ResellerCip
from resellers.rules.cip import requirements_of

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


def reseller_sells(stage: Stage) -> None:
    """A foreign reseller with a manager who sees two customers, and only these."""
    owner = person("Nadia Karam", "AE", "Dubai", date(1980, 6, 6))
    account = stories.open_company(
        stage,
        company("Delta Rook Trading LLC", "AE", "Dubai"),
        [(None, owner, "100", "ARE")],
        days=260,
        is_reseller=True,
    )
    desk = stage.actor("desmond")
    reseller = onboarding.add_reseller(account, by=desk, at=stage.ago(255))
    onboarding.bind_manager(reseller, user=stage.people["mina"], by=desk, at=stage.ago(254))
    may_sell(stage, reseller, days=250)
    for name, country, code, city, born in (
        ("Farid Nouri", "AE", "ARE", "Sharjah", date(1990, 2, 20)),
        ("Leyla Aydin", "TR", "TUR", "Izmir", date(1985, 11, 3)),
    ):
        sold = stories.open_person(stage, person(name, country, city, born), code=code, days=200)
        onboarding.add_downstream(reseller, account=sold, by=desk, at=stage.ago(199))
    is_held_against(stage, reseller, days=12)
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
    cip_review.propose(second, decision="approve", reason="The gap is closed.", by=desk, at=at)
    cip_review.agree(second, by=compliance, at=at)


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
