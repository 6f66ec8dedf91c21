"""The sanctions list in its legacy layout: T8-T12 on the real excerpt where present, everything on own specimens."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.list_kind import recognised
from accounts.formats.ofac import ListFormatError, folder_sha256, read_consolidated_folder, read_sdn_folder
from accounts.formats.ofac_remarks import read_remarks

ROOT = Path(__file__).resolve().parents[3]
SPECIMEN = ROOT / "tests" / "specimens" / "sdn"
EXCERPT = ROOT.parent / "shared" / "data" / "ofac-excerpt"
WHOLE_LIST = ROOT.parent / "shared" / "data" / "ofac"


@pytest.fixture
def folder(tmp_path):
    """A copy of the specimen that a test may damage."""
    return Path(shutil.copytree(SPECIMEN, tmp_path / "sdn"))


@pytest.fixture(scope="module")
def excerpt():
    if not EXCERPT.is_dir():
        pytest.skip("the real excerpt of the list is not there")
    return {entry.uid: entry for entry in read_sdn_folder(EXCERPT).entries}


def append(path: Path, content: bytes) -> None:
    whole = path.read_bytes()
    mark = b"\x1a" if whole.endswith(b"\x1a") else b""
    path.write_bytes(whole.rstrip(b"\x1a") + content + mark)


class TestSpecimen:
    def test_it_reads_a_person_with_all_that_is_known(self):
        person = read_sdn_folder(SPECIMEN).entries[0]

        assert (person.uid, person.name, person.kind) == ("101", "MUSTERMANN, Otto Karl", "individual")
        assert person.programmes == ("EXAMPLE1", "EXAMPLE-EO2")
        assert person.title == "Colonel"
        assert person.birth_dates == ("12 Oct 1972", "circa 1974")
        assert person.nationalities == ("Ruritania", "Elbonia")
        assert person.genders == ("Male",)
        assert person.identifiers == (
            ("Passport", "X1234567", "Ruritania"),
            ("Passport", "X7654321", "Ruritania"),
            ("Tax ID No.", "55-0000001", "Ruritania"),
            ("Phone Number", "(218) (0)555 0100", ""),
        )
        assert person.addresses == (("1 Example Street, Apt. 2", "Exampleville 00001", "Ruritania"),)
        assert person.aliases == (("MUSTERMAN, Otto", "aka"), ("THE; BAKER", "weak aka"), ("OTTO", "weak fka"))

    def test_comments_go_on_inside_a_word_and_over_several_rows(self):
        bank = read_sdn_folder(SPECIMEN).entries[1]

        assert bank.kind == "entity"
        assert bank.wallets == (
            ("XBT", "bc1qexamplewalletcutintwo"),
            ("ETH", "0x00000000000000000000000000000000000000aa"),
        )
        assert bank.websites == ("birkenbank.example",)
        assert bank.emails == ("desk@birkenbank.example",)
        assert bank.identifiers == (("Company Number", "00000001", "Elbonia"),)
        assert bank.aliases == (("BIRKEN SPARKASSE", "fka"), ("BIRKEN HOLDING", "nka"), ("BIRKE", "weak aka"))
        assert bank.remarks.endswith("a.k.a. 'BIRKE'; Company Number 00000001 (Elbonia).")

    def test_t9_remarks_may_be_cut_at_any_character(self, folder):
        whole = read_sdn_folder(folder).entries[1]
        rows = (folder / "SDN.CSV").read_text().splitlines()
        head = rows[1].partition('"Website')[0]
        for cut in range(1, len(whole.remarks)):
            rows[1] = f'{head}"{whole.remarks[:cut]}"'
            (folder / "SDN.CSV").write_text("\r\n".join(rows))
            (folder / "sdn_comments.csv").write_text(f'102,"{whole.remarks[cut:]}"\r\n')

            assert read_sdn_folder(folder).entries[1] == whole, f"cut at character {cut}"

    def test_vessels_and_aircraft(self):
        vessel, aircraft = read_sdn_folder(SPECIMEN).entries[2:4]

        assert vessel.kind == "vessel"
        assert vessel.addresses == ()
        assert ("Call Sign", "XX1AB", "") in vessel.identifiers
        assert ("Vessel Registration Identification", "IMO 0000000", "") in vessel.identifiers
        assert (aircraft.kind, aircraft.remarks, aircraft.title) == ("aircraft", "", "")

    def test_a_published_list_has_no_orphans(self):
        assert read_sdn_folder(SPECIMEN).orphans == ()

    def test_cp1252_is_read(self, folder):
        append(folder / "alt.csv", '104,9004,"aka","ÉCLAIR’S",-0- \r\n'.encode("cp1252"))

        assert read_sdn_folder(folder).entries[3].aliases == (("ÉCLAIR’S", "aka"),)

    def test_utf_8_is_read(self, folder):
        append(folder / "alt.csv", '104,9004,"aka","ÉCLAIR",-0- \r\n'.encode())

        assert read_sdn_folder(folder).entries[3].aliases == (("ÉCLAIR", "aka"),)

    def test_a_row_of_an_absent_entry_is_named_as_an_orphan(self, folder):
        append(folder / "alt.csv", b'50,9004,"aka","NOBODY",-0- \r\n')

        assert read_sdn_folder(folder).orphans == ("alt.csv, line 4: there is no entry 50.",)


class TestFingerprint:
    def test_it_is_the_same_for_the_same_bytes_whatever_the_case_of_names(self, folder):
        before = folder_sha256(folder)

        (folder / "SDN.CSV").rename(folder / "sdn.csv")

        assert folder_sha256(folder) == before == read_sdn_folder(folder).sha256
        assert len(before) == 64

    @pytest.mark.parametrize("name", ["SDN.CSV", "alt.csv", "Add.csv", "sdn_comments.csv"])
    def test_any_change_changes_it(self, folder, name):
        before = folder_sha256(folder)

        (folder / name).write_bytes((folder / name).read_bytes() + b"\x1a")

        assert folder_sha256(folder) != before

    def test_moving_bytes_from_one_file_to_the_next_changes_it(self, folder):
        before = folder_sha256(folder)
        add, alt = (folder / "Add.csv").read_bytes(), (folder / "alt.csv").read_bytes()

        (folder / "Add.csv").write_bytes(alt)
        (folder / "alt.csv").write_bytes(add)

        assert folder_sha256(folder) != before


NAMES = {"SDN.CSV": "CONS_PRIM.CSV", "alt.csv": "cons_alt.csv", "Add.csv": "cons_add.csv",
         "sdn_comments.csv": "cons_comments.csv"}  # fmt: skip


class TestConsolidatedList:
    @pytest.fixture
    def consolidated(self, folder):
        for name, other in NAMES.items():
            (folder / name).rename(folder / other)
        return folder

    def test_r35_it_says_what_the_same_rows_say_in_the_other_list(self, consolidated):
        assert read_consolidated_folder(consolidated).entries == read_sdn_folder(SPECIMEN).entries

    def test_r35_it_is_recognised_by_its_folder_or_one_of_its_files(self, consolidated):
        assert recognised(consolidated) == recognised(consolidated / "CONS_PRIM.CSV") == "ofac-consolidated"
        assert recognised(SPECIMEN) == "ofac-sdn"
        assert len(read_consolidated_folder(consolidated / "CONS_PRIM.CSV").entries) == 5

    def test_two_lists_in_one_folder_are_not_guessed_at(self, consolidated):
        shutil.copytree(SPECIMEN, consolidated, dirs_exist_ok=True)

        with pytest.raises(ListFormatError, match=r"two lists.*Name the kind: ofac-sdn or ofac-consolidated"):
            recognised(consolidated)

    def test_a_folder_of_something_else_is_no_list(self, tmp_path):
        with pytest.raises(ListFormatError, match=r"neither sdn\.csv nor cons_prim\.csv"):
            recognised(tmp_path)

    @pytest.mark.parametrize("name", NAMES.values())
    def test_a_missing_file_is_named(self, consolidated, name):
        (consolidated / name).unlink()

        with pytest.raises(ListFormatError, match=f"{name.lower()} is missing.*cons_prim.csv, cons_alt.csv"):
            read_consolidated_folder(consolidated)

    @pytest.mark.parametrize("name", ["CONS_PRIM.CSV", "cons_alt.csv", "cons_add.csv"])
    def test_a_cut_at_any_byte_is_refused(self, consolidated, name):
        whole = (consolidated / name).read_bytes()
        assert whole.endswith(b"\x1a")
        for end in range(len(whole)):
            (consolidated / name).write_bytes(whole[:end])
            with pytest.raises(ListFormatError):
                read_consolidated_folder(consolidated)


class TestRefusedLists:
    @pytest.mark.parametrize("name", ["SDN.CSV", "alt.csv", "Add.csv", "sdn_comments.csv"])
    def test_a_missing_file_is_named(self, folder, name):
        (folder / name).unlink()

        with pytest.raises(ListFormatError, match=f"{name.lower()} is missing"):
            read_sdn_folder(folder)

    def test_a_missing_folder(self, tmp_path):
        with pytest.raises(ListFormatError, match="not a readable folder"):
            read_sdn_folder(tmp_path / "absent")

    def test_two_spellings_of_one_file(self, folder):
        shutil.copy(folder / "alt.csv", folder / "ALT.csv")

        with pytest.raises(ListFormatError, match=r"alt\.csv is there twice"):
            read_sdn_folder(folder)

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("SDN.CSV", b'106,"SHORT"\r\n', r"sdn\.csv, line 6: 2 columns instead of 12"),
            ("alt.csv", b'101,9,"aka","X",-0- ,more\r\n', r"alt\.csv, line 4: 6 columns instead of 5"),
            ("alt.csv", b'101,9,"aka","X\x00",-0- \r\n', r"alt\.csv, line 4: holds a NUL"),
            ("alt.csv", b'101,9,"aka","X', r"alt\.csv, line 4: a quotation mark is not closed"),
            ("alt.csv", b'101,9,"aka","X\r\n' + b"y" * 200_000, r"alt\.csv, line 4: a quotation mark is not closed"),
            ("alt.csv", b'101,9,"aka","X",-0', r"alt\.csv, line 4: the file is cut off"),
            ("alt.csv", b'x,9,"aka","X",-0- \r\n', r'alt\.csv, line 4: column 1 is "x"'),
            ("alt.csv", b'1' * 5_000 + b',9,"aka","X",-0- \r\n', r"alt\.csv, line 4: column 1"),
            ("alt.csv", b'106,9,"aka","X",-0- \r\n', r"alt\.csv, line 4: entry 106 is not in sdn\.csv.*cut off"),
            ("Add.csv", b'106,9,"S","C","L",-0- \r\n', r"add\.csv, line 4: entry 106 is not in sdn\.csv"),
            ("sdn_comments.csv", b'106,"more"\r\n', r"sdn_comments\.csv, line 3: entry 106"),
            ("sdn_comments.csv", b"\x1a101,", r"sdn_comments\.csv, line 3: the file ends there, yet more"),
            ("alt.csv", b'101,9,"aka","\x81",-0- \r\n', r"alt\.csv, line 4: neither UTF-8 nor CP-1252 \(byte 0x81\)"),
            ("SDN.CSV", b'101,"AGAIN",' + b"-0- ," * 9 + b"-0- \r\n", r"line 6: entry 101 was already there"),
            ("SDN.CSV", b'106,"X","robot",' + b"-0- ," * 8 + b"-0- \r\n", r'line 6: the type "robot" is unknown'),
            ("SDN.CSV", b"106," + b"-0- ," * 10 + b"-0- \r\n", r"line 6: the name is empty"),
        ],
    )  # fmt: skip
    def test_it_names_file_and_line(self, folder, name, content, says):
        append(folder / name, content)

        with pytest.raises(ListFormatError, match=says) as caught:
            read_sdn_folder(folder)

        assert len(str(caught.value)) < 300

    def test_lines_are_counted_as_in_the_file_across_quoted_line_breaks(self, folder):
        append(folder / "alt.csv", b'101,9,"aka","TWO\r\nLINES",-0- \r\n\r\nshort\r\n')

        with pytest.raises(ListFormatError, match=r"alt\.csv, line 7: 1 columns"):
            read_sdn_folder(folder)

    @pytest.mark.parametrize("name", ["SDN.CSV", "alt.csv", "Add.csv"])
    def test_a_file_cut_off_between_two_rows_lacks_the_mark_that_others_have(self, folder, name):
        cut = (folder / name).read_bytes().rstrip(b"\x1a").splitlines(keepends=True)[:-1]
        (folder / name).write_bytes(b"".join(cut))

        with pytest.raises(ListFormatError, match="cut off"):
            read_sdn_folder(folder)

    def test_an_empty_list(self, folder):
        (folder / "SDN.CSV").write_bytes(b"\x1a")

        with pytest.raises(ListFormatError, match="no entries"):
            read_sdn_folder(folder)

    def test_a_list_cut_off_between_two_rows_is_noticed_by_its_addresses(self, folder):
        rows = (folder / "SDN.CSV").read_bytes().split(b"\r\n")
        (folder / "SDN.CSV").write_bytes(b"\r\n".join(rows[:3]) + b"\r\n")

        with pytest.raises(ListFormatError, match=r"entry 105 is not in sdn\.csv, which ends at 103"):
            read_sdn_folder(folder)

    @pytest.mark.parametrize("name", ["SDN.CSV", "sdn_comments.csv"])
    def test_a_cut_at_any_byte_is_refused_or_loses_whole_rows_only(self, folder, name):
        whole = (folder / name).read_bytes()
        rows = read_sdn_folder(folder).entries
        for end in range(len(whole)):
            (folder / name).write_bytes(whole[:end])
            try:
                found = read_sdn_folder(folder)
            except ListFormatError:
                continue
            if name == "SDN.CSV":
                assert found.entries == rows[: len(found.entries)], f"cut at byte {end}"
            else:
                assert whole[:end].rstrip(b"\r\n").endswith(b'"') or end == 0, f"cut at byte {end}"


class TestRealExcerpt:
    def test_t8_the_null_type_is_an_entity_and_the_website_is_read(self, excerpt):
        suex = excerpt["33151"]

        assert (suex.name, suex.kind, suex.title) == ("SUEX OTC, S.R.O.", "entity", "")
        assert suex.programmes == ("CYBER2",)
        assert suex.websites == ("suex.io",)
        assert len([wallet for wallet in suex.wallets if wallet[0] == "XBT"]) > 5
        assert len(suex.addresses) == 2

    def test_t9_the_address_cut_in_two_is_whole_again(self, excerpt):
        suex = excerpt["33151"]

        assert ("XBT", "1B64QRxfaa35MVkf7sDjuGUYAP5izQt7Qi") in suex.wallets
        assert all(len(address) >= 26 for _, address in suex.wallets)
        assert ("SUCCESSFUL EXCHANGE", "weak aka") in suex.aliases
        assert len(suex.wallets) == 14 + 4 + 7

    def test_t10_two_programmes_two_mails_four_currencies(self, excerpt):
        person = excerpt["29702"]

        assert person.programmes == ("CYBER2", "ELECTION-EO13848")
        assert len(person.emails) == 2
        assert {currency for currency, _ in person.wallets} == {"XBT", "ETH", "LTC", "DASH"}

    def test_t11_aliases_join_on_column_one_only(self, excerpt):
        assert excerpt["10278"].aliases == (("BURTON BURGESS", "weak aka"),)
        assert ("KHOROSHEV, Dmitriy Yurevich", "aka") in excerpt["48603"].aliases
        assert len(excerpt["48603"].aliases) == 4

    def test_t12_an_american_entity_on_the_list(self, excerpt):
        steel = excerpt["44525"]

        assert steel.kind == "entity"
        assert ("Tax ID No.", "52-2083095", "United States") in steel.identifiers
        assert ("Business Registration Number", "0582030", "United States") in steel.identifiers
        assert steel.addresses == (("", "Miami, FL 33130", "United States"),)

    def test_rows_of_entries_left_out_of_the_excerpt_are_orphans(self, excerpt):
        assert "alt.csv, line 1: there is no entry 10416." in read_sdn_folder(EXCERPT).orphans

    def test_the_whole_list(self):
        if not WHOLE_LIST.is_dir():
            pytest.skip("the real list is not there")

        found = read_sdn_folder(WHOLE_LIST)

        assert len(found.entries) == 8_976
        assert found.orphans == ()
        assert sum(1 for entry in found.entries for _, kind in entry.aliases if not kind.startswith("weak")) > 11_800


class TestRemarks:
    @given(st.text(max_size=300))
    def test_any_text_is_read(self, text):
        found = read_remarks(text)

        assert all(number for _, number, _ in found.identifiers)

    @given(st.lists(st.text("abcdefghijkmnopqrstuvwxyz0123456789", min_size=26, max_size=62), unique=True))
    def test_every_wallet_is_found_in_order(self, wallets):
        text = "; alt. ".join(f"Digital Currency Address - XBT {wallet}" for wallet in wallets) + "."

        assert read_remarks(text).wallets == tuple(("XBT", wallet) for wallet in wallets)
