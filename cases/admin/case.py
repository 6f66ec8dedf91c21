"""The review queue and the page of one case, in the order in which a person decides."""

from django.contrib import admin
from django.db.models import Prefetch
from django.template.defaultfilters import date as in_words
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin import seen_before
from cases.admin import case_page
from cases.admin.appeal import appeals_of_case
from cases.admin.decision import signed_in_words
from cases.admin.forms import (
    AssignForm,
    CloseForm,
    CollectForm,
    EscalateForm,
    NoteForm,
    OpenCaseForm,
    ProposeForm,
    ReopenForm,
    RequestForm,
    SignForm,
    SnoozeForm,
    TakeOverForm,
    WhyForm,
)
from cases.admin.legal_forms import VoluntaryForm
from cases.admin.report import reports_section
from cases.admin.tied_forms import ProposeForSeveralForm, TiedForm, own_cases_section, own_in_words
from cases.admin.workspace_forms import MergeForm, RestrictForm
from cases.flows import (
    bundles,
    checklist,
    decisions,
    desks,
    effects,
    legal_requests,
    locks,
    merging,
    readers,
    review,
    tied,
    triage,
    voluntary,
)
from cases.flows.evidence import accounts_of
from cases.flows.next_case import desks_of
from cases.models import Case, CaseSignal, CaseSubject, Decision
from cases.models.case import CaseKind
from cases.rules.stages import DecisionState
from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.policy_table import right_to_see
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, holds_section, timeline_section
from kyc_portal.staff.templatetags.marks import visible


class QueueFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "unassigned": ("nobody has them", lambda rows, user, today: rows.unassigned()),
        "mine": ("mine", lambda rows, user, today: rows.assigned_to(user)),
        "countersign": (
            "to countersign",
            lambda rows, user, today: rows.filter(
                pk__in=Decision.objects.proposed().exclude(proposed_by_key=str(user.pk)).values("case")
            ),
        ),
        "overdue": ("overdue", lambda rows, user, today: rows.overdue(today)),
        "all": ("decided and closed ones too", lambda rows, user, today: rows),
    }

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": "all that wait"}, *others]

    def queryset(self, request, queryset):
        return queryset.open() if self.value() is None else super().queryset(request, queryset)


def is_open(case: Case) -> bool:
    return case.status not in review.ENDED


def may_be_proposed(case: Case) -> bool:
    """Something is left to decide: an account of the case has no decision that waits or can be undone."""
    return len(case.listed_subjects) > len(case.unfinished)


def has_several_left(case: Case) -> bool:
    """Two accounts at least have no decision that waits or can be undone."""
    return len(case.listed_subjects) - len(case.unfinished) > 1


def proposals_of(case: Case) -> list[Decision]:
    """What waits for a second signature."""
    return [each for each in case.unfinished if each.state == DecisionState.PROPOSED]


def waits_for_signature(case: Case) -> bool:
    """One decision waits. Of several each is answered on its own page, or where the case is worked."""
    return len(proposals_of(case)) == 1


def the_proposal(case: Case) -> str:
    """The reference of what waits, when it is one; what the button answers."""
    waiting = proposals_of(case)
    return waiting[0].reference if len(waiting) == 1 else ""


def can_be_undone(case: Case) -> bool:
    return sum(1 for each in case.unfinished if each.state == DecisionState.SIGNED) == 1


def is_legal(case: Case) -> bool:
    """Requests of authorities stand in cases of their own, and a bundle rests on one."""
    return case.kind == CaseKind.LEGAL


class NothingProposed(Refusal):
    """No decision of the case waits, or more than one does."""


