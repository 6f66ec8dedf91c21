"""Screening with reasons (R35; T8-T13)."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from accounts.rules.names import (
    Bands,
    ExactIndex,
    ListedParty,
    NameIndex,
    ScreenedParty,
    exact_value,
    similarity,
)

OFAC = Path(__file__).resolve().parents[4] / "shared" / "data" / "ofac"

KHOROSHEV = ListedParty(
    key="48603",
    names=("KHOROSHEV, Dmitry Yuryevich", "KHOROSHEV, Dmitriy Yurevich", "KHOROSHEV, Dmitrii Yuryevich", "LOCKBITSUPP"),
    kind="individual",
    birth_dates=frozenset({date(1993, 4, 17)}),
    countries=frozenset({"RU"}),
    identifiers=frozenset({"2018278055"}),
    wallets=frozenset({"bc1qvhnfknw852ephxyc5hm4q520zmvf9maphetc9z"}),
    emails=frozenset({"made.up@example.org"}),
)
NAMESAKE = ScreenedParty(("Dmitry Yuryevich Khoroshev",), "individual")


def screen(entry=KHOROSHEV, **known):
    return compare(replace(NAMESAKE, **known), entry)


def codes(found):
    return [reason.code for reason in found.reasons]


BANDS = Bands(strong=0.85, near=0.70)


def compare(query, entry):
    return similarity(query, entry, bands=BANDS)


class TestNameIndex:
    INDEX = NameIndex(
        [
            ("1", "KHOROSHEV, Dmitry Yuryevich"),
            ("1", "LOCKBITSUPP"),
            ("2", "BEL-KAP-STEEL LLC"),
            ("3", "BANK MELLI IRAN"),
            ("4", "ALESSAWI, Khamis F Ali"),
            ("5", "\u200b"),
        ]
    )

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("Dmitry Khoroshev", "1"),
            ("Дмитрий Хорошев", "1"),
            ("LockBitSupp", "1"),
            ("Belkap Steel", "2"),
            ("Bank Melli", "3"),
            ("Khamis Ali", "4"),
            ("Alessawi", "4"),
        ],
    )
    def test_t11_it_finds_who_is_worth_comparing(self, name, key):
        assert self.INDEX.candidates([name])[0].key == key

    @pytest.mark.parametrize("names", [[], [""], ["\u200b"], ["Completely Unrelated Words"]])
    def test_it_finds_nobody_where_nobody_is(self, names):
        assert self.INDEX.candidates(names) == ()

    def test_each_party_comes_once_with_its_spellings(self):
        index = NameIndex([("1", "Anna Schmidt"), ("1", "Anna Schmitt"), ("1", "Otto Kwiatkowski"), ("2", "Ana Smit")])

        found = index.candidates(["Anna Schmidt"])

        assert [candidate.key for candidate in found] == ["1", "2"]
        assert found[0].names == ("Anna Schmidt", "Anna Schmitt") and found[0].rough == 1.0

    def test_who_is_found_does_not_depend_on_the_rest_of_the_list(self):
        many = [(str(number), f"Anna Schmidt {number}") for number in range(300)]

        alone = NameIndex([("x", "Anja Schmied")]).candidates(["Anna Schmidt"])
        crowded = NameIndex([*many, ("x", "Anja Schmied")]).candidates(["Anna Schmidt"])

        assert [each for each in crowded if each.key == "x"] == list(alone) != []

    def test_spellings_without_letters_are_left_out(self):
        assert len(self.INDEX) == 5


class TestExactIndex:
    def test_it_finds_values_however_they_are_written(self):
        index = ExactIndex([("1", "bc1qVHN"), ("1", "A.B@Example.org"), ("2", "20-18 278"), ("3", " ")])

        assert index.keys(["BC1QVHN", "2018278"]) == {"1", "2"}
        assert index.keys(["a.b@example.ORG"]) == {"1"}
        assert index.keys(["", "other"]) == frozenset()

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1boatSLRHtKNngkdXEeobR76b53LETtpyT", False),
            ("0xDe0B295669a9FD93d5F28D9Ec85E40f4cb697BAe", "0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae", True),
            ("ab-12 3", "AB123", True),
        ],
    )
    def test_case_counts_only_where_it_has_meaning(self, one, other, same):
        assert (exact_value(one) == exact_value(other)) is same


class TestSimilarity:
    @pytest.mark.parametrize(
        ("known", "score", "band", "reasons"),
        [
            ({}, 1.0, "strong", ["same_name"]),
            ({"names": ("dmitrii yuryevich khoroshev",)}, 1.0, "strong", ["same_name"]),
            ({"names": ("Anna Schmidt", "lockbitsupp")}, 1.0, "strong", ["same_name"]),
            ({"birth_on": date(1993, 4, 17)}, 1.0, "strong", ["same_name", "same_birth_date"]),
            ({"birth_year": 1993}, 1.0, "strong", ["same_name", "same_birth_year"]),
            ({"birth_year": 1994}, 0.98, "strong", ["same_name", "near_birth_year"]),
            ({"birth_on": date(1960, 1, 1)}, 0.85, "strong", ["same_name", "other_birth_date"]),
            ({"countries": frozenset({"RU", "DE"})}, 1.0, "strong", ["same_name", "same_country"]),
            ({"countries": frozenset({"DE"})}, 0.95, "strong", ["same_name", "other_country"]),
            ({"kind": "entity"}, 0.85, "strong", ["same_name", "other_kind"]),
        ],
    )
    def test_t11_circumstances_move_the_same_name(self, known, score, band, reasons):
        found = screen(**known)

        assert (found.score, found.band, codes(found)) == (pytest.approx(score), band, reasons)

    def test_a_same_name_stays_a_near_miss_whatever_else_differs(self):
        found = screen(birth_on=date(1960, 1, 1), countries=frozenset({"DE"}), kind="entity")

        assert (found.score, found.band) == (0.7, "near")
        assert codes(found) == ["same_name", "other_birth_date", "other_kind", "other_country"]

    def test_bands_are_handed_in(self):
        query = replace(NAMESAKE, birth_on=date(1960, 1, 1))

        assert similarity(query, KHOROSHEV, bands=Bands(strong=0.9, near=0.86)).band == "near"

    @pytest.mark.parametrize(
        ("known", "code", "score"),
        [
            ({"wallets": frozenset({"BC1QVHNFKNW852EPHXYC5HM4Q520ZMVF9MAPHETC9Z "})}, "same_wallet", 1.0),
            ({"emails": frozenset({"Made.Up@Example.org"})}, "same_email", 0.97),
            ({"identifiers": frozenset({"2018-278055"})}, "same_identifier", 0.97),
        ],
    )
    def test_t10_an_equal_value_is_a_strong_reason_on_its_own(self, known, code, score):
        found = screen(names=("Anna Schmidt",), **known)

        assert (found.score, found.band) == (score, "strong")
        assert codes(found)[0] == code

    def test_t13_a_short_word_and_a_common_given_name_are_no_match(self):
        entry = ListedParty("1", ("ALESSAWI, Khamis F Ali",), "individual")

        assert compare(ScreenedParty(("Khamis Al",), "individual"), entry).band == "weak"

    def test_a_bank_with_a_like_name_scores_below_the_bank_itself(self):
        melli = ScreenedParty(("Bank Melli",), "entity")

        same = compare(melli, ListedParty("1", ("BANK MELLI IRAN", "BANK MELLI"), "entity"))
        other = compare(melli, ListedParty("2", ("BANK MELLAT",), "entity"))

        assert (same.score, same.matched_name) == (1.0, "BANK MELLI")
        assert other.band == "weak"

    def test_t12_a_us_entity_on_the_list_is_found(self):
        query = ScreenedParty(("Belkap Steel",), "entity", countries=frozenset({"US"}))

        found = compare(query, ListedParty("44525", ("BEL-KAP-STEEL LLC",), "entity"))

        assert found.band == "strong"

    def test_the_reason_names_the_words(self):
        found = screen(names=("Dmitri Horoshev",))

        assert found.reasons[0].sentence.startswith("The name resembles “KHOROSHEV, Dmitr")
        assert "horoshev ≈ khoroshev" in found.reasons[0].sentence

    @pytest.mark.parametrize("names", [(), ("",), ("\u200b",), ("Anna Schmidt",)])
    def test_nothing_in_common_scores_next_to_nothing(self, names):
        found = screen(names=names, birth_on=date(1993, 4, 17))

        assert (found.band, found.score < 0.3) == ("weak", True)


def listed_spellings():
    found = []
    for name, column in (("sdn.csv", 1), ("alt.csv", 3)):
        with (OFAC / name).open(encoding="cp1252", newline="") as lines:
            found += [(row[0], row[column]) for row in csv.reader(lines) if len(row) > column]
    return found


@pytest.mark.skipif(not OFAC.exists(), reason="the sample list in ../shared/data is not there")
class TestWholeList:
    def test_r35_every_name_of_the_list_finds_its_entry(self):
        spellings = listed_spellings()
        index = NameIndex(spellings)

        assert len(index) > 20_000
        for key, name in spellings[:8000:100]:
            [found] = [each for each in index.candidates([name], least=0.55) if each.key == key]
            assert compare(ScreenedParty((name,), "undetermined"), ListedParty(key, found.names)).score == 1.0
