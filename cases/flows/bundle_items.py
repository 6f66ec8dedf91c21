"""What goes into an evidence bundle: one line for each thing the ground allows, by reference (R52, R113, R114)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db import models

from accounts.models import (
    AccessBatch,
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

    @classmethod
    def of(cls, case: Case, *, on: date) -> "Scope":
        accounts = accounts_of(case)
        customers = list({account.party_id: account.party for account in accounts}.values())
        return cls(case, accounts, customers, parties_of(accounts, on=on))


def find(case: Case, *, ground: str, on: date) -> Iterator[Found]:
    """Everything on file about a case's accounts that the ground allows, class by class."""
    scope = Scope.of(case, on=on)
    for data_class, finder in _FINDERS.items():
        if may_include(ground, data_class):
            for record in finder(scope, may_include(ground, DataClass.OWNERSHIP)):
                yield Found(data_class, record, getattr(record, "file_sha256", "") or getattr(record, "sha256", ""))


def _subscriber(scope: Scope, with_owners: bool) -> list[models.Model]:
    return [*scope.accounts, *scope.customers]


def _payment(scope: Scope, with_owners: bool) -> models.QuerySet:
    return PaymentMethod.objects.filter(party__in=scope.customers).order_by("added_at", "pk")


def _access(scope: Scope, with_owners: bool) -> models.QuerySet:
    return AccessBatch.objects.filter(account__in=scope.accounts).order_by("imported_at", "pk")


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
    return [*screenings, *ScreeningHit.objects.filter(party__in=people).order_by("reference")]


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
