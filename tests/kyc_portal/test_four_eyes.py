"""Two persons for one act (R37)."""

from dataclasses import dataclass

import pytest

from kyc_portal.four_eyes import SecondPersonNeeded, person_key, require_second_person
from kyc_portal.refusal import Refusal


@dataclass(frozen=True)
class Somebody:
    kind: str
    key: str
    owner_key: str | None = None


ANNA, BORIS = Somebody("person", "p1"), Somebody("person", "p2")
ANNAS_CLIENT, BORISS_CLIENT = Somebody("api_client", "c1", "p1"), Somebody("api_client", "c2", "p2")


class TestPersonKey:
    @pytest.mark.parametrize(
        ("actor", "key"),
        [
            (ANNA, "p1"),
            (ANNAS_CLIENT, "p1"),
            (Somebody("api_client", "c9"), "c9"),
            (Somebody("operator", "root", "p1"), "root"),
            (Somebody("scheduler", "scheduler"), "scheduler"),
        ],
    )
    def test_an_api_client_answers_as_its_owner(self, actor, key):
        assert person_key(actor) == key


class TestRequireSecondPerson:
    @pytest.mark.parametrize("first", [None, "p1", person_key(ANNAS_CLIENT)])
    def test_it_lets_another_person_sign(self, first):
        require_second_person(first, BORIS)

    @pytest.mark.parametrize(
        ("first", "second", "words"),
        [
            (person_key(ANNA), ANNA, "yourself"),
            (person_key(ANNAS_CLIENT), ANNA, "yourself"),
            (person_key(ANNA), ANNAS_CLIENT, "API client"),
            (person_key(ANNA), BORISS_CLIENT, "API client"),
            (None, BORISS_CLIENT, "API client"),
            ("p1", Somebody("operator", "root"), "operator"),
            ("p1", Somebody("scheduler", "scheduler"), "scheduler"),
            ("p1", Somebody("robot", "r1"), "Only a person"),
        ],
    )
    def test_it_refuses_everybody_else(self, first, second, words):
        with pytest.raises(SecondPersonNeeded, match=words):
            require_second_person(first, second)

    @pytest.mark.parametrize("second", [ANNA, ANNAS_CLIENT])
    def test_the_sentence_names_the_deed(self, second):
        with pytest.raises(Refusal, match="the release of the hold"):
            require_second_person("p1", second, deed="the release of the hold")
