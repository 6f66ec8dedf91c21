"""The pages on which a reseller's manager certifies customers, and withdraws what was certified (R63)."""

import uuid
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import statement_on
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.templatetags.marks import Badge, moment
from kyc_portal.staff.typed import is_sound
from resellers.flows import certification as flows
from resellers.flows import coverage
from resellers.models import Certification, CertifiedEntry, Reseller, RosterEntry
from resellers.rules.certification import (
    ActState,
    Evidence,
    LineEnd,
    Outcome,
    RosterState,
    Scope,
    state_on,
)
from resellers.views.bound import PER_PAGE, binding_of, chosen, part_of, signed_too_late

MOST_SHOWN = 50
WHOM = (
    ("chosen", "those ticked in the list"),
    ("page", "all on this page"),
    ("all", "all of your roster that can be certified"),
)
TABS = (
    ("", "All"), (RosterState.NEVER, "Never certified"), (RosterState.BROKEN, "Record changed"),
    (RosterState.LAPSED, "Lapsed"), (RosterState.SOON, "Lapse soon"), (RosterState.CERTIFIED, "Certified"),
    (RosterState.WITHDRAWN, "Withdrawn"),
)  # fmt: skip
STATE_WORDS = {
    RosterState.NEVER: ("never certified", "warning"),
    RosterState.BROKEN: ("not certified: the record changed", "danger"),
    RosterState.LAPSED: ("lapsed", "danger"),
    RosterState.SOON: ("lapses soon", "warning"),
    RosterState.CERTIFIED: ("certified", "good"),
    RosterState.WITHDRAWN: ("withdrawn", ""),
}
SEALED = ("email", "birth_date", "registration_number", "name_key", "email_key", "registration_key", "digest")


class SignForm(forms.Form):
    """What is signed of the customers chosen in the list beside it."""

    whom = forms.ChoiceField(label="Whom you certify", choices=WHOM, initial="chosen", widget=forms.RadioSelect)
    scope = forms.ChoiceField(label="What you vouch for", choices=Scope.choices(), widget=forms.RadioSelect)
    evidence = forms.MultipleChoiceField(
        label="What it rests on", choices=Evidence.choices(), widget=forms.CheckboxSelectMultiple,
        help_text="Choose all that apply to every customer you certify here.",
    )  # fmt: skip


class WithdrawForm(forms.Form):
    """What no longer holds, and why."""

    which = forms.ChoiceField(
        label="What you withdraw", initial="chosen", widget=forms.RadioSelect,
        choices=[("chosen", "for the customers ticked in the list"), ("all", "for all of them")],
    )  # fmt: skip
    why = forms.CharField(max_length=500, label="Why", help_text="The provider reads this.")


@dataclass(frozen=True)
class Shown:
    """One customer of the roster with where it stands."""

    entry: RosterEntry
    state: RosterState
    badge: Badge
    until: date | None


def certification(request):
    """The roster by state, and the form by which customers on it are certified."""
    if request.user.is_staff:
        return redirect("admin:index")
    own = list(Reseller.objects.visible_to(request.user).order_by("reference"))
    named = request.GET.get("reseller", "")
    is_own = any(each.reference == named for each in own)
    if not is_own and (answer := signed_too_late(request, Reseller.objects.filter(reference=named))):
        return answer
    reseller, at = chosen(own, named), timezone.now()
    if reseller is None:
        return _not_bound(request, "Certification")
    form = SignForm(request.POST) if request.method == "POST" else SignForm()
    if form.is_bound and is_sound(form):
        try:
            act = _certify(request, reseller, form.cleaned_data, at)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return HttpResponseRedirect(reverse("resellers:certified", args=[act.reference]))
    return render(request, "resellers/certification.html", _list_context(request, own, reseller, form, legal_day(at)))


def _not_bound(request, title: str):
    context = {"title": title, "crumbs": [{"label": title}]}
    return render(request, "resellers/not_bound.html", context)


