"""Documents and what is wrong with them (T1-T7, T33, D5, E9)."""

from dataclasses import replace
from datetime import date

import pytest

from accounts.rules.documents import (
    DOCUMENT_KINDS,
    DocumentFacts,
    UnknownDocumentKind,
    ZoneFacts,
    document_kind,
    expired_on,
    faults,
    suits,
)

TODAY = date(2026, 11, 23)
ZONE = ZoneFacts(
    number="L898902C3",
    issuer="UTO",
    birth_on=date(1974, 8, 12),
    expires_on=date(2030, 4, 15),
    surname="ERIKSSON",
    given_names="ANNA MARIA",
)
PASSPORT = DocumentFacts(
    kind="passport",
    party_kind="individual",
    number="L898902C3",
    country="UTO",
    holder_name="Anna Maria Eriksson",
    issued_on=date(2020, 4, 15),
    expires_on=date(2030, 4, 15),
    birth_on=date(1974, 8, 12),
    zone=ZONE,
)


class TestDocumentKinds:
    @pytest.mark.parametrize(
        ("kind", "party", "fits"),
        [
            ("passport", "individual", True),
            ("passport", "entity", False),
            ("driving_licence", "individual", True),
            ("articles", "entity", True),
            ("articles", "individual", False),
            ("business_licence", "entity", True),
            ("partnership_agreement", "entity", True),
            ("trust_instrument", "entity", True),
            ("passport", "undetermined", True),
            ("visa", "individual", False),
            ("visa", "undetermined", False),
        ],
    )
    def test_t33_each_kind_has_its_party(self, kind, party, fits):
        assert suits(kind, party) is fits

    def test_codes_are_unique_and_only_a_visa_proves_nothing(self):
        assert len({kind.code for kind in DOCUMENT_KINDS}) == len(DOCUMENT_KINDS)
        assert [kind.code for kind in DOCUMENT_KINDS if not kind.proves] == ["visa"]

    def test_an_unknown_kind_is_refused_with_the_choices(self):
        with pytest.raises(UnknownDocumentKind, match="passport"):
            document_kind("library_card\n" * 50)


class TestExpiredOn:
    @pytest.mark.parametrize(
        ("expires", "expired"),
        [(None, False), (date(2026, 11, 22), True), (TODAY, False), (date(9999, 12, 31), False)],
    )
    def test_the_last_day_is_still_good(self, expires, expired):
        assert expired_on(expires, TODAY) is expired


class TestFaults:
    def test_a_sound_passport_has_none(self):
        assert faults(PASSPORT, TODAY) == ()

    def test_t1_an_expired_specimen_fails(self):
        expired = replace(PASSPORT, expires_on=date(2012, 4, 15), issued_on=None, zone=None)

        assert faults(expired, TODAY) == ("The document expired on 2012-04-15. Ask for one that is valid.",)

    def test_t4_a_visa_is_no_proof(self):
        (sentence,) = faults(replace(PASSPORT, kind="visa"), TODAY)

        assert "neither nationality nor residence" in sentence

    def test_t7_a_wrong_check_digit_is_named(self):
        zone = replace(ZONE, failed_checks=("birth date", "composite"))

        assert [sentence.rsplit(": ")[1] for sentence in faults(replace(PASSPORT, zone=zone), TODAY)] == [
            "birth date.",
            "composite.",
        ]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"party_kind": "entity"}, "does not prove the identity of this kind"),
            ({"issued_on": date(2031, 1, 1)}, "issue 2031-01-01 lies after the date of expiry 2030-04-15"),
            ({"birth_on": date(2031, 1, 1), "issued_on": None}, "birth 2031-01-01 lies after the date of expiry"),
            ({"birth_on": date(2021, 1, 1)}, "birth 2021-01-01 lies after the date of issue 2020-04-15"),
            ({"issued_on": date(2027, 1, 1)}, "lies in the future"),
        ],
    )
    def test_d5_days_out_of_order_are_named_both(self, change, words):
        assert any(words in sentence for sentence in faults(replace(PASSPORT, zone=None, **change), TODAY))

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"number": "L898902C4"}, "number"),
            ({"birth_on": date(1974, 8, 13)}, "date of birth"),
            ({"expires_on": date(2030, 4, 16)}, "date of expiry"),
            ({"country": "SE"}, "country"),
            ({"holder_name": "Anna Svensson"}, "name"),
            ({"holder_name": "Eriksson"}, "name"),
        ],
    )
    def test_a_zone_that_differs_from_what_was_typed_is_named(self, change, field):
        (sentence,) = faults(replace(PASSPORT, **change), TODAY)

        assert sentence.startswith(f"The {field} in the machine-readable zone differs")

    @pytest.mark.parametrize(
        ("change", "zone"),
        [
            ({"number": "l898-902 c3"}, {}),
            ({"number": ""}, {}),
            ({"holder_name": ""}, {}),
            ({"country": "DE"}, {"issuer": "D<<"}),
            ({"country": "DE"}, {"issuer": "DEU"}),
            ({"country": "us"}, {"issuer": "USA"}),
            ({"holder_name": "Jörg Müller"}, {"surname": "MUELLER", "given_names": "JOERG"}),
            ({"holder_name": "Jörg Müller"}, {"surname": "MULLER", "given_names": "JORG"}),
            ({"holder_name": "Eriksson, Anna-Maria Christina"}, {"given_names": "ANNA MARIA CHRIS"}),
            ({"holder_name": "Sean O'Neill"}, {"surname": "ONEILL", "given_names": "SEAN"}),
        ],
    )
    def test_other_spellings_of_the_same_are_no_fault(self, change, zone):
        document = replace(PASSPORT, **change, zone=replace(ZONE, **zone))

        assert faults(document, TODAY) == ()
