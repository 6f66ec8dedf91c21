"""What is stored of resellers."""

from resellers.models.cip import CipJudgement, ResellerCip
from resellers.models.contract import ResellerContact, ResellerContract
from resellers.models.finding import Finding
from resellers.models.reseller import DownstreamCustomer, Reseller, ResellerManager
from resellers.models.roster import RosterEntry, RosterFault, RosterUpload
from resellers.models.roster_screening import RosterHit, RosterScreening
from resellers.models.sampling import Sample, SampledFile

__all__ = [
    "CipJudgement", "DownstreamCustomer", "Finding", "Reseller", "ResellerCip", "ResellerContact", "ResellerContract",
    "ResellerManager", "RosterEntry", "RosterFault", "RosterHit", "RosterScreening", "RosterUpload", "Sample",
    "SampledFile",
]  # fmt: skip
