"""The reseller desk's screens."""

from resellers.admin import cip, finding, reseller, roster

__all__ = ["cip", "finding", "reseller", "roster"]
