"""The waiting work of whoever answers for other systems."""

from kyc_portal.api.models import WebhookDelivery
from kyc_portal.staff.site import Tile

TILES = (
    Tile(
        "Systems that are not told", "Messages of changed access answers failed; look at their endpoints.",
        "api.manage_keys", lambda user, today: WebhookDelivery.objects.failing(),
        "admin:api_webhookdelivery_changelist", "sending=failing", "danger",
    ),
)  # fmt: skip
