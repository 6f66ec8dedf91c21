"""What people may ask about their data, and the sentences they are answered with. No answer tells of holds or hits."""

from enum import StrEnum


class Worded(StrEnum):
    """Codes with the words staff read."""

    def __new__(cls, code: str, label: str):
        member = str.__new__(cls, code)
        member._value_, member.label = code, label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(each.value, each.label) for each in cls]


class PrivacyKind(Worded):
    """What is asked for."""

    ACCESS = "access", "a copy of their data"
    ERASURE = "erasure", "erasure of their data"
    OBJECTION = "objection", "an end to the use of their data"


class PrivacyState(Worded):
    """Where a request stands between its two signatures."""

    RECEIVED = "received", "received"
    PREPARED = "prepared", "answer awaits a second person"
    ERASING = "erasing", "erasure under way"
    ANSWERED = "answered", "answered"


class Identified(Worded):
    """How we know that it is them who ask; never by a document they would not have shown us anyway."""

    LOGGED_IN = "logged_in", "asked while logged in to their account"
    CONTACT = "contact", "answered from a contact point on file"
    IN_PERSON = "in_person", "showed a document that is on file"


class Outcome(Worded):
    """What came of it."""

    NOTHING_FOUND = "nothing_found", "nothing is stored about them"
    COPY_READY = "copy_ready", "a copy is ready"
    ERASED = "erased", "everything was erased"
    PARTLY_ERASED = "partly_erased", "erased in part"
    KEPT = "kept", "everything must be kept"
    EXPLAINED = "explained", "explained why their data is used"


_KEPT = "We are required to keep the {what}. We destroy it when the time for which it must be kept is over."
_SENTENCES = {
    Outcome.NOTHING_FOUND: "We found no data about you under what you told us.",
    Outcome.COPY_READY: "A copy of the data you are entitled to is ready. We hand it to you in the way we agreed.",
    Outcome.ERASED: "We destroyed all data about you. What remains is the proof of it, which does not name you.",
    Outcome.PARTLY_ERASED: _KEPT.format(what="rest of the data about you"),
    Outcome.KEPT: _KEPT.format(what="data we hold about you"),
    Outcome.EXPLAINED: "We are required to know our customers and use your data for that. We cannot end this use.",
}


def public_sentences(outcome: Outcome, erased: tuple[str, ...]) -> tuple[str, ...]:
    """What the person reads: what went, then why the rest stays. The same whatever keeps it, so that it tells nothing.

    `erased` names in words the kinds of data that were erased singly.
    """
    return (*(f"We erased: {what}." for what in erased), _SENTENCES[outcome])
