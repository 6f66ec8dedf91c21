"""The facts of an evidence bundle as tables, each value as its recipient may see it (requirements R52, R114)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import models

from accounts.models import (
    Account,
    Address,
    CheckResult,
    ContactPoint,
    Discrepancy,
    ExternalAnswer,
    ExternalCheck,
    IdentityDocument,
    MethodResult,
    OwnershipCertification,
    OwnershipStake,
    Party,
    PartyName,
    PaymentMethod,
    Verification,
)
from cases.flows.bundle_redactor import Redactor
from cases.rules.disclosure import DataClass
from cases.rules.redaction import FieldClass as F
from cases.rules.scope import EVERYTHING, AskedFor
from kyc_portal.policy.models import StatementKind, StatementVersion

Row = dict[str, object]


@dataclass(frozen=True)
class FactTable:
    """One table of facts: its file name, its title for people, its class of data and its rows."""

    name: str
    title: str
    data_class: DataClass
    columns: tuple[str, ...]
    rows: Sequence[Row]


class Chosen:
    """The things that were approved, looked up by model and class of data; `asked` limits their days."""

    def __init__(self, keys: Mapping[tuple[str, str], set[str]], asked: AskedFor = EVERYTHING):
        self._keys, self.asked = keys, asked

    def rows(self, model: type[models.Model], data_class: DataClass) -> models.QuerySet:
        """The approved rows of a model, in a steady order."""
        keys = self._keys.get((data_class.value, model._meta.label_lower), set())
        return model._base_manager.filter(pk__in=keys).order_by("pk")

    def has(self, data_class: DataClass) -> bool:
        return any(approved == data_class for approved, _ in self._keys)


Maker = Callable[[Chosen, Redactor], Iterator[Row]]


def clear(sealed) -> str:
    """The clear text of a sealed value; "" when there is none."""
    return sealed.reveal() if sealed else ""


def customers(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for account in chosen.rows(Account, DataClass.SUBSCRIBER).select_related("party"):
        party, place = account.party, f"facts/customers, {account.reference}"
        yield {
            "account": account.reference, "party": party.reference, "kind": party.kind,
            "legal_name": show.show(F.NAME, party.legal_name, f"{place}, legal name"),
            "status": "" if show.is_for_customer else account.status,
            "product": account.product, "external_key": account.external_key or "",
            "created_at": account.created_at, "opened_at": account.opened_at, "closed_at": account.closed_at,
            "last_access_at": account.last_access_at,
        }  # fmt: skip


def names(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    rows = PartyName.objects.filter(party__in=chosen.rows(Party, DataClass.SUBSCRIBER).order_by())
    for row in rows.select_related("party").order_by("pk"):
        place = f"facts/names, {row.party.reference}"
        yield {"party": row.party.reference, "kind": row.kind, "name": show.show(F.NAME, row.name, place)}


def addresses(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    rows = Address.objects.filter(party__in=chosen.rows(Party, DataClass.SUBSCRIBER).order_by())
    for row in rows.select_related("party").order_by("pk"):
        place = f"facts/addresses, {row.party.reference}, lines"
        yield {
            "party": row.party.reference, "kind": row.kind, "lines": show.show(F.ADDRESS, clear(row.lines), place),
            "region": row.region, "country": row.country.code,
        }  # fmt: skip


def contacts(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    rows = ContactPoint.objects.filter(party__in=chosen.rows(Party, DataClass.SUBSCRIBER).order_by())
    for row in rows.select_related("party").order_by("pk"):
        place = f"facts/contacts, {row.party.reference}, value"
        yield {
            "party": row.party.reference, "kind": row.kind, "value": show.show(F.CONTACT, clear(row.value), place),
            "confirmed_at": row.confirmed_at,
        }  # fmt: skip


def payments(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(PaymentMethod, DataClass.PAYMENT).select_related("party"):
        place = f"facts/payments, {row.party.reference}"
        yield {
            "party": row.party.reference, "kind": row.kind, "institution": row.institution,
            "identifier": show.show(F.PAYMENT_NUMBER, clear(row.identifier), f"{place}, identifier"),
            "last_four": row.last_four, "country": row.country.code,
            "holder": show.show(F.NAME, clear(row.holder), f"{place}, holder"),
            "source": row.source,
            "customer_number": show.show(F.PAYMENT_NUMBER, clear(row.customer_number), f"{place}, customer number"),
            "transactions": show.show(F.PAYMENT_NUMBER, clear(row.transactions), f"{place}, transactions"),
            "added_at": row.added_at, "ended_at": row.ended_at,
        }  # fmt: skip


def identities(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for party in chosen.rows(Party, DataClass.IDENTITY):
        place = f"facts/identities, {party.reference}"

        def of(field_class: F, value, what: str, party=party, place=place) -> object:
            return show.show_of(party.pk, field_class, value, f"{place}, {what}")

        yield {
            "party": party.reference, "kind": party.kind, "legal_name": of(F.NAME, party.legal_name, "legal name"),
            "birth_date": of(F.BIRTH_DATE, clear(party.birth_date), "birth date"),
            "citizenship": of(F.NAME, party.citizenship.code, "citizenship"),
            "formation_country": party.formation_country.code,
            "registration_number": of(F.IDENTITY_NUMBER, clear(party.registration_number), "registration number"),
            "national_id": of(F.IDENTITY_NUMBER, clear(party.national_id), "national id"),
            "us_status": party.us_status,
        }  # fmt: skip


def documents(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(IdentityDocument, DataClass.IDENTITY).select_related("party"):
        place = f"facts/documents, {row.reference}"

        def of(field_class: F, value, what: str, row=row, place=place) -> object:
            return show.show_of(row.party_id, field_class, value, f"{place}, {what}")

        yield {
            "document": row.reference, "party": row.party.reference, "kind": row.kind,
            "number": of(F.IDENTITY_NUMBER, clear(row.number), "number"),
            "country": row.country.code, "place_of_issue": row.place_of_issue, "issued_on": row.issued_on,
            "expires_on": row.expires_on, "machine_readable_zone": of(F.IDENTITY_NUMBER, clear(row.mrz), "zone"),
            "check_digits_failed": row.mrz_failed, "file_sha256": row.file_sha256, "file_type": row.file_type,
            "added_at": row.added_at, "added_by": show.show(F.STAFF, row.added_by, f"{place}, added by"),
        }  # fmt: skip


def owners(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(OwnershipStake, DataClass.OWNERSHIP).select_related("owner", "owned"):
        place = f"facts/owners, {row.owner.reference} in {row.owned.reference}"
        yield {
            "owner": row.owner.reference,
            "owner_name": show.show_of(row.owner_id, F.NAME, row.owner.legal_name, f"{place}, owner name"),
            "owned": row.owned.reference,
            "owned_name": show.show_of(row.owned_id, F.NAME, row.owned.legal_name, f"{place}, owned name"),
            "percent": row.percent, "has_control": row.has_control, "from_on": row.from_on, "to_on": row.to_on,
        }  # fmt: skip


def certifications(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    """Each with the words that were signed."""
    wordings = {str(each.number): each.text for each in StatementVersion.objects.filter(kind=StatementKind.OWNERS)}
    for row in chosen.rows(OwnershipCertification, DataClass.OWNERSHIP).select_related("account"):
        place = f"facts/certifications, {row.account.reference}"
        yield {
            "account": row.account.reference, "text_version": row.text_version,
            "text": wordings.get(row.text_version, ""), "signed_on": row.signed_on,
            "signed_by": show.show(F.NAME, clear(row.signed_by), f"{place}, signed by"), "broken_at": row.broken_at,
            "recorded_at": row.recorded_at,
            "recorded_by": show.show(F.STAFF, row.recorded_by, f"{place}, recorded by"),
        }  # fmt: skip


def verifications(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    rows = chosen.rows(Verification, DataClass.VERIFICATION).select_related("account", "party", "cip_version")
    for row in rows:
        place = f"facts/verifications, {row.reference}"
        yield {
            "verification": row.reference, "account": row.account.reference, "party": row.party.reference,
            "trigger": row.trigger, "status": row.status, "cip": row.cip_version.reference,
            "started_at": row.started_at, "started_by": show.show(F.STAFF, row.started_by, f"{place}, started by"),
            "concluded_at": row.concluded_at,
            "concluded_by": show.show(F.STAFF, row.concluded_by, f"{place}, concluded by"),
            "conclusion": show.show(F.DETECTION, row.conclusion, f"{place}, conclusion"),
        }  # fmt: skip


def methods(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    verified = chosen.rows(Verification, DataClass.VERIFICATION).order_by()
    rows = MethodResult.objects.filter(verification__in=verified).select_related("verification", "document")
    for row in rows.order_by("at", "pk"):
        place = f"facts/methods, {row.verification.reference}, by"
        yield {
            "verification": row.verification.reference, "method": row.method, "result": row.result,
            "source": row.source, "matched": row.matched, "document": row.document.reference if row.document else "",
            "at": row.at, "by": show.show(F.STAFF, row.by, place),
        }  # fmt: skip


def checks(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    verified = chosen.rows(Verification, DataClass.VERIFICATION).order_by()
    rows = CheckResult.objects.filter(verification__in=verified).select_related("verification")
    for row in rows.order_by("verification", "turn", "code", "about_key", "about_column"):
        place = f"facts/checks, {row.verification.reference}"
        yield {
            "verification": row.verification.reference, "run": row.turn, "check": row.code, "about": row.about,
            "outcome": row.outcome, "reason": show.show(F.DETECTION, row.reason, f"{place}, reason"),
            "source": row.source, "matched": row.matched, "evidence": row.evidence, "file_sha256": row.file_sha256,
            "at": row.at, "by": show.show(F.STAFF, row.by, f"{place}, by"),
        }  # fmt: skip


def discrepancies(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    verified = chosen.rows(Verification, DataClass.VERIFICATION).order_by()
    rows = Discrepancy.objects.filter(verification__in=verified).select_related("verification")
    for row in rows.order_by("found_at", "pk"):
        place, party = f"facts/discrepancies, {row.verification.reference}, {row.field}", row.subject
        yield {
            "verification": row.verification.reference, "field": row.field,
            "stated": show.show_of(party, F.IDENTITY_NUMBER, clear(row.stated), f"{place}, stated"),
            "found": show.show_of(party, F.IDENTITY_NUMBER, clear(row.found), f"{place}, found"),
            "found_at": row.found_at, "settled_how": show.show(F.NOTE, row.settled_how, f"{place}, settled how"),
            "settled_by": show.show(F.STAFF, row.settled_by, f"{place}, settled by"), "settled_at": row.settled_at,
        }  # fmt: skip


def external_checks(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    verified = chosen.rows(Verification, DataClass.VERIFICATION).order_by()
    rows = ExternalCheck.objects.filter(verification__in=verified).select_related("verification")
    for row in rows.order_by("asked_at", "pk"):
        place, party = f"facts/external_checks, {row.reference}", row.subject
        yield {
            "check": row.reference, "verification": row.verification.reference, "verifier": row.verifier_title,
            "their_reference": row.their_reference, "asked_about": row.asked_about,
            "question": show.show_of(party, F.DOCUMENT_IMAGE, clear(row.question), f"{place}, question"),
            "asked_at": row.asked_at, "asked_by": show.show(F.STAFF, row.asked_by, f"{place}, asked by"),
            "handed_over_at": row.handed_over_at, "due_at": row.due_at, "state": row.state, "ended_at": row.ended_at,
        }  # fmt: skip


def external_answers(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    """What stands in the files below answers/, and how each came; the signature's headers prove who sent it."""
    rows = chosen.rows(ExternalAnswer, DataClass.VERIFICATION).select_related("check_asked")
    for row in rows.order_by("received_at", "pk"):
        yield {
            "answer": row.reference, "check": row.check_asked.reference, "received_at": row.received_at,
            "signed_at": row.signed_at, "headers": row.headers, "sha256": row.sha256, "size": row.size,
            "state": row.state, "result": row.result, "matched": row.matched, "differing": row.differing,
        }  # fmt: skip


