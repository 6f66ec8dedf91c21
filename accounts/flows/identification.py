"""Take in what identifies a party: documents, means of payment, owners (R14, R15, R21, R22, R26, R27, R32)."""

from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO

from django.conf import settings
from django_countries import countries
from rigour.territories import get_territory

from accounts.events import owners_changed
from accounts.flows import checking, document_files, links, ownership, parties, reverification, texts
from accounts.flows.completeness import missing_for
from accounts.flows.stated import checked_payment, checked_transactions, payment_row, require_order
from accounts.flows.texts import BadField, Texts
from accounts.formats.mrz import MrzReading, read_mrz
from accounts.formats.upload import inspect_upload
from accounts.models import Account, IdentityDocument, OwnershipCertification, OwnershipStake, Party, PaymentMethod
from accounts.models.party import PartyKind
from accounts.rules.documents import document_kind
from accounts.rules.new_parties import NewParty, NewPayment
from accounts.verbs import Verb
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import statement
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor

__all__ = [
    "add_document", "add_owner", "add_payment_method", "add_transactions", "certify_owners", "doubt_certification",
    "end_payment_method", "end_stake", "missing_for",
]  # fmt: skip

VISA = "visa"


# --- Documents --------------------------------------------------------------------------------------------------------


@flow
def add_document(
    party: Party,
    *,
    kind: str,
    number: str = "",
    country: str = "",
    place_of_issue: str = "",
    issued_on: date | None = None,
    expires_on: date | None = None,
    mrz: str = "",
    file: BinaryIO | None = None,
    file_name: str = "",
    by: Actor,
    at: datetime,
) -> IdentityDocument:
    """Add a document a party showed (R32), with its file and its machine-readable zone when there are any.

    Number, country and expiry come from the zone when they were not typed. Check digits that fail are kept by name and
    refuse nothing (T7); what makes the entry senseless is refused: BadField, UnreadableMrz, UploadRefused,
    UnknownDocumentKind.
    """
    row_of_kind = document_kind(kind)
    party, told, today = parties.locked(party), Texts(), legal_day(at)
    mrz = texts.code("Machine-readable zone", mrz, 200, one_line=False)
    document = IdentityDocument(
        party=party, kind=row_of_kind.code, country=texts.country("Country", country), expires_on=expires_on,
        place_of_issue=told.line("Place of issue", place_of_issue, 100),
        issued_on=texts.past_day("Date of issue", issued_on, today), added_at=at, added_by=by.label,
    )  # fmt: skip
    document.number = texts.code("Number", number, parties.LONGEST_CODE)
    take_zone(document, mrz, today=today)
    _take_file(document, file, file_name)
    document.save(force_insert=True)
    parties.touch(party, at=at)
    clear = document.number.reveal() if document.number else ""
    links.remember(party, links.values_of_document(clear, str(document.country)), at=at)
    audit.record(
        Verb.DOCUMENT_ADDED, party, by=by, at=at, within=parties.account_of(party), document=document.reference,
        kind=kind, sha256=document.file_sha256, warnings=len(document.file_warnings), failed=document.mrz_failed,
    )  # fmt: skip
    told.record_masked(party, by=by, at=at)
    checking.look_again(party, by=by, at=at)
    return document


def take_zone(document: IdentityDocument, mrz: str, *, today: date) -> None:
    """Put a zone into a document that is not saved yet, and what it says of number, country and expiry where none is.

    Raises UnreadableMrz and BadField, also when the dates cannot be right together.
    """
    zone = _read_zone(mrz, document_kind(document.kind), today)
    document.mrz, document.mrz_failed = mrz, list(zone.failed) if zone else []
    if zone:
        document.country = document.country or _country_of(zone)
        document.expires_on = document.expires_on or zone.expires_on
        document.number = document.number or zone.number
    require_order(_born(document.party), document.issued_on, document.expires_on)


def _read_zone(mrz: str, kind, today: date) -> MrzReading | None:
    if not mrz:
        return None
    if not kind.has_mrz:
        raise BadField(f"Machine-readable zone is given, but a {kind.title.lower()} has none. Correct the kind.")
    zone = read_mrz(mrz, today=today)
    if zone.proves_identity == (kind.code == VISA):  # T4: a visa must not pass for a passport, nor the reverse
        printed = "a visa" if kind.code != VISA else "no visa"
        raise BadField(f"Machine-readable zone is that of {printed}. Correct the kind of document.")
    return zone


def _country_of(zone: MrzReading | None) -> str:
    """The issuer as two letters; "" for codes that are no country's, such as UTO of the specimens."""
    if zone is None or not zone.issuer:
        return ""
    found = get_territory("DE" if zone.issuer == "D" else zone.issuer)
    return found.code.upper() if found and found.code.upper() in countries else ""


def _born(party: Party) -> date | None:
    return date.fromisoformat(party.birth_date.reveal()) if party.birth_date else None


