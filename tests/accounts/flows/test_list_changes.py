"""A new version of a list screens again only whom it may touch, and finds what a screening of everybody would (R35)."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import identification, list_changes, list_index, parties, screening, screening_marks, watchlists
from accounts.flows.account_file import AccountFile
from accounts.models import ListChange, Party, Screening, ScreeningHit, ScreeningMark
from accounts.models.screening import HitStatus
from accounts.rules.name_keys import name_keys
from kyc_portal.records import deletion
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.lists import SHIP, VOLKOV, WORKS, Entry, write_list
from tests.builders import make_company, make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

LISTED = {"legal_name": "Boris Volkov", "citizenship": "RU", "birth_date": date(1970, 7, 4)}
SOMEBODY = Entry(200, "SOMEBODY, Else")
_folders = itertools.count(1)


@pytest.fixture
def load(tmp_path):
    def act(*entries, hours=0, name="", force=True):
        folder = write_list(tmp_path / str(next(_folders)), *entries)
        at = NOON + timedelta(hours=hours)
        return watchlists.load_snapshot("ofac-sdn", folder, list_name=name, force=force, by=SCHEDULER, at=at).snapshot

    return act


def screen_due(hours=0):
    told = screening.screen_due(by=SCHEDULER, at=NOON + timedelta(hours=hours))
    assert told["failed"] == 0
    return told["done"]


def screen_everybody(hours):
    for party in Party.objects.order_by("pk"):
        screening.screen_party(party, by=SCHEDULER, at=NOON + timedelta(hours=hours))


def outcome():
    """What holds: for each party and entry the score, its reasons and how it was judged."""
    standing = ScreeningHit.objects.standing().exclude(status=HitStatus.REPLACED)
    return sorted((str(h.party_id), h.entry_uid, str(h.score), *h.reasons, h.status) for h in standing)


# --- The same outcome as a full screening -----------------------------------------------------------------------------

GIVEN = ("Boris", "Борис", "Maria", "Mariya", "Abdul Rahman", "Abdulrahman", "Bob", "Robert", "J.", "Jose")
FAMILY = ("Volkov", "Wolkow", "Volkof", "Garcia Lopez", "Al-Masri", "Masri", "Smith", "Smyth", "Li", "李")
PATRONYMICS = ("", "", "Igorevich", "Ивановна")
NAMES = st.builds("{} {} {}".format, st.sampled_from(GIVEN), st.sampled_from(PATRONYMICS), st.sampled_from(FAMILY))
ALONE = st.sampled_from(("Volkov", "NORTHERN PIPE WORKS LLC", "Northern Pipes", "BEL-KAP-STEEL", "Belkapsteel GmbH"))
PLAIN_NAMES = (NAMES | ALONE).map(lambda name: " ".join(name.split()))
REMARKS = ("", "DOB 04 Jul 1970.", "DOB 1971.", "nationality Russia.", "Passport AB123456 (Iran).")
ENTRIES = st.lists(
    st.builds(
        Entry, uid=st.integers(1, 12), name=PLAIN_NAMES, remarks=st.sampled_from(REMARKS),
        aliases=st.lists(PLAIN_NAMES, max_size=2).map(tuple), country=st.sampled_from(("", "Iran", "Russia")),
    ),
    min_size=1, max_size=8, unique_by=lambda entry: entry.uid,
)  # fmt: skip
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "legal_name": PLAIN_NAMES,
            "birth_date": st.sampled_from((date(1970, 7, 4), date(1971, 1, 1), date(1990, 1, 1))),
            "citizenship": st.sampled_from(("RU", "DE")),
            "national_id": st.sampled_from(("", "AB 123456")),
        }
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, versions=st.lists(ENTRIES, min_size=2, max_size=4))
def test_r35_after_any_change_of_the_list_all_is_as_after_a_full_screening(load, people, versions):
    with transaction.atomic():
        for each in people:
            make_party(**each)
        for hours, entries in enumerate(versions):
            load(*entries, hours=hours)
            screen_due(hours)

        by_change = outcome()
        screen_everybody(hours=10)

        assert outcome() == by_change
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "after",
    [
        [VOLKOV, WORKS, SHIP, Entry(300, "KWIATKOWSKA, Zofia")],
        [replace(VOLKOV, aliases=("KWIATKOWSKA, Zofia",)), WORKS, SHIP],
        [replace(VOLKOV, remarks="DOB 1950."), WORKS, SHIP],
        [replace(VOLKOV, name="SOMEBODY, Else", aliases=()), WORKS, SHIP],
        [WORKS, SHIP],
        [SHIP, Entry(301, "Nobody Known", remarks="Passport X1234567 (Iran).")],
        [VOLKOV, WORKS, SHIP, SOMEBODY],
    ],
    ids=["added", "new alias", "other birth", "other name", "removed", "a number", "touches nobody"],
)
def test_r35_each_kind_of_change_gives_what_a_full_screening_gives(load, after):
    load(VOLKOV, WORKS, SHIP)
    make_party(**LISTED), make_party(legal_name="Zofia Kwiatkowska", national_id="X 123 4567")
    make_company(legal_name="Northern Pipe Works")
    screen_due()

    load(*after, hours=1)
    screen_due(1)

    by_change = outcome()
    screen_everybody(hours=2)
    assert outcome() == by_change


# --- The work grows with the change -----------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [5, 60])
def test_r35_the_comparisons_do_not_grow_with_the_parties(load, others, monkeypatch):
    listed = [Entry(5000 + number, f"{word} FAMILY{number}, Given") for number, word in enumerate(["OAK"] * 30)]
    load(*listed)
    make_party(**LISTED)
    for number in range(others):
        make_party(legal_name=f"Otto{number} Kwiatkowski{number}")
    screen_due()
    compared = []
    similarity, best = list_index.similarity, list_index.best_likeness
    monkeypatch.setattr(list_index, "similarity", lambda *a, **k: compared.append(1) or similarity(*a, **k))
    monkeypatch.setattr(list_index, "best_likeness", lambda *a: compared.append(1) or best(*a))

    load(*listed, VOLKOV, hours=1)

    assert screen_due(1) == 1
    assert len(compared) == 2  # once to see whether it may touch the party, once to screen the party
    assert ListChange.objects.values_list("entry_count", "party_count").get() == (1, 1)
    assert Screening.objects.count() == others + 2


def test_r35_its_queries_grow_with_the_change_alone(load, django_assert_max_num_queries):
    load(WORKS)
    for number in range(30):
        make_party(legal_name=f"Otto{number} Kwiatkowski{number}")
    screen_due()
    snapshot = load(WORKS, VOLKOV, hours=1)

    with django_assert_max_num_queries(25):
        assert list_changes.look_at_changes(snapshot, by=SCHEDULER, at=NOON) == 0


# --- Once, and however often it is cut short --------------------------------------------------------------------------


def test_a_change_is_looked_at_once(load):
    load(WORKS)
    make_party(**LISTED)
    screen_due()
    snapshot = load(WORKS, VOLKOV, hours=1)

    assert list_changes.look_at_changes(snapshot, by=SCHEDULER, at=NOON) == 1
    assert list_changes.look_at_changes(snapshot, by=SCHEDULER, at=NOON) == 0
    assert screen_due(1) == 1
    assert screen_due(2) == 0
    assert AuditEvent.objects.filter(verb="accounts.list_change_looked_at").count() == 1


def test_a_sweep_that_is_killed_goes_on_where_it_was(load, monkeypatch):
    load(WORKS)
    for _ in range(3):
        make_party(**LISTED)
    screen_due()
    load(WORKS, VOLKOV, hours=1)
    screen_party, left = screening.screen_party, iter([True, False])

    def killed(*args, **kwargs):
        if not next(left):
            raise KeyboardInterrupt
        return screen_party(*args, **kwargs)

    monkeypatch.setattr(screening, "screen_party", killed)
    with pytest.raises(KeyboardInterrupt):
        screen_due(1)
    monkeypatch.setattr(screening, "screen_party", screen_party)

    assert ScreeningHit.objects.count() == 1
    assert screen_due(2) == 2
    assert ScreeningHit.objects.count() == 3


def test_versions_that_came_while_nobody_looked_are_taken_together(load):
    load(VOLKOV, WORKS)
    party, other = make_party(**LISTED), make_party(legal_name="Zofia Kwiatkowska")
    screen_due()
    load(WORKS, Entry(300, "KWIATKOWSKA, Zofia"), hours=1)
    load(VOLKOV, WORKS, SHIP, hours=2)

    screen_due(3)

    assert [hit.entry_uid for hit in party.hits.standing()] == ["101"]
    assert not other.hits.standing().exists()


def test_an_older_version_that_comes_back_touches_whom_it_may(load, tmp_path):
    party = make_party(**LISTED)
    folder = write_list(tmp_path / "first", VOLKOV, WORKS)
    watchlists.load_snapshot("ofac-sdn", folder, by=SCHEDULER, at=NOON)
    screen_due()
    load(WORKS, hours=1)
    screen_due(1)
    assert not party.hits.standing().exclude(status=HitStatus.REPLACED).exists()

    watchlists.load_snapshot("ofac-sdn", folder, force=True, by=SCHEDULER, at=NOON + timedelta(hours=2))
    screen_due(2)

    assert party.hits.standing().unjudged().get().entry_uid == "101"


def test_two_lists_that_change_at_once_are_both_compared(load):
    load(WORKS), load(WORKS, name="Our own")
    party = make_party(**LISTED)
    screen_due()
    load(WORKS, VOLKOV, hours=1), load(WORKS, VOLKOV, hours=1, name="Our own")

    assert screen_due(1) == 1
    assert {hit.snapshot.list_name for hit in party.hits.standing()} == {"OFAC SDN", "Our own"}


# --- Hits of those it does not touch ----------------------------------------------------------------------------------


def test_a_hit_on_an_unchanged_entry_stands_under_the_version_it_was_found_in(load, analyst, lead):
    first = load(VOLKOV, WORKS)
    account = make_company(legal_name="Northern Pipe Works LLC")
    screen_due()
    hit = account.party.hits.get()
    screening.confirm_hit(hit, reason="The same works.", by=analyst, at=NOON)
    screening.confirm_hit(hit, by=lead, at=NOON)

    load(VOLKOV, WORKS, SOMEBODY, hours=1)

    assert screen_due(1) == 0
    assert account.party.hits.standing().confirmed().get().snapshot == first
    assert {signal.code for signal in account.signals.all()} == {"possible_list_hit", "confirmed_list_hit"}


def test_a_cleared_match_opens_again_only_when_its_entry_changes(load, analyst, lead):
    load(VOLKOV, WORKS)
    party = make_party(**LISTED)
    screen_due()
    screening.dismiss_hit(party.hits.get(), reason="Another birthplace.", by=analyst, at=NOON)
    screening.dismiss_hit(party.hits.get(), by=lead, at=NOON)

    load(VOLKOV, WORKS, SOMEBODY, hours=1)
    assert screen_due(1) == 0 and not ScreeningHit.objects.unjudged().exists()
    load(replace(VOLKOV, remarks="DOB 04 Jul 1970; POB Perm, Russia."), WORKS, SOMEBODY, hours=2)

    assert screen_due(2) == 1
    assert ScreeningHit.objects.unjudged().get().status == HitStatus.OPEN


# --- Marks ------------------------------------------------------------------------------------------------------------


def test_a_changed_party_is_found_by_what_it_is_called_now(load):
    load(WORKS)
    party = make_party(legal_name="Zofia Kwiatkowska")
    screen_due()
    parties.add_name(party, kind="alias", name="Boris Volkov", by=SCHEDULER, at=NOON + timedelta(hours=1))
    assert screen_due(1) == 1
    load(WORKS, VOLKOV, hours=2)

    assert screen_due(2) == 1
    assert party.hits.get().entry_uid == "101"


def test_a_wallet_and_a_number_are_found_without_being_readable(load):
    load(WORKS)
    account = make_company(legal_name="Quite Another Company")
    wallet = "bc1qvhnfknw852ephxyc5hm4q520zmvf9maphetc9z"
    identification.add_payment_method(account.party, kind="wallet", identifier=wallet, by=SCHEDULER, at=NOON)
    screen_due()
    remarks = f"Digital Currency Address - XBT {wallet.upper()}."
    load(WORKS, Entry(300, "SOMEBODY, Else", remarks=remarks), hours=1)

    assert screen_due(1) == 1
    assert account.party.hits.get().entry_uid == "300"


@pytest.mark.parametrize("keeps_former", [True, False])
def test_a_new_fingerprint_key_loses_nobody(load, settings, keeps_former):
    load(WORKS)
    party = make_party(**LISTED)
    screen_due()
    former = settings.FINGERPRINT_KEY
    settings.FINGERPRINT_KEY = "new-1:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    settings.FINGERPRINT_KEY_OLD = former if keeps_former else ""
    load(WORKS, VOLKOV, hours=1)

    assert screen_due(1) == 1 and screen_due(2) == 0
    assert party.hits.get().entry_uid == "101"


def test_marks_follow_the_party_and_are_not_written_twice(load):
    load(WORKS)
    party = make_party(**LISTED)
    screen_due()
    before = set(party.screening_marks.values_list("pk", flat=True))
    screen_everybody(hours=1)

    assert set(party.screening_marks.values_list("pk", flat=True)) == before
    assert len(before) >= 4 * len(name_keys(LISTED["legal_name"]).words)
    assert not any(str(mark) in "Boris Volkov" for mark in ScreeningMark.objects.values_list("mark", flat=True))


def test_when_single_data_is_erased_the_marks_are_made_anew(load):
    load(WORKS)
    party = make_party(**LISTED)
    screen_due()

    with transaction.atomic(), deletion.declared("erasure"), one_flow(SCHEDULER):
        screening_marks.forget_marks(party)

    assert not party.screening_marks.exists()
    assert screen_due(1) == 1 and party.screening_marks.exists()


def test_a_hit_that_stands_keeps_an_account_closed_whatever_version_it_was_found_in(load):
    load(VOLKOV, WORKS)
    account = make_company(legal_name="Northern Pipe Works LLC")
    screen_due()
    load(VOLKOV, WORKS, SOMEBODY, hours=1)
    screen_due(1)

    assert [hit.entry_uid for hit in AccountFile(account, NOON.date()).current_hits] == ["102"]

    load(VOLKOV, SOMEBODY, hours=2)
    screen_due(2)
    assert AccountFile(account, NOON.date()).current_hits == []
