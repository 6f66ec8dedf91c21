"""Bring identifiers to one form before they are fingerprinted (requirements R14-R17; bad inputs E7, E12, E13).

Two spellings of one value must give one fingerprint, and two values never the same. Refusals say what is wrong
without repeating the value, because what is wrong may still be somebody's number.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network

import phonenumbers
from anyascii import anyascii
from email_validator import EmailNotValidError, validate_email
from stdnum import bitcoin
from stdnum import iban as iban_numbers
from stdnum.exceptions import ValidationError

from accounts.rules import ssh_keys
from kyc_portal.refusal import Refusal

LONGEST_VALUE = 300


class BadNumber(Refusal):
    """The value cannot be a number of its kind."""


class BadPhone(BadNumber):
    """The value is no telephone number with its country code."""


class BadEmail(BadNumber):
    """The value is no e-mail address."""


class BadIban(BadNumber):
    """The value is no bank account number in the international form."""


class BadWallet(BadNumber):
    """The value is no wallet address."""


class BadSshKey(BadNumber):
    """The value is no SSH public key."""


class FullCardNumber(BadNumber):
    """A whole card number was given where only a token and the last four digits may be kept."""


def normalised(kind: str, value: str) -> str:
    """Return the form of `value` that is fingerprinted; the kinds are the keys of KINDS.

    Raises a subclass of BadNumber when the value cannot be one of its kind, ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"Unknown kind of identifier: {kind[:40]!r}")
    plain = unicodedata.normalize("NFKC", value).strip()
    if not plain or not any(letter.isalnum() for letter in plain):
        raise BadNumber("The value is empty. Enter it, or leave the line out.")
    longest = ssh_keys.LONGEST if kind == "ssh_key" else LONGEST_VALUE
    if len(plain) > longest:
        raise BadNumber(f"The value is longer than {longest} characters. Enter the number alone.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in plain):
        raise BadNumber("The value holds control characters. Type it again without them.")
    result = KINDS[kind](plain)
    if not result:
        raise BadNumber("Nothing is left of the value but marks. Enter its letters and digits.")
    return result


def _card(value: str) -> str:
    if contains_card_number(value):
        raise FullCardNumber("This is a whole card number. Enter the payment provider's token or the last four digits.")
    return re.sub(r"\s", "", value)


def _iban(value: str) -> str:
    try:
        return iban_numbers.validate(value)
    except ValidationError:
        raise BadIban(
            "The IBAN is wrong: its check digits or its length do not fit. Compare it with the bank's paper."
        ) from None


BITCOIN = re.compile(r"(bc1q[a-z0-9]{8,87}|[13][1-9A-HJ-NP-Za-km-z]{25,34})")
HEXADECIMAL = re.compile(r"0x[0-9a-f]{40}")


def _wallet(value: str) -> str:
    """Check Bitcoin addresses by their check digits; of other currencies only blanks around them are removed."""
    if re.search(r"\s", value) or not value.isascii():
        raise BadWallet("A wallet address is one word of Latin letters and digits. Enter each address on its own.")
    lower = value.lower()
    if HEXADECIMAL.fullmatch(lower) or lower.startswith(("bc1", "ltc1")):
        value = lower
    if BITCOIN.fullmatch(value):
        try:
            return bitcoin.validate(value)
        except ValidationError:
            raise BadWallet("The Bitcoin address is wrong: its check digits do not fit. Copy it again.") from None
    return value


@lru_cache(maxsize=1)  # a value is checked and then fingerprinted, an e-mail address even twice: parse it once
def _phone(value: str) -> str:
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise BadPhone("This is no telephone number. Write it with its country code, as in +1 202 555 0143.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=1)
def _email(value: str) -> str:
    """Keep the part before the @ as it is (its case may matter), the domain in small letters."""
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        raise BadEmail("This is no e-mail address. Write it as name@example.com.") from None


def _email_root(value: str) -> str:
    """Return the mailbox behind an address: small letters, without the tag after a plus sign."""
    local, _, domain = _email(value).rpartition("@")
    return f"{local.split('+')[0] or local}@{domain}".casefold()


def _letters_and_digits(value: str) -> str:
    """Keep letters and digits alone; digits of every script become 0 to 9."""
    letters = (str(unicodedata.decimal(letter, letter)) for letter in value.upper())
    return "".join(letter for letter in letters if letter.isalnum())


def _address(value: str) -> str:
    """Write every script in Latin letters; a letter nobody romanises stays, or all such addresses would be one."""
    plain = "".join(anyascii(letter) or letter for letter in value)
    return " ".join(re.findall(r"[^\W_]+", plain.casefold()))


def _ip_address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise BadNumber("This is no address on the internet. Write it as 192.0.2.1 or 2001:db8::1.") from None


def _ip_network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise BadNumber("This is no network. Write it as 192.0.2.0/24 or 2001:db8::/48.") from None


def _ssh_key(value: str) -> str:
    try:
        return ssh_keys.fingerprint_of(value)
    except ssh_keys.NoPublicKey as fault:
        raise BadSshKey(str(fault)) from None


def _token(value: str) -> str:
    return re.sub(r"\s+", " ", value)


KINDS: dict[str, Callable[[str], str]] = {
    "card": _card,
    "iban": _iban,
    "bank_account": _letters_and_digits,
    "wallet": _wallet,
    "phone": _phone,
    "email": _email,
    "email_root": _email_root,
    "document": _letters_and_digits,
    "national_id": _letters_and_digits,
    "address": _address,
    "device": _token,
    "ssh_key": _ssh_key,
    "access_address": _ip_address,
    "access_network": _ip_network,
    "access_exit": _ip_address,
    "owner": _token,
}

# Digits in groups parted by single blanks, dots or dashes, as cards are printed and typed.
DIGIT_GROUPS = re.compile(r"\d+(?:[ \t\u00a0\u202f.\-\u2010-\u2015]\d+)*")
SHORTEST_CARD, LONGEST_CARD = 13, 19


def contains_card_number(text: str) -> bool:
    """Say whether free text holds what may be a card number: 13 to 19 digits that pass the Luhn check (E12)."""
    return next(_card_spans(text), None) is not None


# How the great card schemes' numbers begin, and how long they are (ISO/IEC 7812, as the schemes publish them).
CARD_SCHEMES = re.compile(
    r"4\d{12}(\d{3}){0,2}|(5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6(011|5|4[4-9]|2)\d{12,15}"
)


def is_card_number(value: str) -> bool:
    """Say whether the value as a whole is the number of a payment card, however its digits are grouped (E12)."""
    digits = re.sub(r"[\s.\-\u2010-\u2015]", "", unicodedata.normalize("NFKC", value))
    return bool(CARD_SCHEMES.fullmatch(digits)) and contains_card_number(digits)


def mask_card_numbers(text: str) -> str:
    """Return the text with every possible card number masked but for its last four digits; groups keep their shape."""
    masked = list(text)
    for start, end in _card_spans(text):
        places = [place for place in range(start, end) if text[place].isdigit()]
        for place in places[:-4]:
            masked[place] = "•"
    return "".join(masked)


def _card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where card numbers stand, as (start, end); they begin and end where a group of digits does."""
    for run in DIGIT_GROUPS.finditer(text):
        if len(run[0]) < SHORTEST_CARD:
            continue
        groups = [(run.start() + group.start(), run.start() + group.end()) for group in re.finditer(r"\d+", run[0])]
        sums = _luhn_sums([int(text[place]) for start, end in groups for place in range(start, end)])
        first = passed = 0
        while first < len(groups):
            last = _card_from(groups, first, passed, sums)
            if last is not None:
                yield groups[first][0], groups[last][1]
            following = first + 1 if last is None else last + 1
            passed += sum(end - start for start, end in groups[first:following])
            first = following


def _card_from(groups: list[tuple[int, int]], first: int, passed: int, sums: tuple[list[int], list[int]]) -> int | None:
    """Return the last group of the longest card number that begins with the group `first`, after `passed` digits."""
    found, reached = None, passed
    for last in range(first, len(groups)):
        start, end = groups[last]
        reached += end - start
        if reached - passed > LONGEST_CARD:
            break
        of_parity = sums[(reached - 1) % 2]  # the last digit counts once, every second one before it doubled
        if reached - passed >= SHORTEST_CARD and (of_parity[reached] - of_parity[passed]) % 10 == 0:
            found = last
    return found


DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _luhn_sums(digits: list[int]) -> tuple[list[int], list[int]]:
    """Return running Luhn sums, once with the digits at even places counted once, once with those at odd places.

    With them each stretch of a long text is checked in one step instead of digit by digit.
    """
    even, odd = [0], [0]
    for place, digit in enumerate(digits):
        even.append(even[-1] + (DOUBLED[digit] if place % 2 else digit))
        odd.append(odd[-1] + (digit if place % 2 else DOUBLED[digit]))
    return even, odd
