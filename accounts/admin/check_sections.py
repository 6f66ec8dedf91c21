"""What the checks of the list answered, for the pages of a verification."""

from accounts.flows import checking
from accounts.models import CheckResult, Verification
from accounts.rules.answers import Outcome
from accounts.rules.checks import TITLES
from kyc_portal.staff.sections import Badge, Table

OUTCOME_TONES = {Outcome.PASSED: "good", Outcome.FAILED: "danger", Outcome.COULD_NOT_RUN: ""}
EVIDENCE_SHOWN = 12  # digits
EMPTY = "No check has answered yet. Run the checks."


def checks(record: Verification) -> Table:
    """The newest answer of each check on each thing, what failed first; none of them proves an identity."""
    rows = [
        [each.about, _title(each), _badge(each), each.reason, each.source, each.at, each.evidence[:EVIDENCE_SHOWN]]
        for each in checking.shown(record)
    ]
    head = ["Of", "Check", "Answer", "Why", "Source", "On", "Evidence"]
    return Table("checks", "Checks", head, rows, empty=EMPTY)


def in_short(record: Verification) -> Table:
    """The same for the narrow column of the workspace: of what, which answer and why."""
    rows = [[f"{_title(each)} ({each.about})", _badge(each), each.reason] for each in checking.shown(record)]
    return Table("checks", "Checks", ["Check", "Answer", "Why"], rows, empty=EMPTY)


def _title(row: CheckResult) -> str:
    return TITLES.get(row.code, row.code)


def _badge(row: CheckResult) -> Badge:
    return Badge(Outcome(row.outcome).label, OUTCOME_TONES[Outcome(row.outcome)])
