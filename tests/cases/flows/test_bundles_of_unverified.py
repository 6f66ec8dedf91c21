"""Bundles tell what followed when an identity could not be verified, redress, and tiers set by hand (R43, R52)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from accounts.flows import rating
from cases.flows import bundles
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.unverified import THIRD, ask, propose, put, reply
from tests.builders import make_cip, make_open_account
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, settings):
    settings.BUNDLE_DIR = tmp_path / "bundles"


@pytest.fixture
def account(analyst, lead):
    """In use under watch, asked for redress, upheld; its tier was set by hand for a while; a closing is proposed."""
    make_cip()
    account = make_open_account()
    rating.set_tier(
        account, tier="medium", reason="New market.", last_day=NOON.date() + timedelta(days=30), by=lead, at=NOON
    )
    row = put(account, "watched", by=analyst, second=lead)
    reply(ask(row, text="It is me."), "upheld")
    propose(row.verification, "closed", by=analyst, at=NOON + timedelta(hours=1))
    return account


@pytest.fixture
def built(account, analyst_user, counsel, second_counsel):
    def build(**changes) -> Path:
        case = make_case(account, worked_by=analyst_user)
        bundle = make_bundle(case, by=counsel, approved_by=second_counsel, **changes)
        return Path(settings.BUNDLE_DIR) / bundles.build(bundle, by=SCHEDULER, at=LATER).reference / "data"

    return build


def facts(data: Path, name: str) -> list[dict]:
    return json.loads((data / "facts" / f"{name}.json").read_text())


def verbs(data: Path) -> set[str]:
    return {json.loads(line)["verb"] for line in (data / "audit/events.jsonl").read_text().splitlines()}


def test_r43_a_regulator_gets_every_outcome_and_the_redress(built):
    data = built()

    rows = {row["what"]: row for row in facts(data, "unverified")}
    assert (rows["watched"]["state"], rows["watched"]["explanation"]) == ("in_effect", "Three sources, no answer.")
    assert (rows["closed"]["state"], rows["closed"]["proposed_by"]) == ("proposed", "ana")
    [asked] = facts(data, "objections")
    assert (asked["text"], asked["answer"], asked["against"]) == ("It is me.", "upheld", rows["watched"]["outcome"])
    assert {"accounts.unverified_in_effect", "accounts.redress_answered", "accounts.tier_set"} <= verbs(data)


def test_a_regulator_gets_tiers_set_by_hand(built):
    [row] = facts(built(), "tiers")

    assert (row["tier"], row["set_by"], row["ended_at"]) == ("medium", "lea", None)


def test_a_customer_gets_what_they_were_told_and_no_proposal(built):
    data = built(ground="customer_request", recipient="customer")

    [row] = facts(data, "unverified")
    assert row["told"].startswith("You can go on using the account.") and "explanation" not in row
    whole = "".join(path.read_text() for path in data.rglob("*.json*"))
    assert "Three sources" not in whole and "no_source" not in whole and "watched" not in whole
    assert not (data / "facts/tiers.json").exists()
    assert not any(verb.startswith("accounts.unverified_") for verb in verbs(data))


def test_a_subpoena_of_the_police_brings_none_of_it(built):
    data = built(ground="subpoena", recipient="law_enforcement")

    assert not any((data / f"facts/{name}.json").exists() for name in ("unverified", "objections", "tiers"))


def test_who_answered_stays_unnamed_to_the_police(built, analyst):
    data = built(ground="search_warrant", recipient="law_enforcement")

    whole = "".join(path.read_text() for path in data.rglob("*") if path.suffix in (".json", ".csv", ".jsonl"))
    assert THIRD.label not in whole and f'"{analyst.label}"' not in whole
