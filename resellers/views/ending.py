"""The end of a relationship as the reseller's managers read it: what becomes of their customers (R62).

Only once two people have decided. Where a customer goes is not said: of other resellers they learn nothing.
"""

from django.db.models import Count, Q
from django.shortcuts import redirect, render

from resellers.models import Termination, TerminationStep
from resellers.rules.ending import EndState, Outcome, StepState
from resellers.views.accounts import page_number

PER_PAGE = 50

OUTCOME_WORDS = {
    Outcome.MIGRATE: "goes on without you",
    Outcome.DIRECT: "goes on without you",
    Outcome.CLOSE: "is closed",
    Outcome.SUSPEND: "is stopped",
}
DONE, TO_COME = ("done", "good"), ("to come", "info")  # why something waits is between us


def own(request):
    """The ends of this person's relationships, newest first, with a page of the customers of the newest."""
    if request.user.is_staff:
        return redirect("admin:index")
    ends = list(_ends(request.user))
    page = page_number(request.GET.get("page", ""))
    rows, has_more = _rows(ends[0], page) if ends else ([], False)
    context = {
        "title": "End of the relationship", "ends": ends, "rows": rows, "page": page, "earlier": page - 1,
        "later": page + 1 if has_more else 0, "crumbs": [{"label": "End of the relationship"}],
        "is_running": bool(ends) and ends[0].state == EndState.UNDER_WAY,
    }  # fmt: skip
    return render(request, "resellers/ending.html", context)


def _ends(user):
    done = Count("steps", filter=Q(steps__state=StepState.DONE.value))
    rows = Termination.objects.visible_to(user).select_related("reseller").annotate(total=Count("steps"), done=done)
    return rows.order_by("-decided_at", "pk")


def _rows(end: Termination, page: int) -> tuple[list[dict], bool]:
    """One page; a customer that is theirs no more is named by the account's reference alone."""
    first = (page - 1) * PER_PAGE
    steps = TerminationStep.objects.filter(termination=end).select_related("link__account__party").only(
        "outcome", "state", "link__reseller", "link__ended_at", "link__account__reference",
        "link__account__party__legal_name",
    )  # fmt: skip
    found = list(steps.order_by("link__added_at", "pk")[first : first + PER_PAGE + 1])
    return [_row(end, step) for step in found[:PER_PAGE]], len(found) > PER_PAGE


def _row(end: Termination, step: TerminationStep) -> dict:
    is_theirs = step.link.reseller_id == end.reseller_id and step.link.ended_at is None
    words, tone = DONE if step.state == StepState.DONE else TO_COME
    return {
        "reference": step.link.account.reference, "name": step.link.account.party.legal_name if is_theirs else "",
        "outcome": OUTCOME_WORDS[Outcome(step.outcome)], "words": words, "tone": tone,
    }  # fmt: skip
