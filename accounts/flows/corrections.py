"""Put a party's details right or complete them (R10, R13, R19, R20): who changed which field stands in the trail."""

import dataclasses
from datetime import date, datetime

from accounts.flows import checking, links, parties
from accounts.flows.texts import BadField, Texts
from accounts.models import Account, Party, PartyName
from accounts.models.party import NameKind
from accounts.rules.new_parties import NewParty
from accounts.rules.onboarding import AccountStatus
from accounts.rules.parties import PartyKind
from accounts.rules.scripts import script_of
from accounts.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

SEALED = ("registration_number", "national_id")


class NothingToCorrect(Refusal):
    """What was given is on file already."""


def as_stated(party: Party) -> NewParty:
    """The details on file as plain values; one query for the party's key when something of them is sealed."""
    born = party.birth_date.reveal() if party.birth_date else ""
    return NewParty(
        kind=party.kind, legal_name=party.legal_name, citizenship=str(party.citizenship or ""),
        formation_country=str(party.formation_country or ""), entity_type=party.entity_type,
        birth_date=date.fromisoformat(born) if born else None,
        **{name: value.reveal() if (value := getattr(party, name)) else "" for name in SEALED},
    )  # fmt: skip


@flow
def correct(party: Party, *, by: Actor, at: datetime, **given) -> tuple[str, ...]:
    """Replace details of a party; a field that is empty or left out stays as it is. Returns the names of what changed.

    `given` takes the fields of NewParty from kind to national_id. A legal name that goes is kept as a former name; the
    party is screened again, and its fingerprints are completed. Raises BadField and NothingToCorrect.
    """
    party, told = parties.locked(party), Texts()
    before = as_stated(party)
    wanted = {name: value for name, value in given.items() if value not in (None, "")}
    if wanted.get("kind") == "entity":
        wanted.setdefault("birth_date", None)
    if wanted.get("kind") == "individual":
        wanted.setdefault("formation_country", "")
    after = parties.checked(dataclasses.replace(before, **wanted), today=legal_day(at), told=told)
    changed = tuple(name for name in wanted if getattr(after, name) != getattr(before, name))
    if not changed:
        raise NothingToCorrect("All of this is on file already. Change at least one field.")

    if "kind" in changed and after.kind == PartyKind.UNDETERMINED:
        _require_unused(party)
    if "legal_name" in changed:
        PartyName.objects.create(
            party=party, kind=NameKind.FORMER, name=before.legal_name, script=script_of(before.legal_name), added_at=at
        )
    for name in changed:
        value = getattr(after, name)
        setattr(party, name, value.isoformat() if isinstance(value, date) else value or "")
    party.save(update_fields=changed)
    parties.touch(party, at=at)
    links.remember(party, links.values_in(after), at=at)
    within = parties.account_of(party)
    audit.record(
        Verb.DETAILS_CORRECTED, party, by=by, at=at, within=within, party=party.reference, fields=", ".join(changed)
    )
    told.record_masked(party, by=by, at=at)
    if "kind" in changed:
        parties.watch_kind(party, by=by, at=at)
    checking.look_again(party, by=by, at=at)
    return changed


def _require_unused(party: Party) -> None:
    """No account may be in use while nobody knows whether its customer is a person or an entity."""
    used = Account.objects.filter(party=party, status__in=[each.value for each in AccountStatus if each.is_open])
    if account := used.order_by("created_at").first():
        raise BadField(
            f"Kind cannot be left open while {account.reference} is {account.get_status_display()}. Choose individual "
            "or entity."
        )
