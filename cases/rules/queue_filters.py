"""The filters of the queue as codes: read from an address or a saved view, refused when they are none of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cases.rules.desks import Desk
from cases.rules.wording import Worded
from kyc_portal.refusal import Refusal


class BadFilter(Refusal):
    """The queue has no such filter."""


class View(Worded):
    """Which cases are looked at; each says how many it leaves."""

    WAITING = "waiting", "waiting"
    MINE = "mine", "mine"
    FREE = "free", "nobody has them"
    OVERDUE = "overdue", "overdue"
    COUNTERSIGN = "countersign", "to countersign"
    ASLEEP = "asleep", "asleep"


NAMES = ("view", "kind", "desk")


@dataclass(frozen=True)
class Filters:
    """What the queue shows; "" for any kind and any desk."""

    view: str = View.WAITING.value
    kind: str = ""
    desk: str = ""

    def with_(self, **changed: str) -> "Filters":
        return replace(self, **changed)

    def as_codes(self) -> dict[str, str]:
        """Only what differs from the queue as it is, as an address and a saved view keep it."""
        return {name: value for name in NAMES if (value := getattr(self, name)) != getattr(AS_IT_IS, name)}


AS_IT_IS = Filters()


def read_filters(given: Mapping[str, str], kinds: Mapping[str, str]) -> Filters:
    """Filters from texts; `kinds` are the codes of kinds with their words. Raises BadFilter and names what there is."""
    allowed = {
        "view": [view.value for view in View],
        "kind": ["", *kinds],
        "desk": ["", *(desk.value for desk in Desk)],
    }
    chosen = {name: given[name] for name in NAMES if given.get(name)}
    for name, value in chosen.items():
        if value not in allowed[name]:
            known = ", ".join(code for code in allowed[name] if code)
            raise BadFilter(f"The queue has no {name} of this code. Choose one of: {known}.")
    return Filters(**chosen)
