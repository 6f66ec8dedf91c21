"""The reseller desk's screens."""

from resellers.admin import cip, reseller

__all__ = ["cip", "reseller"]
