"""A new version of a list while somebody is being screened against the former one: nobody is missed (R35)."""

from datetime import date, timedelta

import pytest

from accounts.flows import list_changes, screening, watchlists
from accounts.models import Party, ScreeningHit
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.lists import VOLKOV, WORKS, write_list
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_party
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("triggers_lifted_for_flush")
LATER = NOON + timedelta(hours=1)


@needs_row_locks
def test_r35_a_change_is_looked_at_once_the_screenings_under_way_are_committed(in_threads, tmp_path):
    def load(folder, *entries, at):
        path = write_list(tmp_path / folder, *entries)
        return watchlists.load_snapshot("ofac-sdn", path, force=True, by=SCHEDULER, at=at).snapshot

    load("first", WORKS, at=NOON)
    party = make_party(legal_name="Boris Volkov", citizenship="RU", birth_date=date(1970, 7, 4))

    def look():
        return list_changes.look_at_changes(load("second", WORKS, VOLKOV, at=LATER), by=SCHEDULER, at=LATER)

    done, touched = once_it_waits(lambda: screening.screen_party(party, by=SCHEDULER, at=NOON), look, in_threads)

    assert [each.hit_count for each in done] == [0] and touched == 1, (done, touched)
    assert Party.objects.get(pk=party.pk).marked_with == ""
    assert screening.screen_due(by=SCHEDULER, at=LATER) == {"done": 1, "failed": 0}
    assert ScreeningHit.objects.standing().get().party == party
