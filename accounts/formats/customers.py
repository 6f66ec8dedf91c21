"""CSV files of customers: one row, one customer (trust.md section 3 A, C, D6).

Pure reading: a row becomes a NewParty or a reason. What a field may hold is judged by accounts/flows/parties.py, the
same for forms and files.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from accounts.formats.tables import BadRow, Columns, Limits, read_table
from accounts.formats.text import folded, shown
from accounts.rules.new_parties import NewAddress, NewDocument, NewParty, NewPayment

MOST_BYTES_A_ROW = 2_048
SEPARATOR = "|"

# Name, what it holds; the first two are required. The command prints this table with --columns.
COLUMNS = (
    ("kind", "individual, entity or undetermined"),
    ("legal_name", "full legal name"),
    ("external_key", "your own customer number; makes it harmless to send a customer twice"),
    ("product", "what the customer asks for"),
    ("is_reseller", "yes or no; empty means no"),
    ("citizenship", "country code of two letters"),
    ("formation_country", "country code of two letters, entities only"),
    ("entity_type", "legal form, such as GmbH"),
    ("birth_date", "YYYY-MM-DD, individuals only"),
    ("registration_number", "number in the business register"),
    ("national_id", "national identification number"),
    ("email", "e-mail address"),
    ("phone", "telephone number with country code, such as +49 30 123456"),
    ("aliases", "other names, separated by |"),
    ("trade_names", "names it trades under, separated by |"),
    ("script_names", "the name in other scripts, separated by |"),
    ("address_kind", "residence, business, principal, local_office, apo_fpo, next_of_kin or contact_person; empty "
     "means residence of an individual, the principal place of business of an entity"),
    ("address_lines", "street address"),
    ("address_region", "state or region"),
    ("address_country", "country code of two letters"),
    ("address_contact", "whose address it is, of next of kin or a contact person"),
    ("use_countries", "country codes of the places of use, separated by |"),
    ("payment_kind", "card, bank, wallet, prepaid, marketplace or none"),
    ("payment_identifier", "card token, account number or wallet; never the number of a card"),
    ("payment_last_four", "last four digits of the card"),
    ("payment_institution", "bank or payment service"),
    ("payment_country", "country code of two letters"),
    ("payment_holder", "who holds the card, account or wallet"),
    ("payment_source", "whose money it is and where it comes from"),
    ("payment_customer_number", "what the institution calls the customer"),
    ("payment_transactions", "numbers of transactions there, separated by |"),
    ("document_kind", "such as passport, national_id or articles; the files are added later"),
    ("document_number", "number on the document"),
    ("document_country", "country code of two letters"),
    ("document_place_of_issue", "where it was issued"),
    ("document_issued_on", "YYYY-MM-DD"),
    ("document_expires_on", "YYYY-MM-DD; 9999-12-31 when it does not expire"),
    ("ssh_keys", "public SSH keys of the registration or their SHA256 fingerprints, separated by |; they are not kept"),
    ("devices", "identifiers of the devices it was registered from, separated by |; they are not kept"),
)  # fmt: skip

TABLE = Columns(
    required=tuple(name for name, _ in COLUMNS[:2]),
    optional=tuple(name for name, _ in COLUMNS[2:]),
    codes=(
        "external_key",
        "registration_number",
        "national_id",
        "phone",
        "payment_identifier",
        "payment_last_four",
        "payment_customer_number",
        "payment_transactions",
        "document_number",
        "devices",
    ),
)
NAME_COLUMNS = (("aliases", "alias"), ("trade_names", "trade"), ("script_names", "script"))
ADDRESS_COLUMNS = ("address_kind", "address_lines", "address_region", "address_country", "address_contact")
USUAL_ADDRESS = {"individual": "residence", "entity": "principal", "undetermined": "business"}
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


@dataclass(frozen=True)
class CustomerRow:
    """One customer as stated in one row of a file."""

    line: int
    new: NewParty
    external_key: str
    product: str
    is_reseller: bool

    @property
    def key(self) -> bytes:
        """16 bytes that two rows of one customer share: the customer number, or name, birth date and country."""
        new = self.new
        parts = (folded(new.legal_name), str(new.birth_date or ""), new.citizenship or new.formation_country)
        text = f"key\x00{self.external_key}" if self.external_key else "\x00".join(("name", *parts)).upper()
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


class _BadCell(ValueError):
    """A value that has not the form its column asks for."""


def read_customers(
    source: Path | BinaryIO, *, most_rows: int, encoding: str | None = None
) -> Iterator[CustomerRow | BadRow]:
    """Read a file row by row; faults of the whole file raise TableRefused at once."""
    limits = Limits(rows=most_rows, size=most_rows * MOST_BYTES_A_ROW)
    return map(_customer, read_table(source, TABLE, limits, encoding))


def _customer(row) -> CustomerRow | BadRow:
    if isinstance(row, BadRow):
        return row
    try:
        return _read(row.line, row.values)
    except _BadCell as fault:
        return BadRow(row.line, str(fault))


def _read(line: int, values: dict[str, str]) -> CustomerRow:
    kind = values["kind"].strip().lower()
    new = NewParty(
        kind=kind,
        legal_name=values["legal_name"],
        names=tuple((code, name) for column, code in NAME_COLUMNS for name in _parts(values[column])),
        citizenship=values["citizenship"],
        formation_country=values["formation_country"],
        entity_type=values["entity_type"],
        birth_date=_day("birth_date", values["birth_date"]),
        registration_number=values["registration_number"],
        national_id=values["national_id"],
        email=values["email"],
        phone=values["phone"],
        addresses=_addresses(kind, values),
        payments=_payments(values),
        documents=_documents(values),
        ssh_keys=tuple(_parts(values["ssh_keys"])),
        devices=tuple(_parts(values["devices"])),
    )
    return CustomerRow(line, new, values["external_key"].strip(), values["product"], _yes("is_reseller", values))


def _addresses(kind: str, values: dict[str, str]) -> tuple[NewAddress, ...]:
    found = []
    if any(values[column] for column in ADDRESS_COLUMNS):
        found.append(
            NewAddress(
                kind=values["address_kind"].strip().lower() or USUAL_ADDRESS.get(kind, "business"),
                lines=values["address_lines"],
                region=values["address_region"],
                country=values["address_country"],
                contact_name=values["address_contact"],
            )
        )
    found += [NewAddress("use_location", "", "", country) for country in _parts(values["use_countries"])]
    return tuple(found)


def _payments(values: dict[str, str]) -> tuple[NewPayment, ...]:
    given = _given("payment_", values)
    if not given:
        return ()
    numbers = "\n".join(_parts(values["payment_transactions"]))
    return (NewPayment(**{"kind": "", **given, "transactions": numbers}),)


def _documents(values: dict[str, str]) -> tuple[NewDocument, ...]:
    given = _given("document_", values)
    if not given:
        return ()
    days = {name: _day(f"document_{name}", values[f"document_{name}"]) for name in ("issued_on", "expires_on")}
    return (NewDocument(**{"kind": "", **given, **days}),)


def _given(prefix: str, values: dict[str, str]) -> dict[str, str]:
    """The fields of one group of columns, without the prefix; empty when none of them is filled in."""
    found = {name.removeprefix(prefix): values[name] for name, _ in COLUMNS if name.startswith(prefix)}
    return found if any(found.values()) else {}


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(SEPARATOR) if part.strip()]


def _day(column: str, value: str) -> date | None:
    if not value:
        return None
    try:
        if ISO_DAY.match(value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:
        pass
    raise _BadCell(f"Column {column} holds {shown(value)}, which is no day. Write it as YYYY-MM-DD.")


def _yes(column: str, values: dict[str, str]) -> bool:
    answer = YES_OR_NO.get(values[column].strip().lower())
    if answer is None:
        raise _BadCell(f"Column {column} holds {shown(values[column])}. Write yes or no.")
    return answer
