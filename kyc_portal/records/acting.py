"""Who acts now, and in which act: set by a door or a flow, read by the audit trail and by the database (R53).

`flow` makes a function one transaction under its actor, so that the database knows whom a change belongs to before the
first row is written.
"""

import contextlib
import functools
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextvars import ContextVar
from datetime import datetime

from django.db import transaction

from kyc_portal.records.clock import moment
from kyc_portal.records.refs import Actor

_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_in_flow: ContextVar[bool] = ContextVar("in_flow", default=False)
_request_id: ContextVar[str] = ContextVar("request_id", default="")
_at_end: ContextVar[dict[Callable, set] | None] = ContextVar("at_end", default=None)


def current_actor() -> Actor | None:
    """Whoever acts now; None outside of every door and flow."""
    return _actor.get()


def in_flow() -> bool:
    """Whether a flow is at work, which alone may change many rows at once."""
    return _in_flow.get()


def current_request_id() -> str:
    """The id that ties all effects of one click, command or flow together; empty outside of every one of them."""
    return _request_id.get()


@contextlib.contextmanager
def within_request(request_id: str) -> Iterator[None]:
    """Every event and every change of a row inside carries this id."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


@contextlib.contextmanager
def acting(by: Actor, *, as_flow: bool = False) -> Iterator[None]:
    """Every change of a row inside is this actor's.

    Doors (a page, a command, a task) open it; `as_flow` is for `flow` and `one_flow` alone.
    """
    tokens = _actor.set(by), _in_flow.set(as_flow)
    try:
        yield
    finally:
        _actor.reset(tokens[0])
        _in_flow.reset(tokens[1])


@contextlib.contextmanager
def one_flow(by: Actor, at: datetime | None = None) -> Iterator[None]:
    """One transaction of a flow that has several, such as one batch of a long import.

    One that belongs to no request gets an id of its own. What was asked for with `at_end_of_flow` is done last.
    """
    request_id = _request_id.get() or f"flow:{uuid.uuid4()}"
    with acting(by, as_flow=True), within_request(request_id), transaction.atomic(), _ending(by, at):
        yield


@contextlib.contextmanager
def _ending(by: Actor, at: datetime | None) -> Iterator[None]:
    if _at_end.get() is not None:  # a part of another flow, whose end is the end of this one
        yield
        return
    asked: dict[Callable, set] = {}
    token = _at_end.set(asked)
    try:
        yield
        while asked:
            act = next(iter(asked))
            act(asked.pop(act), by=by, at=at or moment(None))
    finally:
        _at_end.reset(token)


def at_end_of_flow(act: Callable, item: Hashable, *, by: Actor) -> None:
    """Have `act(items, by=, at=)` called once, before the outermost flow commits, with all that was named for it.

    So what follows from a change is worked out from how the flow leaves the rows, not from what they were in between.
    Outside of every flow it is called at once, `by` whoever changed the row.
    """
    asked = _at_end.get()
    if asked is None:
        act({item}, by=by, at=moment(None))
    else:
        asked.setdefault(act, set()).add(item)


def flow(function: Callable) -> Callable:
    """Declare a function with the keyword `by=` a flow: one transaction, each change in it made by that actor.

    Called within another flow it becomes a part of that one's transaction, under its own actor.
    """

    @functools.wraps(function)
    def run(*args, by: Actor, **named):
        with one_flow(by, named.get("at")):
            return function(*args, by=by, **named)

    return run
