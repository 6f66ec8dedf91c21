"""Resellers and the customers they brought, as the reseller desk sees them."""

from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, Reason, Table, holds_section, timeline_section
from kyc_portal.staff.templatetags.marks import masked
from resellers.admin.cip import status_badge
from resellers.admin.cip_request import requests_section
from resellers.admin.counts import COUNTS, CountPages
from resellers.admin.ending_forms import AskCipForm, ProposeEndForm, ReportForm
from resellers.admin.finding import state_badge
from resellers.admin.forms import (
    AccountForm,
    AdoptForm,
    BindingForm,
    CipTextForm,
    ContactForm,
    ContractForm,
    EndContractForm,
    FindingForm,
    ManagerForm,
    MessageForm,
    ResellerForm,
)
from resellers.admin.report import reports_section
from resellers.admin.roster_hit import screenings_section
from resellers.admin.sampling import error_rate_section, samples_section
from resellers.admin.sampling_forms import DrawForm
from resellers.admin.termination import end_badge
from resellers.flows import cip, cip_requests, file, findings, messages, onboarding, reports, sampling, termination
from resellers.models import DownstreamCustomer, Reseller
from resellers.rules.findings import STANDING

MOST_SHOWN = 50
ROSTER, FILES = "admin:resellers_rosterentry_changelist", "admin:resellers_rosterupload_changelist"
ENDED_LAST = (models.F("ended_at").asc(nulls_first=True),)


class ManagedFilter(QuerysetFilter):
    title = "managers"
    parameter_name = "managers"
    options = {"none": ("no manager bound", lambda rows, user, today: rows.without_manager())}


