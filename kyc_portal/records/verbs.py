"""Audit verbs: a dotted code and the sentence it prints. Each app keeps its own list and registers it."""

import re
import string
from enum import Enum

REGISTERED: dict[str, "AuditVerb"] = {}


class AuditVerb(Enum):
    """Base of each app's verbs; a member is (code, sentence, *further fact names).

    The placeholders of the sentence, and the further names, are the only facts an event of this verb may carry.
    Facts are codes, counts, field names and references, never values of personal data.
    """

    def __init__(self, code: str, sentence: str, *further: str):
        self.code = code
        self.sentence = sentence
        self.facts = frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name) | set(further)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for verb in cls:
            if verb.code in REGISTERED:
                raise ValueError(f"Two verbs share the code {verb.code}.")
            REGISTERED[verb.code] = verb


class Verb(AuditVerb):
    """What is done to holds, retention and identity data."""

    HOLD_PLACED = "records.hold.placed", "placed hold {hold} ({reason})"
    HOLD_RELEASED = "records.hold.released", "released hold {hold}"
    VIEWED = "records.viewed", "looked at identity data"
    REVEALED = "records.revealed", "revealed the {field}: {why}"
    EXPORTED = "records.exported", "exported a file ({what})", "sha256", "rows"
    PURGED = (
        "records.purged",
        "purged the file under the rule “{rule}”: {rows} rows, {payloads} sealed payloads",
        "digest",
    )
    KEYS_ROTATED = "records.keys.rotated", "wrapped {count} keys anew under {key_id}"


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
