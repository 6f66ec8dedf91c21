import json

from kyc_portal.records.command import PortalCommand
from kyc_portal.staff import policy_export


class Command(PortalCommand):
    help = "Print who may do what: as JSON, or with --page as the page docs/access.md."

    def add_arguments(self, parser):
        parser.add_argument("--page", action="store_true", help="print a page to read")

    def act(self, *, by, page=False, **options):
        table = policy_export.as_page() if page else json.dumps(policy_export.as_plain(), indent=2, ensure_ascii=False)
        self.stdout.write(table, ending="" if page else "\n")
