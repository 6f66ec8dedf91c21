"""Run the list of checks on what is on file of a party, and keep the answers (requirements R13-R18, R26, R33, R34).

They run when a verification begins, when something is added or corrected while one is not concluded, and when somebody
asks. An answer that is the same as the last one on the same evidence is not written again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from django.db import models

from accounts.flows.access_days import by_country
from accounts.flows.comparing import facts_of, read_zone, zone_of
from accounts.flows.discrepancies import locked, note_disagreements
from accounts.models import Account, CheckResult, IdentityDocument, Party, Verification
from accounts.models.identity import PaymentKind
from accounts.models.party import AddressKind
from accounts.rules import checks
from accounts.rules.answers import (
    About,
    AddressOnFile,
    Answer,
    DocumentOnFile,
    OnFile,
    Origin,
    Outcome,
    PolicyFigure,
    Seen,
    Value,
)
from accounts.rules.checks import Check
from accounts.rules.documents import BY_CODE
from accounts.verbs import Verb
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit, keys
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

PAYMENTS = {PaymentKind.BANK: "iban", PaymentKind.WALLET: "wallet", PaymentKind.CARD: "card"}
PLACE = "accounts.checkresult"
# Where somebody is reached or works with the product says little of where they belong.
ELSEWHERE = (AddressKind.USE_LOCATION, AddressKind.CONTACT_PERSON, AddressKind.NEXT_OF_KIN, AddressKind.APO_FPO)


class Concluded(Refusal):
    """The verification has ended; what its checks answered stays as it is."""


@flow
def run_again(verification: Verification, *, by: Actor, at: datetime) -> int:
    """Run every check once more because somebody asks; returns how many answers are new. Raises Concluded."""
    Account.objects.select_for_update(of=("self",)).get(pk=verification.account_id)
    Party.objects.select_for_update(of=("self",)).get(pk=verification.party_id)
    verification = locked(verification)
    if verification.concluded_at is not None:
        raise Concluded(f"{verification.reference} is concluded. Start another verification to check again.")
    return run_for(verification, by=by, at=at)


def look_again(party: Party, *, by: Actor, at: datetime) -> None:
    """Something of the party, whose row the caller has locked, was added or corrected: run for each unfinished one.

    The account stays unlocked: others lock it before the party, and would wait for us while we wait for them.
    """
    rows = Verification.objects.unfinished().filter(party=party).select_related("account", "party")
    for verification in rows.select_for_update(of=("self",)).order_by("pk"):
        run_for(verification, by=by, at=at)


def run_for(verification: Verification, *, by: Actor, at: datetime) -> int:
    """Run every check and open what disagrees; the caller is a flow and has locked party and verification.

    Returns how many answers are new.
    """
    party = verification.party
    with keys.held([party.pk]):
        documents = list(party.documents.order_by("added_at", "pk"))
        found = checks.run_all(_on_file(verification, documents, legal_day(at)))
        new = _new_answers(verification, found, by, at)
        for document in documents:
            note_disagreements(verification, document, by=by, at=at)
    if new:
        CheckResult.objects.bulk_create(new)
        audit.record(
            Verb.CHECKS_RUN, verification, by=by, at=at, within=verification.account, count=len(new),
            failed=sum(each.outcome == Outcome.FAILED for each in new), verification=verification.reference,
        )  # fmt: skip
    return len(new)


def _new_answers(verification: Verification, found, by: Actor, at: datetime) -> list[CheckResult]:
    """The answers that are not the last ones of their check already, as rows not written yet."""
    before = list(CheckResult.objects.filter(verification=verification).order_by("turn"))
    last = {(each.code, each.about_key, each.about_column): _matter(each) for each in before}
    turn = before[-1].turn + 1 if before else 1
    rows = (_row(verification, check, answer, turn, by, at) for check, answer in found)
    return [row for row in rows if last.get((row.code, row.about_key, row.about_column)) != _matter(row)]


def _matter(row: CheckResult) -> tuple:
    return row.outcome, row.reason, row.source, tuple(row.matched), row.evidence, row.file_sha256


def _row(verification: Verification, check: Check, answer: Answer, turn: int, by: Actor, at: datetime) -> CheckResult:
    about = answer.about
    return CheckResult(
        verification=verification, turn=turn, code=check.code, about=about.title[:80], about_label=about.label,
        about_key=about.key, about_column=about.column, outcome=answer.outcome.value, reason=answer.reason[:600],
        source=answer.source[:200], matched=list(answer.matched), file_sha256=answer.file_sha256, at=at, by=by.label,
        evidence=keys.evidence(verification.party_id, PLACE, f"{check.code}\x1f{answer.looked_at}"),
    )  # fmt: skip


def shown(verification: Verification) -> list[CheckResult]:
    """The newest answer on each thing that is still in use, what failed first; two queries."""
    over = verification.party.payment_methods.filter(ended_at__isnull=False).values_list("pk", flat=True)
    ended = {str(key) for key in over}
    rank = {Outcome.FAILED: 0, Outcome.COULD_NOT_RUN: 1, Outcome.PASSED: 2}
    rows = [row for row in verification.checks.latest() if row.about_key not in ended]
    return sorted(rows, key=lambda row: (rank[Outcome(row.outcome)], row.about, row.code, row.about_key))


# --- what is on file --------------------------------------------------------------------------------------------------


def _on_file(verification: Verification, documents: list[IdentityDocument], on: date) -> OnFile:
    party, regime = verification.party, regime_on(on)
    addresses = list(party.addresses.order_by("added_at", "pk"))
    payments = list(party.payment_methods.filter(ended_at__isnull=True).order_by("added_at", "pk"))
    return OnFile(
        party=About("the file as a whole", party._meta.label_lower, str(party.pk)),
        on=on,
        party_kind=party.kind,
        values=(*_details(party), *_contacts(party), *_payments(payments)),
        documents=tuple(_document(each, party, on) for each in documents),
        addresses=tuple(
            AddressOnFile(_about(row, row.get_kind_display(), "lines"), _clear(row.lines), row.region, str(row.country))
            for row in addresses
        ),
        origins=(
            *(Origin("document", str(row.country)) for row in documents if row.country),
            *(Origin("address", str(row.country)) for row in addresses if row.kind not in ELSEWHERE),
            *(Origin("payment", str(row.country)) for row in payments if row.country),
        ),
        seen=_seen(verification.account) if verification.account.party_id == party.pk else (),
        regime=regime.label,
        figures=_figures(regime),
    )


def _figures(regime: Regime) -> dict[str, PolicyFigure]:
    return {name: PolicyFigure(figure.value, str(figure.citation)) for name, figure in regime.figures.items()}


def _about(row: models.Model, title: str, column: str = "") -> About:
    return About(title, row._meta.label_lower, str(row.pk), column)


def _clear(sealed) -> str:
    return sealed.reveal() if sealed else ""


def _details(party: Party) -> Iterator[Value]:
    country = (party.citizenship or party.formation_country).code or ""
    for name in ("national_id", "registration_number"):
        if text := _clear(getattr(party, name)):
            yield Value(_about(party, str(party._meta.get_field(name).verbose_name), name), name, text, country)


def _contacts(party: Party) -> Iterator[Value]:
    for row in party.contact_points.order_by("kind", "added_at", "pk"):
        if text := _clear(row.value):
            yield Value(_about(row, row.get_kind_display(), "value"), row.kind, text)


def _payments(payments) -> Iterator[Value]:
    for row in payments:
        text, kind = _clear(row.identifier), PAYMENTS.get(row.kind)
        if text and kind and (kind != "iban" or _is_iban(text)):
            yield Value(_about(row, row.get_kind_display(), "identifier"), kind, text, str(row.country))


def _is_iban(text: str) -> bool:
    """An account number of a country without IBAN has no check digits of its own to look at."""
    return text[:2].isalpha() and text[2:4].isdigit()


def _document(row: IdentityDocument, party: Party, on: date) -> DocumentOnFile:
    reading, unreadable = read_zone(row, on=on)
    facts = facts_of(row, party)
    title = f"{BY_CODE[row.kind].title}, {row.reference}"
    return DocumentOnFile(
        _about(row, title), replace(facts, zone=zone_of(reading) if reading else None), _clear(row.mrz), reading,
        unreadable, row.file_sha256,
    )  # fmt: skip


def _seen(account: Account) -> tuple[Seen, ...]:
    """Accesses from public addresses by country; one query."""
    return tuple(Seen(country, count, hidden) for country, count, hidden in sorted(by_country(account)) if country)
