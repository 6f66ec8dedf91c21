"""The reseller desk's screens."""

from resellers.admin import cip, counts, finding, reseller, roster_hit, sampling

__all__ = ["cip", "counts", "finding", "reseller", "roster_hit", "sampling"]
