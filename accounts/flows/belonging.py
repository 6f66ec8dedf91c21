"""Whose a row is: from every row of the customers' files to the account and the party it belongs to (R54)."""

from accounts.models import (
    AccessAnswer,
    AccessBatch,
    AccessRecord,
    Account,
    Address,
    AddressAllocation,
    CheckResult,
    ContactConfirmation,
    ContactPoint,
    CouldNotVerify,
    CustomerLink,
    Discrepancy,
    ExternalAnswer,
    ExternalCheck,
    Identifier,
    IdentityDocument,
    MethodResult,
    Objection,
    OwnershipCertification,
    OwnershipStake,
    Party,
    PartyName,
    PaymentMethod,
    RefusedLine,
    Restriction,
    RiskOverride,
    RiskSignal,
    Screening,
    ScreeningHit,
    ScreeningMark,
    SeenBefore,
    Verification,
    ZoneReading,
)
from kyc_portal.notices.models import Notice
from kyc_portal.records.models import AuditPayload, SubjectKey
from kyc_portal.records.roots import KeyOf, Path, Paths

OF_ACCOUNT = {  # from each row of an account's file to the account
    Account: "",
    OwnershipCertification: "account",
    Verification: "account",
    CheckResult: "verification__account",
    CouldNotVerify: "account",
    MethodResult: "verification__account",
    Discrepancy: "verification__account",
    ExternalCheck: "verification__account",
    ExternalAnswer: "check_asked__verification__account",
    AccessAnswer: "account",
    Restriction: "account",
    RiskSignal: "account",
    RiskOverride: "account",
    CustomerLink: "account",
    Objection: "account",
    AccessBatch: "account",
    AccessRecord: "account",
    AddressAllocation: "account",
    RefusedLine: "batch__account",
}
OF_PARTY = dict.fromkeys(  # and from each row that speaks of a party to the party
    (Verification, CouldNotVerify, PartyName, Address, ContactPoint, IdentityDocument, PaymentMethod, Identifier,
     Screening, ScreeningHit, ScreeningMark, SeenBefore),
    "party",
)  # fmt: skip
OF_PARTY |= {Party: "", MethodResult: "verification__party", Discrepancy: "verification__party"}
OF_PARTY |= {ContactConfirmation: "contact__party", CheckResult: "verification__party"}
OF_PARTY |= {ZoneReading: "document__party"}
OF_PARTY |= {ExternalCheck: "verification__party", ExternalAnswer: "check_asked__verification__party"}


def join(*steps: str) -> str:
    """Lookups one after another; an empty one is the row itself."""
    return "__".join(filter(None, steps))


def with_owners(account: str) -> list[Path]:
    """What keeps a row of an account's file: holds on the account, on its customer and on whoever owns the customer."""
    return [account, join(account, "party"), join(account, "party__stakes_in_it__owner")]


def _all() -> Paths:
    """A hold on an account or a party keeps both with each other, and the companies with their owners."""
    found: dict[type, list[Path]] = {}
    for model, account in OF_ACCOUNT.items():
        found.setdefault(model, []).extend(with_owners(account))
    for model, party in OF_PARTY.items():
        found.setdefault(model, []).extend(
            [party, *(join(party, step) for step in ("accounts", "stakes_held__owned", "stakes_held__owned__accounts"))]
        )
    found[OwnershipStake] = ["owner", "owned", "owned__accounts"]
    for model in (Notice, SubjectKey, AuditPayload):
        found[model] = [KeyOf("subject", Party), KeyOf("subject", Party, then="accounts")]
    found[Notice].append(KeyOf("key", Account, label="label"))
    return found


ROOTS = _all()
