"""Make the daily roll-ups of access anew from the records, of one account or of all; may be run again at any time."""

from accounts.flows import access_days
from accounts.formats.text import shown
from accounts.models import Account
from kyc_portal.records.clock import moment
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class UnknownAccount(Refusal):
    """No account has this reference."""


class Command(PortalCommand):
    permission = "accounts.verify"
    help = "Make the daily roll-ups of access anew from the records; with the worker's database role."

    def add_arguments(self, parser):
        parser.add_argument("--account", metavar="REF", help="only of this one, such as ACC-7K3M-9QXD")
        self.add_actor_argument(parser)

    def act(self, *, by, account, **options):
        only = Account.objects.filter(reference=account.strip().upper()).first() if account else None
        if account and only is None:
            raise UnknownAccount(f"No account has the reference “{shown(account)}”. Look it up under Accounts.")
        count = access_days.recount_all(only, by=by, at=moment(None))
        self.stdout.write(f"The days of access of {count:,} accounts were made anew.")
