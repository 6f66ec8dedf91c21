"""Take in abuse reports (XARF): the same report again changes nothing, a bad one does not stop the others."""

import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from accounts.formats.text import shown
from cases.flows import abuse_reports
from cases.formats.xarf import ReportRefused
from cases.rules.reports import Door
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand

STDIN = "-"


class Command(PortalCommand):
    permission = "cases.take_in_abusereport"
    help = (
        "Take in abuse reports in XARF 4 or 3, one a file; - reads one from standard input. Exit code 2: some were bad."
    )

    def add_arguments(self, parser):
        parser.add_argument("files", metavar="FILE", nargs="+")
        self.add_actor_argument(parser)

    def act(self, *, by, files, **options):
        refused = 0
        for name in files:
            try:
                outcome = abuse_reports.take_in(_bytes_of(name), door=Door.COMMAND, by=by, at=moment(None))
            except ReportRefused as refusal:
                refused += 1
                self.stderr.write(f"{shown(Path(name).name)}: {refusal}")
                continue
            report = outcome.report
            if outcome.is_new:
                told = f"{report.reference} in {report.case.reference}, {report.get_state_display()}"
            else:
                told = f"taken in before as {report.reference}, nothing added"
            self.stdout.write(f"{shown(Path(name).name)}: {told}.")
        if refused:
            raise CommandError(f"{refused} of {len(files)} reports were refused. See above for why.", returncode=2)


def _bytes_of(name: str) -> bytes:
    """The file, but no more of it than one byte too many."""
    most = settings.ABUSE_REPORT_MAX_BYTES + 1
    if name == STDIN:
        return sys.stdin.buffer.read(most)
    try:
        with Path(name).open("rb") as file:
            return file.read(most)
    except OSError:
        raise ReportRefused("The file cannot be read. Check its name and its rights.") from None
