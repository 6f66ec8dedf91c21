"""Two pages about decisions: what each outcome and reason brings about, and the replay of one decision."""

from django.utils import timezone

from accounts.rules.refusals import refusal_reason
from cases.flows.effects import UNDO
from cases.flows.replay import Replay, title_of
from cases.flows.signing import UNINVOLVED
from cases.rules.outcomes import OUTCOMES, REASONS, UNTOUCHED, OutcomeCode
from cases.rules.replay import CHANGED, GONE, NEW, SAME
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.sections import Badge, Facts, Link, Table

TONES = {SAME: "good", CHANGED: "warning", GONE: "", NEW: "info"}


def catalogue() -> list[Table]:
    """Every outcome and every reason: what it does, who signs, what the customer reads, how long they can appeal."""
    regime = regime_on(legal_day(timezone.now()))
    minutes, days = regime.whole(UNDO), regime.whole(UNINVOLVED)
    outcomes = [
        [
            code.label.capitalize(), each.effect.label.capitalize(), "two" if each.countersigned else "one",
            "none" if each.effect in UNTOUCHED else f"{minutes} minutes", each.public_effect or "nothing",
            f"{regime.whole(each.appeal_window)} days" if each.appeal_window else "none",
        ]
        for code, each in OUTCOMES.items()
    ]  # fmt: skip
    reasons = [
        [
            each.title, ", ".join(code.label for code in OutcomeCode if code in each.outcomes),
            "two, always" if each.rests_on_list else "as the outcome says",
            each.public_wording if each.is_told else "nothing",
            refusal_reason(each.refusal).told if OutcomeCode.CLOSE in each.outcomes else "",
        ]
        for each in REASONS.values()
    ]  # fmt: skip
    return [
        Table(
            "outcomes", "Outcomes",
            ["Outcome", "What happens", "Signatures", "Can be undone for", "The customer reads", "Can be appealed for"],
            outcomes,
            note=f"Minutes and days are our own policy. The second signature comes from another person: not who "
            "proposed it or a key of theirs, nor who stands in for them; and where the account is taken away, nobody "
            f"who had the case in the last {days} days.",
        ),
        Table(
            "reasons", "Reasons",
            ["Reason", "Goes with", "Signatures", "The customer reads after it", "Instead, where it was never opened"],
            reasons,
            note="What rests on a sanctions list is never told as such.",
        ),
    ]  # fmt: skip


def replay_sections(found: Replay) -> list[Facts | Table]:
    """What a replay found: the sentences, and each fact then beside now."""
    decision = found.decision
    verdicts = [[Badge("holds" if holds else "look at it", "good" if holds else "warning"), told]
                for told, holds in found.sentences]  # fmt: skip
    rows = [
        [title_of(line.kind), line.reference, line.then, line.now, Badge(line.verdict, TONES[line.verdict])]
        for line in found.lines
    ]
    facts = [
        ("Decision", Link(decision.reference, decision)), ("Outcome", decision.get_outcome_display()),
        ("Reason", REASONS[decision.reason].title), ("State", decision.state_in_words),
        ("Seen on", decision.proposed_at), ("Hash of what was seen", decision.seen_sha256),
    ]  # fmt: skip
    return [
        Facts("decision", "Decision", facts),
        Table("verdicts", "What can be said of it today", ["", "Finding"], verdicts),
        Table(
            "facts", "What was seen then, and what is on file now", ["Kind", "Reference", "Then", "Now", "Became"],
            rows,
            empty="Nothing was on file then, and nothing is now.",
        ),
    ]  # fmt: skip
