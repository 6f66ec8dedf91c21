"""The page on which a case is worked from its first look to its decision, by keyboard alone if one likes (R41).

Each form carries the version of the case that was shown: who sends one after somebody else changed the case is
refused, reads what changed, and finds what they typed in the form.
"""

import re
from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Subquery
from django.forms import Form
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.admin import seen_before
from cases.admin import case_page, proposals, workspace_page
from cases.admin.decision import signed_in_words
from cases.admin.report import reports_section
from cases.admin.workspace_forms import (
    AnswerForm,
    CaseDeclineForm,
    CaseNoteForm,
    CaseProposeForm,
    CaseSignForm,
    CheckForm,
)
from cases.flows import checklist, locks, merging, review, together, workspace
from cases.flows.effects import UNDO
from cases.flows.next_case import desks_of
from cases.models import Case, Decision
from cases.models.case import CaseKind
from cases.rules.access_summary import summarise
from cases.rules.stages import DecisionState
from kyc_portal.policy.current import number_on
from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.actions import where_sealed
from kyc_portal.staff.policy_table import act as row_of
from kyc_portal.staff.policy_table import page_named, right_to_see
from kyc_portal.staff.record_admin import url_of_button
from kyc_portal.staff.sections import Badge, Clock, for_viewer, url_of
from kyc_portal.staff.typed import is_sound

FORMS = {
    "take": Form, "note": CaseNoteForm, "check": CheckForm, "propose": CaseProposeForm,
    "countersign": CaseSignForm, "decline": CaseDeclineForm, "withdraw": AnswerForm, "undo": AnswerForm,
}  # fmt: skip
SEES_ACCESS = right_to_see("accounts.accessrecord")
VERSION = re.compile(r"[0-9a-f-]{0,36}\.[0-9a-f]{16}")
ON_PAGE = {"take", "note", "propose", "countersign", "decline", "withdraw", "undo"}  # buttons that stand here as forms


def address_of(case: Case) -> str:
    return reverse("review:case", args=[case.reference])


def _case_or_404(request, reference: str) -> Case:
    """The case, if it exists for this person."""
    minutes = number_on(UNDO, legal_day(timezone.now()))
    found = merging.with_merge(Case.objects.visible_to(request.user)).annotate(undo_minutes=Subquery(minutes))
    case = found.select_related("assigned_to", "lock__user").filter(reference=reference).first()
    if case is None:
        raise Http404
    return case


def show(request, reference):
    """The page; looking keeps one's lock, and is counted."""
    at = timezone.now()
    answer = _older(request, reference) if "before" in request.GET else _page(request, reference)
    case = answer.context_data["case"]
    audit.record_view(case, by=request.user.as_actor, at=at)
    _keep_lock(case, request.user, at)
    return answer


def _keep_lock(case: Case, user, at) -> None:
    """Whoever has the case locked and looks at it keeps the lock; asked only when it is somewhat old."""
    held = getattr(case, "lock", None)
    if held is not None and held.user_id == user.pk and at - held.seen_at >= locks.TOUCHED_EVERY:
        locks.touch(case, user, at=at)


def act(request, reference, name):
    """Do one thing to the case as it was shown; what is refused is said on the page, which keeps what was typed."""
    case = workspace_page.load(_case_or_404(request, reference))
    if not _row(name).may(request.user, case):
        raise PermissionDenied
    shown, form = request.POST.get("version", ""), _form(name, case, request.POST)
    if is_sound(form) and not VERSION.fullmatch(shown):
        form.add_error(None, "The form does not say what you were shown. Nothing was done; look, and send it again.")
    if form.errors:
        return _page(request, reference, {name: form})
    at, user = timezone.now(), request.user
    deed = partial(DEEDS[name], case, user=user, by=user.as_actor, at=at, **form.cleaned_data)
    try:
        told = workspace.unless_changed(case, shown=shown, deed=deed, by=user.as_actor, at=at)
    except workspace.ChangedSince as refusal:
        form.add_error(None, str(refusal))
        return _page(request, reference, {name: form}, changed=refusal.events, status=409)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _page(request, reference, {name: form})
    locks.touch(case, user, at=at)
    messages.success(request, f"{told} {where_sealed(request)}".strip())
    return HttpResponseRedirect(address_of(case))


def _row(name: str):
    """The row of the policy table that judges this act on a case."""
    return row_of("cases.case", page_named(f"review:case_{name}").act)


# --- what is done; each is one call of a flow ---------------------------------------------------------------------


def _take(case, *, user, by, at):
    review.take(case, user=user, at=at)
    return f"{case.reference} is yours."


