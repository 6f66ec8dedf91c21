"""How far a reseller's customers are certified, and what follows where they are not (R61, R63): queries, no change."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from kyc_portal.policy.current import Regime
from kyc_portal.records.clock import legal_day
from resellers.flows.counts import Measure
from resellers.models import CertifiedEntry, Reseller, RosterEntry
from resellers.rules.certification import LineEnd, Outcome, RosterState


@dataclass(frozen=True)
class Coverage:
    """How many customers a reseller has, how many of them are certified, and how many should be and are not."""

    total: int
    certified: int
    late: int

    @property
    def percent_certified(self) -> int:
        """In whole percent, rounded down, so that 100 means all of them."""
        return self.certified * 100 // self.total if self.total else 0


def in_force(on: date) -> Exists:
    """Of a row of the roster: whether it is certified on a day."""
    return Exists(CertifiedEntry.objects.in_force(on).filter(entry=OuterRef("pk")))


def held_at(moment: datetime) -> Exists:
    """Of a row of the roster: whether it was certified at a moment, whatever happened since."""
    return Exists(CertifiedEntry.objects.as_of(moment).filter(entry=OuterRef("pk")))


CERTIFIED = Measure("certified", "certified", "not certified", lambda moment: Q(held_at(moment)))


def coverage_of(reseller: Reseller, *, on: date, regime: Regime) -> Coverage:
    """Count a reseller's customers in one query; who is new or stated anew has some days before it is late."""
    rows = RosterEntry.objects.in_force().filter(reseller=reseller)
    found = rows.aggregate(
        total=Count("pk"),
        certified=Count("pk", filter=in_force(on)),
        late=Count("pk", filter=_is_late(on, regime)),
    )
    return Coverage(**found)


def _is_late(on: date, regime: Regime) -> Q:
    """Of a row in force: the customer was stated before the days there are to certify it, and it is not certified.

    Stating it anew gives no new time, nor does leaving the roster and coming back; only a broken certification does.
    """
    first_day = on - regime.days("certification_days")
    begins = datetime(first_day.year, first_day.month, first_day.day, tzinfo=ZoneInfo(settings.LEGAL_TIME_ZONE))
    same = {"reseller": OuterRef("reseller"), "number": OuterRef("number")}
    stated_before = RosterEntry.objects.filter(**same, from_at__lt=begins)
    broken_since = CertifiedEntry.objects.filter(
        **same, ended_at__gte=begins, ended_why__in=[LineEnd.CHANGED.value, LineEnd.GONE.value]
    )
    return ~in_force(on) & Q(Exists(stated_before)) & ~Q(Exists(broken_since))


def with_late_customers(resellers: QuerySet[Reseller], *, on: date, regime: Regime) -> QuerySet[Reseller]:
    """Of these resellers those with a customer who should be certified by now and is not."""
    late = RosterEntry.objects.in_force().filter(_is_late(on, regime), reseller=OuterRef("pk"))
    return resellers.filter(Exists(late))


def is_not_certified(account: Account, at: datetime) -> str | None:
    """The guard of opening: an account brought by a reseller opens while its customer on the roster is certified."""
    link = getattr(account, "sold_through", None)
    if link is None or link.ended_at is not None:
        return None
    seller, today = link.reseller, legal_day(at)
    rows = RosterEntry.objects.in_force().filter(reseller=seller, account=account)
    row = rows.annotate(is_certified=in_force(today)).order_by("-is_certified", "number").first()
    if row is None:
        return (
            f"No customer on the roster of {seller.reference} names this account, so nobody certified it. Ask the "
            f"reseller to send the customer's row with {account.reference}."
        )
    if row.is_certified:
        return None
    return (
        f"{row.reference}, this customer on the roster of {seller.reference}, is not certified. Ask the reseller's "
        f"manager to certify it."
    )


# --- the roster by state ----------------------------------------------------------------------------------------------


def with_state(reseller: Reseller) -> QuerySet[RosterEntry]:
    """The roster of today; `until` is the last day of what stands, `ended_why` how the latest before that ended."""
    standing = CertifiedEntry.objects.standing().filter(entry=OuterRef("pk"))
    before = CertifiedEntry.objects.filter(
        reseller=reseller, number=OuterRef("number"), outcome=Outcome.CERTIFIED.value, ended_at__isnull=False
    )
    latest = before.order_by("-ended_at", "-pk").values("ended_why")[:1]
    rows = RosterEntry.objects.in_force().filter(reseller=reseller)
    return rows.annotate(until=Subquery(standing.values("lapses_on")[:1]), latest=Coalesce(Subquery(latest), Value("")))


def in_state(rows: QuerySet[RosterEntry], state: str, *, today: date, soon_on: date) -> QuerySet[RosterEntry]:
    """Of `with_state` those in one state, as rules.certification.state_on tells it of one; all for any other word."""
    none = Q(until__isnull=True)
    conditions = {
        RosterState.CERTIFIED: Q(until__gt=soon_on),
        RosterState.SOON: Q(until__gte=today, until__lte=soon_on),
        RosterState.LAPSED: Q(until__lt=today) | none & Q(latest=LineEnd.LAPSED.value),
        RosterState.BROKEN: none & Q(latest__in=[LineEnd.CHANGED.value, LineEnd.GONE.value]),
        RosterState.WITHDRAWN: none & Q(latest=LineEnd.WITHDRAWN.value),
        RosterState.NEVER: none & Q(latest__in=["", LineEnd.RENEWED.value]),
    }
    return rows.filter(conditions[state]) if state in conditions else rows


def soon_on(today: date, regime: Regime) -> date:
    """Up to which last day a certification is to be renewed soon."""
    return today + timedelta(days=regime.whole("certification_soon_days"))
