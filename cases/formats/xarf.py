"""Abuse reports in XARF, version 4, and 3 where it can be turned into 4 (regulation T24; trust.md section 3).

The schema is judged by the library of those who keep it. It trusts what it is given, so a door of our own stands before
it: size, encoding, doubled names, NaN, endless numbers, depth. What is refused says where, as a JSON path.
"""

import base64
import binascii
import hashlib
import json
import re
import warnings
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import xarf
from xarf import SchemaValidator, XARFError, XARFv3DeprecationWarning

from accounts.formats.moments import BadMoment, read_moment
from accounts.formats.text import find_fault, is_blank, shown
from kyc_portal.refusal import Refusal

DEEPEST = 32  # objects and lists in one another; the schema itself needs five
MOST_VALUES = 100_000
LONGEST_NUMBER = 30  # digits: more are no count of anything, and cost more than they say
LONGEST = {"identifier": 300, "org": 200, "domain": 253, "contact": 254, "id": 100, "media type": 100, "indicator": 80}
MOST_INDICATORS = 50
MOST_WARNINGS = 20
LONGEST_WARNING = 200
SIGNS = re.compile(r"\$?[A-Za-z_][A-Za-z0-9_]*\Z")
REQUIRED = re.compile(r"'(\w+)' is a required property\Z")
# Fields in which types of reports list what made them suspicious: words, or objects with a type.
INDICATORS = ("suspicious_indicators", "compromise_indicators", "perpetrator_indicators")

_validator = SchemaValidator()


class ReportRefused(Refusal):
    """The bytes are no abuse report that can be taken in."""


class Verdict(StrEnum):
    """Whether a piece of evidence is what its reporter said it is."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_DECLARED = "not_declared"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence: `declared` as the report says it ("sha256:…" or ""), `computed` by the same algorithm.

    `size` counts the bytes of the payload once decoded; a payload that is no base64 has none and is "unreadable".
    """

    content_type: str
    declared: str
    computed: str
    size: int
    verdict: Verdict


@dataclass(frozen=True)
class XarfReport:
    """What a report says. `moment` is in UTC, `risk` from 0 to 1 as its reporter states it, or None."""

    version: str
    report_id: str
    category: str
    type: str
    moment: datetime
    source_identifier: str
    source_port: int | None
    reporter_org: str
    reporter_domain: str
    reporter_contact: str
    indicators: tuple[str, ...]
    risk: Decimal | None
    evidence: tuple[Evidence, ...]
    warnings: tuple[str, ...]


def read_report(data: bytes, *, most_bytes: int) -> XarfReport:
    """Judge and read one report. Raises ReportRefused with one sentence that names the place.

    A field that the schema does not know is a warning. So is one that version 4 wants and version 3 does not have.
    """
    found = _strictly(data, most_bytes)
    told: list[str] = []
    is_old = xarf.is_v3_report(found)
    number = ""
    if is_old:
        _require_shape_of_v3(found)
        number = found["Report"].get("ReportID", "")
        found = _converted(found, told)
    elif "Version" in found and "xarf_version" not in found:
        raise ReportRefused("$.Version: this version of XARF is not read. Send version 4, or 3 with all its parts.")
    told += _judged(found, is_old)
    return _report(found, told, is_old, number if isinstance(number, str) else "")


# --- our own door -----------------------------------------------------------------------------------------------------


class _Doubled(dict):
    """An object in which a name stands twice."""

    name = ""


@dataclass(frozen=True)
class _NoNumber:
    """A number that is none, or that no computer should be asked to read."""

    text: str


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    doubled = _Doubled(found)
    doubled.name = next(name for name, _ in pairs if name in seen or seen.add(name))
    return doubled


def _whole(text: str) -> int | _NoNumber:
    return int(text) if len(text) <= LONGEST_NUMBER else _NoNumber(text)


def _broken(text: str) -> float | _NoNumber:
    number = float(text) if len(text) <= LONGEST_NUMBER else None
    return _NoNumber(text) if number is None or number - number != 0 else number


