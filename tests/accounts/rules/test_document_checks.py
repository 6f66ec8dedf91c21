"""Checks on documents: validity and suitability by figures of the regime, numbers by published rules, zones."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.mrz import read_mrz
from accounts.rules.answers import About, DocumentOnFile, OnFile, Outcome, PolicyFigure
from accounts.rules.document_checks import (
    NUMBER_RULES,
    check_document_numbers,
    check_expiry,
    check_stated,
    check_suitability,
    check_zones,
)
from accounts.rules.documents import BY_CODE, DOCUMENT_KINDS, DocumentFacts, ZoneFacts
from kyc_portal.policy.regimes import COMMON, PROFILES
from tests.accounts.formats.test_mrz import MRV_A, TD1, TD3

PASSED, FAILED, COULD_NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_RUN
DAY = date(2026, 3, 2)
FIGURES = {each.name: PolicyFigure(Decimal(each.value), each.citation) for each in COMMON}


def document(kind="passport", zone=None, party_kind="individual", **facts):
    reading = read_mrz("\n".join(zone), today=DAY) if zone else None
    read = None
    if reading:
        read = ZoneFacts(
            reading.number, reading.issuer, reading.birth_date, reading.expires_on, reading.surname,
            reading.given_names,
        )  # fmt: skip
    return DocumentOnFile(
        About(f"{kind}, DOC-1", "accounts.identitydocument", "1"),
        DocumentFacts(kind=kind, party_kind=party_kind, zone=read, **facts),
        "\n".join(zone or ()),
        reading,
    )


def on_file(*documents, figures=FIGURES, party_kind="individual"):
    return OnFile(
        party=About("file"), on=DAY, party_kind=party_kind, documents=documents, figures=figures, regime="The rule"
    )


def only(check, *documents, **given):
    (answer,) = check(on_file(*documents, **given))
    assert answer.source and answer.reason.endswith(".")
    return answer


class TestZones:
    def test_t1_all_check_digits_fit_and_what_none_guards_is_said(self):
        answer = only(check_zones, document(zone=TD3))

        assert answer.outcome == PASSED
        assert answer.matched == ("number", "birth_date", "expires_on", "optional", "composite")
        assert "None guards document code, issuing country, names, nationality, sex." in answer.reason

    def test_t4_of_a_visa_the_optional_data_is_unguarded_too(self):
        assert "sex, optional data." in only(check_zones, document("visa", zone=MRV_A)).reason

    def test_t7_a_wrong_digit_is_named(self):
        answer = only(check_zones, document(zone=(TD3[0], TD3[1].replace("7408122", "7408123"))))

        assert (answer.outcome, answer.matched) == (FAILED, ("number", "expires_on", "optional"))
        assert "birth date, composite" in answer.reason

    @pytest.mark.parametrize(
        ("good", "bad", "place"), [("7408122", "74O8122", 16), ("1204159", "I204159", 22), ("UTO7", "UT07", 13)]
    )
    def test_e9_a_look_alike_is_named_by_its_place_and_not_by_the_character(self, good, bad, place):
        answer = only(check_zones, document(zone=(TD3[0], TD3[1].replace(good, bad).replace("2F1", "3F1"))))

        assert answer.outcome == FAILED
        assert f"Line 2, position {place}: a " in answer.reason and bad not in answer.reason

    def test_a_zone_nobody_can_read_fails_with_its_sentence(self):
        answer = only(check_zones, replace(document(), unreadable="Line 2 has 43 characters, expected 44."))

        assert (answer.outcome, answer.reason) == (FAILED, "Line 2 has 43 characters, expected 44.")

    def test_without_a_zone_it_could_not_run_and_where_none_is_printed_it_says_nothing(self):
        assert only(check_zones, document()).outcome == COULD_NOT_RUN
        assert check_zones(on_file(document("driving_licence"))) == ()


class TestExpiry:
    @pytest.mark.parametrize(
        ("days", "grace", "outcome"), [(0, 0, PASSED), (-1, 0, FAILED), (-30, 30, PASSED), (-31, 30, FAILED)]
    )
    def test_r26_by_the_days_of_grace_of_the_regime(self, days, grace, outcome):
        figures = {"document_grace_days": PolicyFigure(Decimal(grace), "own")}

        answer = only(check_expiry, document(expires_on=DAY + timedelta(days=days)), figures=figures)

        assert (answer.outcome, answer.source) == (outcome, "own")

    def test_an_unknown_day_or_figure_could_not_run(self):
        assert only(check_expiry, document()).outcome == COULD_NOT_RUN
        assert only(check_expiry, document(expires_on=DAY), figures={}).outcome == COULD_NOT_RUN

    def test_articles_have_no_last_day(self):
        assert check_expiry(on_file(document("articles"))) == ()


class TestSuitability:
    @pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.code)
    @pytest.mark.parametrize("kind", DOCUMENT_KINDS, ids=lambda kind: kind.code)
    def test_t33_every_regime_says_of_every_kind_whether_it_is_accepted(self, profile, kind):
        figures = {each.name: each for each in (*profile.figures, *COMMON)}

        figure = figures[f"accepts_{kind.code}"]

        assert figure.value in ("0", "1") and figure.reason
        assert (figure.value == "1") == bool(kind.proves)

    @pytest.mark.parametrize(
        ("kind", "party_kind", "outcome"),
        [
            ("passport", "individual", PASSED),
            ("driving_licence", "individual", PASSED),
            ("articles", "individual", FAILED),
            ("articles", "entity", PASSED),
            ("business_licence", "entity", PASSED),
            ("partnership_agreement", "entity", PASSED),
            ("trust_instrument", "entity", PASSED),
            ("passport", "entity", FAILED),
            ("passport", "undetermined", PASSED),
        ],
    )
    def test_t33_each_kind_is_for_people_or_for_entities(self, kind, party_kind, outcome):
        answer = only(check_suitability, document(kind, party_kind=party_kind), party_kind=party_kind)

        assert answer.outcome == outcome

    def test_t4_a_visa_is_not_accepted(self):
        assert only(check_suitability, document("visa")).outcome == FAILED

    def test_a_regime_that_says_nothing_could_not_run(self):
        assert only(check_suitability, document(), figures={}).outcome == COULD_NOT_RUN

    def test_a_regime_may_refuse_a_kind(self):
        figures = {"accepts_passport": PolicyFigure(Decimal(0), "Some law")}

        answer = only(check_suitability, document(), figures=figures)

        assert (answer.outcome, answer.source) == (FAILED, "Some law")
        assert "not accepted as proof under The rule" in answer.reason


class TestNumbers:
    @pytest.mark.parametrize(
        ("kind", "country", "number", "outcome"),
        [
            ("identity_card", "BE", "000-0011032-71", PASSED),
            ("identity_card", "BE", "000-0011032-25", FAILED),
            ("identity_card", "NL", "EM0000000", PASSED),
            ("passport", "NL", "XR1001R58", PASSED),
            ("passport", "NL", "XR1001O58", FAILED),
            ("identity_card", "ES", "54362315-K", PASSED),
            ("identity_card", "ES", "54362315-Z", COULD_NOT_RUN),
            ("identity_card", "CN", "360426199101010071", PASSED),
            ("identity_card", "CN", "360426199101010072", FAILED),
            ("identity_card", "DE", "L01X00T47", COULD_NOT_RUN),
            ("passport", "DE", "C01X00T47", COULD_NOT_RUN),
            ("passport", "DE", "C01X00T478", FAILED),
            ("passport", "DE", "C01X-00T 47", COULD_NOT_RUN),
            ("passport", "DE", "ПК0100", FAILED),
            ("driving_licence", "DE", "B072RRE2I55", COULD_NOT_RUN),
            ("identity_card", "", "12345", COULD_NOT_RUN),
        ],
    )
    def test_r32_by_the_published_rule_or_the_places_of_a_passport(self, kind, country, number, outcome):
        answer = only(check_document_numbers, document(kind, number=number, country=country))

        assert answer.outcome == outcome, answer.reason
        assert number not in answer.reason and (answer.matched == ("number",)) == (outcome == PASSED)

    def test_t1_the_number_of_the_zone_with_a_good_check_digit(self):
        assert only(check_document_numbers, document(zone=TD3, number="L898902C3")).outcome == PASSED
        assert only(check_document_numbers, document(zone=TD3, number="L898902C4")).outcome == FAILED

    def test_a_wrong_check_digit_of_the_number_fails(self):
        zone = (TD3[0], TD3[1].replace("L898902C36", "L898902C35"))

        assert "check digit" in only(check_document_numbers, document(zone=zone, number="L898902C3")).reason

    def test_no_number_or_an_entitys_document_gives_no_answer(self):
        assert check_document_numbers(on_file(document(), document("articles", number="12"))) == ()

    @pytest.mark.parametrize("row", NUMBER_RULES, ids="-".join)
    @given(text=st.text(max_size=30))
    def test_no_text_stops_a_rule(self, row, text):
        kind, country = row

        check_document_numbers(on_file(document(kind, number=text, country=country)))

        assert kind in BY_CODE


class TestStated:
    AGREED = {
        "number": "L898902C3", "country": "UTO", "holder_name": "Anna Maria Eriksson", "birth_on": date(1974, 8, 12),
        "expires_on": date(2012, 4, 15),
    }  # fmt: skip

    def test_t1_everything_agrees(self):
        answer = only(check_stated, document(zone=TD3, **self.AGREED))

        assert answer.outcome == PASSED
        assert answer.matched == ("name", "date of birth", "number", "country", "date of expiry")

    @pytest.mark.parametrize(
        ("field", "value", "name"),
        [
            ("holder_name", "Somebody Else", "name"),
            ("birth_on", date(1980, 1, 1), "date of birth"),
            ("number", "L898902C4", "number"),
            ("country", "SE", "country"),
            ("expires_on", date(2013, 4, 15), "date of expiry"),
        ],
    )
    def test_r34_what_differs_is_named_and_the_rest_matched(self, field, value, name):
        answer = only(check_stated, document(zone=TD3, **{**self.AGREED, field: value}))

        assert answer.outcome == FAILED and f": {name}. Settle" in answer.reason
        assert len(answer.matched) == 4 and name not in answer.matched
        assert str(value) not in answer.reason

    def test_t2_a_card_with_nothing_stated_could_not_run(self):
        assert only(check_stated, document("identity_card", zone=TD1)).outcome == COULD_NOT_RUN

    def test_without_a_zone_it_could_not_run(self):
        assert only(check_stated, document(**self.AGREED)).outcome == COULD_NOT_RUN
