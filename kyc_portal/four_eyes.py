"""Two persons for one act: who may add the second signature, and to what (requirement R37)."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from kyc_portal.refusal import Refusal

PERSON, SCHEDULER, API_CLIENT, OPERATOR = "person", "scheduler", "api_client", "operator"

NOT_A_PERSON = {
    API_CLIENT: "An API client cannot give the second signature for this",
    OPERATOR: "An operator at the command line cannot give the second signature for this",
    SCHEDULER: "The scheduler cannot give the second signature for this",
}


class Acting(Protocol):
    """What this rule needs to know about whoever acts; `records.refs.Actor` fits it."""

    @property
    def kind(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def owner_key(self) -> str | None: ...


class SecondPersonNeeded(Refusal):
    """The second signature must come from another person, signed in under their own name."""


class PreparedAnew(Refusal):
    """Something else waits for the second signature than what was read."""


def person_key(actor: Acting) -> str:
    """Return the key of the person who answers for `actor`: an API client answers as its owner."""
    if actor.kind == API_CLIENT and actor.owner_key:
        return actor.owner_key
    return actor.key


def require_second_person(
    first: str | None,
    second: Acting,
    *,
    deed: str = "this",
    barred: Mapping[str, str] | None = None,
    could: Callable[[], Iterable[str]] | None = None,
) -> None:
    """Refuse unless `second` is a person, signed in themselves, and not the one who took the first step.

    `first` is the `person_key` of whoever took the first step, or None when no person did (the scheduler
    proposed it). `deed` names the act inside the sentence. `barred` gives, by the key of others who are too near to
    it, the sentence why; `could` the names of those who may, asked for only when somebody is refused. Raises
    SecondPersonNeeded.
    """
    if second.kind != PERSON:
        opening = NOT_A_PERSON.get(second.kind, "Only a person can give the second signature for this")
        who = who_in_words(could, "Ask a colleague to sign in under their own name and do it.")
        raise SecondPersonNeeded(f"{opening.removesuffix('this')}{deed}. {who}")
    key = person_key(second)
    if first is not None and first == key:
        who = who_in_words(could, "Ask a colleague to do it.")
        raise SecondPersonNeeded(
            f"You took the first step yourself, so you cannot give the second signature for {deed}. {who}"
        )
    if barred and key in barred:
        who = who_in_words(could, "Ask a colleague to do it.")
        raise SecondPersonNeeded(f"{barred[key]} So you cannot give the second signature for {deed}. {who}")


def digest(*parts: object) -> str:
    """SHA-256 of what lies before whoever signs, in its parts: plain values, moments and keys as the database has them.

    A page carries it to the flow, which makes it anew from the locked rows (`require_as_shown`).
    """
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def require_as_shown(shown: str, now: str, *, name: str) -> None:
    """Refuse a signature unless what lay before whoever signs is what would be signed now. Raises PreparedAnew.

    `shown` and `now` are digests, `name` is the reference of what is signed.
    """
    if shown != now:
        raise PreparedAnew(f"{name} was prepared anew since you opened this page. Open it again and read it first.")


MOST_NAMED = 3


def who_in_words(could: Callable[[], Iterable[str]] | None, otherwise: str) -> str:
    """Whom to ask, as a sentence: the first few of the names, or `otherwise` when nobody says who could."""
    if could is None:
        return otherwise
    names = list(could())
    if not names:
        return "Nobody else here today may sign it: ask an administrator who should."
    named = names[:MOST_NAMED]
    if more := len(names) - len(named):
        named.append("another colleague" if more == 1 else f"one of {more} others")
    return f"Ask {named[0] if len(named) == 1 else ', '.join(named[:-1]) + ' or ' + named[-1]} to do it."
