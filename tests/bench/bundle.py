"""How long a bundle of many access records takes, and how much memory it needs over a bundle of few.

    make bench ARGS="bundle --rows 100000 --rounds 3"

The rival zips and hashes (SHA-256 and SHA-512) the very bytes of the bundle that was just built, file by file, with the
standard library: it reads no database, writes no tables and signs nothing. Each side is a process of its own.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tests.bench.running import in_a_process, median_ratio, own_database, paired

FEW = 1_000


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with own_database("bundle"), tempfile.TemporaryDirectory(prefix="kyc-bench-") as folder:
        few, many = (_process("make", number, folder) for number in (FEW, options.rows))
        small = _process("build", few, folder)
        told: dict[str, list[dict]] = {"ours": [], "rival": []}

        def side(name: str, code: str):
            def go() -> float:
                told[name].append(_process(code, many, folder))
                return told[name][-1]["wall"]

            return go

        _process("build", many, folder)  # so that the rival has something to zip whoever begins
        taken = paired({"ours": side("ours", "build"), "rival": side("rival", "zip_and_hash")}, options.rounds)
        _tell(options.rows, small, told, taken)


def _tell(rows: int, small: dict, told: dict[str, list[dict]], taken: dict[str, list[float]]) -> None:
    best = min(told["ours"], key=lambda each: each["wall"])
    rival = min(told["rival"], key=lambda each: each["wall"])
    print(f"  a bundle of {rows:,} access records, {best['bytes'] / 1e6:.0f} MB in {best['files']} files")
    print(f"    built in {best['wall']:.1f} s; zipping and hashing the same bytes {rival['wall']:.1f} s")
    print(f"    times the rival: {median_ratio(taken['ours'], taken['rival'])}")
    ours, theirs = ([each["processor"] for each in told[name]] for name in ("ours", "rival"))
    print(f"    the same of the processor: {median_ratio(ours, theirs)}")
    grown = max(each["peak"] for each in told["ours"]) - small["peak"]
    print(f"    memory at most {small['peak']:.0f} MB for {FEW:,} records, {grown:.0f} MB more for {rows:,}")


def _process(code: str, *arguments) -> object:
    told = ", ".join(map(repr, map(str, arguments)))
    return json.loads(in_a_process(f"from tests.bench.bundle import {code}; {code}({told})"))


# --- in a process of its own ------------------------------------------------------------------------------------------


def make(rows: str, folder: str) -> None:
    """An approved bundle of one customer with so many access records, a hundred from each address; tells its key."""
    import django

    django.setup()
    import random
    from datetime import timedelta
    from uuid import UUID

    from django.contrib.auth import get_user_model

    from accounts.models import AccessBatch, AccessRecord
    from kyc_portal.records.acting import acting
    from kyc_portal.records.refs import SCHEDULER
    from tests.cases.builders import make_bundle, make_case, make_open_account
    from tests.conftest import NOON

    number, chance = int(rows), random.Random(rows)  # ids as CloudTrail gives them; they pack badly
    with acting(SCHEDULER, as_flow=True):
        people = [get_user_model().objects.create_user(f"counsel-{rows}-{each}") for each in (1, 2)]
        account = make_open_account()
        batch = AccessBatch.objects.create(
            account=account, format="cloudtrail", file_name="log", sha256="ab" * 32, read_count=number,
            new_count=number, known_count=0, refused_count=0, imported_at=NOON, imported_by="bench",
        )  # fmt: skip
        AccessRecord.objects.bulk_create(
            (
                AccessRecord(
                    account=account, batch=batch, at=NOON + timedelta(seconds=each), kind="access",
                    action="ConsoleLogin", principal=f"arn:aws:iam::123456789012:user/user-{each % 977}",
                    address=f"10.{each // 100 % 200}.{each // 20000 % 200}.7", raw_source="console.example",
                    source_system="cloudtrail", event_id=str(UUID(int=chance.getrandbits(128))),
                )
                for each in range(number)
            ),
            batch_size=2_000,
        )  # fmt: skip
        case = make_case(account)
        collector, approver = (each.as_actor for each in people)
        print(json.dumps(str(make_bundle(case, by=collector, approved_by=approver).pk)))


def build(key: str, folder: str) -> None:
    """Build it, as a worker does; tells seconds, megabytes and what was written."""
    import django

    django.setup()
    import time

    from django.conf import settings
    from django.utils import timezone

    from cases.flows import bundles
    from cases.models import Bundle
    from kyc_portal.records import bundle_folders
    from kyc_portal.records.acting import acting
    from kyc_portal.records.refs import SCHEDULER
    from tests.bench.running import peak

    settings.BUNDLE_DIR = folder
    with acting(SCHEDULER, as_flow=True):  # the same bundle once more
        Bundle.objects.filter(pk=key).update(state="approved")
    bundle, at = Bundle.objects.get(pk=key), timezone.now()
    bundle_folders.remove(bundle.reference)
    begun, processor = time.perf_counter(), time.process_time()
    bundle = bundles.build(bundle, by=SCHEDULER, at=at)
    told = {"wall": time.perf_counter() - begun, "processor": time.process_time() - processor, "peak": peak()}
    print(json.dumps(told | {"bytes": bundle.payload_bytes, "files": bundle.payload_count}))


def zip_and_hash(key: str, folder: str) -> None:
    """The rival: the same bytes into a zip, and through both hashes."""
    import hashlib
    import os
    import time
    import zipfile

    import django

    django.setup()
    from cases.models import Bundle
    from tests.bench.running import peak

    place, target = Path(folder) / Bundle.objects.get(pk=key).reference, Path(folder) / "rival.zip"
    begun, processor = time.perf_counter(), time.process_time()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as box:
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            digests = hashlib.sha256(), hashlib.sha512()
            with path.open("rb") as source, box.open(str(path.relative_to(place)), "w", force_zip64=True) as sink:
                while chunk := source.read(1 << 16):
                    sink.write(chunk)
                    for digest in digests:
                        digest.update(chunk)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    told = {"wall": time.perf_counter() - begun, "processor": time.process_time() - processor, "peak": peak()}
    target.unlink()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
