"""Black out what a recipient may not see, and keep the log of it (requirements R52, R114)."""

from accounts.formats.bundle_content import RedactionNote
from cases.rules.disclosure import Recipient
from cases.rules.redaction import FieldClass, Redaction, redacted


class Redactor:
    """Shows one recipient what they may see of each field; remembers every redaction once, in the order met."""

    def __init__(self, recipient: str, customers: frozenset):
        self.recipient = Recipient(recipient)
        self._customers = customers
        self._notes: dict[tuple[str, str], RedactionNote] = {}

    @property
    def notes(self) -> tuple[RedactionNote, ...]:
        """The redaction log so far."""
        return tuple(self._notes.values())

    @property
    def is_for_customer(self) -> bool:
        """The customer reads what they were told, never the reason behind it: a list hit is never told."""
        return self.recipient == Recipient.CUSTOMER

    def hides(self, field_class: FieldClass) -> Redaction | None:
        """How this recipient sees fields of this class; None when in full."""
        return redacted(field_class, self.recipient)

    def show(self, field_class: FieldClass, value: object, place: str) -> object:
        """The value, or what stands in its place; an empty value stays empty."""
        redaction = self.hides(field_class)
        if redaction is None or value in ("", None, [], {}):
            return value
        self.note(redaction, place)
        return redaction.of(value if isinstance(value, str) else "")

    def show_of(self, party_id, field_class: FieldClass, value: object, place: str) -> object:
        """The same for something about a person, who may be another than the customers the bundle is about."""
        other = self.hides(FieldClass.OTHER_PERSON)
        if other is not None and party_id not in self._customers and value not in ("", None):
            self.note(other, place)
            return other.of("")
        return self.show(field_class, value, place)

    def hides_person(self, party_id) -> Redaction | None:
        """The redaction under which this person's files stay out; None when they go in."""
        if party_id not in self._customers and (other := self.hides(FieldClass.OTHER_PERSON)):
            return other
        return self.hides(FieldClass.DOCUMENT_IMAGE)

    def note(self, redaction: Redaction, place: str) -> None:
        """Remember that something is missing at this place."""
        code = redaction.exemption
        self._notes.setdefault((place, code.value), RedactionNote(place, code.value, code.label))
