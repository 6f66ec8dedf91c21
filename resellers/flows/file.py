"""A reseller's file: its contract, whom to reach there, and whether it may sell today (R55, R61)."""

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from accounts.flows import restrictions, texts
from accounts.flows.texts import BadField, Texts
from accounts.models import Account
from accounts.rules.numbers import normalised
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.flows.coverage import coverage_of
from resellers.models import Reseller, ResellerContact, ResellerContract
from resellers.models.contract import ContactRole
from resellers.rules.standing import Standing, StandingFacts, standing
from resellers.verbs import Verb


class Ended(Refusal):
    """The relationship with the reseller has ended, or ends."""


def locked(reseller: Reseller) -> Reseller:
    """The reseller's row, locked until the transaction ends; its account and party are loaded."""
    rows = Reseller.objects.select_for_update(of=("self",)).select_related("account__party")
    return rows.get(pk=reseller.pk)


def standing_of(reseller: Reseller, *, on: date) -> Standing:
    """Whether a reseller may sell on a day, and if not, why; reads reseller.account.party, eleven queries."""
    account, regime = reseller.account, regime_on(on)
    customers = coverage_of(reseller, on=on, regime=regime)
    strictest = restrictions.strictest(account)
    contract = contract_on(reseller, on)
    facts = StandingFacts(
        on=on,
        is_foreign=not account.party.is_us,
        account_is_open=account.is_open,
        restriction=strictest.get_level_display() if strictest else "",
        has_contract=contract is not None,
        contract_until=contract.to_on if contract else None,
        ended_on=ended_on(reseller),
        has_cip=reseller.cips.approved().exists(),
        has_officer=reseller.contacts.filter(role=ContactRole.OFFICER, ended_at__isnull=True).exists(),
        overdue=_past_due(reseller.findings.overdue(on)),
        unsigned=_past_due(reseller.attestations.overdue(on)),
        customers=customers.total,
        uncertified=customers.late,
        most_percent=regime.number("reseller_lapsed_percent"),
        share_set_by=regime.cite("reseller_lapsed_percent"),
    )
    return standing(facts)


def _past_due(rows: QuerySet) -> tuple[tuple[str, date, str], ...]:
    """Of findings or attestations past their last day: reference, day and what sets it, the soonest first."""
    found = rows.select_related("citation").order_by("due_on", "pk")
    return tuple((each.reference, each.due_on, str(each.citation)) for each in found)


def may_not_sell(account: Account, at: datetime) -> list[str]:
    """The guard of opening: a customer brought by a reseller is opened only while the reseller may sell."""
    link = getattr(account, "sold_through", None)
    if link is None or link.ended_at is not None:
        return []
    found = standing_of(link.reseller, on=legal_day(at))
    return [f"{link.reseller.reference}, who brought this customer, may not sell: {why}" for why in found.reasons]


def ended_on(reseller: Reseller) -> date | None:
    """The day from which the reseller sells nothing any more, because two people decided to end it (R61)."""
    moment = reseller.terminations.decided().values_list("decided_at", flat=True).first()
    return legal_day(moment) if moment else None


def require_running(reseller: Reseller) -> None:
    """Refuse what makes no sense once the relationship ends; the caller holds the reseller's lock. Raises Ended."""
    if (day := ended_on(reseller)) is not None:
        raise Ended(f"The relationship with {reseller.reference} ended on {day}. Nothing is taken for it any more.")


def contract_on(reseller: Reseller, day: date) -> ResellerContract | None:
    """The contract in force on a day, the newest if there are several."""
    holds = Q(from_on__lte=day) & (Q(to_on__isnull=True) | Q(to_on__gte=day))
    return reseller.contracts.filter(holds).order_by("-from_on", "number").first()


@flow
def record_contract(
    reseller: Reseller, *, number: str, from_on: date, to_on: date | None, by: Actor, at: datetime
) -> ResellerContract:
    """Record a contract; `to_on` is its last day, None while nobody has ended it. Raises BadField or Ended."""
    reseller, told = locked(reseller), Texts()
    require_running(reseller)
    number = texts.required("Number", told.line("Number", number, 100))
    if from_on is None:
        raise BadField("In force from is empty. Enter the first day of the contract.")
    if to_on is not None and to_on < from_on:
        raise BadField(f"Last day {to_on} lies before the first day {from_on}. Correct the one that is wrong.")
    if reseller.contracts.filter(number=number).exists():
        raise BadField("Number is that of a contract on file. Enter the number of the new one.")
    row = ResellerContract.objects.create(
        reseller=reseller, number=number, from_on=from_on, to_on=to_on, recorded_at=at, recorded_by=by.label
    )
    audit.record(Verb.CONTRACT_RECORDED, reseller, by=by, at=at, within=reseller.account, reseller=reseller.reference)
    told.record_masked(reseller, by=by, at=at)
    return row


@flow
def end_contract(contract: ResellerContract, *, to_on: date, by: Actor, at: datetime) -> ResellerContract:
    """Note the last day of a contract. Raises BadField."""
    reseller = locked(contract.reseller)
    contract = ResellerContract.objects.select_for_update(of=("self",)).get(pk=contract.pk)
    if contract.to_on is not None and contract.to_on < legal_day(at):
        raise BadField(f"Contract ended on {contract.to_on}. Nothing needs to be changed.")
    if to_on is None or to_on < max(contract.from_on, legal_day(at) - timedelta(days=366)):
        raise BadField("Last day lies before the contract began, or more than a year ago. Correct it.")
    contract.to_on = to_on
    contract.save(update_fields=["to_on"])
    audit.record(
        Verb.CONTRACT_ENDED, reseller, by=by, at=at, within=reseller.account, reseller=reseller.reference, to_on=to_on
    )
    return contract


@flow
def add_contact(
    reseller: Reseller, *, role: str, name: str, title: str = "", email: str, phone: str = "", by: Actor, at: datetime
) -> ResellerContact:
    """Add a person to reach at a reseller, in place of the former one of that role (R69 as the pattern).

    Raises BadField or BadNumber.
    """
    reseller, told = locked(reseller), Texts()
    row = ResellerContact(
        reseller=reseller, role=texts.chosen("Role", role, ContactRole), title=told.line("Title", title, 100),
        added_at=at,
    )  # fmt: skip
    row.name = texts.required("Name", told.line("Name", name, 300))
    row.email = normalised("email", texts.required("E-mail", texts.code("E-mail", email, 254)))
    row.phone = normalised("phone", phone) if texts.code("Telephone", phone, 40) else ""
    reseller.contacts.filter(role=row.role, ended_at__isnull=True).update(ended_at=at)
    row.save(force_insert=True)
    audit.record(Verb.CONTACT_ADDED, reseller, by=by, at=at, within=reseller.account, kind=row.role)
    told.record_masked(reseller, by=by, at=at)
    return row
