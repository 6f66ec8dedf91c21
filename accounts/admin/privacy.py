"""What people ask about their own data: the list of what waits, and the page of one request."""

from datetime import date

from django import forms
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts.admin.forms import day_field, text_field
from accounts.flows import person_export, personal_data, privacy
from accounts.models import Party, PrivacyRequest
from accounts.rules.privacy import Identified, Outcome, PrivacyKind, PrivacyState, public_sentences
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see, page_named
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import page_of
from kyc_portal.staff.sections import (
    Badge,
    Clock,
    Facts,
    Link,
    Table,
    clocks_section,
    holds_section,
    notices_section,
    timeline_section,
)

AUTHORITIES = "cases.view_legalrequest"
TONES = {
    PrivacyState.RECEIVED: "warning", PrivacyState.PREPARED: "warning", PrivacyState.ERASING: "info",
    PrivacyState.ANSWERED: "good",
}  # fmt: skip
NEXT = {
    PrivacyState.RECEIVED: "Find out who asks and name the party on file. Then prepare the answer.",
    PrivacyState.PREPARED: "Somebody of the legal team reads the answer and agrees, or sends it back.",
    PrivacyState.ERASING: "A worker erases what may go, and tells the person. Come back in a minute.",
    PrivacyState.ANSWERED: "The answer is sent. A copy of the data, if one was asked for, is handed over by hand.",
}


class WaitingFilter(QuerysetFilter):
    title = "waiting for"
    parameter_name = "waiting"
    options = {
        "prepare": ("an answer to be prepared", lambda rows, user, today: rows.to_prepare()),
        "answer": ("a second person", lambda rows, user, today: rows.to_answer(user)),
        "any": ("anything", lambda rows, user, today: rows.waiting()),
    }


class LogForm(forms.Form):
    """What somebody asks."""

    kind = forms.ChoiceField(label="They ask for", choices=PrivacyKind.choices())
    name = text_field("Name", 300, required=True, help_text="As they sign; stored sealed.")
    contact = text_field("E-mail", 254, required=True, help_text="The answer goes there; stored sealed.")
    received_on = day_field("Received on", required=True)


