from django.utils import timezone

from kyc_portal.records.command import PortalCommand
from kyc_portal.staff import factors, people
from kyc_portal.staff.models import StaffMember


class Command(PortalCommand):
    help = "Print a link, which works once, by which an administrator chooses a password; a new one is added first."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("email")
        parser.add_argument("--remove-factors", action="store_true", help="also remove their lost second factors")

    def act(self, *, by, username, email, remove_factors, **options):
        now = timezone.now()
        user = StaffMember.objects.filter(username=username).first()
        if user is None:
            user = people.add_member(username=username, email=email, roles=[people.ADMINISTRATOR], by=by, at=now)
        people.require_administrator(user, email)
        if remove_factors:
            factors.clear(user, by=by, at=now)
        self.stdout.write(people.give_link(user, by=by, at=now))
