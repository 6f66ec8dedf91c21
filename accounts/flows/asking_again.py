"""Send the customer what was asked once more, with a new link; the old one opens nothing from then on."""

from datetime import datetime

from accounts.flows import intake, reverification
from accounts.models import Account
from accounts.rules.onboarding import AccountStatus
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor


@flow
def send_again(account: Account, *, by: Actor, at: datetime) -> Account:
    """Send the standing request again. Raises NotAsked, NothingMissing."""
    account = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    if account.status == AccountStatus.DATA_REQUESTED:
        return intake.request_data(account, by=by, at=at)
    return reverification.tell_again(account, by=by, at=at)
