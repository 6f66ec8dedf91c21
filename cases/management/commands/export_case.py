from pathlib import Path

from django.utils import timezone

from cases.flows import bundles
from cases.models import Case
from cases.rules.stages import BundleState
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "cases.download_bundle"
    help = "Write the approved evidence bundle of a case into a folder (a new one named by the bundle's reference)."

    def add_arguments(self, parser):
        parser.add_argument("reference", metavar="REF", help="the case's reference, for example CSE-7K3M-9QXD")
        parser.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="an existing folder to write into")
        self.add_actor_argument(parser)

    def act(self, *, by, reference, to, **options):
        case = Case.objects.filter(reference=reference.strip().upper()).first()
        if case is None:
            raise Refusal("No case has this reference. Copy it from the case's page.")
        bundle = bundles.exportable(case)
        if bundle is None:
            raise Refusal(f"{case.reference} has no approved bundle. Collect one and have a second person approve it.")
        if not _is_folder(to):
            raise Refusal("The folder named by --to does not exist. Make it first.")
        now = timezone.now()
        if bundle.state in (BundleState.APPROVED, BundleState.FAILED):
            bundle = bundles.build(bundle, by=by, at=now)
        place = bundles.export(bundle, to, by=by, at=now)
        self.stdout.write(f"{bundle.reference} is written to {place} ({bundle.payload_count} files).")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name longer than any, or a folder on the way that may not be entered
        return False
