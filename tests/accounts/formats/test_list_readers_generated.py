"""Every list reader: what is written comes back, and a file that is cut off anywhere is refused, never half read (R35).

A table that is cut exactly at a row's end looks whole; it is stopped where it would replace a longer version.
"""

import csv
import io
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.flows import watchlists
from accounts.formats import ofac
from accounts.formats.list_tables import OPEN_COLUMNS, SCREENING_COLUMNS
from accounts.formats.ofac import ListFormatError
from accounts.models import WatchlistSnapshot
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON

WORDS = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters=';"'), min_size=1, max_size=12
).filter(lambda word: word != "-0-")  # fmt: skip
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(lambda name: name != "-0-")
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": NAMES,
            "aliases": st.lists(NAMES, max_size=3, unique=True),
            "born": st.dates().map(lambda day: day.isoformat()),
            "kind": st.sampled_from(("individual", "entity", "vessel")),
        }
    ),
    min_size=1,
    max_size=6,
)
SCHEMATA = {"individual": "Person", "entity": "Organization", "vessel": "Vessel"}


def ofac_files(rows, names=("sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv")):
    null = ["-0-"]
    primary = [
        [number, row["name"], row["kind"].replace("entity", "-0-"), "TEST", *null * 7, f"DOB {row['born']}."]
        for number, row in enumerate(rows, start=1)
    ]  # fmt: skip
    aliases = [
        [number, number * 100 + place, "aka", name, "-0-"]
        for number, row in enumerate(rows, start=1)
        for place, name in enumerate(row["aliases"])
    ]
    addresses = [[number, number, "-0-", "-0-", "Iran", "-0-"] for number in range(1, len(rows) + 1)]
    parts = (primary, aliases, addresses, [])
    return {
        name: _csv(lines) + (b"" if "comments" in name else b"\x1a") for name, lines in zip(names, parts, strict=True)
    }


def _csv(lines) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC).writerows(lines)
    return out.getvalue().encode()


def csl_file(rows) -> bytes:
    lines = [
        {"source": "Test", "entity_number": number, "type": row["kind"], "name": row["name"],
         "alt_names": "; ".join(row["aliases"]), "dates_of_birth": row["born"]}
        for number, row in enumerate(rows, start=1)
    ]  # fmt: skip
    return _table(SCREENING_COLUMNS, lines)


def open_file(rows) -> bytes:
    lines = [
        {"id": f"NK-{number}", "schema": SCHEMATA[row["kind"]], "name": row["name"],
         "aliases": ";".join(row["aliases"]), "birth_date": row["born"]}
        for number, row in enumerate(rows, start=1)
    ]  # fmt: skip
    return _table(OPEN_COLUMNS, lines)


def _table(columns, lines) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def ofac_xml(rows) -> bytes:
    entries = "".join(
        f"<sdnEntry><uid>{number}</uid><lastName>{escape(row['name'])}</lastName><sdnType>{row['kind']}</sdnType><akaList>"
        + "".join(f"<aka><type>a.k.a.</type><lastName>{escape(name)}</lastName></aka>" for name in row["aliases"])
        + f"</akaList><dateOfBirthList><dateOfBirthItem><dateOfBirth>{row['born']}</dateOfBirth></dateOfBirthItem>"
        "</dateOfBirthList></sdnEntry>"
        for number, row in enumerate(rows, start=1)
    )
    count = f"<publshInformation><Record_Count>{len(rows)}</Record_Count></publshInformation>"
    return f"<sdnList>{count}{entries}</sdnList>".encode()


def un_xml(rows) -> bytes:
    entries = "".join(
        f"<INDIVIDUAL><DATAID>{number}</DATAID><FIRST_NAME>{escape(row['name'])}</FIRST_NAME>"
        + "".join(
            f"<INDIVIDUAL_ALIAS><ALIAS_NAME>{escape(name)}</ALIAS_NAME></INDIVIDUAL_ALIAS>" for name in row["aliases"]
        )
        + f"<INDIVIDUAL_DATE_OF_BIRTH><DATE>{row['born']}</DATE></INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL>"
        for number, row in enumerate(rows, start=1)
    )
    return f"<CONSOLIDATED_LIST><INDIVIDUALS>{entries}</INDIVIDUALS></CONSOLIDATED_LIST>".encode()


