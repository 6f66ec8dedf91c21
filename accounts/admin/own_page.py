"""What staff see of the customer's own page: that a link is out, what came of it, and objections to answer."""

from django import forms
from django.contrib import admin

from accounts.admin import unverified
from accounts.admin.forms import lines_field
from accounts.flows import objections as flows
from accounts.flows import redress
from accounts.models import Account, CustomerLink, Objection
from accounts.rules.asked import PARTS, ObjectionOutcome
from accounts.rules.unverified import RedressAnswer
from kyc_portal.records.sealed import MASK
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, timeline_section

MOST_SHOWN = 10


def state_of(link: CustomerLink, at) -> Badge:
    """Where a link stands, in one word."""
    if link.ended_at:
        return Badge(link.get_ended_why_display(), "")
    if link.handed_in_at:
        return Badge("handed in", "good")
    if link.used_at:
        return Badge("open now" if link.session_until > at else "used", "info")
    return Badge("out", "info") if link.expires_at > at else Badge("expired unused", "warning")


def links(account: Account, *, at) -> Table:
    """The links that were sent: since when, until when, whether used. The address itself is shown to nobody."""
    rows = [
        [
            link.reference, state_of(link, at), link.issued_at, link.expires_at, link.used_at, link.notice_number,
            ", ".join(_given(link)),
        ]
        for link in account.customer_links.order_by("-issued_at", "pk")[:MOST_SHOWN]
    ]  # fmt: skip
    head = ["Link", "State", "Sent", "Valid until", "Opened", "Privacy notice shown", "Handed in"]
    return Table("links", "Links to the customer", head, rows, empty="No link was sent yet.")


def _given(link: CustomerLink) -> list[str]:
    return [PARTS[key.partition("-")[0]].title.lower() for key in sorted(link.given)]


def objections(account: Account) -> Table:
    rows = [
        [Link(row.reference, row), row.get_state_display(), row.raised_at, row.due_on, row.get_outcome_display()]
        for row in account.objections.order_by("-raised_at", "pk")[:MOST_SHOWN]
    ]
    head = ["Objection", "State", "Raised", "Answer by", "Outcome"]
    return Table("objections", "Objections", head, rows, empty="The customer did not object.")


class AnswerForm(forms.Form):
    """The outcome; the customer reads one of few sentences."""

    outcome = forms.ChoiceField(label="Outcome", choices=ObjectionOutcome.choices())


class RedressForm(forms.Form):
    """What came of a request for redress, and why; the customer reads one of few sentences."""

    answer = forms.ChoiceField(label="Answer", choices=RedressAnswer.choices())
    why = lines_field("Why", 500, required=True, help_text="For the file; the customer does not read it.")


class OpenFilter(QuerysetFilter):
    title = "answer"
    parameter_name = "answer"
    options = {
        "open": ("open", lambda rows, user, today: rows.open()),
        "objection": ("open objections", lambda rows, user, today: rows.open().plain()),
        "redress": ("open requests for redress", lambda rows, user, today: rows.open().redress()),
        "answered": ("answered", lambda rows, user, today: rows.filter(state="answered")),
    }


@admin.register(Objection)
class ObjectionAdmin(RecordAdmin):
    list_display = ["reference", "account", "state", "raised_at", "due_on", "outcome"]
    list_filter = [OpenFilter]
    list_select_related = ["account", "against"]
    search_fields = ["reference", "account__reference"]
    ordering = ["due_on", "pk"]
    logs_views = True

    def page_title(self, objection):
        return f"{'Request for redress' if objection.against_id else 'Objection'} {objection.reference}"

    def badges(self, objection):
        return [Badge(objection.get_state_display(), "warning" if objection.state == "open" else "good")]

    def clock(self, objection):
        return Clock(objection.due_on, what="answer") if objection.state == "open" else None

    def sections(self, objection, *, user, at):
        return [_words(objection, user), timeline_section(objection)]

    def before_acting(self, objection, name, *, user, at):
        """Whoever answers reads first what the customer says, and against what."""
        against = [unverified.facts(objection.against)] if objection.against else []
        return [_words(objection, user), *against]

    def aside(self, objection, *, user, at):
        rows = [
            ("Account", Link(objection.account.reference, objection.account)), ("Raised", objection.raised_at),
            ("Through", objection.raised_through), ("Answer by", objection.due_on),
            ("Answered", objection.answered_at), ("Answered by", objection.answered_by),
            ("Outcome", objection.get_outcome_display()), ("Why", objection.answered_why),
            ("Answered in", objection.answered_in),
        ]  # fmt: skip
        if against := objection.against:
            words = f"{against.get_outcome_display()} ({against.reference})"
            rows.insert(1, ("Against", Link(words, against)))
        return [Facts("objection", "The objection", rows)]

    @flow_action(
        "Answer", form=AnswerForm, primary=True,
        when=lambda objection: objection.against_id is None and not objection.answered_in,
        warning="The customer reads one fixed sentence for the outcome. Lift or change first what is to be put right.",
    )  # fmt: skip
    def answer(self, objection, *, by, at, outcome):
        flows.answer(objection, outcome=outcome, by=by, at=at)
        return f"{objection.reference} is answered. The customer is told."

    @flow_action(
        "Answer request for redress", form=RedressForm, primary=True,
        when=lambda objection: objection.against_id is not None,
        warning="Only somebody who took no part answers. Reversed: the identity is looked at anew, an account that had "
        "ended is taken up again, and one in use is limited meanwhile. Changed: have the other outcome put into effect "
        "before.",
    )  # fmt: skip
    def answer_redress(self, objection, *, by, at, answer, why):
        answered = redress.answer(objection, answer=answer, why=why, by=by, at=at)
        return f"{answered.reference} is answered: {answered.get_outcome_display()}. The customer is told."


def _words(objection: Objection, user) -> Html:
    """What the customer says; dots for who does not answer."""
    may_read = policy_table.may_see(user, "accounts.objection", "text")
    text = objection.text.reveal() if may_read else MASK
    return Html("text", "What the customer says", "admin/record/long_text.html", {"text": text})
