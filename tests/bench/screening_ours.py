"""Our side of the screening bench, in a process of its own where Django is set up: main(FOLDER, FILE).

Loads the list, writes to FILE what the rival needs, then screens all altered names once for each line on its input and
answers with a line of JSON: seconds by the clock and of the processor, pairs compared, for each name whether its entry
was found and how many were, megabytes at most.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from accounts.flows import watchlists
from accounts.flows.list_index import ListIndex
from accounts.formats import ofac
from accounts.formats.listed import country_code, read_birth
from accounts.models import WatchlistEntry, WatchlistSnapshot
from accounts.rules import name_keys, spelling
from accounts.rules.names import ROUGH_BELOW, Bands, ScreenedParty
from tests.bench.altered import Altered, altered_names
from tests.bench.running import peak

BANDS = Bands(strong=0.85, near=0.70)


def main(folder: Path, path: Path) -> None:
    began = time.process_time()
    spelling.load_tables()
    tables = time.process_time() - began
    began = time.process_time()
    entries = list(watchlists._rows(WatchlistSnapshot(list_name="bench"), ofac.read_sdn_folder(folder)))
    read = time.process_time() - began
    index = ListIndex(entries)
    asked = altered_names(entries)
    loaded = {"read": read, "index": time.process_time() - began - read, "tables": tables, "entries": len(index)}
    write_for_the_rival(path, entries, asked, index)
    print(json.dumps(loaded | {"how": [each.how for each in asked], "spellings": len(index._names)}), flush=True)

    parties = [party_of(each) for each in asked]
    for _ in sys.stdin:
        for remembered in (name_keys.name_keys, spelling.analysed, spelling.sound_of):
            remembered.cache_clear()  # or the second round would find every name analysed
        index.compared, began, processor = 0, time.perf_counter(), time.process_time()
        found = [{match.listed.party.key for match in index.matches(party, BANDS)} for party in parties]
        took, processor = time.perf_counter() - began, time.process_time() - processor
        told = [[each.uid in keys, len(keys)] for each, keys in zip(asked, found, strict=True)]
        answer = {"seconds": took, "processor": processor, "pairs": index.compared, "names": len(asked), "found": told}
        print(json.dumps(answer | {"peak": peak()}), flush=True)


def party_of(asked: Altered) -> ScreenedParty:
    return ScreenedParty((asked.name,), asked.kind, birth_year=asked.born or None)


def write_for_the_rival(path: Path, entries: list[WatchlistEntry], asked: list[Altered], index: ListIndex) -> None:
    """The entries as the rival's properties, the names with the candidates we would compare."""
    with path.open("w") as file:
        json.dump(
            {
                "entries": [{"uid": each.uid, "kind": each.kind, "properties": _properties(each)} for each in entries],
                "asked": [
                    asdict(each)
                    | {
                        "properties": {"name": [each.name]} | ({"birthDate": [str(each.born)]} if each.born else {}),
                        "candidates": [
                            found.key for found in index._names.candidates([each.name], least=BANDS.near - ROUGH_BELOW)
                        ],
                    }
                    for each in asked
                ],
            },
            file,
        )


def _properties(entry: WatchlistEntry) -> dict[str, list[str]]:
    births = set()
    for text in entry.details.get("birth_dates", []):
        day, years = read_birth(text)
        births |= {day.isoformat()} if day else {str(year) for year in years}
    weak = [name for name, kind in entry.aliases if kind.startswith("weak")]
    countries = [code.lower() for code in map(country_code, entry.details.get("nationalities", [])) if code]
    found = {
        "name": [entry.name],
        "alias": [name for name, _ in entry.aliases if name not in weak],
        "weakAlias": weak,
        "birthDate": sorted(births) if entry.kind == "individual" else [],
        "country": countries,
    }
    return {name: values for name, values in found.items() if values}