def _strictly(data: bytes, most_bytes: int) -> dict:
    """The JSON object that the bytes are. Raises ReportRefused."""
    if len(data) > most_bytes:
        raise ReportRefused(f"The report is larger than {most_bytes:,} bytes. Send it with less evidence.")
    if not data.strip():
        raise ReportRefused("The report is empty. Send one XARF report as JSON.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportRefused(f"Byte {error.start + 1} is not valid UTF-8. Send the report as UTF-8.") from None
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_broken, parse_constant=_NoNumber
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ReportRefused(f"This is not JSON ({place}: {shown(error.msg)}). Send one report as JSON.") from None
    except RecursionError:
        raise ReportRefused(_TOO_DEEP.format(place="$")) from None
    _require_sound(found)
    if not isinstance(found, dict):
        raise ReportRefused("$: a report is one JSON object. Send each report by itself.")
    return found


_TOO_DEEP = "{place}: objects and lists stand more than " + str(DEEPEST) + " deep in one another. Send a flat report."


def _require_sound(root: object) -> None:
    """Walk all values once, without recursion. Raises ReportRefused at the first that no report may hold."""
    waiting, count = [(root, "$", 0)], 0
    while waiting:
        value, place, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise ReportRefused(f"$: there are more than {MOST_VALUES:,} values. Send a smaller report.")
        if isinstance(value, _NoNumber):
            raise ReportRefused(f"{place}: “{shown(value.text)}” is not a number that can be kept. Correct it.")
        if isinstance(value, str):
            _require_text(value, place)
        elif isinstance(value, dict | list) and depth >= DEEPEST:
            raise ReportRefused(_TOO_DEEP.format(place=place))
        elif isinstance(value, dict):
            if isinstance(value, _Doubled):
                raise ReportRefused(f"{place}: the name “{shown(value.name)}” stands twice. Leave one of them out.")
            for name in value:
                _require_text(name, place)
            waiting += [(each, _below(place, name), depth + 1) for name, each in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(each, f"{place}[{number}]", depth + 1) for number, each in reversed(list(enumerate(value)))]


def _require_text(text: str, place: str) -> None:
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ReportRefused(f"{place}: the text holds half of a surrogate pair. Send the report as valid UTF-8.")
    if "\0" in text:
        raise ReportRefused(f"{place}: the text holds a NUL character. Remove it.")


def _below(place: str, name: str) -> str:
    """The JSON path of a member, never longer than a sentence bears."""
    step = f".{name}" if SIGNS.match(name) and len(name) <= LONGEST["indicator"] else f'["{shown(name)}"]'
    return place + step if len(place) < LONGEST_WARNING else place


# --- the library's judgement ------------------------------------------------------------------------------------------


def _require_shape_of_v3(found: dict) -> None:
    """What the conversion takes for granted. Raises ReportRefused."""
    report, reporter = found["Report"], found["ReporterInfo"]
    parts = {"$.Report": report, "$.ReporterInfo": reporter}
    if isinstance(report, dict):
        parts |= {f"$.Report.{name}": report[name] for name in ("Source", "AdditionalInfo") if report.get(name)}
    for place, value in parts.items():
        if not isinstance(value, dict):
            raise ReportRefused(f"{place}: this is no object. Correct the report.")
    texts = {"$.Report.ReportType": report.get("ReportType")}
    texts |= {
        f"$.ReporterInfo.{name}": reporter[name]
        for name in ("ReporterOrg", "ReporterOrgEmail", "ReporterContactEmail")
        if name in reporter
    }
    for name in ("Attachment", "Samples"):
        pieces = report.get(name) or []
        if not isinstance(pieces, list) or not all(isinstance(piece, dict) for piece in pieces):
            raise ReportRefused(f"$.Report.{name}: this is no list of objects. Correct the report.")
        for number, piece in enumerate(pieces):
            texts[f"$.Report.{name}[{number}].Data"] = piece.get("Data", "")
    for place, value in texts.items():
        if not isinstance(value, str):
            raise ReportRefused(f"{place}: this is no text. Correct the report.")


def _converted(found: dict, told: list[str]) -> dict:
    """The report as version 4; what the conversion could not know goes to `told`. Raises ReportRefused."""
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XARFv3DeprecationWarning)
            report = xarf.convert_v3_to_v4(found, conversion_warnings=notes)
    except XARFError as error:
        raise ReportRefused(f"$.Report: {shown(str(error).partition('Supported types')[0].strip())}") from None
    except (AttributeError, TypeError, ValueError) as error:  # a shape nobody thought of
        raise ReportRefused(
            f"$.Report: it cannot be turned into version 4 ({type(error).__name__}). Send version 4."
        ) from None
    told.append("Sent as XARF 3 and read as XARF 4.")
    told += (shown(note) for note in notes)
    report.pop("_internal", None)
    for piece in report.get("evidence", ()):  # made by the conversion, declared by nobody
        piece.pop("hash", None)
    return report


def _judged(found: dict, is_old: bool) -> list[str]:
    """The warnings of the schema's judgement. Raises ReportRefused with the first fault."""
    told = []
    for fault in _validator.validate(found):
        missing = REQUIRED.search(fault.message)
        if is_old and missing and not fault.field and missing[1] not in ("timestamp", "category", "type"):
            told.append(f"$.{missing[1]}: version 4 wants it, version 3 does not have it.")
            continue
        raise ReportRefused(_in_words(fault))
    category, kind = found["category"], found["type"]
    known = {*xarf.schema_registry.get_core_property_names(), "legacy_version", "_internal"}
    known |= set(xarf.schema_registry.get_category_fields(category, kind))
    told += [f"{_below('$', name)}: the schema does not know this field." for name in found if name not in known]
    return told


