"""A reseller's roster as its manager reads it: whom it states as customers today, and each through time (R24, R64)."""

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from kyc_portal.staff.typed import is_sound
from resellers.models import Reseller, RosterEntry
from resellers.views import bound

PER_PAGE = 50
MOST_VERSIONS = 50
SEALED = ("email", "birth_date", "registration_number")


class SearchForm(forms.Form):
    """A customer number, or the beginning of a name. Sent in the body: names have no place in an address."""

    sought = forms.CharField(max_length=100, label="Customer number, or the beginning of the name")


def roster(request):
    """The customers in force, by number; a search finds some of them. The cost of a page is that of its rows."""
    if request.user.is_staff:
        return redirect("admin:index")
    own = list(Reseller.objects.visible_to(request.user).order_by("reference"))
    chosen = bound.chosen(own, request.GET.get("reseller", ""))
    form = SearchForm(request.POST) if request.method == "POST" else SearchForm()
    rows, following = [], ""
    entries = RosterEntry.objects.filter(reseller=chosen).in_force() if chosen else RosterEntry.objects.none()
    searched = form.is_bound and is_sound(form)
    if searched:
        sought = form.cleaned_data["sought"]
        entries = entries.filter(Q(number=sought) | Q(name__istartswith=sought))
    elif after := request.GET.get("after", ""):
        entries = entries.filter(number__gt=_number_of(entries, after))
    if not form.is_bound or searched:
        rows = list(_shown(entries)[: PER_PAGE + 1])
        following = rows[PER_PAGE - 1].reference if len(rows) > PER_PAGE else ""
    context = {
        "title": "Customers", "form": form, "rows": rows[:PER_PAGE], "following": following, "searched": searched,
        "resellers": own, "chosen": chosen, "after": request.GET.get("after", ""),
        "reseller": chosen.reference if chosen else "", "crumbs": [{"label": "Customers"}],
    }  # fmt: skip
    return render(request, "resellers/roster.html", context)


def _number_of(entries: QuerySet, reference: str) -> str:
    """Where a page goes on; a reference that is none of these begins from the start."""
    return entries.filter(reference=reference).values_list("number", flat=True).first() or ""


def _shown(entries: QuerySet) -> QuerySet:
    return entries.order_by("number").defer(*SEALED, "name_key", "email_key", "registration_key", "digest")


def one(request, reference):
    """One customer: what is stated today or was last, what was stated before, and who sublets from it."""
    if request.user.is_staff:
        return redirect("admin:index")
    visible = RosterEntry.objects.visible_to(request.user).filter(from_at__isnull=False)
    entry = visible.select_related("reseller__account", "upload").filter(reference=reference).first()
    if entry is None:
        raise Http404
    same = visible.filter(reseller=entry.reseller, number=entry.number).select_related("upload")
    below = visible.filter(reseller=entry.reseller, parent_number=entry.number).in_force()
    context = {
        "title": entry.name, "entry": entry, "reseller": entry.reseller.reference,
        "sealed": {column: value.reveal() for column in SEALED if (value := getattr(entry, column))},
        "versions": list(same.order_by("-from_at", "pk")[:MOST_VERSIONS]),
        "below": list(_shown(below)[:PER_PAGE]),
        "crumbs": [{"label": "Customers", "url": reverse("resellers:roster")}, {"label": entry.reference}],
    }  # fmt: skip
    return render(request, "resellers/customer.html", context)
