"""Reviews by Commerce with their questions and measures, and what Commerce looks at (R78-R80)."""

from django import forms
from django.contrib import admin

from cases.admin.forms import AccountsField, blank, day_field
from cases.flows import commerce
from cases.models import CommerceReview, FlaggedClass
from cases.rules.commerce import RemedyState, ReviewKind, ReviewState
from kyc_portal.policy.models import Citation
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, Table, timeline_section

SOURCES = ("nprm-305", "icts-791-106")  # citations of kyc_portal/policy/regimes.py
TONES = {ReviewState.OPEN: "warning", ReviewState.REMEDIATION: "info", ReviewState.CLOSED: ""}


def _cited(codes) -> str:
    return "; ".join(str(each) for each in Citation.objects.filter(code__in=codes).order_by("-code"))


class ReviewForm(forms.Form):
    kind = forms.ChoiceField(label="Kind", choices=blank("Choose a kind", ReviewKind.choices()))
    about = forms.CharField(label="About", max_length=200, help_text="One line, no personal data.")
    their_reference = forms.CharField(label="Their reference", max_length=100, required=False)
    opened_on = day_field(label="Opened on")


class AskForm(forms.Form):
    question = forms.CharField(label="Question", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    asked_on = day_field(label="Asked on")
    due_on = day_field(label="Answer due on", help_text="As the question sets it.")


class OfReviewForm(forms.Form):
    """Asks which row of the review is meant; `rows_of` gives them."""

    wants_record = True
    which = forms.ChoiceField(label="Which")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        self._rows = {row.reference: row for row in self.rows_of(record)} if record is not None else {}
        self.fields["which"].choices = blank("Choose one", [(each, each) for each in self._rows])

    def rows_of(self, review):
        return review.asks.unanswered().order_by("due_on", "pk")

    def clean_which(self):
        return self._rows[self.cleaned_data["which"]]


class AnswerForm(OfReviewForm):
    words = forms.CharField(label="Answer", max_length=2000, widget=forms.Textarea(attrs={"rows": 5}))


class MeasureForm(forms.Form):
    action = forms.CharField(label="Measure", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    owner = forms.CharField(label="Who does it", max_length=150)
    due_on = day_field(label="Due on")


class ProofForm(OfReviewForm):
    evidence = forms.CharField(
        label="Evidence", max_length=500, help_text="Where the proof lies, with its number or hash."
    )

    def rows_of(self, review):
        return review.remedies.filter(state=RemedyState.OPEN.value).order_by("due_on", "pk")


class JudgeForm(OfReviewForm):
    is_proven = forms.ChoiceField(
        label="Judgement", choices=blank("Choose", [("yes", "It is proven"), ("no", "It is to be done again")])
    )

    def rows_of(self, review):
        return review.remedies.filter(state=RemedyState.SHOWN.value).order_by("due_on", "pk")


class FlagForm(forms.Form):
    """Named accounts, or every account that fits."""

    title = forms.CharField(label="What is under review", max_length=200, help_text="One line, no personal data.")
    accounts = AccountsField(required=False)
    product = forms.CharField(label="Product", max_length=200, required=False)
    in_country = forms.CharField(label="Country", max_length=2, required=False, help_text="Two letters of ISO 3166.")
    opened_from = day_field(label="Accounts created from", required=False)
    opened_through = day_field(label="Accounts created through", required=False)


class ReviewFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "running": ("running", lambda rows, user, today: rows.running()),
        "waiting": (
            "waiting for answers",
            lambda rows, user, today: rows.waiting_for_answers(),
        ),
    }


@admin.register(CommerceReview)
class CommerceReviewAdmin(RecordAdmin):
    list_display = ["reference", "kind", "about", "state", "opened_on"]
    list_filter = [ReviewFilter, "kind", "state"]
    search_fields = ["reference", "their_reference"]
    ordering = ["-opened_on", "pk"]
    adding = ReviewForm
    add_label = "Log review by Commerce"

    def add(self, *, by, at, **asked):
        return commerce.log_review(**asked, by=by, at=at)

    def page_title(self, review):
        return f"{review.get_kind_display().capitalize()}: {review.about}"

    def badges(self, review):
        return [Badge(review.get_state_display(), TONES[ReviewState(review.state)])]

    def clock(self, review):
        due = review.asks.unanswered().order_by("due_on").values_list("due_on", flat=True).first()
        return Clock(due, what="answer") if due else None

    def sections(self, review, *, user, at):
        today = legal_day(at)
        rows = [
            ("Kind", review.get_kind_display()), ("About", review.about), ("Their reference", review.their_reference),
            ("Opened", review.opened_on), ("Logged by", review.logged_by), ("Source", _cited(SOURCES[:1])),
            ("Closed", review.closed_at), ("Closed by", review.closed_by),
        ]  # fmt: skip
        asks = [
            [each.reference, each.question, each.asked_on,
             each.due_on if each.answered_at else Clock(each.due_on, what="answer").seen_on(today),
             each.answer, each.answered_at, each.answered_by]
            for each in review.asks.order_by("due_on", "pk")
        ]  # fmt: skip
        ask_head = ["Question", "What is asked", "Asked", "Due", "Answer", "Answered", "By"]
        return [
            Facts("review", "Review", rows), Table("asks", "Questions", ask_head, asks, empty="Nothing was asked yet."),
            _remedies(review), timeline_section(review),
        ]  # fmt: skip

    def before_acting(self, review, name, *, user, at):
        """Whoever judges a proof reads it first."""
        return [_remedies(review)] if name == "judge_proof" else []

    @flow_action("Add question", form=AskForm, primary=True)
    def add_ask(self, review, *, by, at, **asked):
        return f"{commerce.add_ask(review, **asked, by=by, at=at).reference} is on file."

    @flow_action("Answer question", form=AnswerForm, when=lambda review: review.asks.unanswered().exists())
    def answer(self, review, *, by, at, which, words):
        return f"{commerce.answer(which, words=words, by=by, at=at).reference} is answered."

    @flow_action("Add recommended measure", form=MeasureForm)
    def recommend(self, review, *, by, at, **asked):
        return f"{commerce.recommend(review, **asked, by=by, at=at).reference} is on file."

    @flow_action("Show proof of measure", form=ProofForm)
    def show_proof(self, review, *, by, at, which, evidence):
        return f"{commerce.show(which, evidence=evidence, by=by, at=at).reference} is shown. Another person accepts it."

    @flow_action("Judge proof of measure", form=JudgeForm, signs=commerce.digest_of)
    def judge_proof(self, review, *, by, at, which, is_proven, shown):
        judged = commerce.judge(which, is_proven=is_proven == "yes", shown=shown, by=by, at=at)
        return f"{judged.reference}: {judged.get_state_display()}."

    @flow_action("Close review", warning="Every question is answered and every measure proven.")
    def close(self, review, *, by, at):
        return f"{commerce.close(review, by=by, at=at).reference} is closed."


def _remedies(review: CommerceReview) -> Table:
    rows = [
        [each.reference, each.action, each.owner, each.due_on, each.get_state_display(), each.evidence,
         each.shown_by, each.proven_by]
        for each in review.remedies.order_by("due_on", "pk")
    ]  # fmt: skip
    head = ["Measure", "What is to be done", "Who", "Due", "State", "Evidence", "Shown by", "Accepted by"]
    return Table("remedies", "Recommended measures", head, rows, empty="Nothing was recommended.")


@admin.register(FlaggedClass)
class FlaggedClassAdmin(RecordAdmin):
    list_display = ["reference", "title", "flagged_at", "ended_at"]
    search_fields = ["reference"]
    ordering = ["-flagged_at", "pk"]
    adding = FlagForm
    add_label = "Flag transactions under review"

    def add(self, *, by, at, **asked):
        return commerce.flag(**asked, by=by, at=at)

    def page_title(self, flagged):
        return flagged.title

    def badges(self, flagged):
        return [Badge("ended" if flagged.ended_at else "held", "" if flagged.ended_at else "info")]

    def sections(self, flagged, *, user, at):
        rows = [
            ("Named accounts", ", ".join(flagged.accounts)), ("Product", flagged.product), ("Country", flagged.country),
            ("Accounts created from", flagged.opened_from), ("Through", flagged.opened_through),
            ("Flagged", flagged.flagged_at), ("Flagged by", flagged.flagged_by), ("Ended", flagged.ended_at),
            ("Ended by", flagged.ended_by), ("Source", _cited(SOURCES)),
        ]  # fmt: skip
        held = [
            [Link(row.hold, row.hold), row.hold.placed_at, row.hold.released_at]
            for row in flagged.holds.select_related("hold").order_by("hold__placed_at", "pk")
        ]
        return [
            Facts("flagged", "Under review", rows), Table("holds", "Holds", ["Hold", "Placed", "Released"], held),
            timeline_section(flagged),
        ]  # fmt: skip

    @flow_action(
        "End", when=lambda flagged: flagged.ended_at is None, warning="Its holds end; every other hold stays."
    )  # fmt: skip
    def end_flag(self, flagged, *, by, at):
        return f"{commerce.end_flag(flagged, by=by, at=at).reference} ended."
