"""The smallest file that a retention rule can judge: a party with an address, kept two years after it was made."""

from datetime import date, datetime

from accounts.models import Account, Address, Party
from kyc_portal.calendars import keep_through
from kyc_portal.records.retention import Period, RetentionRule
from tests.conftest import NOON


def make_party(*, at: datetime = NOON, **changes) -> Party:
    given = {"kind": "individual", "legal_name": "Maria Example", "national_id": "123456789"}
    party = Party.objects.create(created_at=at, changed_at=at, **{**given, **changes})
    Address.objects.create(party=party, kind="residence", lines="1 Long Street", country="DE")
    return party


def make_account(party: Party) -> Account:
    return Account.objects.create(party=party, source="test", created_at=NOON)


def periods(party: Party) -> list[Period]:
    made_on = party.created_at.date()
    short = Period("short", keep_through(made_on, years=1), "one year after it was made.")
    return [short, Period("long", keep_through(made_on, years=2), "two years after it was made.")]


def made_before(as_of: date):
    return Party.objects.filter(created_at__date__lt=as_of)


RULE = RetentionRule(
    code="tests_party",
    title="Parties of the tests",
    covers=(Party, Address),
    why="Only the tests know it.",
    candidates=made_before,
    periods=periods,
    guarded=lambda party: [party],
    contents=lambda party: [Address.objects.filter(party=party.pk), Party.objects.filter(pk=party.pk)],
    subjects=lambda party: [party.pk],
)
