"""The list of accounts, and the page of one: everything that is known of a customer, and what can be done."""

from django.contrib import admin
from django.db.models import Prefetch
from django.utils.html import format_html

from accounts.admin import access_page, missing, own_page, profile_sections, seen_before, unverified, waiting
from accounts.admin import account_sections as parts
from accounts.admin.account_forms import (
    BlockForm,
    CloseForm,
    LiftForm,
    ReopenForm,
    RestrictForm,
    StartVerificationForm,
    TierForm,
    UrgentForm,
)
from accounts.admin.forms import CertifyOwnersForm, NewCustomerForm, RefuseForm
from accounts.flows import (
    activation,
    address_alone,
    asking_again,
    closing,
    customer_links,
    identification,
    intake,
    rating,
    restrictions,
    reverification,
    signals,
    verification,
)
from accounts.flows.account_file import AccountFile
from accounts.flows.waiting import end_naming
from accounts.models import Account, Restriction
from accounts.models.account import WAITING_STATUSES
from accounts.models.restriction import Level
from accounts.rules.onboarding import AccountStatus
from accounts.rules.parties import PartyKind
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import (
    Badge,
    Clock,
    clocks_section,
    holds_section,
    notices_section,
    timeline_section,
)
from kyc_portal.staff.templatetags.marks import cell

STATUS_TONES = {
    AccountStatus.PROSPECT: "info",
    AccountStatus.DATA_REQUESTED: "info",
    AccountStatus.VERIFYING: "info",
    AccountStatus.ACTIVE: "good",
    AccountStatus.BLOCKED: "danger",
    AccountStatus.REFUSED: "",
    AccountStatus.CLOSED: "",
}
TIER_TONES = {"low": "good", "medium": "", "high": "danger"}


class WaitingFilter(QuerysetFilter):
    title = "waiting"
    parameter_name = "waiting"
    options = {
        "opening": ("to be opened or refused", lambda rows, user, today: rows.waiting()),
        "review": ("review due", lambda rows, user, today: rows.due_for_review(today)),
        "unanswered": ("review unanswered", lambda rows, user, today: rows.review_unanswered(today)),
        "handed_in": ("handed in by the customer", lambda rows, user, today: rows.handed_in()),
        "restricted": ("restricted", lambda rows, user, today: rows.restricted()),
        "foreign": ("foreign", lambda rows, user, today: rows.foreign()),
        "ended": ("ended", lambda rows, user, today: rows.ended()),
    }


def is_waiting(account: Account) -> bool:
    return account.status in WAITING_STATUSES


