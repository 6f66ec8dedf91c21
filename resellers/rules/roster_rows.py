"""What a row of a roster may hold, and what is wrong with one that cannot be used (R24, R64; trust.md 3 A, C, D, E).

A reason names the column and what to do. It never repeats what stood in the cell: it is kept longer than the file.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from django_countries import countries

from accounts.formats.tables import BadRow, Columns, Row
from accounts.formats.text import find_fault, is_blank
from accounts.rules.numbers import BadNumber, contains_card_number, normalised
from accounts.rules.parties import PartyKind
from resellers.rules.roster import KINDS, Method

# Name, what it holds, and the line of the template that shows it; the first five are required.
COLUMNS = (
    ("customer_number", "your own number for the customer, the same in every roster; format the column as text",
     "EXAMPLE-1"),
    ("name", "full legal name of the person or company", "Example Company (remove this row)"),
    ("kind", "individual or entity", "entity"),
    ("country", "country of residence or of formation, two letters of ISO 3166", "DE"),
    ("customer_since", "first day as your customer, YYYY-MM-DD", "2024-03-01"),
    ("parent_number", "number of the customer from whom this one sublets; empty for your own", ""),
    ("email", "e-mail address", "someone@customer.example"),
    ("birth_date", "YYYY-MM-DD, individuals only", ""),
    ("registration_number", "number in the business register", "HRB 12345"),
    ("product", "what the customer uses", "compute"),
    ("verified_on", "day on which you verified the customer, YYYY-MM-DD", "2024-03-02"),
    ("method", "document, other or both; with verified_on", "document"),
    ("account", "reference of the customer's account with us, where it has one", ""),
)  # fmt: skip
TABLE = Columns(
    required=tuple(name for name, _, _ in COLUMNS[:5]),
    optional=tuple(name for name, _, _ in COLUMNS[5:]),
    codes=("customer_number", "parent_number", "registration_number"),
    quotes=False,
)
MEANINGS = {name: meaning for name, meaning, _ in COLUMNS}
EXAMPLE = {name: value for name, _, value in COLUMNS}
DAYS = ("customer_since", "birth_date", "verified_on")
LONGEST = {"customer_number": 80, "parent_number": 80, "name": 300, "email": 254, "registration_number": 80}
LONGEST |= {"product": 80, "account": 20, "kind": 12, "country": 2, "method": 12}
FREE = ("name", "product", "registration_number")
KNOWN_KINDS = frozenset(value for value, _ in KINDS)
KNOWN_METHODS = frozenset(method.value for method in Method)
EARLIEST = date(1900, 1, 1)

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
BARE_NUMBER = re.compile(r"[0-9]{1,7}(\.[0-9]+)?\Z", re.ASCII)
PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class StatedCustomer:
    """One customer as a reseller states it; `account` is a reference of ours, whose owner nobody has looked up yet."""

    line: int
    number: str
    name: str
    kind: str
    country: str
    customer_since: date
    parent_number: str = ""
    email: str = ""
    birth_date: date | None = None
    registration_number: str = ""
    product: str = ""
    verified_on: date | None = None
    method: str = ""
    account: str = ""

    @property
    def words(self) -> str:
        """All that is stated, as one text that is equal for equal statements; the line is none of it."""
        return "\x00".join((
            self.number, self.name, self.kind, self.country, self.customer_since.isoformat(), self.parent_number,
            self.email, str(self.birth_date or ""), self.registration_number, self.product,
            str(self.verified_on or ""), self.method, self.account,
        ))  # fmt: skip


class _BadCell(ValueError):
    """What is wrong with one value, as a sentence."""


def read_row(row: Row, *, today: date) -> StatedCustomer | BadRow:
    """What a row states, or the first thing that is wrong with it."""
    try:
        return _read(row.line, row.values, today)
    except _BadCell as fault:
        return BadRow(row.line, str(fault))


def _read(line: int, values: dict[str, str], today: date) -> StatedCustomer:
    values = {name: value.strip() if value else "" for name, value in values.items()}
    _refuse_template(values)
    for name in TABLE.required:
        if is_blank(values[name]):
            raise _BadCell(f"Column {name} is empty. Fill it in.")
    for name, longest in LONGEST.items():
        if values[name] and (fault := find_fault(values[name], longest, one_line=True)):
            raise _BadCell(f"Column {name} {fault}.")
    for name in FREE:
        if contains_card_number(values[name]):
            raise _BadCell(f"Column {name} holds what may be the number of a payment card. Remove it.")
    kind, country = values["kind"].lower(), values["country"].upper()
    if kind not in KNOWN_KINDS:
        raise _BadCell(f"Column kind is not known. Use one of: {', '.join(sorted(KNOWN_KINDS))}.")
    if country not in _country_codes():
        raise _BadCell("Column country is no country code. Use the two letters of ISO 3166, such as DE.")
    since, birth, verified = (_day(name, values[name], today) for name in DAYS)
    method = values["method"].lower()
    _refuse_contradictions(kind, since, birth, verified, method)
    return StatedCustomer(
        line, values["customer_number"], values["name"], kind, country, since, _parent(values),
        _email(values["email"]), birth, _registration(values["registration_number"]), values["product"], verified,
        method, values["account"].upper(),
    )  # fmt: skip


def _refuse_template(values: dict[str, str]) -> None:
    if values["customer_number"] == EXAMPLE["customer_number"] or values["name"] == EXAMPLE["name"]:
        raise _BadCell("This is the example of the template. Remove the row.")
    if values["customer_number"] == MEANINGS["customer_number"] or values["name"] == MEANINGS["name"]:
        raise _BadCell("This row of the template says what the columns mean. Remove it.")


@cache
def _country_codes() -> frozenset[str]:
    return frozenset(code for code, _ in countries)


def _day(column: str, value: str, today: date) -> date | None:
    if not value:
        return None
    try:
        found = date.fromisoformat(value) if ISO_DAY.match(value) else None
    except ValueError:
        found = None
    if found is None:
        if BARE_NUMBER.match(value):
            raise _BadCell(
                f"Column {column} is a bare number, as a spreadsheet keeps a day. Format the column as a date, or "
                "write YYYY-MM-DD."
            )
        raise _BadCell(f"Column {column} is no day of the calendar. Write it as YYYY-MM-DD.")
    if found < EARLIEST:
        raise _BadCell(f"Column {column} lies before 1900. Correct it.")
    if found > today:
        raise _BadCell(f"Column {column} lies in the future. Correct it.")
    return found


def _refuse_contradictions(kind: str, since: date, birth: date | None, verified: date | None, method: str) -> None:
    if birth is not None and kind != PartyKind.INDIVIDUAL.value:
        raise _BadCell("Column birth_date is for individuals only. Leave it empty, or correct kind.")
    if birth is not None and birth > since:
        raise _BadCell("Column birth_date lies after customer_since. Correct the one that is wrong.")
    if method and method not in KNOWN_METHODS:
        raise _BadCell(f"Column method is not known. Use one of: {', '.join(sorted(KNOWN_METHODS))}.")
    if bool(method) != (verified is not None):
        empty, filled = ("verified_on", "method") if method else ("method", "verified_on")
        raise _BadCell(f"Column {empty} is empty although {filled} is filled in. Fill in both, or neither.")


def _parent(values: dict[str, str]) -> str:
    if values["parent_number"] == values["customer_number"]:
        raise _BadCell("Column parent_number names the customer itself. Name the customer from whom it sublets.")
    return values["parent_number"]


def _registration(value: str) -> str:
    if value and not any(letter.isalnum() for letter in value):
        raise _BadCell("Column registration_number has no letter or digit. Correct it, or leave it empty.")
    return value


def _email(value: str) -> str:
    """The address in the form that is kept, judged as everywhere; a plain one by its domain, which many share."""
    if not value:
        return ""
    local, _, domain = value.rpartition("@")
    try:
        if PLAIN_LOCAL.match(local) and domain.isascii():
            return f"{local}@{_domain(domain)}"
        return normalised("email", value)
    except BadNumber:
        raise _BadCell("Column email is no e-mail address. Write it as name@example.com.") from None


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    return normalised("email", f"name@{domain}").rpartition("@")[2]
