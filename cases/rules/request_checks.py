"""What is checked before a request is in order, by kind of paper (requirements R111, R113). Our own list, no law's."""

from cases.rules.disclosure import Ground
from cases.rules.wording import Worded
from kyc_portal.refusal import Refusal


class NotChecked(Refusal):
    """A point of the checklist is not answered."""


class Point(Worded):
    """One thing that somebody looks at and confirms."""

    READ = "read", "I have read the paper itself, not a summary of it"
    AUTHENTIC = "authentic", "It comes from who it names; I asked over a channel that does not stand on the paper"
    FORMAL = "formal", "It is signed, dated and complete"
    OURS = "ours", "It is about the accounts listed on the request's page"
    POWER = "power", "Who asks has power over us and over this matter"
    SCOPE = "scope", "What it asks for stands in the scope: kinds of records, days, accounts"
    JUDGE = "judge", "A judge or magistrate has signed it"
    FACTS = "facts", "It states the specific facts on which it rests"
    NOT_SPENT = "not_spent", "The day by which it had to be carried out has not passed"
    ASKS_TO_KEEP = "asks_to_keep", "It asks to preserve, and names what"
    COPY_ORDERED = "copy_ordered", "It orders a backup copy of what it asks for"
    OWN_WILL = "own_will", "The customer has signed, and the paper says what goes to whom"
    SAME_PERSON = "same_person", "Who asks has proved to be the customer"
    DANGER = "danger", "It says who is in danger of death or serious injury, and why our records help at once"
    RIGHT = "right", "The note says which right or property of ours is at stake"
    RULE_NAMED = "rule_named", "It names the rule on which the regulator asks"
    DRAFTED = "drafted", "The draft of the report lies before me"


_P = Point
_ALWAYS = (_P.READ, _P.AUTHENTIC, _P.FORMAL, _P.OURS, _P.SCOPE)
CHECKLISTS: dict[Ground, tuple[Point, ...]] = {
    Ground.SUBPOENA: (*_ALWAYS, _P.POWER, _P.NOT_SPENT),
    Ground.COURT_ORDER: (*_ALWAYS, _P.POWER, _P.JUDGE, _P.FACTS),
    Ground.SEARCH_WARRANT: (*_ALWAYS, _P.POWER, _P.JUDGE, _P.NOT_SPENT),
    Ground.PRESERVATION: (_P.READ, _P.AUTHENTIC, _P.OURS, _P.POWER, _P.ASKS_TO_KEEP),
    Ground.BACKUP_ORDER: (*_ALWAYS, _P.POWER, _P.COPY_ORDERED),
    Ground.CONSENT: (_P.READ, _P.OURS, _P.SCOPE, _P.OWN_WILL),
    Ground.CUSTOMER_REQUEST: (_P.READ, _P.OURS, _P.SAME_PERSON),
    Ground.EMERGENCY: (_P.READ, _P.AUTHENTIC, _P.OURS, _P.DANGER),
    Ground.PROTECTION: (_P.READ, _P.OURS, _P.RIGHT),
    Ground.REGULATOR_REQUEST: (*_ALWAYS, _P.POWER, _P.RULE_NAMED),
    Ground.SANCTIONS_REPORT: (_P.READ, _P.OURS, _P.DRAFTED),
}


def points_of(ground: str) -> tuple[Point, ...]:
    """The points to be checked for this kind of paper, in the order in which they are asked."""
    return CHECKLISTS[Ground(ground)]


def require_checked(ground: str, checked) -> tuple[Point, ...]:
    """The points, when each of them is among `checked` (codes) and nothing else is. Raises NotChecked."""
    points, given = points_of(ground), set(checked)
    if missing := [point.label for point in points if point not in given]:
        raise NotChecked(f"Not confirmed: {'; '.join(missing)}. Check it, or reject the request.")
    if given - set(points):
        raise NotChecked("A point was confirmed that is not asked for this kind of paper. Check the list again.")
    return points
