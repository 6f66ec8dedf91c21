"""Two spellings of a name (T11, T13)."""

import pytest

from accounts.rules.spelling import folded, likeness

PERSON, ENTITY = "individual", "entity"


class TestFolded:
    @pytest.mark.parametrize(
        ("name", "plain"),
        [
            ("KHOROSHEV, Dmitry Yuryevich", "dmitry khoroshev yuryevich"),
            ("Zoe\u0301 O'Neill", "oneill zoe"),
            ("Zoé O’Neill", "oneill zoe"),
            ("Дмитрий", "dmitriy"),
            ("Straße", "strasse"),
            ("𒒀 𒀀", "𒀀 𒒀"),
            ("\u200b - ", ""),
        ],
    )
    def test_order_case_accents_and_script_fall_away(self, name, plain):
        assert folded(name) == plain


class TestLikeness:
    @pytest.mark.parametrize(
        ("asked", "listed", "kind"),
        [
            ("Dmitry Khoroshev", "KHOROSHEV, Dmitry Yuryevich", PERSON),
            ("Khoroshev Dmitry Yurievich", "KHOROSHEV, Dmitry Yuryevich", PERSON),
            ("Дмитрий Хорошев", "KHOROSHEV, Dmitriy Yurevich", PERSON),
            ("Dmitrij Choroschew", "KHOROSHEV, Dmitry Yuryevich", PERSON),
            ("Bob Smith", "SMITH, Robert", PERSON),
            ("محمد حسين", "HUSSEIN, Mohammed", PERSON),
            ("Muammar Gaddafi", "QADHAFI, Muammar", PERSON),
            ("习近平", "Xi Jinping", PERSON),
            ("Liu Xiao Ming", "LIU, Xiaoming", PERSON),
            ("Belkap Steel", "BEL-KAP-STEEL LLC", ENTITY),
            ("Suex OTC", "SUEX OTC, S.R.O.", ENTITY),
            ("Aero Caribbean Airlines", "AEROCARIBBEAN AIRLINES", ENTITY),
            ("Банк Россия", "BANK ROSSIYA", ENTITY),
            ("Acme Trading Limited", "ACME TRADING LTD", ENTITY),
        ],
    )
    def test_t11_spellings_of_one_name_are_alike(self, asked, listed, kind):
        assert likeness(asked, listed, kind).score >= 0.83

    @pytest.mark.parametrize(
        ("asked", "listed", "kind"),
        [
            ("Khamis Al", "ALESSAWI, Khamis F Ali", PERSON),
            ("Khoroshev", "KHOROSHEV, Dmitry Yuryevich", PERSON),
            ("Dmitry Ivanov", "KHOROSHEV, Dmitry Yuryevich", PERSON),
            ("John Smith", "SMITH, Jane", PERSON),
            ("Carlos Ruiz", "RUIZ, Carla", PERSON),
            ("Bank Melli", "Bank Mellat", ENTITY),
            ("Gazprom Neft", "Gazprom Media", ENTITY),
            ("National Bank of Egypt", "National Bank of Cuba", ENTITY),
            ("Sea Star 1", "SEA STAR 7", ENTITY),
            ("Northern Steel LLC", "BEL-KAP-STEEL LLC", ENTITY),
            ("", "KHOROSHEV, Dmitry Yuryevich", PERSON),
            ("!!!", "???", PERSON),
        ],
    )
    def test_t13_names_that_only_share_words_are_not(self, asked, listed, kind):
        assert likeness(asked, listed, kind).score < 0.7

    def test_the_same_words_are_one_whatever_their_order_and_script(self):
        assert likeness("khoroshev DMITRY", "Dmitry, Khoroshev", PERSON).score == 1.0

    def test_it_says_which_words_agree_and_which_do_not(self):
        found = likeness("Bob Smith", "SMITH, Robert Henry", PERSON)

        assert set(found.agreeing) == {("bob", "robert"), ("smith", "smith")}
        assert (found.only_asked, found.only_listed) == ((), ("henry",))

    @pytest.mark.parametrize("name", ["a" * 100_000, "a " * 50_000, "\u0301" * 5_000 + "a", "\ud800 x"])
    def test_no_length_or_letter_hurts_it(self, name):
        assert 0 <= likeness(name, "KHOROSHEV, Dmitry Yuryevich", PERSON).score < 0.7