def _take_file(document: IdentityDocument, file: BinaryIO | None, name: str) -> None:
    if file is None:
        return
    found = inspect_upload(file, name, settings.DOCUMENT_MAX_BYTES)
    file.seek(0)
    document.file_sha256 = document_files.store(document.party_id, file.read())
    document.file_bytes, document.file_type = found.size, found.media_type
    document.file_name, document.file_warnings = found.safe_name, list(found.warnings)


# --- Means of payment -------------------------------------------------------------------------------------------------


@flow
def add_payment_method(party: Party, *, by: Actor, at: datetime, **stated) -> PaymentMethod:
    """Add means and source of payment (R14, R15). Of a card the token or the last four digits, never the number.

    `stated` are the fields of NewPayment. Raises BadField or BadNumber.
    """
    party, told = parties.locked(party), Texts()
    new = checked_payment(NewPayment(**stated), told)
    payment = payment_row(party, new, at=at)
    payment.save(force_insert=True)

    parties.touch(party, at=at)
    links.remember(party, links.values_of_payment(new.kind, new.identifier), at=at)
    audit.record(Verb.PAYMENT_ADDED, party, by=by, at=at, within=parties.account_of(party), kind=new.kind)
    told.record_masked(party, by=by, at=at)
    checking.look_again(party, by=by, at=at)
    _ask_again(Account.objects.filter(party=party), "payment_changed", by=by, at=at)
    return payment


@flow
def add_transactions(payment: PaymentMethod, *, transactions: str, by: Actor, at: datetime) -> PaymentMethod:
    """Add numbers of transactions at the provider of payments, one a line (R14). Raises BadField."""
    party = parties.locked(payment.party)
    payment = PaymentMethod.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    known = payment.transactions.reveal() if payment.transactions else ""
    together = checked_transactions(f"{known}\n{transactions}")
    added = len(together.splitlines()) - len(known.splitlines())
    if not added:
        raise BadField("Transactions are empty or on file already. Enter a new one.")
    payment.transactions = together
    payment.save(update_fields=["transactions"])
    audit.record(
        Verb.TRANSACTIONS_ADDED, party, by=by, at=at, within=parties.account_of(party), kind=payment.kind, count=added
    )
    return payment


@flow
def end_payment_method(payment: PaymentMethod, *, by: Actor, at: datetime) -> PaymentMethod:
    """Note that a means of payment is no longer used; its fingerprint stays."""
    party = parties.locked(payment.party)
    payment = PaymentMethod.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    if payment.ended_at is not None:
        raise BadField("Means of payment ended before. Nothing needs to be changed.")
    payment.ended_at = at
    payment.save(update_fields=["ended_at"])
    audit.record(Verb.PAYMENT_ENDED, party, by=by, at=at, within=parties.account_of(party), kind=payment.kind)
    checking.look_again(party, by=by, at=at)
    _ask_again(Account.objects.filter(party=party), "payment_changed", by=by, at=at)
    return payment


# --- Owners -----------------------------------------------------------------------------------------------------------


@flow
def add_owner(
    party: Party,
    *,
    owner: Party | NewParty,
    percent: Decimal,
    has_control: bool = False,
    from_on: date | None = None,
    to_on: date | None = None,
    by: Actor,
    at: datetime,
) -> OwnershipStake:
    """Add who owns a share of `party` or controls it (R21); the owner may be new or on file.

    `from_on` and `to_on` are the first and the last day; None is "always" and "still". Raises BadField, also when the
    owners of one day would hold more than 100 percent together.
    """
    party, today = parties.locked(party), legal_day(at)
    if party.kind == PartyKind.INDIVIDUAL:
        raise BadField("Owner cannot be added: this party is an individual. Correct the kind of party first.")
    percent = texts.percentage("Percent", percent)
    if not percent and not has_control:
        raise BadField("Percent is 0 and no control is stated. Enter a share, or tick control.")
    from_on, to_on = texts.past_day("Held from", from_on, today), texts.past_day("Last day", to_on, today)
    if from_on and to_on and to_on < from_on:
        raise BadField(f"Last day {to_on} lies before held from {from_on}. Correct it.")
    if isinstance(owner, NewParty):
        owner = parties.add_party(owner, by=by, at=at)
    stake = OwnershipStake(
        owner=owner, owned=party, percent=percent, has_control=has_control, from_on=from_on, to_on=to_on
    )
    _require_room(party, stake, today)
    stake.save(force_insert=True)
    links.remember(party, links.values_of_owner(owner), at=at)
    audit.record(
        Verb.OWNER_ADDED, party, by=by, at=at, within=parties.account_of(party), owner=owner.reference,
        percent=f"{percent.normalize():f}", has_control=has_control,
    )  # fmt: skip
    owners_have_changed(party, today, by=by, at=at)
    return stake


