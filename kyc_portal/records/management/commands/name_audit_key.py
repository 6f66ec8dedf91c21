from django.conf import settings
from django.utils import timezone

from kyc_portal.records import audit, sealing
from kyc_portal.records.checkpoints import public_half
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.keys import KeyProblem
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "staff.manage_people"
    help = "Name KYC_AUDIT_KEY_NEXT as the next key of the audit trail, sealed by the present key."

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        try:
            (present, _), (key_id, key) = sealing.audit_key(), sealing.audit_key(settings.AUDIT_KEY_NEXT)
            if key_id == present:
                raise Refusal("The next key has the id of the present one. Give it an id of its own.")
            about = RecordRef("records.auditcheckpoint", key_id, f"audit key {key_id}")
            public = public_half(key).hex()
            event = audit.record(
                Verb.AUDIT_KEY_NAMED, about, by=by, at=timezone.now(), key_id=key_id, public_key=public
            )  # fmt: skip
            found = sealing.receipt(event, timeout=60)
        except KeyProblem as problem:
            raise Refusal(f"{problem} Set KYC_AUDIT_KEY and KYC_AUDIT_KEY_NEXT.") from problem
        if found is None:
            raise Refusal("The event is written but not sealed yet. Wait for `manage.py seal_audit` before you go on.")
        self.stdout.write(f"Sealed as entry {found.entry}. Now set KYC_AUDIT_KEY to {key_id} and restart.")
