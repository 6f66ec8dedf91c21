"""What the checks of form look at: everything a party stated, opened for as long as they run (R13, R15-R17, R20)."""

from collections.abc import Iterator

from accounts.models import Party
from accounts.models.identity import PaymentKind
from accounts.rules.checks import Answer, Check, Value, run_all
from kyc_portal.records import keys
from kyc_portal.records.sealed import SealedText

PAYMENTS = {PaymentKind.BANK: "iban", PaymentKind.WALLET: "wallet", PaymentKind.CARD: "card"}


def run_checks(party: Party) -> tuple[tuple[Check, Answer], ...]:
    """Run every check on what is on file of a party now; three queries. Nothing is stored."""
    sealed = [row for row in _sealed_of(party) if row[2]]
    if not sealed:
        return ()
    with keys.held([party.pk]):  # it is there, because something is sealed under it
        values = [Value(about, kind, text.reveal(), country) for about, kind, text, country in sealed]
    return run_all([value for value in values if value.kind != "iban" or _is_iban(value.text)])


def _sealed_of(party: Party) -> Iterator[tuple[str, str, SealedText, str]]:
    """(of what, kind of value, value, country) of everything that has a form."""
    country = (party.citizenship or party.formation_country).code or ""
    for field in ("national_id", "registration_number"):
        yield party._meta.get_field(field).verbose_name, field, getattr(party, field), country
    for contact in party.contact_points.order_by("kind", "added_at", "pk"):
        yield contact.get_kind_display(), contact.kind, contact.value, ""
    for payment in party.payment_methods.filter(ended_at__isnull=True, kind__in=PAYMENTS).order_by("added_at", "pk"):
        yield payment.get_kind_display(), PAYMENTS[payment.kind], payment.identifier, payment.country.code or ""


def _is_iban(text: str) -> bool:
    """An account number of a country without IBAN has no check digits of its own to look at."""
    return text[:2].isalpha() and text[2:4].isdigit()
