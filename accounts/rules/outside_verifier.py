"""The one interface to an outside identity verifier: what it is asked, what it may answer (R28, R33, R34).

docs/outside-verifier.md is the same for whoever writes an adapter. An adapter translates between a vendor and these
values; no other part of the portal knows the vendor.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from accounts.formats.text import find_fault, is_blank
from accounts.rules.privacy import Worded
from accounts.rules.verifying import Result
from kyc_portal.refusal import Refusal

# What is compared, by the names that the answer uses as well; of each check only what is on file is sent.
FIELDS = {
    "legal_name": "legal name", "birth_date": "date of birth", "citizenship": "citizenship",
    "formation_country": "country of formation", "address": "address", "national_id": "national identification number",
    "registration": "register entry", "document_kind": "kind of document", "number": "document number",
    "document_country": "issuing country",
}  # fmt: skip
KEYS = {"reference", "their_reference", "result", "matched", "differing"}
LONGEST_REFERENCE, LONGEST_FOUND = 80, 300
_REFERENCE = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_REFERENCE}}}")


class CheckState(Worded):
    """Where a check stands."""

    ASKED = "asked", "asked, no answer yet"
    ANSWERED = "answered", "answered"
    ENDED = "ended", "ended without an answer"


class AnswerState(Worded):
    """What became of an answer; every one is kept whole, whatever became of it."""

    RECEIVED = "received", "received, being read"
    USED = "used", "stands as a result"
    LATE = "late", "too late: kept, changes nothing"
    UNREADABLE = "unreadable", "cannot be used: kept, look at it"


class VerifierGone(Refusal):
    """The verifier cannot be reached, or does not take the question. The portal tries again by itself."""


class UnreadableAnswer(Refusal):
    """The answer cannot be used; the sentence names the place in it, and never a value."""


@dataclass(frozen=True)
class Question:
    """What a verifier is asked about one party: `values` by the names of FIELDS, as text, days as YYYY-MM-DD.

    A question with the same `reference` is the same question: asked again after an error it must not start a second
    check.
    """

    reference: str
    party_kind: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class HandedOver:
    """What a verifier says at once: its own reference, and the https address to send the customer to, if any."""

    reference: str
    send_customer_to: str = ""


@dataclass(frozen=True)
class Reading:
    """What an answer says: names of fields that agree, and what was found for those that differ ("" if not told)."""

    result: Result
    matched: tuple[str, ...] = ()
    differing: Mapping[str, str] = field(default_factory=dict)
    their_reference: str = ""


class OutsideVerifier(Protocol):
    """What an adapter offers. `code` (at most 40 letters) and `title` (at most 60) stay with each check for good."""

    code: str
    title: str

    def ask(self, question: Question, *, at: datetime) -> HandedOver:
        """Hand the question over; within 20 seconds, or raise VerifierGone. The answer comes as a signed message."""

    def reference_of(self, message: Mapping) -> str:
        """Our reference in a message (the JSON object as it came). Raises UnreadableAnswer."""

    def read(self, message: Mapping, asked: Collection[str]) -> Reading:
        """What the message says of the fields that were asked about. Raises UnreadableAnswer. Looks nothing up."""


# --- our own form of an answer, into which an adapter may translate a vendor's ----------------------------------------


def reference_of(message: Mapping) -> str:
    """Our reference in an answer of our own form. Raises UnreadableAnswer."""
    return _reference(message, "reference", required=True)


def read(message: Mapping, asked: Collection[str]) -> Reading:
    """Read an answer of our own form strictly: what is not understood must not count as proof of an identity."""
    if unknown := set(message) - KEYS:
        raise UnreadableAnswer(f"The answer has {len(unknown)} keys that nobody knows. Known are {_words(KEYS)}.")
    result = message.get("result")
    if not isinstance(result, str) or result not in [each.value for each in Result]:
        raise UnreadableAnswer(f"“result” is none of {', '.join(each.value for each in Result)}.")
    matched = message.get("matched", [])
    if not isinstance(matched, list) or not all(isinstance(name, str) for name in matched):
        raise UnreadableAnswer("“matched” is not a list of names of fields.")
    differing = message.get("differing", {})
    if not isinstance(differing, dict):
        raise UnreadableAnswer("“differing” is not an object of names of fields and what was found.")
    found = {name: _found(name, value) for name, value in differing.items() if name in FIELDS}
    if len(found) < len(differing):
        raise UnreadableAnswer("“differing” names a field that nobody knows.")
    return consistent(Reading(Result(result), tuple(matched), found, _reference(message, "their_reference")), asked)


def consistent(reading: Reading, asked: Collection[str]) -> Reading:
    """The same reading, or UnreadableAnswer where it contradicts itself; the portal asks this of every adapter's."""
    if {*reading.matched, *reading.differing} - set(asked):
        raise UnreadableAnswer("The answer names a field that was not asked about.")
    if len(set(reading.matched)) < len(reading.matched) or set(reading.matched) & set(reading.differing):
        raise UnreadableAnswer("The answer names a field twice.")
    if reading.result == Result.MATCH and reading.differing:
        raise UnreadableAnswer("The answer says match, and also that something differs.")
    if reading.result in (Result.MATCH, Result.PARTIAL) and not reading.matched:
        raise UnreadableAnswer(f"The answer says {Result(reading.result).label}, but names no field that agrees.")
    return reading


def _reference(message: Mapping, key: str, *, required: bool = False) -> str:
    value = message.get(key, "")
    if value == "" and not required:
        return ""
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise UnreadableAnswer(f"“{key}” is not a text of 1 to {LONGEST_REFERENCE} plain characters.")
    return value


def _found(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableAnswer(f"“differing.{name}” is neither a text nor null.")
    if fault := find_fault(value, LONGEST_FOUND, one_line=True):
        raise UnreadableAnswer(f"“differing.{name}” {fault}.")
    return "" if is_blank(value) else value


def _words(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
