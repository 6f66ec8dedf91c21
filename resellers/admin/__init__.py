"""The reseller desk's screens."""

from resellers.admin import cip, cip_request, finding, report, reseller, termination

__all__ = ["cip", "cip_request", "finding", "report", "reseller", "termination"]
