"""Take in who owns whom from statements of the Beneficial Ownership Data Standard 0.4."""

from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from accounts.flows import ownership_files
from accounts.flows.ownership_files import StatementsRefused
from accounts.models import Party
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal

MOST_PRINTED = 50


class Command(PortalCommand):
    permission = "accounts.import_ownership"
    help = (
        "Take in parties and stakes from a file of the Beneficial Ownership Data Standard 0.4, a JSON array or JSON "
        "Lines: all of it or nothing. A file sent again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--party", metavar="PTY-…", help="the party on file of which the declaration speaks")
        self.add_actor_argument(parser)

    def act(self, *, by, file, party, **options):
        about = party_named(party) if party else None
        if not file.is_file():
            raise Refusal("There is no such file. Check the path.")
        try:
            with file.open("rb") as stream:
                outcome = ownership_files.take_in(stream, about=about, by=by, at=moment(None))
        except OSError as error:
            raise Refusal(f"The file cannot be read ({type(error).__name__}). Check its permissions.") from None
        except StatementsRefused as refusal:
            self._report(refusal.outcome.bad, refusal.outcome.refused)
            raise CommandError(str(refusal), returncode=2) from None
        self._report(outcome.notes, outcome.noted)
        self.stdout.write(ownership_files.told(outcome))

    def _report(self, rows, count: int) -> None:
        for row in rows[:MOST_PRINTED]:
            self.stderr.write(f"Statement {row.number}, {row.field or 'as a whole'}: {row.reason}")
        if count > MOST_PRINTED:
            self.stderr.write(f"and {count - MOST_PRINTED:,} more.")


def party_named(reference: str) -> Party:
    """The party with this reference. Raises Refusal."""
    party = Party.objects.filter(reference=reference.upper()).first()
    if party is None:
        raise Refusal("There is no party with this reference. Look it up under Parties.")
    return party
