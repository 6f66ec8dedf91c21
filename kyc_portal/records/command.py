"""The base of every management command: who acts, one sentence for a refusal, exit code 2, no traceback."""

import uuid

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from kyc_portal.records import audit
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class PortalCommand(BaseCommand):
    """Subclasses write `act(self, *, by, **options)`; a Refusal becomes one line on standard error and exit code 2."""

    def add_actor_argument(self, parser) -> None:
        parser.add_argument("--by", metavar="USERNAME", help="the member of staff who acts (default: the OS user)")

    def actor(self, username: str | None) -> Actor:
        if not username:
            return Actor.operator()
        user = get_user_model().objects.filter(username=username, is_active=True).first()
        if user is None:
            raise Refusal("No active member of staff has this username. See the list under Staff members.")
        return Actor.person(user)

    def handle(self, *args, by=None, **options):
        try:
            with audit.within_request(f"command:{uuid.uuid4()}"):
                return self.act(by=self.actor(by), **options)
        except Refusal as refusal:
            raise CommandError(str(refusal), returncode=2) from None

    def act(self, *, by: Actor, **options):
        raise NotImplementedError(f"{type(self).__module__} does not say what it does.")
