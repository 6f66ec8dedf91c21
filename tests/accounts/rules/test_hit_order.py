"""The second order of hits of the same score (R35)."""

import itertools

import pytest

from accounts.rules.hit_order import (
    ALIAS,
    BIRTH,
    COUNTRY,
    MAIN_NAME,
    SAME_VALUE,
    WEAK_ALIAS,
    evidence,
    evidence_in_words,
)

STRONGEST_FIRST = [
    (["same_name", "same_identifier"], ALIAS),
    (["same_birth_date", "same_country"], MAIN_NAME),
    (["same_birth_date", "same_country"], ALIAS),
    (["same_birth_date", "same_country"], WEAK_ALIAS),
    (["same_birth_date"], MAIN_NAME),
    (["same_birth_date", "other_country"], MAIN_NAME),
    (["same_birth_year", "same_country"], MAIN_NAME),
    (["same_country"], MAIN_NAME),
    ([], MAIN_NAME),
    ([], WEAK_ALIAS),
    (["other_birth_date", "same_country"], MAIN_NAME),
]


def test_r35_a_number_comes_before_a_birth_before_a_country_before_the_spelling():
    found = [evidence(codes, spelling) for codes, spelling in STRONGEST_FIRST]

    assert found == sorted(found, reverse=True) and len(set(found)) == len(found)


@pytest.mark.parametrize("spelling", [MAIN_NAME, ALIAS, WEAK_ALIAS])
@pytest.mark.parametrize(
    "codes", list(itertools.product(["", *SAME_VALUE], ["", *BIRTH], ["", *COUNTRY])), ids=lambda codes: "+".join(codes)
)
def test_each_has_a_sentence(codes, spelling):
    found = evidence(codes, spelling)

    assert 1 <= found <= 1323
    assert evidence_in_words(found).endswith(".") and evidence_in_words(found)[0].isupper()


def test_the_sentence_says_what_decided():
    assert evidence_in_words(evidence(["same_wallet", "other_birth_date"], ALIAS)) == (
        "A number, wallet or e-mail address in common, the births differ, a country is unknown, listed as an alias."
    )
    assert evidence_in_words(0) == ""
