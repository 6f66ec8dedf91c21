"""Take in access logs of one account: files that are in already add nothing."""

from pathlib import Path

from accounts.flows import access_log
from accounts.formats.text import shown
from accounts.models import Account
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class UnknownAccount(Refusal):
    """No account has this reference."""


class Command(PortalCommand):
    permission = "accounts.import_customers"
    help = "Take in access logs of one account (formats: " + ", ".join(sorted(access_log.FORMATS)) + ")."

    def add_arguments(self, parser):
        parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
        parser.add_argument("--account", metavar="REF", required=True, help="such as ACC-7K3M-9QXD")
        parser.add_argument("--format", required=True)
        parser.add_argument("--keep-good-rows", action="store_true", help="keep the good lines of a file with bad ones")
        parser.add_argument("--encoding", help="of a CSV file that is neither UTF-8 nor UTF-16 with a mark")
        self.add_actor_argument(parser)

    def act(self, *, by, files, account, format, keep_good_rows, encoding, **options):
        owner = Account.objects.filter(reference=account.strip().upper()).first()
        if owner is None:
            raise UnknownAccount(f"No account has the reference “{shown(account)}”. Look it up under Accounts.")
        for file in files:
            batch = access_log.import_access_lines(
                owner, file, format=format, file_name=file.name, keep_good_rows=keep_good_rows, encoding=encoding,
                by=by, at=moment(None),
            )  # fmt: skip
            self.stdout.write(self._in_words(batch))

    def _in_words(self, batch):
        if batch.is_repeat:
            return f"{batch.file_name}: taken in before as {batch.reference}, nothing added."
        return (
            f"{batch.file_name}: {batch.reference}, {batch.read_count:,} read, {batch.new_count:,} new, "
            f"{batch.known_count:,} known, {batch.refused_count:,} refused."
        )
