"""What follows from new access records: the last access of their accounts, and a look for red flags (R2, R48)."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.flows import signals
from accounts.models import AccessBatch, AccessRecord, Account
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import Actor
from kyc_portal.work import failures, queue

FOLLOW_UP = "accounts.follow_up_delivery"
AT_ONCE = 100  # accounts a job sees to before it asks for the next one, so that a worker lost repeats few

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


def follow_up(batch: AccessBatch, *, by: Actor, at: datetime) -> None:
    """Do it at once where the delivery is one account's; else ask for it, whatever the number of accounts."""
    if batch.account is not None:
        note_last_access("batch_id = %s", [_key_of(batch)])
        batch.account.refresh_from_db(fields=["last_access_at"])
        signals.run_detectors(batch.account, by=by, at=at)
    elif batch.new_count:
        queue.ask(FOLLOW_UP, batch.reference, due_at=at, at=at)


def carry_on(key: str, *, by: Actor, at: datetime) -> None:
    """Job: see to the next accounts of a delivery, and ask for those after them.

    The key is the delivery's reference, and after a blank the key of the last account that was seen to. Until it is
    their turn, the retention clock reads their last access from the daily roll-ups.
    """
    reference, _, last = key.partition(" ")
    batch = AccessBatch.objects.filter(reference=reference).first()
    if batch is None:
        return
    rows = AccessRecord.objects.filter(batch=batch)
    if last:
        rows = rows.filter(account__gt=UUID(last))
    found = list(rows.order_by("account_id").values_list("account_id", flat=True).distinct()[:AT_ONCE])
    if found:
        marks = ", ".join(["%s"] * len(found))
        keys = [AccessRecord._meta.get_field("account").get_db_prep_value(each, connection) for each in found]
        with one_flow(by, at):
            note_last_access(f"batch_id = %s AND account_id IN ({marks})", [_key_of(batch), *keys])
    accounts = Account.objects.filter(pk__in=found).order_by("pk")
    failures.sweep("accounts.detectors", accounts, lambda row: signals.run_detectors(row, by=by, at=at), at=at)
    if len(found) == AT_ONCE:
        queue.ask(FOLLOW_UP, f"{reference} {found[-1]}", due_at=at, at=at)


def _key_of(batch: AccessBatch) -> object:
    return batch._meta.pk.get_db_prep_value(batch.pk, connection)
