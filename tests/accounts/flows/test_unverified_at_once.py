"""Two people at the same moment: of each pair one wins, and nothing slips through (R34, R37, R41)."""

import pytest

from accounts.flows import objections, redress, unverified, verification
from accounts.models import CouldNotVerify, Discrepancy, Objection, Verification
from kyc_portal.notices.models import Notice
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_cip, make_complete_account, make_open_account
from tests.conftest import NOON, person

pytestmark = pytest.mark.usefixtures("triggers_lifted_for_flush")

THEO, THEA = (Actor(kind="person", key=name, label=name) for name in ("theo", "thea"))


@pytest.fixture
def failed(analyst) -> Verification:
    """A verification that failed once; the next conclusion is final."""
    make_cip()
    account = make_open_account()
    attempt = verification.start(account, account.party, trigger="doubt", by=analyst, at=NOON)
    attempt = verification.conclude(attempt, verified=False, reason="None.", by=analyst, at=NOON)
    return verification.escalate(attempt, by=analyst, at=NOON)


def conclude(attempt, *, by):
    return verification.conclude(attempt, verified=False, reason="None.", by=by, at=NOON)


def find(attempt, *, by):
    return verification.find_discrepancy(attempt, field="address", stated="here", found="there", by=by, at=NOON)


def test_a_discrepancy_found_at_the_moment_of_a_conclusion_never_slips_through(in_threads, failed, analyst):
    concluded, found = in_threads(lambda: conclude(failed, by=analyst), lambda: find(failed, by=analyst))

    failed.refresh_from_db()
    if isinstance(found, Discrepancy):
        assert isinstance(concluded, verification.NotProven) and failed.concluded_at is None
    else:
        assert isinstance(found, verification.NotUnderWay) and failed.status == "unverifiable"
        assert not failed.discrepancies.exists()


@needs_row_locks
def test_a_conclusion_waits_for_a_discrepancy_that_is_being_noted_and_is_refused(in_threads, failed, analyst):
    found, concluded = once_it_waits(lambda: find(failed, by=analyst), lambda: conclude(failed, by=analyst), in_threads)

    assert isinstance(found, Discrepancy) and isinstance(concluded, verification.NotProven), (found, concluded)
    failed.refresh_from_db()
    assert failed.status == "escalated"


@needs_row_locks
def test_a_discrepancy_waits_for_a_conclusion_that_is_being_made_and_is_refused(in_threads, failed, analyst):
    concluded, found = once_it_waits(lambda: conclude(failed, by=analyst), lambda: find(failed, by=analyst), in_threads)

    assert isinstance(concluded, Verification) and isinstance(found, verification.NotUnderWay), (concluded, found)
    assert not Discrepancy.objects.exists()


def test_an_outcome_is_countersigned_once(in_threads, failed, analyst):
    row = unverified.propose(
        conclude(failed, by=analyst), outcome="closed", reason="no_source", explanation="None.", by=analyst, at=NOON
    )
    signers = [person(name, "lead reviewer").as_actor for name in ("len", "lou")]

    signed = in_threads(*(lambda by=by: unverified.countersign(row, by=by, at=NOON) for by in signers))

    assert sorted(type(each).__name__ for each in signed) == ["AlreadyAnswered", "CouldNotVerify"], signed
    row.refresh_from_db()
    assert row.state == "in_effect" and row.answered_by in ("len", "lou")
    assert AuditEvent.objects.filter(verb="accounts.unverified_in_effect").count() == 1
    assert Notice.objects.filter(kind="identity_not_verified").count() == 1


def test_two_propose_for_one_party_at_once(in_threads, failed, analyst, lead):
    attempt = conclude(failed, by=analyst)

    made = in_threads(
        *(
            lambda by=by: unverified.propose(
                attempt, outcome="closed", reason="no_source", explanation="None.", by=by, at=NOON
            )
            for by in (analyst, lead)
        )
    )

    assert sorted(type(each).__name__ for each in made) == ["AlreadyDecided", "CouldNotVerify"], made
    assert CouldNotVerify.objects.count() == 1


def test_redress_is_answered_once(in_threads, analyst):
    make_cip()
    account = make_complete_account()
    attempt = verification.start(account, account.party, trigger="opening", by=analyst, at=NOON)
    for _ in range(2):
        attempt = conclude(attempt, by=analyst)
    row = unverified.propose(
        attempt, outcome="not_opened", reason="no_source", explanation="None.", by=analyst, at=NOON
    )
    asked = redress.enter(row, text="It is me.", received_on=NOON.date(), by=analyst, at=NOON)

    answers = in_threads(
        lambda: redress.answer(asked, answer="upheld", why="Looked.", by=THEO, at=NOON),
        lambda: redress.answer(asked, answer="reversed", why="Looked.", by=THEA, at=NOON),
    )

    assert sorted(type(each).__name__ for each in answers) == ["NotOpen", "Objection"], answers
    assert any(isinstance(each, objections.NotOpen) for each in answers)
    row.refresh_from_db()
    outcome = Objection.objects.get().outcome
    assert (outcome, row.state) in {("upheld", "in_effect"), ("reversed", "reversed")}
    assert Notice.objects.filter(kind="objection_answered").count() == 1
