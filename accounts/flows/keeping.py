"""Why and how long an account's file is kept, and what goes with it (requirements R47-R50, R54)."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Max, Q

from accounts.flows import access_days, restricted
from accounts.flows.document_files import ask_deletion
from accounts.models import (
    AccessAnswer,
    AccessBatch,
    AccessDay,
    AccessRecord,
    Account,
    Address,
    AddressAllocation,
    CheckResult,
    CloudAccount,
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
from accounts.models.restriction import Level
from kyc_portal.calendars import keep_through
from kyc_portal.notices.models import Notice
from kyc_portal.policy.clocks import forget_clocks
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.refs import RecordRef
from kyc_portal.records.retention import Period

METHODS = "method_retention_years"
PeriodSource = Callable[[Account], Iterable[Period]]
_FURTHER_PERIODS: list[PeriodSource] = []


def add_periods(source: PeriodSource) -> None:
    """Let an app above name further reasons to keep a file, such as a decision that rests on a list (R50)."""
    if source not in _FURTHER_PERIODS:
        _FURTHER_PERIODS.append(source)


# --- when -------------------------------------------------------------------------------------------------------------


def ended_before(as_of: date) -> models.QuerySet[Account]:
    """Accounts that ended before that day. One that is open is never among them, however long unused (R48, T19)."""
    midnight = datetime.combine(as_of, time.min, ZoneInfo(settings.LEGAL_TIME_ZONE))
    return Account.objects.ended().filter(closed_at__lt=midnight)


def periods_of(account: Account) -> list[Period]:
    """Every reason to keep the file of an ended account; the longest decides. None while no closing day is set."""
    if account.closed_at is None:
        return []
    regime = regime_on(legal_day(account.closed_at))
    found = [_after_the_end(account, regime), *_after_verifying(account, regime), *_after_lists(account, regime)]
    for source in _FURTHER_PERIODS:
        found += source(account)
    return found


def _after_the_end(account: Account, regime: Regime) -> Period:
    """R47 and R48: from the later of closing and last access."""
    closed_on, event = legal_day(account.closed_at), "it was closed"
    begins = closed_on
    last = access_days.last_access(account)
    if last and legal_day(last) > closed_on:
        begins, event = legal_day(last), "the last access"
    years, source = regime.whole("retention_years"), regime.cite("retention_years")
    own_years = settings.RETENTION_YEARS
    if own_years > years:
        years, source = own_years, "own policy"
    return Period(
        "retention_years",
        keep_through(begins, years=years),
        f"{years} years after {event} on {begins} ({source}).",
    )


def _after_verifying(account: Account, regime: Regime) -> list[Period]:
    """R49: banks keep how they verified from the day each record was made, beside the identity data's own clock."""
    if METHODS not in regime.figures:
        return []
    made = [
        MethodResult.objects.filter(verification__account=account).aggregate(last=Max("at"))["last"],
        Discrepancy.objects.filter(verification__account=account).aggregate(last=Max("found_at"))["last"],
        CheckResult.objects.filter(verification__account=account).aggregate(last=Max("at"))["last"],
        ExternalAnswer.objects.filter(check_asked__verification__account=account).aggregate(last=Max("received_at"))[
            "last"
        ],
    ]
    if not any(made):
        return []
    last = legal_day(max(filter(None, made)))
    years, source = regime.whole(METHODS), regime.cite(METHODS)
    sentence = f"{years} years after the last record of a verification on {last} ({source})."
    return [Period(METHODS, keep_through(last, years=years), sentence)]


def _after_lists(account: Account, regime: Regime) -> list[Period]:
    """R50: what a judgement on a list hit or a block rested on; while a block stands, without end."""
    years, source = regime.whole("sanctions_retention_years"), regime.cite("sanctions_retention_years")
    hits = ScreeningHit.objects.confirmed().filter(party__in=parties_of_file(account))
    blocks = Restriction.objects.filter(account=account, level=Level.BLOCKED)
    events = [
        ("a confirmed list hit", hits.aggregate(last=Max("judged_at"))["last"]),
        ("the last block was lifted", blocks.aggregate(last=Max("lifted_at"))["last"]),
    ]
    found = [
        Period(
            "sanctions_retention_years",
            keep_through(legal_day(last), years=years),
            f"{years} years after {event} on {legal_day(last)} ({source}).",
        )
        for event, last in events
        if last is not None
    ]
    if blocks.in_force().exists():
        found.append(Period("block_in_force", date.max, f"A block stands; afterwards {years} years ({source})."))
    return found


# --- what -------------------------------------------------------------------------------------------------------------


def parties_of_file(account: Account) -> set:
    """The keys of the customer and of everybody who ever held a stake in it, directly or through others."""
    return _once(account, _parties_of_file)


