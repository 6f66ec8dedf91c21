"""What is stored of resellers."""

from resellers.models.cip import CipJudgement, ResellerCip
from resellers.models.cip_request import CipRequest
from resellers.models.contract import ResellerContact, ResellerContract
from resellers.models.finding import Finding
from resellers.models.message import ResellerMessage
from resellers.models.report import AuthorityReport
from resellers.models.reseller import DownstreamCustomer, Reseller, ResellerManager
from resellers.models.roster import RosterEntry, RosterFault, RosterUpload
from resellers.models.termination import Termination, TerminationStep

__all__ = [
    "AuthorityReport", "CipJudgement", "CipRequest", "DownstreamCustomer", "Finding", "Reseller", "ResellerCip",
    "ResellerContact", "ResellerContract", "ResellerManager", "ResellerMessage", "RosterEntry", "RosterFault",
    "RosterUpload", "Termination", "TerminationStep",
]  # fmt: skip
