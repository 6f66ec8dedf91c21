"""Hand out who owns whom as statements of the Beneficial Ownership Data Standard 0.4 (R21)."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.conf import settings

from accounts.flows import parties
from accounts.flows.ownership import OwnersAbove
from accounts.formats import bods_out
from accounts.formats.bods_out import PartyOut, Publication
from accounts.models import OwnershipStake, Party, PartyName
from accounts.models.party import PartyKind
from accounts.rules.ownership import Stake, TooTangled
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.records.verbs import Verb
from kyc_portal.refusal import Refusal

FORMATS = {"json": bods_out.as_json, "jsonl": bods_out.as_json_lines}


class NotOwned(Refusal):
    """An individual has no owners, so there is nothing to hand out."""


@flow
def hand_out(party: Party, *, form: str = "json", by: Actor, at: datetime) -> bytes:
    """The party, everybody above it and all stakes between them, ended ones too, as JSON or JSON Lines ("jsonl").

    Sealed values are not among them. The export is recorded. Raises NotOwned.
    """
    if party.kind == PartyKind.INDIVIDUAL:
        raise NotOwned("An individual has no owners. Choose a company.")
    today = legal_day(at)
    rows = _all_stakes_above(party)
    keys = {party.pk, *(row.owner_id for row in rows), *(row.owned_id for row in rows)}
    named = {each.pk: each for each in Party.objects.filter(pk__in=keys)}
    stakes = [
        Stake(
            named[row.owner_id].reference, named[row.owned_id].reference, row.percent, row.has_control, row.from_on,
            row.to_on,
        )
        for row in rows
    ]  # fmt: skip
    others = sorted((each for each in named.values() if each.pk != party.pk), key=lambda each: each.reference)
    found = bods_out.statements(
        _parties_out([party, *others]),
        sorted(stakes, key=lambda each: (each.owned, each.owner, each.from_on or date.min, each.to_on or date.max)),
        Publication(party.reference, settings.PROVIDER_NAME, today),
        _beneficial(party, today),
    )
    content = b"".join(FORMATS[form](found))
    audit.record(
        Verb.EXPORTED, party, by=by, at=at, within=parties.account_of(party), what="owners",
        sha256=hashlib.sha256(content).hexdigest(), rows=len(keys) + len({(each.owned, each.owner) for each in stakes}),
    )  # fmt: skip
    return content


def _all_stakes_above(party: Party) -> list[OwnershipStake]:
    """Every stake of whatever days that bears on the party, directly or through others; one query a level."""
    found, seen, frontier = [], {party.pk}, {party.pk}
    while frontier:
        level = list(OwnershipStake.objects.filter(owned_id__in=frontier))
        found += level
        frontier = {row.owner_id for row in level} - seen
        seen |= frontier
    return found


def _beneficial(party: Party, today: date) -> frozenset[str]:
    above = OwnersAbove(party, today)
    try:
        return frozenset(owner.reference for owner in above.beneficial_owners)
    except TooTangled:
        return frozenset()


def _parties_out(found: list[Party]) -> Iterable[PartyOut]:
    names: dict[UUID, list[tuple[str, str]]] = {}
    for row in PartyName.objects.filter(party__in=found).order_by("added_at", "pk"):
        names.setdefault(row.party_id, []).append((row.kind, row.name))
    for party in found:
        where = party.citizenship if party.kind == PartyKind.INDIVIDUAL else party.formation_country
        yield PartyOut(
            key=party.reference,
            kind=party.kind,
            name=party.legal_name,
            names=tuple(names.get(party.pk, ())),
            country=(where.code, where.name) if where else None,
            entity_type=party.entity_type,
            is_registered=bool(party.registration_number),
        )
