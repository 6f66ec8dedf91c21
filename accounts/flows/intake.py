"""Take customers in: open a prospect, ask for what is missing, or do not open the account (R9, R23, R38)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError

from accounts.flows import customer_links, parties, texts
from accounts.flows.completeness import missing_for
from accounts.flows.parties import PartyDraft, add_party, primary_email
from accounts.flows.texts import Texts
from accounts.models import Account
from accounts.rules.asked import EndedWhy, Purpose
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.onboarding import MOVES, AccountStatus
from accounts.rules.parties import PartyKind
from accounts.rules.refusals import refusal_reason
from accounts.verbs import Verb
from kyc_portal.notices import kinds, outbox
from kyc_portal.policy import clocks
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import PrivacyNoticeVersion
from kyc_portal.policy.privacy_notice import notice_on
from kyc_portal.records import audit, keys
from kyc_portal.records.acting import flow, one_flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

__all__ = [
    "NewAddress", "NewParty", "add_party", "open_prospect", "primary_email", "refuse_prospect", "request_data",
]  # fmt: skip

VERIFY_BY = "verify by"


class KnownCustomer(Refusal):
    """An account carries this customer number already."""


class NothingMissing(Refusal):
    """There is nothing to ask for."""


@dataclass(frozen=True)
class Prospect:
    """A new customer, checked and put together but not written yet, with the notice and the events that follow."""

    account: Account
    party: PartyDraft
    events: list[AuditEvent]
    notice: outbox.Draft
    by: Actor


def open_prospect(
    new: NewParty,
    *,
    source: str,
    product: str = "",
    external_key: str | None = None,
    is_reseller: bool = False,
    row: int | None = None,
    by: Actor,
    at: datetime,
) -> Account:
    """Put a customer on file with an account that is not open yet, and tell them why data is asked for (R23).

    `source` says how they came (a form, a file, a reseller), `row` the line of the file. Raises BadField, BadNumber or
    KnownCustomer.
    """
    try:
        with one_flow(by):
            prospect = draft_prospect(
                new, source=source, product=product, external_key=external_key, is_reseller=is_reseller, row=row,
                by=by, at=at,
            )  # fmt: skip
            write_prospects([prospect])
    except IntegrityError:  # the database decides who came first with a customer number
        number = prospect.account.external_key
        if number is None or not Account.objects.filter(external_key=number).exists():
            raise
        raise KnownCustomer(
            "An account with this customer number exists already. Look it up, or correct the number."
        ) from None
    return prospect.account


def draft_prospect(
    new: NewParty,
    *,
    source: str,
    product: str = "",
    external_key: str | None = None,
    is_reseller: bool = False,
    row: int | None = None,
    shown: PrivacyNoticeVersion | None = None,
    by: Actor,
    at: datetime,
) -> Prospect:
    """What `open_prospect` writes, for a caller that opens many at once and knows the privacy notice of the day.

    Raises BadField or BadNumber.
    """
    shown = shown or notice_on(legal_day(at))
    told = Texts()
    account = Account(
        external_key=texts.code("Customer number", external_key or "", 80) or None,
        product=told.line("Product", product, 80), source=texts.code("Source", source, 40), is_reseller=is_reseller,
        status=AccountStatus.PROSPECT.value, created_at=at, notice_version=str(shown.number),
    )  # fmt: skip
    drafted = parties.draft(new, by_label=by.label, at=at)
    account.party = party = drafted.party
    told.masked += drafted.told.masked
    facts = {"row": row} if row is not None else {}
    opened = audit.draft(Verb.PROSPECT_OPENED, account, by=by, at=at, within=party, source=account.source, **facts)
    events = [opened, *told.events(party, by=by, at=at)]
    notice = kinds.PrivacyNotice(
        name=party.legal_name, account=account.reference, version=str(shown.number), text=shown.text
    )
    told_by = outbox.draft_notice(notice, about=account, subject=party.pk, address=drafted.email, by=by, at=at)
    return Prospect(account, drafted, events, told_by, by)


def write_prospects(prospects: Sequence[Prospect]) -> None:
    """Write drafted prospects in one transaction, a table at a time: a few hundred of them cost little more than one.

    Raises IntegrityError, and then nothing is written, when one of the customer numbers is taken.
    """
    with keys.held(prospect.party.party.pk for prospect in prospects):
        parties.write([prospect.party for prospect in prospects])
        Account.objects.bulk_create([prospect.account for prospect in prospects])
        audit.write([event for prospect in prospects for event in prospect.events])
        outbox.write_notices([prospect.notice for prospect in prospects])
        for prospect in prospects:
            if (party := prospect.party.party).kind == PartyKind.UNDETERMINED:
                parties.watch_kind(party, by=prospect.by, at=party.created_at)


@flow
def request_data(account: Account, *, by: Actor, at: datetime) -> Account:
    """Tell a prospect what is still missing and by when; asking again keeps the first date (R31, own policy).

    Raises NothingMissing, or MoveNotAllowed when the account is past this stage.
    """
    account = _locked(account)
    today = legal_day(at)
    if account.status != AccountStatus.DATA_REQUESTED:
        MOVES.require(account.status, AccountStatus.DATA_REQUESTED)
    missing = missing_for(account, on=today)
    if not missing:
        raise NothingMissing("Nothing is missing. Start the verification.")

    account.status = AccountStatus.DATA_REQUESTED.value
    account.save(update_fields=["status"])
    clock = clocks.start_clock(
        VERIFY_BY, account, figure="verify_days", regime=regime_on(today), on=today, by=by, at=at
    )
    codes = ", ".join(gap.code for gap in missing)
    audit.record(Verb.DATA_REQUESTED, account, by=by, at=at, within=account.party, missing=codes)
    notice = kinds.DataRequested(
        name=account.party.legal_name, account=account.reference, missing=tuple(gap.sentence for gap in missing),
        answer_by=clock.due_on,
        **customer_links.for_notice(account, purpose=Purpose.DATA, answer_by=clock.due_on, by=by, at=at),
    )  # fmt: skip
    _tell(account, notice, by=by, at=at)
    return account


@flow
def refuse_prospect(
    account: Account, *, reason: str, object_by: date | None = None, by: Actor, at: datetime
) -> Account:
    """Do not open an account (R38); from today its data is kept only as long as the retention rule says.

    `reason` is a code of rules/refusals.py, whose public wording the customer reads, with the last day to object where
    there is one. Raises UnknownReason or
    MoveNotAllowed.
    """
    account, why = _locked(account), refusal_reason(reason)
    MOVES.require(account.status, AccountStatus.REFUSED)

    account.status, account.closed_at, account.closing_reason = AccountStatus.REFUSED.value, at, why.code
    account.save(update_fields=["status", "closed_at", "closing_reason"])
    clocks.stop_clock(VERIFY_BY, account, by=by, at=at)
    customer_links.end(account, why=EndedWhy.OVER, by=by, at=at)
    audit.record(Verb.REFUSED, account, by=by, at=at, within=account.party, reason=why.code)
    notice = kinds.AccountRefused(
        name=account.party.legal_name, account=account.reference, told=why.told, object_by=object_by
    )
    _tell(account, notice, by=by, at=at)
    return account


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)


def _tell(account: Account, notice, *, by: Actor, at: datetime) -> None:
    address = primary_email(account.party)
    outbox.queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)
