"""How long API keys and what was sent to other systems are kept."""

from kyc_portal.api.models import ApiKey, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from kyc_portal.records.retention import RetentionRule, register

register(
    RetentionRule(
        code="api_keys",
        title="API keys",
        covers=(ApiKey,),
        why="Kept for good, dead once revoked or run out: the trail names them, and they hold nothing personal.",
    ),
    RetentionRule(
        code="webhooks",
        title="What other systems were told",
        covers=(WebhookEndpoint, WebhookDelivery, WebhookAttempt),
        why="Kept as the record of what was told when; references, answers and codes only, no personal data.",
    ),
)
