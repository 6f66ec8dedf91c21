"""Refuse what would rest on an address alone; the rule itself stands in cases/rules/address_alone.py (R18, R41)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from accounts.flows.address_alone import AddressAlone
from accounts.models import Account, RiskSignal
from cases.flows import review
from cases.models import Case, CaseCheck, MeasureHit
from cases.rules.address_alone import WHAT_ELSE, hit_rests_on_address_alone, rests_on_address_alone
from cases.rules.outcomes import Consequence


def looked_at(cases: Iterable[Case]) -> dict[UUID, set[str]]:
    """By case the codes of the points that are done and not excused; one query."""
    found = defaultdict(set)
    done = CaseCheck.objects.standing().filter(case__in=list(cases), excused_why="")
    for case, item in done.values_list("case_id", "item"):
        found[case].add(item)
    return found


def require_more(account: Account, consequence: Consequence, rests_on: Mapping, points: Collection[str]) -> None:
    """Raises AddressAlone when nothing else speaks for the decision. `rests_on` is what is kept with it."""
    if rests_on_address_alone(consequence, rests_on, points):
        raise AddressAlone(f"Only where accesses came from speaks against {account.reference}. {WHAT_ELSE}")


def require_more_for_hit(hit: MeasureHit) -> None:
    """The same for the judgement that a special measure applies."""
    flags = RiskSignal.objects.open().filter(account=hit.account_id).values_list("code", flat=True)
    cases = Case.objects.exclude(status__in=review.ENDED).filter(subjects__account=hit.account_id)
    points = set().union(*looked_at(cases).values())
    if hit_rests_on_address_alone(hit.evidence, list(flags), points):
        raise AddressAlone(f"Only where accesses came from ties {hit.account.reference} to the measure. {WHAT_ELSE}")
