"""What the benches share: a database of their own, medians of paired rounds, memory of a process of its own.

Nothing here asserts a time: another machine has another clock. What is told are ratios against a named rival that ran
in turns with us, on the same machine, in the same minute.
"""

import contextlib
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import django
from django.db import connection, connections

SETTINGS = "kyc_portal.settings.tests"
ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def own_database(name: str) -> Iterator[None]:
    """A fresh database, so that nobody's real customers get a thousand made-up neighbours; gone afterwards."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup()
    own = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        print(f"\n{name} on {connection.vendor}; {machine()}")
        yield
    finally:
        connections.close_all()
        connection.creation.destroy_test_db(own, verbosity=0)


def machine() -> str:
    """Python, processors and how busy they are, without which the figures say nothing."""
    return f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"


def seconds(act: Callable[[], object]) -> float:
    """How long it took, by the clock."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def paired(sides: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each side gave in each round; who begins changes from round to round, so that neither has the warm cache."""
    told: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in names:
            told[name].append(sides[name]())
    return told


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the ratios round by round, with the least and the greatest of them."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"


def peak() -> float:
    """The most memory this process held since its start or `begin_peak`, in megabytes.

    (getrusage would also count what its parent had held.)
    """
    return _held("VmHWM:")


def begin_peak() -> float:
    """Let `peak` begin anew with what is held now, in megabytes, which is given."""
    Path("/proc/self/clear_refs").write_text("5")
    return _held("VmRSS:")


def _held(line: str) -> float:
    return int(Path("/proc/self/status").read_text().partition(line)[2].split()[0]) / 1024


def in_a_process(code: str) -> str:
    """Run Python code in a process of its own on the bench's database; what it printed."""
    environment = {**os.environ, "DATABASE_URL": url(), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return ran.stdout.strip()


def url() -> str:
    """The address of the bench's database, for another process."""
    there = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{there['NAME']}"
    return f"postgres://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}"
