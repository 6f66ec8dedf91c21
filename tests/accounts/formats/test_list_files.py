from datetime import date

import pytest

from accounts.flows import watchlists
from accounts.formats.list_kind import recognised
from accounts.formats.listed import read_birth
from accounts.formats.ofac import ListFormatError
from accounts.models import WatchlistSnapshot
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.lists import REAL, real
from tests.conftest import NOON

OFAC_XML = """<?xml version="1.0"?>
<sdnList xmlns="http://tempuri.org/sdnList.xsd">
<publshInformation><Publish_Date>01/02/2026</Publish_Date><Record_Count>1</Record_Count></publshInformation>
<sdnEntry><uid>7</uid><firstName>Boris</firstName><lastName>VOLKOV</lastName><sdnType>Individual</sdnType>
<programList><program>TEST</program></programList>
<idList><id><uid>1</uid><idType>Digital Currency Address - XBT</idType><idNumber>1abc</idNumber></id>
<id><uid>2</uid><idType>Passport</idType><idNumber>A1234567</idNumber><idCountry>Russia</idCountry></id>
<id><uid>3</uid><idType>Email Address</idType><idNumber>b@v.example</idNumber></id></idList>
<akaList><aka><uid>4</uid><type>a.k.a.</type><category>weak</category><lastName>WOLKOW</lastName></aka></akaList>
<dateOfBirthList><dateOfBirthItem><uid>5</uid><dateOfBirth>04 Jul 1970</dateOfBirth></dateOfBirthItem></dateOfBirthList>
</sdnEntry></sdnList>
"""
UN_XML = """<?xml version="1.0"?>
<CONSOLIDATED_LIST dateGenerated="2026-01-02"><INDIVIDUALS><INDIVIDUAL><DATAID>7</DATAID>
<FIRST_NAME>Boris</FIRST_NAME><SECOND_NAME>Volkov</SECOND_NAME><UN_LIST_TYPE>Test</UN_LIST_TYPE>
<NATIONALITY><VALUE>Russia</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Wolkow</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1970-07-04</DATE></INDIVIDUAL_DATE_OF_BIRTH>
</INDIVIDUAL></INDIVIDUALS><ENTITIES/></CONSOLIDATED_LIST>
"""
CSL = (
    "source,entity_number,type,programs,name,title,addresses,remarks,alt_names,citizenships,dates_of_birth,"
    "nationalities,ids\n"
    'Specially Designated Nationals (SDN) - Treasury,7,Individual,TEST,"VOLKOV, Boris",,"1 Street, Perm, RU",,'
    'WOLKOW,,04 Jul 1970,RU,"RU, A1234567, Passport"\n'
)
OPEN = (
    '"id","schema","name","aliases","birth_date","countries","addresses","identifiers","sanctions","emails"\n'
    '"7","Person","Boris Volkov","Wolkow","1970-07-04","ru","1 Street","A1234567","","b@v.example"\n'
)
FILES = {"ofac-xml": OFAC_XML, "un-xml": UN_XML, "csl": CSL, "opensanctions": OPEN}
every_kind = pytest.mark.parametrize("kind", FILES)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