def _certify(request, reseller: Reseller, given: dict, at) -> Certification:
    """Hand what was typed to the flow; which rows the page showed is a hidden part of the form."""
    fields = {"chosen": request.POST.getlist("entry"), "page": request.POST.getlist("shown"), "all": None}
    try:
        key = uuid.UUID(request.POST.get("form_key", ""))
    except ValueError:
        raise flows.SentBefore("The form is not whole. Load the page again to sign anew.") from None
    act = flows.certify(
        reseller, entries=fields[given["whom"]], scope=given["scope"], evidence=given["evidence"],
        statement_number=request.POST.get("statement", ""), binding=binding_of(request.user, reseller), form_key=key,
        by=request.user.as_actor, at=at,
    )  # fmt: skip
    if act.state == ActState.DONE:
        messages.success(request, _told(act))
    return act


def _told(act: Certification) -> str:
    certified = f"{act.certified_count} of {act.total_count} customers are certified until {act.lapses_on:%-d %B %Y}."
    return f"{certified} Why the others are not stands below." if act.refused_count else certified


def _list_context(request, own: list[Reseller], reseller: Reseller, form: SignForm, today: date) -> dict:
    regime, state = regime_on(today), request.GET.get("state", "")
    near, asked = coverage.soon_on(today, regime), {key: request.GET.get(key, "") for key in ("after", "before")}
    rows = coverage.in_state(coverage.with_state(reseller), state, today=today, soon_on=near).defer(*SEALED)
    part = part_of(rows, "number", lambda row: row.reference, begins=_number_of(reseller, asked), **asked)
    here = {"reseller": reseller.reference, **({"state": state} if state in STATE_WORDS else {})}
    base, given = f"?{urlencode({'reseller': reseller.reference})}", {key: ref for key, ref in asked.items() if ref}
    return {
        "title": "Certification", "crumbs": [{"label": "Certification"}], "reseller": reseller.reference,
        "resellers": own, "chosen": reseller, "form": form, "today": today,
        "rows": [_shown(row, today, near) for row in part.rows], "part": part,
        "base_all": base, "base": f"?{urlencode(here)}", "address": f"?{urlencode(here | given)}",
        "tabs": [(f"{base}&state={code}", words, code == here.get("state", "")) for code, words in TABS],
        "ticked": set(request.POST.getlist("entry")), "statement": statement_on(StatementKind.DOWNSTREAM, today),
        "form_key": _key_of(request), "certifiable": form.is_bound or bool(part.rows), "filtered": "state" in here,
    }  # fmt: skip


def _key_of(request) -> str:
    """The key of a form shown again stays: nothing came of it yet, and sent twice it must be one act."""
    try:
        return str(uuid.UUID(request.POST.get("form_key", "")))
    except ValueError:
        return str(uuid.uuid4())


def _number_of(reseller: Reseller, asked: dict) -> str:
    """The customer at which the list goes on; a reference that is none of these begins from the start."""
    reference = asked["before"] or asked["after"]
    if not reference:
        return ""
    rows = RosterEntry.objects.filter(reseller=reseller, reference=reference, from_at__isnull=False)
    return rows.values_list("number", flat=True).first() or ""


def _shown(row: RosterEntry, today: date, near: date) -> Shown:
    state = state_on(today, near, row.until, row.latest)
    return Shown(row, state, Badge(*STATE_WORDS[state]), row.until)


# --- acts that were signed --------------------------------------------------------------------------------------------


