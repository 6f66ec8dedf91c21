"""How fast names are screened against a full list, beside nomenklatura's logic-v2, and what a change of the list costs.

    make bench ARGS="screening --list ../shared/data/ofac --parties 100000"

The rival gets an environment of its own in a folder of the cache, made on first use. Both screen the same 500 altered
names in turns. The rival finds its candidates with its own index; that its recall is not its index's fault shows in a
round with our candidates, and in one where it compares every entry. Then, in a database of its own, parties are made,
the list changes by so many entries, and whom it may touch is found and screened again.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from django.db import connection

from tests.bench.running import ROOT, machine, median_ratio, own_database, peak

RIVAL = "nomenklatura==4.17.4"
OURS = (
    "import django, sys; django.setup(); from pathlib import Path; from tests.bench.screening_ours import main; "
    "main(*map(Path, sys.argv[1:]))"
)
SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in ("a", "e", "i", "o", "u", "an", "el", "or")]
SAMPLE = 200  # parties whose full screening is timed
FROM_LIST = 0.2  # of the parties: their words are words of the list, so that many resemble somebody


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", type=Path, default=ROOT.parent / "shared" / "data" / "ofac")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--parties", type=int, default=100_000)
    parser.add_argument("--skip-rival", action="store_true")
    parser.add_argument("--skip-change", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.list / "sdn.csv").exists():
        print(f"\nscreening is left out: there is no list in {options.list}. Name its folder with --list.")
        return
    if not options.skip_rival:
        beside_the_rival(options.list, options.rounds)
    if not options.skip_change:
        with own_database("screening"):
            change_of_the_list(options.list, options.parties)


# --- Beside the rival -------------------------------------------------------------------------------------------------


def beside_the_rival(folder: Path, rounds: int) -> None:
    print(f"\nscreening beside {RIVAL}; {machine()}")
    with tempfile.TemporaryDirectory(prefix="kyc-bench-") as made, contextlib.ExitStack() as stack:
        path = Path(made) / "names.json"
        ours, loaded = stack.enter_context(_process([sys.executable, "-c", OURS, str(folder), str(path)]))
        print(
            f"  loading {loaded['entries']:,} entries with {loaded['spellings']:,} spellings: reading "
            f"{loaded['read']:.1f} s, index {loaded['index']:.1f} s, tables of names "
            f"{loaded['tables']:.1f} s, of the processor"
        )
        python = rival_python()
        rival, _ = stack.enter_context(_process([python, str(ROOT / "tests/bench/screening_rival.py"), str(path)]))
        told: dict[str, list[dict]] = {"ours": [], "rival": [], "rival with our candidates": []}
        sides = [("ours", ours, "round"), ("rival", rival, "index"), ("rival with our candidates", rival, "ours")]
        for number in range(rounds):
            for name, process, line in sides if number % 2 == 0 else sides[::-1]:
                told[name].append(_ask(process, line))
        for name, answers in told.items():
            _report(name, answers, loaded["how"], told["ours"])
        _report_every(_ask(rival, "every"), told["ours"][0])
        print(f"  memory at most while screening: {told['ours'][-1]['peak']:.0f} MB")


def rival_python() -> str:
    """The Python of an environment with the rival in it, made when it is not there."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kyc-bench" / RIVAL
    if not (home / "bin" / "nomenklatura").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", RIVAL], check=True, stderr=subprocess.DEVNULL)
    return str(home / "bin" / "python")


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[tuple[subprocess.Popen, dict]]:
    """A process that answers each line with a line of JSON, and its first answer."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _ask(process: subprocess.Popen, line: str) -> dict:
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _report(name: str, answers: list[dict], how: list[str], ours: list[dict]) -> None:
    first = answers[0]
    seconds = statistics.median(each["seconds"] for each in answers)
    found = Counter(way for way, (is_found, _) in zip(how, first["found"], strict=True) if is_found)
    kinds = ", ".join(f"{way} {found[way]}" for way in dict.fromkeys(how))
    print(
        f"  {name}: {first['names'] / seconds:,.0f} names a second, {first['pairs'] / first['names']:.1f} pairs a name"
    )
    print(f"    found {sum(found.values())} of {len(how)} ({kinds}); {_hits(first):.2f} hits a name")
    if answers is not ours:
        for unit, words in (("seconds", "by the clock"), ("processor", "of the processor")):
            ratio = median_ratio([each[unit] for each in answers], [each[unit] for each in ours])
            print(f"    times our time {words}: {ratio}")


def _hits(answer: dict) -> float:
    return sum(count for _, count in answer["found"]) / answer["names"]


def _report_every(every: dict, ours: dict) -> None:
    sample = ours["found"][:: ours["names"] // every["names"]][: every["names"]]
    print(
        f"  rival with every entry, {every['names']} names: {every['names'] / every['seconds']:.2f} names a second, "
        f"found {sum(found for found, _ in every['found'])}; ours found {sum(found for found, _ in sample)} of the same"
    )


# --- A change of the list ---------------------------------------------------------------------------------------------


def change_of_the_list(folder: Path, count: int) -> None:
    from django.utils import timezone

    from accounts.flows import list_changes, screening, watchlists
    from accounts.formats import ofac
    from accounts.rules.spelling import load_tables
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER

    load_tables()
    now = timezone.now()
    chance = random.Random(20261126)
    whole = ofac.read_sdn_folder(folder)
    entries, spare = list(whole.entries[:-2000]), list(whole.entries[-2000:])

    def load(changed: list, at) -> float:
        began = time.perf_counter()
        with one_flow(SCHEDULER):
            found = ofac.SdnList(tuple(changed), f"{chance.getrandbits(256):064x}")
            watchlists._store("Bench", found, False, SCHEDULER, at)
        return time.perf_counter() - began

    print(f"  storing {len(entries):,} entries: {load(entries, now):.1f} s")
    make_screened_parties(count, entries, chance, now)
    full = _time_full(now, SAMPLE) * count
    print(f"  full: {full:,.0f} s for {count:,} parties, by {SAMPLE} of them")
    took: dict[int, float] = {}
    worked: dict[int, float] = {}
    for number, size in enumerate((100, 10, 1000), start=1):
        half = size // 2
        for place in chance.sample(range(len(entries)), size - half):
            entries[place] = replace(entries[place], remarks=f"{entries[place].remarks} Changed {number}.")
        added, spare = spare[:half], spare[half:]
        entries += added
        at = now + timedelta(hours=number)
        load(entries, at)
        snapshot = watchlists.current_snapshots().get()
        began, processor = time.perf_counter(), time.process_time()
        touched = list_changes.look_at_changes(snapshot, by=SCHEDULER, at=at)
        looked = time.perf_counter() - began
        told = screening.screen_due(by=SCHEDULER, at=at)
        took[size], worked[size] = time.perf_counter() - began, time.process_time() - processor
        print(
            f"  change of {size:,} entries: {looked:.1f} s to find {touched:,} parties, {took[size]:.1f} s with "
            f"screening {told['done']:,} of them ({worked[size]:.1f} s of the processor); a full "
            f"one takes {full / took[size]:,.0f} times that"
        )
    for unit, words in ((took, "by the clock"), (worked, "of the processor")):
        print(f"  to a change of 100, {words}: of 10 {unit[10] / unit[100]:.2f}, of 1,000 {unit[1000] / unit[100]:.2f}")
    print(f"  {peak():.0f} MB at most")


def make_screened_parties(count: int, entries: list, chance: random.Random, at) -> None:
    """Parties that have been compared with the list already: rows as a screening leaves them, without its time."""
    from accounts.flows.list_index import index_of
    from accounts.flows.screening_marks import making, marks_of
    from accounts.flows.watchlists import current_snapshots
    from accounts.models import Party, Screening, ScreeningMark
    from accounts.rules.names import ScreenedParty
    from kyc_portal.records.acting import one_flow
    from kyc_portal.records.refs import SCHEDULER

    words = sorted({word for each in entries for word in each.name.replace(",", "").split() if word.isalpha()})
    snapshot = current_snapshots().get()
    index_of(snapshot)
    began = time.perf_counter()
    marked = 0
    for begin in range(0, count, 2000):
        rows, marks = [], []
        for _ in range(begin, min(begin + 2000, count)):
            listed = chance.random() < FROM_LIST
            name = " ".join(
                chance.choice(words) if listed else _invented(chance) for _ in range(chance.choice((2, 2, 3)))
            )
            rows.append(
                Party(
                    kind="individual", legal_name=name, citizenship="DE", created_at=at, changed_at=at,
                    marked_with=making(),
                )
            )  # fmt: skip
            found = marks_of(ScreenedParty((name,), "individual"))
            marks += [ScreeningMark(party=rows[-1], mark=mark) for mark in found]
        with one_flow(SCHEDULER):
            Party.objects.bulk_create(rows)
            ScreeningMark.objects.bulk_create(marks, batch_size=5000)
            Screening.objects.bulk_create(Screening(party=row, snapshot=snapshot, at=at) for row in rows)
        marked += len(marks)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    took = time.perf_counter() - began
    print(f"  {count:,} parties with {marked / count:.0f} marks each, made in {took:.0f} s")


def _invented(chance: random.Random) -> str:
    return "".join(chance.choice(SYLLABLES) for _ in range(chance.choice((2, 3)))).capitalize()


def _time_full(at, sample: int) -> float:
    """Seconds that one party takes, screened as in a full screening; what that leaves behind is as if it were not."""
    from django.db import transaction

    from accounts.flows import screening
    from accounts.models import Party
    from kyc_portal.records.refs import SCHEDULER

    parties = list(Party.objects.order_by("pk")[:sample])
    began = time.perf_counter()
    with transaction.atomic():
        for party in parties:
            screening.screen_party(party, by=SCHEDULER, at=at)
        took = (time.perf_counter() - began) / sample
        transaction.set_rollback(True)
    return took


if __name__ == "__main__":
    main()
