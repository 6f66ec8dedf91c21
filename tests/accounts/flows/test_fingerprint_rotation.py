"""The fingerprint key is changed while the portal works: ties hold before, in between and after (ASVS 11.1.2)."""

import io
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.flows import links, restricted, screening, watchlists
from accounts.models import ContactPoint, Identifier, Party, RestrictedCustomer, RetainedFingerprint
from kyc_portal.records.acting import one_flow
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.settings.tests import _key
from tests.accounts.lists import SHIP, VOLKOV, WORKS, write_list
from tests.builders import make_party
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
OLD, NEW = _key("f"), _key("g").replace("test-1", "test-2")


@pytest.fixture
def changing(settings):
    """From here on the new key writes and both read."""

    def begin():
        settings.FINGERPRINT_KEY, settings.FINGERPRINT_KEY_OLD = NEW, OLD

    return begin


@pytest.fixture
def list_with_match(db, tmp_path) -> Party:
    """A party that resembles the one entry of a list."""
    write_list(tmp_path / "list", VOLKOV, WORKS, SHIP)
    watchlists.load_snapshot("ofac-sdn", tmp_path / "list", by=SCHEDULER, at=NOON)
    return make_party(legal_name="Boris Volkov", citizenship="RU", birth_date=date(1970, 7, 4))


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_fingerprints", stdout=out)
    return out.getvalue()


def tied(party) -> dict[str, float]:
    return {link.party.reference: link.score for link in links.find_links(party)}


def two_who_share(**more) -> tuple[Party, Party]:
    shared = {"phone": "+4930901821", "email": "shared@customer.example", **more}
    return make_party(**shared), make_party(**shared)


class TestTies:
    def test_they_hold_at_every_stage_and_are_as_strong(self, changing, settings):
        one, other = two_who_share()
        before = tied(one)
        stages = []

        changing()
        stages.append(tied(one))
        assert links.renew_fingerprints(by=SCHEDULER, at=NOON, limit=1) == 1
        stages += [tied(one), {one.reference: tied(other)[one.reference]}]
        assert links.renew_fingerprints(by=SCHEDULER, at=NOON, limit=1) == 1
        stages.append(tied(one))
        assert links.renew_fingerprints(by=SCHEDULER, at=NOON, limit=1) == 0
        settings.FINGERPRINT_KEY_OLD = ""
        stages.append(tied(one))

        assert before and [set(each.values()) for each in stages] == [set(before.values())] * 5
        assert set(Identifier.objects.values_list("key_id", flat=True)) == {"test-2"}

    @pytest.mark.parametrize("renewed", [0, 1, 2])
    def test_who_comes_in_between_is_tied_to_both(self, changing, renewed):
        one, other = two_who_share()
        changing()
        for _ in range(renewed):
            links.renew_fingerprints(by=SCHEDULER, at=NOON, limit=1)

        new = make_party(phone="+4930901821")

        assert set(tied(new)) == {one.reference, other.reference}
        assert new.reference in tied(one) and new.reference in tied(other)

    def test_a_value_given_again_in_between_is_kept_once(self, changing):
        one, _ = two_who_share()
        before = tied(one), Identifier.objects.filter(party=one).count()
        changing()

        links.remember(one, [("phone", "+4930901821")], at=NOON)

        assert (tied(one), Identifier.objects.filter(party=one).count()) == before
        rotate()
        assert (tied(one), Identifier.objects.filter(party=one).count()) == before

    def test_a_process_that_was_not_restarted_yet_does_no_harm(self, changing, settings):
        one, _ = two_who_share()
        before = tied(one)
        changing()
        rotate()
        settings.FINGERPRINT_KEY, settings.FINGERPRINT_KEY_OLD = OLD, ""
        links.remember(one, [("phone", "+4930901821")], at=NOON)
        changing()

        rotate()

        assert tied(one) == before
        settings.FINGERPRINT_KEY_OLD = ""
        assert tied(one) == before

    def test_who_was_purged_under_the_former_key_is_known_while_it_is_changed(self, changing):
        one, _ = two_who_share()
        with one_flow(SCHEDULER):
            gone = RestrictedCustomer.objects.create(reference="ACC-OLD", reason="listed", remembered_on=NOON.date())
            RetainedFingerprint.objects.bulk_create(
                RetainedFingerprint(customer=gone, kind=row.kind, digest=row.digest)
                for row in Identifier.objects.filter(party=one)
            )
        changing()
        new = make_party(phone="+4930901821")

        assert [found.customer for found in restricted.find_restricted(new)] == [gone]
        rotate()
        assert [found.customer for found in restricted.find_restricted(new)] == [gone]

    def test_nothing_equal_is_found_by_the_new_key_alone_before_the_rotation(self, settings):
        one, _ = two_who_share()
        settings.FINGERPRINT_KEY = NEW

        assert make_party(phone="+4930901821").reference not in tied(one)


class TestTheCommand:
    def test_it_tells_and_records_and_a_second_run_finds_nothing(self, changing):
        two_who_share()
        changing()

        first, second = rotate(), rotate()

        assert first.startswith("2 parties") and second.startswith("0 parties")
        event = AuditEvent.objects.get(verb="accounts.fingerprints_renewed")
        assert event.facts == {"count": 2, "key_id": "test-2"}

    def test_a_value_no_longer_on_file_stays_under_the_former_key_and_is_counted(self, changing):
        one, other = two_who_share()
        ContactPoint._base_manager.filter(party=one, kind="phone")._raw_delete("default")
        changing()

        said = rotate()

        left = Identifier.objects.exclude(key_id="test-2")
        assert "1 fingerprints of values no longer on file" in said
        assert [(row.party_id, row.kind) for row in left] == [(one.pk, "phone")]
        assert other.reference in tied(one)  # while both keys are there, the phone still counts

    def test_it_goes_on_where_it_was_stopped(self, changing):
        for _ in range(5):
            make_party()
        changing()
        links.renew_fingerprints(by=SCHEDULER, at=NOON, limit=2)

        assert rotate().startswith("3 parties")

    @pytest.mark.parametrize("old", ["", NEW, OLD.replace("test-1", "test-2")])
    def test_two_keys_with_ids_of_their_own_are_needed(self, settings, old):
        settings.FINGERPRINT_KEY, settings.FINGERPRINT_KEY_OLD = NEW, old

        with pytest.raises(CommandError, match="with an id of its own") as refused:
            rotate()

        assert refused.value.returncode == 2


class TestJudgements:
    def test_a_judgement_outlives_the_change(self, changing, settings, list_with_match):
        party = list_with_match
        screening.screen_party(party, by=SCHEDULER, at=NOON)
        hit = party.hits.get()
        party.hits.update(status="dismissed", judged_at=NOON, judged_by="lea")

        changing()
        screening.screen_party(party, by=SCHEDULER, at=NOON + timedelta(days=1))
        settings.FINGERPRINT_KEY_OLD = ""
        screening.screen_party(party, by=SCHEDULER, at=NOON + timedelta(days=2))

        assert [(each.pk, each.status) for each in party.hits.all()] == [(hit.pk, "dismissed")]

    def test_without_the_former_key_it_would_be_asked_for_again(self, settings, list_with_match):
        party = list_with_match
        screening.screen_party(party, by=SCHEDULER, at=NOON)
        party.hits.update(status="dismissed", judged_at=NOON, judged_by="lea")

        settings.FINGERPRINT_KEY = NEW
        screening.screen_party(party, by=SCHEDULER, at=NOON + timedelta(days=1))

        assert party.hits.count() == 2
