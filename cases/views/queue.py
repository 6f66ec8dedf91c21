"""The review queue: what waits, by clock and weight; next case; views people keep."""

from datetime import date, datetime
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from cases.admin import case_page
from cases.flows import next_case, queue_rows, saved_views
from cases.models import Case, SavedView
from cases.models.case import CaseKind
from cases.rules.desks import Desk
from cases.rules.queue_filters import BadFilter, Filters, View, read_filters
from cases.rules.stages import CaseStatus
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.policy_table import page_named
from kyc_portal.staff.templatetags.marks import badge, clock_words, tone_class, visible

NOUGHT = "CSE-0000-0000"
KINDS = dict(CaseKind.choices)
STATES = {status.value: badge(status.label, tone) for status, tone in case_page.STATUS_TONES.items()}
SIGNED = badge(case_page.SIGNED, case_page.STATUS_TONES[CaseStatus.PROPOSED])
BULK = (("assign", "Give to …"), ("decide", "Decide …"), ("close", "Close …"))


def due_in_words(line: queue_rows.Line, at: datetime, today: date) -> SafeString:
    """The moment a case is due: by the hour on its own day, with the tone of a clock."""
    local = timezone.localtime(line.due_at)
    tone, words = "", clock_words(line.due_on, today)
    if line.due_at <= at:
        tone, words = "danger", f"overdue since {local:%H:%M}" if line.due_on == today else words
    elif line.due_on == today:
        tone, words = "warning", f"due today at {local:%H:%M}"
    return format_html(
        '<span class="clock clock-own {}" title="{}"><strong>{}</strong></span>',
        tone_class(tone), f"{local:%-d %b %Y, %H:%M}", words,
    )  # fmt: skip


def as_row(line: queue_rows.Line, at: datetime, today: date, base: str) -> dict:
    """One line of the queue; `base` is the address of a case with a nought for its reference."""
    return {
        "key": line.key.hex,
        "reference": line.reference,
        "url": base.replace(NOUGHT, line.reference),
        "kind": KINDS[line.kind],
        "desk": "" if line.desk == Desk.REVIEW else Desk(line.desk).label,
        "customers": visible(case_page.customers_in_words(line.customers)),
        "why": visible(case_page.why_in_words(line.proposed, line.flags, line.title)),
        "state": SIGNED if line.undo_until else STATES[line.status],
        "who": visible(line.who or ""),
        "weight": line.weight,
        "due": due_in_words(line, at, today),
        "asleep": line.snoozed_until if line.snoozed_until and line.waits_from > at else None,
    }


def address(filters: Filters, *, base: str = "", **more: str) -> str:
    """`base` spares the look for the queue's address where many are made."""
    query = urlencode({**filters.as_codes(), **more})
    return f"{base or reverse('review:queue')}{'?' if query else ''}{query}"


def show(request):
    """The queue; a filter or a place that does not exist is a 400 with what there is."""
    at, user = timezone.now(), request.user
    try:
        filters = read_filters(request.GET, KINDS)
        after = queue_rows.Place.read(request.GET["after"]) if request.GET.get("after") else None
    except Refusal as refusal:
        raise BadRequest(str(refusal)) from None
    found, has_more = queue_rows.page_of(queue_rows.of_view(user, filters, at), after)
    base, here, today = reverse("review:case", args=[NOUGHT]), reverse("review:queue"), legal_day(at)
    counts = queue_rows.counts(user, filters, at)
    context = {
        **admin.site.each_context(request),
        "title": "Review queue",
        "rows": [as_row(line, at, today, base) for line in found],
        "filters": filters,
        "views": [
            {
                "label": view.label, "count": counts[view.value], "is_on": filters.view == view,
                "url": address(filters.with_(view=view.value), base=here),
            }
            for view in View
        ],
        "choices": [_choices(filters, "kind", CaseKind.choices, here), _choices(filters, "desk", Desk.choices(), here)],
        "saved": _saved(user),
        "shared_with": saved_views.ROLES,
        "start_url": address(filters) if after else "",
        "more_url": address(filters, after=queue_rows.Place.of(found[-1]).written()) if has_more else "",
        "may_work": bool(next_case.desks_of(user)),
        "may_break_in": page_named("review:break_in").opens_to(user, "GET"),
        "bulk": [
            (reverse(f"review:{name}"), label)
            for name, label in BULK
            if page_named(f"review:{name}").opens_to(user, "POST")
        ],
        "hidden_filters": filters.as_codes(),
    }  # fmt: skip
    return TemplateResponse(request, "cases/queue.html", context)


def _choices(filters: Filters, name: str, choices, base: str) -> dict:
    options = [("", f"any {name}"), *choices]
    chosen = getattr(filters, name)
    return {
        "title": name,
        "chosen": dict(options)[chosen],
        "is_on": bool(chosen),
        "options": [
            (label, address(filters.with_(**{name: code}), base=base), code == chosen) for code, label in options
        ],
    }


def _saved(user) -> list[dict]:
    shown = []
    for view in SavedView.objects.of(user).select_related("owner"):
        try:
            filters = saved_views.filters_of(view)
        except BadFilter:  # a code that is gone by now
            continue
        is_mine = view.owner_id == user.pk
        shown.append({
            "name": view.name, "url": address(filters), "key": view.pk if is_mine else "",
            "shared": view.shared_with if is_mine else f"of {view.owner}",
        })  # fmt: skip
    return shown


def take_next(request):
    """Take and lock the most urgent case and open it; when nothing waits, back to the queue, which says so."""
    at, left = timezone.now(), _case_left(request)
    try:
        case = next_case.next_case(user=request.user, besides=left, at=at)
    except Refusal as refusal:
        messages.info(request, str(refusal))
        return HttpResponseRedirect(reverse("review:queue"))
    messages.success(request, f"{case.reference} is yours.")
    return HttpResponseRedirect(reverse("review:case", args=[case.reference]))


def _case_left(request) -> Case | None:
    key = request.POST.get("left", "")
    if not key:
        return None
    try:
        return Case.objects.visible_to(request.user).filter(pk=UUID(key)).first()
    except ValueError:
        raise BadRequest("The case you leave is named by something that is no key.") from None


def save_view(request):
    """Keep the filters sent along under a name."""
    try:
        filters = read_filters(request.POST, KINDS)
        view = saved_views.save(
            owner=request.user, name=request.POST.get("name", ""), filters=filters,
            shared_with=request.POST.get("shared_with", ""), by=request.user.as_actor, at=timezone.now(),
        )  # fmt: skip
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("review:queue"))
    with_whom = f", and {view.shared_with} sees it too" if view.shared_with else ""
    messages.success(request, f"The view “{view.name}” stands under Views{with_whom}.")
    return HttpResponseRedirect(address(filters))


def let_view_go(request, saved):
    """Delete a view of one's own; another's is as unknown as one that never was."""
    view = SavedView.objects.filter(pk=saved, owner=request.user).first()
    if view is None:
        raise Http404
    saved_views.let_go(view, owner=request.user, by=request.user.as_actor, at=timezone.now())
    messages.success(request, f"The view “{view.name}” is gone.")
    return HttpResponseRedirect(reverse("review:queue"))
