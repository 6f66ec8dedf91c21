from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from kyc_portal.records import stamps
from kyc_portal.records.keys import KeyProblem
from kyc_portal.records.offline.verify_audit import UNREADABLE, WHOLE, read_keys
from kyc_portal.records.verifying import verify


class Command(BaseCommand):
    help = (
        "Check the audit trail. Exit code: 0 whole, 1 tampered (the first record is named), 2 unreadable, 3 a signing "
        "key is unknown, 4 whole but no witness was given."
    )
    requires_system_checks = []  # a missing trigger is one of the things to tell

    def add_arguments(self, parser):
        parser.add_argument(
            "--keys",
            type=Path,
            help="trusted keys: a JSON file, key id to public key in hexadecimal (default: the own)",
        )
        parser.add_argument(
            "--witness", type=Path, action="append",
            help="a log file or mailbox of checkpoints; may be repeated (default: the log files in KYC_WITNESSES)",
        )  # fmt: skip

    def handle(self, *args, keys, witness, **options):
        try:
            trusted = read_keys(keys) if keys else None
            verdict = verify(trusted=trusted, witnesses=witness and {str(path): path for path in witness})
            unchecked = stamps.unchecked()
        except KeyProblem as problem:
            raise CommandError(f"{problem} Set KYC_AUDIT_KEY or give --keys.", returncode=UNREADABLE) from None
        except (OSError, ValueError, TypeError) as error:
            what = f"The keys, a witness or KYC_STAMP_CA cannot be read ({type(error).__name__})."
            raise CommandError(what, returncode=UNREADABLE) from None
        except DatabaseError as error:
            what = f"The database cannot be read ({type(error).__name__})."
            raise CommandError(what, returncode=UNREADABLE) from None
        if unchecked:
            told = f"{unchecked} time stamps were passed over, because the package rfc3161-client is not installed."
            self.stderr.write(told)
        if verdict.code != WHOLE:
            raise CommandError(verdict.sentence, returncode=verdict.code)
        self.stdout.write(verdict.sentence)
