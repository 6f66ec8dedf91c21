"""The first page of a reseller's manager: whether they may bring customers, and what is due (R55, R59, R64)."""

from django.shortcuts import redirect, render
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from resellers.flows import file
from resellers.models import Reseller, Termination
from resellers.views.due import due_for

MOST_SHOWN = 20


def overview(request):
    """What is due, soonest first, and how each of this person's resellers stands. Staff have their own pages."""
    if request.user.is_staff:
        return redirect("admin:index")
    today = legal_day(timezone.now())
    resellers = Reseller.objects.visible_to(request.user).select_related("account__party").order_by("reference")
    shown = [
        {"reseller": reseller, "name": reseller.account.party.legal_name, "may_sell": _may_sell(reseller, today)}
        for reseller in resellers[:MOST_SHOWN]
    ]
    due = [{"due": each, "clock": each.clock(today)} for each in due_for(request.user, today)]
    context = {
        "title": "What is due", "resellers": shown, "due": due, "several": len(shown) > 1,
        "ends": Termination.objects.visible_to(request.user).exists(),
        "reseller": shown[0]["reseller"].reference if len(shown) == 1 else "",
    }  # fmt: skip
    return render(request, "resellers/overview.html", context)


def _may_sell(reseller: Reseller, today) -> bool:
    return file.standing_of(reseller, on=today).may_sell
