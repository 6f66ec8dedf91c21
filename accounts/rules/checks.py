"""The list of checks (requirements R13-R18, R20, R26, R27, R33, R34). Nobody outside is asked.

A check takes what is on file and answers for each thing it looks at; it never repeats a value in its reason. None of
them proves an identity: that a number has the right form says nothing of whose it is.
"""

from collections.abc import Sequence

import phonenumbers
from disposable_email_domains import blocklist
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from accounts.rules.address_checks import check_addresses
from accounts.rules.answers import Answer, Check, OnFile, Outcome, Value, with_version
from accounts.rules.country_checks import check_countries
from accounts.rules.document_checks import (
    check_document_numbers,
    check_expiry,
    check_stated,
    check_suitability,
    check_zones,
)
from accounts.rules.numbers import BITCOIN, HEXADECIMAL, BadNumber, normalised

STDNUM = with_version("python-stdnum")
PHONES = with_version("phonenumberslite")
EMAILS = with_version("email-validator", "disposable-email-domains")


def _answer(value: Value, outcome: Outcome, reason: str, source: str) -> Answer:
    matched = (value.kind,) if outcome == Outcome.PASSED else ()
    return Answer(value.about, outcome, reason, source, matched, looked_at=f"{value.country} {value.text}")


def check_numbers(on_file: OnFile) -> tuple[Answer, ...]:
    """IBAN and Bitcoin addresses by their check digits (R15). Of a card only the token is kept: nothing to check."""
    answers = []
    for value in on_file.of_kind("iban", "wallet", "card"):
        try:
            plain = normalised(value.kind, value.text)
        except BadNumber as refusal:
            answers.append(_answer(value, Outcome.FAILED, str(refusal), STDNUM))
            continue
        if value.kind == "card":
            reason = "Only the card's token or last four digits are kept, and they carry no check digit."
            answers.append(_answer(value, Outcome.COULD_NOT_RUN, reason, STDNUM))
        elif value.kind == "wallet" and (not BITCOIN.fullmatch(plain) or HEXADECIMAL.fullmatch(plain)):
            reason = "The check digits of this currency's addresses are not known here."
            answers.append(_answer(value, Outcome.COULD_NOT_RUN, reason, STDNUM))
        else:
            answers.append(_answer(value, Outcome.PASSED, "The check digits fit.", STDNUM))
    return tuple(answers)


# python-stdnum's names. A number that fits one of the second kind is good; one that does not may be of another.
REGISTERS = {
    "national_id": (("personalid", "ssn", "nin"), ()),
    "registration_number": ((), ("businessid", "vat")),
}


def check_identifiers(on_file: OnFile) -> tuple[Answer, ...]:
    """National and company numbers by their country's rules; a country may have several kinds of number (R13, R20)."""
    answers = []
    for value in on_file.of_kind(*REGISTERS):
        deciding, further = (_modules(value.country, names) for names in REGISTERS[value.kind])
        if any(_accepts(module, value.text) for module in (*deciding, *further)):
            reason = "The number has the form and check digits of its country."
            answers.append(_answer(value, Outcome.PASSED, reason, STDNUM))
        elif deciding:
            reason = "The number fits none of the known forms of its country. Compare it with the paper."
            answers.append(_answer(value, Outcome.FAILED, reason, STDNUM))
        else:
            reason = "No rule known here decides on such a number of this country. Compare it with the register."
            answers.append(_answer(value, Outcome.COULD_NOT_RUN, reason, STDNUM))
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


def check_phones(on_file: OnFile) -> tuple[Answer, ...]:
    """Telephone numbers by the numbering plan of their country (R17)."""
    answers = []
    for value in on_file.of_kind("phone"):
        try:
            number = phonenumbers.parse(normalised("phone", value.text), None)
        except BadNumber as refusal:
            answers.append(_answer(value, Outcome.FAILED, str(refusal), PHONES))
            continue
        if phonenumbers.is_valid_number(number):
            reason = "The number fits the numbering plan of its country."
            answers.append(_answer(value, Outcome.PASSED, reason, PHONES))
        else:
            reason = "No such number is given out in its country. Ask for the number again."
            answers.append(_answer(value, Outcome.FAILED, reason, PHONES))
    return tuple(answers)


def check_emails(on_file: OnFile) -> tuple[Answer, ...]:
    """E-mail addresses by their form, and their domain against the list of throw-away ones (R16). Nothing is sent."""
    answers = []
    for value in on_file.of_kind("email"):
        try:
            domain = normalised("email", value.text).rpartition("@")[2]
        except BadNumber as refusal:
            answers.append(_answer(value, Outcome.FAILED, str(refusal), EMAILS))
            continue
        labels = _ascii(domain).lower().split(".")
        if any(".".join(labels[place:]) in blocklist for place in range(len(labels) - 1)):
            reason = "The domain gives out throw-away mailboxes. Ask for a lasting address."
            answers.append(_answer(value, Outcome.FAILED, reason, EMAILS))
        else:
            reason = "The form is right, and the domain is not a known throw-away one."
            answers.append(_answer(value, Outcome.PASSED, reason, EMAILS))
    return tuple(answers)


def _ascii(domain: str) -> str:
    """The domain as the list spells it; one that Python's older rules for other scripts refuse stays as it is."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


CHECKS = (
    Check("machine_zones", "Check digits of machine-readable zones", check_zones),
    Check("expiry", "Documents still valid", check_expiry),
    Check("suitability", "Documents the regime accepts", check_suitability),
    Check("document_numbers", "Form of document numbers", check_document_numbers),
    Check("stated", "Document against what was stated", check_stated),
    Check("numbers", "Check digits of bank accounts and wallets", check_numbers),
    Check("identifiers", "National and company numbers", check_identifiers),
    Check("phones", "Telephone numbers", check_phones),
    Check("emails", "E-mail addresses", check_emails),
    Check("addresses", "Form of postal addresses", check_addresses),
    Check("countries", "Countries agree", check_countries),
)
TITLES = {check.code: check.title for check in CHECKS}


def run_all(on_file: OnFile) -> tuple[tuple[Check, Answer], ...]:
    """Run every check of the list; what does not apply gives no answer."""
    return tuple((check, answer) for check in CHECKS for answer in check.run(on_file))
