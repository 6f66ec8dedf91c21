"""One list version in memory, made once for each process: who on it resembles a party (requirement R35).

An index never changes, because a snapshot never does; the few that are current are kept, older ones are forgotten.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from accounts.formats.listed import country_code, read_birth
from accounts.models import WatchlistEntry, WatchlistSnapshot
from accounts.rules.names import (
    COMPARED_ALIASES,
    MOST_ADDED,
    NEARLY_SAME,
    ROUGH_BELOW,
    Bands,
    ExactIndex,
    ListedParty,
    NameIndex,
    ScreenedParty,
    Similarity,
    best_likeness,
    exact_value,
    similarity,
)

MOST_KEPT = 4
READ_AT_ONCE = 500
LEAST_NUMBER = 6  # characters; shorter register numbers are equal by chance
NO_IDENTITY = ("Phone", "Tele", "Fax", "SWIFT", "Bank Identifier", "BIK")  # of a line or a bank, not of the entry


WEAK = ("weak", "low")  # what OFAC and the UN call an alias that many people have


@dataclass(frozen=True)
class Listed:
    """An entry as it is compared, with what a hit shows of it; `digest` changes when anything of it changes."""

    party: ListedParty
    name: str
    programmes: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class Match:
    """An entry that resembles the party."""

    listed: Listed
    similarity: Similarity


class ListIndex:
    """Names, numbers, wallets and e-mail addresses of one list version."""

    def __init__(self, entries: Iterable[WatchlistEntry]):
        self.compared = 0  # pairs of party and entry that were compared in full, since the index was made
        self._listed = {entry.uid: _listed(entry) for entry in entries}
        parties = [each.party for each in self._listed.values()]
        self._names = NameIndex((party.key, name) for party in parties for name in party.names)
        self._values = ExactIndex(
            (party.key, value) for party in parties for value in party.identifiers | party.wallets | party.emails
        )

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[ListedParty]:
        return (each.party for each in self._listed.values())

    def may_match(self, names: Iterable[str], kind: str, bands: Bands) -> bool:
        """Whether a party of these names could reach `bands.near`, whatever else is known of it."""
        for candidate in self._names.candidates(names, least=bands.near - ROUGH_BELOW):
            self.compared += 1
            spellings = candidate.names[:COMPARED_ALIASES]
            if best_likeness(names, spellings, kind) >= min(NEARLY_SAME, bands.near - MOST_ADDED):
                return True
        return False

    def matches(self, party: ScreenedParty, bands: Bands) -> list[Match]:
        """The entries whose score reaches `bands.near`, the most alike first, then those of stronger evidence."""
        near = self._names.candidates(party.names, least=bands.near - ROUGH_BELOW)
        spellings = {candidate.key: candidate.names[:COMPARED_ALIASES] for candidate in near}
        for key in self._values.keys(party.identifiers | party.wallets | party.emails):
            spellings.setdefault(key, self._listed[key].party.names[:COMPARED_ALIASES])
        found = []
        for key, names in sorted(spellings.items()):
            self.compared += 1
            listed = self._listed[key].party
            likeness = similarity(party, listed, bands=bands, spellings=sorted(names, key=_main_first(listed)))
            if likeness.score >= bands.near:
                found.append(Match(self._listed[key], likeness))
        return sorted(found, key=_order)


def _main_first(listed: ListedParty) -> Callable[[str], tuple[bool, int]]:
    """The order in which spellings are compared, so that of two that are equally close the better one counts."""
    return lambda name: (name in listed.weak_names, listed.names.index(name))


def _order(match: Match) -> tuple[float, int, str]:
    return -match.similarity.score, -match.similarity.evidence, match.listed.party.key


_kept: OrderedDict[UUID, ListIndex] = OrderedDict()
_lock = Lock()


def index_of(snapshot: WatchlistSnapshot) -> ListIndex:
    """The index of one list version; the first call of a process reads its entries, further ones ask nothing."""
    with _lock:
        if snapshot.pk not in _kept:
            entries = WatchlistEntry.objects.filter(snapshot=snapshot).order_by("pk")
            _kept[snapshot.pk] = ListIndex(entries.iterator(chunk_size=READ_AT_ONCE))
        _kept.move_to_end(snapshot.pk)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
        return _kept[snapshot.pk]


def _listed(entry: WatchlistEntry) -> Listed:
    details = entry.details
    days, years = set(), set()
    for text in details.get("birth_dates", []):
        day, possible = read_birth(text)
        days |= {day} if day else set()
        years |= possible
    places = [*details.get("nationalities", []), *(address[2] for address in details.get("addresses", []))]
    party = ListedParty(
        key=entry.uid,
        names=(entry.name, *(name for name, _ in entry.aliases)),
        kind=entry.kind,
        birth_dates=frozenset(days),
        birth_years=frozenset(years),
        countries=frozenset(code for code in map(country_code, places) if code),
        identifiers=frozenset(_numbers(details.get("identifiers", []))),
        wallets=frozenset(address for _, address in details.get("wallets", [])),
        emails=frozenset(details.get("emails", [])),
        weak_names=frozenset(name for name, kind in entry.aliases if kind.lower().startswith(WEAK)),
    )
    return Listed(party, entry.name, tuple(entry.programmes), digest_of(entry))


def _numbers(identifiers: list[list[str]]) -> Iterator[str]:
    for kind, number, _ in identifiers:
        if not kind.startswith(NO_IDENTITY) and len(exact_value(number)) >= LEAST_NUMBER:
            yield number


def digest_of(entry: WatchlistEntry) -> str:
    """A hash of all an entry says, by which two versions of it are told apart."""
    content = [entry.uid, entry.name, entry.kind, entry.programmes, entry.aliases, entry.details, entry.remarks]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
