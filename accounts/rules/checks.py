"""The list of checks on the form of what a party stated (requirements R13, R15-R17, R20). Nobody outside is asked.

A check takes the values and answers for each one it looks at; it never repeats a value in its reason. What a document
says otherwise than was stated is found in flows/comparing.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from disposable_email_domains import blocklist
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from accounts.rules.numbers import BITCOIN, HEXADECIMAL, BadNumber, normalised


class Outcome(StrEnum):
    """What a check found. Passed says that the form is right, never that the value belongs to the party."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_RUN = "could_not_run"


@dataclass(frozen=True)
class Answer:
    """One answer: about which value (`about` is a reference, no value), what agreed, why, and by which source."""

    about: str
    outcome: Outcome
    reason: str
    source: str
    matched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """One stated value with the reference of its row; `country` as two letters, empty when unknown."""

    about: str
    kind: str
    text: str
    country: str = ""


@dataclass(frozen=True)
class Check:
    """One row of the list: its code, what staff call it, and the function."""

    code: str
    title: str
    run: Callable[[Sequence[Value]], tuple[Answer, ...]]


def _of_kind(values: Sequence[Value], *kinds: str) -> Iterator[Value]:
    return (value for value in values if value.kind in kinds)


def check_numbers(values: Sequence[Value]) -> tuple[Answer, ...]:
    """IBAN and Bitcoin addresses by their check digits (R15). Of a card only the token is kept: nothing to check."""
    answers = []
    for value in _of_kind(values, "iban", "wallet", "card"):
        source = "python-stdnum"
        try:
            plain = normalised(value.kind, value.text)
        except BadNumber as refusal:
            answers.append(Answer(value.about, Outcome.FAILED, str(refusal), source))
            continue
        if value.kind == "card":
            reason = "Only the card's token or last four digits are kept, and they carry no check digit."
            answers.append(Answer(value.about, Outcome.COULD_NOT_RUN, reason, source))
        elif value.kind == "wallet" and (not BITCOIN.fullmatch(plain) or HEXADECIMAL.fullmatch(plain)):
            reason = "The check digits of this currency's addresses are not known here."
            answers.append(Answer(value.about, Outcome.COULD_NOT_RUN, reason, source))
        else:
            answers.append(Answer(value.about, Outcome.PASSED, "The check digits fit.", source, (value.kind,)))
    return tuple(answers)


# python-stdnum's names. A number that fits one of the second kind is good; one that does not may be of another.
REGISTERS = {
    "national_id": (("personalid", "ssn", "nin"), ()),
    "registration_number": ((), ("businessid", "vat")),
}


def check_identifiers(values: Sequence[Value]) -> tuple[Answer, ...]:
    """National and company numbers by their country's rules; a country may have several kinds of number (R13, R20)."""
    answers = []
    for value in _of_kind(values, *REGISTERS):
        deciding, further = (_modules(value.country, names) for names in REGISTERS[value.kind])
        if any(_accepts(module, value.text) for module in (*deciding, *further)):
            reason = "The number has the form and check digits of its country."
            answers.append(Answer(value.about, Outcome.PASSED, reason, "python-stdnum", (value.kind,)))
        elif deciding:
            reason = "The number fits none of the known forms of its country. Compare it with the paper."
            answers.append(Answer(value.about, Outcome.FAILED, reason, "python-stdnum"))
        else:
            reason = "No rule known here decides on such a number of this country. Compare it with the register."
            answers.append(Answer(value.about, Outcome.COULD_NOT_RUN, reason, "python-stdnum"))
    return tuple(answers)


def _modules(country: str, names: Sequence[str]) -> list:
    found = (get_cc_module(country.lower(), name) for name in names) if country else ()
    return [module for module in found if module]


def _accepts(module, text: str) -> bool:
    try:
        module.validate(text)
    except ValidationError:
        return False
    return True


def check_phones(values: Sequence[Value]) -> tuple[Answer, ...]:
    """Telephone numbers by the numbering plan of their country (R17)."""
    answers = []
    for value in _of_kind(values, "phone"):
        try:
            number = phonenumbers.parse(normalised("phone", value.text), None)
        except BadNumber as refusal:
            answers.append(Answer(value.about, Outcome.FAILED, str(refusal), "phonenumberslite"))
            continue
        if phonenumbers.is_valid_number(number):
            reason = "The number fits the numbering plan of its country."
            answers.append(Answer(value.about, Outcome.PASSED, reason, "phonenumberslite", ("phone",)))
        else:
            reason = "No such number is given out in its country. Ask for the number again."
            answers.append(Answer(value.about, Outcome.FAILED, reason, "phonenumberslite"))
    return tuple(answers)


def check_emails(values: Sequence[Value]) -> tuple[Answer, ...]:
    """E-mail addresses by their form, and their domain against the list of throw-away ones (R16). Nothing is sent."""
    source = "email-validator and disposable-email-domains"
    answers = []
    for value in _of_kind(values, "email"):
        try:
            domain = normalised("email", value.text).rpartition("@")[2]
        except BadNumber as refusal:
            answers.append(Answer(value.about, Outcome.FAILED, str(refusal), source))
            continue
        labels = _ascii(domain).lower().split(".")
        if any(".".join(labels[place:]) in blocklist for place in range(len(labels) - 1)):
            reason = "The domain gives out throw-away mailboxes. Ask for a lasting address."
            answers.append(Answer(value.about, Outcome.FAILED, reason, source))
        else:
            reason = "The form is right, and the domain is not a known throw-away one."
            answers.append(Answer(value.about, Outcome.PASSED, reason, source, ("email",)))
    return tuple(answers)


def _ascii(domain: str) -> str:
    """The domain as the list spells it; one that Python's older rules for other scripts refuse stays as it is."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


CHECKS = (
    Check("numbers", "Check digits of bank accounts and wallets", check_numbers),
    Check("identifiers", "National and company numbers", check_identifiers),
    Check("phones", "Telephone numbers", check_phones),
    Check("emails", "E-mail addresses", check_emails),
)


def run_all(values: Sequence[Value]) -> tuple[tuple[Check, Answer], ...]:
    """Run every check of the list; what does not apply gives no answer."""
    return tuple((check, answer) for check in CHECKS for answer in check.run(values))
