from kyc_portal.records.acting import one_flow
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.keys import ensure_key
from kyc_portal.staff import factors, roles


class Command(PortalCommand):
    permission = "staff.manage_people"
    help = "Make the groups agree with the table in kyc_portal/staff/roles.py, and the key of second factors."

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        changed = roles.sync_roles(by=by)
        with one_flow(by):
            ensure_key(factors.SECRETS)  # here, so that no page makes it while somebody only reads
        self.stdout.write(f"{changed} of {len(roles.ROLES)} groups changed.")