@admin.register(Reseller)
class ResellerAdmin(CountPages, RecordAdmin):
    list_display = ["reference", "company", "account_reference", "account_status", "added_at"]
    list_filter = [ManagedFilter]
    list_select_related = ["account__party"]
    search_fields = ["reference", "account__reference", "account__party__legal_name"]
    search_help_text = "Reference of the reseller or its account, or its name."
    ordering = ["-added_at"]
    logs_views = True  # it names people
    adding = AccountForm
    add_label = "Add a reseller"

    @admin.display(description="company")
    def company(self, reseller):
        return reseller.account.party.legal_name

    @admin.display(description="account")
    def account_reference(self, reseller):
        return reseller.account.reference

    @admin.display(description="status of the account")
    def account_status(self, reseller):
        return reseller.account.get_status_display()

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account__party")

    def add(self, *, by, at, account):
        return onboarding.add_reseller(account, by=by, at=at)

    def page_title(self, reseller):
        return reseller.account.party.legal_name

    def standing(self, reseller, at):
        """One answer for the whole page."""
        if "standing_on_page" not in reseller.__dict__:
            reseller.standing_on_page = file.standing_of(reseller, on=legal_day(at))
        return reseller.standing_on_page

    def badges(self, reseller):
        standing = self.standing(reseller, timezone.now())
        return [Badge("may sell", "good") if standing.may_sell else Badge("may not sell", "danger")]

    def reasons(self, reseller, *, at):
        return [Reason(sentence) for sentence in self.standing(reseller, at).reasons]

    def sections(self, reseller, *, user, at):
        return [
            _findings(reseller, legal_day(at)), error_rate_section(reseller), samples_section(reseller),
            screenings_section(reseller), _cips(reseller), _ends(reseller), requests_section(reseller),
            reports_section(reseller.reports), _customers(reseller), _contracts(reseller), _contacts(reseller, user),
            _managers(reseller), _messages(reseller), timeline_section(reseller),
        ]  # fmt: skip

    def aside(self, reseller, *, user, at):
        account = reseller.account
        facts = [
            ("Account", Link(account.reference, account)),
            ("Party", Link(account.party.legal_name, account.party)),
            ("Added", reseller.added_at),
            ("Its roster", Link("Customers on it", f"{reverse(ROSTER)}?q={reseller.reference}&force=now")),
            ("Its files", Link("Files it sent", f"{reverse(FILES)}?q={reseller.reference}")),
            ("Its customers", Link("By country", f"{reverse(COUNTS)}?reseller={reseller.reference}")),
        ]
        return [Facts("reseller", "The reseller", facts), holds_section(account, account.party)]

    @flow_action(
        "Record a finding", form=FindingForm, tone="danger",
        warning="A clock counts from the day it became known: without a cure the relationship ends.",
    )  # fmt: skip
    def record_finding(self, reseller, *, by, at, **given):
        finding = findings.record_finding(reseller, by=by, at=at, **given)
        return f"{finding.reference} is on file; its last good day is {finding.due_on}.", finding

    @flow_action(
        "Draw a sample", form=DrawForm,
        warning="The reseller is asked for a file of every customer drawn, by a day that counts from today.",
    )  # fmt: skip
    def draw_sample(self, reseller, *, by, at, size, seed):
        sample = sampling.draw(reseller, size=size, seed=seed, by=by, at=at)
        return f"{sample.reference}: {sample.size} files are asked for by {sample.due_on}.", sample

    @flow_action(
        "Propose to end the relationship", form=ProposeEndForm, tone="danger",
        warning="Nothing changes until a second person agrees; what becomes of single customers can be chosen first.",
    )  # fmt: skip
    def propose_termination(self, reseller, *, by, at, **given):
        row = termination.propose(reseller, by=by, at=at, **given)
        return f"{row.reference} waits for a second person.", row

    @flow_action("Report to an authority", form=ReportForm)
    def open_report(self, reseller, *, by, at, authority, about):
        report = reports.open_report(reseller, authority=authority, about=about, by=by, at=at)
        return f"{report.reference} is to be made by {report.due_on}.", report

    @flow_action(
        "Produce its CIP for an authority", form=AskCipForm, grave=True,
        warning="A signed copy is made of its CIP as of the day of the request. A clock counts from that day.",
    )  # fmt: skip
    def ask_cip(self, reseller, *, by, at, **given):
        request = cip_requests.ask(reseller, by=by, at=at, **given)
        return f"{request.reference} is made within a minute; it must go out by {request.due_on}.", request

    @flow_action("Hand in its CIP", form=CipTextForm, warning="For a reseller that sends its text by another way.")
    def submit_cip(self, reseller, *, by, at, title, text):
        handed_in = cip.submit_cip(reseller, title=title, text=text, by=by, at=at)
        return f"{handed_in.reference} waits for its review.", handed_in

    @flow_action("Record that it adopts our CIP", form=AdoptForm)
    def adopt_cip(self, reseller, *, by, at, agreement, agreed_on):
        handed_in = cip.adopt_provider_cip(reseller, agreement=agreement, agreed_on=agreed_on, by=by, at=at)
        return f"{handed_in.reference} waits for its review.", handed_in

    @flow_action("Record a contract", form=ContractForm)
    def record_contract(self, reseller, *, by, at, **given):
        contract = file.record_contract(reseller, by=by, at=at, **given)
        return f"Contract {contract} is on file."

    @flow_action("End a contract", form=EndContractForm, tone="danger")
    def end_contract(self, reseller, *, by, at, contract, to_on):
        file.end_contract(contract, to_on=to_on, by=by, at=at)
        return f"Contract {contract} ends on {to_on}."

    @flow_action("Add a contact", form=ContactForm, warning="It takes the place of the one who is there for the same.")
    def add_contact(self, reseller, *, by, at, **given):
        contact = file.add_contact(reseller, by=by, at=at, **given)
        return f"{contact} is on file."

    @flow_action("Write a message", form=MessageForm, warning="Every manager of this reseller can read it.")
    def send_message(self, reseller, *, by, at, **given):
        message = messages.send(reseller, by=by, at=at, **given)
        return f"{message.reference} waits for the managers; its contact is told by mail."

    @flow_action(
        "Add a customer", form=AccountForm, primary=True,
        warning="The reseller's managers will read the customer's name, country and state at once. Make sure that "
        "this reseller brought the customer: it can be given to another reseller later, but not taken back.",
    )  # fmt: skip
    def add_customer(self, reseller, *, by, at, account):
        onboarding.add_downstream(reseller, account=account, by=by, at=at)
        return f"{account.reference} was brought by {reseller.reference}."

    @flow_action(
        "Bind a manager", form=ManagerForm,
        warning="The person will read the name, country and state of every customer of this reseller.",
    )  # fmt: skip
    def bind(self, reseller, *, by, at, user):
        onboarding.bind_manager(reseller, user=user, by=by, at=at)
        return f"{user.username} is bound to {reseller.reference}."

    @flow_action("End a binding", form=BindingForm, tone="danger")
    def end_binding(self, reseller, *, by, at, binding):
        onboarding.end_binding(binding, by=by, at=at)
        return f"{binding.user.username} no longer sees {reseller.reference}."


def _findings(reseller, today) -> Table:
    """What is held against it, the soonest to be cured first."""
    rows = [
        [
            Link(finding.reference, finding), finding.get_kind_display(), state_badge(finding), finding.knowledge_at,
            Clock(finding.due_on, finding.citation.standing).seen_on(today) if finding.state in STANDING else None,
        ]
        for finding in reseller.findings.select_related("citation").order_by(*ENDED_LAST, "due_on", "pk")[:MOST_SHOWN]
    ]  # fmt: skip
    head = ["Finding", "In what it fails", "State", "Known since", "Cure"]
    return Table("findings", "Findings", head, rows, empty="Nothing is held against it.")


def _cips(reseller) -> Table:
    """Its CIP in versions, the newest first."""
    rows = [
        [Link(cip.reference, cip), cip.number, cip.title, cip.get_source_display(), status_badge(cip), cip.submitted_at]
        for cip in reseller.cips.order_by("-number")[:MOST_SHOWN]
    ]
    head = ["CIP", "Version", "Title", "Whose text", "State", "Handed in"]
    empty = "No CIP was handed in. Ask for its text, or record that it adopts ours."
    return Table("cips", "Its CIP", head, rows, empty=empty)


