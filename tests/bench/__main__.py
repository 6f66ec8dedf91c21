"""All benches, or one: python -m tests.bench [bulk|bundle|ingest|inserts|purge|queue|roster|…] [its options]."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "kyc_portal.settings.tests"

from tests.bench import bulk, bundle, ingest, inserts, purge, queue, roster, screening, trail, verifying, workspace

BENCHES = {
    "bulk": bulk.main,
    "bundle": bundle.main,
    "ingest": ingest.main,
    "inserts": inserts.main,
    "purge": purge.main,
    "queue": queue.main,
    "roster": roster.main,
    "screening": screening.main,
    "trail": trail.main,
    "verifying": verifying.main,
    "workspace": workspace.main,
}

if __name__ == "__main__":
    name, *options = sys.argv[1:] or [""]
    for bench in [BENCHES[name]] if name else BENCHES.values():
        bench(options)
