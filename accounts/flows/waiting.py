"""Accesses of accounts we do not know: counted by their keys, named by staff, and moved to whom they belong (R18)."""

import json
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, models
from django.db.models import Count, Max, Min
from django.db.models.functions import Upper

from accounts.flows import access_days, access_follow_up, signals
from accounts.flows.batches import in_batches
from accounts.flows.verdicts import Judge, judge_on
from accounts.models import AccessBatch, AccessRecord, Account, CloudAccount, RefusedLine, UnknownAccount, WaitingLine
from accounts.models.access import NamingEndedWhy
from accounts.verbs import Verb
from kyc_portal.records import audit, holds
from kyc_portal.records.acting import flow, one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor, new_reference
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

MOVE = "accounts.move_waiting_accesses"
AT_ONCE = 2_000  # lines a transaction moves
DIFFERS = (
    "The account has an event of this number that says something else; the first stays as it was told. Find out which "
    "is true, and give what is another event a number of its own."
)

_KEPT = (
    "at", "kind", "action", "principal", "address", "raw_source", "port", "user_agent_sha256", "source_system",
    "event_id", "batch_id",
)  # fmt: skip
_NOTE = """
INSERT INTO accounts_unknownaccount AS known
    (id, reference, source_system, key, line_count, first_at, last_at, waiting_since, last_delivered_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (source_system, key) DO UPDATE SET
    line_count = known.line_count + excluded.line_count,
    first_at = {least}(known.first_at, excluded.first_at), last_at = {greatest}(known.last_at, excluded.last_at),
    last_delivered_at = {greatest}(known.last_delivered_at, excluded.last_delivered_at)
"""


class NoSuchAccount(Refusal):
    """No account of ours has this reference."""


class NamedAlready(Refusal):
    """Somebody has said whose the key is."""


class NamingEnded(Refusal):
    """The naming was ended before."""


def note(batch: AccessBatch, *, at: datetime) -> None:
    """Add the waiting lines of a delivery to the counts of their keys, in the delivery's transaction."""
    words = ("LEAST", "GREATEST") if connection.vendor == "postgresql" else ("MIN", "MAX")
    statement = _NOTE.format(least=words[0], greatest=words[1])
    found = batch.waiting_lines.order_by("source_system", "account_key").values_list("source_system", "account_key")
    groups = found.annotate(count=Count("pk"), first=Min("at"), last=Max("at")).iterator(chunk_size=AT_ONCE)
    for part in in_batches(groups):
        with connection.cursor() as cursor:
            cursor.executemany(statement, list(map(_values, ((*group, at) for group in part))))


def _values(group: tuple) -> list:
    system, key, count, first, last, at = group
    columns = {
        "id": uuid.uuid4(), "reference": new_reference("UNK"), "source_system": system, "key": key,
        "line_count": count, "first_at": first, "last_at": last, "waiting_since": at, "last_delivered_at": at,
    }  # fmt: skip
    fields = UnknownAccount._meta
    return [fields.get_field(name).get_db_prep_value(value, connection) for name, value in columns.items()]


# --- Whose they are ---------------------------------------------------------------------------------------------------


def account_of(source_system: str, key: str) -> Account | None:
    """The account a source system means by this key: as staff named it, by the provider's number, by our reference."""
    standing = CloudAccount.objects.standing().select_related("account")
    named = standing.filter(source_system=source_system, key=key).first()
    if named is not None:
        return named.account
    return Account.objects.filter(external_key=key).first() or Account.objects.filter(reference=key.upper()).first()


@flow
def name_account(unknown: UnknownAccount, *, account: str, by: Actor, at: datetime) -> CloudAccount:
    """Say whose accesses wait under a key; they are moved to that account, by a job, and later ones go there at once.

    `account` is our reference. Raises NoSuchAccount, NamedAlready, and AlreadyDestroyed for a file that is going.
    """
    wanted = account.strip().upper()
    found = Account.objects.select_for_update(of=("self",)).filter(reference=wanted).first()
    if found is None:
        raise NoSuchAccount("No account has this reference. Look it up among the accounts; it begins with ACC-.")
    holds.refuse_doomed(found)
    unknown = UnknownAccount.objects.select_for_update().filter(pk=unknown.pk).first() or unknown
    if (known := account_of(unknown.source_system, unknown.key)) is not None:
        raise NamedAlready(f"{unknown.reference} is known as {known.reference} already. Its accesses are being moved.")
    named = CloudAccount.objects.create(
        account=found, source_system=unknown.source_system, key=unknown.key, named_as=unknown.reference, named_at=at,
        named_by=by.label, moved_count=0,
    )  # fmt: skip
    audit.record(
        Verb.ACCOUNT_NAMED, unknown, by=by, at=at, within=found, row=unknown.reference, account=found.reference,
        count=unknown.line_count,
    )  # fmt: skip
    queue.ask(MOVE, unknown.reference, due_at=at, at=at)
    return named


