"""When a reseller's year is over, and what its attestation names as not in order (R63)."""

from datetime import date

from kyc_portal.calendars import add_days, add_months

GAPS = {
    "not_verified": "customers whose verification is not stated in full",
    "not_certified": "customers who are not certified",
}


def period_due(begins: date, on: date, months: int) -> tuple[date, date] | None:
    """The first and last day of the period that was over before `on`; None while none is.

    Of several that went by unopened it is one, to the end of the latest: they are attested together.
    """
    turns, ends = 1, None
    while (last := add_days(add_months(begins, turns * months), -1)) < on:
        ends, turns = last, turns + 1
    return (begins, ends) if ends else None