ONE_FILE = {"csl": csl_file, "opensanctions": open_file, "ofac-xml": ofac_xml, "un-xml": un_xml}
FOLDERS = {"ofac-sdn": tuple(ofac.FILES), "ofac-consolidated": tuple(ofac.CONSOLIDATED_FILES)}
each_file = pytest.mark.parametrize("kind", ONE_FILE)
each_folder = pytest.mark.parametrize("kind", FOLDERS)


def read_file(kind, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_bytes(content)
        return watchlists.KINDS[kind].read(path).entries


def read_folder(kind, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        return watchlists.KINDS[kind].read(Path(folder)).entries


def told(entries):
    return [(each.name, [name for name, _ in each.aliases], each.birth_dates) for each in entries]


def wanted(rows):
    return [(row["name"], row["aliases"], (row["born"],)) for row in rows]


@each_file
@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_r35_what_one_file_says_is_read(kind, rows):
    assert told(read_file(kind, ONE_FILE[kind](rows))) == wanted(rows)


@each_folder
@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_r35_what_four_files_say_is_read(kind, rows):
    assert told(read_folder(kind, ofac_files(rows, FOLDERS[kind]))) == wanted(rows)


@each_file
@settings(max_examples=80, deadline=None)
@given(rows=ROWS, data=st.data())
def test_b_a_file_cut_anywhere_is_refused_or_ends_with_a_whole_row(kind, rows, data):
    content = ONE_FILE[kind](rows)
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    try:
        found = read_file(kind, cut)
    except ListFormatError as refused:
        assert 0 < len(str(refused)) < 300
    else:
        assert kind in ("csl", "opensanctions") and cut.endswith((b"\n", b"\r"))
        assert told(found) == wanted(rows)[: len(found)]


@each_folder
@settings(max_examples=80, deadline=None)
@given(rows=ROWS, data=st.data())
def test_b_a_legacy_file_cut_anywhere_is_refused_even_at_the_end_of_a_row(kind, rows, data):
    files = ofac_files(rows, FOLDERS[kind])
    name = data.draw(st.sampled_from(FOLDERS[kind][:3]))
    files[name] = files[name][: data.draw(st.integers(0, len(files[name]) - 1))]

    with pytest.raises(ListFormatError):
        read_folder(kind, files)


@each_file
@settings(max_examples=60, deadline=None)
@given(rows=ROWS, data=st.data())
def test_b_a_damaged_byte_is_read_or_refused_and_never_a_fault(kind, rows, data):
    content = bytearray(ONE_FILE[kind](rows))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_file(kind, bytes(content))
    except ListFormatError as refused:
        assert str(refused)


@pytest.mark.parametrize("kind", ["csl", "opensanctions"])
@pytest.mark.parametrize(("left", "refused"), [(7, True), (8, False)])
def test_b_a_table_cut_at_the_end_of_a_row_is_stopped_when_it_lost_a_fifth(kind, left, refused, tmp_path, db):
    rows = [{"name": f"Name {number}", "aliases": [], "born": "1970-01-01", "kind": "entity"} for number in range(10)]
    path = tmp_path / "list"
    path.write_bytes(ONE_FILE[kind](rows))
    whole = watchlists.load_snapshot(kind, path, by=SCHEDULER, at=NOON).snapshot
    path.write_bytes(ONE_FILE[kind](rows[:left]))

    if refused:
        with pytest.raises(watchlists.ListShrank, match="a file may be cut off"):
            watchlists.load_snapshot(kind, path, by=SCHEDULER, at=NOON)
        assert WatchlistSnapshot.objects.get() == whole
    else:
        assert watchlists.load_snapshot(kind, path, by=SCHEDULER, at=NOON).snapshot.entry_count == left
