from kyc_portal.records.command import PortalCommand
from kyc_portal.staff import roles


class Command(PortalCommand):
    permission = "staff.manage_people"
    help = "Make the groups agree with the table in kyc_portal/staff/roles.py."

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        changed = roles.sync_roles(by=by)
        self.stdout.write(f"{changed} of {len(roles.ROLES)} groups changed.")
