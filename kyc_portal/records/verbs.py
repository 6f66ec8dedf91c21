"""Audit verbs: a dotted code and the sentence it prints. Each app keeps its own list and registers it."""

import re
import string
from enum import Enum

REGISTERED: dict[str, "AuditVerb"] = {}
GRAVE = "grave!"  # among the further names: whoever does this is told the place of the event in the sealed trail


class AuditVerb(Enum):
    """Base of each app's verbs; a member is (code, sentence, *further fact names), with GRAVE for a grave act.

    The placeholders of the sentence, and the further names, are the only facts an event of this verb may carry.
    Facts are codes, counts, field names and references, never values of personal data.
    """

    def __init__(self, code: str, sentence: str, *further: str):
        self.code = code
        self.sentence = sentence
        self.is_grave = GRAVE in further
        shown = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        self.facts = frozenset(shown.union(further) - {GRAVE})

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for verb in cls:
            if verb.code in REGISTERED:
                raise ValueError(f"Two verbs share the code {verb.code}.")
            REGISTERED[verb.code] = verb


class Verb(AuditVerb):
    """What is done to holds, retention and identity data."""

    HOLD_PLACED = "records.hold.placed", "placed hold {hold} ({reason})", GRAVE
    HOLD_RELEASED = "records.hold.released", "released hold {hold}", GRAVE
    VIEWED = "records.viewed", "opened the page"
    LINES_FETCHED = "records.lines_fetched", "fetched refused lines by an API key"
    REVEALED = "records.revealed", "revealed the {field}: {why}", GRAVE
    EXPORTED = "records.exported", "exported a file ({what})", "sha256", "rows", GRAVE
    PURGED = (
        "records.purged",
        "purged the file under the rule “{rule}”: {rows} rows, {payloads} sealed payloads",
        "digest",
        "destroyed",
        "sha256",
        GRAVE,
    )
    CHANGES_RECONCILED = (
        "records.changes.reconciled",
        "held {rows} changes against the trail, {missing} without an event",
        "digest",
    )
    CHANGE_UNEXPLAINED = "records.change.unexplained", "found {rows} changes that no event explains, made by {source}"
    CHANGE_SETTLED = "records.change.settled", "looked into {rows} unexplained changes: {reason}"
    PURGE_BATCH = (
        "records.purge_batch", "destroyed {rows} rows ({kind}) of the file under the rule “{rule}”", "digest",
    )  # fmt: skip
    PURGE_ASKED = "records.purge_asked", "asked for a {what} as of {as_of}"
    PURGE_ENDED = "records.purge_ended", "{state} the {what} as of {as_of}: {count} files, {failed} failed"
    CLOCK_JUMPED = "records.clock.jumped", "saw the clock jump from {old} to {new}; the purge waits"
    CLOCK_CONFIRMED = "records.clock.confirmed", "confirmed the clock after its jump from {old} to {new}"
    KEYS_ROTATED = "records.keys.rotated", "wrapped {count} keys anew under {key_id}"
    AUDIT_KEY_NAMED = "records.audit_key_named", "named {key_id} as the trail's next key", "public_key", GRAVE


def grave_codes() -> list[str]:
    """The codes of the acts after which a person is told that the trail is sealed."""
    return [code for code, verb in REGISTERED.items() if verb.is_grave]


_CODE = re.compile(r"[a-z]+(_[a-z]+)+")


def _in_words(value):
    """A code such as photo_document as people read it; everything else as it is."""
    return value.replace("_", " ") if isinstance(value, str) and _CODE.fullmatch(value) else value


class _Words(dict):
    def __missing__(self, name: str) -> str:
        return "–"


def sentence_of(code: str, facts: dict) -> str:
    """The event's sentence for the reader; a verb that no longer exists shows its code."""
    verb = REGISTERED.get(code)
    return verb.sentence.format_map(_Words({name: _in_words(value) for name, value in facts.items()})) if verb else code
