"""How many customers a manager's own resellers have in each country, as of any day (R64)."""

from django import forms
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.admin.forms import day_field
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.typed import is_sound
from resellers.flows import counts
from resellers.models import Reseller
from resellers.views.cip import reseller_or_404


class DayForm(forms.Form):
    """The day to count for."""

    on = day_field("As of the end of", required=True)

    def __init__(self, *args, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_on(self):
        on = self.cleaned_data["on"]
        if on > self.today:
            raise forms.ValidationError(f"{on} lies in the future. Choose a day until today.")
        return on


def own(request):
    """The counts of this person's resellers together, or of one of them (?reseller=). Staff have their own page."""
    if request.user.is_staff:
        return redirect("admin:index")
    today, chosen = legal_day(timezone.now()), request.GET.get("reseller", "")
    rows = Reseller.objects.visible_to(request.user)
    one = reseller_or_404(request, chosen) if chosen else None
    form, found = DayForm({"on": request.GET.get("on", today.isoformat())}, today=today), []
    if is_sound(form):
        found = counts.counts_on(form.cleaned_data["on"], resellers=[one] if one else rows)
    shown = [counts.row_of(each) for each in found]
    total = counts.row_of(counts.sum_of(found), "All countries") if found else []
    context = {
        "title": "My customers by country", "form": form, "head": counts.head(), "rows": shown, "total": total,
        "bars": [(each.name, each.total, "") for each in found[:MOST_BARS]], "chosen": chosen,
        "resellers": list(rows.order_by("reference").values_list("reference", flat=True)),
        "reseller": one.reference if one else "", "crumbs": [{"label": "Customers by country"}],
    }  # fmt: skip
    return render(request, "resellers/counts.html", context)


MOST_BARS = 30
