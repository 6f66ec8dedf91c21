"""Files that are refused at the door or as a whole: a clear sentence, nothing kept or in force (trust.md A, B)."""

import io

import pytest

from accounts.flows import document_files, texts
from accounts.formats.tables import TableRefused
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work.models import Job
from resellers.flows import findings, roster_files
from resellers.formats import workbook
from resellers.models import RosterEntry, RosterFault, RosterUpload
from tests.builders import make_applicant, make_downstream, make_entry, make_reseller
from tests.conftest import NOON
from tests.resellers.formats.test_roster_formats import changed
from tests.resellers.rosters import as_csv, as_xlsx, read, row, run, send, take_in

pytestmark = pytest.mark.django_db
GOOD = as_csv(row("1"))
AT_THE_DOOR = {
    "empty": (b"", "roster.csv"),
    "another kind": (b"%PDF-1.7 Canary", "roster.csv"),
    "a program": (b"MZ Canary", "roster.csv"),
    "another ending": (GOOD, "roster.docx"),
    "a table named as a workbook": (GOOD, "roster.xlsx"),
    "a workbook named as a table": (as_xlsx(row("1")), "roster.csv"),
    "a macro workbook by its name": (as_xlsx(row("1")), "roster.xlsm"),
    "a macro workbook by its parts": (changed(as_xlsx(row("1")), {"xl/vbaProject.bin": b"x"}), "roster.xlsx"),
    "a zip bomb": (changed(as_xlsx(row("1")), {"xl/media/a.bin": b"\0" * 5_000_000}), "roster.xlsx"),
    "with a password": (workbook.OLD_OR_LOCKED + b"\0" * 100, "roster.xlsx"),
    "damaged": (as_xlsx(row("1"))[:300], "roster.xlsx"),
    "with links to other files": (
        changed(as_xlsx(row("1")), {"xl/externalLinks/externalLink1.xml": b"<x/>"}), "roster.xlsx",
    ),
}  # fmt: skip
WHILE_READ = {
    "wrong delimiter": (as_csv(row("1"), delimiter=";"), "roster.csv", "separated by semicolons"),
    "duplicate columns": (GOOD.replace(b"country", b"name", 1), "roster.csv", "names name more than once"),
    "no header": (GOOD.partition(b"\n")[2], "roster.csv", "lacks customer_number"),
    "two header rows": (GOOD.partition(b"\n")[0] + b"\n" + GOOD, "roster.csv", "second header"),
    "not UTF-8": (GOOD.replace(b"Customer 1", b"M\xfcller"), "roster.csv", "is not valid UTF-8"),
    "an open quotation mark": (GOOD + b'2,"Canary', "roster.csv", "is not closed properly"),
    "merged cells": (
        changed(as_xlsx(row("1")), {"xl/worksheets/sheet1.xml": lambda text: text.replace(
            "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:B1"/></mergeCells>')}),
        "roster.xlsx", "The cells A1:B1 are merged",
    ),
}  # fmt: skip


def everything_kept(reseller) -> tuple:
    folder = document_files._folder_of(reseller.account.party_id)
    return (
        RosterUpload.objects.count(), RosterFault.objects.count(), RosterEntry.objects.count(), Job.objects.count(),
        sorted(path.name for path in folder.iterdir()) if folder.exists() else [],
    )  # fmt: skip


@pytest.mark.parametrize("what", AT_THE_DOOR)
def test_at_the_door_nothing_is_kept(what):
    reseller = make_reseller()
    before = everything_kept(reseller)

    with pytest.raises(TableRefused) as refused:
        send(reseller, *AT_THE_DOOR[what][:1], name=AT_THE_DOOR[what][1])

    assert everything_kept(reseller) == before
    assert str(refused.value).endswith(".") and "Canary" not in str(refused.value)


@pytest.mark.parametrize("what", WHILE_READ)
def test_while_it_is_read_the_roster_stays_as_it_was_and_the_file_goes(what):
    reseller = make_reseller()
    make_entry(reseller, "there")
    data, name, says = WHILE_READ[what]

    upload = send(reseller, data, name=name)
    run()

    upload.refresh_from_db()
    assert (upload.state, says in upload.problem, "Canary" in upload.problem) == ("refused", True, False)
    assert [entry.number for entry in RosterEntry.objects.in_force()] == ["there"]
    assert not document_files.path_of(reseller.account.party_id, upload.sha256).exists()


class TestReceive:
    def test_b2_too_large_is_refused_while_it_is_read(self, monkeypatch):
        monkeypatch.setattr(roster_files, "most_bytes", lambda regime: 1 << 20)
        monkeypatch.setattr(roster_files, "CHUNK", 1 << 16)
        reseller, taken = make_reseller(), []

        class Endless(io.RawIOBase):
            def read(self, size=-1):
                taken.append(size)
                return b"x" * size

        with pytest.raises(roster_files.FileTooLarge, match="larger than 1 megabytes"):
            roster_files.receive(
                reseller, file=Endless(), file_name="a.csv", extent="part", by=SCHEDULER, at=NOON
            )  # fmt: skip

        assert len(taken) <= 18 and not RosterUpload.objects.exists()

    def test_the_extent_is_one_of_two(self):
        with pytest.raises(texts.BadField):
            send(make_reseller(), GOOD, extent="all")

    def test_b17_b19_the_name_is_made_safe(self):
        upload = send(make_reseller(), GOOD, name="../../etc/a\u202egnp.csv")

        assert upload.file_name == "a[U+202E]gnp.csv"

    def test_a_reseller_that_may_not_sell_may_still_send(self):
        applicant = make_applicant()
        findings.record_finding(
            applicant, kind="no_cip", source="test", evidence="None.", demand="Write one.", knowledge_at=NOON,
            by=SCHEDULER, at=NOON,
        )  # fmt: skip

        assert send(applicant, GOOD).state == "received"

    def test_the_file_is_sealed_on_the_disk(self):
        reseller = make_reseller()
        upload = send(reseller, as_csv(row("1", name="Canaryperson")))

        stored = document_files.path_of(reseller.account.party_id, upload.file_sha256).read_bytes()

        assert b"Canaryperson" not in stored and b"customer_number" not in stored


class TestRows:
    def test_a20_one_bad_row_at_the_end_keeps_all_out_until_it_is_left_out_by_word(self):
        reseller = make_reseller()
        rows = [*(row(str(number)) for number in range(20)), row("last", country="XX")]

        upload = read(reseller, *rows)

        assert (upload.read_count, upload.bad_count, upload.faults.get().line) == (21, 1, 22)
        assert not RosterEntry.objects.exists()

    def test_a_row_that_names_another_resellers_customer_tells_nothing(self):
        reseller, other = make_reseller(), make_reseller(legal_name="Canary Other Hosting")
        theirs = make_downstream(other, legal_name="Canary Customer")
        make_entry(other, "T-1", account=theirs.account, name="Canary Customer")

        named = read(reseller, row("1", account=theirs.account.reference), row("2", parent_number="T-1"))
        taken = take_in(reseller, row("T-1", name="Canary Customer"), extent="part")

        told = "".join(fault.reason for fault in named.faults.all())
        assert named.bad_count == 2 and "Canary" not in told and theirs.account.reference not in told
        assert (taken.new_count, taken.bad_count) == (1, 0), "A15: loaded for its own, without a hint"

    def test_the_list_of_bad_rows_can_be_downloaded(self):
        upload = read(make_reseller(), row("1"), row("2", kind="robot"))

        assert b"".join(roster_files.faulty_rows_csv(upload)).decode().splitlines() == [
            "line,reason", '3,"Column kind is not known. Use one of: entity, individual."',
        ]  # fmt: skip
