"""What is asked for at the end of a flow is done once, for everything named, before the outermost one commits."""

import pytest
from django.db import transaction

from kyc_portal.records.acting import at_end_of_flow, flow
from kyc_portal.records.refs import SCHEDULER, Actor
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
OTHER = Actor(kind="operator", key="os:other", label="another")


class Ledger:
    """Notes when it is called, with what, by whom, and whether a transaction is open."""

    def __init__(self):
        self.told = []

    def note(self, items, *, by, at):
        self.told.append((sorted(items), by, at, transaction.get_connection().in_atomic_block))


@pytest.fixture
def ledger():
    return Ledger()


@flow
def inner(note, item, *, by, at, fails=False):
    at_end_of_flow(note, item, by=by)
    if fails:
        raise ValueError(item)


@flow
def outer(ledger, *, by, at, fails=False):
    note = ledger.note
    inner(note, "b", by=OTHER, at=at)
    inner(note, "a", by=OTHER, at=at)
    at_end_of_flow(note, "b", by=by)
    assert ledger.told == [], "not before the end"
    if fails:
        raise ValueError


class TestAtTheEnd:
    def test_it_is_called_once_by_whoever_began(self, ledger):
        outer(ledger, by=SCHEDULER, at=NOON)

        assert ledger.told == [(["a", "b"], SCHEDULER, NOON, True)]

    def test_not_when_the_flow_failed_and_nothing_is_left_for_the_next(self, ledger):
        with pytest.raises(ValueError):
            outer(ledger, by=SCHEDULER, at=NOON, fails=True)
        inner(ledger.note, "c", by=SCHEDULER, at=NOON)

        assert [items for items, *_ in ledger.told] == [["c"]]

    def test_a_part_that_failed_and_was_caught_is_compared_all_the_same(self, ledger):
        @flow
        def forgiving(*, by, at):
            with pytest.raises(ValueError):
                inner(ledger.note, "d", by=by, at=at, fails=True)

        forgiving(by=SCHEDULER, at=NOON)

        assert [items for items, *_ in ledger.told] == [["d"]]

    def test_what_is_asked_for_at_the_end_is_done_as_well(self, ledger):
        def more(items, *, by, at):
            inner(ledger.note, "e", by=by, at=at)

        @flow
        def begin(*, by, at):
            at_end_of_flow(more, "x", by=by)

        begin(by=SCHEDULER, at=NOON)

        assert [items for items, *_ in ledger.told] == [["e"]]

    def test_outside_of_every_flow_at_once(self, ledger):
        at_end_of_flow(ledger.note, "f", by=OTHER)

        assert [(items, by) for items, by, *_ in ledger.told] == [(["f"], OTHER)]
