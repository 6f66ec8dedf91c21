"""Deliveries given for a wrong account: lines that name somebody else's, and events that stand under another (R18).

The first is a contradiction and refuses the delivery. The second is told, for nobody can say which of the two is wrong.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Mod

from accounts.flows.access_writing import WHOSE
from accounts.flows.batches import in_batches
from accounts.formats.access_lines import AccessLine, BadLine
from accounts.formats.text import shown
from accounts.models import AccessBatch, AccessRecord, Account
from kyc_portal.refusal import Refusal

MOST_KEYS = 10_000  # keys noted of one delivery, so that its memory has an end
LOOKED_AT = 1_000  # new records looked up elsewhere, spread through the delivery: a wrong account shows in all of them
NAMED = 3


class OthersLines(Refusal):
    """The delivery is said to be one account's, and lines of it name another of our accounts."""


@contextmanager
def watching(batch: AccessBatch, lines: Iterable[AccessLine | BadLine]) -> Iterator[Iterable[AccessLine | BadLine]]:
    """The lines, to be taken in within; then both are looked at. The transaction is the caller's. Raises OthersLines.

    What a line of a delivery for many accounts names is whom it goes to, so that nothing contradicts it.
    """
    if batch.account_id is None:
        yield lines
    else:
        keys = NamedKeys()
        yield keys.passing(lines)
        keys.require_own(batch)
    look(batch)


class NamedKeys:
    """Notes which accounts the lines of a delivery for one account name, on their way; asks no database meanwhile."""

    def __init__(self) -> None:
        self.noted: dict[tuple[str, str], list[int]] = {}  # (source system, key) -> [lines, first line]

    def passing(self, lines: Iterable[AccessLine | BadLine]) -> Iterator[AccessLine | BadLine]:
        """The same lines; those without a key, and keys beyond MOST_KEYS, are not noted."""
        noted = self.noted
        for line in lines:
            if isinstance(line, AccessLine) and line.account:
                found = noted.get((line.source_system, line.account))
                if found is not None:
                    found[0] += 1
                elif len(noted) < MOST_KEYS:
                    noted[line.source_system, line.account] = [1, line.line]
            yield line

    def require_own(self, batch: AccessBatch) -> None:
        """Raise OthersLines when a key is known as another account's; which one is not told, for a sender reads it."""
        others = [
            (first, key, lines)
            for keys in in_batches(self.noted)
            for key, lines, first in _others(batch.account, {each: self.noted[each] for each in keys})
        ]
        if not others:
            return
        others.sort()
        count = sum(lines for _, _, lines in others)
        named = ", ".join(f"line {first}: “{shown(key)}”" for first, key, _ in others[:NAMED])
        more = " and more" if len(others) > NAMED else ""
        which = "line names" if count == 1 else "lines name"
        raise OthersLines(
            f"{shown(batch.file_name)}: {count:,} {which} another account than {batch.account.reference} "
            f"({named}{more}), so nothing is taken in. Give it without an account, so that each line goes to the one "
            "it names, or for the right one."
        )


def _others(owner: Account, noted: dict[tuple[str, str], list[int]]) -> Iterator[tuple[str, int, int]]:
    """(key, lines, first line) of the keys that mean another account, what nobody knows means none; one query."""
    given = ", ".join(["(%s, %s)"] * len(noted))
    keys = f"(SELECT column1 AS source_system, column2 AS account_key FROM (VALUES {given}) AS given)"  # noqa: S608 marks
    with connection.cursor() as cursor:
        cursor.execute(WHOSE.format(keys=keys), [part for key in noted for part in key])
        found = cursor.fetchall()
    for system, key, account in found:
        if account is not None and UUID(str(account)) != owner.pk:
            lines, first = noted[system, key]
            yield key, lines, first


def look(batch: AccessBatch) -> None:
    """Note how many new records of a delivery stand under another account too, where somebody chose one of the two.

    One query, after the records are written: of up to LOOKED_AT of them each is looked up by its address and moment,
    for which there is an index. What has no address is not looked up.
    """
    if not batch.new_count:
        return
    step = -(-batch.new_count // LOOKED_AT)
    rows = AccessRecord.objects.filter(batch=batch, address__isnull=False)
    if step > 1:
        rows = rows.alias(place=Mod(F("pk"), step)).filter(place=0)
    same = AccessRecord.objects.filter(
        address=OuterRef("address"), at=OuterRef("at"), source_system=OuterRef("source_system"),
        event_id=OuterRef("event_id"),
    ).exclude(account=OuterRef("account"))  # fmt: skip
    if batch.account_id is None:
        same = same.filter(batch__account__isnull=False)
    rows = rows.annotate(is_there=Exists(same))
    found = rows.aggregate(seen=Count("pk"), elsewhere=Count("pk", filter=Q(is_there=True)))
    if found["elsewhere"]:
        batch.looked_at_count, batch.elsewhere_count = found["seen"], found["elsewhere"]
        batch.save(update_fields=["looked_at_count", "elsewhere_count"])


def same_bytes(batch: AccessBatch) -> QuerySet[AccessBatch]:
    """The other deliveries that held the very same bytes, the first of them first."""
    rows = AccessBatch.objects.filter(sha256=batch.sha256).exclude(pk=batch.pk)
    return rows.select_related("account").order_by("imported_at", "reference")


def in_words(batch: AccessBatch) -> str:
    """What is to be told of the events that stand under another account, and what to do; "" when there is none."""
    if not batch.elsewhere_count:
        return ""
    looked = batch.looked_at_count
    of = f"{batch.new_count:,} new events"
    if looked < batch.new_count:
        of = f"{looked:,} that were looked up of {of}"
    stand = "stands" if batch.elsewhere_count == 1 else "stand"
    return (
        f"{batch.elsewhere_count:,} of {of} {stand} under another account already: one of the two accounts was chosen "
        "wrongly. Find out which before anything rests on them."
    )


def bytes_in_words(batch: AccessBatch) -> str:
    """Which other deliveries held the same bytes, for whom, and how they were read if otherwise; "" when none did."""
    found = list(same_bytes(batch)[: NAMED + 1])
    if not found:
        return ""
    named = ", ".join(
        f"{each.reference} for {each.account or 'the accounts its lines name'}{_otherwise(each, batch)}"
        for each in found[:NAMED]
    )
    return f"The same bytes were taken in as {named}{' and more' if len(found) > NAMED else ''}."


def _otherwise(other: AccessBatch, batch: AccessBatch) -> str:
    if other.format != batch.format:
        return f" (read as {other.format})"
    return " (by another mapping)" if other.mapping_sha256 != batch.mapping_sha256 else ""
