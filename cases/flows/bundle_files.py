"""The files of an evidence bundle, one after the other, each told in the custody record (requirement R114)."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime

from django.conf import settings

from accounts.flows import document_files
from accounts.formats.bag import Content, MeasuredContent
from accounts.formats.bundle_content import (
    IndexedFile,
    IndexPage,
    json_document,
    table_csv,
    table_jsonl,
)
from accounts.models import Account, ExternalAnswer, IdentityDocument, Party
from cases.flows import bundle_access, bundle_shown
from cases.flows.bundle_cover import cover_pdf
from cases.flows.bundle_events import COLUMNS as EVENT_COLUMNS
from cases.flows.bundle_events import events_of
from cases.flows.bundle_exchange import exchange_files
from cases.flows.bundle_facts import FactTable
from cases.flows.bundle_page import page_for_people, style
from cases.flows.bundle_redactor import ByHand
from cases.formats import access_records, custody
from cases.formats.custody import FileCustody, Hands
from cases.models import Bundle
from cases.rules.disclosure import DataClass, Ground, Recipient
from cases.rules.redaction import Exemption, FieldClass, Redaction
from kyc_portal.records import bundle_folders, keys
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal


class FileNotWhole(Refusal):
    """An original file is not the one whose hash was noted when it came in."""


class PayloadOf:
    """Gives the payload of one bundle file by file; nothing long is ever in memory as a whole."""

    def __init__(self, bundle: Bundle, *, by: Actor, at: datetime):
        self._bundle, self._at = bundle, at
        self._chosen = bundle_shown.chosen_of(bundle)
        self._show = bundle_shown.redactor_of(bundle, self._chosen)
        self._sources: dict[str, list[str]] = {}
        for item in bundle_shown.items_of(bundle):
            self._sources.setdefault(item.data_class, []).append(f"{item.name} {item.sha256}".strip())
        self._hands = self._through(by)
        self._custody: list[FileCustody] = []
        self._indexed: list[IndexedFile] = []

    def files(self) -> Iterator[tuple[str, Content]]:
        """Path and content of each payload file; the caller consumes each content before it asks for the next."""
        tables = bundle_shown.tables_of(self._chosen, self._show)
        for table in tables:
            yield from self._fact_files(table)
        yield from self._documents()
        yield from self._answers()
        yield from self._access()
        for each in exchange_files(tables, self._chosen, self._show, reference=self._bundle.reference, at=self._at):
            sources = [source for data_class in each.classes for source in self._sources.get(data_class, ())]
            yield from self._file(each.path, each.title, "the tables of this bundle", each.content, sources)
        yield from self._events()
        log = [asdict(note) for note in self._show.notes]
        if log:
            yield from self._file("redactions.json", "Redaction log", "made for this bundle", [json_document(log)])
            lines = table_csv(("place", "code", "meaning"), log)
            yield from self._file("redactions.csv", "Redaction log as a table", "made for this bundle", lines)
        yield from self._pages(tables)

    def _through(self, by: Actor) -> Hands:
        """Who collected, approved and built, as far as the recipient may know."""

        def staff(label: str, what: str) -> str:
            return str(self._show.show(FieldClass.STAFF, label, f"custody, {what} by"))

        bundle, added_by = self._bundle, by.label if by.kind == "scheduler" else staff(by.label, "added")
        return Hands(
            bundle.collected_at, staff(bundle.collected_by, "collected"), bundle.approved_at,
            staff(bundle.approved_by, "approved"), self._at, added_by,
        )  # fmt: skip

    def _file(
        self, path: str, title: str, origin: str, chunks: Iterable[bytes], sources: Iterable[str] = ()
    ) -> Iterator[tuple[str, Content]]:
        content = MeasuredContent(chunks)
        yield path, content
        self._custody.append(FileCustody(path, content.size, content.sha256, origin, tuple(sources)))
        self._indexed.append(IndexedFile(path, title, content.size, content.sha256))

    def _fact_files(self, table: FactTable) -> Iterator[tuple[str, Content]]:
        origin = f"the portal's records, {table.data_class.label}, as approved in {self._bundle.reference}"
        path, sources = f"facts/{table.name}", self._sources.get(table.data_class.value, ())
        yield from self._file(f"{path}.csv", table.title, origin, table_csv(table.columns, table.rows), sources)
        yield from self._file(f"{path}.json", f"{table.title} (JSON)", origin, [json_document(table.rows)], sources)

    def _documents(self) -> Iterator[tuple[str, Content]]:
        for document in self._chosen.rows(IdentityDocument, DataClass.IDENTITY):
            if not document.file_sha256:
                continue
            path = bundle_shown.path_of(document)
            hidden = self._show.hides_person(document.party_id)
            if hidden is not None:
                self._show.note(hidden, path)
                continue
            if hand := self._show.by_hand(path):
                yield from self._redacted_copy(document, hand)
                continue
            origin = f"original of {document.reference} as it came in on {document.added_at:%Y-%m-%d}"
            source = [f"{document.reference} {document.file_sha256}"]
            yield from self._file(path, f"Document {document.reference}", origin, _original(document), source)

    def _redacted_copy(self, document: IdentityDocument, hand: ByHand) -> Iterator[tuple[str, Content]]:
        """What goes out in the place of an original that stays sealed; nothing where it is withheld whole."""
        if not hand.copy_sha256:
            return
        path = f"documents/{document.reference}-redacted.{bundle_shown.ENDINGS.get(hand.copy_type, 'bin')}"
        origin = f"redacted copy of {document.reference}, whose original has the SHA-256 {document.file_sha256}"
        chunks = [document_files.read(hand.subject, hand.copy_sha256)]
        yield from self._file(path, f"Document {document.reference}, redacted", origin, chunks)

    def _answers(self) -> Iterator[tuple[str, Content]]:
        """Answers of outside verifiers whole: nothing in them can be blacked out, so it is the file or a note."""
        rows = self._chosen.rows(ExternalAnswer, DataClass.VERIFICATION)
        for answer in rows.select_related("check_asked__verification"):
            path = f"answers/{answer.reference}.json"
            hidden = self._show.hides_person(answer.subject) or self._show.hides(FieldClass.DETECTION)
            if hidden is None and self._show.tells(answer.body.reveal()):
                hidden = Redaction(Exemption.OTHER_PERSON)
            if hidden is not None:
                self._show.note(hidden, path)
                continue
            verifier = answer.check_asked.verifier_title
            origin = f"message of {verifier} as it came in on {answer.received_at:%Y-%m-%d}, its signature checked"
            source = [f"{answer.reference} {answer.sha256}"]
            yield from self._file(path, f"Answer {answer.reference} of {verifier}", origin, _whole(answer), source)

    def _access(self) -> Iterator[tuple[str, Content]]:
        batches = list(bundle_access.batches(self._chosen))
        if not batches:
            return
        sources = [f"{batch.reference} {batch.sha256}" for batch in batches]
        origin, records = "access logs as taken in", bundle_access.records(self._chosen, self._show)
        with bundle_folders.spool() as spool:
            csv, lines = access_records.as_csv(records, spool), access_records.read_back(spool)
            yield from self._file("access/records.csv", "Access records", origin, csv, sources)
            yield from self._file("access/records.jsonl", "Access records (JSON)", origin, lines, sources)

    def _events(self) -> Iterator[tuple[str, Content]]:
        records = [
            RecordRef.of(self._bundle), RecordRef.of(self._bundle.case),
            *map(RecordRef.of, self._chosen.rows(Account, DataClass.SUBSCRIBER)),
            *map(RecordRef.of, self._chosen.rows(Party, DataClass.SUBSCRIBER)),
        ]  # fmt: skip
        events = events_of(self._bundle, records, self._show, asked=self._chosen.asked, until=self._at)
        origin = "the portal's audit trail; canonical is the sealed form of each event in base64"
        yield from self._file("audit/events.jsonl", "Audit trail", origin, table_jsonl(EVENT_COLUMNS, events))

    def _pages(self, tables: list[FactTable]) -> Iterator[tuple[str, Content]]:
        """The pages for people, their look, and last the custody record, which lists them too."""
        made_here = "made for this bundle"
        yield from self._file("bundle.css", "Look of the page", made_here, [style()])
        yield from self._file("cover.pdf", "Cover and index to print", made_here, [cover_pdf(self._page(), tables)])
        html = page_for_people(self._page(), tables)
        yield from self._file("index.html", "The page to open first", made_here, [html])
        yield "custody.json", custody.as_json(self._custody, self._hands)
        yield "custody.csv", custody.as_csv(self._custody, self._hands)

    def _page(self) -> IndexPage:
        bundle = self._bundle
        return IndexPage(
            bundle.reference, bundle.case.reference, Recipient(bundle.recipient).label, Ground(bundle.ground).label,
            self._at, keys.signing_key()[0], tuple(self._indexed), self._show.notes, settings.PROVIDER_NAME,
            bundle.collected_at, bundle.approved_at, self._request(),
        )  # fmt: skip

    def _request(self) -> tuple[tuple[str, str], ...]:
        """What the bundle answers and what was asked for; a customer is not told who asks about them."""
        request = self._bundle.request
        if request is None or self._bundle.recipient == Recipient.CUSTOMER:
            return ()
        numbered = f", their reference {request.authority_reference}" if request.authority_reference else ""
        return (
            ("Request", f"{request.reference} of {request.authority}{numbered}"),
            ("Received on", f"{request.received_on}"), ("Asked for", request.asked.in_words()),
        )  # fmt: skip


def _original(document: IdentityDocument) -> Iterator[bytes]:
    """The decrypted original; raises FileNotWhole when it is not the file that came in."""
    data = document_files.read(document.party_id, document.file_sha256)
    if hashlib.sha256(data).hexdigest() != document.file_sha256:
        raise FileNotWhole(f"The file of {document.reference} is not the one that came in. Restore it from a backup.")
    yield data


def _whole(answer: ExternalAnswer) -> Iterator[bytes]:
    """The body as it came; raises FileNotWhole when it is not the one whose hash was noted then."""
    data = answer.body.reveal().encode()
    if hashlib.sha256(data).hexdigest() != answer.sha256:
        raise FileNotWhole(f"The answer {answer.reference} is not the one that came in. Restore it from a backup.")
    yield data
