"""What the buttons of cases ask."""

from django import forms
from django.utils import timezone

from accounts.models import Account
from accounts.rules.refusals import refusal_reason
from cases.flows import locks
from cases.flows.effects import UNDO
from cases.flows.review import LONGEST_NOTE, ClosedWhy, ReopenedWhy
from cases.flows.triage import BY_HAND, LONGEST_TITLE, Noticed
from cases.models import LegalRequest
from cases.rules.desks import Desk, EscalatedWhy, SnoozedWhy
from cases.rules.disclosure import GROUNDS, DataClass, Ground, Recipient
from cases.rules.outcomes import NEVER_OPENED, OUTCOMES, REASONS, UNTOUCHED, OutcomeCode, Reason, outcomes_for
from cases.rules.reports import AttachedWhy, SettledWhy
from cases.rules.scope import PROOF
from cases.rules.stages import RejectedWhy
from kyc_portal.policy.current import whole_number_on
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.models import StaffMember

MOST_ACCOUNTS = 200
SCOPE_KINDS = [(each.value, each.label.capitalize()) for each in DataClass if each not in PROOF]
LAWFUL = [(ground.value, ground.label) for ground in Ground if GROUNDS[ground].data_classes]


def day_field(**kwargs) -> forms.DateField:
    """A day in the one spelling that cannot be misread."""
    return forms.DateField(
        input_formats=["%Y-%m-%d"], widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs
    )


def blank(words: str, choices) -> list[tuple[str, str]]:
    """Choices of which none is chosen beforehand."""
    return [("", words), *choices]


def account_named(reference: str) -> Account:
    """The account whose reference somebody typed. Raises ValidationError."""
    wanted = reference.strip().upper()
    account = Account.objects.filter(reference=wanted).first()
    if account is None:
        shown = ascii(wanted)[1:-1]
        raise forms.ValidationError(f"No account has the reference “{shown}”. Copy it from the account's page.")
    return account


class AccountsField(forms.CharField):
    """References of accounts in one box; gives the accounts in the order typed."""

    def __init__(self, **kwargs):
        helped = "References, separated by spaces or lines, for example ACC-7K3M-9QXD."
        super().__init__(label="Accounts", widget=forms.Textarea(attrs={"rows": 3}), help_text=helped, **kwargs)

    def clean(self, value):
        wanted = list(dict.fromkeys(super().clean(value).upper().replace(",", " ").split()))
        if len(wanted) > MOST_ACCOUNTS:
            raise forms.ValidationError(f"Give at most {MOST_ACCOUNTS} accounts at once.")
        found = {account.reference: account for account in Account.objects.filter(reference__in=wanted)}
        unknown = [reference for reference in wanted if reference not in found]
        if unknown:
            shown = ascii(unknown[0][:20])[1:-1]
            raise forms.ValidationError(f"No account has the reference “{shown}”. Copy it from the account's page.")
        return [found[reference] for reference in wanted]


class ExplainedSelect(forms.Select):
    """A choice with a table below it that says what each choice means; the form gives `rows`."""

    template_name = "cases/explained_select.html"
    title, head, rows = "", (), ()

    def get_context(self, name, value, attrs):
        explained = {"title": self.title, "head": self.head, "rows": self.rows}
        return {**super().get_context(name, value, attrs), "explained": explained}


class OpenCaseForm(forms.Form):
    """A case that somebody opens because of what they noticed."""

    accounts = AccountsField()
    kind = forms.ChoiceField(
        label="Kind", choices=blank("Choose a kind", [(kind.value, kind.label.capitalize()) for kind in BY_HAND])
    )
    about = forms.ChoiceField(
        label="What it is about", required=False, choices=blank("In my own words, below", Noticed.choices())
    )
    title = forms.CharField(
        label="In your own words", max_length=LONGEST_TITLE, required=False,
        help_text=f"One line of at most {LONGEST_TITLE} characters, instead of the words above. No personal data: no "
        "names, addresses, numbers of documents or of cards. What you know about the person goes into a note.",
    )  # fmt: skip

    def clean(self):
        cleaned = super().clean()
        own, about = cleaned.get("title", "").strip(), cleaned.pop("about", "")
        if not own and not about and not self.errors:
            raise forms.ValidationError("Say what the case is about: choose from the list, or write one line.")
        return {**cleaned, "title": own or (Noticed(about).label if about else "")}


class AttachForm(forms.Form):
    """Which account a report is about, by its reference, and what shows it."""

    account = forms.CharField(
        label="Account", max_length=20, help_text="Its reference, for example ACC-7K3M-9QXD. See who may have held it."
    )
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", AttachedWhy.choices()))

    def clean_account(self):
        return account_named(self.cleaned_data["account"])


class SettleForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", SettledWhy.choices()))


class AssignForm(forms.Form):
    to = forms.CharField(label="To", max_length=150, help_text="User name of the colleague.")

    def clean_to(self):
        user = StaffMember.objects.filter(username=self.cleaned_data["to"].strip(), is_active=True).first()
        if user is None:
            raise forms.ValidationError("No active member of staff has this user name.")
        return user


class TakeOverForm(forms.Form):
    """Says who works the case; a reason is wanted while they do."""

    wants_record = True
    why = forms.ChoiceField(
        label="Why", required=False,
        choices=blank("They do not work it any more", locks.TakenOverWhy.choices()),
        help_text="Wanted while the other person works the case; the timeline tells it.",
    )  # fmt: skip

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        held = locks.holder(record, timezone.now()) if record is not None else None
        if held is not None:
            self.fields["why"].help_text = f"{held.user} works it now. Say why you take it over; the timeline tells it."


class EscalateForm(forms.Form):
    desk = forms.ChoiceField(label="To the", choices=blank("Choose a desk", Desk.choices()))
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", EscalatedWhy.choices()))


class SnoozeForm(forms.Form):
    until = day_field(label="Until", help_text="It comes back on that day, or sooner when one of its clocks falls due.")
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", SnoozedWhy.choices()))


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note", max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What you found out or did. Card numbers are masked; nobody can change a note later.",
    )  # fmt: skip


class AtOnceField(forms.BooleanField):
    """Whether what is signed takes effect at once; without it, it can be undone for some minutes."""

    def __init__(self):
        super().__init__(label="Take effect at once", required=False)

    @staticmethod
    def in_words(minutes: int | None = None) -> str:
        """What the choice means; a page that has read the minutes already gives them along."""
        minutes = minutes or whole_number_on(UNDO, legal_day(timezone.now()))
        return (
            f"Choose it where others are being harmed meanwhile. Otherwise whoever signed can undo it for {minutes} "
            "minutes (own policy), and then it takes effect by itself."
        )


class SignForm(forms.Form):
    """The last signature: with the minutes to undo it, or without."""

    wants_minutes = True
    at_once = AtOnceField()

    def __init__(self, *args, minutes: int | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["at_once"].help_text = AtOnceField.in_words(minutes)


class ProposeForm(SignForm):
    """Asks about one account of the case; the list holds only these."""

    wants_record = True
    account = forms.ChoiceField(label="Account")
    outcome = forms.ChoiceField(label="Outcome", widget=ExplainedSelect)
    reason = forms.ChoiceField(label="Reason", widget=ExplainedSelect)
    field_order = ("account", "outcome", "reason", "at_once")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        subjects = getattr(record, "listed_subjects", None)
        if subjects is None:
            subjects = record.subjects.select_related("account").order_by("joined_at", "pk") if record else []
        self._accounts = {subject.account.reference: subject.account for subject in subjects}
        self.offer_accounts(self._accounts)
        self._offer({account.status for account in self._accounts.values()})

    def offer_accounts(self, accounts: dict[str, Account]) -> None:
        """`accounts` by their references."""
        self.fields["account"].choices = [(reference, reference) for reference in accounts]

    def _offer(self, statuses: set[str]) -> None:
        """Only what at least one account of the case can have, with what each choice brings about."""
        outcomes = outcomes_for(statuses)
        reasons = [reason for reason in REASONS.values() if reason.outcomes & set(outcomes)]
        outcome, reason = self.fields["outcome"], self.fields["reason"]
        outcome.choices = blank("Choose an outcome", [(code.value, code.label) for code in outcomes])
        outcome.help_text = signatures_in_words(outcomes)
        outcome.widget.title = "What each outcome does"
        outcome.widget.head = ("Outcome", "What happens", "When")
        outcome.widget.rows = [(code.label, OUTCOMES[code].effect.label, _when(code)) for code in outcomes]
        reason.choices = blank("Choose a reason", [(each.code, each.title) for each in reasons])
        reason.help_text = "The table says what the customer reads for each reason, and which outcomes go with it."
        reason.widget.title = "What the customer reads"
        reason.widget.head = ("Reason", "The customer reads", "Outcomes")
        reason.widget.rows = [
            (each.title, _told(each, outcomes, statuses), _fitting(each, outcomes)) for each in reasons
        ]

    def clean_account(self):
        return self._accounts[self.cleaned_data["account"]]


def signatures_in_words(outcomes: list[OutcomeCode]) -> str:
    """Which outcomes need one signature, and which wait for a second one."""
    alone = ", ".join(code.label for code in outcomes if not OUTCOMES[code].countersigned)
    waits = ", ".join(code.label for code in outcomes if OUTCOMES[code].countersigned)
    second = f"Waits for a second person: {waits}, and whatever rests on a sanctions list."
    if not waits:
        second = "Whatever rests on a sanctions list waits for a second person."
    return f"Takes your signature alone: {alone}. {second}"


def _when(code: OutcomeCode) -> str:
    outcome = OUTCOMES[code]
    if outcome.effect in UNTOUCHED:
        return "at once (one signature)"
    who = "once a second person signs" if outcome.countersigned else "one signature"
    return f"{who}, after the minutes in which it can be undone"


def _told(reason: Reason, outcomes: list[OutcomeCode], statuses: set[str]) -> str:
    """What the customer reads for a reason; the words about the outcome stand before it."""
    codes, waiting = reason.outcomes & set(outcomes), statuses.intersection(NEVER_OPENED)
    if not any(OUTCOMES[code].public_effect for code in codes):
        return "nothing"
    refused = f"“{refusal_reason(reason.refusal).wording}”" if waiting and OutcomeCode.CLOSE in codes else ""
    words = f"“{reason.public_wording}”"
    if not refused:
        return words
    if waiting == statuses and codes <= {OutcomeCode.CLOSE, OutcomeCode.WATCH, OutcomeCode.NO_ACTION}:
        return refused
    return f"{words}; where an account that was never opened is closed, {refused}"


def _fitting(reason: Reason, outcomes: list[OutcomeCode]) -> str:
    words = ", ".join(code.label for code in outcomes if code in reason.outcomes)
    return f"{words} (a second person signs)" if reason.rests_on_list else words


class WhyForm(forms.Form):
    why = forms.CharField(
        label="Why", max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Your colleague reads this.",
    )  # fmt: skip


class CloseForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=ClosedWhy.choices())


class ReopenForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=ReopenedWhy.choices())


class RequestForm(forms.Form):
    """A request of an authority about one or more accounts, given by their references."""

    accounts = AccountsField()
    authority = forms.CharField(label="Authority", max_length=200, help_text="Who asks.")
    authority_reference = forms.CharField(
        label="Their reference", max_length=100, required=False, help_text="The number on their letter."
    )
    ground = forms.ChoiceField(label="Ground", choices=blank("Choose a ground", Ground.choices()))
    received_on = day_field(label="Received on", help_text="The day it came; the days of a preservation count from it.")
    kinds = forms.MultipleChoiceField(
        label="Kinds of records", required=False, choices=SCOPE_KINDS, widget=forms.CheckboxSelectMultiple,
        help_text="What it asks for. None chosen: all that its ground allows.",
    )  # fmt: skip
    from_on = day_field(label="From", required=False, help_text="The first day it asks for; empty for no limit.")
    through_on = day_field(label="Through", required=False, help_text="The last day it asks for.")


class RejectForm(forms.Form):
    why = forms.ChoiceField(label="Why", choices=blank("Choose a reason", RejectedWhy.choices()))


class ServeForm(forms.Form):
    ground = forms.ChoiceField(label="Ground of the process", choices=blank("Choose a ground", LAWFUL))


class CollectForm(forms.Form):
    """Asks on which ground; says which ones the validated requests of the case give."""

    wants_record = True
    ground = forms.ChoiceField(label="Ground", choices=blank("Choose a ground", Ground.choices()))
    recipient = forms.ChoiceField(label="Recipient", choices=blank("Choose a recipient", Recipient.choices()))
    named = forms.ChoiceField(label="Request", required=False, help_text="Where several give the ground.")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        found = LegalRequest.objects.in_order().filter(case=record).order_by("received_on", "pk")
        in_order = list(found) if record else []
        named = ", ".join(f"{Ground(request.ground).label} ({request.reference})" for request in in_order)
        told = f"It must be the ground of a validated request of this case. On file: {named or 'none'}."
        self.fields["ground"].help_text = told
        self.fields["named"].choices = [("", "the only one"), *((each.reference, each.reference) for each in in_order)]


class ApproveForm(forms.Form):
    """The approver says that the paper the ground demands lies before them."""

    wants_record = True
    paper_seen = forms.BooleanField(label="The paper is on file and I have read it")

    def __init__(self, *args, record=None, **kwargs):
        super().__init__(*args, **kwargs)
        if record is not None:
            paper = GROUNDS[Ground(record.ground)].paper
            self.fields["paper_seen"].label = f"I have read {paper}, and it covers what is listed"


class ReceiptForm(forms.Form):
    received_by = forms.CharField(label="Received by", max_length=200, help_text="Who signed the receipt.")
    received_on = day_field(label="Received on")
