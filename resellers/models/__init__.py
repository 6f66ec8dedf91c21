"""What is stored of resellers."""

from resellers.models.reseller import DownstreamCustomer, Reseller, ResellerManager

__all__ = ["DownstreamCustomer", "Reseller", "ResellerManager"]
