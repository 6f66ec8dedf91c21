"""Take in who owns whom from statements of the Beneficial Ownership Data Standard 0.4 (R21).

A file is read three times: looked through in full, then its parties are taken in, then its relationships, all in one
transaction or not at all. A record of ours is known by its reference; one of others gets a key made of publisher and
identifier, so that the same record sent again is the same party.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import IntegrityError

from accounts.flows import identification, links, ownership, parties, texts
from accounts.formats.bods import BadStatement, Holding, StatedParty, StatedRelationship, read_bods
from accounts.formats.text import folded
from accounts.models import OwnershipStake, Party
from accounts.models.party import PartyKind
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal

BATCH = 500
CHUNK = 1 << 16
MOST_REPORTED = 1_000
LIKE_OURS = "PTY-"
MEANWHILE = "Somebody else took in the same records at the same moment. Nothing was added; send the file again to see."


class TakenMeanwhile(Refusal):
    """Somebody else took in the same records at the same moment."""


class StatementsRefused(Refusal):
    """The file has statements that cannot be taken in; `outcome` says which."""

    def __init__(self, outcome: "Outcome"):
        super().__init__(
            f"{outcome.refused:,} of {outcome.read:,} statements cannot be taken in, so none was. Correct them and "
            "send the file again."
        )
        self.outcome = outcome


@dataclass
class Outcome:
    """What a file holds and what became of it; `bad` and `notes` are the first thousand, the counts count all."""

    sha256: str
    read: int = 0
    parties_new: int = 0
    parties_known: int = 0
    stakes_new: int = 0
    stakes_known: int = 0
    stakes_ended: int = 0
    refused: int = 0
    noted: int = 0
    bad: list[BadStatement] = field(default_factory=list)
    notes: list[BadStatement] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.parties_new or self.stakes_new or self.stakes_ended)

    def refuse(self, number: int, place: str, reason: str) -> None:
        self.refused += 1
        if len(self.bad) < MOST_REPORTED:
            self.bad.append(BadStatement(number, place, reason))

    def note(self, number: int, place: str, sentence: str) -> None:
        self.noted += 1
        if len(self.notes) < MOST_REPORTED:
            self.notes.append(BadStatement(number, place, sentence))


@dataclass(frozen=True)
class _Latest:
    """The newest statement about a record: only this one counts."""

    on: date
    number: int
    kind: str  # of the party; "" for a relationship
    key: UUID | None = None


@dataclass
class _Plan:
    """What the first reading found: some hundred bytes for each record."""

    about: Party | None
    records: dict[str, _Latest] = field(default_factory=dict)
    statement_ids: set[bytes] = field(default_factory=set)
    ends: list[tuple[int, str, str]] = field(default_factory=list)  # number, owned, owner
    pks: dict[str, UUID] = field(default_factory=dict)  # of parties, by record identifier
    new: dict[UUID, int] = field(default_factory=dict)  # parties that were not on file, with their statement
    above: dict[UUID, list[UUID]] = field(default_factory=dict)  # owned -> owners, as they stand on file now
    subject: str = ""

    def counts(self, stated: StatedParty | StatedRelationship) -> bool:
        return self.records[stated.record_id].number == stated.number


# --- taking in --------------------------------------------------------------------------------------------------------


def take_in(
    stream: BinaryIO, *, about: Party | None = None, most: int | None = None, by: Actor, at: datetime
) -> Outcome:
    """Take in the parties and stakes of a file from a stream that can be rewound; all of it or nothing.

    `about` is the party on file that the declaration's subject stands for, so that a file of others joins the customer
    it speaks of. `most` is the largest number of statements. Stakes on file that the file does not name stay. A file
    sent again changes nothing. Raises BodsRefused for the file as a whole, StatementsRefused for statements, and
    TakenMeanwhile.
    """
    outcome = Outcome(sha256=_digest(stream))
    plan = _look_through(stream, about, most or settings.IMPORT_MAX_ROWS, legal_day(at), outcome)
    if outcome.refused:
        raise StatementsRefused(outcome)
    try:
        _write(stream, plan, outcome, by=by, at=at)
    except IntegrityError:
        raise TakenMeanwhile(MEANWHILE) from None
    return outcome


def told(outcome: Outcome) -> str:
    """What became of a file, in a sentence."""
    if not outcome.changed:
        return f"All of the {outcome.read:,} statements were on file. Nothing changed."
    return (
        f"Read {outcome.read:,} statements. Parties: {outcome.parties_new:,} new, {outcome.parties_known:,} known. "
        f"Stakes: {outcome.stakes_new:,} new, {outcome.stakes_known:,} known, {outcome.stakes_ended:,} ended."
    )


def _digest(stream: BinaryIO) -> str:
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    return digest


def _look_through(stream: BinaryIO, about: Party | None, most: int, today: date, outcome: Outcome) -> _Plan:
    """Find every statement that cannot be used; reads nothing from the database."""
    plan = _Plan(about)
    for stated in read_bods(stream):
        outcome.read += 1
        if outcome.read > most:
            outcome.refuse(stated.number, "", f"The file holds more than {most:,} statements. Split it.")
            break
        if isinstance(stated, BadStatement):
            outcome.refuse(stated.number, stated.field, stated.reason)
            continue
        for place, sentence in stated.notes:
            outcome.note(stated.number, place, sentence)
        _take_note_of(stated, plan, today, outcome)
    subject = plan.records.get(plan.subject)
    if about and outcome.read and not outcome.refused and (subject is None or not subject.kind):
        outcome.refuse(1, "declarationSubject", "No entity of the file has this record identifier. Add its record.")
    for number, owned, owner in plan.ends:
        _require_ends(number, owned, owner, plan, outcome)
    outcome.bad.sort(key=lambda bad: bad.number)
    return plan


def _take_note_of(stated: StatedParty | StatedRelationship, plan: _Plan, today: date, outcome: Outcome) -> None:
    plan.subject = plan.subject or stated.subject
    if plan.about and stated.subject != plan.subject:
        outcome.refuse(
            stated.number, "declarationSubject",
            "The statements before speak of another subject. Send a file that speaks of one party.",
        )  # fmt: skip
    seen = hashlib.sha256(stated.statement_id.encode()).digest()[:12]
    if seen in plan.statement_ids:
        outcome.refuse(stated.number, "statementId", "An earlier statement has the same. Keep one of them.")
    plan.statement_ids.add(seen)
    earlier = plan.records.get(stated.record_id)
    kind = stated.new.kind if isinstance(stated, StatedParty) else ""
    if earlier and bool(earlier.kind) != bool(kind):
        outcome.refuse(stated.number, "recordId", "An earlier statement uses it for a record of another kind.")
        return
    fault = _fault(stated, today)
    if fault:
        outcome.refuse(stated.number, *fault)
    if isinstance(stated, StatedRelationship) and stated.owned and stated.owner:
        plan.ends.append((stated.number, stated.owned, stated.owner))
    if earlier is None or earlier.on <= stated.on:
        key = _key_of(stated) if kind else None
        plan.records[stated.record_id] = _Latest(stated.on, stated.number, kind, key)


def _key_of(stated: StatedParty) -> UUID:
    return uuid5(NAMESPACE_URL, f"bods:{stated.publisher}\n{stated.record_id}")


def _fault(stated: StatedParty | StatedRelationship, today: date) -> tuple[str, str] | None:
    """What the flows would refuse, found without touching the database."""
    try:
        if isinstance(stated, StatedParty):
            parties.checked(stated.new, today=today)
        else:
            for holding in _holdings(stated):
                texts.past_day("startDate", holding.from_on, today)
                texts.past_day("endDate", holding.to_on, today)
    except Refusal as refusal:
        return "recordDetails" if isinstance(stated, StatedParty) else "recordDetails.interests", str(refusal)
    return None


def _require_ends(number: int, owned: str, owner: str, plan: _Plan, outcome: Outcome) -> None:
    for name, record_id in (("subject", owned), ("interestedParty", owner)):
        place, found = f"recordDetails.{name}", plan.records.get(record_id)
        if found is None or not found.kind:
            outcome.refuse(number, place, "No person and no entity of the file has this record identifier. Add it.")
        elif name == "subject" and found.kind == PartyKind.INDIVIDUAL:
            outcome.refuse(number, place, "It is a person. Nobody owns a part of a person.")


@flow
def _write(stream: BinaryIO, plan: _Plan, outcome: Outcome, *, by: Actor, at: datetime) -> None:
    """One transaction for the whole file: one that is refused here, too, leaves nothing behind."""
    for batch in _batches(stream, plan, StatedParty):
        _write_parties(batch, plan, outcome, by=by, at=at)
    if outcome.refused:
        raise StatementsRefused(outcome)
    owned: dict[UUID, None] = {}
    for batch in _batches(stream, plan, StatedRelationship):
        for stated in batch:
            if stated.owned and stated.owner and _write_relationship(stated, plan, outcome, by=by, at=at):
                owned[plan.pks[stated.owned]] = None
    _require_a_file(plan, outcome)
    if outcome.refused:
        raise StatementsRefused(outcome)
    for key in owned:
        identification.owners_have_changed(Party.objects.get(pk=key), legal_day(at), by=by, at=at)
    if outcome.changed:
        about = plan.about or RecordRef("accounts.ownershipstake", outcome.sha256[:32], "file of owners")
        audit.record(
            Verb.OWNERSHIP_IMPORTED, about, by=by, at=at, new=outcome.parties_new + outcome.stakes_new,
            known=outcome.parties_known + outcome.stakes_known, changed=outcome.stakes_ended, sha256=outcome.sha256,
            read=outcome.read,
        )  # fmt: skip


def _require_a_file(plan: _Plan, outcome: Outcome) -> None:
    """Every new party stands above one that was on file: what belongs to no customer's file would never be erased."""
    waiting = [key for key in plan.pks.values() if key not in plan.new]
    attached = set(waiting)
    while waiting:
        owners = set(plan.above.get(waiting.pop(), ())) - attached
        attached |= owners
        waiting += owners
    for key in sorted(plan.new.keys() - attached, key=plan.new.get):
        outcome.refuse(
            plan.new[key], "recordId",
            "It owns nobody on file, so it would belong to no customer. Say which party on file the file speaks of.",
        )  # fmt: skip


