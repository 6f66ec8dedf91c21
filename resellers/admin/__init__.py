"""The reseller desk's screens."""

from resellers.admin import (
    attestation,
    certification,
    cip,
    cip_request,
    counts,
    finding,
    report,
    reseller,
    roster,
    roster_hit,
    sampling,
    termination,
)

__all__ = [
    "attestation", "certification", "cip", "cip_request", "counts", "finding", "report", "reseller", "roster",
    "roster_hit", "sampling", "termination",
]  # fmt: skip
