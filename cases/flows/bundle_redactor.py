"""Black out what a recipient may not see, and keep the log of it (requirements R52, R114)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accounts.formats.bundle_content import RedactionNote
from cases.rules.disclosure import Recipient
from cases.rules.redaction import Exemption, FieldClass, Redaction, redacted

SHORTEST = 4  # characters: anything shorter occurs by chance in words that hide nothing
# Numbers and days that name one person; what hides one of them hides it wherever else it is written.
EVERYWHERE = (FieldClass.BIRTH_DATE, FieldClass.IDENTITY_NUMBER, FieldClass.PAYMENT_NUMBER)


@dataclass(frozen=True)
class ByHand:
    """What a person took out at one place; `meaning` is what the recipient reads of it."""

    redaction: Redaction
    meaning: str
    subject: object = None
    copy_sha256: str = ""
    copy_type: str = ""


class Redactor:
    """Shows one recipient what they may see of each field; remembers every redaction once, in the order met."""

    def __init__(
        self, recipient: str, customers: frozenset, ground: str = "", by_hand: Mapping[str, ByHand] | None = None
    ):
        self.recipient = Recipient(recipient)
        self.ground = ground
        self._customers = customers
        self._by_hand = dict(by_hand or {})
        self._gone: dict[str, Exemption] = {}  # values that must stand nowhere, and the code under which
        self._pattern: re.Pattern | None = None
        self._kept_back: list[object] = []
        self._last = Exemption.OTHER_PERSON
        self._notes: dict[tuple[str, str], RedactionNote] = {}

    @property
    def notes(self) -> tuple[RedactionNote, ...]:
        """The redaction log so far."""
        return tuple(self._notes.values())

    @property
    def kept_back(self) -> tuple[object, ...]:
        """The values this recipient does not see by rule, as met."""
        return tuple(self._kept_back)

    @property
    def scrubs(self) -> bool:
        """Whether there is anything yet that must stand nowhere."""
        return bool(self._gone)

    @property
    def is_for_customer(self) -> bool:
        """The customer reads what they were told, never the reason behind it: a list hit is never told."""
        return self.recipient == Recipient.CUSTOMER

    def hides(self, field_class: FieldClass) -> Redaction | None:
        """How this recipient sees fields of this class; None when in full."""
        return redacted(field_class, self.recipient, self.ground)

    def show(self, field_class: FieldClass, value: object, place: str) -> object:
        """The value, or what stands in its place; an empty value stays empty."""
        redaction = self.hides(field_class)
        if redaction is None or value in ("", None, [], {}):
            return value
        self.note(redaction, place)
        self._kept_back.append(value)
        if field_class in EVERYWHERE and isinstance(value, str):
            self.hide_everywhere(value, redaction.exemption)
        return redaction.of(value if isinstance(value, str) else "")

    def show_of(self, party_id, field_class: FieldClass, value: object, place: str) -> object:
        """The same for something about a person, who may be another than the customers the bundle is about."""
        other = self.hides(FieldClass.OTHER_PERSON)
        if other is not None and party_id not in self._customers and value not in ("", None):
            self.note(other, place)
            self._kept_back.append(value)
            if field_class in EVERYWHERE and isinstance(value, str):
                self.hide_everywhere(value, other.exemption)
            return other.of("")
        return self.show(field_class, value, place)

    def hides_person(self, party_id) -> Redaction | None:
        """The redaction under which this person's files stay out; None when they go in."""
        if party_id not in self._customers and (other := self.hides(FieldClass.OTHER_PERSON)):
            return other
        return self.hides(FieldClass.DOCUMENT_IMAGE)

    def note(self, redaction: Redaction, place: str, meaning: str = "") -> None:
        """Remember that something is missing at this place."""
        code = redaction.exemption
        self._notes.setdefault((place, code.value), RedactionNote(place, code.value, meaning or code.label))

    def by_hand(self, place: str) -> ByHand | None:
        """What a person took out at this place, noted; None where nobody did."""
        found = self._by_hand.get(place)
        if found is not None:
            self.note(found.redaction, place, found.meaning)
        return found

    def hide_everywhere(self, value: str, code: Exemption) -> None:
        """Let this value stand nowhere in the bundle, under this code."""
        if len(value.strip()) >= SHORTEST:
            self._gone[value.strip().casefold()] = code
            self._pattern = None

    def tells(self, text: str) -> bool:
        """Whether a text holds a value that must stand nowhere."""
        return self._found_in(text) is not None

    def scrub_at(self, place: str, value: object) -> object:
        """The same for one field, which is noted when something went."""
        left = self.scrub(value)
        if left != value:
            self.note(Redaction(self._last), place, f"{self._last.label}: it repeats what is taken out elsewhere")
        return left

    def scrub(self, value: object) -> object:
        """The value without what must stand nowhere, in texts of any depth."""
        if not self._gone:
            return value
        if isinstance(value, str):
            return value if self._found_in(value) is None else self._pattern.sub(self._instead, value)
        if isinstance(value, Mapping):
            return {self.scrub(key): self.scrub(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub(item) for item in value]
        return value

    def _found_in(self, text: str) -> re.Match | None:
        if not self._gone:
            return None
        if self._pattern is None:
            longest_first = sorted(self._gone, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
        return self._pattern.search(text)

    def _instead(self, match: re.Match) -> str:
        self._last = self._gone.get(match.group().casefold(), Exemption.OTHER_PERSON)
        return Redaction(self._last).of("")
