"""How long API keys are kept."""

from kyc_portal.api.models import ApiKey
from kyc_portal.records.retention import RetentionRule, register

register(
    RetentionRule(
        code="api_keys",
        title="API keys",
        covers=(ApiKey,),
        why="Kept for good, dead once revoked or run out: the trail names them, and they hold nothing personal.",
    ),
)
