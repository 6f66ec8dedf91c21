"""What must agree before two names are compared at all: a few marks of each word, the same for customer and list (R35).

Comparing everybody with everybody takes too long. Two names are worth comparing when two words of the one share a mark
with two words of the other; one word is enough where a name has no more. Whether that is so depends on these two names
alone, never on what else stands on the list: that is why a change of the list needs to look only at whom it touches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz import fuzz
from rigour.names import NameTypeTag, SymbolCategory, analyze_names

from accounts.rules.spelling import (
    COMMON,
    EVERYDAY,
    LEAST_CLOSED_UP,
    LONGEST_NAME,
    SEVERITY,
    UNSPACED,
    part_weight,
    sound_of,
)

MOST_WORDS = 12  # of one name that are looked up; a longer name is known by its first dozen
CLOSED_UP_LETTERS = 6
KNOWN = (SymbolCategory.NAME, SymbolCategory.NICK)
VERSION = "1"  # of the rules below; another one has every party's marks made anew
SAME_KNOWN = 0.95  # how alike two words count, roughly, that the tables of names call the same
ONLY_LISTED = 0.2  # what a word costs, roughly, that only one side has
LEAST_ALIKE = 0.5  # words less alike than that are two words
CLOSED_UP_RATIO = 90.0


@dataclass(frozen=True, slots=True)
class Word:
    """One word that counts: how it sounds, how much it weighs, its marks, and those of them that are known names."""

    sound: str
    weight: float
    marks: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class NameKeys:
    """What of a name is looked up. `closed` are its letters without blanks, "" when they are few."""

    words: tuple[Word, ...]
    closed: str

    @property
    def is_single(self) -> bool:
        return len(self.words) == 1

    @property
    def closed_marks(self) -> frozenset[str]:
        """The two ends of the name written without blanks, for names run together and scripts without blanks."""
        letters = self.closed
        return frozenset({f"<{letters[:CLOSED_UP_LETTERS]}", f">{letters[-CLOSED_UP_LETTERS:]}"} if letters else ())


@lru_cache(maxsize=8192)
def name_keys(name: str) -> NameKeys:
    """Return what of a name is looked up; no words when nothing nameable is left."""
    text = name[:LONGEST_NAME].encode(errors="replace").decode()
    if UNSPACED.search(text):
        text = anyascii(text)
    found = analyze_names(NameTypeTag.ENT, [text], infer_initials=True, consolidate=False)
    analysed = min(found, key=lambda each: each.norm_form, default=None)
    if analysed is None:
        return NameKeys((), "")
    everyday, known = set(), {}
    for span in analysed.spans:
        for part in span.parts:
            if span.symbol.category in EVERYDAY:
                everyday.add(part)
            elif span.symbol.category in KNOWN:
                known.setdefault(part, set()).add(str(span.symbol))
    weighed = [(part, part_weight(part, part in everyday)) for part in analysed.parts]
    counting = [each for each in weighed if each[1] >= COMMON] or weighed
    words = {}
    for part, weight in counting[:MOST_WORDS]:
        sound = sound_of(part.comparable)
        if sound and sound not in words:
            marks = frozenset(known.get(part, ()))
            words[sound] = Word(sound, weight, marks | _letters_of(sound), marks)
    closed = "".join(letter for letter in anyascii(text).casefold() if letter.isascii() and letter.isalnum())
    return NameKeys(tuple(words.values()), closed if len(closed) >= LEAST_CLOSED_UP else "")


def _letters_of(sound: str) -> frozenset[str]:
    """Both ends of a word, and two mixtures of them: one wrong, lost or added letter always leaves one as it was."""
    return frozenset({f"^{sound[:3]}", f"${sound[-3:]}", f"{sound[:2]}_{sound[-1:]}", f"{sound[:1]}_{sound[-2:]}"})


def rough_likeness(asked: NameKeys, listed: NameKeys) -> float:
    """A quick guess (0 to 1) of how alike two names are, seldom lower than what comparing them in full will say."""
    if not asked.words or not listed.words:
        return _closed_up(asked, listed)
    gained = total = 0.0
    left = [other.weight * ONLY_LISTED for other in listed.words]
    for word in asked.words:
        best, nearest, sound = 0.0, 0, word.sound
        for place, other in enumerate(listed.words):
            alike = 1.0 if sound == other.sound else fuzz.ratio(sound, other.sound) / 100
            if alike < SAME_KNOWN and not word.known.isdisjoint(other.known):
                alike = SAME_KNOWN
            if alike > best:
                best, nearest = alike, place
        if best >= LEAST_ALIKE:
            left[nearest] = 0.0
            gained += best**SEVERITY * word.weight
        total += word.weight
    total += sum(left)
    guess = gained / total if total else 0.0
    return guess if guess >= 0.9 else max(guess, _closed_up(asked, listed))


def _closed_up(asked: NameKeys, listed: NameKeys) -> float:
    if not asked.closed or not listed.closed:
        return 0.0
    return fuzz.ratio(asked.closed, listed.closed, score_cutoff=CLOSED_UP_RATIO) / 100


def stored_marks(names: Iterable[str]) -> frozenset[str]:
    """All marks of a party's names, as they are kept to find the party again; those of a single word stand twice."""
    found: set[str] = set()
    for name in names:
        keys = name_keys(name)
        for word in keys.words:
            found |= word.marks
            if keys.is_single:
                found |= {single(mark) for mark in word.marks}
        found |= keys.closed_marks
    return frozenset(found)


def single(mark: str) -> str:
    """The mark of a word that is the only one of its name."""
    return f"1{mark}"
