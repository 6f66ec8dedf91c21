"""Names of a list, altered as customers and clerks alter them, always the same ones: 100 of each of five kinds."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from accounts.formats.listed import read_birth
from accounts.models import WatchlistEntry

SEED = 20261126
OF_EACH = 100
LETTERS = "abcdefghijklmnoprstuvyz"
OTHER_SPELLINGS = (
    ("kh", "h"), ("q", "k"), ("ou", "u"), ("ee", "i"), ("mohammad", "muhammed"), ("ck", "k"), ("dj", "j"), ("ph", "f"),
    ("oo", "u"), ("ei", "ey"), ("x", "ks"), ("th", "t"), ("dh", "d"), ("gh", "g"), ("yu", "iu"), ("ya", "ia"),
    ("y", "i"), ("v", "w"),
)  # fmt: skip
CYRILLIC = (
    ("shch", "щ"), ("kh", "х"), ("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("ts", "ц"), ("ya", "я"), ("yu", "ю"),
    ("ph", "ф"), ("th", "т"), ("q", "к"), ("w", "в"), ("x", "кс"), ("y", "й"),
    ("j", "дж"), *zip("abcdefghiklmnoprstuvz", "абкдефгхиклмнопрстувз", strict=True),
)  # fmt: skip


@dataclass(frozen=True)
class Altered:
    """An altered name with the entry it was made from; `born` is a year or 0."""

    how: str
    name: str
    born: int
    kind: str
    uid: str


def altered_names(entries: list[WatchlistEntry]) -> list[Altered]:
    """Five hundred of them from the entries of a list that are people or businesses of two or more words."""
    chance = random.Random(SEED)
    usable = [each for each in entries if each.kind in ("individual", "entity") and len(_words(each)) > 1]
    made = []
    for how, alter in HOW.items():
        count = 0
        while count < OF_EACH:
            entry = chance.choice(usable)
            if name := alter(_words(entry), entry, chance):
                born = _born(entry) + chance.choice((-1, 1)) if how == "year of birth off by one" else 0
                made.append(Altered(how, name, born, entry.kind, entry.uid))
                count += 1
    return made


def _words(entry: WatchlistEntry) -> list[str]:
    """The words of the name in the order in which it is spoken."""
    family, comma, given = entry.name.partition(", ")
    return (f"{given} {family}" if comma and entry.kind == "individual" else entry.name).split()


def _born(entry: WatchlistEntry) -> int:
    for text in entry.details.get("birth_dates", []):
        day, years = read_birth(text)
        return day.year if day else max(years, default=0)
    return 0


def _mistyped(words: list[str], entry: WatchlistEntry, chance: random.Random) -> str:
    """One wrong, lost, added or swapped letter, in a third of the names two of them in two words."""
    long = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for place in chance.sample(long, min(len(long), chance.choice((1, 1, 2)))):
        words[place] = _one_typo(words[place], chance)
    return " ".join(words) if long else ""


def _one_typo(word: str, chance: random.Random) -> str:
    at, letter = chance.randrange(len(word)), chance.choice(LETTERS)
    swap = min(at, len(word) - 2)
    return chance.choice([
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:swap] + word[swap + 1] + word[swap] + word[swap + 2 :],
    ])  # fmt: skip


def _reordered(words: list[str], entry: WatchlistEntry, chance: random.Random) -> str:
    before = list(words)
    while words == before and len(set(words)) > 1:
        chance.shuffle(words)
    return " ".join(words)


def _transliterated(words: list[str], entry: WatchlistEntry, chance: random.Random) -> str:
    """Romanised by other rules, or in Cyrillic letters; people only, and names that do change."""
    name = " ".join(words).lower()
    before = name
    for letters, other in CYRILLIC if chance.random() < 0.5 else OTHER_SPELLINGS:
        name = name.replace(letters, other)
    return name if entry.kind == "individual" and name != before else ""


def _dropped(words: list[str], entry: WatchlistEntry, chance: random.Random) -> str:
    if len(words) < 3:
        return ""
    del words[chance.randrange(len(words))]
    return " ".join(words)


def _as_it_is(words: list[str], entry: WatchlistEntry, chance: random.Random) -> str:
    return " ".join(words) if entry.kind == "individual" and _born(entry) else ""


HOW: dict[str, Callable[[list[str], WatchlistEntry, random.Random], str]] = {
    "typos": _mistyped,
    "reordered": _reordered,
    "transliterated": _transliterated,
    "parts dropped": _dropped,
    "year of birth off by one": _as_it_is,
}
