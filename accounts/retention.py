"""How long what is known of customers is kept: the list. Periods and contents are in accounts/flows/keeping.py."""

from accounts.flows import restricted
from accounts.flows.belonging import ROOTS
from accounts.flows.keeping import (
    clear_before,
    contents_of,
    ended_before,
    guarded_rows,
    many_rows_of,
    parties_to_erase,
    periods_of,
)
from accounts.models import (
    AccessBatch,
    AccessRecord,
    Account,
    Address,
    AddressRange,
    AddressRangeSnapshot,
    ContactPoint,
    CustomerFile,
    Discrepancy,
    Identifier,
    IdentityDocument,
    MethodResult,
    OwnershipCertification,
    OwnershipStake,
    Party,
    PartyName,
    PaymentMethod,
    RefusedLine,
    RestrictedCustomer,
    Restriction,
    RetainedFingerprint,
    RiskSignal,
    Screening,
    ScreeningHit,
    Verification,
    WatchlistEntry,
    WatchlistSnapshot,
)
from kyc_portal.notices.models import Notice
from kyc_portal.records.retention import RetentionRule, register

register(
    RetentionRule(
        code="customer_file",
        title="Customer files",
        covers=(
            Account, Party, PartyName, Address, ContactPoint, IdentityDocument, PaymentMethod, OwnershipStake,
            OwnershipCertification, Identifier, Screening, ScreeningHit, Verification, MethodResult, Discrepancy,
            Restriction, RiskSignal, AccessBatch, AccessRecord, RefusedLine, Notice,
        ),
        why="Kept for the regime's years after the account was closed or last used, whichever is later.",
        figures=("retention_years", "method_retention_years", "sanctions_retention_years"),
        candidates=ended_before,
        periods=periods_of,
        guarded=guarded_rows,
        contents=contents_of,
        in_batches=many_rows_of,
        before=clear_before,
        subjects=parties_to_erase,
        roots=ROOTS,
    ),
    RetentionRule(
        code="restricted_customers",
        title="Fingerprints of customers who were restricted",
        covers=(RestrictedCustomer, RetainedFingerprint),
        why="Kept for some years after the file is destroyed (own policy), so that whom we shut out is known again.",
        figures=("restricted_fingerprint_years",),
        candidates=restricted.remembered_before,
        periods=restricted.periods_of,
        guarded=lambda customer: [customer],
        contents=restricted.contents_of,
        subjects=lambda customer: [],
        roots={RestrictedCustomer: [""], RetainedFingerprint: ["customer"]},
    ),
    RetentionRule(
        code="watch_lists",
        title="Watch lists",
        covers=(WatchlistSnapshot, WatchlistEntry),
        why="Public data, kept while judgements refer to them: they show what was compared with.",
    ),
    RetentionRule(
        code="address_ranges",
        title="Address range lists",
        covers=(AddressRangeSnapshot, AddressRange),
        why="Public data, kept because access records say by which list they were judged.",
    ),
    RetentionRule(
        code="customer_files_taken_in",
        title="Files of customers that were taken in",
        covers=(CustomerFile,),
        why="Hashes and counts only, kept so that the same file is not taken in twice.",
    ),
)  # fmt: skip