def acts(request):
    """What was signed for this person's resellers, the newest first."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = Certification.objects.visible_to(request.user).select_related("reseller").order_by("-signed_at", "pk")
    context = {
        "title": "Certifications signed", "rows": [(row, act_badge(row)) for row in rows[:MOST_SHOWN]],
        "today": legal_day(timezone.now()), "most": MOST_SHOWN,
        "crumbs": [{"label": "Certification", "url": reverse("resellers:certification")}, {"label": "Signed"}],
    }  # fmt: skip
    return render(request, "resellers/certifications.html", context)


def act_badge(act: Certification) -> Badge:
    """Where an act stands, in a word."""
    if act.withdrawn_at is not None:
        return Badge("withdrawn", "")
    if act.state != ActState.DONE:
        return Badge(act.get_state_display(), "info")
    if act.lapses_on < legal_day(timezone.now()):
        return Badge("lapsed", "danger")
    return Badge("signed", "good") if act.certified_count else Badge("nobody certified", "warning")


def one(request, reference):
    """One act: how far it is, what came of each customer, and the form that withdraws it."""
    if request.user.is_staff:
        return redirect("admin:index")
    rows = Certification.objects.filter(reference=reference).select_related("reseller", "statement", "citation")
    act = rows.visible_to(request.user).first()
    if act is None:
        if answer := signed_too_late(request, Reseller.objects.filter(certifications__in=rows)):
            return answer
        raise Http404
    form = WithdrawForm(request.POST) if request.method == "POST" else WithdrawForm()
    if form.is_bound and is_sound(form):
        try:
            _withdraw(request, act, form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"What you withdrew of {act.reference} no longer holds.")
            return HttpResponseRedirect(reverse("resellers:certified", args=[act.reference]))
    return render(request, "resellers/certified.html", _act_context(request, act, form))


def _withdraw(request, act: Certification, given: dict) -> None:
    entries = request.POST.getlist("entry") if given["which"] == "chosen" else None
    flows.withdraw(
        act, entries=entries, why=given["why"], binding=binding_of(request.user, act.reseller),
        by=request.user.as_actor, at=timezone.now(),
    )  # fmt: skip


LISTS = {
    "": ("All", lambda lines: lines),
    "standing": ("Certified now", lambda lines: lines.standing()),
    "ended": ("Ended", lambda lines: lines.filter(ended_at__isnull=False)),
    "refused": ("Not certified", lambda lines: lines.exclude(outcome=Outcome.CERTIFIED.value)),
}


def _act_context(request, act: Certification, form: WithdrawForm) -> dict:
    today, wanted = legal_day(timezone.now()), request.GET.get("show", "")
    wanted = wanted if wanted in LISTS else ""
    asked = {key: request.GET.get(key, "") for key in ("after", "before")}
    lines = LISTS[wanted][1](act.lines.select_related("entry").defer(*(f"entry__{name}" for name in SEALED)))
    part = part_of(lines, "number", lambda line: line.entry.reference, begins=_number_of(act.reseller, asked), **asked)
    base = f"?show={wanted}"
    return {
        "title": act.reference, "reseller": act.reseller.reference, "act": act, "badge": act_badge(act), "form": form,
        "lines": [(line, _line_badge(line, today), _line_words(line)) for line in part.rows], "part": part,
        "base": base, "tabs": [(f"?show={code}", words, code == wanted) for code, (words, _) in LISTS.items()],
        "is_running": act.state != ActState.DONE, "ticked": set(request.POST.getlist("entry")),
        "stands": act.state != ActState.DONE or act.lines.in_force(today).exists(), "per_page": PER_PAGE,
        "crumbs": [
            {"label": "Certification", "url": reverse("resellers:certification")},
            {"label": "Signed", "url": reverse("resellers:certifications")}, {"label": act.reference},
        ],
    }  # fmt: skip


def _line_badge(line: CertifiedEntry, today: date) -> Badge:
    """Where one customer of an act stands."""
    if line.outcome != Outcome.CERTIFIED:
        return Badge("not certified", "" if line.outcome == Outcome.ALREADY else "danger")
    if line.ended_at is not None:
        is_renewed = line.ended_why == LineEnd.RENEWED
        return Badge("renewed") if is_renewed else Badge(line.get_ended_why_display(), "warning")
    return Badge("certified", "good") if line.lapses_on >= today else Badge("lapsed", "danger")


def _line_words(line: CertifiedEntry):
    """What the badge leaves open: until when, since when not, or what to do."""
    if line.outcome != Outcome.CERTIFIED:
        return line.get_outcome_display()
    if line.ended_at is not None:
        return line.why or format_html("on {}", moment(line.ended_at))
    return format_html("until {}", moment(line.lapses_on))
