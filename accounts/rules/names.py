"""Screen a party against listed parties: candidates first, then a score with its reasons (requirement R35; T8-T13).

A score orders the work of a person; it never clears anybody. A birth date that differs lowers an identical name,
but keeps it among the near misses, because lists and customers both err about dates.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from rapidfuzz import fuzz

from accounts.rules.hit_order import ALIAS, MAIN_NAME, WEAK_ALIAS, evidence
from accounts.rules.name_keys import NameKeys, name_keys, rough_likeness
from accounts.rules.parties import BOTH
from accounts.rules.spelling import LONGEST_NAME, Likeness, folded, likeness

COMPARED_ALIASES = 6  # spellings of one listed party that are compared in full; the others are further away
NEARLY_SAME = 0.9  # a name as alike as that stays a near miss whatever else differs
MOST_ADDED = 0.11  # what birth date and country add together at most
ROUGH_BELOW = 0.15  # a rough likeness that much below what counts is still looked at in full


@dataclass(frozen=True)
class Bands:
    """Scores at or above `strong` are hits, at or above `near` near misses; both are looked at by a person."""

    strong: float
    near: float


@dataclass(frozen=True)
class ScreenedParty:
    """What we know of a party; `countries` are codes or names as the lists write them, as the caller chose for both."""

    names: tuple[str, ...]
    kind: str
    birth_on: date | None = None
    birth_year: int | None = None
    countries: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    wallets: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ListedParty:
    """One entry of a list, its main name first, then its aliases, of which the publisher calls some weak.

    Several birth dates are possible; a year alone goes to `birth_years`.
    """

    key: str
    names: tuple[str, ...]
    kind: str = "undetermined"
    birth_dates: frozenset[date] = frozenset()
    birth_years: frozenset[int] = frozenset()
    countries: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    wallets: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    weak_names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reason:
    """Why the score is what it is: `weight` is what this reason added to or took from it."""

    code: str
    sentence: str
    weight: float


@dataclass(frozen=True)
class Similarity:
    """The score (0 to 1), its band ("strong", "near" or "weak"), the closest spelling and all reasons.

    `evidence` orders equal scores, the greater first (accounts/rules/hit_order.py).
    """

    score: float
    band: str
    matched_name: str
    reasons: tuple[Reason, ...]
    evidence: int


@dataclass(frozen=True)
class Candidate:
    """A listed party worth comparing: its spellings that are, the closest first, and how close roughly (0 to 1)."""

    key: str
    rough: float
    names: tuple[str, ...]


class NameIndex:
    """All spellings of one list version, in memory; built once, asked often, never changed.

    `entries` are (key of the listed party, one spelling); aliases come as further pairs with the same key.
    """

    def __init__(self, entries: Iterable[tuple[str, str]]):
        self._spellings: list[tuple[str, str, NameKeys]] = []
        self._by_mark: dict[str, list[int]] = defaultdict(list)
        self._single: set[int] = set()  # places of spellings of one word
        for key, name in dict.fromkeys(entries):
            keys = name_keys.__wrapped__(name)  # not remembered: a list is larger than the memory for names
            if not keys.words and not keys.closed:
                continue
            place = len(self._spellings)
            self._spellings.append((key, name, keys))
            if keys.is_single:
                self._single.add(place)
            for mark in keys.closed_marks.union(*(word.marks for word in keys.words)):
                self._by_mark[mark].append(place)

    def __len__(self) -> int:
        return len(self._spellings)

    def candidates(self, names: Iterable[str], *, least: float = 0.0) -> tuple[Candidate, ...]:
        """Return every listed party with a spelling worth comparing with one of `names`, the closest first.

        `least` (0 to 1) leaves out spellings whose rough likeness is below it. Whether a spelling is found depends on
        it and on `names` alone, not on the rest of the list.
        """
        best: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for name in names:
            asked = name_keys(name)
            for place in self._worth_comparing(asked):
                key, spelling, listed = self._spellings[place]
                rough = rough_likeness(asked, listed)
                if rough >= least:
                    best[key].append((rough, spelling))
        found = []
        for key, spellings in best.items():
            spellings.sort(key=lambda pair: (-pair[0], pair[1]))
            found.append(Candidate(key, spellings[0][0], tuple(dict.fromkeys(name for _, name in spellings))))
        return tuple(sorted(found, key=lambda each: (-each.rough, each.key)))

    def _worth_comparing(self, asked: NameKeys) -> set[int]:
        """Places of spellings that share marks of two words with the name, or of one where either has no more."""
        found = self._places(asked.closed_marks)
        each = [self._places(word.marks) for word in asked.words]
        if asked.is_single:
            return found.union(*each)
        found |= self._single.intersection(set().union(*each))
        marks = frozenset().union(*(word.marks for word in asked.words))
        twice = set().union(*(one & other for one, other in combinations(each, 2)))
        for place in twice - found:
            words = self._spellings[place][2].words
            if sum(not word.marks.isdisjoint(marks) for word in words) > 1:
                found.add(place)
        return found

    def _places(self, marks: Iterable[str]) -> set[int]:
        return set().union(*(self._by_mark[mark] for mark in marks if mark in self._by_mark))


def exact_value(value: str) -> str:
    """Bring a wallet, an e-mail address or a number to the form in which equality is tested.

    Hexadecimal and bech32 wallets and e-mail addresses lose their case, numbers their separators; other
    wallets keep their case, because there it carries meaning.
    """
    value = value.strip()
    if "@" in value or re.fullmatch(r"(0x|bc1|ltc1)[0-9a-z]+", value.lower()):
        return value.lower()
    if re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{25,}", value):
        return value
    return re.sub(r"[\W_]+", "", value).upper()


class ExactIndex:
    """Wallets, e-mail addresses and numbers of one list version; `entries` are (key of the listed party, value)."""

    def __init__(self, entries: Iterable[tuple[str, str]]):
        self._keys: dict[str, set[str]] = defaultdict(set)
        for key, value in entries:
            if plain := exact_value(value):
                self._keys[plain].add(key)

    def keys(self, values: Iterable[str]) -> frozenset[str]:
        """Return the listed parties that carry one of the values."""
        return frozenset(key for value in values for key in self._keys.get(exact_value(value), ()))


def similarity(
    query: ScreenedParty, entry: ListedParty, *, bands: Bands, spellings: Iterable[str] | None = None
) -> Similarity:
    """Score how likely the party and the listed entry are the same, with every reason in words (R35).

    An equal wallet, e-mail address or identity number is a strong reason on its own. Otherwise the best pair
    of names counts; birth date, kind and country move it, and a nearly identical name never leaves the near misses.
    `spellings` are those of the entry that are compared, where the index has found them; else the closest of all.
    """
    exact = _exact_reasons(query, entry)
    asked, listed, name = _best_pair(query, entry.names if spellings is None else tuple(spellings))
    reasons = [*exact, *_name_reasons(asked, listed, name)]
    score = name.score
    for reason in _circumstances(query, entry) if name.score else []:
        score += reason.weight
        reasons.append(reason)

    if name.score >= NEARLY_SAME:
        score = max(score, bands.near)
    if exact:
        score = max(score, *(reason.weight for reason in exact))
    score = round(min(1.0, max(0.0, score)), 4)
    band = "strong" if score >= bands.strong else "near" if score >= bands.near else "weak"
    found = evidence((reason.code for reason in reasons), _spelling(listed, entry))
    return Similarity(score, band, listed, tuple(reasons), found)


def _spelling(listed: str, entry: ListedParty) -> int:
    """Which of the entry's names the closest one is; where only a number agrees, its main name stands for it."""
    if listed in ("", *entry.names[:1]):
        return MAIN_NAME
    return WEAK_ALIAS if listed in entry.weak_names else ALIAS


