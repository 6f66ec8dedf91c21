from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from celery import current_app
from django.conf import settings
from django.utils import timezone

from kyc_portal.records.clock import legal_day, named_day
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import note_failure, note_success


class NotYet(Refusal):
    """The day named has not come, and this is not a development machine."""


class Command(PortalCommand):
    permission = "work.revive"
    help = "Do one round of the beat table here and now, in its order, without a broker."

    def add_arguments(self, parser):
        parser.add_argument("--as-of", metavar="DATE", help="the day to judge by (YYYY-MM-DD; default now)")
        self.add_actor_argument(parser)

    def act(self, *, by, as_of=None, **options):
        at = self.moment_of(None if as_of is None else named_day(as_of))
        current_app.autodiscover_tasks(force=True)  # a worker does this by itself, a command does not
        failed = 0
        for title, entry in current_app.conf.beat_schedule.items():
            try:
                told = current_app.tasks[entry["task"]].run(at=at.isoformat())
            except Exception as error:  # one task's failure is counted and named; the others run
                note_failure("task", entry["task"], error)
                failed += 1
                told = f"failed ({type(error).__name__})"
            else:
                note_success("task", entry["task"])
            self.stdout.write(f"{title}: {told if told is not None else 'done'}")
        if failed:
            raise Refusal(f"{failed} of {len(current_app.conf.beat_schedule)} tasks failed. See Jobs in the admin.")

    def moment_of(self, as_of: date | None) -> datetime:
        now = timezone.now()
        if as_of is None or as_of == legal_day(now):
            return now
        if as_of > legal_day(now) and not settings.DEBUG:
            raise NotYet(f"{as_of} has not come yet. Name today or an earlier day.")
        return datetime.combine(as_of, time(12), tzinfo=ZoneInfo(settings.LEGAL_TIME_ZONE))