def _note(case, *, user, by, at, text):
    review.add_note(case, text=text, by=by, at=at)
    return f"The note stands in {case.reference}."


def _check(case, *, user, by, at, item, how, excused_why):
    if how == "back":
        checklist.take_back(case, item=item, by=by, at=at)
        return "The point stands as not done."
    checklist.answer(case, item=item, excused_why=excused_why if how == "excuse" else "", by=by, at=at)
    return "The point is left out, with its reason." if how == "excuse" else "The point is done."


def _propose(case, *, user, by, at, **chosen):
    made = checklist.propose(case, **chosen, by=by, at=at)
    if made.state == DecisionState.PROPOSED:
        return f"{made.reference} waits for a second person."
    return signed_in_words(made)


def _countersign(case, *, user, by, at, decisions, at_once):
    signed = together.countersign(case, references=decisions, at_once=at_once, by=by, at=at)
    return " ".join(signed_in_words(each) for each in signed)


def _undo(case, *, user, by, at, decisions):
    undone = together.undo(case, references=decisions, by=by, at=at)
    return f"{_in_words(undone)} undone. Decide anew, or not at all."


def _decline(case, *, user, by, at, decisions, why):
    return f"{_in_words(together.decline(case, references=decisions, why=why, by=by, at=at))} declined."


def _withdraw(case, *, user, by, at, decisions):
    return f"{_in_words(together.withdraw(case, references=decisions, by=by, at=at))} withdrawn."


def _in_words(answered: list[Decision]) -> str:
    return f"{', '.join(each.reference for each in answered)} {'are' if len(answered) > 1 else 'is'}"


DEEDS = {
    "take": _take, "note": _note, "check": _check, "propose": _propose, "countersign": _countersign,
    "decline": _decline, "withdraw": _withdraw, "undo": _undo,
}  # fmt: skip


# --- the page -----------------------------------------------------------------------------------------------------


def _form(name: str, case: Case, data=None, *, meant=(), auto_id: str = ""):
    """`meant` are references of the decisions that the form answers."""
    known = {"record": case} if getattr(FORMS[name], "wants_record", False) else {}
    if getattr(FORMS[name], "wants_minutes", False):
        known["minutes"] = int(case.undo_minutes)
    if meant:
        known["initial"] = {"decisions": list(meant)}
    return FORMS[name](data, auto_id=auto_id or f"{name}_%s", **known)


def _page(request, reference: str, sent: dict | None = None, *, changed=(), status: int = 200):
    """`sent` is the form that was refused, by its name; `changed` the events that came between."""
    at, user, sent = timezone.now(), request.user, sent or {}
    case = _case_or_404(request, reference)
    newest = list(workspace.changes_of(case)[: workspace.READ])
    workspace_page.load(case)
    chosen = _chosen(case, request.GET.get("account", ""))
    found = _accesses(chosen, user)
    of_account = chosen if user.has_perm(right_to_see("accounts.account")) else None
    sections = [
        workspace_page.signals_section(case, user), *_reports(case, user), workspace_page.subject_section(case, chosen),
        *([workspace_page.links_section(chosen)] if user.has_perm(right_to_see("accounts.party")) else []),
        *([seen_before.section(chosen.party)] if chosen else []),
        case_page.documents_section(case), case_page.hits_section(case),
        *(workspace_page.access_sections(chosen, found) if user.has_perm(SEES_ACCESS) else []),
        workspace_page.timeline_section(case, of_account, found, newest=newest),
    ]  # fmt: skip
    seen = [section for each in sections if (section := for_viewer(each, user)) is not None]
    points = workspace_page.checklist(case)
    may = {name: _may(name, case, user) for name in FORMS}
    asked = [name for name in FORMS if name not in proposals.LABELS]
    forms = {name: sent.get(name) or _form(name, case) for name in asked if may[name] or name in sent}
    refused = next(iter(sent.values()), None)
    listed = case.listed_decisions
    decision = for_viewer(case_page.decision_facts(case, next(iter(listed), None), listed), user)
    answers = [name for name in proposals.LABELS if may[name]]
    waiting = proposals.groups_of(case, user, may=answers, sent=sent, make=partial(_form, case=case))
    undo_until = merging.undo_until(case, case.listed_decisions, at)
    context = {
        **admin.site.each_context(request), "title": f"{case.reference}: {case.title}", "case": case,
        "page_head": _head(case, at), "primary_action": None,
        "more_actions": _buttons(request, case, undo_until is not None),
        "version": workspace.version_of(newest), "sections": seen, "points": points,
        "left_over": sum(1 for point in points if point["answer"] is None),
        "notes": case_page.notes_of(case), "forms": forms, "form": refused,
        "changed": [
            {"sentence": audit.as_sentence(event), "actor": event.actor_label, "at": event.at} for event in changed
        ],
        "may_work": case.assigned_to_id == user.pk and case.status not in review.ENDED,
        "decision": decision, "waiting": waiting,
        "work": _work(case, at), "record_url": url_of(case),
        "readers": list(case.readers.standing().select_related("user").order_by("pk")) if case.is_restricted else [],
        "may_next": bool(desks_of(user)), "check_url": reverse("review:case_check", args=[case.reference]),
        "excuses": CheckForm.base_fields["excused_why"].choices,
        "undo_until": undo_until, "sent_check": sent["check"].data if "check" in sent else {},
    }  # fmt: skip
    answer = TemplateResponse(request, "cases/workspace.html", context, status=status)
    answer["Cache-Control"] = "no-store, private"
    return answer


