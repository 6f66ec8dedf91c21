"""What is known of a party before it is on file, as plain values (requirements R9-R17)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class NewAddress:
    """One address: `kind` as in AddressKind, `country` as an ISO 3166 code of two letters; lines may be empty for a
    place of use, of which often only the country is known."""

    kind: str
    lines: str
    region: str
    country: str
    contact_name: str = ""  # whose address it is, when it is that of next of kin or of a contact person (R12)


@dataclass(frozen=True)
class NewPayment:
    """Means and source of payment (R14, R15): `kind` as in PaymentKind; of a card a token or the last four digits.

    `customer_number` and `transactions` (one a line) are those of the institution that takes the payment.
    """

    kind: str
    identifier: str = ""
    institution: str = ""
    country: str = ""
    holder: str = ""
    source: str = ""
    last_four: str = ""
    customer_number: str = ""
    transactions: str = ""


@dataclass(frozen=True)
class NewDocument:
    """A document as stated, without its file: `kind` as in rules/documents.py (R26, R27, R32)."""

    kind: str
    number: str = ""
    country: str = ""
    place_of_issue: str = ""
    issued_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True)
class NewParty:
    """An individual or an entity as stated; `names` are (kind, name), kinds as in NameKind. Empty is unknown."""

    kind: str
    legal_name: str
    names: tuple[tuple[str, str], ...] = ()
    citizenship: str = ""
    formation_country: str = ""
    entity_type: str = ""
    birth_date: date | None = None
    registration_number: str = ""
    national_id: str = ""
    email: str = ""
    phone: str = ""
    addresses: tuple[NewAddress, ...] = ()
    payments: tuple[NewPayment, ...] = ()
    documents: tuple[NewDocument, ...] = ()
    ssh_keys: tuple[str, ...] = ()  # of these two only fingerprints are kept, never the values
    devices: tuple[str, ...] = ()
