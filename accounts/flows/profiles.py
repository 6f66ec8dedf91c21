"""Gather how an account is used: its days of access, and single accesses where days alone do not suffice (R18, R46).

Which countries have a special measure is told by the app above: `tell_of_measures`.
"""

from collections.abc import Callable, Mapping
from datetime import date

from accounts.models import Account
from accounts.models.party import AddressKind, UsStatus
from accounts.rules.journeys import Visit, span_to_read
from accounts.rules.profile import AccessLimits, AccessRow, Profile, profile_of, window
from accounts.rules.us_status import BY_LOCATION
from kyc_portal.policy.current import Regime
from kyc_portal.records.clock import legal_day

Measures = Callable[[date], Mapping[str, tuple[str, ...]]]
_TELLERS: list[Measures] = []  # of the apps above

COLUMNS = (
    "day", "kind", "public", "country", "network", "anonymiser", "count", "hours", "first_at", "last_at",
)  # fmt: skip

# Relatives and contact persons say nothing of where the product is used, nor do a force's own post offices.
NOT_ITS_PLACE = (AddressKind.CONTACT_PERSON, AddressKind.APO_FPO)


def tell_of_measures(teller: Measures) -> None:
    """Add what names, on a day, the special measures by jurisdiction: references by country, in a fixed number of
    queries."""
    if teller not in _TELLERS:
        _TELLERS.append(teller)


def measured_countries(on: date) -> dict[str, tuple[str, ...]]:
    """The references of special measures recorded or in effect, by country."""
    found: dict[str, tuple[str, ...]] = {}
    for teller in _TELLERS:
        for country, references in teller(on).items():
            found[country] = found.get(country, ()) + tuple(references)
    return found


def limits_of(regime: Regime) -> AccessLimits:
    """The figures for accesses. Raises NoSuchFigure for a profile of somebody's own that lacks one."""
    return AccessLimits(
        least_days=regime.whole("access_profile_least_days"),
        least_records=regime.whole("access_profile_least_records"),
        usual_percent=regime.number("access_usual_percent"),
        quiet_days=regime.whole("access_quiet_days"),
        speed_kmh=regime.whole("travel_speed_kmh"),
        tolerance_km=regime.whole("travel_tolerance_km"),
        clock_minutes=regime.whole("travel_clock_minutes"),
        admin_least_records=regime.whole("admin_elsewhere_least_records"),
        burst_days=regime.whole("burst_days"),
        burst_factor=regime.number("burst_factor"),
        burst_least_records=regime.whole("burst_least_records"),
        elsewhere_percent=regime.number("use_elsewhere_percent"),
        us_percent=regime.number("us_location_percent"),
    )


def rows_of(account: Account, *, on: date, regime: Regime) -> tuple[AccessRow, ...]:
    """The account's days of access in the policy's window that ends on a day; one query."""
    rows = account.access_days.filter(day__range=window(on, regime.whole("access_profile_days")))
    return tuple(AccessRow(*row) for row in rows.order_by().values_list(*COLUMNS))


def profile(account: Account, *, on: date, regime: Regime) -> Profile:
    """What is usual of the account in the window that ends on a day; one query."""
    return profile_of(rows_of(account, on=on, regime=regime), limits_of(regime))


def facts_of(account: Account, *, on: date, regime: Regime) -> dict:
    """What the detectors of accesses look at, by the names in AccountFacts.

    Three queries, those of whoever tells of measures, and one more where the days leave an impossible way open.
    """
    party, rows = account.party, rows_of(account, on=on, regime=regime)
    return {
        "access_rows": rows,
        "access_visits": _visits(account, rows, regime),
        "measured_countries": measured_countries(on),
        "stated_countries": _stated(account),
        "is_us_person": party.us_status == UsStatus.US,
        "rests_on_location": party.us_basis == BY_LOCATION,
        "us_settled_on": legal_day(party.us_settled_at) if party.us_settled_at else None,
    }


def _visits(account: Account, rows: tuple[AccessRow, ...], regime: Regime) -> tuple[Visit, ...]:
    """The newest accesses of the time that must be read, the policy's number at most; usually no query."""
    span = span_to_read(rows, limits_of(regime))
    if span is None:
        return ()
    records = account.access_records.filter(at__range=span).order_by("-at")[: regime.whole("travel_most_records")]
    return tuple(
        Visit(key, at, principal, country, anonymiser, public=not special_use and address is not None)
        for key, at, principal, country, anonymiser, special_use, address in records.values_list(
            "pk", "at", "principal", "country", "anonymiser", "special_use", "address"
        )
    )


def _stated(account: Account) -> frozenset[str]:
    """Where the customer says the product is used; where it says nothing of that, where it says it is. One query."""
    places = account.party.addresses.exclude(kind__in=NOT_ITS_PLACE).values_list("kind", "country")
    stated = [(kind, str(country)) for kind, country in places if country]
    used = frozenset(country for kind, country in stated if kind == AddressKind.USE_LOCATION)
    return used or frozenset(country for _, country in stated)
