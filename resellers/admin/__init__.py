"""The reseller desk's screens."""

from resellers.admin import attestation, certification, cip, finding, reseller

__all__ = ["attestation", "certification", "cip", "finding", "reseller"]
