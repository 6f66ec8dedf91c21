from django.utils import timezone

from accounts.flows import links
from accounts.models import Identifier
from kyc_portal.records.command import PortalCommand


class Command(PortalCommand):
    permission = "staff.manage_people"
    help = "Make every fingerprint anew under KYC_FINGERPRINT_KEY; may be stopped and started again."

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        total = 0
        while done := links.renew_fingerprints(by=by, at=timezone.now()):
            total += done
        left = Identifier.objects.exclude(key_id=links.fingerprint_key_id()).count()
        self.stdout.write(
            f"{total} parties were fingerprinted anew. KYC_FINGERPRINT_KEY_OLD may go once everybody was screened "
            f"again. {left} fingerprints of values no longer on file stay under the former key; without it they tie "
            "nobody new."
        )
