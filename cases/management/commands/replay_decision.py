from django.utils import timezone

from cases.flows.replay import replay, title_of
from cases.models import Decision
from kyc_portal.records.clock import legal_day
from kyc_portal.records.command import PortalCommand
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "cases.view_decision"
    help = "Hold a decision against what is on file now, and against the rules of today; changes nothing."

    def add_arguments(self, parser):
        parser.add_argument("reference", metavar="REF", help="the decision's reference, for example DEC-7K3M-9QXD")
        self.add_actor_argument(parser)

    def act(self, *, by, reference, **options):
        rows = Decision.objects.select_related("account", "case")
        decision = rows.filter(reference=reference.strip().upper()).first()
        if decision is None:
            raise Refusal("No decision has this reference. Copy it from the decision's page.")
        found = replay(decision, on=legal_day(timezone.now()))
        self.stdout.write(f"{decision.reference}: {decision.get_outcome_display()}, {decision.state_in_words}.")
        for sentence, holds in found.sentences:
            self.stdout.write(f"  {'holds' if holds else 'LOOK '}  {sentence}")
        for line in found.lines:
            now = f" -> {line.now or 'nothing'}" if line.verdict != "same" else ""
            self.stdout.write(
                f"  {title_of(line.kind)} {line.reference}: {line.then or 'nothing'}{now} ({line.verdict})"
            )