def _batches(stream: BinaryIO, plan: _Plan, kind: type) -> Iterator[list]:
    stream.seek(0)
    newest = (stated for stated in read_bods(stream) if isinstance(stated, kind) and plan.counts(stated))
    while batch := list(itertools.islice(newest, BATCH)):
        yield batch


def _write_parties(batch: list[StatedParty], plan: _Plan, outcome: Outcome, *, by: Actor, at: datetime) -> None:
    keys = {plan.records[stated.record_id].key for stated in batch}
    ours = [stated.record_id for stated in batch if stated.record_id.startswith(LIKE_OURS)]
    by_key = {party.pk: party for party in Party.objects.filter(pk__in=keys)}
    by_reference = {party.reference: party for party in Party.objects.filter(reference__in=ours)}
    for stated in batch:
        key = plan.records[stated.record_id].key
        party = by_reference.get(stated.record_id) or by_key.get(key)
        if plan.about and stated.record_id == plan.subject:
            party = plan.about
        if stated.is_closed:
            outcome.note(
                stated.number, "recordStatus", "A closed record of a party changes nothing; its stakes say so."
            )
        if party is None:
            party = parties.add_party(stated.new, key=key, by=by, at=at)
            plan.new[party.pk] = stated.number
            outcome.parties_new += 1
        else:
            _require_same(stated, party, outcome, legal_day(at))
            outcome.parties_known += 1
        plan.pks[stated.record_id] = party.pk


