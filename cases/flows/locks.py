"""One person works a case at a time: taken with it, kept by using it, lapsing by itself, taken over with a record.

Taking a case over that somebody holds asks for a reason; one whose lock has lapsed does not. Both are events.
"""

from datetime import datetime, timedelta

from cases.flows import review
from cases.flows.clocks import idle_since
from cases.models import Case, CaseLock
from cases.rules.wording import Worded
from cases.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

TOUCHED_EVERY = timedelta(minutes=1)  # no page writes more often for the same case


class Held(Refusal):
    """Somebody works the case at this moment."""


class NothingToTakeOver(Refusal):
    """Nobody else has the case."""


class TakenOverWhy(Worded):
    """Why a case is taken over from somebody who holds it."""

    CANNOT_WAIT = "cannot_wait", "it cannot wait until they are done"
    AGREED = "agreed", "they agreed"
    AWAY = "away", "they have left their desk"


def live(at: datetime, on=None):
    """The locks that hold at this moment."""
    regime = regime_on(on or legal_day(at))
    return CaseLock.objects.filter(released_at__isnull=True, seen_at__gt=idle_since(regime, at))


def holder(case: Case, at: datetime) -> CaseLock | None:
    """The lock that holds now, or None."""
    return live(at).filter(case=case).select_related("user").first()


def release(cases, *, at: datetime) -> None:
    """Nobody works these cases any more."""
    CaseLock.objects.filter(case__in=cases, released_at__isnull=True).update(released_at=at)


def touch(case: Case, user: StaffMember, *, at: datetime) -> bool:
    """Keep one's own lock alive while one works; whether one has the case locked. Writes at most once a minute."""
    held = CaseLock.objects.filter(case=case, user=user, released_at__isnull=True).first()
    if held is None:
        return False
    if at - held.seen_at >= TOUCHED_EVERY:
        CaseLock.objects.filter(pk=held.pk, user=user, released_at__isnull=True).update(seen_at=at)
    return True


@flow
def take_over(case: Case, *, user: StaffMember, why: str = "", by: Actor, at: datetime) -> Case:
    """Take a case from whoever has it. While they hold its lock a reason (a code) is wanted: raises Held without one.

    Raises NothingToTakeOver when nobody else has it, and what `review.assign` raises for a person or a state.
    """
    if why and why not in list(TakenOverWhy):
        raise review.UnknownWhy(
            f"There is no such reason to take a case over. Choose one of: {', '.join(TakenOverWhy)}."
        )
    case = review.lock_case(case)
    if case.assigned_to_id in (None, user.pk) or by.key != str(user.pk):
        raise NothingToTakeOver(f"Nobody else has {case.reference}. Take it instead.")
    held = holder(case, at)
    is_held = held is not None and held.user_id != user.pk
    if is_held and not why:
        raise Held(
            f"{held.user} works {case.reference} and was there on {held.seen_at:%-d %b %Y at %H:%M} UTC. "
            "Say why you take it over, or wait until they are done."
        )
    before = case.assigned_to.get_username()
    case = review.give(case, user, by=by, at=at)
    audit.record(
        Verb.TAKEN_OVER, case, by=by, at=at, case=case.reference, old=before, why=why or "lapsed", forced=is_held
    )
    return case
