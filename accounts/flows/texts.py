"""Take in what people typed: one verdict for forms, files and commands (trust.md section 3, rows C and E12)."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from django.db import models
from django_countries import countries

from accounts.formats.text import find_fault, is_blank, shown
from accounts.rules.numbers import mask_card_numbers
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

EARLIEST = date(1900, 1, 1)


class BadField(Refusal):
    """A value cannot be stored; the sentence begins with the field's name."""


class Texts:
    """Checks texts one by one and remembers in which fields a card number was masked, for the audit trail."""

    def __init__(self):
        self.masked: list[str] = []

    def line(self, field: str, value: str, limit: int) -> str:
        """One line of free text, exactly as typed but for card numbers; "" when it shows nothing."""
        return self._free(field, value, limit, one_line=True)

    def lines(self, field: str, value: str, limit: int) -> str:
        """Free text of several lines."""
        return self._free(field, value, limit, one_line=False)

    def _free(self, field: str, value: str, limit: int, *, one_line: bool) -> str:
        clean = code(field, value, limit, one_line=one_line)
        masked = mask_card_numbers(clean)
        if masked != clean:
            self.masked.append(field)
        return masked

    def record_masked(self, about: models.Model, *, by: Actor, at: datetime) -> None:
        """Write one event naming the fields in which a card number was masked, if there are any."""
        if events := self.events(about, by=by, at=at):
            audit.write(events)

    def events(self, about: models.Model, *, by: Actor, at: datetime) -> list[AuditEvent]:
        """That event, not written yet; no event when nothing was masked."""
        if not self.masked:
            return []
        return [audit.draft(Verb.CARD_MASKED, about, by=by, at=at, fields=", ".join(sorted(set(self.masked))))]


def code(field: str, value: str, limit: int, *, one_line: bool = True) -> str:
    """A number or key that is kept exactly as typed; "" when it shows nothing. Raises BadField."""
    if fault := find_fault(value, limit, one_line=one_line):
        raise BadField(f"{field} {fault}.")
    return "" if is_blank(value) else value


def required(field: str, value: str) -> str:
    """The value, or BadField when it is empty."""
    if not value:
        raise BadField(f"{field} is empty. Enter it.")
    return value


def country(field: str, value: str) -> str:
    """A country as two capital letters, or "". Raises BadField for anything ISO 3166 does not list."""
    value = value.strip().upper()
    if value and (not value.isascii() or value not in countries):
        raise BadField(f"{field} {shown(value)} is no country code. Use the two letters of ISO 3166, such as DE.")
    return value


def chosen(field: str, value: str, choices: type[StrEnum] | type[models.TextChoices]) -> str:
    """A value of a closed list. Raises BadField."""
    known = [choice.value for choice in choices]
    if value not in known:
        raise BadField(f"{field} {shown(value)} is not known. Use one of: {', '.join(known)}.")
    return str(value)


def past_day(field: str, value: date | None, today: date) -> date | None:
    """A day from 1900 until today, or None. Raises BadField."""
    if value is None:
        return None
    if value < EARLIEST:
        raise BadField(f"{field} {value} lies before 1900. Correct it.")
    if value > today:
        raise BadField(f"{field} {value} lies in the future. Correct it.")
    return value


def percentage(field: str, value: Decimal) -> Decimal:
    """A share from 0 to 100 with at most four decimals. Raises BadField."""
    try:
        value = Decimal(value)
        fits = value.is_finite() and 0 <= value <= 100 and value == round(value, 4)
    except (InvalidOperation, TypeError, ValueError):
        fits = False
    if not fits:
        raise BadField(f"{field} must be a number from 0 to 100 with at most four decimals.")
    return value
