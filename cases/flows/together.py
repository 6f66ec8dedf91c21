"""Answer one proposal of a case or several as one act: all of them, or none (requirements R37, R41).

Each stays a decision of its own, with its own signature and its own event in the trail.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from cases.flows import decisions, effects, tied
from cases.models import Case, Decision
from cases.rules.stages import DecisionState
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor


@flow
def countersign(
    case: Case, *, references: Sequence[str], at_once: bool = True, by: Actor, at: datetime
) -> list[Decision]:
    """Give the second signature to decisions of the case, named by reference.

    No reference means the only one that waits. Raises NotInCase, and what signing one of them raises; then none of
    them is signed.
    """
    waiting = _named(case, references, DecisionState.PROPOSED)
    return _each(waiting, lambda each: decisions.countersign(each, at_once=at_once, by=by, at=at))


@flow
def decline(case: Case, *, references: Sequence[str], why: str, by: Actor, at: datetime) -> list[Decision]:
    """Countersign none of these, for one reason; references and errors as for `countersign`."""
    waiting = _named(case, references, DecisionState.PROPOSED)
    return _each(waiting, lambda each: decisions.decline(each, why=why, by=by, at=at))


@flow
def withdraw(case: Case, *, references: Sequence[str], by: Actor, at: datetime) -> list[Decision]:
    """Take back one's own proposals; references and errors as for `countersign`."""
    waiting = _named(case, references, DecisionState.PROPOSED)
    return _each(waiting, lambda each: decisions.withdraw(each, by=by, at=at))


@flow
def undo(case: Case, *, references: Sequence[str], by: Actor, at: datetime) -> list[Decision]:
    """Take signed decisions back before they take effect; no reference means the only one that can be."""
    signed = _named(case, references, DecisionState.SIGNED)
    return _each(signed, lambda each: effects.undo(each, by=by, at=at))


def _named(case: Case, references: Sequence[str], state: DecisionState) -> list[Decision]:
    """The decisions meant, in the order in which their accounts are locked; what became of them the flows judge."""
    found = Decision.objects.filter(case=case).order_by("account_id", "pk")
    verb = "wait" if state == DecisionState.PROPOSED else "can be undone"
    if references:
        named = list(found.filter(reference__in=references))
        if len(named) != len(set(references)):
            raise decisions.NotInCase(f"{case.reference} has no such decision. Look at the page, and choose again.")
        return named
    waiting = list(found.filter(state=state.value))
    if len(waiting) > 1:
        raise decisions.NotInCase(f"Several decisions of this case {verb}. Choose the one you mean.")
    if not waiting:
        one = "waits" if state == DecisionState.PROPOSED else verb
        raise decisions.NotInCase(
            f"No decision of this case {one} any more. Its timeline says what became of it and who answered it."
        )
    return waiting


def _each(meant: list[Decision], answer: Callable[[Decision], Decision]) -> list[Decision]:
    """The accounts are locked before the first answer locks the case, as everybody does."""
    tied.lock_accounts({each.account_id for each in meant})
    return [answer(each) for each in meant]