def _older(request, reference: str):
    """A further page of the timeline, alone."""
    case = workspace_page.load(_case_or_404(request, reference))
    chosen = _chosen(case, request.GET.get("account", ""))
    found = _accesses(chosen, request.user)
    chosen = chosen if request.user.has_perm(right_to_see("accounts.account")) else None
    try:
        section = workspace_page.timeline_section(case, chosen, found, before=request.GET["before"])
    except Refusal as refusal:
        raise BadRequest(str(refusal)) from None
    context = {
        **admin.site.each_context(request), "title": f"{case.reference}: earlier", "case": case,
        "sections": [for_viewer(section, request.user)],
    }  # fmt: skip
    return TemplateResponse(request, "cases/workspace_older.html", context)


def _accesses(account, user):
    """The newest accesses, for who may see access records."""
    return workspace.newest_accesses(account) if account and user.has_perm(SEES_ACCESS) else summarise(())


def _chosen(case: Case, wanted: str):
    """The account that was asked for, else the first."""
    accounts = [subject.account for subject in case.listed_subjects]
    return next((account for account in accounts if account.reference == wanted), accounts[0] if accounts else None)


def _reports(case: Case, user) -> list:
    if case.kind == CaseKind.LEGAL or not user.has_perm(right_to_see("cases.abusereport")):
        return []
    found = reports_section(case)
    return [found] if case.kind == CaseKind.ABUSE or found.rows else []


def _may(name: str, case: Case, user) -> bool:
    """Whether a form stands on the page for this person now; the flow still refuses what must not be."""
    row = _row(name)
    if not (row.may(user, case) and row.fits(case)):
        return False
    if name == "take":
        return case.assigned_to_id is None
    if name == "propose":
        return case.assigned_to_id == user.pk and len(case.listed_subjects) > len(case.unfinished)
    return True


def _head(case: Case, at) -> dict:
    marks = [Badge(case.get_kind_display()), case_page.state_badge(case, case.listed_decisions)]
    if case.is_restricted:
        marks.append(Badge("restricted to named people", "warning"))
    clock = Clock(case.due_on, what="decision").seen_on(legal_day(at)) if case.status not in review.ENDED else None
    return {"reference": case.reference, "title": case.title, "badges": marks, "clock": clock}


def _buttons(request, case: Case, may_undo: bool) -> list[dict]:
    """The buttons of the case's page in the admin that are no form here."""
    screen = admin.site.get_model_admin(Case)
    shown = [each for each in screen.buttons(request, case) if each.name not in ON_PAGE]
    return [
        {"label": each.label, "url": f"{url_of_button(case, each)}?from=work", "enabled": True, "tone": each.tone}
        for each in shown
        if (
            may_undo and each.row.is_offered(request.user, case) if each.name == "undo_merge"
            else each.is_offered(request.user, case)
        )
    ]  # fmt: skip


def _work(case: Case, at) -> list[tuple]:
    held = getattr(case, "lock", None)
    seen = f"{held.user}, on {timezone.localtime(held.seen_at):%-d %b at %H:%M}" if held else ""
    rows = [
        ("Who", f"{case.assigned_to} works it" if case.assigned_to_id else "nobody has it"),
        ("Last at work", seen if held and held.released_at is None else ""), ("Desk", case.get_desk_display()),
        ("Due", case.due_at if case.status not in review.ENDED else ""), ("Weight", case.weight),
        ("Opened", case.opened_at),
    ]  # fmt: skip
    return [row for row in rows if row[1] != ""]
