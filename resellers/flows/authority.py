"""Whether somebody may sign for a reseller at this moment: the binding as it stands, not as a page showed it (R63)."""

from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.models import Reseller, ResellerManager


class NoAuthority(Refusal):
    """Whoever signs is not bound to this reseller, or no longer. It says nothing of any other reseller."""


def held(binding: ResellerManager | None, reseller: Reseller, *, by: Actor) -> ResellerManager:
    """The binding, locked until the transaction ends, so that it cannot end under the signature.

    Raises NoAuthority for one that ended, that is another reseller's or another person's, or whose person may no longer
    log in.
    """
    rows = ResellerManager.objects.select_for_update(of=("self",)).select_related("user")
    found = rows.filter(pk=binding.pk, reseller=reseller, ended_at__isnull=True).first() if binding else None
    if found is None or (by.kind, by.key) != ("person", str(found.user_id)) or not found.user.is_active:
        raise NoAuthority(
            "You are no longer bound to this reseller, so nothing was signed. If you still act for it, ask the "
            "provider's reseller desk to bind you again."
        )
    return found
