"""What an answer says of the flag that was answered: right, wrong, or nothing (R82, R85).

A decision answers all flags of an account together. So a flag was right only where the decision rests on what this flag
points to, and wrong where nothing came of it; a decision that rests on something else tells nothing of it.
"""

from decimal import Decimal
from enum import StrEnum

from accounts.rules.detectors import BY_CODE
from accounts.rules.profile import percent_of

NO_ACTION = "no_action"


class Found(StrEnum):
    """What reviewers found of one flag."""

    RIGHT = "right"
    WRONG = "wrong"
    UNTOLD = "untold"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Code and words of each."""
        return [(cls.RIGHT.value, "right"), (cls.WRONG.value, "wrong"), (cls.UNTOLD.value, "not told")]


def found_of(code: str, answer: str, reason: str) -> Found:
    """What an answered flag turned out to be; `answer` and `reason` are codes of the decision, or free words."""
    if answer == NO_ACTION:
        return Found.WRONG
    detector = BY_CODE.get(code)
    return Found.RIGHT if detector is not None and reason in detector.borne_out_by else Found.UNTOLD


def right_percent(right: int, wrong: int, least: int) -> Decimal | None:
    """The share of right ones of those that were told; None where they are too few to say."""
    told = right + wrong
    return percent_of(right, told) if told >= max(1, least) else None
