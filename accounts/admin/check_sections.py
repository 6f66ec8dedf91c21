"""What the checks of the list answered, for the pages of a verification."""

from django.utils.html import format_html

from accounts.flows import checking
from accounts.models import CheckResult, Verification
from accounts.rules.answers import Outcome
from accounts.rules.checks import TITLES
from kyc_portal.staff.sections import Badge, Table, url_of

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
    """For the narrow column of the workspace: what did not pass, with its reason; of the rest how many they are."""
    found = checking.shown(record)
    rows = [
        [format_html('{} ({})<br><span class="small">{}</span>', _title(each), each.about, each.reason), _badge(each)]
        for each in found
        if each.outcome != Outcome.PASSED
    ]
    passed = len(found) - len(rows)
    note = f"{passed} passed." if rows and passed else ""
    empty = f"All {passed} passed." if found else EMPTY
    url = f"{url_of(record)}#checks" if found else ""
    return Table(
        "checks", "Checks", ["Check", "Answer"], rows, empty=empty, note=note, url=url, url_label="All of them"
    )  # fmt: skip


def _title(row: CheckResult) -> str:
    return TITLES.get(row.code, row.code)


def _badge(row: CheckResult) -> Badge:
    return Badge(Outcome(row.outcome).label, OUTCOME_TONES[Outcome(row.outcome)])
