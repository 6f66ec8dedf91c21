"""Would the same be decided today? What was seen then beside what is on file now, and the rules of both days (R41).

A replay judges nobody: it says which facts changed, and whether a rule still allows or requires what was decided.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cases.rules.outcomes import OUTCOMES, OutcomeCode, UnfitOutcome, can_be_done, consequence_of

Seen = Mapping[str, Sequence[Mapping[str, object]]]

RULES = "rules"  # the kind under which is kept what the rules said
LISTED = frozenset({"list_match_confirmed", "owned_by_listed"})  # reasons that stand and fall with a confirmed hit
SAME, CHANGED, GONE, NEW = "same", "changed", "not on file any more", "new since then"


@dataclass(frozen=True)
class Difference:
    """One fact then and now, in words; `verdict` is SAME, CHANGED, GONE or NEW."""

    kind: str
    reference: str
    then: str
    now: str
    verdict: str


def compare(then: Seen, now: Seen) -> list[Difference]:
    """Every fact of the kinds that were kept, what changed first. Kinds that were not kept then are left out."""
    found = [line for kind in then if kind != RULES for line in _of_kind(kind, then[kind], now.get(kind, ()))]
    return sorted(found, key=lambda line: line.verdict == SAME)


def _of_kind(kind: str, then: Sequence[Mapping], now: Sequence[Mapping]) -> Iterator[Difference]:
    before = {row["reference"]: in_words(row) for row in then}
    after = {row["reference"]: in_words(row) for row in now}
    for reference, words in before.items():
        if reference not in after:
            yield Difference(kind, reference, words, "", GONE)
        else:
            verdict = SAME if after[reference] == words else CHANGED
            yield Difference(kind, reference, words, after[reference], verdict)
    for reference, words in after.items():
        if reference not in before:
            yield Difference(kind, reference, "", words, NEW)


def in_words(row: Mapping[str, object]) -> str:
    """The facts of a row but its reference, for example "score 0.93, status open"; hashes by their first letters."""
    return ", ".join(
        f"{name.replace('_', ' ')} {str(value)[:12] if name == 'sha256' else value}"
        for name, value in sorted(row.items()) if name != "reference"
    )  # fmt: skip


def verdicts(outcome: str, reason: str, *, status: str, then: Seen, now: Seen) -> list[tuple[str, bool]]:
    """Sentences on the rules of today, each with whether it speaks for the decision; `status` is the account's."""
    try:
        consequence_of(outcome, reason)
    except UnfitOutcome:
        return [("Our rules do not allow this outcome for this reason any more.", False)]
    told = [("Our rules allow this outcome for this reason.", True), _rules_then_and_now(then, now)]
    if not can_be_done(outcome, status):
        told.append(("It could not be done to the account as it stands now.", False))
    return [*told, _ground(outcome, reason, now)]


def _rules_then_and_now(then: Seen, now: Seen) -> tuple[str, bool]:
    before, after = (dict(next(iter(seen.get(RULES, ())), {})) for seen in (then, now))
    if not before:
        return "What the rules said then was not kept.", False
    changed = [
        f"{name.replace('_', ' ')} {before.get(name)} then, {after.get(name)} now"
        for name in sorted({*before, *after}) if before.get(name) != after.get(name)
    ]  # fmt: skip
    if changed:
        return f"The rules changed since: {'; '.join(changed)}.", False
    return "The same signatures, effect, words and days to appeal would follow.", True


def _ground(outcome: str, reason: str, now: Seen) -> tuple[str, bool]:
    """Whether a rule requires the consequence by what is on file now."""
    states = {row.get("status") for row in now.get("hits", ())}
    if reason in LISTED:
        if "confirmed" in states:
            return "A confirmed hit stands, so our rules still require that the account is stopped.", True
        return "No hit is confirmed any more: nothing on file requires it.", False
    if reason == "list_match_dismissed":
        if states & {"confirmed", "open"}:
            return "A hit is confirmed or not judged yet, so the match is not dismissed.", False
        return "No hit is confirmed or open.", True
    effect = OUTCOMES[OutcomeCode(outcome)].effect.label
    return f"No rule requires it ({effect}): it rests on the judgement of whoever decides.", True
