from django.conf import settings
from django.utils import timezone

from kyc_portal.records import audit, keys
from kyc_portal.records.command import PortalCommand
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.verbs import Verb


class Command(PortalCommand):
    help = "Wrap every subject's key anew under the first of KYC_MASTER_KEYS; may be stopped and started again."

    def add_arguments(self, parser):
        self.add_actor_argument(parser)

    def act(self, *, by, **options):
        key_id, _ = keys.parse_key(settings.MASTER_KEYS[0])
        total = 0
        while done := keys.rewrap_batch():
            total += done
        if total:
            about = RecordRef("records.subjectkey", key_id, f"master key {key_id}")
            audit.record(Verb.KEYS_ROTATED, about, by=by, at=timezone.now(), count=total, key_id=key_id)
        self.stdout.write(f"{total} keys wrapped anew under {key_id}. Keys no longer first may be removed now.")
