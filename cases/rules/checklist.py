"""What is to be looked at in a case of each kind before it is decided (requirement R41; own policy).

Each point is done, with who and when, or excused for a reason of the list. To watch an account more closely takes
nothing away from anybody and waits for none of them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from cases.rules.outcomes import OutcomeCode
from cases.rules.wording import Worded

FREE = frozenset({OutcomeCode.WATCH})  # outcomes that wait for no list


class ExcusedWhy(Worded):
    """Why a point need not be done."""

    NOT_APPLICABLE = "not_applicable", "it does not apply to this case"
    NOTHING_ON_FILE = "nothing_on_file", "nothing is on file to look at"
    DONE_ELSEWHERE = "done_elsewhere", "it was done in another case"
    CANNOT_WAIT = "cannot_wait", "the decision cannot wait for it"


@dataclass(frozen=True)
class Item:
    """One point: its code, what is to be done, in cases of which kinds (codes), and where that stands written."""

    code: str
    title: str
    kinds: frozenset[str]
    source: str = "own policy"


_FLAGS, _HITS, _ABUSE, _LEGAL = "red_flag", "list_hit", "abuse", "legal"

ITEMS = {
    item.code: item
    for item in (
        Item("flags_read", "Read every red flag with its evidence", frozenset({_FLAGS, _HITS})),
        Item("entry_compared", "Compare the list entry: names, dates, places", frozenset({_HITS})),
        Item("owners_looked_at", "Look at the owners and what listed persons hold", frozenset({_HITS})),
        Item("report_read", "Read each report and its evidence", frozenset({_ABUSE})),
        Item("holder_confirmed", "Confirm that the account held the address then", frozenset({_ABUSE})),
        Item("identity_compared", "Compare the documents with what was stated", frozenset({_FLAGS})),
        Item("access_looked_at", "Look at places and masking networks of access", frozenset({_FLAGS, _ABUSE})),
        Item("links_looked_at", "Look at linked customers", frozenset({_FLAGS, _HITS, _ABUSE})),
        Item("authority_confirmed", "Confirm by another way that the authority asks", frozenset({_LEGAL})),
        Item("scope_read", "Read which accounts and which days it covers", frozenset({_LEGAL})),
    )
}


def items_for(kind: str) -> list[Item]:
    """The points of a case of this kind (a code), in the order in which they are done."""
    return [item for item in ITEMS.values() if kind in item.kinds]


def left_over(kind: str, outcome: str, answered: Collection[str]) -> list[Item]:
    """The points still to be done or excused before this outcome (codes) is proposed."""
    if outcome in FREE:
        return []
    return [item for item in items_for(kind) if item.code not in answered]
