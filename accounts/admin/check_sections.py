"""What the checks of the list answered, for the pages of a verification."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.flows import checking
from accounts.models import CheckResult, Verification
from accounts.rules.answers import Outcome
from accounts.rules.checks import TITLES
from kyc_portal.staff.sections import Badge, Table, url_of
from kyc_portal.staff.templatetags.marks import visible

OUTCOME_TONES = {Outcome.PASSED: "good", Outcome.FAILED: "danger", Outcome.COULD_NOT_RUN: ""}
EVIDENCE_SHOWN = 12  # digits
EMPTY = "No check has answered yet. Run the checks."


def checks(record: Verification) -> Table:
    """The newest answer of each check on each thing, what failed first; none of them proves an identity."""
    rows = [
        [_told(each), _badge(each), each.source, each.at, each.evidence[:EVIDENCE_SHOWN]]
        for each in checking.shown(record)
    ]
    return Table("checks", "Checks", ["Check", "Answer", "Source", "On", "Evidence"], rows, empty=EMPTY)


def in_short(record: Verification) -> Table:
    """For the narrow column of the workspace: what did not pass; of the rest how many they are."""
    found = checking.shown(record)
    rows = [[_told(each), _badge(each)] for each in found if each.outcome != Outcome.PASSED]
    passed = len(found) - len(rows)
    note = f"{passed} passed." if rows and passed else ""
    empty = f"All {passed} passed." if found else EMPTY
    url = f"{url_of(record)}#checks" if found else ""
    return Table(
        "checks", "Checks", ["Check", "Answer"], rows, empty=empty, note=note, url=url, url_label="All of them"
    )  # fmt: skip


def _told(row: CheckResult) -> SafeString:
    """Which check, of what, and why it answers so."""
    title = TITLES.get(row.code, row.code)
    return format_html('{} ({})<br><span class="small quiet">{}</span>', title, visible(row.about), row.reason)


def _badge(row: CheckResult) -> Badge:
    return Badge(Outcome(row.outcome).label, OUTCOME_TONES[Outcome(row.outcome)])
