from pathlib import Path

from django.conf import settings
from django.utils import timezone

from kyc_portal.records import replaying
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.offline.verify_audit import read_keys
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "records.purge"
    requires_system_checks = []  # one of them refuses every start until this command has run
    help = "After a restore: destroy again what the destruction ledger names. Exit code 2 while conflicts are left."

    def add_arguments(self, parser):
        parser.add_argument("ledger", type=Path, nargs="?", help="the ledger (default: KYC_DESTRUCTION_LEDGER)")
        parser.add_argument(
            "--keys",
            type=Path,
            help="trusted keys as JSON, key id to public key in hexadecimal (default: the own)",
        )
        self.add_actor_argument(parser)

    def act(self, *, by, ledger=None, keys=None, **options):
        try:
            trusted = read_keys(keys) if keys else None
        except (OSError, ValueError, TypeError) as error:
            raise Refusal(f"The keys cannot be read ({type(error).__name__}).") from None
        path = Path(ledger or settings.DESTRUCTION_LEDGER)
        told = replaying.replay(path, trusted=trusted, by=by, at=timezone.now())
        for name in told.gone:
            self.stdout.write(f"destroyed again: {name}")
        for sentence in told.conflicts:
            self.stderr.write(sentence)
        self.stdout.write(f"Destroyed again: {len(told.gone)}. Conflicts: {len(told.conflicts)}.")
        if told.conflicts:
            raise Refusal("Decide on the conflicts above (release the holds, or keep the files), then run this again.")
