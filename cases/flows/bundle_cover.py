"""The cover and index a lawyer reads, as sections that stand alike in the PDF and on the page (requirement R114)."""

from collections.abc import Sequence

from django.conf import settings

from accounts.formats.bundle_content import IndexPage
from cases.flows.bundle_facts import FactTable
from cases.flows.bundle_page import about_rows, as_text
from cases.formats.cover_pdf import Section, write_pdf

CHECKING = (
    "Ask the provider by another way, such as by telephone or in the letter that came with this bundle, for its "
    "public key and for the digest (SHA-256) of the file tagmanifest-sha256.txt.",
    "Run: python3 verify_bundle.py --keys KEYS.json --witness DIGEST. The file lies beside the folder data, needs "
    "Python 3.9 or newer and nothing else, and ends with 0 when every file is as it was signed, 1 when one was "
    "changed, 2 when the bundle cannot be read, 3 when nobody vouches for the key.",
    "Any program that knows BagIt 1.0 (RFC 8493) can check the digests as well. What each file and field means "
    "stands in the provider's description of the format.",
)


def cover_pdf(page: IndexPage, tables: Sequence[FactTable]) -> bytes:
    """The PDF: what this is, whom it is about, how to check it, what was left out, and every file with its digest."""
    sections = [
        Section("What this is", rows=about_rows(page)),
        *_customers(tables),
        Section("How to check it", CHECKING),
    ]
    sections += [_left_out(page), _contents(tables), _files(page)]
    return write_pdf(f"Evidence bundle {page.reference}", page.provider, sections, fonts=settings.PDF_FONTS)


def _customers(tables: Sequence[FactTable]) -> list[Section]:
    rows = [
        [as_text(row["account"]), as_text(row["party"]), as_text(row["legal_name"])]
        for table in tables
        if table.name == "customers"
        for row in table.rows
    ]
    return [Section("Whom it is about", (), ("Account", "Party", "Name"), rows, (35, 35, 100))] if rows else []


def _left_out(page: IndexPage) -> Section:
    if not page.redactions:
        return Section("What was left out", ["Nothing was blacked out. What the ground does not cover is not here."])
    rows = [[note.place, note.code, note.meaning] for note in page.redactions]
    return Section("What was left out", (), ("Place", "Code", "Meaning"), rows, (80, 12, 78))


def _contents(tables: Sequence[FactTable]) -> Section:
    rows = [[table.title, f"facts/{table.name}.csv", f"{len(table.rows)}"] for table in tables]
    return Section("Tables of facts", (), ("What", "File", "Rows"), rows, (75, 75, 20))


def _files(page: IndexPage) -> Section:
    rows = [[file.href, file.title, f"{file.size}", file.sha256] for file in page.files]
    told = ["custody.csv tells of each who put it here, when, and from which records."]
    return Section("Files", told, ("File", "What it is", "Bytes", "SHA-256"), rows, (48, 40, 17, 65))
