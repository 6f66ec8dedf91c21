"""Check means of payment and documents as stated, and make rows of them that are not written yet (R14, R15, R32).

Nothing here reads or writes the database: forms, the customer's page and files of a hundred thousand customers use it.
"""

import dataclasses
from datetime import date, datetime

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from accounts.models import IdentityDocument, Party, PaymentMethod
from accounts.models.identity import PaymentKind
from accounts.rules.documents import document_kind
from accounts.rules.new_parties import NewDocument, NewPayment
from accounts.rules.numbers import FullCardNumber, is_card_number, normalised

LONGEST_CODE = 100
MOST_TRANSACTIONS = 200


def checked_payment(new: NewPayment, told: Texts) -> NewPayment:
    """The means of payment as it will be stored. Raises BadField, BadNumber or FullCardNumber, naming the field."""
    kind = texts.chosen("Kind of payment", new.kind, PaymentKind)
    identifier = _payment_identifier(kind, texts.code("Identifier", new.identifier, 300))
    return NewPayment(
        kind=kind,
        identifier=identifier,
        institution=told.line("Institution", new.institution, 200),
        country=texts.country("Country", new.country),
        holder=told.line("Holder", new.holder, 300),
        source=told.line("Source of payment", new.source, 300),
        last_four=_last_four(kind, identifier, new.last_four),
        customer_number=_no_card("Customer number", texts.code("Customer number", new.customer_number, LONGEST_CODE)),
        transactions=checked_transactions(new.transactions),
    )


def _no_card(field: str, number: str) -> str:
    if is_card_number(number):
        raise FullCardNumber(f"{field} is a whole card number. Enter what the institution calls the customer.")
    return number


def checked_transactions(numbers: str) -> str:
    """Transaction numbers, one a line, each once. Raises BadField."""
    lines = [line.strip() for line in texts.code("Transactions", numbers, 20_000, one_line=False).splitlines()]
    found = list(dict.fromkeys(line for line in lines if line))
    if len(found) > MOST_TRANSACTIONS:
        raise BadField(f"Transactions are more than {MOST_TRANSACTIONS}. Enter those that matter as evidence.")
    for number in found:
        texts.code("Transaction number", number, LONGEST_CODE)
        if is_card_number(number):
            raise FullCardNumber(
                "One of the transactions looks like a whole card number. Take it out, or put the institution before it."
            )
    return "\n".join(found)


def payment_row(party: Party, new: NewPayment, *, at: datetime) -> PaymentMethod:
    """The row of a checked means of payment, not written."""
    row = PaymentMethod(
        party=party, kind=new.kind, institution=new.institution, last_four=new.last_four, country=new.country,
        source=new.source, added_at=at,
    )  # fmt: skip
    row.identifier, row.holder = new.identifier, new.holder
    row.customer_number, row.transactions = new.customer_number, new.transactions
    return row


def _payment_identifier(kind: str, identifier: str) -> str:
    if not identifier:
        return ""
    if kind == PaymentKind.NONE:
        raise BadField("Identifier is given, but the kind is none. Leave it out or correct the kind.")
    if is_card_number(identifier):  # whatever the kind: the number of a card is nowhere kept
        raise FullCardNumber(
            "This is a whole card number. Enter the payment provider's token or the last four digits; a bank account "
            "that looks like one with its bank's code or as IBAN."
        )
    if kind == PaymentKind.WALLET:
        return normalised("wallet", identifier)
    looks_like_iban = identifier.strip()[:2].isalpha() and identifier.strip()[2:4].isdigit()
    if kind == PaymentKind.BANK and looks_like_iban:
        return normalised("iban", identifier)
    return normalised("bank_account" if kind == PaymentKind.BANK else "card", identifier)


def _last_four(kind: str, identifier: str, stated: str) -> str:
    """The four digits or letters by which staff recognise a means of payment; those of a card are not in its token."""
    if stated and not (stated.isascii() and stated.isdigit() and len(stated) == 4):
        raise BadField("Last four digits must be four digits. Type them as they stand on the card.")
    if kind in (PaymentKind.CARD, PaymentKind.PREPAID) and len(identifier) > 4:
        return stated
    return stated or identifier[-4:]


def checked_document(new: NewDocument, *, born: date | None, today: date, told: Texts) -> NewDocument:
    """A document as it will be stored. Raises BadField or UnknownDocumentKind, naming the field."""
    document_kind(new.kind)
    checked = dataclasses.replace(
        new,
        number=texts.code("Number", new.number, LONGEST_CODE),
        country=texts.country("Country", new.country),
        place_of_issue=told.line("Place of issue", new.place_of_issue, 100),
        issued_on=texts.past_day("Date of issue", new.issued_on, today),
    )
    require_order(born, checked.issued_on, checked.expires_on)
    return checked


def document_row(party: Party, new: NewDocument, *, at: datetime, by_label: str) -> IdentityDocument:
    """The row of a checked document, not written."""
    row = IdentityDocument(
        party=party, kind=new.kind, country=new.country, place_of_issue=new.place_of_issue, issued_on=new.issued_on,
        expires_on=new.expires_on, added_at=at, added_by=by_label,
    )  # fmt: skip
    row.number = new.number
    return row


def require_order(born: date | None, issued: date | None, expires: date | None) -> None:
    """Refuse dates that cannot be right together, naming both (trust.md D5). Raises BadField."""
    days = [("Date of birth", born), ("Date of issue", issued), ("Date of expiry", expires)]
    known = [(name, day) for name, day in days if day is not None]
    for place, (name, day) in enumerate(known):
        for later_name, later in known[place + 1 :]:
            if day > later:
                raise BadField(
                    f"{name} {day} lies after the {later_name.lower()} {later}. Correct the one that is wrong."
                )
