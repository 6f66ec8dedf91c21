"""flow_action: a button that asks on one confirmation page, calls one flow per record, and tells what is now true."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import DatabaseError, models
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from kyc_portal.records import audit, sealing
from kyc_portal.records.keys import KeyProblem
from kyc_portal.refusal import Refusal
from kyc_portal.staff import policy_table, stepup
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.typed import is_sound

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class FlowAction:
    """One button: `run(admin, record, by=, at=, **cleaned)` calls a flow and returns the sentence to show, (sentence,
    record to go to), or a function of the request that gives the page to show instead."""

    name: str
    label: str
    run: Callable
    form: type[forms.Form]
    tone: str = ""
    primary: bool = False
    warning: str = ""
    when: Callable[[models.Model], bool] | None = None
    initial: Callable[[models.Model], dict] | None = None
    grave: bool = False
    signs: Callable[[models.Model], str] | None = None  # of a signature: the digest or name of what would be signed
    row: policy_table.Act | None = None  # who may, in which states; `actions_of` fills it in

    def may(self, user, record: models.Model | None = None) -> bool:
        """Whether the policy table lets this person do it, to this record if one is given."""
        return self.row.may(user, record)

    def is_offered(self, user, record: models.Model) -> bool:
        """Whether the button makes sense now and for this person."""
        return self.fits(record) and self.row.is_offered(user, record)

    def fits(self, record: models.Model) -> bool:
        """Whether the button makes sense now; the flow itself still refuses what must not be."""
        return self.row.fits(record) and (self.when is None or self.when(record))

    def form_for(self, request, record: models.Model | None) -> forms.Form:
        """The bound or empty form; a form class with `wants_record` is told the record."""
        known = {"record": record} if getattr(self.form, "wants_record", False) else {}
        if request.method == "POST" and (record is not None or request.POST.get("confirmed")):
            return self.form(request.POST, request.FILES, **known)
        return self.form(initial=self.initial(record) if self.initial and record else None, **known)

    def as_shown(self, request, record: models.Model, *, sent: bool, name: str = "shown") -> dict[str, str]:
        """Of a signature: what lay before whoever signs, as the page carried it once `sent`; of others nothing."""
        if self.signs is None:
            return {}
        return {"shown": request.POST.get(name, "") if sent else self.signs(record)}


def flow_action(
    label: str,
    *,
    form: type[forms.Form] = forms.Form,
    tone: str = "",
    primary: bool = False,
    warning: str = "",
    when: Callable[[models.Model], bool] | None = None,
    initial: Callable[[models.Model], dict] | None = None,
    grave: bool = False,
    signs: Callable[[models.Model], str] | None = None,
):
    """Declare a method of a RecordAdmin as a button on the record's page.

    Who may press it, in which states it is offered and whether it stands in the list's menu too says its row in
    policy_table.py; `when(record)` adds what no column of the record says. `grave` asks for a recent log-in before the
    page that asks. A second signature `signs(record)`, a text that is another once something else would be signed: the
    page that asks carries it, and the method is given it back as `shown`.
    """

    def declare(method):
        method.flow_action = FlowAction(
            method.__name__, label, method, form, tone, primary, warning, when, initial, grave, signs
        )
        return method

    return declare


def declared_buttons(admin_class: type) -> dict[str, FlowAction]:
    """The buttons declared in an admin class, as written, those of its bases first; none knows its row yet."""
    found = {}
    for cls in reversed(admin_class.__mro__):
        for attribute in vars(cls).values():
            if isinstance(getattr(attribute, "flow_action", None), FlowAction):
                found[attribute.flow_action.name] = attribute.flow_action
    return found


def actions_of(admin) -> list[FlowAction]:
    """The buttons of an admin, each with its row of the policy table. Raises LookupError for one without."""
    label = admin.opts.label_lower
    return [replace(each, row=policy_table.act(label, name)) for name, each in declared_buttons(type(admin)).items()]


def _page(
    admin, request, action: FlowAction, form, objects, *, action_url, back_url, hidden=(), sections=()
) -> HttpResponse:
    def told(record):
        return admin.what_is_signed(record, action.name) if action.signs else ""

    return TemplateResponse(
        request,
        "admin/actions/confirm.html",
        {
            **admin.admin_site.each_context(request),
            "title": action.label,
            "opts": admin.opts,
            "form": form,
            "objects": [{"name": str(each), "url": url_of(each), "told": told(each)} for each in objects],
            "action_label": action.label,
            "action_url": action_url,
            "back_url": back_url,
            "warning": action.warning,
            "tone": action.tone,
            "hidden": hidden,
            "sections": sections,
        },
    )


def run_for_one(admin, request, action: FlowAction, record: models.Model) -> HttpResponse:
    """Ask, then do it for one record; what is refused is said on the form, which keeps what was typed."""
    if action.grave and (answer := stepup.ask(request)):
        return answer
    form = action.form_for(request, record)
    shown = action.as_shown(request, record, sent=request.method == "POST")  # before the sections, which may be newer
    back_url = url_of(record)
    if request.method == "POST" and is_sound(form):
        try:
            told = action.run(admin, record, by=request.user.as_actor, at=timezone.now(), **form.cleaned_data, **shown)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            if callable(told):  # a page of its own, which says what is shown once and kept nowhere
                return told(request)
            sentence, target = told if isinstance(told, tuple) else (told, record)
            messages.success(request, f"{sentence} {where_sealed(request)}".strip())
            return HttpResponseRedirect(url_of(target) or back_url)
    sections = admin.before_acting(record, action.name, user=request.user, at=timezone.now())
    sections = admin.for_viewer(request, sections)
    return _page(
        admin, request, action, form, [record], action_url=request.path, back_url=back_url, hidden=shown.items(),
        sections=sections,
    )  # fmt: skip


def where_sealed(request) -> str:
    """After a grave act: where the sealed trail tells of it, so that the person can prove it later; else nothing."""
    events = audit.grave_events_of(request.id)
    if not events:
        return ""
    try:
        found = sealing.receipts(events)
    except (DatabaseError, KeyProblem, sealing.TrailBroken) as error:  # the act itself is done and told of
        log.error("no receipt for request %s (%s)", request.id, type(error).__name__)
        found = []
    if not found:
        return "It is sealed within a minute."
    entries = ", ".join(str(each.entry) for each in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"Sealed as {'entry' if len(found) == 1 else 'entries'} {entries}{more} (root {found[-1].root[:8]})."


def run_for_many(admin, request, queryset: models.QuerySet, *, action: FlowAction) -> HttpResponse | None:
    """Ask once, then do it for each selected record in a transaction of its own; each refusal becomes a message."""
    if action.grave and (answer := stepup.ask(request)):
        return answer
    records = list(queryset[: MOST_AT_ONCE + 1])
    if len(records) > MOST_AT_ONCE:
        messages.error(request, f"Select at most {MOST_AT_ONCE} records at once.")
        return None

    form = action.form_for(request, None)
    sent = bool(request.POST.get("confirmed"))
    shown = {each.pk: action.as_shown(request, each, sent=sent, name=f"shown_{each.pk}") for each in records}
    if not (sent and is_sound(form)):
        chosen = [(ACTION_CHECKBOX_NAME, str(record.pk)) for record in records]
        hidden = [("action", action.name), ("index", "0"), ("confirmed", "1"), *chosen]
        hidden += [(f"shown_{key}", value) for key, each in shown.items() for value in each.values()]
        return _page(admin, request, action, form, records, action_url="", back_url=request.path, hidden=hidden)

    _do_each(admin, request, action, records, form.cleaned_data, shown)
    return None


def _do_each(admin, request, action: FlowAction, records: Sequence[models.Model], cleaned: dict, shown: dict) -> None:
    done = 0
    for record in records:
        if not action.may(request.user, record):
            messages.error(request, f"{record}: your role does not include this.")
            continue
        try:
            action.run(admin, record, by=request.user.as_actor, at=timezone.now(), **cleaned, **shown[record.pk])
        except Refusal as refusal:
            messages.error(request, f"{record}: {refusal}")
        else:
            done += 1
    if done:
        messages.success(request, f"{action.label}: done for {done} of {len(records)}.")


def as_admin_action(action: FlowAction):
    """The action in the form in which Django's list page wants it."""
    function = partial(run_for_many, action=action)
    return function, action.name, action.label
