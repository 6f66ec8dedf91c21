"""Each exchange format of a bundle before its judge: followthemoney, stix2, and the members OpenID requires (R114)."""

import csv
import json
from datetime import timedelta

import jsonschema
import pytest
import stix2
from followthemoney import model

from cases.formats import ftm, stix, verified_claims
from cases.formats.exchange import seen, seen_country, seen_date
from cases.formats.stix import Sighting
from tests.cases.formats.bundle_tables import NOON, for_a_court, tables

csv.field_size_limit(131_072)  # Python's own: followthemoney raises the limit of the whole process

REMOVED = ("1810575056001", "…6001", "X1234567Z", "…567Z", "DE89370400440532013000", "1981-05-09", "redacted")
SIGHTINGS = [
    Sighting("ACC-1", "2001:db8::1", NOON, NOON, 1),
    Sighting("ACC-1", "203.0.113.9", NOON, NOON + timedelta(hours=1), 2, "vpn"),
    Sighting("ACC-2", "203.0.113.9", NOON, NOON, 2_000_000_000),
]
DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
TIME = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"}
CHECKS = {
    "type": "array", "minItems": 1,
    "items": {"type": "object", "required": ["check_method"], "properties": {"time": TIME}},
}  # fmt: skip
# Written from the members that OpenID Identity Assurance Schema Definition 1.0, section 5, calls required.
VERIFIED_CLAIMS = {
    "type": "object", "required": ["sub", "verified_claims"],
    "properties": {"verified_claims": {
        "type": "object", "required": ["verification", "claims"], "additionalProperties": False,
        "properties": {
            "claims": {"type": "object", "minProperties": 1, "properties": {
                "birthdate": {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$"},
                "nationalities": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2,3}$"}},
                "address": {"type": "object"},
            }},
            "verification": {"type": "object", "required": ["trust_framework"], "properties": {
                "trust_framework": {"type": "string"}, "time": TIME,
                "assurance_process": {"type": "object", "properties": {"policy": {"type": "string"}}},
                "verification_process": {"type": "string"},
                "evidence": {"type": "array", "minItems": 1, "items": {
                    "type": "object", "required": ["type"],
                    "properties": {"type": {"enum": ["document", "electronic_record", "vouch", "electronic_signature"]},
                                   "check_details": CHECKS},
                    "allOf": [
                        {"if": {"properties": {"type": {"const": "document"}}}, "then": {"properties": {
                            "document_details": {"type": "object", "required": ["type"], "properties": {
                                "date_of_issuance": DAY, "date_of_expiry": DAY, "issuer": {"type": "object"}}}}}},
                        {"if": {"properties": {"type": {"const": "electronic_record"}}}, "then": {"properties": {
                            "record": {"type": "object", "required": ["type"]}}}},
                    ],
                }},
            }},
        },
    }},
}  # fmt: skip


def claims(told) -> list[dict]:
    documentary = frozenset({"photo_document", "machine_zone"})
    return list(verified_claims.claims_sets(told, provider="Example Cloud", documentary=documentary))


def stix_bytes(told) -> bytes:
    found = stix.objects(told, SIGHTINGS, reference="BDL-1", provider="Example Cloud", at=NOON)
    return b"".join(stix.document(found, reference="BDL-1"))


class TestFollowTheMoney:
    @pytest.mark.parametrize("told", [tables(), for_a_court(), {}], ids=["full", "court", "nothing"])
    def test_every_value_is_one_followthemoney_takes_as_it_is(self, told):
        found = list(ftm.entities(told))

        ids = {entity["id"] for entity in found}
        assert len(ids) == len(found)
        for entity in found:
            proxy = model.get_proxy(json.loads(json.dumps(entity)), cleaned=True)
            model.get(entity["schema"]).validate(entity)
            for name, values in entity["properties"].items():
                prop = proxy.schema.get(name)
                assert prop is not None and not prop.stub, name
                assert all(prop.type.validate(value) for value in values), (name, values)
                if prop.type.name == "entity":
                    assert set(values) <= ids

    def test_people_companies_owners_and_papers_are_there(self):
        found = {entity["id"]: entity for entity in ftm.entities(tables())}

        company, person = found["PTY-1"], found["PTY-2"]["properties"]
        assert company["schema"] == "Company"
        assert company["properties"]["name"] == ["Öl & Söhne 株式会社"]
        assert company["properties"]["previousName"] == ["Oil"]
        assert (person["birthDate"], person["citizenship"]) == (["1981-05-09"], ["fr"])
        assert found["PTY-2-in-PTY-1-1"]["properties"]["percentage"] == ["60.00"]
        assert found["PTY-3"]["schema"] == "LegalEntity"
        assert found["DOC-1"]["properties"]["holder"] == ["PTY-2"]

    def test_what_is_blacked_out_stays_out_and_a_year_stays(self):
        text = json.dumps(list(ftm.entities(for_a_court())), ensure_ascii=False)

        assert not [each for each in REMOVED if each in text]
        assert '"birthDate": ["1981"]' in text


