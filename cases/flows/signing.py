"""Who may add the second signature to a decision: somebody else in every respect (requirement R37).

Not who proposed it, nor who stands in for them or for whom they stand in, nor a key of theirs; and where the account
is taken away, not who had the case in the last days either.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import Q

from cases.models import Absence, Assignment, Decision
from cases.rules.outcomes import consequence_of
from kyc_portal.four_eyes import require_second_person
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.staff.models import StaffMember

UNINVOLVED = "uninvolved_days"  # the name of a number in the policy, not the number
ROLES_GIVE = "django.contrib.auth.backends.ModelBackend"


def require_may_sign(decision: Decision, by: Actor, *, at: datetime) -> None:
    """Raises SecondPersonNeeded with a sentence that says why not, and who could."""
    barred = barred_from_signing(decision, at=at)
    out = {decision.proposed_by_key, *barred}
    require_second_person(
        decision.proposed_by_key, by, deed=decision.reference, barred=barred,
        could=lambda: who_could("cases.decide", out, at=at),
    )  # fmt: skip


def barred_from_signing(decision: Decision, *, at: datetime) -> dict[str, str]:
    """By the key of each person who may not countersign although they did not propose it, the sentence why."""
    barred = stand_ins(decision.proposed_by_key, "proposed it", since=decision.proposed_at, at=at)
    if not consequence_of(decision.outcome, decision.reason).is_grave:
        return barred
    days = regime_on(legal_day(at)).whole(UNINVOLVED)
    since = at - regime_on(legal_day(at)).days(UNINVOLVED)
    had = Assignment.objects.filter(Q(to_at__isnull=True) | Q(to_at__gte=since), case=decision.case)
    why = (
        f"You had {decision.case.reference} in the last {days} days, and whoever signs what takes an account away "
        "comes to it fresh."
    )
    return {str(key): why for key in had.values_list("user_id", flat=True).distinct().order_by()} | barred


def stand_ins(key: str, did: str, *, since: datetime, at: datetime) -> dict[str, str]:
    """By key whoever stood in for this person, or had them stand in, on any day from `since` on; with the sentence.

    `did` is what the person did, as the sentence says it ("proposed it").
    """
    if not key.isdigit():  # only people stand in for each other
        return {}
    days = Absence.objects.filter(stands_in__isnull=False, from_on__lte=legal_day(at), to_on__gte=legal_day(since))
    days = days.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since)).select_related("user", "stands_in")
    found = {}
    for row in days.filter(Q(user=key) | Q(stands_in=key)).order_by("pk"):
        if str(row.user_id) == key:
            found[str(row.stands_in_id)] = f"You stand in for {row.user}, who {did}."
        else:
            found[str(row.user_id)] = f"{row.stands_in}, who {did}, stands in for you."
    return found


def who_could(permission: str, out: Collection[str], *, at: datetime) -> Iterator[str]:
    """The user names of those who hold the right by a role and are here today, without these keys."""
    people = StaffMember.objects.with_perm(permission, backend=ROLES_GIVE, include_superusers=False)
    away = Absence.objects.on(legal_day(at)).values("user")
    here = people.exclude(pk__in=away).exclude(pk__in=[key for key in out if key.isdigit()])
    return iter(here.distinct().order_by("username").values_list("username", flat=True))
