"""Take in access logs: of one account, or of the accounts that each line names; a repeat adds nothing."""

import sys
from pathlib import Path

from accounts.flows import access_elsewhere, access_log
from accounts.formats.access_formats import AUTO, FORMATS, MAPPED
from accounts.formats.log_places import LogPlace, places_of
from accounts.formats.mapped_log import MappingRefused, reader_from
from accounts.formats.steady_file import FileUnreadable, is_regular, open_steady
from accounts.formats.text import make_controls_visible, shown
from accounts.models import AccessBatch, Account
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal

NAMES_SHOWN = 5


def _first_refused(batch: AccessBatch) -> str:
    """The first line that was refused and why, and where to find the others; "" when none was."""
    first = batch.refused_lines.order_by("line").first() if batch.refused_count else None
    if first is None:
        return ""
    which = "The refused line is" if batch.refused_count == 1 else "The refused lines are"
    return f" Line {first.line}: {first.reason} {which} kept on the page of {batch.reference}, to be mended."


class UnknownAccount(Refusal):
    """No account has this reference."""


class NotAllTakenIn(Refusal):
    """Some of several files were refused; the others are in."""


class Command(PortalCommand):
    permission = "accounts.import_customers"
    help = f"Take in access logs (formats: {', '.join(FORMATS)}; packed with gzip or not)."

    def add_arguments(self, parser):
        parser.add_argument(
            "files", metavar="FILE", nargs="+", help="a file, a folder, or - for standard input; each by itself"
        )
        parser.add_argument("--account", metavar="REF", help="such as ACC-7K3M-9QXD (default: each line names its own)")
        parser.add_argument("--format", default=AUTO, help="default: told by what stands in the file")
        parser.add_argument("--mapping", metavar="FILE", help="which of its columns are which of ours, as JSON")
        parser.add_argument("--keep-good-rows", action="store_true", help="keep the good lines of a file with bad ones")
        parser.add_argument("--encoding", help="of a CSV file that is neither UTF-8 nor UTF-16 with a mark")
        self.add_actor_argument(parser)

    def act(self, *, by, files, account, format, mapping, keep_good_rows, encoding, **options):
        owner = self._owner(account)
        if format not in (AUTO, *FORMATS) and not (mapping and format == MAPPED):
            raise access_log.UnknownFormat(
                f"There is no log format “{shown(format)}”. Known formats: {', '.join((AUTO, *FORMATS))}."
            )
        reader = self._reader(mapping, format)
        places, refused = places_of(files), []
        for place in places:
            try:
                batch = self._take_in(
                    place, owner, format=format, reader=reader, keep_good_rows=keep_good_rows, encoding=encoding, by=by
                )
            except Refusal as refusal:
                if len(places) == 1:
                    raise
                refused.append(shown(place.name))
                self.stderr.write(f"{refused[-1]}: not taken in. {refusal}")
            else:
                self.stdout.write(self._in_words(batch, place.name))
        if refused:
            names = ", ".join(refused[:NAMES_SHOWN]) + (" and more" if len(refused) > NAMES_SHOWN else "")
            raise NotAllTakenIn(
                f"{len(refused):,} of {len(places):,} files were not taken in: {names}. "
                "Mend them and give them again; what is in already adds nothing."
            )

    def _take_in(self, place: LogPlace, owner: Account | None, **named):
        """One file; one that changes while it is read is refused. A pipe has no size that could change."""
        if place.refusal is not None:
            raise place.refusal
        if place.path is not None and is_regular(place.path):
            with open_steady(place.path) as stream:
                return self._import(owner, stream, place.name, **named)
        if place.in_folder:
            raise FileUnreadable(f"{shown(place.name)} is no file as such. Take it out of the folder.")
        return self._import(owner, place.path or sys.stdin.buffer, place.name, **named)

    def _import(self, owner, source, name, **named):
        return access_log.import_access_lines(owner, source, file_name=name, at=moment(None), **named)

    def _owner(self, reference: str | None) -> Account | None:
        if reference is None:
            return None
        owner = Account.objects.filter(reference=reference.strip().upper()).first()
        if owner is None:
            raise UnknownAccount(f"No account has the reference “{shown(reference)}”. Look it up under Accounts.")
        return owner

    def _reader(self, mapping: str | None, format: str):
        if mapping is None:
            return None
        if format not in (AUTO, MAPPED):
            raise MappingRefused("A mapping says how a log is read, and so does --format. Give one of them.")
        return reader_from(Path(mapping))

    def _in_words(self, batch, name: str) -> str:
        if batch.is_repeat:
            given = make_controls_visible(name)[: access_log.LONGEST_FILE_NAME]
            then = "" if given == batch.file_name else f" ({shown(batch.file_name)})"
            return f"{shown(name)}: taken in before as {batch.reference}{then}, nothing added."
        waiting = f", {batch.waiting_count:,} waiting for their account" if batch.waiting_count else ""
        told = (
            f"{make_controls_visible(batch.file_name)}: {batch.reference}, {batch.format}, {batch.read_count:,} read, "
            f"{batch.new_count:,} new, {batch.known_count:,} known, {batch.refused_count:,} refused{waiting}."
        )
        told += _first_refused(batch)
        return " ".join(filter(None, (told, access_elsewhere.in_words(batch), access_elsewhere.bytes_in_words(batch))))
