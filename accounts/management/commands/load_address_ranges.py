"""Load a list of networks or an address database: the same file again changes nothing."""

from datetime import date
from pathlib import Path

from accounts.flows import address_ranges
from accounts.formats.moments import read_day
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand

KINDS = ", ".join(address_ranges.LIST_KINDS + address_ranges.DATABASE_KINDS)


class Command(PortalCommand):
    permission = "accounts.load_watchlist"
    help = f"Load a list of networks or an address database (kinds: {KINDS})."

    def add_arguments(self, parser):
        parser.add_argument("kind", metavar="KIND")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--source", default="", help="who publishes it (default: the file's name)")
        parser.add_argument("--as-of", metavar="DATE", default="", help="the day the data speaks of, YYYY-MM-DD")
        self.add_actor_argument(parser)

    def act(self, *, by, kind, file, source, as_of, **options):
        day: date | None = read_day(as_of) if as_of else None
        outcome = address_ranges.load_ranges(kind, file, source=source, as_of=day, by=by, at=moment(None))
        snapshot = outcome.snapshot
        begin = "Loaded" if outcome.is_new else "This file is in already:"
        size = "a database" if snapshot.is_mmdb else f"{snapshot.range_count:,} ranges"
        self.stdout.write(
            f"{begin} {snapshot.kind} from “{snapshot.source}” as {snapshot.reference}: {size} as of {snapshot.as_of}, "
            f"sha256 {snapshot.sha256}."
        )
