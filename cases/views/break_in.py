"""Let oneself into a restricted case: by its reference and with a reason, told to the auditors by a grave event."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from cases.flows import readers
from kyc_portal.refusal import Refusal
from kyc_portal.staff.actions import where_sealed
from kyc_portal.staff.stepup import require_recent_login
from kyc_portal.staff.typed import is_sound


class BreakInForm(forms.Form):
    reference = forms.CharField(label="Case", max_length=20, help_text="Its reference, for example CSE-7K3M-9QXD.")
    why = forms.ChoiceField(
        label="Why", choices=[("", "Choose a reason"), *readers.BrokenInWhy.choices()],
        help_text="The case's timeline tells everybody it is open to, and the auditors read it.",
    )  # fmt: skip


@require_recent_login
def show(request):
    """Ask, and open the case; what is not restricted and what never was answer alike."""
    form = BreakInForm(request.POST) if request.method == "POST" else BreakInForm()
    if form.is_bound and is_sound(form):
        try:
            case = readers.break_in(**form.cleaned_data, user=request.user, at=timezone.now())
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.reference} is open to you. {where_sealed(request)}".strip())
            return HttpResponseRedirect(reverse("review:case", args=[case.reference]))
    label = "Open a restricted case"
    context = {
        **admin.site.each_context(request), "title": label, "form": form, "action_label": label,
        "action_url": request.path, "back_url": reverse("review:queue"),
        "warning": "For whoever it was restricted to, you will be one of them from now on, marked as not named.",
    }  # fmt: skip
    return TemplateResponse(request, "admin/actions/confirm.html", context)
