"""Take in which account held which addresses: the same file again changes nothing."""

from pathlib import Path

from accounts.flows import allocations
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand

COLUMNS = ", ".join(allocations.COLUMNS.required + allocations.COLUMNS.optional)


class Command(PortalCommand):
    permission = "accounts.import_customers"
    help = f"Take in a CSV file of which account held which addresses from when to when. Columns: {COLUMNS}."

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--encoding", help="of a file that is neither UTF-8 nor UTF-16 with a mark, such as cp1252")
        self.add_actor_argument(parser)

    def act(self, *, by, file, encoding, **options):
        done = allocations.import_allocations(file, encoding=encoding, by=by, at=moment(None))
        self.stdout.write(
            f"{done.read:,} allocations read: {done.new:,} new, {done.ended:,} ended, {done.known:,} known."
        )
