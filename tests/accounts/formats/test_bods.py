"""Statements of the Beneficial Ownership Data Standard 0.4: read one by one, written to it, refused by field."""

import io
import json
from datetime import date
from decimal import Decimal
from importlib import util
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from accounts.formats.bods import BadStatement, Holding, StatedParty, StatedRelationship, read_bods
from accounts.formats.bods_out import PartyOut, Publication, as_json, as_json_lines, statements
from accounts.formats.bods_stream import LONGEST_STATEMENT, BodsRefused
from accounts.rules.ownership import Stake

OF = Publication("PTY-C", "Example Cloud", date(2026, 3, 2))
ID = "a" * 40


def party(record_id="rec-c", kind="entity", **details):
    basics = {
        "entity": {"entityType": {"type": "registeredEntity"}, "name": "Globex"},
        "person": {"personType": "knownPerson", "names": [{"fullName": "Ann Li"}]},
    }[kind]
    return statement(record_id, kind, {"isComponent": False, **basics, **details})


def relation(*interests, subject="rec-c", owner="rec-a", **details):
    given_details = {"isComponent": False, "subject": subject, "interestedParty": owner, "interests": list(interests)}
    return statement("rec-r", "relationship", {**given_details, **details})


def statement(record_id, kind, details, **changes):
    return {
        "statementId": ID, "declarationSubject": "rec-c", "statementDate": "2026-03-01", "recordId": record_id,
        "recordType": kind, "recordDetails": details, **changes,
    }  # fmt: skip


def share(exact=30, kind="shareholding", **more):
    return {"type": kind, "share": {"exact": exact}, **more}


def read(*found):
    return list(read_bods(io.BytesIO(json.dumps(list(found)).encode())))


def bad(found) -> BadStatement:
    (only,) = read(found)
    assert isinstance(only, BadStatement), only
    return only


KEYS = ["PTY-C", "PTY-D", "PTY-E", "PTY-A", "PTY-B"]
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1, max_size=20)
DAYS = st.none() | st.dates(date(1950, 1, 1), date(2026, 3, 1))


@st.composite
def graphs(draw):
    parties = [
        PartyOut(
            key,
            draw(st.sampled_from(["entity", "undetermined"])) if place < 3 else "individual",
            draw(NAMES),
            country=draw(st.sampled_from([None, ("DE", "Germany"), ("CN", "China")])),
            entity_type=draw(st.sampled_from(["", "GmbH"])) if place < 3 else "",
        )
        for place, key in enumerate(KEYS)
    ]
    pairs = st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS[:3]), DAYS).filter(lambda pair: pair[0] != pair[1])
    stakes = []
    for owner, owned, from_on in draw(st.lists(pairs, max_size=8, unique=True)):
        percent = draw(st.decimals(0, 100, places=4))
        to_on = draw(st.none() | st.dates(from_on or date(1950, 1, 1), date(2026, 3, 2)))
        stakes.append(Stake(owner, owned, percent, draw(st.booleans()) or not percent, from_on, to_on))
    return parties, stakes


class TestRoundTrip:
    @pytest.mark.parametrize("written", [as_json, as_json_lines])
    @given(graph=graphs())
    def test_import_of_an_export_gives_the_same_graph(self, written, graph):
        parties, stakes = graph

        found = list(read_bods(io.BytesIO(b"".join(written(statements(parties, stakes, OF))))))

        people = [each for each in found if isinstance(each, StatedParty)]
        assert [
            (
                each.record_id, each.new.kind, each.new.legal_name, each.new.citizenship or each.new.formation_country,
                each.new.entity_type,
            )
            for each in people
        ] == [
            (each.key, each.kind, each.name, each.country[0] if each.country else "", each.entity_type)
            for each in parties
        ]  # fmt: skip
        back = [
            Stake(each.owner, each.owned, held.percent, held.control, held.from_on, held.to_on)
            for each in found
            if isinstance(each, StatedRelationship)
            for held in each.holdings
        ]
        assert len({each.record_id for each in found}) == len(found)
        assert set(back) == set(stakes) and len(back) == len(stakes)
        assert all(not each.notes and each.subject == "PTY-C" and each.publisher == "Example Cloud" for each in found)

    @given(graph=graphs())
    def test_what_is_written_has_what_the_standard_requires(self, graph):
        found = list(statements(*graph, OF, frozenset({"PTY-A"})))

        assert len({each["statementId"] for each in found}) == len(found)
        for each in found:
            assert 32 <= len(each["statementId"]) <= 64
            assert each.keys() >= {
                "declarationSubject", "recordId", "recordType", "recordDetails", "statementDate", "statementId"
            }  # fmt: skip
            assert each["publicationDetails"].keys() == {"publicationDate", "bodsVersion", "publisher"}
            assert each["publicationDetails"]["bodsVersion"] == "0.4" and each["recordStatus"] == "new"
            details = each["recordDetails"]
            assert details["isComponent"] is False
            if each["recordType"] == "relationship":
                assert {details["subject"], details["interestedParty"]} <= set(KEYS)
                for interest in details["interests"]:
                    assert interest["type"] in ("shareholding", "otherInfluenceOrControl")
                    assert interest["beneficialOwnershipOrControl"] is (details["interestedParty"] == "PTY-A")
            else:
                assert ("personType" in details) != ("entityType" in details)

    @given(graph=graphs())
    def test_the_same_graph_is_written_alike(self, graph):
        assert list(statements(*graph, OF)) == list(statements(*graph, OF))

    @given(graph=graphs())
    def test_the_official_schema_accepts_what_is_written(self, graph):
        validator = official_schema()

        assert [error.message for error in validator.iter_errors(list(statements(*graph, OF)))] == []