def best_likeness(asked: Iterable[str], listed: tuple[str, ...], kind: str) -> float:
    """How alike (0 to 1) the closest pair of names is; `kind` is the kind of the party asked about."""
    return _best_pair(ScreenedParty(tuple(asked), kind), listed)[2].score


def _best_pair(query: ScreenedParty, names: tuple[str, ...]) -> tuple[str, str, Likeness]:
    best = ("", "", Likeness(0.0))
    for asked in query.names:
        plain = folded(asked)
        if not plain:
            continue
        if len(names) > COMPARED_ALIASES:
            names = tuple(sorted(names, key=lambda name: -fuzz.token_set_ratio(plain, folded(name)))[:COMPARED_ALIASES])
        for listed in names:
            found = likeness(asked, listed, query.kind)
            if found.score > best[2].score:
                best = (asked, listed, found)
    return best


def _name_reasons(asked: str, listed: str, name: Likeness) -> list[Reason]:
    if not name.score:
        return []
    if name.score == 1:
        return [Reason("same_name", f"The name is the same as “{listed[:80]}”.", 1.0)]
    agreeing = ", ".join(one if one == other else f"{one} ≈ {other}" for one, other in name.agreeing)
    sentence = f"The name resembles “{listed[:80]}” ({agreeing[:LONGEST_NAME] or 'single letters only'})."
    if name.only_asked:
        sentence += f" Not listed: {', '.join(name.only_asked)[:80]}."
    if name.only_listed:
        sentence += f" Only listed: {', '.join(name.only_listed)[:80]}."
    return [Reason("similar_name", sentence, round(name.score, 4))]


EXACT = (
    ("wallets", "same_wallet", "A wallet address is the same as a listed one.", 1.0),
    ("emails", "same_email", "An e-mail address is the same as a listed one.", 0.97),
    ("identifiers", "same_identifier", "An identity or registration number is the same as a listed one.", 0.97),
)


def _exact_reasons(query: ScreenedParty, entry: ListedParty) -> list[Reason]:
    reasons = []
    for field, code, sentence, weight in EXACT:
        ours = {exact_value(value) for value in getattr(query, field)} - {""}
        theirs = {exact_value(value) for value in getattr(entry, field)} - {""}
        if ours & theirs:
            reasons.append(Reason(code, sentence, weight))
    return reasons


def _circumstances(query: ScreenedParty, entry: ListedParty) -> list[Reason]:
    found = [*_birth_reasons(query, entry)]
    if query.kind in BOTH and entry.kind in BOTH and query.kind != entry.kind:
        found.append(Reason("other_kind", "One is a person, the other is not.", -0.15))
    if query.countries and entry.countries:
        if query.countries & entry.countries:
            found.append(Reason("same_country", "Both are tied to the same country.", 0.03))
        else:
            found.append(Reason("other_country", "They are tied to different countries.", -0.05))
    return found


def _birth_reasons(query: ScreenedParty, entry: ListedParty) -> list[Reason]:
    if query.birth_on and query.birth_on in entry.birth_dates:
        return [Reason("same_birth_date", "The date of birth is the same.", 0.08)]
    year = query.birth_on.year if query.birth_on else query.birth_year
    years = entry.birth_years | {day.year for day in entry.birth_dates}
    if year is None or not years:
        return []
    if year in years:
        return [Reason("same_birth_year", "The year of birth is the same.", 0.04)]
    if min(abs(year - other) for other in years) <= 1:
        return [Reason("near_birth_year", "The year of birth differs by one.", -0.02)]
    return [Reason("other_birth_date", "The date of birth differs; somebody must look before it is set aside.", -0.15)]
