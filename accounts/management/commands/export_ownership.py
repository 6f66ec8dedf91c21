"""Hand out who owns a party as statements of the Beneficial Ownership Data Standard 0.4."""

import os
from pathlib import Path

from django.core.management.base import CommandParser

from accounts.flows import ownership_export
from accounts.management.commands.import_ownership import party_named
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "accounts.export_ownership"
    help = (
        "Write a party, everybody above it and their stakes into a new file of the Beneficial Ownership Data Standard "
        "0.4. Sealed values stay out. The export is recorded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("party", metavar="PTY-…")
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write; must be new")
        parser.add_argument("--lines", action="store_true", help="JSON Lines instead of a JSON array")
        self.add_actor_argument(parser)

    def act(self, *, by, party, to, lines, **options):
        found = party_named(party)
        try:
            with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                try:
                    file.write(
                        ownership_export.hand_out(found, form="jsonl" if lines else "json", by=by, at=moment(None))
                    )
                except Refusal:
                    to.unlink()
                    raise
        except FileExistsError:
            raise Refusal(f"{to.name} is there already. Name a new file.") from None
        except OSError as error:
            raise Refusal(f"{to.name} cannot be written ({error.strerror}). Name another folder.") from None
        self.stdout.write(f"{to.name}: the owners of {found.reference}.")