def official_schema():
    """The standard's own schema, where a package that brings it is installed beside us."""
    spec = util.find_spec("libcovebods")
    if spec is None:
        pytest.skip("The schema files of the standard (package libcovebods) are not installed.")
    folder = Path(spec.origin).parent / "data" / "schema-0-4-0"
    names = ("statement", "entity-record", "person-record", "relationship-record", "components")
    schemas = [json.loads((folder / f"{name}.json").read_text()) for name in names]
    registry = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in schemas)
    return jsonschema.Draft202012Validator(schemas[0], registry=registry)


LAST, FIRST = "2020-01-01", "recordDetails.interests[0]"


class TestReading:
    def test_a_person_and_an_entity(self):
        person, entity = read(
            party(
                "rec-a", "person", birthDate="1975-06-20", nationalities=[{"name": "China", "code": "CN"}],
                names=[{"type": "former", "fullName": "Ann Wu"}, {"type": "legal", "fullName": "Ann Li"}],
                addresses=[{"type": "residence", "address": "1 Main St", "postCode": "10115",
                            "country": {"name": "Germany", "code": "DE"}}],
            ),
            party(
                jurisdiction={"name": "Delaware", "code": "US-DE"}, identifiers=[{"scheme": "X", "id": "10000001"}],
                alternateNames=["Globex Cloud"], entityType={"type": "arrangement", "details": "trust"},
            ),
        )  # fmt: skip

        assert (person.new.legal_name, person.new.names, person.new.birth_date) == (
            "Ann Li", (("former", "Ann Wu"),), date(1975, 6, 20)
        )  # fmt: skip
        assert (person.new.citizenship, person.new.addresses[0].lines) == ("CN", "1 Main St\n10115")
        assert (entity.new.formation_country, entity.new.registration_number) == ("US", "10000001")
        assert (entity.new.names, entity.new.entity_type) == ((("alias", "Globex Cloud"),), "trust")

    def test_interests_of_one_period_are_one_holding_and_the_largest_share_counts(self):
        interests = [
            share(75),
            share(60, "votingRights"),
            {"type": "appointmentOfBoard"},
            share(5, endDate="2020-01-01"),
        ]

        (found,) = read(relation(*interests))

        assert found.holdings == (
            Holding(Decimal(75), True), Holding(Decimal(5), False, None, date(2020, 1, 1))
        )  # fmt: skip

    def test_an_indirect_interest_with_its_components_is_left_to_the_chains(self):
        (found,) = read(relation(share(directOrIndirect="indirect"), componentRecords=["rec-x"]))

        assert found.holdings == () and found.notes[0][0] == FIRST

    def test_nobody_named_is_noted(self):
        (found,) = read(relation(owner={"reason": "noBeneficialOwners"}))

        assert (found.owner, found.notes[0][0]) == ("", "recordDetails.interestedParty")

    def test_what_is_not_kept_is_noted(self):
        (found,) = read(
            party(
                "rec-a", "person", birthDate="1975-06", taxResidencies=[{"name": "x"}], addresses=[{"type": "service"}]
            )
        )

        assert found.new.birth_date is None
        assert [place for place, _ in found.notes] == [
            "recordDetails.taxResidencies", "recordDetails.addresses[0]", "recordDetails.birthDate",
        ]  # fmt: skip

    @given(st.integers(1, 400), st.booleans())
    def test_chunks_may_end_anywhere(self, size, in_array):
        found = [party(f"rec-{number}", name="Größe 漢字") for number in range(4)]
        text = json.dumps(found, ensure_ascii=False) if in_array else "\n".join(json.dumps(each) for each in found)

        assert len(list(read_bods(Slow(text.encode("utf-8-sig"), size)))) == 4


class Slow(io.BytesIO):
    """Gives a few bytes at a time."""

    def __init__(self, content, size):
        super().__init__(content)
        self.size_given = size

    def read(self, size=-1):
        return super().read(self.size_given)