CUSTOMER_TABLES: tuple[tuple[str, str, DataClass, Maker], ...] = (
    ("customers", "Customers and accounts", DataClass.SUBSCRIBER, customers),
    ("names", "Further names", DataClass.SUBSCRIBER, names),
    ("addresses", "Addresses", DataClass.SUBSCRIBER, addresses),
    ("contacts", "Ways to reach the customer", DataClass.SUBSCRIBER, contacts),
    ("payments", "Means of payment", DataClass.PAYMENT, payments),
    ("identities", "Identity", DataClass.IDENTITY, identities),
    ("documents", "Identity documents", DataClass.IDENTITY, documents),
    ("owners", "Owners", DataClass.OWNERSHIP, owners),
    ("certifications", "Certifications of owners", DataClass.OWNERSHIP, certifications),
    ("verifications", "Verifications", DataClass.VERIFICATION, verifications),
    ("methods", "Methods and their results", DataClass.VERIFICATION, methods),
    ("checks", "Checks and their answers", DataClass.VERIFICATION, checks),
    ("discrepancies", "What disagreed", DataClass.VERIFICATION, discrepancies),
    ("external_checks", "Checks by outside verifiers", DataClass.VERIFICATION, external_checks),
    ("external_answers", "Answers of outside verifiers", DataClass.VERIFICATION, external_answers),
)


def made(tables: Sequence[tuple[str, str, DataClass, Maker]], chosen: Chosen, show: Redactor) -> Iterator[FactTable]:
    """The tables for which something was approved; a table without rows is left out."""
    for name, title, data_class, maker in tables:
        rows = list(maker(chosen, show)) if chosen.has(data_class) else []
        if rows:
            yield FactTable(name, title, data_class, tuple(rows[0]), rows)
