"""What a form was shown, and what came between: of two who write at once one is refused."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from cases.flows import review, workspace
from cases.models import CaseNote
from kyc_portal.records.models import AuditEvent
from tests.at_once import needs_row_locks
from tests.cases.builders import make_case
from tests.conftest import NOON, person

EVENTS = st.lists(st.uuids(), max_size=6, unique=True).map(lambda keys: [AuditEvent(id=key) for key in keys])


@given(EVENTS, EVENTS)
def test_another_history_is_another_version(one, other):
    same = [event.pk for event in one] == [event.pk for event in other]

    assert (workspace.version_of(one) == workspace.version_of(other)) == same


@pytest.mark.django_db
class TestTimeline:
    def test_its_pages_tell_every_event_once(self, analyst_user):
        case = make_case(worked_by=analyst_user)
        for number in range(2 * workspace.PAGE):
            review.add_note(case, text="x", by=analyst_user.as_actor, at=NOON + timedelta(minutes=number // 40))
        account, told, before = case.subjects.get().account, [], ""
        while True:
            page = workspace.timeline(case, account, before=before)
            told += [event.pk for event in page.events]
            if not page.older:
                break
            before = page.older

        everything = {event.pk for about in (case, account) for event in workspace.changes_of(about)}
        assert len(told) == len(set(told)) and set(told) == everything

    @pytest.mark.parametrize("place", ["x", "2026-01-01", "2026-01-01T00:00:00_x", "2026-01-01T00:00Z_", "\x00"])
    def test_a_place_that_is_none_is_refused(self, place):
        with pytest.raises(workspace.BadPlace):
            workspace.timeline(make_case(), None, before=place)


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_the_same_form_at_once_one_is_refused(roles_there):
    people = [person("ana", "reviewer"), person("bea", "reviewer")]
    case = make_case()
    shown = workspace.version_of(list(workspace.changes_of(case)[: workspace.READ]))
    start, told = threading.Barrier(2), []

    def send(user):
        by = user.as_actor
        start.wait()
        try:
            workspace.unless_changed(
                case, shown=shown, deed=lambda: review.add_note(case, text="mine", by=by, at=NOON), by=by, at=NOON
            )
            told.append("done")
        except workspace.ChangedSince as refusal:
            told.append(refusal.events[0].verb)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(user,)) for user in people]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(told) == ["cases.noted", "done"] and CaseNote.objects.count() == 1
