"""What goes into an evidence bundle: one line for each thing the ground allows, by reference (R52, R113, R114)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from accounts.models import (
    AccessBatch,
    AccessRecord,
    Account,
    CouldNotVerify,
    ExternalAnswer,
    IdentityDocument,
    Objection,
    OwnershipCertification,
    OwnershipStake,
    Party,
    PaymentMethod,
    Restriction,
    RiskOverride,
    RiskSignal,
    Screening,
    ScreeningHit,
    Verification,
)
from cases.flows.evidence import accounts_of, parties_of
from cases.models import Case, CaseNote, CaseSubject, Decision
from cases.rules.disclosure import DataClass, may_include
from cases.rules.scope import EVERYTHING, AskedFor
from kyc_portal.calendars import add_days
from kyc_portal.records.clock import legal_day


@dataclass(frozen=True)
class Found:
    """One thing to collect, and the hash of its file when it has one."""

    data_class: DataClass
    record: models.Model
    sha256: str = ""


@dataclass(frozen=True)
class Scope:
    """Whom a bundle may speak of: the customers of the case, and those behind them."""

    case: Case
    accounts: list[Account]
    customers: list[Party]
    everybody: list[Party]

    asked: AskedFor

    @classmethod
    def of(cls, case: Case, *, on: date, asked: AskedFor) -> "Scope":
        accounts = [account for account in accounts_of(case) if asked.covers_account(account.reference)]
        customers = list({account.party_id: account.party for account in accounts}.values())
        return cls(case, accounts, customers, parties_of(accounts, on=on), asked)


# When something was: the columns of its first and its last day; _ONE where it is of one moment, _STILL where it has no
# end. What is not listed (who the customer is, the case itself) has no day.
_ONE, _STILL = "one", "still"
DAYS: dict[type[models.Model], tuple[str, str]] = {
    IdentityDocument: ("added_at", _STILL),
    PaymentMethod: ("added_at", "ended_at"),
    OwnershipStake: ("from_on", "to_on"),
    OwnershipCertification: ("recorded_at", _ONE),
    Verification: ("started_at", "concluded_at"),
    ExternalAnswer: ("received_at", _ONE),
    Screening: ("at", _ONE),
    RiskSignal: ("known_at", _ONE),
    RiskOverride: ("set_at", _ONE),
    Decision: ("proposed_at", "answered_at"),
    Restriction: ("applied_at", "lifted_at"),
    CouldNotVerify: ("proposed_at", _ONE),
    Objection: ("raised_at", "answered_at"),
    CaseNote: ("at", _ONE),
}


def _is_of_the_days(record: models.Model, scope: Scope) -> bool:
    asked = scope.asked
    if isinstance(record, AccessBatch):
        return days_of_access(record.records.filter(account__in=scope.accounts), asked).exists()
    if isinstance(record, ScreeningHit):
        record = record.screening
    if type(record) not in DAYS:
        return True
    begins, ends = DAYS[type(record)]
    first = _day(getattr(record, begins))
    last = {_ONE: first, _STILL: None}[ends] if ends in (_ONE, _STILL) else _day(getattr(record, ends))
    return asked.covers_days(first, last)


def _day(value: date | datetime | None) -> date | None:
    return legal_day(value) if isinstance(value, datetime) else value


def days_of_access(records: models.QuerySet, asked: AskedFor) -> models.QuerySet:
    """Of access records those of the days that are asked for; days begin in the zone of the law."""
    return of_days(records, "at", asked.from_on, asked.through_on)


def of_days(rows: models.QuerySet, column: str, from_on: date | None, through_on: date | None) -> models.QuerySet:
    """Of rows with a moment in `column` those of these days of the law; None for no limit."""
    zone = ZoneInfo(settings.LEGAL_TIME_ZONE)
    if from_on:
        rows = rows.filter(**{f"{column}__gte": datetime.combine(from_on, time.min, zone)})
    if through_on:
        rows = rows.filter(**{f"{column}__lt": datetime.combine(add_days(through_on, 1), time.min, zone)})
    return rows


def find(case: Case, *, ground: str, on: date, asked: AskedFor = EVERYTHING) -> Iterator[Found]:
    """Everything on file about a case's accounts that the ground allows and the request asks for, class by class."""
    scope = Scope.of(case, on=on, asked=asked)
    with_owners = may_include(ground, DataClass.OWNERSHIP) and asked.covers_kind(DataClass.OWNERSHIP)
    for data_class, finder in _FINDERS.items():
        if may_include(ground, data_class) and asked.covers_kind(data_class):
            for record in finder(scope, with_owners):
                if not _is_of_the_days(record, scope):
                    continue
                yield Found(data_class, record, getattr(record, "file_sha256", "") or getattr(record, "sha256", ""))


