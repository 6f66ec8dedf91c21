"""Say whether a bundle is whole; works without a database, as a recipient would."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from accounts.formats.bag_reading import UNREADABLE, WHOLE, verify_bag
from kyc_portal.records import keys


class Command(BaseCommand):
    help = (
        "Check an evidence bundle (a folder or a zip). Exit code: 0 whole, 1 tampered, 2 unreadable, 3 whole but the "
        "key is unknown, 4 whole but a witness was asked for and none was given."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("path", type=Path, help="the bundle's folder, or a zip of it")
        parser.add_argument(
            "--trusted-key", metavar="ID:BASE64", action="append", default=[],
            help="a public key to trust (32 bytes); without it, the portal's own",
        )  # fmt: skip
        parser.add_argument("--witness", help="SHA-256 of tagmanifest-sha256.txt as noted elsewhere")
        parser.add_argument("--ask-witness", action="store_true", help="do not call a bundle whole without a witness")

    def handle(self, *args, path, trusted_key, witness, ask_witness, **options):
        try:
            trusted = dict(keys.parse_key(text) for text in trusted_key) or _own_key()
        except keys.KeyProblem:
            raise CommandError("A trusted key must read ID:BASE64 with 32 bytes.", returncode=UNREADABLE) from None
        verdict = verify_bag(path, trusted, ask_witness, witness)
        if verdict.code != WHOLE:
            raise CommandError(verdict.line, returncode=verdict.code)
        self.stdout.write(verdict.line)


def _own_key() -> dict[str, bytes]:
    try:
        return {keys.signing_key()[0]: keys.public_key_bytes()}
    except keys.KeyProblem:
        return {}  # a recipient has no signing key; the bundle is then whole by an unknown key at best
