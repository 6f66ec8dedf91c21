import uuid
from datetime import date, timedelta

import pytest
from django.urls import reverse_lazy
from django.utils import timezone

from kyc_portal.records import acting, audit, holds
from kyc_portal.records.clock import legal_day
from kyc_portal.records.models import AuditEvent, AuditPayload, LegalHold
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.verbs import Verb
from kyc_portal.work.models import Job, JobState
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
EVENTS, HOLDS, JOBS = (
    reverse_lazy(f"admin:{screen}_changelist") for screen in ("records_auditevent", "records_legalhold", "work_job")
)


class TestAuditEvents:
    def test_a_search_by_reference_finds_the_record_and_what_happened_within_it(self, as_role):
        account, other = make_account(), make_account()
        inner = audit.record(Verb.EXPORTED, other.party, by=SCHEDULER, at=NOON, within=account, what="inner fact")

        page = as_role("compliance").get(EVENTS, {"q": account.reference.lower()}).content.decode()

        assert "took in the prospect" in page and "inner fact" in page and str(inner.pk) in page
        assert other.reference not in page

    def test_a_search_finds_the_events_of_a_record_that_is_gone(self, as_role):
        key = str(uuid.uuid4())
        hold = LegalHold.objects.create(reason="litigation", ground="Matter 1", placed_at=NOON, placed_by="cara")
        hold.records.create(label="accounts.account", key=key, name="ACC-GONE-GONE")
        ref = hold.records.get().ref
        audit.record(Verb.HOLD_PLACED, ref, by=SCHEDULER, at=NOON, hold=hold.reference, reason="litigation")

        page = as_role("compliance").get(EVENTS, {"q": "ACC-GONE-GONE"}).content.decode()

        assert f"placed hold {hold.reference}" in page

    def test_a_request_leads_to_all_its_events(self, as_role):
        with acting.within_request("request-1"):
            first = audit.record(Verb.EXPORTED, make_account(), by=SCHEDULER, at=NOON, what="one")
            audit.record(Verb.EXPORTED, make_account(), by=SCHEDULER, at=NOON, what="two")
        audit.record(Verb.EXPORTED, make_account(), by=SCHEDULER, at=NOON, what="three")

        staff = as_role("compliance")
        page = staff.get(f"{EVENTS}{first.pk}/change/").content.decode()
        found = staff.get(EVENTS, {"q": "request-1"}).content.decode()

        assert f"{EVENTS}?q=request-1" in page
        assert "(one)" in found and "(two)" in found and "(three)" not in found

    def test_the_page_says_whether_the_payload_is_there_destroyed_or_was_never(self, as_role):
        account, staff = make_account(), as_role("compliance")
        plain = audit.record(Verb.EXPORTED, account, by=SCHEDULER, at=NOON, what="plain")
        sealed = audit.record(
            Verb.EXPORTED,
            account,
            by=SCHEDULER,
            at=NOON,
            what="x",
            personal={"name": "Secretname"},
            subject=account.party_id,
        )

        def state(event):
            return staff.get(f"{EVENTS}{event.pk}/change/").content.decode()

        none, present = state(plain), state(sealed)
        AuditPayload.objects.filter(event_id=sealed.pk).delete()
        destroyed = state(sealed)

        assert ">none<" in none and "present, sealed" in present and ">destroyed<" in destroyed
        assert bytes(sealed.pii_commit).hex() in destroyed
        assert "Secretname" not in none + present + destroyed

    def test_the_list_filters_by_date(self, as_role):
        audit.record(Verb.EXPORTED, make_account(), by=SCHEDULER, at=NOON - timedelta(days=4000), what="long ago")

        page = as_role("compliance").get(EVENTS, {"when": "month"}).content.decode()

        assert "long ago" not in page

    def test_the_list_costs_the_same_for_many(self, as_role, django_assert_max_num_queries):
        for _ in range(12):
            make_account()
        staff = as_role("compliance")

        with django_assert_max_num_queries(8):
            assert staff.get(EVENTS).status_code == 200


