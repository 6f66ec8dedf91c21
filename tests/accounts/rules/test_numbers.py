"""One form for each identifier (E7, E12, E13)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.links import WORDS
from accounts.rules.numbers import (
    KINDS,
    BadEmail,
    BadIban,
    BadNumber,
    BadPhone,
    BadWallet,
    FullCardNumber,
    contains_card_number,
    mask_card_numbers,
    normalised,
)
from tests.accounts.link_figures import link_figures

LEGACY, SEGWIT = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
ETHER = "0xDe0B295669a9FD93d5F28D9Ec85E40f4cb697BAe"
CARD = "4242 4242 4242 4242"


class TestNormalised:
    @pytest.mark.parametrize(
        ("kind", "value", "plain"),
        [
            ("iban", " gb82 west 1234 5698 7654 32 ", "GB82WEST12345698765432"),
            ("phone", "+1 (202) 555-0143", "+12025550143"),
            ("phone", "+44 (0)20 7946 0018", "+442079460018"),
            ("email", "Anna.B+Test@Example.ORG", "Anna.B+Test@example.org"),
            ("email_root", "Anna.B+Test@Example.ORG", "anna.b@example.org"),
            ("wallet", f" {LEGACY}\n", LEGACY),
            ("wallet", SEGWIT.upper(), SEGWIT),
            ("wallet", ETHER, ETHER.lower()),
            ("wallet", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"),
            ("document", "l-898.902 c/3<", "L898902C3"),
            ("document", "L٨٩٨902C3", "L898902C3"),
            ("national_id", "123-45-6789", "123456789"),
            ("bank_account", "12-34 5678", "12345678"),
            ("address", "  Königstraße 5,\u00a0Apt. #2 ", "konigstrasse 5 apt 2"),
            ("card", "tok_1A2b / 4242", "tok_1A2b/4242"),
        ],
    )
    def test_e13_spellings_of_one_value_become_one(self, kind, value, plain):
        assert normalised(kind, value) == plain

    @pytest.mark.parametrize(
        ("kind", "value", "refusal"),
        [
            ("iban", "GB82 WEST 1234 5698 7654 33", BadIban),
            ("iban", "12345", BadIban),
            ("phone", "020 7946 0018", BadPhone),
            ("phone", "+999 12", BadPhone),
            ("phone", "call me", BadPhone),
            ("email", "a@b", BadEmail),
            ("email", "a@b@example.org", BadEmail),
            ("email", "anna@example.org\r\nBcc: all@example.org", BadNumber),
            ("email", "a" * 250 + "@example.org", BadEmail),
            ("email_root", "anna", BadEmail),
            ("wallet", LEGACY[:-1] + "U", BadWallet),
            ("wallet", f"{LEGACY} {LEGACY}", BadWallet),
            ("wallet", "кошелёк", BadWallet),
            ("card", CARD, FullCardNumber),
            ("document", "\u200b", BadNumber),
            ("document", " -/- ", BadNumber),
            ("address", "x" * 301, BadNumber),
            ("device", "a\x00b", BadNumber),
        ],
    )
    def test_e7_e13_what_cannot_be_right_is_refused_without_repeating_it(self, kind, value, refusal):
        with pytest.raises(refusal) as refused:
            normalised(kind, value)

        assert value not in str(refused.value)
        assert str(refused.value).count(".") >= 1

    @pytest.mark.parametrize("kind", sorted(KINDS))
    @pytest.mark.parametrize("value", ["", " ", "\t"])
    def test_nothing_has_no_fingerprint(self, kind, value):
        with pytest.raises(BadNumber):
            normalised(kind, value)

    def test_letters_that_nobody_romanises_keep_addresses_apart(self):
        assert normalised("address", "𒒀 5") != normalised("address", "𒀀 5")

    def test_an_unknown_kind_is_a_bug(self):
        with pytest.raises(ValueError, match="shoe_size"):
            normalised("shoe_size", "42")

    def test_every_kind_has_words_and_a_weight_as_a_link(self):
        assert set(KINDS) == set(WORDS) == set(link_figures().weights)

    @pytest.mark.parametrize(
        ("kind", "value", "form"),
        [
            ("access_address", "192.0.2.1", "192.0.2.1"),
            ("access_exit", "2001:DB8:0:0::1", "2001:db8::1"),
            ("access_network", "192.0.2.0/24", "192.0.2.0/24"),
            ("access_network", "2001:DB8::/48", "2001:db8::/48"),
        ],
    )
    def test_an_address_has_one_form(self, kind, value, form):
        assert normalised(kind, value) == form

    @pytest.mark.parametrize(
        ("kind", "value"),
        [("access_address", "192.0.2.256"), ("access_network", "192.0.2.1/24"), ("access_network", "here")],
    )
    def test_what_is_no_address_is_refused(self, kind, value):
        with pytest.raises(BadNumber, match="This is no"):
            normalised(kind, value)

    @given(st.sampled_from(sorted(KINDS)), st.text(max_size=60))
    def test_no_text_makes_it_crash_and_twice_is_once(self, kind, value):
        try:
            once = normalised(kind, value)
        except BadNumber:
            return

        assert normalised(kind, once) == once


class TestCardNumbers:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            (f"paid with {CARD} today", "paid with •••• •••• •••• 4242 today"),
            ("4242424242424242", "••••••••••••4242"),
            ("3782-822463-10005", "••••-••••••-•0005"),
            ("ref 12 4242 4242 4242 4242, thanks", "ref 12 •••• •••• •••• 4242, thanks"),
            ("4242\u00a04242\u00a04242\u00a04242", "••••\u00a0••••\u00a0••••\u00a04242"),
            (f"{CARD}; {CARD}", "•••• •••• •••• 4242; •••• •••• •••• 4242"),
            ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "••••••••••••٤٢٤٢"),
        ],
    )
    def test_e12_card_numbers_are_found_and_masked(self, text, masked):
        assert contains_card_number(text)
        assert mask_card_numbers(text) == masked
        assert not contains_card_number(masked)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "4242 4242 4242 4243",
            "424242424242",
            "42424242424242424242424",
            "+1 202 555 0143",
            "2026-11-23 10:15:00",
        ],
    )
    def test_other_numbers_stay(self, text):
        assert not contains_card_number(text)
        assert mask_card_numbers(text) == text

    @pytest.mark.parametrize("text", ["1" * 100_000, "1 " * 50_000, "12 " * 33_000, "4-" * 50_000])
    def test_the_longest_text_does_not_stall_it(self, text):
        began = time.perf_counter()

        mask_card_numbers(text)

        assert time.perf_counter() - began < 1

    @given(st.integers(10**11, 10**18 - 1))
    def test_every_number_with_a_right_last_digit_is_found(self, stem):
        doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(str(stem)))]
        check = -sum(divmod(value, 10)[0] + value % 10 for value in doubled) % 10

        assert contains_card_number(f"no. {stem}{check}.")
        assert not contains_card_number(f"no. {stem}{(check + 1) % 10}.")

    @given(st.text(alphabet="0123456789 -x", max_size=80))
    def test_finding_and_masking_agree_and_the_length_stays(self, text):
        masked = mask_card_numbers(text)

        assert len(masked) == len(text)
        assert contains_card_number(text) == (masked != text)
