from pathlib import Path

from django.utils import timezone

from kyc_portal.records import export, verifying
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.keys import KeyProblem


class Command(PortalCommand):
    permission = "records.view_auditevent"
    help = "Write the audit trail into one file that verify_audit.py checks without the portal (docs/trust.md)."

    def add_arguments(self, parser):
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write; must be new")
        parser.add_argument(
            "--stamps",
            type=Path,
            metavar="FOLDER",
            help="also write the time stamps, with their notes, into a new folder",
        )
        self.add_actor_argument(parser)

    def act(self, *, by, to, stamps, **options):
        lines = export.export(to, by=by, at=timezone.now(), stamps_to=stamps)
        self.stdout.write(f"{to.name}: {lines} lines.")
        try:
            [(key_id, public)] = verifying.own_key().items()
        except KeyProblem:
            return
        self.stdout.write(f'Checkpoints are signed by {{"{key_id}": "{public.hex()}"}}; give it by another way.')