class TestHolds:
    def test_legal_places_one_by_references(self, as_role):
        account, second = make_account(), make_account()
        form = {
            "references": f"{account.reference}, {second.party.reference}\n{account.reference}", "reason": "litigation",
            "ground": "Matter 7", "until": f"{legal_day(timezone.now())}",
        }  # fmt: skip

        answer = as_role("legal").post(f"{HOLDS}add/", form)

        hold = LegalHold.objects.get()
        assert answer.headers["Location"] == f"{HOLDS}{hold.pk}/change/"
        assert {row.name for row in hold.records.all()} == {account.reference, second.party.reference}
        assert hold.placed_by == "some.legal" and hold.until == legal_day(timezone.now())

    @pytest.mark.parametrize(
        ("references", "until", "sentence"),
        [
            ("ACC-NONE-NONE", "", "No record has the reference"),
            ("<b>x</b>", "", "No record has the reference"),
            ("\u202eACC", "", "No record has the reference"),
            ("", "", "This field is required"),
            ("{account}", "02/03/2024", "Write the day as YYYY-MM-DD"),
            ("{account}", "2023-02-29", "Write the day as YYYY-MM-DD"),
            ("{account}", "2024-02-29", "2024-02-29 is past"),
            ("{hold}", "", "part of a file"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_nothing_is_held(self, as_role, references, until, sentence):
        account = make_account()
        other = holds.place_hold([account], reason="litigation", ground="First", by=SCHEDULER, at=NOON)
        typed = references.format(account=account.reference, hold=other.reference)
        form = {"references": typed, "reason": "litigation", "ground": "Matter 7", "until": until}

        page = as_role("legal").post(f"{HOLDS}add/", form)

        assert page.status_code == 200 and sentence in page.content.decode()
        assert LegalHold.objects.count() == 1

    def test_it_is_released_with_a_reason(self, as_role):
        hold = holds.place_hold([make_account()], reason="litigation", ground="Matter 7", by=SCHEDULER, at=NOON)

        as_role("legal").post(f"{HOLDS}{hold.pk}/do/release/", {"reason": "The matter is settled"})

        hold.refresh_from_db()
        assert hold.released_by == "some.legal" and hold.release_reason == "The matter is settled"

    def test_a_second_release_is_refused_in_words(self, as_role):
        hold = holds.place_hold([make_account()], reason="litigation", ground="Matter 7", by=SCHEDULER, at=NOON)
        holds.release_hold(hold, reason="settled", by=SCHEDULER, at=NOON)

        page = as_role("legal").post(f"{HOLDS}{hold.pk}/do/release/", {"reason": "again"})

        assert b"already released by the scheduler" in page.content

    def test_the_list_finds_those_past_their_end(self, as_role):
        old = holds.place_hold(
            [make_account()], reason="litigation", ground="Old", until=date(2020, 1, 1), by=SCHEDULER, at=NOON
        )
        new = holds.place_hold([make_account()], reason="litigation", ground="New", by=SCHEDULER, at=NOON)

        page = as_role("legal").get(HOLDS, {"state": "past"}).content.decode()

        assert old.reference in page and new.reference not in page

    @pytest.mark.parametrize("role", ["senior manager", "compliance", "senior manager", "auditor"])
    def test_other_roles_read_but_neither_place_nor_release(self, as_role, role):
        hold = holds.place_hold([make_account()], reason="litigation", ground="Matter 7", by=SCHEDULER, at=NOON)
        staff = as_role(role)

        assert staff.get(f"{HOLDS}{hold.pk}/change/").status_code == 200
        assert staff.get(f"{HOLDS}add/").status_code == 403
        assert staff.post(f"{HOLDS}{hold.pk}/do/release/", {"reason": "x"}).status_code == 403
        hold.refresh_from_db()
        assert hold.is_in_force

    @pytest.mark.parametrize("role", ["reviewer", "reseller desk", "administrator"])
    def test_who_may_not_see_holds_learns_nothing_of_them(self, as_role, role):
        hold = holds.place_hold([make_account()], reason="litigation", ground="Matter 7", by=SCHEDULER, at=NOON)
        staff, missing = as_role(role), uuid.uuid4()

        assert staff.get(HOLDS).status_code == 403
        assert {staff.get(f"{HOLDS}{key}/change/").status_code for key in (hold.pk, missing)} == {403}
        assert {staff.get(f"{HOLDS}{key}/do/release/").status_code for key in (hold.pk, missing)} == {403}


class TestJobs:
    def make_dead(self, kind="test.kind"):
        return Job.objects.create(
            kind=kind,
            key=str(uuid.uuid4()),
            state=JobState.DEAD,
            attempts=5,
            last_error="OSError",
            asked_at=NOON,
            due_at=NOON,
        )

    def test_an_administrator_revives_dead_letters_from_the_list(self, as_role):
        first, second = self.make_dead(), self.make_dead()
        chosen = {"action": "try_again", "index": "0", "confirmed": "1", "_selected_action": [first.pk, second.pk]}

        as_role("administrator").post(JOBS, chosen)

        assert not Job.objects.dead().exists()
        assert AuditEvent.objects.filter(verb="work.job.revived", actor_label="some.administrator").count() == 2

    def test_the_list_asks_before_it_acts(self, as_role):
        job = self.make_dead()

        page = as_role("administrator").post(JOBS, {"action": "try_again", "index": "0", "_selected_action": [job.pk]})

        assert b'name="confirmed"' in page.content
        assert Job.objects.dead().exists()

    def test_a_job_that_is_not_dead_is_refused_in_words(self, as_role):
        job = self.make_dead()
        Job.objects.update(state=JobState.DONE)

        page = as_role("administrator").post(f"{JOBS}{job.pk}/do/try-again/")

        assert b"there is nothing to try again" in page.content

    def test_the_filter_shows_dead_letters_only(self, as_role):
        self.make_dead("dead.kind")
        Job.objects.create(kind="live.kind", asked_at=NOON, due_at=NOON)

        page = as_role("administrator").get(JOBS, {"state": "dead"}).content.decode()

        assert "dead.kind" in page and "live.kind" not in page

    def test_an_auditor_reads_and_revives_nothing(self, as_role):
        job, staff = self.make_dead(), as_role("auditor")

        assert staff.get(f"{JOBS}{job.pk}/change/").status_code == 200
        assert staff.post(f"{JOBS}{job.pk}/do/try-again/").status_code == 403
        staff.post(JOBS, {"action": "try_again", "index": "0", "confirmed": "1", "_selected_action": [job.pk]})
        assert Job.objects.dead().exists()


class TestWaitingWork:
    TILES = {
        "administrator": {"Dead letters"},
        "compliance": {"Overdue clocks", "Clocks due soon"},
        "legal": {"Overdue clocks", "Clocks due soon", "Holds past their end"},
        "lead reviewer": {"Overdue clocks", "Clocks due soon", "Notices without an address"},
        "auditor": {"Overdue clocks", "Clocks due soon", "Break-glass accesses"},
    }

    @pytest.mark.parametrize("role", sorted(TILES))
    def test_each_role_sees_its_own_tiles_of_the_shared_ground(self, as_role, role):
        page = as_role(role).get("/admin/").content.decode()

        everything = set().union(*self.TILES.values())
        assert {title for title in everything if f'tile-title">{title}<' in page} == self.TILES[role]

    def test_a_tile_counts_and_leads_to_the_same_rows(self, as_role):
        holds.place_hold(
            [make_account()], reason="litigation", ground="Old", until=date(2020, 1, 1), by=SCHEDULER, at=NOON
        )
        staff = as_role("legal")

        tile = next(tile for tile in staff.get("/admin/").context["tiles"] if tile.title == "Holds past their end")

        assert tile.count == 1
        assert staff.get(tile.url).context["cl"].result_count == 1