class IdentifyForm(forms.Form):
    """Who asks, and how we know."""

    party = text_field("Party on file", 20, required=True, help_text="Its reference, PTY-….")
    how = forms.ChoiceField(label="How we know that it is them", choices=Identified.choices())


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(RecordAdmin):
    list_display = ["reference", "kind", "state", "subject_name", "received_on", "due_on", "outcome"]
    list_filter = [WaitingFilter, "kind"]
    search_fields = ["reference", "subject_name"]
    search_help_text = "Reference of the request, or of the party."
    ordering = ["-received_on", "-logged_at", "pk"]
    logs_views = True  # it names who asks
    adding = LogForm
    add_label = "Log privacy request"

    def add(self, *, by, at, **asked):
        return privacy.log_request(**asked, by=by, at=at)

    def page_title(self, request):
        return f"Somebody asks for {request.get_kind_display()}"

    def badges(self, request):
        return [Badge(request.get_state_display(), TONES[PrivacyState(request.state)])]

    def clock(self, request):
        return Clock(request.due_on, what="answer") if request.state != PrivacyState.ANSWERED else None

    def sections(self, request, *, user, at):
        party = privacy.party_of(request)
        return [
            self._request(request, user),
            self._found(request, user),
            *([self._answer(request)] if request.outcome else []),
            *([self._singly(party)] if request.kind == PrivacyKind.ERASURE else []),
            notices_section(request),
            clocks_section(request, today=legal_day(at)),
            *([holds_section(party, *party.accounts.all())] if party else []),
            timeline_section(request),
        ]

    def aside(self, request, *, user, at):
        page = page_of("accounts.party", str(request.subject)) if privacy.party_of(request) else ""
        subject = Link(request.subject_name, page) if page else request.subject_name
        rows = [("Party", subject), ("Identified", request.get_identified_how_display())]
        ready = (
            request.outcome == Outcome.COPY_READY
            and page
            and page_named("accounts:copy_of_person").opens_to(user, "GET")
        )
        if ready:
            rows.append(("Copy", Link("take the copy", reverse("accounts:copy_of_person", args=[request.pk]))))
        return [Facts("next", "Next step", rows, note=NEXT[PrivacyState(request.state)])]

    def before_acting(self, request, name, *, user, at):
        """Whoever gives the second signature reads what it stands under: who asks, what is stored, what holds."""
        if name != "answer":
            return []
        party = privacy.party_of(request)
        holding = [holds_section(party, *party.accounts.all())] if party else []
        return [self._request(request, user), self._found(request, user), *holding]

    def _request(self, request, user):
        def clear(column):
            value = getattr(request, column)
            return value.reveal() if may_see(user, "accounts.privacyrequest", column) else value

        rows = [
            ("Who asks", clear("name")), ("Answer goes to", clear("contact")),
            ("About", request.subject_name), ("Identified", request.get_identified_how_display()),
            ("Asks for", request.get_kind_display()), ("Received", request.received_on), ("Answer by", request.due_on),
            ("Logged", request.logged_at), ("Logged by", request.logged_by), ("Identified by", request.identified_by),
            ("Prepared", request.prepared_at), ("Prepared by", request.prepared_by),
            ("Answered", request.answered_at), ("Answered by", request.answered_by),
        ]  # fmt: skip
        return Facts("request", "Request", rows)

    def _found(self, request, user):
        rows = [[each["title"], _in_words(each, user), _why(each)] for each in request.findings]
        empty = "Nothing was found." if request.prepared_at else "The data is looked for when the answer is prepared."
        return Table(
            "found", "What is stored, and why", ["Kept as", "What", "Why"], rows, empty=empty,
            note="For staff only. What the person reads does not depend on holds, hits or requests of authorities.",
        )  # fmt: skip

    def _answer(self, request):
        sentences = public_sentences(Outcome(request.outcome), tuple(request.erased))
        rows = [("Outcome", request.get_outcome_display()), *(("Told", sentence) for sentence in sentences)]
        return Facts("answer", "The answer", rows)

    def _singly(self, party: Party | None):
        rows = [[each.words, each.why] for each in personal_data.UNNEEDED]
        return Table(
            "singly",
            "What may be erased before the file",
            ["Data, as the person reads it", "Why no rule needs it"],
            rows,
        )

    # --- buttons ----------------------------------------------------------------------------------------------------

    @flow_action(
        "Name the party", form=IdentifyForm,
        warning="Data is handed out or erased on this. Be sure that the person is who they say.",
    )  # fmt: skip
    def identify(self, request, *, by, at, party, how):
        privacy.identify(request, party=party, how=how, by=by, at=at)
        return f"{request.reference} is about {party.strip().upper()}."

    @flow_action(
        "Prepare the answer", primary=True,
        warning="If no party is named, the answer will be that nothing is stored about them.",
    )  # fmt: skip
    def prepare(self, request, *, by, at):
        privacy.prepare(request, by=by, at=at)
        return f"The answer to {request.reference} awaits a second person."

    @flow_action(
        "Agree to the answer", primary=True, grave=True, signs=privacy.digest_of,
        warning="The person is told at once. If they asked for erasure, what may go is erased for good.",
    )  # fmt: skip
    def answer(self, request, *, by, at, shown):
        answered = privacy.answer(request, shown=shown, by=by, at=at)
        if answered.state == PrivacyState.ERASING:
            return f"{request.reference} is agreed to. A worker erases what may go; the page then says what went."
        return f"{request.reference} is answered: {answered.get_outcome_display()}."

    @flow_action("Send back")
    def send_back(self, request, *, by, at):
        privacy.send_back(request, by=by, at=at)
        return f"{request.reference} is to be prepared anew."


def _in_words(found: dict, user) -> str:
    """Counts as people read them: 2 addresses, 1 party. Requests of authorities only for who may know of them."""
    shown = [
        f"{count:,} {_kind(label, count)}"
        for label, count in found["rows"].items()
        if count and (person_export.WITHHELD.get(label) != person_export.OF_AUTHORITIES or user.has_perm(AUTHORITIES))
    ]
    since = f", since {_day(found['since'])}" if found["since"] else ""
    return ", ".join(shown) + since


def _why(found: dict) -> str:
    return found["why"] + (f" Kept through {_day(found['until'])}." if found["until"] else "")


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%-d %b %Y}"


def _kind(label: str, count: int) -> str:
    meta = apps.get_model(label)._meta
    return str(meta.verbose_name if count == 1 else meta.verbose_name_plural)
