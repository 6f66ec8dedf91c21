"""Legal holds: placed on files, in force until released, never on what is gone (R54, R80, R111)."""

from datetime import date, timedelta

import pytest

from accounts.models import Address
from kyc_portal.records import audit, holds
from kyc_portal.records.models import AuditEvent, HeldRecord, LegalHold
from kyc_portal.records.refs import RecordRef
from tests.conftest import NOON
from tests.kyc_portal.records.files import make_account, make_party

pytestmark = pytest.mark.django_db


def hold_on(*records, by, **changes) -> LegalHold:
    given = {"reason": "preservation", "ground": "Request 17 of the district court", "at": NOON}
    return holds.place_hold(records, by=by, **{**given, **changes})


class TestPlaceHold:
    def test_it_names_every_record_and_tells_each(self, counsel):
        party = make_party()
        account = make_account(party)

        hold = hold_on(party, account, by=counsel)

        assert {row.ref for row in hold.records.all()} == {RecordRef.of(party), RecordRef.of(account)}
        told = AuditEvent.objects.filter(verb="records.hold.placed").values_list("about_key", flat=True)
        assert set(told) == {str(party.pk), str(account.pk)}
        assert [event.verb for event in audit.history_of(hold)] == ["records.hold.placed"] * 2

    def test_the_same_record_twice_is_held_once(self, counsel):
        party = make_party()

        hold = hold_on(party, party, by=counsel)

        assert hold.records.count() == 1

    def test_it_refuses_a_part_of_a_file(self, counsel):
        address = Address.objects.get(party=make_party())

        with pytest.raises(holds.NotHoldable, match="Place the hold on the file itself"):
            hold_on(address, by=counsel)

        assert not LegalHold.objects.exists()

    def test_it_refuses_what_is_already_destroyed_and_holds_nothing_then(self, counsel):
        gone, there = make_party(), make_party()
        Address.objects.filter(party=gone)._raw_delete("default")
        type(gone).objects.filter(pk=gone.pk)._raw_delete("default")

        with pytest.raises(holds.AlreadyDestroyed, match=f"{gone.reference} was already destroyed"):
            hold_on(there, gone, by=counsel)

        assert not LegalHold.objects.exists() and not HeldRecord.objects.exists()


class TestWhyHeld:
    def test_it_gives_a_sentence_for_each_hold(self, counsel):
        party = make_party()
        first, second = hold_on(party, by=counsel), hold_on(party, by=counsel, ground="Order 4")

        said = holds.why_held([party])

        assert sorted(said) == sorted(
            [
                f"{first.reference} holds {party.reference}: Request 17 of the district court.",
                f"{second.reference} holds {party.reference}: Order 4.",
            ]
        )

    def test_it_is_empty_for_others(self, counsel):
        hold_on(make_party(), by=counsel)

        assert holds.why_held([make_party()]) == [] == holds.why_held([])

    def test_a_hold_past_its_day_still_holds(self, counsel):
        party = make_party()
        hold = hold_on(party, by=counsel, until=date(2026, 3, 1))

        assert list(LegalHold.objects.past_their_end(date(2026, 3, 2))) == [hold]
        assert not LegalHold.objects.past_their_end(date(2026, 3, 1)).exists()
        assert holds.why_held([party])


class TestReleaseHold:
    def test_it_ends_this_hold_only(self, counsel, second_counsel):
        party = make_party()
        first, second = hold_on(party, by=counsel), hold_on(party, by=counsel)

        released = holds.release_hold(first, reason="withdrawn", by=second_counsel, at=NOON + timedelta(days=1))

        assert not released.is_in_force and released.released_by == "cora"
        assert [row.hold for row in holds.held_records([party])] == [second]
        assert AuditEvent.objects.get(verb="records.hold.released").about_key == str(party.pk)

    def test_it_refuses_a_second_release(self, counsel):
        hold = hold_on(make_party(), by=counsel)
        holds.release_hold(hold, reason="withdrawn", by=counsel, at=NOON)

        with pytest.raises(holds.HoldNotInForce, match="already released by carl"):
            holds.release_hold(hold, reason="again", by=counsel, at=NOON)
