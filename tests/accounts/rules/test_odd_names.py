"""Names as they arrive, however odd: who is on the list is found, and nothing breaks (R35; T11, T13; bad inputs)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.flows.list_index import ListIndex
from accounts.models import WatchlistEntry
from accounts.rules.name_keys import name_keys, rough_likeness, stored_marks
from accounts.rules.names import Bands, NameIndex, ScreenedParty

BANDS = Bands(strong=0.85, near=0.70)


def entry(uid, name, *aliases, kind="individual"):
    return WatchlistEntry(uid=uid, name=name, kind=kind, aliases=[[alias, "aka"] for alias in aliases], details={})


INDEX = ListIndex(
    [
        entry("volkov", "VOLKOV, Boris Igorevich", "WOLKOW, Boris"),
        entry("hassan", "AL-HASSAN, Mohammed Yusuf", "ABU YUSUF"),
        entry("garcia", "GARCIA LOPEZ, Jose Maria"),
        entry("zhang", "ZHANG, Xiaolong", "张小龙"),
        entry("nguyen", "NGUYEN, Thi Minh Khai"),
        entry("petrov", "PETROVA, Ekaterina Sergeevna"),
        entry("papadopoulos", "PAPADOPOULOS, Georgios", "ΠΑΠΑΔΟΠΟΥΛΟΣ, Γεώργιος"),
        entry("lockbit", "LOCKBITSUPP"),
        entry("works", "NORTHERN PIPE WORKS LLC", kind="entity"),
    ]
)


def found(name, kind="individual"):
    return [match.listed.party.key for match in INDEX.matches(ScreenedParty((name,), kind), BANDS)]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Boris Volkov", "volkov"),
        ("Volkov Boris", "volkov"),
        ("VOLKOV BORIS IGOREVICH", "volkov"),
        ("Борис Игоревич Волков", "volkov"),
        ("Волков Борис", "volkov"),
        ("Boris Wolkoff", "volkov"),
        ("Muhammad Yousef al Hassan", "hassan"),
        ("Mohamed Yusuf Hasan", "hassan"),
        ("محمد يوسف الحسن", "hassan"),
        ("José María García López", "garcia"),
        ("Jose M. Garcia Lopez", "garcia"),
        ("Garcia Lopez J. Maria", "garcia"),
        ("Xiaolong Zhang", "zhang"),
        ("张小龙", "zhang"),
        ("Nguyễn Thị Minh Khai", "nguyen"),
        ("Katerina Petrova", "petrov"),
        ("Екатерина Сергеевна Петрова", "petrov"),
        ("Yekaterina Petrova", "petrov"),
        ("Γεώργιος Παπαδόπουλος", "papadopoulos"),
        ("Georgios Papadopulos", "papadopoulos"),
        ("LockBitSupp", "lockbit"),
        ("Lockbit Supp", "lockbit"),
    ],
)
def test_t11_across_scripts_word_order_initials_and_patronymics(name, key):
    assert key in found(name)


@pytest.mark.parametrize(
    "name",
    [
        "Bo\u0301ris Vo\u0300lkov",  # combining marks
        "B\u043eris V\u043elk\u043ev",  # Cyrillic o among Latin letters
        "\u0412oris Volkov",  # Cyrillic capital Ve that looks like B
        "Boris \U0001f600 Volkov",  # an emoji between the words
        "Boris\u200b Volkov\u200d",  # blanks of no width
        "\u202eBoris Volkov",  # a mark that turns the direction
        "\uff22\uff4f\uff52\uff49\uff53 \uff36\uff4f\uff4c\uff4b\uff4f\uff56",  # full width
        "  boris\t\tvolkov  ",
        "B.o.r.i.s Volkov",
        "Boris-Volkov",
        "Dr. Boris Volkov, Jr.",
    ],
)
def test_b_marks_look_alikes_and_emoji_hide_nobody(name):
    assert "volkov" in found(name)


@pytest.mark.parametrize(
    "name",
    ["", " ", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0301\u0301", "-0-", "...", "\ud800"],
)
def test_b_what_is_no_name_finds_nobody(name):
    assert found(name) == []


@pytest.mark.parametrize("name", ["Boris", "Maria", "Khai", "Al", "Li", "Mohammed", "X"])
def test_t13_one_short_or_common_word_is_no_match_of_a_longer_name(name):
    assert found(name) == []


@pytest.mark.parametrize("kind", ["individual", "entity", "undetermined"])
def test_one_word_finds_who_is_listed_by_one_word(kind):
    assert found("lockbitsupp", kind) == ["lockbit"]


@settings(max_examples=200, deadline=None)
@given(name=st.text(max_size=300), kind=st.sampled_from(("individual", "entity", "undetermined")))
def test_b_no_text_stops_the_screening(name, kind):
    assert isinstance(found(name, kind), list)


@settings(max_examples=200, deadline=None)
@given(name=st.text(max_size=60))
def test_a_name_always_finds_itself(name):
    keys = name_keys(name)
    if keys.words:
        assert [each.key for each in NameIndex([("self", name)]).candidates([name])] == ["self"]
        assert rough_likeness(keys, keys) == pytest.approx(1.0)
        assert stored_marks([name]) >= frozenset().union(*(word.marks for word in keys.words))


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@settings(max_examples=300, deadline=None)
@given(
    word=st.text(LETTERS, min_size=6, max_size=12),
    at=st.integers(0, 11),
    letter=st.sampled_from(LETTERS),
    how=st.sampled_from(("wrong", "lost", "added")),
)
def test_t11_one_typo_in_a_long_word_leaves_a_mark_or_its_sound_is_spoilt(word, at, letter, how):
    """The marks are of the sound; where a typo changes one letter of it, one of the four marks always stays."""
    at %= len(word)
    other = {
        "wrong": word[:at] + letter + word[at + 1 :],
        "lost": word[:at] + word[at + 1 :],
        "added": word[:at] + letter + word[at:],
    }[how]
    one, two = name_keys(f"{word} zzz").words, name_keys(f"{other} zzz").words
    if len(one) == len(two) == 2 and _one_apart(one[0].sound, two[0].sound):
        assert one[0].marks & two[0].marks


def _one_apart(one: str, other: str) -> bool:
    from rapidfuzz.distance import Levenshtein

    return min(len(one), len(other)) >= 4 and Levenshtein.distance(one, other) <= 1
