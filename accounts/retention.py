"""How long what is known of customers is kept: the list. Periods and contents are in accounts/flows/keeping.py."""

from datetime import date

from django.db import models

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
    AccessAnswer,
    AccessBatch,
    AccessRecord,
    Account,
    Address,
    AddressAllocation,
    AddressRange,
    AddressRangeSnapshot,
    CheckResult,
    ContactConfirmation,
    ContactPoint,
    CouldNotVerify,
    CustomerFile,
    CustomerLink,
    Discrepancy,
    ExternalAnswer,
    ExternalCheck,
    Identifier,
    IdentityDocument,
    ListChange,
    MethodResult,
    Objection,
    OwnershipCertification,
    OwnershipStake,
    Party,
    PartyName,
    PaymentMethod,
    PrivacyRequest,
    RefusedLine,
    RestrictedCustomer,
    Restriction,
    RetainedFingerprint,
    RiskOverride,
    RiskSignal,
    Screening,
    ScreeningHit,
    ScreeningMark,
    SeenBefore,
    Verification,
    WatchlistEntry,
    WatchlistSnapshot,
    ZoneReading,
)
from kyc_portal.calendars import keep_through
from kyc_portal.notices.models import Notice
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.retention import Period, RetentionRule, register
from kyc_portal.records.roots import KeyOf


def _answered(as_of: date) -> models.QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(answered_at__isnull=False)


def _after_the_answer(request: PrivacyRequest) -> list[Period]:
    answered_on = legal_day(request.answered_at)
    regime = regime_on(answered_on)
    years, source = regime.whole("privacy_retention_years"), regime.cite("privacy_retention_years")
    sentence = f"{years} years after it was answered on {answered_on} ({source})."
    return [Period("privacy_retention_years", keep_through(answered_on, years=years), sentence)]


def _request_and_party(request: PrivacyRequest) -> list[models.Model]:
    return [request, *Party.objects.filter(pk=request.subject)]


def _notices_and_request(request: PrivacyRequest) -> list[models.QuerySet]:
    ref = RecordRef.of(request)
    return [
        Notice.objects.filter(label=ref.label, key=ref.key),
        PrivacyRequest.objects.filter(pk=request.pk),
    ]


register(
    RetentionRule(
        code="customer_file",
        title="Customer files",
        covers=(
            Account, Party, PartyName, Address, ContactPoint, IdentityDocument, PaymentMethod, OwnershipStake,
            OwnershipCertification, Identifier, Screening, ScreeningHit, ScreeningMark, Verification, CheckResult,
            MethodResult, Discrepancy, Restriction, RiskSignal, RiskOverride, AccessBatch, AccessRecord, RefusedLine,
            Notice, CustomerLink, Objection, ContactConfirmation, ZoneReading, CouldNotVerify, ExternalCheck,
            ExternalAnswer, AddressAllocation, AccessAnswer, SeenBefore,
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
        before=restricted.forget_ties,
        subjects=lambda customer: [],
        roots={RestrictedCustomer: [""], RetainedFingerprint: ["customer"]},
    ),
    RetentionRule(
        code="privacy_requests",
        title="Requests of people about their data",
        covers=(PrivacyRequest,),
        why="Two years after the answer (own policy): they prove what was asked and done. Sealed under their own key.",
        figures=("privacy_retention_years",),
        candidates=_answered,
        periods=_after_the_answer,
        guarded=_request_and_party,
        contents=_notices_and_request,
        subjects=lambda request: [request.pk],
        roots={PrivacyRequest: [KeyOf("subject", Party)]},
    ),
    RetentionRule(
        code="watch_lists",
        title="Watch lists",
        covers=(WatchlistSnapshot, WatchlistEntry, ListChange),
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
