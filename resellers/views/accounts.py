"""The accounts with us of the customers a reseller brought: what its manager may know of them (trust.md TH1, TH2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.shortcuts import redirect, render
from django.urls import reverse_lazy

from accounts.models import Account
from kyc_portal.staff import own
from kyc_portal.staff.policy_table import OUTSIDERS_SEE
from resellers.models import DownstreamCustomer, Reseller

PER_PAGE = 50
MOST_PAGES = 10_000

# Words an outsider may read: why an account waits, is blocked or was refused is between us and the customer.
STATUS_WORDS = {
    "prospect": ("waiting for the customer's details", "warning"),
    "data_requested": ("waiting for the customer's details", "warning"),
    "verifying": ("being checked by us", "info"),
    "active": ("open", "good"),
    "blocked": ("not available", ""),
    "refused": ("not opened", ""),
    "closed": ("closed", ""),
}
UNKNOWN_STATUS = ("not available", "")


@dataclass(frozen=True)
class CustomerRow:
    """One customer in the words a reseller may know."""

    reference: str
    name: str
    country: str
    status: str
    tone: str
    since: datetime
    reseller: str


def _since(account: Account) -> datetime:
    """Since when the shown state holds, as far as a reseller may know: asked for, opened or ended."""
    moments = {"active": account.opened_at, "closed": account.closed_at}
    return moments.get(account.status) or account.created_at


def _country(account: Account) -> str:
    """Where the customer is: the country of the first address, else of formation; never the lines of an address."""
    for address in account.party.addresses.all():
        return address.country.name
    return account.party.formation_country.name


def _row(link: DownstreamCustomer) -> CustomerRow:
    account = link.account
    status, tone = STATUS_WORDS.get(account.status, UNKNOWN_STATUS)
    return CustomerRow(
        account.reference, account.party.legal_name, _country(account), status, tone, _since(account),
        link.reseller.reference,
    )  # fmt: skip


def page_number(text: str) -> int:
    """The page asked for, at least 1; whatever is no number is the first page."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return 1
    return min(max(int(text), 1), MOST_PAGES)


def rows_of(user, page: int) -> tuple[Sequence[CustomerRow], bool]:
    """One page of this person's customers, newest first, and whether there are more; three queries, no count."""
    links = DownstreamCustomer.objects.visible_to(user).select_related("account__party", "reseller")
    links = links.only("added_at", *OUTSIDERS_SEE)
    first = (page - 1) * PER_PAGE
    found = list(
        links.order_by("-added_at", "pk").prefetch_related("account__party__addresses")[first : first + PER_PAGE + 1]
    )
    return [_row(link) for link in found[:PER_PAGE]], len(found) > PER_PAGE


def accounts(request):
    """The accounts of this person's customers: read only. Staff have their own lists and are sent there."""
    if request.user.is_staff:
        return redirect("admin:index")
    page = page_number(request.GET.get("page", ""))
    rows, has_more = rows_of(request.user, page)
    resellers = list(
        Reseller.objects.visible_to(request.user).order_by("reference").values_list("reference", flat=True)
    )
    context = {
        "title": "Accounts with us", "rows": rows, "page": page, "earlier": page - 1,
        "later": page + 1 if has_more else 0, "resellers": resellers,
        "reseller": resellers[0] if len(resellers) == 1 else "", "crumbs": [{"label": "Accounts with us"}],
    }  # fmt: skip
    return render(request, "resellers/accounts.html", context)


class PasswordChange(own.PasswordChange):
    """A manager's own password."""

    template_name = "resellers/password.html"
    success_url = reverse_lazy("resellers:overview")
    extra_context = {"title": "Change password"}
