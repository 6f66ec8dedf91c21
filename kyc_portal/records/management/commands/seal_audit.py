from django.utils import timezone

from kyc_portal.records import sealing, witnesses
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.keys import KeyProblem
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    help = "Seal what waits in the audit trail and hand the checkpoints to the witnesses: one round, no worker needed."

    def act(self, *, by, **options):
        try:
            sealed = sealing.seal_pending()
            told = witnesses.hand_over(at=timezone.now())
        except KeyProblem as problem:
            raise Refusal(f"{problem} Set KYC_AUDIT_KEY; see docs/operations.md.") from problem
        except sealing.TrailBroken as broken:
            raise Refusal(f"{broken} Nothing was sealed. Run `manage.py verify_audit_trail`.") from broken
        except witnesses.WitnessOutOfReach as failed:
            raise Refusal(f"Sealed, but a witness did not take it ({failed}). Look at KYC_WITNESSES.") from failed
        handed = ", ".join(f"{count} by {kind}" for kind, count in told.items()) or "no witness is named"
        self.stdout.write(f"{sealed} events sealed; checkpoints handed over: {handed}.")
