from pathlib import Path

from django.utils import timezone

from cases.flows import bundle_custody
from cases.models import Bundle
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "cases.download_bundle"
    help = "Write the signed custody sheet of a built bundle into a folder: its files, each step, the receipt."

    def add_arguments(self, parser):
        parser.add_argument("reference", metavar="REF", help="the bundle's reference, for example BDL-7K3M-9QXD")
        parser.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="an existing folder to write into")
        self.add_actor_argument(parser)

    def act(self, *, by, reference, to, **options):
        bundle = Bundle.objects.select_related("case").filter(reference=reference.strip().upper()).first()
        if bundle is None:
            raise Refusal("No bundle has this reference. Copy it from the bundle's page.")
        place = bundle_custody.write_sheet(bundle, to, by=by, at=timezone.now())
        self.stdout.write(f"The custody sheet of {bundle.reference} is written to {place}.")
