import contextlib
import fcntl
import io
import sys
from collections.abc import Iterator

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from kyc_portal.demo import own_page, serve, summary, world
from kyc_portal.records import sealing, witnesses
from kyc_portal.records.clock import legal_day
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue


class BeingBuilt(Refusal):
    """Another run of this command makes the database and the world now."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one run at a time build; another one would migrate the same database and tell every story twice."""
    settings.LOCAL_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.LOCAL_DIR / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BeingBuilt("The demo world is being built by another run. Wait until that has ended.") from None
        yield


class Command(PortalCommand):
    help = "Build a made-up world in .local/, tell what happened in it, and serve it; may be run again."
    requires_system_checks = []  # the database is made here

    def add_arguments(self, parser):
        parser.add_argument("--no-serve", action="store_true", help="end after the summary")
        self.add_actor_argument(parser)

    def act(self, *, by, no_serve=False, **options):
        now = timezone.now()
        with alone():
            call_command("migrate", verbosity=0)
            call_command("sync_roles", verbosity=0, stdout=io.StringIO())
            if not world.is_there():
                self.stdout.write("Building the demo world (half a minute) …")
                self.build(now)
                queue.run_due(timezone.now())  # the files of what was purged go after the commit
            sealing.seal_pending()
            witnesses.hand_over(at=timezone.now())
        for line in summary.lines(as_of=legal_day(now)):
            self.stdout.write(line)
        if no_serve:
            return
        if serve.already_served():
            raise Refusal("This world is served already. Use that window, or end it with Ctrl-C first.")
        port = serve.free_port()
        self.stdout.write(f"\nOpen http://localhost:{port}/ . Ctrl-C ends web, worker and beat.")
        if path := own_page.path():
            self.stdout.write(f"As a customer: http://localhost:{port}{path}")
        self.stdout.flush()
        sys.exit(serve.serve(port))

    def build(self, now):
        """All or nothing, so that a build that was interrupted starts anew; the mails are not printed."""
        with contextlib.redirect_stdout(io.StringIO()), transaction.atomic():
            world.build(now=now)
