"""Assign, close and decide the cases selected in the queue: ask once, do it, say what became of each."""

from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import BadRequest
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from cases.admin.forms import AssignForm, CloseForm, SignForm, signatures_in_words
from cases.flows import bulk
from cases.models import Case
from cases.rules.outcomes import REASONS, OutcomeCode
from kyc_portal.refusal import Refusal
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.typed import is_sound

LISTED = 100  # of the selected cases on the page that asks


class BulkCloseForm(CloseForm):
    field_order = ("why",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["why"].choices = [("", "Choose a reason"), *self.fields["why"].choices]


class BulkDecideForm(SignForm):
    """One outcome and one reason for every account of the selected cases."""

    outcome = forms.ChoiceField(label="Outcome", choices=[("", "Choose an outcome"), *OutcomeCode.choices()])
    reason = forms.ChoiceField(
        label="Reason", choices=[("", "Choose a reason"), *((each.code, each.title) for each in REASONS.values())]
    )
    field_order = ("outcome", "reason", "at_once")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["outcome"].help_text = signatures_in_words(list(OutcomeCode))


def assign(request):
    """Give the selected cases to a colleague."""
    return _ask_and_act(request, "Give to a colleague", AssignForm, bulk.assign)


def close(request):
    """Close the selected cases for one reason."""
    return _ask_and_act(request, "Close cases", BulkCloseForm, bulk.close)


def decide(request):
    """Decide the selected cases alike; what takes two people is proposed."""
    return _ask_and_act(request, "Decide cases", BulkDecideForm, bulk.decide)


def _ask_and_act(request, label: str, form_class, act):
    keys, user = _keys(request), request.user
    if not keys or len(keys) > bulk.MOST_AT_ONCE:
        messages.error(request, f"Select at least one case and at most {bulk.MOST_AT_ONCE}; these are {len(keys):,}.")
        return HttpResponseRedirect(reverse("review:queue"))
    form = form_class(request.POST) if request.POST.get("confirmed") else form_class()
    if form.is_bound and is_sound(form):
        try:
            told = act(keys, **form.cleaned_data, user=user, by=user.as_actor, at=timezone.now())
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return _tell(request, label, told)
    chosen = Case.objects.visible_to(user).filter(pk__in=keys).by_urgency()[:LISTED]
    context = {
        **admin.site.each_context(request), "title": label, "action_label": label, "action_url": request.path,
        "back_url": reverse("review:queue"), "form": form,
        "objects": [{"name": f"{case}: {case.title}", "url": url_of(case)} for case in chosen],
        "hidden": [("confirmed", "1"), *(("case", str(key)) for key in keys)],
        "warning": f"{len(keys):,} cases are selected; the first {LISTED} are listed." if len(keys) > LISTED else "",
    }  # fmt: skip
    return TemplateResponse(request, "admin/actions/confirm.html", context)


def _keys(request) -> list[UUID]:
    try:
        return list(dict.fromkeys(UUID(key) for key in request.POST.getlist("case")))
    except ValueError:
        raise BadRequest("A case was selected by something that is no key.") from None


def _tell(request, label: str, told: list[bulk.Outcome]):
    """The outcome of each, the refused ones first."""
    done = sum(outcome.is_done for outcome in told)
    context = {
        **admin.site.each_context(request), "title": label, "done": done, "refused": len(told) - done,
        "rows": told,
    }  # fmt: skip
    return TemplateResponse(request, "cases/bulk_done.html", context)
