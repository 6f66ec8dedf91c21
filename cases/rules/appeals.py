"""What may come of an appeal, for which reasons, and what the customer reads of it (requirement R41; own policy)."""

from collections.abc import Iterable
from dataclasses import dataclass

from cases.rules.outcomes import Consequence, OutcomeCode
from cases.rules.wording import Worded
from kyc_portal.policy.lifecycle import Lifecycle
from kyc_portal.refusal import Refusal


class UnfitAnswer(Refusal):
    """The answer or its reason is unknown, the two do not go together, or it would leave the customer worse off."""


class AppealState(Worded):
    """Where an appeal stands."""

    OPEN = "open", "to be answered"
    PROPOSED = "proposed", "answer proposed"
    ANSWERED = "answered", "answered"


class AppealOutcome(Worded):
    """What comes of an appeal."""

    UPHELD = "upheld", "upheld: the decision stands"
    CHANGED = "changed", "changed: something milder holds instead"
    REVERSED = "reversed", "reversed: what the decision did is taken back"


class LateWhy(Worded):
    """Why an appeal is accepted although its last day was past."""

    NOT_TOLD = "not_told", "the customer was not told in time"
    PREVENTED = "prevented", "the customer could not write earlier"
    NEW_FACTS = "new_facts", "facts came up after the last day"
    OURS = "ours", "it came in time and lay with us"


@dataclass(frozen=True)
class AppealReason:
    """Why an appeal is answered so; for staff, the customer reads WORDINGS."""

    code: str
    title: str
    outcomes: frozenset[AppealOutcome]


_U, _C, _R = AppealOutcome.UPHELD, AppealOutcome.CHANGED, AppealOutcome.REVERSED

APPEAL_REASONS = {
    reason.code: reason
    for reason in (
        AppealReason("rightly_decided", "Looked at again, and rightly decided", frozenset({_U})),
        AppealReason("nothing_new", "Nothing was said that was not weighed before", frozenset({_U})),
        AppealReason("somebody_else", "Somebody else was meant", frozenset({_R})),
        AppealReason("wrong_fact", "A fact it rests on was wrong", frozenset({_C, _R})),
        AppealReason("new_facts", "New facts came up", frozenset({_C, _R})),
        AppealReason("put_right", "The customer has put it right", frozenset({_C, _R})),
        AppealReason("milder_enough", "A milder step is enough", frozenset({_C})),
        AppealReason("not_as_our_rules_want", "It was not decided as our own rules want it", frozenset({_C, _R})),
    )
}

WORDINGS = {
    _U: "We have looked at everything again and stay with what we told you.",
    _C: "We have looked at everything again and changed our decision; a message of its own says what holds now.",
    _R: "You are right. We have taken our decision back.",
}

APPEAL_LIFECYCLE = Lifecycle(
    {
        AppealState.OPEN: (AppealState.PROPOSED, AppealState.ANSWERED),
        AppealState.PROPOSED: (AppealState.OPEN, AppealState.ANSWERED),  # back when it is not signed
        AppealState.ANSWERED: (),
    },
    dict(AppealState.choices()),
)


def require_fits(outcome: str, reason: str) -> None:
    """Raises UnfitAnswer for codes that are unknown or do not go together, and names what is allowed."""
    if outcome not in list(AppealOutcome):
        raise UnfitAnswer(f"There is no such answer to an appeal. Choose one of: {', '.join(AppealOutcome)}.")
    if reason not in APPEAL_REASONS:
        raise UnfitAnswer(f"There is no reason with this code. Choose one of: {', '.join(APPEAL_REASONS)}.")
    why = APPEAL_REASONS[reason]
    if outcome not in why.outcomes:
        allowed = ", ".join(f"“{each.label}”" for each in AppealOutcome if each in why.outcomes)
        raise UnfitAnswer(f"This answer does not fit the reason “{why.title}”. Choose one of: {allowed}.")


def milder_than(outcome: str) -> list[OutcomeCode]:
    """The outcomes that take less from the customer than this one, and still something: mildest first."""
    known = list(OutcomeCode)
    return known[1 : known.index(OutcomeCode(outcome))]


def require_milder(old: str, new: str) -> None:
    """Nobody is worse off for having appealed (own policy). Raises UnfitAnswer and names what is left."""
    milder = milder_than(old)
    if new not in milder:
        left = ", ".join(f"“{code.label}”" for code in milder)
        raise UnfitAnswer(
            f"An appeal changes “{OutcomeCode(old).label}” to something milder only"
            f"{f': {left}' if left else ', and nothing milder is left but to reverse it'}."
        )


def takes_two(rests_on_list: bool, new: Consequence | None, *, was_sent_back: bool = False) -> bool:
    """Whether a second person signs the answer: what rests on a list, and what would be countersigned by itself.

    Once an answer was sent back, whatever is answered next takes two: nobody goes round a colleague's no.
    """
    return rests_on_list or was_sent_back or (new is not None and new.must_be_countersigned)


def reasons_for(outcomes: Iterable[AppealOutcome]) -> list[AppealReason]:
    """The reasons that go with at least one of these answers."""
    wanted = set(outcomes)
    return [reason for reason in APPEAL_REASONS.values() if reason.outcomes & wanted]
