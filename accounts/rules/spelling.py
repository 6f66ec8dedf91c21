"""Compare two spellings of a name and say which words agree (requirement R35; T11, T13).

Edit distance alone cannot screen names. The analysis knows transliterations, nicknames, legal forms and honorifics;
what it cannot pair as words it compares letter by letter.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz import fuzz
from rigour.names import (
    Alignment,
    Name,
    NamePart,
    NamePartTag,
    NameTypeTag,
    SymbolCategory,
    align_person_name_order,
    analyze_names,
    compare_parts,
    pair_symbols,
)

from accounts.rules.parties import PartyKind

LONGEST_NAME = 300  # letters that are compared; nobody is called more, and comparing costs grow with the square
TYPE_TAGS = {PartyKind.INDIVIDUAL: NameTypeTag.PER, PartyKind.ENTITY: NameTypeTag.ORG}
UNSPACED = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\u3040-\u30ff\uf900-\ufaff]")

# How much one word weighs. A legal form or an article says next to nothing, a word that thousands of
# businesses carry little, two letters less than a word.
SLIGHT, COMMON, SHORT, FULL = 0.15, 0.6, 0.4, 1.0
SAME_THING = {  # how alike two words are that the analysis calls the same without being spelt the same
    SymbolCategory.NAME: 0.95,
    SymbolCategory.NICK: 0.85,
    SymbolCategory.INITIAL: 0.6,
    SymbolCategory.PHONETIC: 0.85,
}
SAME_SOUND = 0.9
SEVERITY = 1.5  # of a word spelt otherwise: one wrong letter in five already separates Maria from Mario
EVERYDAY = (SymbolCategory.DOMAIN, SymbolCategory.LOCATION, SymbolCategory.SYMBOL)

# Spellings that differ between ways of romanising one and the same word, applied in this order.
SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("off?$", "ov"),
        ("shch|sch|sh", "s"),
        ("kh|ch", "h"),
        ("gh|q", "g"),
        ("dh", "d"),
        ("th", "t"),
        ("ph", "f"),
        ("tz|ts|cz", "z"),
        ("ck|c", "k"),
        ("x", "ks"),
        ("w", "v"),
        ("[yij]+e?$|[yij]+", "i"),
        (r"(.)\1+", r"\1"),
    )
)
LEAST_CLOSED_UP = 8
NEARLY_ALL, CLOSED_UP = 0.95, 0.99
LEAST_SOUND = 4  # letters; shorter sounds agree by chance


@dataclass(frozen=True)
class Likeness:
    """How alike two spellings are (0 to 1), with the words that agree and those only one side has."""

    score: float
    agreeing: tuple[tuple[str, str], ...] = ()
    only_asked: tuple[str, ...] = ()
    only_listed: tuple[str, ...] = ()


def folded(name: str) -> str:
    """Bring a name to plain small letters and digits, words sorted, so that word order and script do not count."""
    plain = anyascii(name[:LONGEST_NAME]).casefold().replace("'", "").replace("`", "")
    words = re.findall(r"[a-z0-9]+", plain) or re.findall(r"[^\W_]+", name[:LONGEST_NAME].casefold())
    return " ".join(sorted(words))


def likeness(asked: str, listed: str, kind: str) -> Likeness:
    """Compare the name of a customer with a listed name; `kind` is the kind of the party asked about.

    Identical spellings give 1.0. Words that only the list has weigh little once two words agree (lists name
    patronymics that customers leave out), but fully while a single word agrees: one shared given name is no match.
    """
    if folded(asked) and folded(asked) == folded(listed):
        words = tuple((word, word) for word in folded(asked).split())
        return Likeness(1.0, words)

    asked_name, listed_name = analysed(asked, kind), analysed(listed, kind)
    if asked_name is None or listed_name is None:
        return Likeness(0.0)
    best = max(
        (_weigh(pairs, asked_name, listed_name) for pairs in pair_symbols(asked_name, listed_name) or [()]),
        key=lambda each: each.score,
    )
    closed_up = _closed_up(asked, listed)
    return best if best.score >= closed_up.score else closed_up


@lru_cache(maxsize=8192)
def analysed(name: str, kind: str) -> Name | None:
    """Return the analysis of a name, or None when nothing nameable is left. Kept, because lists repeat."""
    text = name[:LONGEST_NAME].encode(errors="replace").decode()  # a lone surrogate (C2) is no letter
    if UNSPACED.search(text):
        text = anyascii(text)
    tag = TYPE_TAGS.get(kind, NameTypeTag.ENT)
    names = analyze_names(tag, [text], infer_initials=True, consolidate=False)
    return min(names, key=lambda each: each.norm_form, default=None)


def load_tables() -> None:
    """Load the tables of known names once per process (some seconds, about 400 MB); else the first query waits."""
    analysed("a", PartyKind.INDIVIDUAL)


def _weigh(pairs: tuple[Alignment, ...], asked: Name, listed: Name) -> Likeness:
    """Add up one way of pairing the words of two names."""
    alike = [(pair.qstr, pair.rstr, _symbol_score(pair), _weight(pair.qps, asked)) for pair in pairs]
    used_asked = {part for pair in pairs for part in pair.qps}
    used_listed = {part for pair in pairs for part in pair.rps}
    left = [part for part in asked.parts if part not in used_asked]
    right = [part for part in listed.parts if part not in used_listed]
    for one, other, score in _take_same_words(left, right):
        alike.append((one.comparable, other.comparable, score, _weight((one,), asked)))
    only_asked, only_listed = [], []
    for alignment in _align(left, right, asked.tag):
        if alignment.qps and alignment.rps and alignment.score > 0:
            alike.append((alignment.qstr, alignment.rstr, alignment.score**SEVERITY, _weight(alignment.qps, asked)))
        else:
            only_asked += alignment.qps
            only_listed += alignment.rps

    gained = sum(score * weight for _, _, score, weight in alike)
    solid = sum(
        weight for _, _, score, weight in alike if weight >= COMMON and score >= SAME_THING[SymbolCategory.NICK]
    )
    asked_extra = sum(_weight((part,), asked) for part in only_asked)
    listed_extra = sum(_weight((part,), listed) for part in only_listed)
    total = sum(weight for *_, weight in alike) + asked_extra + listed_extra * (0.2 if solid >= 2 else 0.6)
    return Likeness(
        score=gained / total if total else 0.0,
        agreeing=tuple((one, other) for one, other, _, _ in alike),
        only_asked=tuple(part.comparable for part in only_asked),
        only_listed=tuple(part.comparable for part in only_listed),
    )


def _align(left: list[NamePart], right: list[NamePart], tag: NameTypeTag) -> Iterable[Alignment]:
    if tag == NameTypeTag.PER and left and right:
        left, right = align_person_name_order(left, right)
    return compare_parts(left, right)


def _take_same_words(left: list[NamePart], right: list[NamePart]) -> list[tuple[NamePart, NamePart, float]]:
    """Take out of both lists the words that are equal wherever they stand, then those that sound equal."""
    taken = []
    for key, least, score in ((_letters, 1, 1.0), (sound_of, LEAST_SOUND, SAME_SOUND)):
        waiting = {key(part.comparable): part for part in reversed(right)}
        for part in list(left):
            heard = key(part.comparable)
            if len(heard) >= least and heard in waiting:
                taken.append((part, waiting.pop(heard), score))
                left.remove(part)
                right.remove(taken[-1][1])
    return taken


def _letters(word: str) -> str:
    return word


@lru_cache(maxsize=8192)
def sound_of(word: str) -> str:
    """The word as it sounds, in plain letters: the same for the usual ways of romanising it."""
    sound = anyascii(word).casefold()
    for pattern, letters in SOUNDS:
        sound = pattern.sub(letters, sound)
    return sound


def _symbol_score(pair: Alignment) -> float:
    if pair.qstr == pair.rstr:
        return 1.0
    return SAME_THING.get(pair.symbol.category, 1.0)


def _weight(parts: Iterable[NamePart], name: Name) -> float:
    parts = tuple(parts)
    everyday = {part for span in name.spans if span.symbol.category in EVERYDAY for part in span.parts}
    return max(part_weight(part, part in everyday) for part in parts)


def part_weight(part: NamePart, everyday: bool) -> float:
    """How much a word counts: a legal form next to nothing, an everyday word or two letters less than a word."""
    if part.tag in (NamePartTag.STOP, NamePartTag.LEGAL, NamePartTag.HONORIFIC, NamePartTag.TITLE):
        return SLIGHT
    if len(part.comparable) <= 2 and not part.numeric:
        return SHORT
    return COMMON if everyday else FULL


def _closed_up(asked: str, listed: str) -> Likeness:
    """Compare without spaces, for scripts that write none and names run together; numbers must agree exactly."""
    one, other = (re.sub(r"[^a-z0-9]", "", anyascii(name[:LONGEST_NAME]).casefold()) for name in (asked, listed))
    if min(len(one), len(other)) < LEAST_CLOSED_UP or re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return Likeness(0.0)
    ratio = fuzz.ratio(one, other) / 100
    if ratio < NEARLY_ALL:
        return Likeness(0.0)
    return Likeness(min(ratio, CLOSED_UP), ((asked[:80], listed[:80]),))
