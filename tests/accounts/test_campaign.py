"""A campaign comes back four times among a thousand innocent customers: who is found, who is accused (T21, T22).

Somebody ran a command-and-control server and was closed. They return with card, device and owner; with the device and
the mobile number; with an SSH key alone; and at last with an address of access that hardly anybody else has, the office
centre and its switchboard. Whoever is found is refused before the next one comes. The innocent share offices,
switchboards, carriers' networks, exits of anonymisers and, in pairs, households; one has been given the mobile number
that was given up.
"""

import random
import uuid
from collections.abc import Iterable

import pytest

from accounts.flows import links, ties_before
from accounts.models import Account, Identifier, Party
from kyc_portal.records.acting import one_flow
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
SEED, INNOCENT = 13984, 1000
C2 = {
    "card": "tok_c2_000001", "device": "device-c2-0001", "owner": "eve 1980-01-01", "ssh_key": f"SHA256:{'c2' * 21}A",
    "email": "c2@mail.example", "email_root": "c2@mail.example", "access_address": "203.0.113.7",
    "access_network": "203.0.113.0/24", "access_exit": "198.51.100.9",
}  # fmt: skip
OFFICE, SWITCHBOARD, MOBILE = "1 Office Plaza US", "+12025550100", "+12025550142"
RETURNS = (
    [(kind, C2[kind]) for kind in ("card", "device", "owner")],
    [("device", C2["device"]), ("phone", MOBILE)],
    [("ssh_key", C2["ssh_key"])],
    [("access_address", C2["access_address"]), ("address", OFFICE), ("phone", SWITCHBOARD)],
)


class World:
    """Customers made in bulk, each by what it holds."""

    def __init__(self):
        self.keys: dict[str, uuid.UUID] = {}

    def add(
        self, held: dict[str, Iterable[links.Value]], *, status: str = "prospect", closing_reason: str = ""
    ) -> None:
        with one_flow(SCHEDULER):
            parties = [
                Party(kind="individual", legal_name=name, created_at=NOON, changed_at=NOON) for name in held
            ]  # fmt: skip
            Party.objects.bulk_create(parties)
            state = {"status": status, "closing_reason": closing_reason, "closed_at": NOON if closing_reason else None}
            state["opened_at"] = None if status == "prospect" else NOON
            Account.objects.bulk_create(
                Account(party=party, source="test", created_at=NOON, **state) for party in parties
            )
            rows = [links.identifiers(party, held[party.legal_name], at=NOON) for party in parties]
            Identifier.objects.bulk_create([row for each in rows for row in each], batch_size=2000)
        self.keys |= {party.legal_name: party.pk for party in parties}

    def refuse(self, name: str) -> None:
        with one_flow(SCHEDULER):
            rows = Account.objects.filter(party=self.keys[name])
            rows.update(status="refused", closed_at=NOON, closing_reason="own_finding")

    def scores(self, names: Iterable[str]) -> dict[str, float]:
        """How strongly each is tied to somebody who was shut out, by the rule that works; weak ties are left out."""
        named = {self.keys[name]: name for name in names}
        found = ties_before.find(set(named), links.figures_on(NOON.date()), on=NOON.date())
        return {named[key]: ties[0].strength.score for key, ties in found.items()}


def innocent(number: int, chance: random.Random) -> list[links.Value]:
    """What one of a thousand holds: what is theirs alone, and what they share with some and with many."""
    pair = number // 2
    held = [
        ("email", f"customer{number}@mail.example"), ("email_root", f"customer{number}@mail.example"),
        ("card", f"tok_{pair if number % 10 < 2 else number:08}x{number % 10 < 2}"),  # households share a card
        ("address", OFFICE if number < 30 else f"{chance.randrange(1, 60)} Shared Street US"),
        ("phone", SWITCHBOARD if 5 <= number < 30 else f"+1202555{chance.randrange(200, 1000):04}"),
    ]  # fmt: skip
    if number < 60 or chance.random() < 0.2:
        held.append(("access_network", C2["access_network"] if number < 60 else f"10.{chance.randrange(20)}.0.0/24"))
    if number < 90 or chance.random() < 0.3:
        held.append(("access_exit", C2["access_exit"] if number < 90 else f"198.51.100.{chance.randrange(20, 24)}"))
    if number == 999:
        held.append(("phone", MOBILE))  # the carrier gave it out anew
    return held


@pytest.fixture
def world() -> World:
    chance, made = random.Random(SEED), World()
    made.add({f"innocent {number}": innocent(number, chance) for number in range(INNOCENT)}, status="active")
    gone = [*C2.items(), ("address", OFFICE), ("phone", SWITCHBOARD), ("phone", MOBILE)]
    made.add({"gone": gone}, status="closed", closing_reason="terms_broken")
    return made


def test_t21_t22_who_is_found_and_who_is_accused(world, capsys):
    figures, scores = links.figures_on(NOON.date()), {}
    for number, held in enumerate(RETURNS, start=1):
        name = f"return {number}"
        world.add({name: held})
        scores |= world.scores([name])
        if scores.get(name, 0) >= figures.flag_from:
            world.refuse(name)

    scores |= world.scores(f"innocent {number}" for number in range(INNOCENT))

    told = {what: measured(scores, least) for what, least in (
        ("flagged", figures.flag_from), ("held up", figures.stop_from),
    )}  # fmt: skip
    with capsys.disabled():
        print(f"\ncampaign: {told}, returns {[scores.get(f'return {number}') for number in range(1, 5)]}")
    # The last one is missed by a hair: an address of access changes hands within days, so it weighs 0.35 at most, and
    # what thirty in an office centre share adds only a little. It is kept and shown as a tie, and raises no flag.
    assert [scores[f"return {number}"] for number in range(1, 5)] == [0.991, 0.8136, 0.85, 0.4775]
    assert figures.keep_from < scores["return 4"] < figures.flag_from
    # The one accused in error holds the number that was given up; a flag asks somebody to look, it holds nothing up.
    assert told["flagged"] == {"precision": 0.75, "recall": 0.75, "accused": ["innocent 999"]}
    assert told["held up"] == {"precision": 1.0, "recall": 0.75, "accused": []}


def measured(scores: dict[str, float], least: float) -> dict:
    found = {name for name, score in scores.items() if score >= least}
    right = {name for name in found if name.startswith("return")}
    return {
        "precision": len(right) / len(found), "recall": len(right) / len(RETURNS), "accused": sorted(found - right),
    }  # fmt: skip


def test_everybody_in_the_office_of_one_who_was_shut_out_is_left_alone(world):
    figures = links.figures_on(NOON.date())

    scores = world.scores(f"innocent {number}" for number in range(30))

    assert all(score < figures.flag_from for score in scores.values())


def test_a_ring_that_sends_ten_at_once_thins_nothing(world):
    figures, ring = links.figures_on(NOON.date()), [f"ring {number}" for number in range(10)]
    world.add({name: [("card", C2["card"]), ("device", C2["device"])] for name in ring})

    scores = world.scores(ring)

    assert set(scores) == set(ring) and set(scores.values()) == {0.955}
    assert min(scores.values()) > figures.stop_from