@flow
def end_naming(named: CloudAccount, *, reason: str, by: Actor, at: datetime) -> CloudAccount:
    """Let later accesses of a key wait again; those that are with the account stay, evidence is moved out of no file.

    `reason` is one of NamingEndedWhy. Raises NamingEnded, and AlreadyDestroyed for a file that is going.
    """
    account = Account.objects.select_for_update(of=("self",)).get(pk=named.account_id)  # as deliveries and moves do
    holds.refuse_doomed(account)
    named = CloudAccount.objects.select_for_update(of=("self",)).get(pk=named.pk)
    if named.ended_at is not None:
        raise NamingEnded(f"This naming was ended by {named.ended_by} already. Look at the account's page again.")
    named.ended_at, named.ended_by, named.ended_why = at, by.label, NamingEndedWhy(reason)
    named.save(update_fields=["ended_at", "ended_by", "ended_why"])
    audit.record(
        Verb.NAMING_ENDED, account, by=by, at=at, row=named.named_as or str(named.pk), account=account.reference,
        reason=named.get_ended_why_display(),
    )  # fmt: skip
    return named


@dataclass(frozen=True)
class Gone:
    """What became of an unknown account whose lines do not wait any more; `named` is missing of one that was opened."""

    reference: str
    account: Account | None
    named: CloudAccount | None


def gone(key: object) -> Gone | None:
    """What the trail knows of the UnknownAccount that had this primary key; None when it knows of none."""
    verbs = (Verb.ACCOUNT_NAMED.code, Verb.ACCESSES_MOVED.code)
    told = AuditEvent.objects.filter(about_label=UnknownAccount._meta.label_lower, about_key=str(key), verb__in=verbs)
    last = told.order_by("-at", "-pk").first()
    if last is None:
        return None
    account = Account.objects.filter(reference=last.facts["account"]).first()
    named = account and account.cloud_accounts.filter(named_as=last.about_name).first()
    return Gone(last.about_name, account, named)


def claim(account: Account, *, at: datetime) -> None:
    """Ask for the accesses that wait under an account's own number to be moved to it; one query when there are none."""
    if account.external_key:
        _ask(UnknownAccount.objects.filter(key=account.external_key), at)


def claim_due(*, at: datetime, by: Actor) -> int:
    """Ask for whatever waits under a key that is known by now, such as one opened while a delivery was under way."""
    key = models.OuterRef("key")
    known = models.Exists(
        CloudAccount.objects.standing().filter(source_system=models.OuterRef("source_system"), key=key)
    )
    known |= models.Exists(Account.objects.filter(external_key=key))
    known |= models.Exists(Account.objects.filter(reference=Upper(key)))
    with one_flow(by, at):
        return _ask(UnknownAccount.objects.filter(known), at)


def _ask(rows: models.QuerySet, at: datetime) -> int:
    found = list(rows.order_by("pk").values_list("reference", flat=True)[:AT_ONCE])
    for reference in found:
        queue.ask(MOVE, reference, due_at=at, at=at)
    return len(found)


# --- Moving them ------------------------------------------------------------------------------------------------------


def move(key: str, *, by: Actor, at: datetime) -> None:
    """Job: move what waits under a key to its account, some lines a transaction, then look for red flags.

    `key` is the reference of the UnknownAccount. It may be killed at any moment and is run again.
    """
    account = None
    while (found := _move_some(key, by=by, at=at)) is not None:
        account = found
    if account is not None:
        signals.run_detectors(account, by=by, at=at)