class TestStix:
    @pytest.mark.parametrize("told", [tables(), for_a_court(), {}], ids=["full", "court", "nothing"])
    def test_the_library_takes_it_without_custom_content(self, told):
        bundle = stix2.parse(stix_bytes(told), allow_custom=False, version="2.1")

        assert bundle.type == "bundle"
        ids = [each["id"] for each in json.loads(stix_bytes(told))["objects"]]
        assert len(set(ids)) == len(ids)

    def test_ids_of_addresses_are_those_everybody_derives(self):
        found = json.loads(stix_bytes(tables()))["objects"]

        address = next(each for each in found if each.get("value") == "203.0.113.9")
        account = next(each for each in found if each["type"] == "user-account")
        assert address["id"] == stix2.IPv4Address(value="203.0.113.9").id
        assert account["id"] == stix2.UserAccount(user_id="ACC-1").id

    def test_an_anonymiser_is_an_indicator_of_that_type_and_nothing_is_called_hostile(self):
        found = json.loads(stix_bytes(tables()))["objects"]

        types = {each["name"]: each["indicator_types"] for each in found if each["type"] == "indicator"}
        assert types == {
            "2001:db8::1 used with ACC-1": ["unknown"], "203.0.113.9 used with ACC-1": ["anonymization"],
            "203.0.113.9 used with ACC-2": ["unknown"],
        }  # fmt: skip
        assert [each["content"] for each in found if each["type"] == "note"] == ["Used through a VPN."]
        assert max(each.get("number_observed", 0) for each in found) == 999_999_999

    def test_it_is_the_same_each_time_and_read_one_by_one(self):
        assert stix_bytes(tables()) == stix_bytes(tables())

        first = next(iter(stix.document(iter([{"type": "x"}]), reference="BDL-1")))
        assert first.startswith(b'{"type": "bundle"')


class TestVerifiedClaims:
    @pytest.mark.parametrize("told", [tables(), for_a_court()], ids=["full", "court"])
    def test_it_has_the_members_the_specification_requires(self, told):
        found = claims(told)

        for each in found:
            jsonschema.validate(each, VERIFIED_CLAIMS, jsonschema.Draft202012Validator)

    def test_the_judge_can_refuse(self):
        [told] = claims(tables())
        del told["verified_claims"]["verification"]["trust_framework"]

        with pytest.raises(jsonschema.ValidationError, match="trust_framework"):
            jsonschema.validate(told, VERIFIED_CLAIMS, jsonschema.Draft202012Validator)

    def test_only_a_verification_that_ended_well_is_told_with_what_agreed(self):
        [told] = claims(tables())

        body = told["verified_claims"]
        assert told["sub"] == "PTY-2"
        assert body["claims"]["name"] == "Maria Silence" and body["claims"]["nationalities"] == ["FR"]
        assert [each["type"] for each in body["verification"]["evidence"]] == ["document", "electronic_record"]
        assert body["verification"]["trust_framework"].endswith("proposed")

    def test_what_is_blacked_out_stays_out(self):
        text = json.dumps(claims(for_a_court()), ensure_ascii=False)

        assert not [each for each in REMOVED if each in text]
        assert '"birthdate": "1981"' in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (" a ", "a"), ("[redacted P1]", ""), ("…567Z [redacted P1]", ""), (False, ""), (0, "0"),
     ("a [b]", "a [b]")],
)  # fmt: skip
def test_what_is_seen(value, text):
    assert seen(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("1981-05-09", "1981-05-09"), ("1981 [redacted P1]", "1981"), ("[redacted P2]", ""), (NOON, "2026-03-02"),
     ("05/09/1981", ""), ("", ""), (None, ""), ("1981-02-30", "")],
)  # fmt: skip
def test_what_is_seen_of_a_date(value, text):
    assert seen_date(value) == text


@pytest.mark.parametrize(("value", "text"), [("de", "DE"), ("XX", ""), ("[redacted P2]", ""), ("", ""), ("ДЕ", "")])
def test_what_is_seen_of_a_country(value, text):
    assert seen_country(value) == text
