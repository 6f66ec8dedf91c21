"""What a verification's page shows of outside verifiers: what was asked, what came back, and where the whole lies."""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.dateformat import format as format_date

from accounts.admin.identity import sealed
from accounts.models import ExternalAnswer, ExternalCheck, Verification
from accounts.rules.outside_verifier import FIELDS, AnswerState, CheckState
from accounts.rules.verifying import Result
from kyc_portal.staff.sections import Badge, Table

CHECK_TONES = {CheckState.ASKED: "info", CheckState.ANSWERED: "good", CheckState.ENDED: "warning"}
ANSWER_TONES = {AnswerState.USED: "good", AnswerState.LATE: "warning", AnswerState.UNREADABLE: "danger"}
RESULT_TONES = {Result.MATCH: "good", Result.PARTIAL: "warning", Result.NO_MATCH: "danger", Result.ERROR: ""}
CHECKS = ("Check", "Asked", "By", "State", "Verifier", "Their reference", "What was sent")
ANSWERS = (
    "Answer", "To", "Received", "Result", "What became of it", "What agreed", "What differs", "Whole", "Its SHA-256",
)  # fmt: skip


def outside_sections(record: Verification, user) -> list[Table]:
    """The questions, and if any came the answers; four queries at most."""
    checks = list(record.external_checks.order_by("asked_at", "pk"))
    for check in checks:
        check.verification = record  # with its party, so that no row asks for them again
    known = {check.pk: check for check in checks}
    answers = list(ExternalAnswer.objects.filter(check_asked__in=known).order_by("received_at", "pk")) if checks else []
    for answer in answers:
        answer.check_asked = known[answer.check_asked_id]
    head = [*CHECKS, "Customer goes to"] if any(check.send_customer_to for check in checks) else CHECKS
    asked = Table(
        "outside", "Outside verifier", head, [_check(each, user)[: len(head)] for each in checks],
        empty="No outside verifier was asked.", note=" ".join(_sentence(each) for each in checks),
    )  # fmt: skip
    if not answers:
        return [asked]
    note = "Each is kept whole, as it came. Showing it asks for a reason and is recorded with your name."
    rows = [_answer(each, user) for each in answers]
    return [asked, Table("outside-answers", "Answers of the outside verifier", ANSWERS, rows, note=note)]


def _check(check: ExternalCheck, user) -> list:
    state = CheckState(check.state)
    return [
        check.reference, check.asked_at, check.asked_by, Badge(state.label, CHECK_TONES[state]), check.verifier_title,
        check.their_reference, sealed(check, "question", "what was sent", user),
        sealed(check, "send_customer_to", "address for the customer", user),
    ]  # fmt: skip


def _sentence(check: ExternalCheck) -> str:
    """What is still open about a check, in words; "" when nothing is."""
    if check.state != CheckState.ASKED:
        return ""
    due = format_date(timezone.localtime(check.due_at), "j M Y")
    return " ".join(filter(None, (check.trouble, f"Without an answer {check.reference} ends on {due}.")))


def _answer(answer: ExternalAnswer, user) -> list:
    state = AnswerState(answer.state)
    result = Badge(Result(answer.result).label, RESULT_TONES[Result(answer.result)]) if answer.result else None
    became = Badge(state.label, ANSWER_TONES.get(state, ""))
    return [
        answer.reference, answer.check_asked.reference, answer.received_at, result, answer.trouble or became,
        _fields(answer.matched), _fields(answer.differing), sealed(answer, "body", "whole answer", user), answer.sha256,
    ]  # fmt: skip


def _fields(names: Iterable[str]) -> str:
    return ", ".join(FIELDS.get(name, name) for name in names)
