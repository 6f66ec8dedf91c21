"""The moves a record may make from state to state, as a table that can be asked and drawn."""

from collections.abc import Iterable, Mapping

from kyc_portal.refusal import Refusal


class MoveNotAllowed(Refusal):
    """The record cannot go from the state it is in to the state asked for."""


class Lifecycle:
    """One table of moves; immutable after construction.

    `moves` maps each state to the states it may go to; a last state maps to nothing. The first key is the
    state in which a record begins. `names` gives each state the words staff read; without it the code's own
    words are used. Raises ValueError when a state is unknown, unnamed, or would move to itself.
    """

    def __init__(self, moves: Mapping[str, Iterable[str]], names: Mapping[str, str] | None = None):
        self._moves = {str(old): tuple(str(new) for new in targets) for old, targets in moves.items()}
        given = {str(state): str(name) for state, name in (names or {}).items()}
        self._names = {state: given.get(state, state.replace("_", " ")) for state in self._moves}
        self._check(given)

    def _check(self, given: Mapping[str, str]) -> None:
        if not self._moves:
            raise ValueError("A lifecycle needs at least one state.")
        for old, targets in self._moves.items():
            if unknown := set(targets) - set(self._moves):
                raise ValueError(f"{old} moves to states that the table does not list: {sorted(unknown)}")
            if old in targets or len(set(targets)) != len(targets):
                raise ValueError(f"{old} lists itself, or one state twice.")
        if given and (odd := set(given) ^ set(self._moves)):
            raise ValueError(f"States and names do not agree: {sorted(odd)}")

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, the first one first."""
        return tuple(self._moves)

    def after(self, old: str) -> tuple[str, ...]:
        """Return the states that may follow `old`. Raises ValueError for a state the table does not list."""
        try:
            return self._moves[str(old)]
        except KeyError:
            raise ValueError(f"{str(old)[:80]!r} is no state of this lifecycle.") from None

    def allows(self, old: str, new: str) -> bool:
        """Say whether `old` may be followed by `new`."""
        return str(new) in self.after(old)

    def require(self, old: str, new: str) -> None:
        """Raise MoveNotAllowed unless `old` may be followed by `new`; ValueError for unknown states."""
        self.after(new)
        if self.allows(old, new):
            return

        targets = [self._quoted(state) for state in self.after(old)]
        possible = f"From here it can become {_either(targets)}." if targets else "This is its last state."
        raise MoveNotAllowed(f"What is {self._quoted(old)} cannot become {self._quoted(new)}. {possible}")

    def diagram(self) -> str:
        """Draw the table as text of a Mermaid state diagram, for the README and the documentation."""
        lines = ["stateDiagram-v2", *(f"    {state} : {name}" for state, name in self._names.items())]
        lines.append(f"    [*] --> {self.states[0]}")
        for old, targets in self._moves.items():
            lines += [f"    {old} --> {new}" for new in targets] or [f"    {old} --> [*]"]
        return "\n".join(lines) + "\n"

    def _quoted(self, state: str) -> str:
        return f"“{self._names[str(state)]}”"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
