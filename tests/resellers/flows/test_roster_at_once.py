"""Two at the same moment: one file sent twice, one accepted twice, two workers on one job (trust.md G1, G14)."""

import pytest

from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.refs import SCHEDULER
from resellers.flows import roster_taking
from resellers.models import RosterEntry, RosterUpload
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_reseller
from tests.conftest import NOON
from tests.resellers.rosters import agree, as_csv, read, row, send

pytestmark = pytest.mark.django_db(transaction=True)


@needs_row_locks
def test_g1_a_file_sent_twice_at_once_is_one_upload(in_threads):
    reseller = make_reseller()

    first, second = once_it_waits(
        lambda: send(reseller, as_csv(row("1"))), lambda: send(reseller, as_csv(row("1"))), in_threads
    )  # fmt: skip

    assert first == second and second.is_repeat and RosterUpload.objects.count() == 1


@needs_row_locks
def test_two_who_accept_at_once_are_one(in_threads):
    upload = read(make_reseller(), row("1"))

    def too_late():
        with pytest.raises(MoveNotAllowed):
            agree(upload)
        return "refused"

    assert once_it_waits(lambda: agree(upload), too_late, in_threads)[1] == "refused"


@needs_row_locks
def test_two_files_accepted_at_once_are_one_after_the_other(in_threads):
    reseller = make_reseller()
    one, other = read(reseller, row("1")), read(reseller, row("2"))

    def too_late():
        with pytest.raises(roster_taking.AnotherUnderWay):
            agree(other)
        return "refused"

    assert once_it_waits(lambda: agree(one), too_late, in_threads)[1] == "refused"


@needs_row_locks
def test_g14_two_workers_on_one_job_write_each_row_once(in_threads, monkeypatch):
    monkeypatch.setattr(roster_taking, "BATCH", 2)
    upload = read(make_reseller(), *(row(str(number)) for number in range(9)))
    agree(upload)

    in_threads(*[lambda: roster_taking.accept(upload.reference, by=SCHEDULER, at=NOON)] * 2)

    upload.refresh_from_db()
    assert (upload.state, upload.new_count, RosterEntry.objects.in_force().count()) == ("accepted", 9, 9)
    assert RosterEntry.objects.count() == 9