def _require_same(stated: StatedParty, party: Party, outcome: Outcome, today: date) -> None:
    """A party on file is never changed by a file; where the two disagree a person looks."""
    if party.kind != stated.new.kind and PartyKind.UNDETERMINED not in (party.kind, stated.new.kind):
        place = "recordDetails.entityType" if stated.new.kind == PartyKind.ENTITY else "recordDetails.personType"
        outcome.refuse(
            stated.number, place, f"{party.reference} is on file as {party.get_kind_display()}. Correct one."
        )
    names = {party.legal_name, *party.names.values_list("name", flat=True)}
    stated_name = parties.checked(stated.new, today=today).legal_name  # without the card numbers nobody may keep
    if folded(stated_name) not in map(folded, names):
        place = "recordDetails.name" if stated.new.kind != PartyKind.INDIVIDUAL else "recordDetails.names"
        sentence = f"{party.reference} is on file under another name. Correct it on its page, or add the name there."
        outcome.refuse(stated.number, place, sentence)


def _holdings(stated: StatedRelationship) -> Iterator[Holding]:
    """The periods as they are kept: a closed relationship ended with its statement at the latest."""
    for holding in stated.holdings:
        if stated.is_closed and holding.to_on is None:
            last = max(stated.on, holding.from_on or stated.on)
            holding = Holding(holding.percent, holding.control, holding.from_on, last)
        yield holding


