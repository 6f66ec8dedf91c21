"""The reseller desk's screens."""

from resellers.admin import (
    attestation,
    certification,
    cip,
    counts,
    finding,
    reseller,
    roster,
    roster_hit,
    sampling,
)

__all__ = ["attestation", "certification", "cip", "counts", "finding", "reseller", "roster", "roster_hit", "sampling"]
