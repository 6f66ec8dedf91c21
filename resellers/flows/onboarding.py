"""Take in resellers, bind their managers, write down whom they brought (requirements R24, R64)."""

from datetime import date, datetime

from accounts.flows import reverification
from accounts.models import Account
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember
from resellers.flows import file
from resellers.models import DownstreamCustomer, Reseller, ResellerManager
from resellers.verbs import Verb

MANAGER_ROLE = "reseller manager"
CHANGED, ENDED = "reseller_changed", "reseller_ended"  # the triggers of a re-verification (R46)


class NoReseller(Refusal):
    """The account cannot become, or no longer is, a reseller's."""


class NoManager(Refusal):
    """The person cannot be bound to a reseller."""


class BindingOver(Refusal):
    """The binding ended before."""


class AlreadyBrought(Refusal):
    """The account belongs to a reseller already, or is one."""


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update(of=("self",)).get(pk=account.pk)


@flow
def add_reseller(account: Account, *, by: Actor, at: datetime) -> Reseller:
    """Let an open account pass our products on. Raises NoReseller for one that is not open or not taken in as one."""
    account = _locked(account)
    if Reseller.objects.filter(account=account).exists():
        raise NoReseller(f"{account.reference} is a reseller already. See its page under Resellers.")
    if not account.is_reseller:
        raise NoReseller(
            f"{account.reference} was taken in as a customer. Take the reseller in with an account of its own."
        )
    if not account.is_open:
        raise NoReseller(
            f"{account.reference} is {account.get_status_display()}. A reseller needs an account that is open."
        )
    if DownstreamCustomer.objects.filter(account=account).exists():
        raise NoReseller(
            f"{account.reference} was itself brought by a reseller. Take it in with an account of its own."
        )

    reseller = Reseller.objects.create(account=account, added_at=at)
    audit.record(Verb.ADDED, reseller, by=by, at=at, within=account, reseller=reseller.reference)
    return reseller


@flow
def bind_manager(reseller: Reseller, *, user: StaffMember, by: Actor, at: datetime) -> ResellerManager:
    """Let a person outside the house read this reseller's customers. Raises NoManager for any other role, or Ended."""
    reseller = file.locked(reseller)
    file.require_running(reseller)
    user = StaffMember.objects.select_for_update(of=("self",)).get(pk=user.pk)
    roles = set(user.groups.values_list("name", flat=True))
    if not user.is_active:
        raise NoManager(f"{user.username} is inactive. Choose somebody who can log in.")
    if user.is_staff or user.is_superuser or roles != {MANAGER_ROLE}:
        raise NoManager(
            f"{user.username} is not a reseller manager only. Ask an administrator for a log-in of that role."
        )
    if reseller.managers.filter(user=user, ended_at__isnull=True).exists():
        raise NoManager(f"{user.username} is bound to {reseller.reference} already.")

    binding = ResellerManager.objects.create(reseller=reseller, user=user, bound_at=at)
    audit.record(
        Verb.MANAGER_BOUND, reseller, by=by, at=at, within=user, manager=user.username, reseller=reseller.reference
    )
    return binding


@flow
def end_binding(binding: ResellerManager, *, by: Actor, at: datetime) -> ResellerManager:
    """Take a manager's view of a reseller away; their next request shows nothing. Raises BindingOver once it ended."""
    binding = (
        ResellerManager.objects.select_for_update(of=("self",)).select_related("reseller", "user").get(pk=binding.pk)
    )
    if binding.ended_at is not None:
        raise BindingOver(f"{binding.user.username} is no longer bound to {binding.reseller.reference}.")

    binding.ended_at = at
    binding.save(update_fields=["ended_at"])
    facts = {"manager": binding.user.username, "reseller": binding.reseller.reference}
    audit.record(Verb.BINDING_ENDED, binding.reseller, by=by, at=at, within=binding.user, **facts)
    return binding


@flow
def add_downstream(reseller: Reseller, *, account: Account, by: Actor, at: datetime) -> DownstreamCustomer:
    """Link an account to the one reseller who brought it. Raises AlreadyBrought or NoReseller."""
    reseller, account = file.locked(reseller), _locked(account)
    _require_sells(reseller, legal_day(at))
    if account.is_reseller or Reseller.objects.filter(account=account).exists():
        raise AlreadyBrought(f"{account.reference} is a reseller's own account. Name the account of a customer.")
    link = DownstreamCustomer.objects.filter(account=account).select_related("reseller").first()
    if link is not None and link.ended_at is None:
        raise AlreadyBrought(
            f"{account.reference} was brought by {link.reseller.reference}. One account has one reseller."
        )

    if link is None:
        link = DownstreamCustomer.objects.create(reseller=reseller, account=account, added_at=at)
    else:  # a customer whom we had taken over comes through a reseller again
        link.reseller, link.added_at, link.ended_at = reseller, at, None
        link.save(update_fields=["reseller", "added_at", "ended_at"])
    audit.record(
        Verb.CUSTOMER_ADDED,
        reseller,
        by=by,
        at=at,
        within=account,
        account=account.reference,
        reseller=reseller.reference,
    )
    return link


@flow
def change_reseller(link: DownstreamCustomer, *, reseller: Reseller, by: Actor, at: datetime) -> DownstreamCustomer:
    """Write down that a customer now gets the account through another reseller; proof is asked for again (R46).

    Raises NoReseller for one that may not sell, and AlreadyBrought when it is the same one.
    """
    reseller, account = file.locked(reseller), _locked(link.account)
    link = DownstreamCustomer.objects.select_for_update(of=("self",)).select_related("reseller").get(pk=link.pk)
    _require_sells(reseller, legal_day(at))
    if reseller.pk == link.reseller_id and link.ended_at is None:
        raise AlreadyBrought(f"{account.reference} is sold through {reseller.reference} already. Name another.")
    old, link.reseller, link.ended_at = link.reseller, reseller, None
    link.save(update_fields=["reseller", "ended_at"])
    facts = {"account": account.reference, "reseller": reseller.reference, "old": old.reference}
    audit.record(Verb.RESELLER_CHANGED, account, by=by, at=at, within=reseller, **facts)
    reverification.request_after(account, trigger=CHANGED, by=by, at=at)
    return link


@flow
def take_over(link: DownstreamCustomer, *, by: Actor, at: datetime) -> DownstreamCustomer:
    """Write down that a customer has the account from ourselves now; we ask for proof ourselves (R46, R62).

    The row stays, marked, as long as the account's file: it says through whom the customer came. Raises AlreadyBrought.
    """
    account = _locked(link.account)
    link = DownstreamCustomer.objects.select_for_update(of=("self",)).select_related("reseller").get(pk=link.pk)
    if link.ended_at is not None:
        raise AlreadyBrought(f"{account.reference} is a customer of our own already. Nothing needs to be done.")
    link.ended_at = at
    link.save(update_fields=["ended_at"])
    facts = {"account": account.reference, "reseller": link.reseller.reference}
    audit.record(Verb.TAKEN_OVER, account, by=by, at=at, within=link.reseller, **facts)
    reverification.request_after(account, trigger=ENDED, by=by, at=at)
    return link


def _require_sells(reseller: Reseller, day: date) -> None:
    if not (standing := file.standing_of(reseller, on=day)).may_sell:
        raise NoReseller(f"{reseller.reference} may not sell, so it brings no customers. {' '.join(standing.reasons)}")