def _contracts(reseller) -> Table:
    rows = [
        [contract.number, contract.from_on, contract.to_on, contract.recorded_by]
        for contract in reseller.contracts.order_by("-from_on", "number")[:MOST_SHOWN]
    ]
    head = ["Number", "In force from", "Last day", "Recorded by"]
    return Table("contracts", "Contracts", head, rows, empty="No contract is on file. Record it.")


def _contacts(reseller, user) -> Table:
    """Whom to reach there; in clear for those who work with resellers."""
    rows = []
    for contact in reseller.contacts.order_by(*ENDED_LAST, "role", "pk")[:MOST_SHOWN]:
        contact.reseller = reseller
        values = [
            getattr(contact, column).reveal() if may_see(user, "resellers.resellercontact", column) else masked(column)
            for column in ("name", "email", "phone") if getattr(contact, column)
        ]  # fmt: skip
        rows.append([contact.get_role_display(), contact.title, *values, *[None] * (3 - len(values)), contact.ended_at])
    head = ["There for", "Title", "Name", "E-mail", "Telephone", "Until"]
    return Table("contacts", "Contacts", head, rows, empty="Nobody to reach is on file. Add who answers for its CIP.")


def _customers(reseller) -> Table:
    """The newest customers, with the way to all of them."""
    links = reseller.customers.select_related("account__party").order_by("-added_at")[:MOST_SHOWN]
    rows = [
        [
            Link(link.account.reference, link.account), link.account.party.legal_name,
            link.account.get_status_display(), link.added_at,
        ]
        for link in links
    ]  # fmt: skip
    return Table(
        "customers", "Customers it brought", ["Account", "Name", "Status", "Added"], rows,
        empty="No customer yet. Add one by the reference of the account.",
        note=f"The newest {MOST_SHOWN} are shown." if len(rows) == MOST_SHOWN else "",
    )  # fmt: skip


def _managers(reseller) -> Table:
    """Who may read this reseller's customers, and who could before."""
    bindings = reseller.managers.select_related("user").order_by(*ENDED_LAST, "-bound_at")
    rows = [[binding.user.username, binding.bound_at, binding.ended_at] for binding in bindings]
    return Table(
        "managers", "Managers", ["User name", "Bound", "Ended"], rows,
        empty="Nobody can log in for this reseller. Bind a manager.",
    )  # fmt: skip


def _ends(reseller) -> Table:
    """What was proposed or decided of the end of the relationship."""
    rows = [
        [Link(row.reference, row), row.get_reason_display(), end_badge(row), row.due_on, row.proposed_at,
         row.finished_at]
        for row in reseller.terminations.order_by("-proposed_at", "pk")[:MOST_SHOWN]
    ]  # fmt: skip
    head = ["End", "Reason", "State", "Last good day", "Proposed", "Ended"]
    return Table("ends", "End of the relationship", head, rows, empty="Nobody has proposed to end it.")


def _messages(reseller) -> Table:
    """What was written to its managers, the newest first, and when they read it."""
    rows = [
        [message.reference, message.subject_line, message.sent_at, message.sent_by, message.read_at, message.read_by]
        for message in reseller.messages.order_by("-sent_at", "pk")[:MOST_SHOWN]
    ]
    head = ["Message", "Subject", "Sent", "By", "Read", "Read by"]
    return Table("messages", "Messages", head, rows, empty="Nothing was written to its managers yet.")


@admin.register(DownstreamCustomer)
class DownstreamCustomerAdmin(RecordAdmin):
    list_display = ["account_reference", "name", "account_status", "reseller_reference", "added_at"]
    list_select_related = ["account__party", "reseller"]
    search_fields = ["account__reference", "account__party__legal_name", "reseller__reference"]
    search_help_text = "Reference of the account or the reseller, or the customer's name."
    ordering = ["-added_at"]

    @admin.display(description="account")
    def account_reference(self, link):
        return link.account.reference

    @admin.display(description="name")
    def name(self, link):
        return link.account.party.legal_name

    @admin.display(description="status of the account")
    def account_status(self, link):
        return link.account.get_status_display()

    @admin.display(description="reseller")
    def reseller_reference(self, link):
        return link.reseller.reference

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account__party", "reseller__account__party")

    def page_title(self, link):
        return f"{link.account.reference} through {link.reseller.reference}"

    def sections(self, link, *, user, at):
        account, seller = link.account, link.reseller
        facts = [
            ("Customer", Link(account.party.legal_name, account.party)),
            ("Account", Link(account.reference, account)),
            ("Status of the account", account.get_status_display()),
            ("Brought by", Link(f"{seller.reference}, {seller.account.party.legal_name}", seller)),
            ("Added", link.added_at),
        ]
        return [Facts("link", "Who brought whom", facts), timeline_section(account)]

    @flow_action(
        "Change reseller", form=ResellerForm,
        warning="The customer now gets the account through another reseller: proof is asked for again, and the "
        "managers of the former one no longer see the customer.",
    )  # fmt: skip
    def change_reseller(self, link, *, by, at, reseller):
        onboarding.change_reseller(link, reseller=reseller, by=by, at=at)
        return f"{link.account.reference} is now sold through {reseller.reference}."
