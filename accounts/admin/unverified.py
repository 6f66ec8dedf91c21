"""What followed when an identity could not be verified: proposed, signed, watched, asked for redress (R38-R41, R43)."""

from django import forms
from django.contrib import admin
from django.utils import timezone

from accounts.admin.forms import RecordForm, day_field, lines_field, text_field
from accounts.flows import redress
from accounts.flows import unverified as flows
from accounts.models import Account, CouldNotVerify, Objection, Verification
from accounts.rules.unverified import REASON_CHOICES, WORDINGS, Outcome, OutcomeState, fitting
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, Table, notices_section, timeline_section

MOST_SHOWN = 10
NO_NAMES = "No names or numbers of people: everybody who sees the account reads this."
TONES = {
    OutcomeState.PROPOSED: "warning", OutcomeState.IN_EFFECT: "info", OutcomeState.REVERSED: "good",
    OutcomeState.ENDED: "good",
}  # fmt: skip


def _can_be(verification: Verification) -> tuple[Outcome, ...]:
    standing = CouldNotVerify.objects.in_effect().filter(account=verification.account, party=verification.party_id)
    was_closed = standing.filter(outcome=Outcome.CLOSED.value).exists()
    return fitting(verification.account.status, replaces_closing=was_closed)


def can_follow(verification: Verification) -> bool:
    """Whether anything is to be decided after this verification: the account stands so, and no proposal waits."""
    return bool(_can_be(verification)) and not verification.outcomes.proposed().exists()


class OutcomeForm(RecordForm):
    """What follows, and why."""

    outcome = forms.ChoiceField(label="What follows")
    reason = forms.ChoiceField(label="Why it could not be verified", choices=REASON_CHOICES)
    explanation = lines_field("Explanation", 500, required=True, help_text=NO_NAMES)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = [(each.value, each.label) for each in _can_be(self.record)]


class DeclineForm(forms.Form):
    """Why it is not signed."""

    why = text_field("Why", 300, required=True, help_text=NO_NAMES)


class EnterRedressForm(forms.Form):
    """A request for redress that came by mail."""

    received_on = day_field("Received on", required=True, help_text="The day of the answer counts from here.")
    text = lines_field("What the customer says", 4000, rows=6, required=True, help_text="As it is written; sealed.")


def until_when(row: CouldNotVerify) -> str:
    """Until when it holds, in words; "" for what has no end."""
    if row.state == OutcomeState.IN_EFFECT and row.outcome == Outcome.LIMITED:
        return f"until {timezone.localtime(row.limited_until):%-d %b %Y, %H:%M}; after that use stops"
    if row.state == OutcomeState.IN_EFFECT and row.outcome == Outcome.WATCHED:
        return f"look again by {row.look_again_on:%-d %b %Y}"
    return ""


def _badge(row: CouldNotVerify) -> Badge:
    return Badge(row.get_state_display(), TONES.get(OutcomeState(row.state), ""))


def _table(rows, *, title: str, empty: str) -> Table:
    lines = []
    for row in rows.prefetch_related("redress").order_by("-proposed_at", "pk")[:MOST_SHOWN]:
        asked = next(iter(row.redress.all()), None)
        answer = asked and (asked.get_outcome_display() or f"answer by {asked.due_on:%-d %b %Y}")
        lines.append([
            Link(row.reference, row), row.get_outcome_display(), _badge(row), until_when(row),
            Link(f"{asked.reference}: {answer}", asked) if asked else None,
        ])  # fmt: skip
    head = ["Outcome", "What follows", "State", "Until when", "Redress"]
    return Table("could-not-verify", title, head, lines, empty=empty)


def outcomes(account: Account) -> Table:
    """On an account's page: what followed each time somebody behind it could not be verified."""
    empty = "Nobody behind this account is beyond verifying, or nobody has decided yet what follows."
    return _table(account.unverified_outcomes, title="Could not be verified", empty=empty)


def after(verification: Verification) -> Table:
    """On a verification's page: what followed."""
    return _table(verification.outcomes, title="What followed", empty="Nobody has decided yet what follows. Decide it.")


class OutcomeFilter(QuerysetFilter):
    title = "waiting"
    parameter_name = "waiting"
    options = {
        "second": ("for a second person", lambda rows, user, today: rows.awaiting_second(user)),
        "look": ("to be looked at again", lambda rows, user, today: rows.look_due(today)),
        "watched": ("kept under watch", lambda rows, user, today: rows.watching()),
        "in_effect": ("in effect", lambda rows, user, today: rows.in_effect()),
    }


