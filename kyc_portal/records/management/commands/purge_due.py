from django.utils import timezone

from kyc_portal.records import retention
from kyc_portal.records.clock import legal_day, named_day
from kyc_portal.records.command import PortalCommand


class Command(PortalCommand):
    permission = "records.purge"
    help = "List the files no rule, hold or reference keeps any longer; --execute destroys them."

    def add_arguments(self, parser):
        parser.add_argument("--as-of", metavar="DATE", help="the day to judge by (YYYY-MM-DD; default today)")
        parser.add_argument("--execute", action="store_true", help="destroy what is due (the default only lists it)")
        self.add_actor_argument(parser)

    def act(self, *, by, as_of=None, execute=False, **options):
        today = legal_day(timezone.now())
        day = today if as_of is None else named_day(as_of)
        report = retention.purge_due(as_of=day, today=today, execute=execute, by=by, at=timezone.now())
        for ref, period in report.due:
            self.stdout.write(f"would go: {ref.name} (kept through {period.kept_through}: {period.sentence})")
        for stone in report.gone:
            rows = sum(stone.counts.values())
            self.stdout.write(f"purged: {stone.name}, {rows} rows, rule {stone.rule}, digest {stone.digest[:16]}…")
        for ref, reason in report.kept:
            self.stdout.write(f"kept: {ref.name}. {reason}")
        what = f"Purged: {len(report.gone)}" if execute else f"Would go: {len(report.due)} (nothing was changed)"
        self.stdout.write(f"{what}. Kept: {len(report.kept)}.")
