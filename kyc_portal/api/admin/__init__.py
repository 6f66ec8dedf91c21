"""The screens of other systems: their keys, where they are told of changes, and what was sent."""

from kyc_portal.api.admin import keys, webhooks

__all__ = ["keys", "webhooks"]
