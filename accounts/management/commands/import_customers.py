"""Take in customers from a CSV file."""

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from accounts.flows import customer_files
from accounts.flows.customer_files import Outcome, RowsRefused
from accounts.formats.customers import COLUMNS, TABLE
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal

MOST_PRINTED = 50


class Command(PortalCommand):
    permission = "accounts.import_customers"
    help = (
        "Take in customers from a CSV file, one row each. By default all rows or none. A customer whose external_key "
        "is on file stays as it is. Columns: " + ", ".join(name for name, _ in COLUMNS) + "; --columns explains them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
        parser.add_argument("--columns", action="store_true", help="explain the columns and stop")
        parser.add_argument("--keep-good-rows", action="store_true", help="take in the good rows, report the others")
        parser.add_argument("--encoding", help="of a file that is neither UTF-8 nor UTF-16 with a mark, such as cp1252")
        parser.add_argument("--dry-run", action="store_true", help="look through the file and store nothing")
        self.add_actor_argument(parser)

    def act(self, *, by, file, columns, keep_good_rows, encoding, dry_run, **options):
        if columns:
            self._explain_columns()
            return
        if file is None:
            raise Refusal("No file is named. Give the path of a CSV file, or --columns to see what it must hold.")
        try:
            if not file.is_file():
                raise Refusal("There is no such file. Check the path.")
            with file.open("rb") as stream, _portal_out_of_sight_of_the_collector():
                outcome = customer_files.take_in_file(
                    stream, most_rows=settings.IMPORT_MAX_ROWS, encoding=encoding, keep_good_rows=keep_good_rows,
                    dry_run=dry_run, by=by, at=moment(None),
                )  # fmt: skip
        except OSError as error:
            raise Refusal(f"The file cannot be read ({type(error).__name__}). Check its permissions.") from None
        except RowsRefused as refusal:
            self._report(refusal.outcome)
            raise CommandError(str(refusal), returncode=2) from None
        self._report(outcome)
        self.stdout.write(_told(outcome, dry_run))

    def _explain_columns(self) -> None:
        for name, meaning in COLUMNS:
            mark = "required" if name in TABLE.required else "optional"
            self.stdout.write(f"{name:20} {mark:9} {meaning}")

    def _report(self, outcome: Outcome) -> None:
        for row in outcome.bad_rows[:MOST_PRINTED]:
            self.stderr.write(f"Line {row.line}: {row.reason}")
        if outcome.refused > MOST_PRINTED:
            self.stderr.write(f"and {outcome.refused - MOST_PRINTED:,} more.")


@contextlib.contextmanager
def _portal_out_of_sight_of_the_collector() -> Iterator[None]:
    """Millions of short-lived objects come and go; looking through the whole portal for each few thousand of them took
    a fifth of the time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _told(outcome: Outcome, dry_run: bool) -> str:
    if outcome.was_known:
        return f"This file was taken in before as {outcome.file.reference}. Nothing changed."
    counts = f"{outcome.new:,} new, {outcome.known:,} known, {outcome.refused:,} refused of {outcome.read:,} rows"
    return f"Only looked: {counts}." if dry_run else f"{outcome.file.reference}: {counts}."