@admin.register(CouldNotVerify)
class CouldNotVerifyAdmin(RecordAdmin):
    list_display = ["reference", "account", "outcome", "state", "reason", "proposed_by", "answered_by", "in_effect_at"]
    list_filter = [OutcomeFilter, "outcome", "state"]
    list_select_related = ["account"]
    search_fields = ["reference", "account__reference", "verification__reference", "party__reference"]
    search_help_text = "Reference of the outcome, the account, the verification or the party."
    ordering = ["-proposed_at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account__party", "verification", "party")

    def page_title(self, row):
        return f"{row.party.legal_name}: {row.get_outcome_display()}"

    def badges(self, row):
        return [_badge(row)]

    def clock(self, row):
        if row.state != OutcomeState.IN_EFFECT:
            return None
        if row.look_again_on:
            return Clock(row.look_again_on, what="look again")
        return Clock(legal_day(row.limited_until), what="limit ends") if row.limited_until else None

    def sections(self, row, *, user, at):
        return [facts(row), _redress(row), notices_section(row.account), timeline_section(row)]

    def aside(self, row, *, user, at):
        rows = [
            ("Account", Link(row.account, row.account)), ("Status of the account", row.account.get_status_display()),
            ("Who could not be verified", Link(row.party.legal_name, row.party)),
            ("Verification", Link(row.verification, row.verification)),
            ("Redress can be asked for by", row.redress_by),
        ]  # fmt: skip
        return [Facts("of", "Of what", rows)]

    def before_acting(self, row, name, *, user, at):
        """Whoever signs reads first what it stands under."""
        return [facts(row)] if name == "countersign" else []

    @flow_action(
        "Countersign", primary=True,
        warning="It is in effect at once, and the customer is told what follows and how to ask for redress.",
    )  # fmt: skip
    def countersign(self, row, *, by, at):
        signed = flows.countersign(row, by=by, at=at)
        return f"{signed.reference} is in effect: {signed.get_outcome_display()}. The customer is told."

    @flow_action("Decline", form=DeclineForm)
    def decline(self, row, *, by, at, why):
        return f"{flows.decline(row, why=why, by=by, at=at).reference} is declined."

    @flow_action("Withdraw proposal")
    def withdraw(self, row, *, by, at):
        return f"{flows.withdraw(row, by=by, at=at).reference} is withdrawn."

    @flow_action(
        "Enter request for redress", form=EnterRedressForm, when=lambda row: not row.redress.exists(),
        warning="For a request that came by mail or e-mail. Somebody who took no part in the outcome answers it.",
    )  # fmt: skip
    def enter_redress(self, row, *, by, at, received_on, text):
        asked = redress.enter(row, text=text, received_on=received_on, by=by, at=at)
        return f"{asked.reference} is entered; the answer is due by {asked.due_on}.", asked


def facts(row: CouldNotVerify) -> Facts:
    """The outcome, without what is not known of it yet."""
    rows = [
        ("What follows", row.get_outcome_display()), ("State", row.get_state_display()),
        ("Until when", until_when(row)),
        ("Why it could not be verified", row.get_reason_display()), ("Explanation", row.explanation),
        ("The customer reads", WORDINGS[Outcome(row.outcome)]), ("Proposed by", row.proposed_by),
        ("Proposed", row.proposed_at), ("Answered by", row.answered_by), ("Answered", row.answered_at),
        ("Why not", row.answered_why), ("In effect since", row.in_effect_at),
        ("To be looked at since", row.look_due_at), ("Ended", row.ended_at),
        ("Replaced by", row.superseded_by),
    ]  # fmt: skip
    return Facts("outcome", "Outcome", [(label, value) for label, value in rows if value])


def _redress(row: CouldNotVerify) -> Table:
    asked: list[Objection] = list(row.redress.order_by("raised_at", "pk"))
    rows = [
        [
            Link(each.reference, each), each.get_state_display(), each.raised_at, each.due_on,
            each.get_outcome_display(), each.answered_by,
        ]
        for each in asked
    ]  # fmt: skip
    head = ["Request", "State", "Taken in", "Answer by", "Answer", "Answered by"]
    return Table("redress", "Redress", head, rows, empty="Nobody has asked for redress.")