class TestRefusedStatements:
    @pytest.mark.parametrize(
        ("found", "place", "words"),
        [
            ([], "", "no JSON object"),
            ({**party(), "statementType": "x"}, "statementID", "older version"),
            (statement("x", "thing", {}), "recordType", "one of: entity, person, relationship"),
            (statement("x", "entity", []), "recordDetails", "no object"),
            (statement("x", "entity", {}), "recordDetails.isComponent", "true or false"),
            ({**party(), "statementId": "short"}, "statementId", "32 to 64"),
            ({**party(), "recordId": ""}, "recordId", "missing"),
            ({**party(), "statementDate": "1 March"}, "statementDate", "YYYY-MM-DD"),
            ({**party(), "statementDate": None}, "statementDate", "YYYY-MM-DD"),
            ({**party(), "recordStatus": "gone"}, "recordStatus", "one of: new, updated, closed"),
            ({**party(), "publicationDetails": {"bodsVersion": "0.3"}}, "publicationDetails.bodsVersion", "Only"),
            (party(name=None), "recordDetails.name", "without a name"),
            (party(name="a\x00b"), "recordDetails.name", "NUL"),
            (party(entityType={"type": "anonymousEntity"}, name=""), "recordDetails.name", "anonymousEntity"),
            (party(kind="person", names=[]), "recordDetails.names", "without a name"),
            (party(kind="person", names=["Ann"]), "recordDetails.names[0]", "object with fullName"),
            (party(kind="person", birthDate="2024-02-30"), "recordDetails.birthDate", "YYYY-MM-DD"),
            (party(jurisdiction={"code": "Germany"}), "recordDetails.jurisdiction.code", "ISO 3166"),
            (relation(share(101)), f"{FIRST}.share.exact", "0 to 100"),
            (relation(share("30")), f"{FIRST}.share.exact", "0 to 100"),
            (relation(share(30.12345)), f"{FIRST}.share.exact", "four decimals"),
            (relation({"type": "shareholding", "share": {"minimum": 25, "maximum": 50}}),
             f"{FIRST}.share.exact", "Only a range"),
            (relation({"type": "shareholding"}), f"{FIRST}.share", "missing"),
            (relation({"type": "unknownInterest"}), f"{FIRST}.type", "says neither"),
            (relation({"type": ["x"]}), f"{FIRST}.type", "says neither"),
            (relation(share(startDate="2026-02-01", endDate="2026-01-01")), f"{FIRST}.endDate", "before"),
            (relation(share(directOrIndirect="indirect")), f"{FIRST}.directOrIndirect", "componentRecords"),
            (relation(share(), owner="rec-c"), "recordDetails.interestedParty", "the subject itself"),
            (relation(interests={}), "recordDetails.interests", "a list"),
        ],
    )  # fmt: skip
    def test_they_name_number_and_field(self, found, place, words):
        refused = bad(found)

        assert (refused.number, refused.field) == (1, place) and words in refused.reason

    def test_a_bad_statement_does_not_stop_the_others(self):
        kinds = [type(each) for each in read(party("rec-1"), [], party("rec-2"))]

        assert kinds == [StatedParty, BadStatement, StatedParty]

    @given(st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["type", "names", "interests", "subject", "share", "exact", "code", "isComponent"]), inner
        ),
        max_leaves=12,
    ), st.sampled_from(["entity", "person", "relationship"]))  # fmt: skip
    def test_whatever_stands_there_is_read_or_refused(self, details, kind):
        assert len(read(statement("x", kind, details))) == 1


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b"  \n", "is empty"),
            (b"[]", "no statement"),
            (b"[{}", "cut off"),
            (b'[{"a": 1', "Statement 1 is not valid JSON, perhaps cut off"),
            (b"[{},", "Statement 2 is not valid JSON, perhaps cut off"),
            (b"[{} {}]", "neither a comma"),
            (b"[{}] {}", "follows the end"),
            (b"nothing", "not valid JSON"),
            (b"\xff\xfe[", "not valid UTF-8"),
            (b'[{"a": 1, "a": 2}]', "The key a stands twice"),
            (b"[" * 100_000, "nested too deep"),
            (b'[{"a": 1e99999999999999999999}]', "beyond all sense"),
            (b"[NaN]", "not a number of JSON"),
        ],
    )
    def test_they_say_what_is_wrong(self, content, words):
        with pytest.raises(BodsRefused, match=words):
            list(read_bods(io.BytesIO(content)))

    def test_a_statement_without_end_is_given_up(self):
        with pytest.raises(BodsRefused, match="longer than 1,000,000"):
            list(read_bods(io.BytesIO(b'["' + b"x" * (LONGEST_STATEMENT * 2))))