@admin.register(Account)
class AccountAdmin(RecordAdmin):
    list_display = [
        "reference", "party", "state", "restriction", "risk_tier", "review", "created_at",
    ]  # fmt: skip
    list_filter = [WaitingFilter, "status", "risk_tier"]
    search_fields = ["reference", "external_key", "party__reference", "party__legal_name"]
    list_select_related = ["party"]
    ordering = ["-created_at", "pk"]
    logs_views = True
    list_display_links = ["reference"]
    adding = NewCustomerForm
    add_label = "Add customer"

    def get_queryset(self, request):
        in_force = Prefetch("restrictions", Restriction.objects.in_force(), to_attr="standing")
        return super().get_queryset(request).select_related("party").prefetch_related(in_force)

    @admin.display(description="Status", ordering="status")
    def state(self, account):
        status = AccountStatus(account.status)
        return cell(Badge(status.label, STATUS_TONES[status]))

    @admin.display(description="Next review", ordering="next_review_on")
    def review(self, account):
        """The day of the next review, or while proof is asked for the day by which the customer answers."""
        if account.review_answer_by:
            return format_html("answer by {}", cell(account.review_answer_by))
        return cell(account.next_review_on)

    @admin.display(description="Restriction")
    def restriction(self, account):
        strictest = restrictions.strictest_of(account.standing)
        return cell(Badge(strictest.get_level_display(), "danger")) if strictest else ""

    def add(self, *, by, at, **cleaned):
        return intake.open_prospect(source="form", by=by, at=at, **cleaned)

    # --- what the page shows ----------------------------------------------------------------------------------------

    def page_title(self, account):
        return account.party.legal_name

    def badges(self, account):
        status = AccountStatus(account.status)
        marks = [
            Badge(status.label, STATUS_TONES[status]),
            Badge(account.party.get_us_status_display(), ""),
            *([Badge(account.get_risk_tier_display(), TIER_TONES[account.risk_tier])] if account.is_rated else []),
        ]
        standing = restrictions.strictest(account)
        return [*marks, Badge(standing.get_level_display(), "danger")] if standing else marks

    def clock(self, account):
        if account.review_answer_by:
            return Clock(account.review_answer_by, what="answer to the review")
        return Clock(account.next_review_on, what="review") if account.is_open and account.next_review_on else None

    def file_of(self, account, at) -> AccountFile:
        """One reading for all parts of a page; it goes when the page's account goes."""
        return account.__dict__.setdefault("file_on_page", AccountFile(account, legal_day(at)))

    def reasons(self, account, *, at):
        file = self.file_of(account, at)
        return missing.reasons(activation.why_not(account, at=at, file=file), file) if is_waiting(account) else []

    def sections(self, account, *, user, at):
        file = self.file_of(account, at)
        return [
            *(missing.of_account(file) if account.is_open else ()),
            parts.who(file, user),
            *parts.owners(file, user),
            *parts.certifications(account, user),
            parts.verifications(file),
            unverified.outcomes(account),
            parts.hits(file),
            parts.red_flags(account),
            seen_before.section(account.party),
            parts.tiers(file),
            parts.restrictions(file),
            parts.documents(file),
            *access_page.with_door([parts.access_countries(account), parts.access_days(account)], account, user),
            waiting.known_keys(account),
            profile_sections.usual_use(file),
            own_page.links(account, at=at),
            own_page.objections(account),
            notices_section(account),
            timeline_section(account),
        ]

    def aside(self, account, *, user, at):
        return [
            parts.account_facts(account),
            clocks_section(account, today=legal_day(at)),
            holds_section(account, account.party),
        ]

    # --- what can be done ---------------------------------------------------------------------------------------------

    @flow_action("Open account", primary=True)
    def activate(self, account, *, by, at):
        activation.activate(account, by=by, at=at)
        return f"{account.reference} is open. The customer is told."

    @flow_action("Ask for missing data")
    def request_data(self, account, *, by, at):
        intake.request_data(account, by=by, at=at)
        return f"The customer of {account.reference} is asked for what is missing."

    @flow_action(
        "Record certification of owners", form=CertifyOwnersForm,
        when=lambda account: account.party.kind != PartyKind.INDIVIDUAL,
        warning="Record what the person who opens the account has signed: that the owners named are all there are.",
    )  # fmt: skip
    def certify_owners(self, account, *, by, at, **given):
        identification.certify_owners(account, by=by, at=at, **given)
        return f"The certification of the owners of {account.reference} is on file."

    @flow_action(
        "Doubt certification", when=lambda account: account.party.kind != PartyKind.INDIVIDUAL,
        warning="For facts that put the signed list of owners in doubt. A new signature is then needed.",
    )  # fmt: skip
    def doubt_certification(self, account, *, by, at):
        identification.doubt_certification(account, by=by, at=at)
        return f"The certification of the owners of {account.reference} no longer counts."

    @flow_action("Start verification", form=StartVerificationForm)
    def start_verification(self, account, *, by, at, party, trigger):
        started = verification.start(account, party, trigger=trigger, by=by, at=at)
        return f"{started.reference} is under way. Record what each method finds.", started

    @flow_action(
        "Refuse to open", form=RefuseForm, tone="danger",
        warning="The customer is told, and the data is kept only as long as the retention rule says.",
    )  # fmt: skip
    def refuse(self, account, *, by, at, reason):
        address_alone.refuse_by_hand(account, reason=reason, by=by, at=at)
        return f"{account.reference} is not opened. The customer is told."

    @flow_action("Ask for proof again")
    def ask_again(self, account, *, by, at):
        reverification.ask(account, trigger="by hand", by=by, at=at)
        return f"The customer of {account.reference} is asked for proof again."

    @flow_action(
        "Send the link again", when=lambda account: account.status == "data_requested" or bool(account.review_asked_on),
        warning="What is asked is sent once more with a new link; an earlier one opens nothing from then on.",
    )  # fmt: skip
    def send_link(self, account, *, by, at):
        asking_again.send_again(account, by=by, at=at)
        if customer_links.standing(account) is None:
            return f"No e-mail address of {account.reference} is known, so no link was made. Reach them another way."
        return f"A new link for {account.reference} is on its way; nobody but the customer sees it."

    @flow_action(
        "Withdraw link", when=lambda account: customer_links.standing(account) is not None, tone="danger",
        warning="The link, and the page it may have opened, is closed. What is asked still stands.",
    )  # fmt: skip
    def withdraw_link(self, account, *, by, at):
        customer_links.withdraw(account, by=by, at=at)
        return f"No link is out for {account.reference} any more."

    @flow_action("Look for red flags")
    def run_detectors(self, account, *, by, at):
        found = signals.run_detectors(account, by=by, at=at)
        return f"{len(found)} red flags are up on {account.reference}."

    @flow_action(
        "Set risk tier", form=TierForm,
        warning="The red flags go on being counted; the tier and the next review follow what is set here.",
    )  # fmt: skip
    def set_tier(self, account, *, by, at, tier, reason, last_day):
        override = rating.set_tier(account, tier=tier, reason=reason, last_day=last_day, by=by, at=at)
        return f"{account.reference} is of {override.get_tier_display()} through {override.last_day}."

    @flow_action("Let red flags decide the tier", when=lambda account: account.tier_by_hand)
    def end_tier(self, account, *, by, at):
        rating.end_override(account, by=by, at=at)
        return f"The red flags decide the tier of {account.reference} again."

    @flow_action(
        "Limit account", form=RestrictForm,
        warning="Existing use goes on, new resources are refused. The customer is told.",
    )  # fmt: skip
    def limit(self, account, *, by, at, reason, last_day):
        restrictions.restrict_by_hand(account, level=Level.LIMITED, reason=reason, last_day=last_day, by=by, at=at)
        return f"{account.reference} is limited."

    @flow_action(
        "Suspend at once", form=UrgentForm, tone="danger",
        warning="For what cannot wait: all use stops until the last day, and the customer is told. A suspension that "
        "is to last longer is decided by two people in a case.",
    )  # fmt: skip
    def suspend(self, account, *, by, at, reason, last_day):
        restrictions.restrict_by_hand(account, level=Level.SUSPENDED, reason=reason, last_day=last_day, by=by, at=at)
        return f"{account.reference} is suspended."

    @flow_action(
        "Block account", form=BlockForm, tone="danger",
        warning="For a customer whose list hit two people have confirmed: all use stops, property is frozen, and the "
        "report on blocked property falls due (31 CFR 501.603). In any other case two people decide in a case.",
    )  # fmt: skip
    def block(self, account, *, by, at, reason):
        restrictions.restrict_by_hand(account, level=Level.BLOCKED, reason=reason, by=by, at=at)
        return f"{account.reference} is blocked. The legal desk reports the blocked property."

    @flow_action("Lift restriction", form=LiftForm)
    def lift(self, account, *, by, at, restriction, why):
        restrictions.lift(restriction, why=why, by=by, at=at)
        return f"{restriction.reference} is lifted."

    @flow_action(
        "Close account", form=CloseForm, tone="danger",
        warning="All use ends and the retention clock starts. The customer is told. What is held stays held.",
    )  # fmt: skip
    def close(self, account, *, by, at, reason):
        closing.close_by_hand(account, reason=reason, by=by, at=at)
        return f"{account.reference} is closed. The customer is told."

    @flow_action(
        "Take up again", form=ReopenForm,
        warning="The retention clock is reset. A closed account must meet everything an opening asks for.",
    )  # fmt: skip
    def reopen(self, account, *, by, at, reason):
        again = closing.reopen_account(account, reason=reason, by=by, at=at)
        return f"{account.reference} is {AccountStatus(again.status).label} again."

    @flow_action(
        "End naming of a key", form=waiting.EndNamingForm,
        when=lambda account: any(named.ended_at is None for named in waiting.keys_of(account)),
        warning="Later accesses of the key wait again until somebody says whose they are. Those that are here stay: "
        "evidence is not moved out of a file.",
    )  # fmt: skip
    def end_naming(self, account, *, by, at, named, reason):
        ended = end_naming(named, reason=reason, by=by, at=at)
        return f"{ended.key} in {ended.source_system} is {account.reference} no more. Later accesses of it wait."
