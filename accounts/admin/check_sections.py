"""What the checks of the list answered, for the pages of a verification."""

from accounts.flows import checking
from accounts.models import Verification
from accounts.rules.answers import Outcome
from accounts.rules.checks import TITLES
from kyc_portal.staff.sections import Badge, Table

OUTCOME_TONES = {Outcome.PASSED: "good", Outcome.FAILED: "danger", Outcome.COULD_NOT_RUN: ""}
EVIDENCE_SHOWN = 12  # digits


def checks(record: Verification) -> Table:
    """The newest answer of each check on each thing, what failed first; none of them proves an identity."""
    rows = [
        [
            each.about,
            TITLES.get(each.code, each.code),
            Badge(Outcome(each.outcome).label, OUTCOME_TONES[Outcome(each.outcome)]),
            each.reason,
            each.source,
            each.at,
            each.evidence[:EVIDENCE_SHOWN],
        ]
        for each in checking.shown(record)
    ]
    head = ["Of", "Check", "Answer", "Why", "Source", "On", "Evidence"]
    return Table("checks", "Checks", head, rows, empty="No check has answered yet. Run the checks.")
