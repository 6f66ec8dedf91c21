"""The decisions of a case that wait or can be undone, each with the forms that answer it on its page (R37, R41).

Of one proposer's several, all can be answered as one act as well.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.forms import Form

from cases.admin import case_page
from cases.models import Case, Decision
from cases.rules.stages import DecisionState
from kyc_portal.staff.sections import for_viewer

LABELS = {
    "countersign": "Countersign", "decline": "Decline", "withdraw": "Withdraw proposal", "undo": "Undo decision",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """One form: what the button says, and of which decisions; `is_open` where its form stands in view."""

    name: str
    label: str
    about: str
    form: Form
    is_open: bool

    @property
    def is_primary(self) -> bool:
        return self.name in ("countersign", "undo")


@dataclass(frozen=True)
class Group:
    """Decisions that are answered by the same forms: one, with its facts, or all of one proposer's."""

    title: str
    rows: list = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


def answers_to(decision: Decision, user) -> tuple[str, ...]:
    """What this person could do to a decision; the flow still judges them."""
    if decision.state == DecisionState.SIGNED:
        return ("undo",)
    return ("withdraw",) if decision.proposed_by_key == str(user.pk) else ("countersign", "decline")


def groups_of(
    case: Case, user, *, may: Collection[str], make: Callable[..., Form], sent: dict[str, Form]
) -> list[Group]:
    """A group for each decision that waits or can be undone, then one for each proposer of several.

    `make(name, meant=references, auto_id=)` gives an empty form, `sent` are forms that were refused, by name: each
    stands in the place it was sent from.
    """
    several, rest = len(case.unfinished) > 1, dict(sent)

    def answers(meant: list[Decision], label: str) -> list[Answer]:
        references, found = [each.reference for each in meant], []
        for name in answers_to(meant[0], user):
            refused = rest.get(name)
            is_here = refused is not None and set(refused.data.getlist("decisions")) in (set(references), set())
            if name in may or is_here:
                place = f"{name}_{references[0]}_{len(meant)}" if several else name
                form = rest.pop(name) if is_here else make(name, meant=references, auto_id=f"{place}_%s")
                about = references[0] if len(meant) == 1 else ""
                is_open = is_here or (not several and name != "decline")
                found.append(Answer(name, label.format(LABELS[name], len(meant)), about, form, is_open))
        return found

    groups = []
    for each in case.unfinished:
        facts = for_viewer(case_page.facts_of(each), user)
        title = f"{each.reference} about {each.account.reference}" if several else ""
        groups.append(Group(title, facts.rows, answers([each], "{0}")))
    for key in dict.fromkeys(each.proposed_by_key for each in case.proposals):
        meant = [each for each in case.proposals if each.proposed_by_key == key]
        if len(meant) > 1 and (found := answers(meant, "{0}: all {1}")):
            whose = "your" if key == str(user.pk) else f"{meant[0].proposed_by}'s"
            title = f"All {len(meant)} of {whose} proposals"
            groups.append(Group(title, [("Applies to", "all of them, or none")], found))
    left = [Answer(name, LABELS[name], "", form, True) for name, form in rest.items() if name in LABELS]
    return [*groups, *([Group("", [], left)] if left else [])]