def write(tmp_path, content, name="list"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(kind, path):
    return watchlists.load_snapshot(kind, path, by=SCHEDULER, at=NOON).snapshot


def read(kind, path):
    return watchlists.KINDS[kind].read(path).entries


@every_kind
def test_r35_each_kind_is_recognised_and_read(kind, tmp_path):
    path = write(tmp_path, FILES[kind])
    [entry] = read(kind, path)

    if kind != "ofac-xml":  # of OFAC's two that look alike somebody names the kind
        assert recognised(path) == kind
    assert set(entry.name.upper().replace(",", "").split()) == {"BORIS", "VOLKOV"}
    assert entry.kind == "individual" and entry.aliases[0][0].upper() == "WOLKOW"
    assert read_birth(entry.birth_dates[0])[0] == date(1970, 7, 4)


def test_r35_numbers_wallets_and_mail_of_the_ofac_file_are_told_apart(tmp_path):
    [entry] = read("ofac-xml", write(tmp_path, OFAC_XML))

    assert entry.wallets == (("XBT", "1abc"),) and entry.emails == ("b@v.example",)
    assert entry.identifiers == (("Passport", "A1234567", "Russia"),) and entry.aliases == (("WOLKOW", "weak aka"),)


def test_r35_a_wallet_of_its_own_is_found_by_its_address(tmp_path):
    line = '"8","CryptoWallet","1abc","","","","","1abcd","",""\n'

    assert {address for _, address in read("opensanctions", write(tmp_path, OPEN + line))[1].wallets} == {
        "1abc", "1abcd",
    }  # fmt: skip


@every_kind
def test_b_a_file_cut_off_anywhere_is_refused_whole_and_the_former_list_stays(kind, tmp_path, db):
    former, content = (
        load("auto" if kind != "ofac-xml" else kind, write(tmp_path, FILES[kind])),
        FILES[kind].rstrip().encode(),
    )

    for cut in range(0, len(content), 7):
        with pytest.raises(ListFormatError):
            load(kind, write(tmp_path, content[:cut], "cut"))
    assert WatchlistSnapshot.objects.get() == former and former.entries.count() == 1


@every_kind
def test_b_another_layout_an_absent_file_and_an_entry_without_a_name_are_refused(kind, tmp_path):
    for other in set(FILES) - {kind}:
        with pytest.raises(ListFormatError):
            read(kind, write(tmp_path, FILES[other]))
    nameless = FILES[kind].replace("Boris", "").replace("VOLKOV", "").replace("Volkov", "").replace('", "', '""')
    for path in (tmp_path / "absent", tmp_path, write(tmp_path, nameless.replace('", ",', '"",'), "nameless")):
        with pytest.raises(ListFormatError):
            read(kind, path)


def test_one_of_two_lists_that_look_alike_is_never_guessed(tmp_path):
    with pytest.raises(ListFormatError, match=r"Name the kind: ofac-xml for sdn.xml"):
        recognised(write(tmp_path, OFAC_XML))


@pytest.mark.parametrize("kind", ["ofac-xml", "un-xml"])
def test_b_entities_of_its_own_making_are_refused(kind, tmp_path):
    bomb = FILES[kind].replace("?>\n", f"?>\n{BOMB}\n", 1).replace("Boris", "&b;")

    with pytest.raises(ListFormatError, match="document type"):
        read(kind, write(tmp_path, bomb))


def test_b_fewer_entries_than_the_file_states_are_refused(tmp_path):
    with pytest.raises(ListFormatError, match="says it has 2"):
        read("ofac-xml", write(tmp_path, OFAC_XML.replace("Count>1<", "Count>2<")))


@pytest.mark.parametrize("kind", ["csl", "opensanctions"])
@pytest.mark.parametrize(("spoil", "words"), [
    (lambda text: text + "a,b\n", "2 columns"),
    (lambda text: text.replace("Boris", "B\0"), "NUL"),
    (lambda text: text.replace("Boris", "Bor\u00eds").encode("cp1252"), "UTF-8"),
    (lambda text: text.partition("\n")[0] + "\n", "no entries"),
])  # fmt: skip
def test_b_a_damaged_table_is_refused(kind, spoil, words, tmp_path):
    with pytest.raises(ListFormatError, match=words):
        read(kind, write(tmp_path, spoil(FILES[kind])))


def test_b_what_is_no_list_is_not_guessed_at(tmp_path):
    with pytest.raises(ListFormatError, match="no list we know"):
        recognised(write(tmp_path, "hello"))


@real("ofac")
def test_r35_the_published_screening_list_is_read():
    entries = read("csl", REAL / "ofac" / "consolidated_screening_list_excerpt.csv")

    assert len(entries) > 100 and any(entry.identifiers for entry in entries)
