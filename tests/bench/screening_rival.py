"""The rival of the screening bench, run by the Python of its own environment: nomenklatura's logic-v2.

    python screening_rival.py FILE

FILE is JSON with the entries, the altered names and our candidates for each of them. For each line on its input, the
name of a way to find candidates, it screens all names once and answers with a line of JSON: seconds by the clock and of
the processor, pairs compared, for each name whether its entry was found and how many were. The ways: "index" (its own,
all names in one batch, which suits it best), "ours" (handed in), "every" (each entry with each name; of a sample).
"""

import json
import logging
import sys
import tempfile
import time
from pathlib import Path

from followthemoney import Dataset, StatementEntity
from nomenklatura.blocker import Index
from nomenklatura.matching.logic_v2.model import LogicV2
from nomenklatura.matching.types import ScoringConfig
from nomenklatura.resolver import Linker
from nomenklatura.store import MemoryStore

SCHEMATA = {"individual": "Person", "entity": "Organization", "vessel": "Vessel", "aircraft": "Airplane"}
LIMIT = 0.7  # the least score at which its makers call two entities alike
SAMPLE = 25
DATA = Dataset.make({"name": "list", "title": "The list"})


def entity(key: str, kind: str, properties: dict[str, list[str]]) -> StatementEntity:
    schema = SCHEMATA.get(kind, "LegalEntity")
    return StatementEntity.from_data(
        DATA, {"id": key, "schema": schema, "properties": properties, "datasets": ["list"]}, cleaned=False
    )


def main(path: Path) -> None:
    logging.disable(logging.CRITICAL)
    given = json.loads(path.read_text())
    began = time.perf_counter()
    entries = {each["uid"]: entity(each["uid"], each["kind"], each["properties"]) for each in given["entries"]}
    store = MemoryStore(DATA, Linker({}))
    with store.writer() as writer:
        for each in entries.values():
            writer.add_entity(each)
    index = Index(store.default_view(), Path(tempfile.mkdtemp(prefix="kyc-bench-rival-")))
    index.build()
    names = [
        (each, entity(f"asked-{number}", each["kind"], each["properties"]))
        for number, each in enumerate(given["asked"])
    ]
    config = ScoringConfig.defaults()
    for each in entries.values():  # its names are made ready before the clock runs, as ours are
        LogicV2.compare(names[0][1], each, config)
    print(json.dumps({"load": time.perf_counter() - began}), flush=True)

    for line in sys.stdin:
        way = line.strip()
        asked = names[:: len(names) // SAMPLE] if way == "every" else names
        began, processor, pairs, found = time.perf_counter(), time.process_time(), 0, []
        by_key = {query.id: [] for _, query in asked}
        if way == "index":
            for key, matches in index.match_entities(query for _, query in asked):
                by_key[key.id] = [match.id for match, _ in matches]
        for each, query in asked:
            keys = {"index": by_key.get(query.id), "ours": each["candidates"], "every": entries}[way]
            pairs += len(keys)
            hits = {key for key in keys if LogicV2.compare(query, entries[key], config).score >= LIMIT}
            found.append([each["uid"] in hits, len(hits)])
        took, processor = time.perf_counter() - began, time.process_time() - processor
        answer = {"seconds": took, "processor": processor, "pairs": pairs, "names": len(asked), "found": found}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
