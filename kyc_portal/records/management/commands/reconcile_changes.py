from django.core.management.base import CommandError
from django.utils import timezone

from kyc_portal.records import changes
from kyc_portal.records.command import PortalCommand


class Command(PortalCommand):
    help = (
        "Hold what the database recorded of each change against the audit trail; exit code 1 when an event is missing."
    )

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        told = changes.reconcile(by=by, at=timezone.now())
        self.stdout.write(f"{told.rows} changes looked at, {told.missing} without an event.")
        if told.missing:
            raise CommandError("See them under Changes of rows, filter “no event says why”.", returncode=1)
