"""The reseller desk's screens."""

from resellers.admin import reseller

__all__ = ["reseller"]
