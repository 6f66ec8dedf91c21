"""What is stored of customers."""

from accounts.models.access import (
    AccessBatch,
    AccessDay,
    AccessRecord,
    AddressRange,
    AddressRangeSnapshot,
    CloudAccount,
    RefusedLine,
    UnknownAccount,
    WaitingLine,
)
from accounts.models.access_answer import AccessAnswer
from accounts.models.account import Account
from accounts.models.allocation import AddressAllocation
from accounts.models.check_result import CheckResult
from accounts.models.customer import ContactConfirmation, CustomerLink, Objection
from accounts.models.identifier import Identifier, RestrictedCustomer, RetainedFingerprint
from accounts.models.identity import IdentityDocument, PaymentMethod
from accounts.models.intake import CustomerFile
from accounts.models.outside import ExternalAnswer, ExternalCheck
from accounts.models.ownership import OwnershipCertification, OwnershipStake
from accounts.models.party import Address, ContactPoint, Party, PartyName
from accounts.models.privacy import PrivacyRequest
from accounts.models.restriction import Restriction
from accounts.models.screening import (
    ListChange,
    Screening,
    ScreeningHit,
    ScreeningMark,
    WatchlistEntry,
    WatchlistSnapshot,
)
from accounts.models.seen_before import SeenBefore
from accounts.models.signal import DetectorDay, RiskOverride, RiskSignal
from accounts.models.unverified import CouldNotVerify
from accounts.models.verdict import AddressVerdict, RangeEdition
from accounts.models.verification import Discrepancy, MethodResult, Verification
from accounts.models.zone_reading import ZoneReading

__all__ = [
    "AccessAnswer", "AccessBatch", "AccessDay", "AccessRecord", "Account", "Address", "AddressAllocation",
    "AddressRange", "AddressRangeSnapshot", "AddressVerdict", "CheckResult", "CloudAccount", "ContactConfirmation",
    "ContactPoint", "CouldNotVerify", "CustomerFile", "CustomerLink", "DetectorDay", "Discrepancy",
    "ExternalAnswer", "ExternalCheck", "Identifier", "IdentityDocument", "ListChange", "MethodResult", "Objection",
    "OwnershipCertification", "OwnershipStake", "Party", "PartyName", "PaymentMethod", "PrivacyRequest",
    "RangeEdition", "RefusedLine", "RestrictedCustomer", "Restriction", "RetainedFingerprint", "RiskOverride",
    "RiskSignal", "Screening", "ScreeningHit", "ScreeningMark", "SeenBefore", "UnknownAccount", "Verification",
    "WaitingLine", "WatchlistEntry", "WatchlistSnapshot", "ZoneReading",
]  # fmt: skip
