"""The base of every management command: who acts, one sentence for a refusal, exit code 2, no traceback."""

import uuid
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from kyc_portal.records import acting
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


def require_readable(options: dict) -> None:
    """Refuse an argument that no database and no file system takes. A path may hold bytes that are no UTF-8."""
    for name, value in options.items():
        for given in value if isinstance(value, list | tuple) else [value]:
            if isinstance(given, str | Path) and "\0" in str(given):
                raise Refusal(f"The argument {name.replace('_', '-')} holds a NUL character. Type it again.")
            if isinstance(given, str) and not given.isascii() and any("\ud800" <= sign <= "\udfff" for sign in given):
                raise Refusal(f"The argument {name.replace('_', '-')} is not valid UTF-8. Type it again.")


class PortalCommand(BaseCommand):
    """Subclasses write `act(self, *, by, **options)`; a Refusal becomes one line on standard error and exit code 2.

    `permission` is what a member of staff named with --by must hold, so that nobody is credited with what they may not.
    """

    permission = ""

    def add_actor_argument(self, parser) -> None:
        parser.add_argument("--by", metavar="USERNAME", help="the member of staff who acts (default: the OS user)")

    def actor(self, username: str | None) -> Actor:
        if not username:
            return Actor.operator()
        user = get_user_model().objects.filter(username=username, is_active=True).first()
        if user is None:
            raise Refusal("No active member of staff has this username. See the list under Members of staff.")
        if self.permission and not user.has_perm(self.permission):
            raise Refusal("This member of staff may not do this. Name somebody whose role includes it.")
        return Actor.person(user)

    def handle(self, *args, by=None, **options):
        try:
            require_readable({"by": by, **options})
            with acting.within_request(f"command:{uuid.uuid4()}"):
                actor = self.actor(by)
                with acting.acting(actor):
                    return self.act(by=actor, **options)
        except Refusal as refusal:
            raise CommandError(str(refusal), returncode=2) from None

    def act(self, *, by: Actor, **options):
        raise NotImplementedError(f"{type(self).__module__} does not say what it does.")
