from django.conf import settings
from django.utils import timezone

from kyc_portal.records import audit, keys
from kyc_portal.records.acting import one_flow
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal


class Command(PortalCommand):
    permission = "staff.manage_people"
    help = "Wrap every subject's key anew under the first of KYC_MASTER_KEYS; may be stopped and started again."

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        try:
            key_id, _ = keys.parse_key((settings.MASTER_KEYS or [""])[0])
            total = 0
            while done := self.rotate_batch(key_id, by=by):
                total += done
        except keys.KeyProblem as problem:
            raise Refusal(f"{problem} Put every key still in use into KYC_MASTER_KEYS, the new one first.") from problem
        self.stdout.write(f"{total} keys wrapped anew under {key_id}. Keys no longer first may be removed now.")

    def rotate_batch(self, key_id, *, by) -> int:
        """One batch and its event together, so that a run that is stopped has told what it did."""
        with one_flow(by):
            done = keys.rewrap_batch()
            if done:
                about = RecordRef("records.subjectkey", key_id, f"master key {key_id}")
                audit.record(Verb.KEYS_ROTATED, about, by=by, at=timezone.now(), count=done, key_id=key_id)
        return done
