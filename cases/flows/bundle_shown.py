"""A bundle as its recipient will see it: for the preview, for the hash that is approved, and for the build (R52, R114).

All three come from here, so what is approved is what is built.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from accounts.formats.bundle_content import RedactionNote, json_document, plain
from accounts.models import Account, IdentityDocument
from cases.flows.bundle_facts import CUSTOMER_TABLES, Chosen, FactTable, made
from cases.flows.bundle_findings import FINDING_TABLES
from cases.flows.bundle_redactor import ByHand, Redactor
from cases.models import Bundle, BundleItem
from cases.rules.disclosure import DataClass
from cases.rules.redaction import Exemption, Redaction
from cases.rules.scope import EVERYTHING

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "application/pdf": "pdf"}


@dataclass(frozen=True)
class Attachment:
    """One document: where it stands in the bundle, the hash of the original, and whether that itself goes out."""

    path: str
    original_sha256: str
    goes_out: bool
    copy_sha256: str = ""


def chosen_of(bundle: Bundle, hands: Mapping[str, ByHand] | None = None) -> Chosen:
    """The things collected into the bundle, without those a person left out whole."""
    keys: dict[tuple[str, str], set[str]] = {}
    for item in items_of(bundle, hands):
        keys.setdefault((item.data_class, item.label), set()).add(item.key)
    return Chosen(keys, bundle.request.asked if bundle.request is not None else EVERYTHING)


def items_of(bundle: Bundle, hands: Mapping[str, ByHand] | None = None) -> Iterator[BundleItem]:
    """The items of the bundle without those a person left out whole, in a steady order."""
    left_out = by_hand(bundle) if hands is None else hands
    for item in bundle.items.order_by("data_class", "name", "pk"):
        if place_of_item(item) not in left_out:
            yield item


def place_of_item(item) -> str:
    """How a redaction names a whole item."""
    return f"item {item.data_class}, {item.name}"


def redactor_of(bundle: Bundle, chosen: Chosen, hands: Mapping[str, ByHand] | None = None) -> Redactor:
    """What this recipient may see on this ground, and what a person took out by hand (`hands`: as if it were that)."""
    hands = by_hand(bundle) if hands is None else hands
    parties = chosen.rows(Account, DataClass.SUBSCRIBER).values_list("party_id", flat=True)
    show = Redactor(bundle.recipient, frozenset(parties), bundle.ground, hands)
    for place in hands:
        if place.startswith("item "):
            show.by_hand(place)
    return show


def by_hand(bundle: Bundle) -> dict[str, ByHand]:
    """What a person took out and nobody undid, by its place."""
    found = {}
    for row in bundle.redactions.standing().order_by("place"):
        code = Exemption(row.code)
        meaning = f"{code.label}: {row.reason}"
        if row.original_sha256:
            instead = "a redacted copy stands in its place" if row.copy_sha256 else "withheld whole"
            meaning = f"{meaning} ({instead}; SHA-256 of the original {row.original_sha256})"
        found[row.place] = ByHand(Redaction(code), meaning, row.subject, row.copy_sha256, row.copy_type)
    return found


def tables_of(chosen: Chosen, show: Redactor) -> list[FactTable]:
    """The tables of facts as they will stand in the bundle.

    What is taken out by hand at one place, and numbers that are shortened at one, stand nowhere else either.
    """
    tables = [*made(CUSTOMER_TABLES, chosen, show), *made(FINDING_TABLES, chosen, show)]
    for table in tables:
        for number, row in enumerate(table.rows, start=1):
            for column in table.columns:
                if (hand := show.by_hand(place_of(table, number, column))) and row[column] not in (None, ""):
                    show.hide_everywhere(str(plain(row[column])), hand.redaction.exemption)
                    row[column] = hand.redaction.of("")
    return [
        replace(
            table,
            rows=[
                {column: show.scrub_at(place_of(table, number, column), value) for column, value in row.items()}
                for number, row in enumerate(table.rows, start=1)
            ],
        )
        for table in tables
    ]


def place_of(table: FactTable, number: int, column: str) -> str:
    """How a redaction names one field of one row; rows are counted from 1."""
    return f"facts/{table.name}, row {number}, {column}"


def path_of(document: IdentityDocument) -> str:
    """Where a document's original stands in the bundle."""
    return f"documents/{document.reference}.{ENDINGS.get(document.file_type, 'bin')}"


def attachments_of(chosen: Chosen, show: Redactor) -> list[Attachment]:
    """The documents, and which of them the recipient gets whole, as a redacted copy, or not at all."""
    found = []
    for document in chosen.rows(IdentityDocument, DataClass.IDENTITY).exclude(file_sha256=""):
        path = path_of(document)
        hidden, hand = show.hides_person(document.party_id), show.by_hand(path)
        if hidden is not None:
            show.note(hidden, path)
        copy = hand.copy_sha256 if hand and hidden is None else ""
        found.append(Attachment(path, document.file_sha256, hidden is None and hand is None, copy))
    return found


@dataclass(frozen=True)
class Shown:
    """The whole of it: tables, documents, and what is missing."""

    tables: list[FactTable]
    attachments: list[Attachment]
    notes: tuple[RedactionNote, ...]

    @classmethod
    def of(cls, bundle: Bundle) -> "Shown":
        chosen = chosen_of(bundle)
        show = redactor_of(bundle, chosen)
        tables, attachments = tables_of(chosen, show), attachments_of(chosen, show)
        return cls(tables, attachments, show.notes)

    @property
    def places(self) -> set[str]:
        """Every field and document that a person can take out."""
        fields = {
            place_of(table, number, column)
            for table in self.tables
            for number in range(1, len(table.rows) + 1)
            for column in table.columns
        }
        return fields | {each.path for each in self.attachments}


def digest_of(bundle: Bundle, shown: Shown | None = None) -> str:
    """SHA-256 over what the recipient will see and what is missing; another word, file or redaction gives another."""
    shown = shown or Shown.of(bundle)
    items = bundle.items.order_by("data_class", "label", "key").values_list("data_class", "label", "key", "sha256")
    document = {
        "ground": bundle.ground, "recipient": bundle.recipient, "scope": bundle.scope, "items": list(items),
        "tables": {table.name: list(table.rows) for table in shown.tables},
        "attachments": [asdict(each) for each in shown.attachments],
        "missing": [asdict(note) for note in shown.notes],
    }  # fmt: skip
    return hashlib.sha256(json_document(document)).hexdigest()