def _write_relationship(stated, plan: _Plan, outcome: Outcome, *, by: Actor, at: datetime) -> bool:
    """Bring the stakes of one pair on file; returns whether anything changed."""
    party = parties.locked(Party(pk=plan.pks[stated.owned]))
    owner = Party.objects.get(pk=plan.pks[stated.owner])
    is_changed = False
    if party.pk == owner.pk:
        outcome.refuse(stated.number, "recordDetails.interestedParty", "It is the same party on file as the subject.")
        return False
    if stated.holdings:
        plan.above.setdefault(party.pk, []).append(owner.pk)
    for holding in _holdings(stated):
        rows = list(OwnershipStake.objects.filter(owned=party))
        same = [
            row for row in rows
            if (row.owner_id, row.percent, row.has_control, row.from_on)
            == (owner.pk, holding.percent, holding.control, holding.from_on)
        ]  # fmt: skip
        if any(row.to_on == holding.to_on for row in same):
            outcome.stakes_known += 1
            continue
        is_changed = True
        still = next((row for row in same if row.to_on is None), None)
        if still is not None:
            still.to_on = holding.to_on
            still.save(update_fields=["to_on"])
            outcome.stakes_ended += 1
            audit.record(
                Verb.OWNER_ENDED, party, by=by, at=at, within=parties.account_of(party), owner=owner.reference,
                to_on=holding.to_on,
            )  # fmt: skip
            continue
        _add(stated, holding, party, owner, rows, outcome, by=by, at=at)
    return is_changed


def _add(stated, holding: Holding, party, owner, rows, outcome: Outcome, *, by: Actor, at: datetime) -> None:
    stake = OwnershipStake(
        owner=owner, owned=party, percent=holding.percent, has_control=holding.control, from_on=holding.from_on,
        to_on=holding.to_on,
    )  # fmt: skip
    if fault := _no_room(stake, rows, set(_holdings(stated)), legal_day(at)):
        outcome.refuse(stated.number, "recordDetails.interests", fault)
        return
    stake.save(force_insert=True)
    outcome.stakes_new += 1
    links.remember(party, links.values_of_owner(owner), at=at)
    audit.record(
        Verb.OWNER_ADDED, party, by=by, at=at, within=parties.account_of(party), owner=owner.reference,
        percent=f"{holding.percent.normalize():f}", has_control=holding.control,
    )  # fmt: skip


def _no_room(stake: OwnershipStake, rows: list[OwnershipStake], stated: set[Holding], today: date) -> str:
    """Why the stake cannot stand beside those on file; "" when it can. Periods of the same statement may overlap."""
    since = stake.from_on or stake.to_on or today
    for row in rows:
        is_stated = Holding(row.percent, row.has_control, row.from_on, row.to_on) in stated
        apart = (row.to_on and row.to_on < since) or (stake.to_on and row.from_on and stake.to_on < row.from_on)
        if row.owner_id == stake.owner_id and not is_stated and not apart:
            return (
                f"{stake.owner.reference} holds {row.percent.normalize():f} % of {stake.owned.reference} on file in "
                "the same days. State when that stake ended, or end it on the page."
            )
    total, day = ownership.most_beside(stake, rows, today)
    if total > 100 and stake.percent:
        return (
            f"It would bring the owners of {stake.owned.reference} to {total.normalize():f} % on {day}, more than 100. "
            "Correct the shares."
        )
    return ""
