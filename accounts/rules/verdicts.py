"""What an address meant by the lists of a day, how sure that is, and how little it may count (R18, R46; T20-T22).

An address never shows who somebody is. Every answer keeps which list gave it and how old that list's data was; lists
that contradict each other are shown doing so.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

LIST_KINDS = ("vpn", "hosting", "tor", "proxy", "relay", "satellite", "mobile")
DATABASE_KINDS = ("country", "asn", "anonymous")
ANONYMISING = ("vpn", "hosting", "tor", "proxy", "relay", "residential proxy")
GENERAL = "anonymous"  # a database's word for "of some kind": said only when no kind is known
SHARED = ("satellite", "mobile")  # they hide nobody, yet the place they show is not the user's
OF_DATABASE = frozenset({"vpn", "hosting", "tor", "proxy", "residential proxy"})  # what "anonymous" databases tell
OWN_LIST = "own list of special uses"

HIGH, MEDIUM, LOW, NONE = "high", "medium", "low", "none"
CONFIDENCE = {
    HIGH: "high: the place is well founded",
    MEDIUM: "medium: the place is likely",
    LOW: "low: the place is a hint at most",
    NONE: "none: the address says nothing of a place",
}

# Detectors (rules/detectors.py) whose whole evidence is where accesses came from, and reasons of staff
# (rules/restricting.py, closing.py, refusals.py) that must name something besides: no decision rests on an address.
ADDRESS_ONLY = frozenset({
    "anonymised_access_only", "impossible_travel", "measured_jurisdiction_use", "admin_elsewhere", "use_elsewhere",
    "us_location_gone",
})  # fmt: skip
DOUBTED = frozenset({"failed", "escalated", "unverifiable"})  # verifications that speak against an identity
NEEDS_GROUNDS = frozenset({
    "identity_in_doubt", "details_compromised", "use_unexplained", "terms_broken", "own_policy", "evasion",
    "malicious_use", "abuse_reported", "unusual_use",
})  # fmt: skip


@dataclass(frozen=True)
class AskedList:
    """One list of an edition: its reference, what kind it is, who publishes it, the day its data speaks of."""

    reference: str
    kind: str
    source: str
    as_of: date

    @property
    def tells(self) -> frozenset[str]:
        """The kinds of network this list would name, so that its silence says something."""
        return OF_DATABASE if self.kind == "anonymous" else frozenset({self.kind}) & frozenset(LIST_KINDS)

    def age_on(self, day: date) -> int:
        """How many days old its data is; never below zero."""
        return max(0, (day - self.as_of).days)


@dataclass(frozen=True)
class Answer:
    """What one list says of one address; nothing known is "" and an empty set."""

    asked: AskedList
    country: str = ""
    network: str = ""
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AddressLimits:
    """Figures of the regime: what each reason lets an address count (of 100), days, and where confidence changes."""

    counts: Mapping[str, Decimal]
    place_days: int
    kinds_days: int
    high_from: Decimal
    medium_from: Decimal


@dataclass(frozen=True)
class Verdict:
    """What the lists of the day say of one address.

    `country` is an ISO 3166 alpha-2 code or ""; `anonymiser` names kinds, "tor, vpn", or is ""; `special_use` says why
    an address is not public, and then nothing else is said; `judged_by` are the references of the lists asked.
    `confidence` is a code of CONFIDENCE; `findings` are what each list said, as AddressVerdict keeps them.
    """

    country: str = ""
    anonymiser: str = ""
    special_use: str = ""
    judged_by: tuple[str, ...] = ()
    network: str = ""
    confidence: str = ""
    findings: tuple[dict, ...] = field(default=())

    @cached_property
    def findings_as_json(self) -> str:
        """Written once for the many addresses of which the same is said."""
        return json.dumps(self.findings)


@dataclass(frozen=True)
class Weighed:
    """How much an address counts, 0 to 1, with the codes of the reasons; `confidence` is a code of CONFIDENCE."""

    weight: Decimal
    confidence: str
    reasons: tuple[str, ...]


# --- Judging ----------------------------------------------------------------------------------------------------------


def judge(special: str, as_of: date, answers: Sequence[Answer], day: date, limits: AddressLimits) -> Verdict:
    """The verdict of all lists together, on `day`. `as_of` is the day of our own list of special uses.

    Of several databases that name a country or a network the one with the newest data is followed.
    """
    if special:
        said = _finding("special use", special, OWN_LIST, as_of, max(0, (day - as_of).days))
        return Verdict(special_use=special, confidence=NONE, findings=(said,))
    kinds = {kind for answer in answers for kind in answer.kinds}
    known = kinds - {GENERAL} or kinds
    countries, networks = _newest(answers, "country"), _newest(answers, "network")
    findings = [
        *(_said("country", answer.country, answer.asked, day) for answer in countries),
        *(_said("network", answer.network, answer.asked, day) for answer in networks),
        *(found for kind in sorted(known) for found in _of_kind(kind, answers, day)),
    ]
    country = countries[0].country if countries else ""
    asked = [answer.asked for answer in answers]
    return Verdict(
        country=country,
        anonymiser=", ".join(sorted(known - set(SHARED))),
        judged_by=tuple(one.reference for one in asked),
        network=networks[0].network if networks else "",
        confidence=weigh("", findings, asked, day, limits).confidence,
        findings=tuple(findings),
    )


def _newest(answers: Sequence[Answer], name: str) -> list[Answer]:
    said = [answer for answer in answers if getattr(answer, name)]
    return sorted(said, key=lambda answer: answer.asked.as_of, reverse=True)


def _of_kind(kind: str, answers: Sequence[Answer], day: date) -> Iterable[dict]:
    """Who names the address as of this kind, and who would have and does not."""
    for answer in answers:
        if kind in answer.kinds:
            yield _said(kind, "yes", answer.asked, day)
        elif kind in answer.asked.tells:
            yield _said(kind, "no", answer.asked, day)


def _said(about: str, says: str, asked: AskedList, day: date) -> dict:
    return _finding(about, says, asked.reference, asked.as_of, asked.age_on(day))


def _finding(about: str, says: str, reference: str, as_of: date, age_days: int) -> dict:
    return {"about": about, "says": says, "list": reference, "as_of": as_of.isoformat(), "age_days": age_days}


# --- Weighing ---------------------------------------------------------------------------------------------------------

REASONS = {
    "not_public": "It is not an address of the public internet, so it is never placed in a country.",
    "no_list": "No list was loaded when it was judged. Load some and it is judged anew.",
    "no_country": "No list names a country for it.",
    "vpn": "It is the exit of a VPN: the place is that of the exit.",
    "tor": "It is an exit of the Tor network: the place is that of the exit.",
    "proxy": "It is a public proxy: the place is that of the proxy.",
    "residential proxy": "It is somebody's line at home through which others go out.",
    "relay": "It is a relay of a device maker: at best the region is right.",
    "hosting": "It belongs to a data centre: a machine there stands between us and whoever uses it.",
    "anonymous": "A list calls it anonymous without saying how.",
    "satellite": "It belongs to a satellite network: the place is that of the ground station.",
    "mobile": "It is a mobile carrier's exit that thousands share.",
    "disagreeing": "The lists name different countries.",
    "old_place": "The list that names the country is old.",
    "old_kinds": "All lists that could call it an anonymiser are old.",
    "unasked": "No list of anonymisers was loaded when it was judged.",
}


def weigh(
    special: str, findings: Sequence[Mapping], lists: Sequence[AskedList], day: date, limits: AddressLimits
) -> Weighed:
    """How sure the place is and how much the address counts, from what was found and the lists asked, on `day`.

    The weakest reason decides: reasons do not add up, for one exit node is as far from its user as two.
    """
    if special or not lists:
        return Weighed(Decimal(0), NONE, ("not_public",) if special else ("no_list",))
    reasons = [each["about"] for each in findings if each["says"] == "yes"]
    reasons = list(dict.fromkeys(reasons))
    places = [each for each in findings if each["about"] == "country"]
    if len({each["says"] for each in places}) > 1:
        reasons.append("disagreeing")
    if places and min(each["age_days"] for each in places) > limits.place_days:
        reasons.append("old_place")
    tellers = [one for one in lists if one.tells & set(ANONYMISING)]
    if not tellers:
        reasons.append("unasked")
    elif min(one.age_on(day) for one in tellers) > limits.kinds_days:
        reasons.append("old_kinds")
    if not places:
        return Weighed(Decimal(0), NONE, ("no_country", *reasons))
    counts = min((limits.counts[reason] for reason in reasons), default=limits.counts["plain"])
    return Weighed(min(counts, limits.counts["plain"]) / 100, _confidence(counts, limits), tuple(reasons))


def _confidence(counts: Decimal, limits: AddressLimits) -> str:
    if counts >= limits.high_from:
        return HIGH
    if counts >= limits.medium_from:
        return MEDIUM
    return LOW if counts > 0 else NONE


def explain(weighed: Weighed) -> str:
    """Confidence and weight in sentences, with every reason."""
    begin = f"Confidence is {CONFIDENCE[weighed.confidence]}. It counts {weighed.weight * 100:.0f} of 100."
    return " ".join([begin, *(REASONS[reason] for reason in weighed.reasons)])


def in_words(findings: Sequence[Mapping], names: Mapping[str, str]) -> str:
    """What each list said, in one line; `names` are the sources of the lists by reference."""
    said = (
        f"{each['about'] if each['says'] in ('yes', 'no') else each['says']}"
        f"{': not named' if each['says'] == 'no' else ''}"
        f" ({names.get(each['list'], each['list'])}, {each['as_of']}, {days_old(each['age_days'])})"
        for each in findings
    )
    return "; ".join(said)


def aged(findings: Iterable[Mapping], day: date) -> list[dict]:
    """The same findings with the age their lists' data had on another day, never below zero."""
    return [{**each, "age_days": max(0, (day - date.fromisoformat(each["as_of"])).days)} for each in findings]


def days_old(days: int) -> str:
    """The age of a list's data as pages write it."""
    return f"{days:,} {'day' if days == 1 else 'days'} old"


SAID = ("country", "network", "anonymiser", "special_use", "confidence")


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between two verdicts on an address, in words; both map each name of SAID to what was said."""
    return tuple(
        f"{name.replace('_', ' ')}: {old[name] or 'nothing'} became {new[name] or 'nothing'}"
        for name in SAID
        if old[name] != new[name]
    )


def only_addresses(flags: Iterable[str], others: Iterable[str]) -> bool:
    """Whether all that speaks against an account is where its accesses came from; False when nothing does.

    `flags` are codes of detectors, `others` whatever else was found.
    """
    flags = set(flags)
    return bool(flags) and flags <= ADDRESS_ONLY and not set(others)


def disagreements(findings: Sequence[Mapping]) -> tuple[str, ...]:
    """What lists of one kind contradict each other on, "country", "vpn" …: in the order of the findings."""
    said: dict[str, set[str]] = {}
    for each in findings:
        about, says = each["about"], each["says"]
        said.setdefault(about, set()).add(says.partition(" ")[0] if about == "network" else says)
    return tuple(about for about, answers in said.items() if len(answers) > 1)