def _subscriber(scope: Scope, with_owners: bool) -> list[models.Model]:
    return [*scope.accounts, *scope.customers]


def _payment(scope: Scope, with_owners: bool) -> models.QuerySet:
    return PaymentMethod.objects.filter(party__in=scope.customers).order_by("added_at", "pk")


def _access(scope: Scope, with_owners: bool) -> list[models.Model]:
    """The log files of the accounts, and the deliveries for many in which they occur; for these also the accounts.

    A delivery for many speaks of others as well: whose records of it may go is said by the accounts beside it.
    """
    of_them = AccessRecord.objects.filter(account__in=scope.accounts, batch=models.OuterRef("pk"))
    of_many = AccessBatch.objects.filter(models.Exists(of_them), account__isnull=True)
    batches = AccessBatch.objects.filter(account__in=scope.accounts) | of_many
    found = list(batches.order_by("imported_at", "pk"))
    return [*(scope.accounts if any(batch.account_id is None for batch in found) else ()), *found]


def _identity(scope: Scope, with_owners: bool) -> list[models.Model]:
    people = scope.everybody if with_owners else scope.customers
    documents = IdentityDocument.objects.filter(party__in=people).order_by("added_at", "pk")
    return [*people, *documents]


def _ownership(scope: Scope, with_owners: bool) -> list[models.Model]:
    stakes = OwnershipStake.objects.filter(owned__in=scope.everybody).order_by("pk")
    certifications = OwnershipCertification.objects.filter(account__in=scope.accounts).order_by("recorded_at", "pk")
    return [*stakes, *certifications]


def _verification(scope: Scope, with_owners: bool) -> list[models.Model]:
    people = scope.everybody if with_owners else scope.customers
    found = Verification.objects.filter(account__in=scope.accounts, party__in=people)
    answers = ExternalAnswer.objects.filter(check_asked__verification__in=found)
    return [*found.order_by("started_at", "pk"), *answers.order_by("received_at", "pk")]


def _screening(scope: Scope, with_owners: bool) -> list[models.Model]:
    people = scope.everybody if with_owners else scope.customers
    screenings = Screening.objects.filter(party__in=people).order_by("at", "pk")
    return [
        *screenings,
        *ScreeningHit.objects.filter(party__in=people).select_related("screening").order_by("reference"),
    ]


def _risk(scope: Scope, with_owners: bool) -> list[models.Model]:
    signals = RiskSignal.objects.filter(account__in=scope.accounts).order_by("known_at", "pk")
    return [*signals, *RiskOverride.objects.filter(account__in=scope.accounts).order_by("set_at", "pk")]


def _decisions(scope: Scope, with_owners: bool) -> list[models.Model]:
    seen = models.Q(case=scope.case) | models.Q(case__is_restricted=False)  # what few may see goes with its own case
    decisions = Decision.objects.filter(seen, account__in=scope.accounts).order_by("proposed_at", "pk")
    restrictions = Restriction.objects.filter(account__in=scope.accounts).order_by("applied_at", "pk")
    people = scope.everybody if with_owners else scope.customers
    outcomes = CouldNotVerify.objects.filter(account__in=scope.accounts, party__in=people)
    objections = Objection.objects.filter(account__in=scope.accounts).order_by("raised_at", "pk")
    return [*decisions, *restrictions, *outcomes.order_by("proposed_at", "pk"), *objections]


def _notes(scope: Scope, with_owners: bool) -> models.QuerySet:
    """Notes of this case and of others that speak of nobody else."""
    of_others = CaseSubject.objects.exclude(account__in=scope.accounts).values("case")
    alike = Case.objects.filter(subjects__account__in=scope.accounts, is_restricted=False).exclude(pk__in=of_others)
    return CaseNote.objects.filter(models.Q(case=scope.case) | models.Q(case__in=alike)).order_by("at", "pk")


def _the_case(scope: Scope, with_owners: bool) -> list[models.Model]:
    return [scope.case]


_FINDERS = {
    DataClass.SUBSCRIBER: _subscriber,
    DataClass.PAYMENT: _payment,
    DataClass.ACCESS: _access,
    DataClass.IDENTITY: _identity,
    DataClass.OWNERSHIP: _ownership,
    DataClass.VERIFICATION: _verification,
    DataClass.SCREENING: _screening,
    DataClass.RISK: _risk,
    DataClass.DECISIONS: _decisions,
    DataClass.NOTES: _notes,
    DataClass.CUSTODY: _the_case,
    DataClass.AUDIT: _the_case,
}
