"""Load a watch list from a folder: the same files again change nothing."""

import time
from pathlib import Path

from accounts.flows import watchlists
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand


class Command(PortalCommand):
    permission = "accounts.load_watchlist"
    help = (
        "Load a watch list (kinds: auto, " + ", ".join(sorted(watchlists.KINDS)) + ") as the version to screen against."
    )

    def add_arguments(self, parser):
        parser.add_argument("kind", metavar="KIND")
        parser.add_argument("folder", metavar="FOLDER", type=Path, help="the folder or the one file of the list")
        parser.add_argument("--list", dest="list_name", default="", help="the list's name, if not the kind's own")
        parser.add_argument("--force", action="store_true", help="accept a much shorter version, or an older one")
        self.add_actor_argument(parser)

    def act(self, *, by, kind, folder, list_name, force, **options):
        began = time.monotonic()
        outcome = watchlists.load_snapshot(kind, folder, list_name=list_name, force=force, by=by, at=moment(None))
        snapshot, seconds = outcome.snapshot, time.monotonic() - began
        if outcome.is_new:
            begin = f"Loaded “{snapshot.list_name}” as {snapshot.reference}"
        else:
            begin = f"These files are in already: “{snapshot.list_name}”, {snapshot.reference}, is current"
        self.stdout.write(
            f"{begin}: {snapshot.entry_count:,} entries, {snapshot.alias_count:,} aliases, sha256 {snapshot.sha256}, "
            f"{seconds:.1f} s."
        )