def _in_words(fault: xarf.ValidationError) -> str:
    """The library's message with the path in front and without the value, which may be long or personal."""
    place = "$"
    for step in fault.field.split(".") if fault.field else ():
        place = f"{place}[{step}]" if step.isdecimal() else _below(place, step)
    if missing := REQUIRED.search(fault.message):
        return f"{place}: the field {missing[1]} is missing. Add it."
    for problem in ("is not of type", "does not match", "is not one of", "is too long", "is too short"):
        _, found, rest = fault.message.rpartition(problem)
        if found:
            return f"{place}: the value {problem}{_cut(rest)}. Correct it."
    if "is not valid under any of the given schemas" in fault.message and place == "$":
        return "$.type: the category has no such type. See the XARF specification."
    return f"{place}: the value does not fit the XARF schema. Correct it."


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_WARNING and text.isprintable() else " what the XARF schema allows"


# --- reading ----------------------------------------------------------------------------------------------------------


def _report(found: dict, told: list[str], is_old: bool, number: str) -> XarfReport:
    reporter, port, risk = found["reporter"], found.get("source_port"), found.get("risk_score")
    try:
        moment = read_moment(found["timestamp"])
    except BadMoment as refusal:
        raise ReportRefused(f"$.timestamp: {refusal}") from None
    if risk is not None and (isinstance(risk, bool) or not isinstance(risk, int | float) or not 0 <= risk <= 1):
        told.append("$.risk_score: it is not a number from 0 to 1 and was left out.")
        risk = None
    return XarfReport(
        version="3" if is_old else _line(found["xarf_version"], "$.xarf_version", "id")[:20],
        report_id=_line(number, "$.Report.ReportID", "id")
        if is_old
        else _line(found["report_id"], "$.report_id", "id"),
        category=found["category"],
        type=found["type"],
        moment=moment,
        source_identifier=_line(found["source_identifier"], "$.source_identifier", "identifier", filled=True),
        source_port=None if port is None else int(port),
        reporter_org=_line(reporter["org"], "$.reporter.org", "org", filled=True),
        reporter_domain=_line(reporter["domain"], "$.reporter.domain", "domain", filled=True).casefold()[:253],
        reporter_contact=_line(reporter["contact"], "$.reporter.contact", "contact", filled=True),
        indicators=_indicators(found),
        risk=None if risk is None else Decimal(str(risk)).quantize(Decimal("0.0001")),
        evidence=tuple(_evidence(piece, n) for n, piece in enumerate(found.get("evidence") or ())),
        warnings=tuple(each[:LONGEST_WARNING] for each in told[:MOST_WARNINGS]),
    )


def _line(value: str, place: str, kind: str, *, filled: bool = False) -> str:
    """A value as we keep it: one line, not too long, and something if `filled`. Raises ReportRefused."""
    value = value.strip()
    if fault := find_fault(value, LONGEST[kind], one_line=True):
        raise ReportRefused(f"{place}: the text {fault}.")
    if is_blank(value):
        if filled:
            raise ReportRefused(f"{place}: the text is empty. Fill it in.")
        return ""
    return value


def _indicators(found: dict) -> tuple[str, ...]:
    """What made the reporter suspicious, each once, as words or types in the order told."""
    told = []
    for name in INDICATORS:
        several = found.get(name) or ()
        for number, each in enumerate(several if isinstance(several, list) else ()):
            word = each.get("type", "") if isinstance(each, dict) else each
            if isinstance(word, str) and word.strip():
                told.append(_line(word, f"$.{name}[{number}]", "indicator"))
    return tuple(dict.fromkeys(told))[:MOST_INDICATORS]


def _evidence(piece: dict, number: int) -> Evidence:
    """The piece with its hash computed anew over the decoded payload."""
    declared = (piece.get("hash") or "").strip()
    algorithm, _, digest = declared.lower().partition(":")
    kind = _line(piece["content_type"], f"$.evidence[{number}].content_type", "media type")
    declared = f"{algorithm}:{digest}" if declared else ""
    if len(declared) > 140:
        raise ReportRefused(f"$.evidence[{number}].hash: no hash is that long. Correct it.")
    try:
        payload = base64.b64decode("".join(piece["payload"].split()), validate=True)
    except (binascii.Error, ValueError):
        return Evidence(kind, declared, "", 0, Verdict.UNREADABLE)
    algorithm = algorithm or "sha256"
    computed = f"{algorithm}:{hashlib.new(algorithm, payload, usedforsecurity=False).hexdigest()}"
    verdict = Verdict.AGREES if computed == declared else Verdict.DISAGREES
    return Evidence(kind, declared, computed, len(payload), verdict if declared else Verdict.NOT_DECLARED)
