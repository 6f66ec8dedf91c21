from django.db import connection

from kyc_portal.records import grants
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    help = (
        "Print the SQL that gives the app and the purge role what they need on PostgreSQL, and nothing else. Run it as "
        "the owner after each migration: manage.py print_grants | psql …"
    )
    requires_system_checks = []  # it is run as the owner, as whom the portal itself does not start

    def add_arguments(self, parser):
        parser.add_argument("--app", default="portal", help="the role of web and beat (default: portal)")
        parser.add_argument("--purge", default="portal_purge", help="the worker's role (default: portal_purge)")

    def act(self, *, by, app, purge, **options):
        if connection.vendor != "postgresql":
            raise Refusal("Only PostgreSQL has roles. Set DATABASE_URL to the owner's address of the database.")
        self.stdout.write("\n".join(grants.statements(app, purge)))
