"""Replay a decision: what was seen then, what the same facts are now, and what the rules of today say (R41, R114)."""

from dataclasses import dataclass
from datetime import date

from accounts.models import Account, RiskSignal
from cases.flows.evidence import (
    REPORTS,
    TITLES,
    digest_of,
    reports_of,
    row_of_signal,
    rules_then,
    seen_by_reviewer,
)
from cases.models import Decision
from cases.rules import replay as rules
from cases.rules.outcomes import UnfitOutcome, consequence_of
from kyc_portal.records import audit


@dataclass(frozen=True)
class Replay:
    """What a replay found. `is_intact` is None for a decision from before hashes were kept."""

    decision: Decision
    is_intact: bool | None
    sentences: list[tuple[str, bool]]  # each with whether it speaks for the decision
    lines: list[rules.Difference]


def replay(decision: Decision, *, on: date) -> Replay:
    """Hold a decision against what is on file on the day `on`; changes nothing."""
    account = Account.objects.select_related("party").get(pk=decision.account_id)
    then = decision.rests_on
    now = seen_by_reviewer(account, on=on)
    now[REPORTS] = reports_of({decision.case_id: [account]})[decision.case_id, account.pk]
    now["signals"] = _signals(then, now)
    now["restrictions"] = [row for row in now["restrictions"] if row["basis"] != decision.reference]
    try:
        now[rules.RULES] = rules_then(consequence_of(decision.outcome, decision.reason), status=account.status, on=on)
    except UnfitOutcome:
        now[rules.RULES] = []
    is_intact = intact(decision)
    sentences = [_seal(is_intact)]
    sentences += rules.verdicts(decision.outcome, decision.reason, status=account.status, then=then, now=now)
    return Replay(decision, is_intact, sentences, rules.compare(then, now))


def intact(decision: Decision) -> bool | None:
    """Whether what was seen is what the row's hash and the event of the trail say; None when no hash was kept.

    The event is the witness: whoever changes the row and its hash together cannot change it.
    """
    told = [event.facts["digest"] for event in audit.history_of(decision) if "digest" in event.facts]
    if not decision.seen_sha256 and not told:
        return None
    return {digest_of(decision.rests_on), decision.seen_sha256, *told[-1:]} == {decision.seen_sha256} and bool(told)


def title_of(kind: str) -> str:
    """The kind of a fact as pages name it."""
    return TITLES.get(kind, kind)


def _seal(is_intact: bool | None) -> tuple[str, bool]:
    if is_intact is None:
        return "What was seen was kept without a hash, so nobody can say whether it is unchanged.", False
    if is_intact:
        return "What was seen is unchanged: its hash is the one in the audit trail.", True
    return "What was seen was changed after the decision: its hash is not the one in the audit trail.", False


def _signals(then: dict, now: dict) -> list[dict]:
    """The open flags, and those seen then even when they are answered since: an answer is no change of the flag."""
    seen = {row["reference"] for row in now["signals"]}
    missing = [row["reference"] for row in then.get("signals", ()) if row["reference"] not in seen]
    return [
        *now["signals"],
        *map(row_of_signal, RiskSignal.objects.filter(reference__in=missing).order_by("reference")),
    ]
