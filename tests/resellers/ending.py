"""Builders for the end of a relationship."""

from datetime import timedelta

from kyc_portal.records.refs import SCHEDULER, Actor
from resellers.flows import ending_accounts, findings, termination
from resellers.models import Finding, Reseller, Termination
from tests.builders import make_reseller
from tests.conftest import NOON

RITA, CARLA, SAM = (Actor("person", name, name) for name in ("rita", "carla", "sam"))
KNOWN = NOON
LATER = NOON + timedelta(days=2)


def make_finding(reseller: Reseller, *, at=NOON, by=RITA) -> Finding:
    return findings.record_finding(
        reseller, kind="not_carried_out", source="sample", evidence="Two of ten files hold no document.",
        demand="Verify every customer.", knowledge_at=at, by=by, at=at,
    )  # fmt: skip


def propose(reseller: Reseller, *, by=RITA, at=NOON, **changes) -> Termination:
    given = {"reason": "not_compliant", "words": "They refuse to keep a CIP.", "outcome": "direct", **changes}
    return termination.propose(reseller, **given, by=by, at=at)


def decided(reseller: Reseller, *, at=NOON, **changes) -> Termination:
    """Proposed by Rita and agreed by Carla; nobody is handled yet."""
    row = propose(reseller, at=at, **changes)
    return termination.agree(row, shown=termination.digest_of(row), by=CARLA, at=at)


def carry_out(row: Termination, *, at=NOON) -> Termination:
    ending_accounts.carry_out(row.reference, by=SCHEDULER, at=at)
    row.refresh_from_db()
    return row


def make_other() -> Reseller:
    return make_reseller(legal_name="Other reseller")
