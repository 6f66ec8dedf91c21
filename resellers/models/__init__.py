"""What is stored of resellers."""

from resellers.models.attestation import Attestation
from resellers.models.certification import Certification, CertifiedEntry
from resellers.models.cip import CipJudgement, ResellerCip
from resellers.models.cip_request import CipRequest
from resellers.models.contract import ResellerContact, ResellerContract
from resellers.models.finding import Finding
from resellers.models.message import ResellerMessage
from resellers.models.report import AuthorityReport
from resellers.models.reseller import DownstreamCustomer, Reseller, ResellerManager
from resellers.models.roster import RosterEntry, RosterFault, RosterUpload
from resellers.models.roster_screening import RosterHit, RosterScreening
from resellers.models.sampling import Sample, SampledFile
from resellers.models.termination import Termination, TerminationStep

__all__ = [
    "Attestation", "AuthorityReport", "Certification", "CertifiedEntry", "CipJudgement", "CipRequest",
    "DownstreamCustomer", "Finding", "Reseller", "ResellerCip", "ResellerContact", "ResellerContract",
    "ResellerManager", "ResellerMessage", "RosterEntry", "RosterFault", "RosterHit", "RosterScreening", "RosterUpload",
    "Sample", "SampledFile", "Termination", "TerminationStep",
]  # fmt: skip
