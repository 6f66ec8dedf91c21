from datetime import date

import pytest

from accounts.formats.listed import country_code, read_birth


class TestReadBirth:
    @pytest.mark.parametrize(
        ("text", "day", "years"),
        [
            ("12 Oct 1972", date(1972, 10, 12), set()),
            ("Feb 1949", None, {1949}),
            ("circa 1951", None, {1951}),
            ("circa 07 Jul 1966", None, {1966}),
            ("1958 to 1960", None, {1958, 1959, 1960}),
            ("01 Jan 1961 to 31 Dec 1962", None, {1961, 1962}),
            ("31 Feb 1960", None, {1960}),
            ("12 Foo 1972", None, {1972}),
            ("1900 to 1980", None, {1900, 1980}),
            ("unknown", None, set()),
        ],
    )
    def test_it_reads_what_the_list_writes(self, text, day, years):
        assert read_birth(text) == (day, frozenset(years))


class TestCountryCode:
    @pytest.mark.parametrize(
        ("name", "code"),
        [("Korea, North", "KP"), ("Burma", "MM"), ("The Gambia", "GM"), ("Region: Crimea", ""), ("", "")],
    )
    def test_it_knows_the_names_the_list_uses(self, name, code):
        assert country_code(name) == code