def _require_room(party: Party, stake: OwnershipStake, today: date) -> None:
    """Refuse an owner who holds a stake in the same days already, and a sum above 100 percent on any day.

    A stake of unknown beginning is looked at from today on, or on its last day: before, nobody knows who held what.
    """
    owner = stake.owner
    if owner.pk == party.pk:
        raise BadField("Owner is the party itself. Name another one.")
    since = stake.from_on or stake.to_on or today
    there = list(OwnershipStake.objects.held_within(since, stake.to_on).filter(owned=party))
    if any(each.owner_id == owner.pk for each in there):
        raise BadField(f"Owner {owner.reference} holds a stake already. End that stake first if the share changed.")
    total, day = ownership.most_beside(stake, there, today)
    if total > 100 and stake.percent:
        raise BadField(
            f"Percent would bring the owners of {party.reference} to {total.normalize():f} % on "
            f"{day}, more than 100. Correct the share, or end the stake that is over."
        )


@flow
def end_stake(stake: OwnershipStake, *, to_on: date, by: Actor, at: datetime) -> OwnershipStake:
    """Note the last day on which a stake was held; it stays on file. Raises BadField."""
    party, today = parties.locked(stake.owned), legal_day(at)
    stake = OwnershipStake.objects.select_for_update(of=("self",)).select_related("owner").get(pk=stake.pk)
    if stake.to_on is not None:
        raise BadField(f"Last day is on file already: {stake.to_on}. Nothing needs to be changed.")
    to_on = texts.past_day("Last day", to_on, today)
    if to_on is None or (stake.from_on and to_on < stake.from_on):
        raise BadField(
            f"Last day {to_on or 'is empty'} does not follow held from {stake.from_on or 'unknown'}. Correct it."
        )

    stake.to_on = to_on
    stake.save(update_fields=["to_on"])
    audit.record(
        Verb.OWNER_ENDED, party, by=by, at=at, within=parties.account_of(party), owner=stake.owner.reference,
        to_on=to_on,
    )  # fmt: skip
    owners_have_changed(party, today, by=by, at=at)
    return stake


def owners_have_changed(party: Party, today: date, *, by: Actor, at: datetime) -> None:
    """Whatever the party owns is screened again, its accounts are told, and open ones are asked for proof again."""
    below = ownership.parties_below(party, today)
    Party.objects.filter(pk__in=below).update(changed_at=at)
    accounts = Account.objects.filter(party_id__in=below).order_by("pk")
    for account in accounts:
        _break_certifications(account, "owners_changed", by=by, at=at)
        owners_changed.send(sender=OwnershipStake, account=account, by=by, at=at)
    _ask_again(accounts, "owners_changed", by=by, at=at)


def _ask_again(accounts, trigger: str, *, by: Actor, at: datetime) -> None:
    for account in accounts.open():
        reverification.request_after(account, trigger=trigger, by=by, at=at)


def _break_certifications(account: Account, why: str, *, by: Actor, at: datetime) -> int:
    standing = OwnershipCertification.objects.filter(account=account, broken_at__isnull=True)
    broken = standing.update(broken_at=at, broken_why=why)
    if broken:
        audit.record(Verb.CERTIFICATION_BROKEN, account, by=by, at=at, within=account.party, reason=why)
    return broken


@flow
def doubt_certification(account: Account, *, by: Actor, at: datetime) -> Account:
    """Rely on the signed list of owners no longer, because facts put it in doubt (R22). Raises BadField."""
    account = Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)
    if not _break_certifications(account, "in_doubt", by=by, at=at):
        raise BadField("Certification of owners is not on file, so there is none to doubt.")
    return account


@flow
def certify_owners(
    account: Account, *, signed_on: date, signed_by: str, text_version: str, by: Actor, at: datetime
) -> OwnershipCertification:
    """Record the signed statement that the owners named are all there are (R22). Raises BadField.

    `signed_by` is the person who opens the account, `text_version` the number of the wording they signed; it holds
    until the owners change. Raises NoStatement.
    """
    account = Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)
    if account.party.kind == PartyKind.INDIVIDUAL:
        raise BadField("Certification of owners is not asked of an individual.")
    signed_on = texts.past_day("Signed on", signed_on, legal_day(at))
    if signed_on is None:
        raise BadField("Signed on is empty. Enter the day of the signature.")
    version = str(statement(StatementKind.OWNERS, text_version).number)
    told = Texts()
    row = OwnershipCertification(
        account=account, text_version=version, signed_on=signed_on, recorded_at=at, recorded_by=by.label
    )
    row.signed_by = texts.required("Signed by", told.line("Signed by", signed_by, 300))
    row.save(force_insert=True)
    audit.record(Verb.OWNERS_CERTIFIED, account, by=by, at=at, within=account.party, version=version)
    told.record_masked(account, by=by, at=at)
    return row