def parties_to_erase(account: Account) -> list:
    """The keys of those parties of the file that no other account, stake or verification needs; in one order."""
    return _once(account, _parties_to_erase)


def _once(account: Account, find):
    """Asked once of an account in memory: what goes with it stays the same while its rows go."""
    if find.__name__ not in (found := account.__dict__.setdefault("_of_file", {})):
        found[find.__name__] = find(account)
    return found[find.__name__]


def _parties_of_file(account: Account) -> set:
    found, level = {account.party_id}, {account.party_id}
    while level:
        owners = OwnershipStake.objects.filter(owned__in=level).values_list("owner_id", flat=True)
        level = set(owners) - found
        found |= level
    return found


def _parties_to_erase(account: Account) -> list:
    found = set(parties_of_file(account))
    elsewhere = Q(accounts__in=Account.objects.exclude(pk=account.pk))
    elsewhere |= Q(verifications__in=Verification.objects.exclude(account=account))
    found -= set(Party.objects.filter(elsewhere, pk__in=found).values_list("pk", flat=True))
    stakes = list(OwnershipStake.objects.filter(owner__in=found).values_list("owner_id", "owned_id"))
    while needed := {owner for owner, owned in stakes if owner in found and owned not in found}:
        found -= needed
    return sorted(found, key=str)


def guarded_rows(account: Account) -> list[models.Model]:
    """The account, its party, all owners and all who were verified: a hold on any of them keeps the whole file."""
    verified = Verification.objects.filter(account=account).values_list("party_id", flat=True)
    keys = {*parties_of_file(account), *verified}
    return [account, *Party.objects.filter(pk__in=keys)]


def contents_of(account: Account) -> Iterable[models.QuerySet]:
    """Everything of the file, what refers before what is referred to. The keys are fixed before the first row goes."""
    key, parties = account.pk, parties_to_erase(account)
    ref = RecordRef.of(account)
    about_it = Q(label=ref.label, key=ref.key) | Q(subject__in=parties)
    return [
        Notice.objects.filter(about_it),
        ExternalAnswer.objects.filter(check_asked__verification__account=key),
        ExternalCheck.objects.filter(verification__account=key),
        Discrepancy.objects.filter(verification__account=key),
        CheckResult.objects.filter(verification__account=key),
        MethodResult.objects.filter(verification__account=key),
        Objection.objects.filter(account=key),
        CouldNotVerify.objects.filter(account=key),
        Verification.objects.filter(account=key),
        OwnershipCertification.objects.filter(account=key),
        AccessAnswer.objects.filter(account=key),
        Restriction.objects.filter(account=key),
        CustomerLink.objects.filter(account=key),
        RiskSignal.objects.filter(account=key),
        RiskOverride.objects.filter(account=key),
        AccessRecord.objects.filter(account=key),
        AccessDay.objects.filter(account=key),
        CloudAccount.objects.filter(account=key),
        AddressAllocation.objects.filter(account=key),
        RefusedLine.objects.filter(batch__account=key),
        AccessBatch.objects.filter(account=key),
        Account.objects.filter(pk=key),
        *_contents_of_parties(parties),
    ]


def many_rows_of(account: Account) -> list[models.QuerySet]:
    """What of a file may be millions of rows, and nothing refers to: it goes first, in batches."""
    return [
        AccessRecord.objects.filter(account=account.pk),
        AccessDay.objects.filter(account=account.pk),
        RefusedLine.objects.filter(batch__account=account.pk),
    ]


def _contents_of_parties(parties: list) -> list[models.QuerySet]:
    of_party = (
        ScreeningHit, Screening, ScreeningMark, Identifier, IdentityDocument, PaymentMethod, ContactPoint, Address,
        PartyName,
    )  # fmt: skip
    return [
        ContactConfirmation.objects.filter(contact__party__in=parties),
        ZoneReading.objects.filter(document__party__in=parties),
        *(model.objects.filter(party__in=parties) for model in of_party),
        SeenBefore.objects.filter(Q(party__in=parties) | Q(earlier__in=parties)),
        OwnershipStake.objects.filter(Q(owner__in=parties) | Q(owned__in=parties)),
        Party.objects.filter(pk__in=parties),
    ]


def clear_before(account: Account) -> None:
    """Ask for the files to be deleted once the rows are gone, take away the clocks, and remember who was restricted."""
    forget_clocks(account)
    for objection in Objection.objects.filter(account=account):
        forget_clocks(objection)
    parties = parties_to_erase(account)
    remembered = restricted.remember(account, parties, on=legal_day(moment(None)))
    restricted.hand_over_ties(parties, remembered, at=moment(None))
    for party in Party.objects.filter(pk__in=parties):
        ask_deletion(party.pk, at=moment(None))
        forget_clocks(party)