@admin.register(Case)
class CaseAdmin(RecordAdmin):
    list_display = ["reference", "customers", "why_here", "state", "due"]
    list_display_links = ["reference"]
    list_filter = [QueueFilter, "kind", "status"]
    list_select_related = ["assigned_to"]
    search_fields = ["reference", "subjects__account__reference", "subjects__account__party__legal_name"]
    search_help_text = "Reference of the case or account, or name of the customer."
    ordering = ["due_on", "-weight", "opened_at", "pk"]
    logs_views = True
    adding = OpenCaseForm
    add_label = "Open case"

    def get_queryset(self, request):
        """Each row says why it is here, so its flags, customers and proposals come along: four queries for any list."""
        flags = CaseSignal.objects.select_related("signal").order_by("-signal__weight", "pk")
        subjects = CaseSubject.objects.select_related("account__party").order_by("joined_at", "pk")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                Prefetch("signals", flags, to_attr="flags"),
                Prefetch("subjects", subjects, to_attr="listed_subjects"),
                Prefetch("decisions", Decision.objects.unfinished(), to_attr="unfinished"),
            )
        )

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Whoever has the case locked and looks at it keeps the lock."""
        answer = super().change_view(request, object_id, form_url, extra_context)
        locks.touch(answer.context_data["original"], request.user, at=timezone.now())
        return answer

    def do_view(self, request, object_id, name):
        case = self._record_or_404(request, object_id)
        locks.touch(case, request.user, at=timezone.now())
        answer = super().do_view(request, object_id, name)
        return case_page.back_to_work(request, case, answer) if request.GET.get("from") == "work" else answer

    def _record_or_404(self, request, object_id):
        case = super()._record_or_404(request, object_id)
        case.looked_at_by = request.user  # forms name customers to who may see them
        return case

    def add(self, *, by, at, accounts, kind, title):
        return triage.open_by_hand(accounts=accounts, kind=kind, title=title, by=by, at=at)

    @admin.display(description="customers")
    def customers(self, case):
        accounts = [subject.account for subject in case.listed_subjects]
        return case_page.customers_in_words([(account.party.legal_name, account.reference) for account in accounts])

    @admin.display(description="why it is here")
    def why_here(self, case):
        proposed = [(each.proposed_by, each.outcome) for each in proposals_of(case)]
        flags = [flag.signal.sentence for flag in case.flags if flag.signal.answered_at is None]
        return case_page.why_in_words(proposed, flags, case.title)

    @admin.display(description="state", ordering="status")
    def state(self, case):
        mark = case_page.state_badge(case, case.unfinished).__html__()
        return format_html("{} {}", mark, visible(case.assigned_to)) if case.assigned_to_id else mark

    @admin.display(description="due", ordering="due_on")
    def due(self, case):
        return Clock(case.due_on).seen_on(legal_day(timezone.now())).__html__() if is_open(case) else ""

    def page_title(self, case):
        return case.title

    def badges(self, case):
        return [Badge(case.get_kind_display()), case_page.state_badge(case, case.unfinished)]

    def clock(self, case):
        return Clock(case.due_on, what="decision") if is_open(case) else None

    def sections(self, case, *, user, at):
        parties = [subject.account.party for subject in case.listed_subjects]
        parts = [
            case_page.subject_section(case), case_page.signals_section(case), case_page.notes_section(case),
            *([seen_before.section(*parties)] if parties else []),
            case_page.hits_section(case), case_page.documents_section(case), case_page.decisions_section(case),
        ]  # fmt: skip
        if user.has_perm(right_to_see("cases.abusereport")) and not is_legal(case):
            parts.insert(2, reports_section(case))
        if user.has_perm(right_to_see("cases.appeal")):
            parts.append(appeals_of_case(case))
        if user.has_perm(right_to_see("cases.bundle")):
            parts.append(case_page.bundles_section(case))
        if user.has_perm(right_to_see("cases.legalrequest")):
            parts.append(case_page.requests_section(case))
            parts.append(holds_section(case, *accounts_of(case)))
        return [*parts, timeline_section(case)]

    def aside(self, case, *, user, at):
        who = f"{case.assigned_to} works it" if case.assigned_to_id else "nobody has it"
        rows = [
            ("Who", who), ("Since", case.assigned_at), ("Desk", case.get_desk_display()), ("Opened", case.opened_at),
            ("Due", case.due_at if is_open(case) else None), ("Weight", case.weight),
        ]  # fmt: skip
        if held := locks.holder(case, at):
            rows.insert(1, ("Working now", held.user))
        if case.snoozed_until and case.waits_from > at:
            rows.append(("Asleep until", f"{in_words(case.snoozed_until, 'j M Y')}: {case.get_snoozed_why_display()}"))
        url = reverse("review:case", args=[case.reference])
        work = Facts("work", "Work", rows, url=url, url_label="Open the workspace")
        parts = [case_page.decision_section(case), work]
        if desks_of(user):
            parts.append(Html("queue", "Queue", "cases/next_case.html", {"left": case.pk}))
        return parts

    def before_acting(self, case, name, *, user, at):
        """Whoever undoes a decision reads what it says; whoever takes accounts in, which cases they have already."""
        if name == "take_in_tied":
            found = own_cases_section(case, [each.account for each in tied.tied_accounts(case, at=at)])
            return [found] if found else []
        signed = [each for each in case.unfinished if each.state == DecisionState.SIGNED] if name == "undo" else []
        return [case_page.facts_of(signed[0])] if len(signed) == 1 else []

    @flow_action(
        "Take case", primary=True,
        when=lambda case: case.assigned_to_id is None,
    )  # fmt: skip
    def take(self, case, *, by, at):
        review.take(case, user=StaffMember.objects.get(pk=by.key), at=at)
        return f"{case.reference} is yours."

    @flow_action("Take over", form=TakeOverForm, when=lambda case: case.assigned_to_id is not None)
    def take_over(self, case, *, by, at, why):
        locks.take_over(case, user=StaffMember.objects.get(pk=by.key), why=why, by=by, at=at)
        return f"{case.reference} is yours."

    @flow_action("Pass on to another desk", form=EscalateForm)
    def escalate(self, case, *, by, at, desk, why):
        passed = desks.escalate(case, desk=desk, why=why, by=by, at=at)
        return f"{case.reference} lies with the {passed.get_desk_display()} now."

    @flow_action("Let it sleep", form=SnoozeForm)
    def snooze(self, case, *, by, at, until, why):
        asleep = desks.snooze(case, until=until, why=why, by=by, at=at)
        return f"{case.reference} comes back on {in_words(legal_day(asleep.waits_from), 'j F Y')}."

    @flow_action("Wake it", when=lambda case: case.snoozed_until is not None)
    def wake(self, case, *, by, at):
        desks.wake(case, by=by, at=at)
        return f"{case.reference} waits again."

    @flow_action("Propose decision", form=ProposeForm, primary=True, when=may_be_proposed)
    def propose(self, case, *, by, at, **chosen):
        made = checklist.propose(case, **chosen, by=by, at=at)
        if made.state == DecisionState.PROPOSED:
            return f"{made.reference} waits for a second person."
        return signed_in_words(made)

    @flow_action(
        "Take in tied accounts", form=TiedForm,
        warning="Accounts that share rare values with those of this case. Each is still decided by itself.",
    )  # fmt: skip
    def take_in_tied(self, case, *, by, at, accounts):
        tied.take_in(case, accounts=accounts, by=by, at=at)
        told = f"{case.reference} is about {len(accounts)} more account{'s' if len(accounts) > 1 else ''} now."
        own = tied.own_cases(accounts, beside=case)
        told += "".join(own_in_words(each.reference, own.get(each.pk, ())) for each in accounts)
        return f"{told} Merge it here, so that it does not stay open by itself." if own else told

    @flow_action("Propose for several accounts", form=ProposeForSeveralForm, when=has_several_left)
    def propose_several(self, case, *, by, at, **chosen):
        made = tied.propose_for(case, **chosen, by=by, at=at)
        return f"{', '.join(each.reference for each in made)}: one decision for each account."

    def what_is_signed(self, case, name):
        waiting = proposals_of(case)
        return case_page.proposal_in_words(waiting[0]) if len(waiting) == 1 else ""

    @flow_action("Countersign", form=SignForm, primary=True, when=waits_for_signature, signs=the_proposal)
    def countersign(self, case, *, by, at, at_once, shown):
        return signed_in_words(decisions.countersign(_proposal(case, shown), at_once=at_once, by=by, at=at))

    @flow_action("Undo decision", primary=True, when=can_be_undone)
    def undo(self, case, *, by, at):
        return f"{effects.undo(_only_signed(case), by=by, at=at).reference} is undone. Decide anew, or not at all."

    @flow_action("Decline", form=WhyForm, when=waits_for_signature, signs=the_proposal)
    def decline(self, case, *, by, at, why, shown):
        return f"{decisions.decline(_proposal(case, shown), why=why, by=by, at=at).reference} is declined."

    @flow_action("Withdraw proposal", when=waits_for_signature, signs=the_proposal)
    def withdraw(self, case, *, by, at, shown):
        return f"{decisions.withdraw(_proposal(case, shown), by=by, at=at).reference} is withdrawn."

    @flow_action("Write note", form=NoteForm)
    def note(self, case, *, by, at, text):
        review.add_note(case, text=text, by=by, at=at)
        return f"The note stands in {case.reference}."

    @flow_action("Give to a colleague", form=AssignForm)
    def assign(self, case, *, by, at, to):
        review.assign(case, to=to, by=by, at=at)
        return f"{to} works {case.reference}."

    @flow_action(
        "Log legal request", form=RequestForm,
        initial=lambda case: {"accounts": " ".join(subject.account.reference for subject in case.listed_subjects)},
    )  # fmt: skip
    def log_request(self, case, *, by, at, **asked):
        made = legal_requests.log_request(**asked, by=by, at=at)
        return f"{made.reference} is logged in {made.case.reference}. Validate it next.", made

    @flow_action("Collect evidence bundle", form=CollectForm, when=is_legal)
    def collect(self, case, *, by, at, ground, recipient, named=""):
        made = bundles.collect(case, ground=ground, recipient=recipient, named=named, by=by, at=at)
        return f"{made.reference} is collected. Another person approves it.", made

    @flow_action("Choose ground of voluntary disclosure", form=VoluntaryForm, when=is_legal)
    def choose_ground(self, case, *, by, at, ground, facts):
        made = voluntary.propose(case, ground=ground, facts=facts, by=by, at=at)
        return f"{made.reference} is proposed. Nothing is collected on it until another person approves.", made

    @flow_action("Close case", form=CloseForm)
    def close(self, case, *, by, at, why):
        review.close_case(case, why=why, by=by, at=at)
        return f"{case.reference} is closed."

    @flow_action("Open again", form=ReopenForm)
    def reopen(self, case, *, by, at, why):
        reopened = review.reopen(case, why=why, by=by, at=at)
        return f"{case.reference} is {reopened.get_status_display()} again."

    @flow_action("Merge another case into it", form=MergeForm)
    def merge(self, case, *, by, at, other):
        made = merging.merge(case, other=other, by=by, at=at)
        return f"{made.merged.reference} goes on in {case.reference}. Until the first decision it can be undone."

    @flow_action("Undo the merge", when=lambda case: merging.undoable(case, timezone.now()) is not None)
    def undo_merge(self, case, *, by, at):
        made = merging.undo(case, by=by, at=at)
        return f"{made.merged.reference} is a case of its own again."

    @flow_action("Restrict to named people", form=RestrictForm)
    def restrict(self, case, *, by, at, to):
        readers.restrict(case, to=to, by=by, at=at)
        return f"{case.reference} is open to the people you named, and to you."

    @flow_action("Open to everybody again", when=lambda case: case.is_restricted)
    def open_up(self, case, *, by, at):
        readers.open_up(case, by=by, at=at)
        return f"{case.reference} is open to everybody who sees cases of its kind."


def _only_signed(case: Case) -> Decision:
    signed = list(Decision.objects.unfinished().filter(case=case, state=DecisionState.SIGNED.value)[:2])
    if len(signed) != 1:
        raise NothingProposed(
            "Several decisions of this case can be undone. Open the one you mean." if signed
            else "No decision of this case can be undone any more. See its timeline for what became of it."
        )  # fmt: skip
    return signed[0]


def _proposal(case: Case, shown: str) -> Decision:
    """The decision that was shown, whatever became of it meanwhile: the flow refuses what does not wait any more."""
    listed = list(Decision.objects.filter(case=case).order_by("pk"))
    if found := next((each for each in listed if each.reference == shown), None):
        return found
    several = sum(each.state == DecisionState.PROPOSED for each in listed) > 1
    raise NothingProposed(
        "Several decisions of this case wait. Open the one you mean." if several
        else "This page does not name what you were shown. Open the case again and read it first."
    )  # fmt: skip
