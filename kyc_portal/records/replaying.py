"""After a restore: destroy again what the destruction ledger says is gone (trust.md 5.2, 10; G16).

Held means held: a hold the backup brought back stops its file, and is told, because only a person can know that it
was released since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from django.apps import apps

from kyc_portal.records import destruction_ledger, holds, retention
from kyc_portal.records.checkpoints import public_half
from kyc_portal.records.destruction_ledger import Line
from kyc_portal.records.keys import signing_key
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

BASIS = "destroyed_before"


class ForgedLine(Refusal):
    """A line of the ledger names a file that is there, and no trusted key signed it."""


@dataclass
class Replayed:
    """What a replay did: names of files that went again, and a sentence for each that could not."""

    gone: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def own_keys() -> dict[str, bytes]:
    """The public half of the key that signs the ledger now."""
    key_id, key = signing_key()
    return {key_id: public_half(key)}


def replay(path: Path, *, trusted: Mapping[str, bytes] | None = None, by: Actor, at: datetime) -> Replayed:
    """Destroy again every file of the ledger that is in the database; may be stopped and repeated.

    `trusted` maps key ids to 32 raw public bytes (default: the portal's own). Raises UnreadableLedger, and ForgedLine
    before anything is destroyed.
    """
    back = destruction_ledger.returned(path)
    keys = own_keys() if trusted is None else trusted
    for line in back:
        if not line.is_genuine(keys):
            raise ForgedLine(f"The line of {line.name} is not signed by a trusted key. Fetch the ledger's good copy.")
    told, rules = Replayed(), {rule.code: rule for rule in retention.all_rules()}
    for line in sorted(back, key=lambda line: list(rules).index(line.rule) if line.rule in rules else len(rules)):
        if line.rule not in rules:
            told.conflicts.append(f"{line.name}: there is no rule “{line.rule}” any more.")
            continue
        _replay_one(line, rules[line.rule], told, by=by, at=at)
    return told


def _replay_one(line: Line, rule: retention.RetentionRule, told: Replayed, *, by: Actor, at: datetime) -> None:
    root = apps.get_model(line.label)._base_manager.filter(pk=line.key).first()
    if root is None:
        return  # went with another file of this replay
    through = date.fromisoformat(line.kept_through)
    try:
        retention.destroy_again(rule, root, basis=BASIS, kept_through=through, by=by, at=at)
    except holds.StillHeld as held:
        told.conflicts.append(f"{line.name} was destroyed, is back, and is held: {held}")
    except retention.StillReferred as referring:
        told.conflicts.append(f"{line.name} was destroyed and is back: {referring}")
    else:
        told.gone.append(line.name)