@flow
def _move_some(reference: str, *, by: Actor, at: datetime) -> Account | None:
    """Move the next lines; the account they went to, or None when nothing waits or nobody knows whose it is."""
    unknown = UnknownAccount.objects.filter(reference=reference).first()
    account = unknown and account_of(unknown.source_system, unknown.key)
    if not account:
        return None
    account = Account.objects.select_for_update(of=("self",)).filter(pk=account.pk).first()
    unknown = UnknownAccount.objects.select_for_update().filter(pk=unknown.pk).first()
    if account is None or unknown is None or _is_going(account):
        return None
    if account_of(unknown.source_system, unknown.key) != account:  # the naming was ended before the lock was had
        return None
    waiting = WaitingLine.objects.filter(source_system=unknown.source_system, account_key=unknown.key)
    lines = list(waiting.order_by("pk")[:AT_ONCE])
    new = _write(account, lines, judge_on(at), at)
    WaitingLine.objects.filter(pk__in=[line.pk for line in lines])._raw_delete(WaitingLine.objects.db)
    named = account.cloud_accounts.standing().filter(source_system=unknown.source_system, key=unknown.key)
    named.update(moved_count=models.F("moved_count") + new)
    mine = UnknownAccount.objects.filter(pk=unknown.pk)
    if len(lines) < AT_ONCE:
        mine._raw_delete(mine.db)
    else:
        mine.update(line_count=models.F("line_count") - len(lines))
    audit.record(
        Verb.ACCESSES_MOVED, unknown, by=by, at=at, within=account, row=unknown.reference, account=account.reference,
        count=len(lines), new=new,
    )  # fmt: skip
    return account


def _is_going(account: Account) -> bool:
    """Whether the destruction of its file has begun: then its accesses wait on, and go after their days."""
    try:
        holds.refuse_doomed(account)
    except holds.AlreadyDestroyed:
        return True
    return False


def _write(account: Account, lines: list[WaitingLine], judge: Judge, at: datetime) -> int:
    """Write the records of some lines of one key, by the verdicts of today; an event known already adds nothing.

    One that is there and says something else is kept as a refused line of the delivery it came with.
    """
    there = AccessRecord.objects.filter(
        account=account, source_system__in={line.source_system for line in lines},
        event_id__in=[line.event_id for line in lines],
    )  # fmt: skip
    known = {row.event_id: _said(row) for row in there}
    _refuse([line for line in lines if known.get(line.event_id, _said(line)) != _said(line)])
    rows = [_as_record(account, line, judge) for line in lines if line.event_id not in known]
    if not rows:
        return 0
    addresses = {row.address for row in rows if row.address}
    judge.keep(addresses, at=at)
    access_days.forget_networks()
    access_days.note_networks((address, judge.of(address).network) for address in addresses)
    AccessRecord.objects.bulk_create(rows)
    keys = [row.pk for row in rows]
    marks = ", ".join(["%s"] * len(keys))
    access_days.add(f"r.id IN ({marks})", keys)
    access_follow_up.note_last_access(f"id IN ({marks})", keys)
    return len(rows)


def _said(row: AccessRecord | WaitingLine) -> list:
    return [getattr(row, name) for name in _KEPT if name != "batch_id"]


def _refuse(lines: list[WaitingLine]) -> None:
    """They waited and are refused now: the counts of their deliveries still add up."""
    RefusedLine.objects.bulk_create(
        RefusedLine(batch_id=line.batch_id, line=line.line, reason=DIFFERS, content=_as_json(line)) for line in lines
    )
    for batch, count in Counter(line.batch_id for line in lines).items():
        AccessBatch.objects.filter(pk=batch).update(
            waiting_count=models.F("waiting_count") - count, refused_count=models.F("refused_count") + count
        )


def _as_json(line: WaitingLine) -> str:
    """What is left of a line that waited, as our own JSON lines name it."""
    same = ("at", "kind", "action", "principal", "source_system", "event_id")
    told = {"account": line.account_key, "source": line.raw_source} | {name: str(getattr(line, name)) for name in same}
    if line.port is not None:
        told["port"] = line.port
    return json.dumps(told, ensure_ascii=False)


def _as_record(account: Account, line: WaitingLine, judge: Judge) -> AccessRecord:
    given = {name: getattr(line, name) for name in _KEPT}
    if line.address:
        verdict = judge.of(line.address)
        given |= {
            "country": verdict.country, "anonymiser": verdict.anonymiser, "special_use": verdict.special_use,
            "edition": judge.edition,
        }  # fmt: skip
    return AccessRecord(account=account, **given)
