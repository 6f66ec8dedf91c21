"""Desks that cases lie on, why one is passed on or put to sleep, and the business hours each has (own policy)."""

from cases.rules.wording import Worded


class Desk(Worded):
    """Whose queue a case stands in."""

    REVIEW = "review", "reviewers"
    LEADS = "leads", "lead reviewers"
    LEGAL = "legal", "legal desk"


# The right it takes to work what lies on a desk; roles.py says who holds it.
DESKS = {Desk.REVIEW: "cases.review", Desk.LEADS: "cases.decide", Desk.LEGAL: "cases.handle_legal"}


class EscalatedWhy(Worded):
    """Why a case goes to another desk."""

    TOO_GRAVE = "too_grave", "it is graver than this desk decides"
    LAW = "question_of_law", "a question of law must be answered first"
    CONFLICT = "conflict", "somebody at this desk is too close to it"
    ANSWERED = "answered", "what was asked of this desk is answered"
    MISTAKEN = "wrong_desk", "it came to this desk by mistake"


class SnoozedWhy(Worded):
    """Why a case need not be looked at before a day."""

    CUSTOMER = "waits_customer", "the customer was asked and has time to answer"
    VERIFIER = "waits_verifier", "an outside check is under way"
    COLLEAGUE = "waits_colleague", "a colleague looks into a part of it"
    AUTHORITY = "waits_authority", "an authority was asked"
    EVENT = "waits_event", "it depends on something that happens on that day"


def hours_figure(kind: str, desk: str) -> str:
    """Name of the policy figure with the business hours a desk has for a case of this kind."""
    return f"case_hours_{kind}" if desk == Desk.REVIEW else f"desk_hours_{desk}"
