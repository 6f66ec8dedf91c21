"""Who is away: enter one's own absence, a lead reviewer also that of others; end it."""

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from cases.admin.forms import AssignForm, day_field
from cases.flows import absences
from cases.models import Absence
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.typed import is_sound

MOST_LISTED = 200


class OwnForm(forms.Form):
    from_on = day_field(label="First day away")
    to_on = day_field(label="Last day away", help_text="Cases go back into the queue when the absence begins.")
    stands_in = forms.CharField(
        label="Who stands in", max_length=150, required=False,
        help_text="User name; may stay empty. Neither of the two signs what the other proposed.",
    )  # fmt: skip

    def clean_stands_in(self):
        if not self.cleaned_data["stands_in"].strip():
            return None
        self.cleaned_data["to"] = self.cleaned_data["stands_in"]
        return AssignForm.clean_to(self)


class OfOthersForm(OwnForm):
    """For who gives cases to others."""

    who = forms.CharField(label="Who", max_length=150, help_text="User name.")
    field_order = ("who", "from_on", "to_on", "stands_in")

    def clean_who(self):
        self.cleaned_data["to"] = self.cleaned_data["who"]
        return AssignForm.clean_to(self)


def show(request):
    """The absences that are not over, and a form for another; own ones only for who does not give cases to others."""
    user, at = request.user, timezone.now()
    is_lead = user.has_perm("cases.assign")
    kind = OfOthersForm if is_lead else OwnForm
    form = kind(request.POST) if request.method == "POST" else kind(initial={"who": user.get_username()})
    if form.is_bound and is_sound(form):
        days = {name: form.cleaned_data[name] for name in ("from_on", "to_on", "stands_in")}
        who = form.cleaned_data.get("who", user)
        try:
            made = absences.enter(user=who, **days, by=user.as_actor, at=at)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{made.user} is away from {made.from_on} through {made.to_on}.")
            return HttpResponseRedirect(reverse("review:absences"))
    rows = Absence.objects.filter(ended_at__isnull=True, to_on__gte=legal_day(at)).select_related("user", "stands_in")
    if not is_lead:
        rows = rows.filter(user=user)
    context = {
        **admin.site.each_context(request), "title": "Absences", "form": form,
        "rows": rows.order_by("from_on", "user__username")[:MOST_LISTED],
    }  # fmt: skip
    return TemplateResponse(request, "cases/absences.html", context)


def end(request, absence):
    """End an absence; another's does not exist for who does not give cases to others."""
    absence = Absence.objects.filter(pk=absence).select_related("user").first()
    if absence is None or (absence.user_id != request.user.pk and not request.user.has_perm("cases.assign")):
        raise Http404
    try:
        absences.end(absence, by=request.user.as_actor, at=timezone.now())
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{absence.user} is back.")
    return HttpResponseRedirect(reverse("review:absences"))
