"""The reseller desk's screens."""

from resellers.admin import cip, finding, reseller

__all__ = ["cip", "finding", "reseller"]
