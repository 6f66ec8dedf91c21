"""What follows from new access records: the last access of their accounts, and a look for red flags (R2, R48)."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.flows import signals
from accounts.models import AccessBatch, AccessRecord, Account
from kyc_portal.records.refs import Actor
from kyc_portal.work import failures, queue

LOOK = "accounts.look_for_flags_after_delivery"
AT_ONCE = 100  # accounts a job looks at before it asks for the next one, so that a worker lost repeats few

_NEWEST = "(SELECT account_id, MAX(at) AS newest FROM accounts_accessrecord WHERE {where} GROUP BY account_id) found"
_LATER = "account.id = found.account_id AND (account.last_access_at IS NULL OR account.last_access_at < found.newest)"
_LOCK = (
    "SELECT 1 FROM accounts_account account JOIN {newest} ON {later} ORDER BY account.id FOR NO KEY UPDATE OF account"
)
_MOVE = "UPDATE accounts_account AS account SET last_access_at = found.newest FROM {newest} WHERE {later}"


def note_last_access(where: str, values: list) -> None:
    """Move the last access of the accounts of these records forward; the retention clock reads it.

    The accounts are locked in the order of their keys, so that two deliveries cannot wait for each other.
    """
    words = {"newest": _NEWEST.format(where=where), "later": _LATER}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_LOCK.format(**words), values)
        cursor.execute(_MOVE.format(**words), values)


def look_for_flags(batch: AccessBatch, *, by: Actor, at: datetime) -> None:
    """Look at once where the delivery is one account's; else ask for it, whatever the number of accounts."""
    if batch.account is not None:
        batch.account.refresh_from_db(fields=["last_access_at"])
        signals.run_detectors(batch.account, by=by, at=at)
    elif batch.new_count:
        queue.ask(LOOK, batch.reference, due_at=at, at=at)


def look(key: str, *, by: Actor, at: datetime) -> None:
    """Job: look at the next accounts of a delivery, each in its own transaction, and ask for those after them.

    The key is the delivery's reference, and after a blank the key of the last account that was looked at.
    """
    reference, _, last = key.partition(" ")
    rows = AccessRecord.objects.filter(batch__reference=reference)
    if last:
        rows = rows.filter(account__gt=UUID(last))
    found = list(rows.order_by("account_id").values_list("account_id", flat=True).distinct()[:AT_ONCE])
    accounts = Account.objects.filter(pk__in=found).order_by("pk")
    failures.sweep(
        "accounts.detectors", accounts, lambda row: signals.run_detectors(row, by=by, at=at), at=at
    )  # fmt: skip
    if len(found) == AT_ONCE:
        queue.ask(LOOK, f"{reference} {found[-1]}", due_at=at, at=at)
