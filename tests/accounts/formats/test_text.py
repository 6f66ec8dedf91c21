"""Text from outside: rows C2-C9 and C14 of the bad-input catalogue."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.text import BadText, clean_text, folded, is_blank, make_controls_visible, shown


class TestCleanText:
    @pytest.mark.parametrize(
        "value",
        [
            "Zoe\u0301",
            "Zo\u00e9",
            "<script>alert(1)</script>",
            "{{7*7}} {% raw %} ${7*7} %s%n",
            "' OR 1=1--",
            "=cmd|' /C calc'!A0",
            "\t@SUM(1)",
            "\r+1",
            "two\nlines",
            "\U0001f600",
            "\u0639\u0631\u0628\u064a",
            "e\u0301\u0302\u0303\u0304",
            "  blanks around  ",
        ],
    )
    def test_c11_it_returns_the_text_as_typed(self, value):
        assert clean_text(value, 100) == value

    @pytest.mark.parametrize(
        ("value", "says"),
        [
            ("a\x00b", "NUL"),
            ("a\ud800b", "surrogate"),
            ("a\x1bb", r"U\+001B"),
            ("a\x85b", r"U\+0085"),
            ("a\x7fb", r"U\+007F"),
            ("a\u202egnp.exe", r"direction control \(U\+202E\)"),
            ("a\u2066b", r"U\+2066"),
            ("e" + "\u0301" * 5, "combining marks"),
            ("e" + "\u0301" * 90, "combining marks"),
            ("x" * 101, "at most 100"),
            ("\u202e", "direction control"),
        ],
    )
    def test_c2_c8_c9_it_refuses(self, value, says):
        with pytest.raises(BadText, match=says):
            clean_text(value, 100)

    @pytest.mark.parametrize("value", ["", " ", "\u200b", "\u200b \t\n\u2060", "\ufeff", "\u3164", "\u00a0\u2800"])
    def test_c5_text_that_shows_nothing_is_empty(self, value):
        assert clean_text(value, 100) == ""

    @pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\tb", "a\u2028b"])
    def test_one_line_fields_hold_no_line_breaks(self, value):
        with pytest.raises(BadText, match="one line"):
            clean_text(value, 100, one_line=True)

    def test_the_limit_itself_is_allowed(self):
        assert clean_text("x" * 100, 100) == "x" * 100

    def test_worst_cases_of_a_hundred_kilobytes_take_no_time(self):
        began = time.perf_counter()
        for value in ("a" * 100_000, "\u0301a" * 50_000, "\u200b" * 100_000):
            clean_text(value, 100_000)

        assert time.perf_counter() - began < 1.0


class TestFolded:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Zo\u00e9", "ZOE\u0301"),
            ("Stra\u00dfe", "STRASSE"),
            ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
            ("\u0130stanbul", "istanbul"),
            ("\u0131", "I"),
            ("\uff21\uff22\uff23", "abc"),
            ("a\u200bb", "ab"),
            ("  two   words ", "two words"),
            ("\ufb01n", "FIN"),
        ],
    )
    def test_c6_c14_these_are_equal(self, one, other):
        assert folded(one) == folded(other)

    @pytest.mark.parametrize(("one", "other"), [("Zoe", "Zo\u00e9"), ("ab", "a b"), ("\u00f8", "o"), ("1", "l")])
    def test_these_stay_different(self, one, other):
        assert folded(one) != folded(other)

    @given(st.text(max_size=40))
    def test_folding_twice_changes_nothing(self, value):
        assert folded(folded(value)) == folded(value)

    @given(st.text(max_size=40))
    def test_case_makes_no_difference(self, value):
        assert folded(value.casefold()) == folded(value)


class TestShown:
    def test_it_cuts_to_eighty_characters_and_escapes(self):
        assert shown("a\x1bb\u202e") == "a[U+001B]b[U+202E]"
        assert len(shown("x" * 10_000)) == 80

    @given(st.text())
    def test_it_is_always_short_and_printable(self, value):
        assert len(shown(value)) <= 80
        assert shown(value).isprintable()

    @given(st.text())
    def test_visible_controls_are_printable(self, value):
        assert make_controls_visible(value).isprintable()
        assert is_blank("") and not is_blank("x")
