"""The health page, log-ins, and what one request leaves behind."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError

from kyc_portal.records import audit, triggers
from kyc_portal.records.models import AuditEvent
from kyc_portal.staff import middleware, views
from kyc_portal.staff.verbs import Verb
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


class TestHealth:
    def test_it_is_well_without_a_log_in_and_tells_no_more_than_it_must(self, client):
        answer = client.get("/health/")

        assert (answer.status_code, answer.json()) == (200, {"database": "ok", "audit trail": "guarded"})

    def test_an_unguarded_trail_is_not_well(self, client):
        triggers.drop()

        answer = client.get("/health/")

        assert (answer.status_code, answer.json()["audit trail"]) == (503, "unguarded")

    def test_a_database_that_does_not_answer_is_not_well(self, client, monkeypatch):
        def gone():
            raise OperationalError("password of portal@10.0.0.1 refused")

        monkeypatch.setattr(views.triggers, "missing", gone)

        answer = client.get("/health/")

        assert answer.status_code == 503
        assert b"10.0.0.1" not in answer.content

    def test_it_only_reads(self, client):
        assert client.post("/health/").status_code == 405


class TestLogins:
    def test_a_log_in_is_told_on_the_persons_page(self, client, analyst_user):
        client.post("/login/", {"username": "ana", "password": PASSWORD})

        event = AuditEvent.objects.get(verb="staff.logged_in")
        assert (event.actor_label, event.about_key) == ("ana", str(analyst_user.pk))

    def test_a_refused_log_in_of_somebody_known_is_told_there(self, client, analyst_user):
        client.post("/login/", {"username": "ana", "password": "wrong"})

        event = AuditEvent.objects.get(verb="staff.login_refused")
        assert (event.actor_kind, event.about_key) == ("visitor", str(analyst_user.pk))

    def test_a_name_nobody_has_is_never_written_down(self, client):
        client.post("/login/", {"username": "maria@customer.example", "password": "wrong"})

        event = AuditEvent.objects.get(verb="staff.login_refused")
        assert event.about_key == "unknown"
        assert "maria" not in repr(AuditEvent.objects.filter(pk=event.pk).values()) + str(bytes(event.canonical))

    def test_a_very_long_username_can_log_in(self, client):
        user = get_user_model().objects.create(username="n" * 150, is_staff=True)
        user.set_password(PASSWORD)
        user.save()

        client.post("/login/", {"username": user.username, "password": PASSWORD})

        assert AuditEvent.objects.get(verb="staff.logged_in").about_name == "n" * 80


class TestRequests:
    def test_all_events_of_one_request_share_its_id(self, rf, analyst_user):
        def view(request):
            for _ in range(2):
                audit.record(Verb.ADDED, analyst_user, by=analyst_user.as_actor, at=NOON)
            return views.JsonResponse({})

        for _ in range(2):
            request = rf.get("/")
            request.user = analyst_user
            middleware.RequestContextMiddleware(view)(request)

        ids = list(AuditEvent.objects.filter(verb="staff.added").order_by("id").values_list("request_id", flat=True))
        assert ids[0] == ids[1] != ids[2] == ids[3]
        assert uuid.UUID(ids[0])

    def test_pages_behind_a_log_in_are_never_stored(self, client, analyst_user):
        client.force_login(analyst_user)

        assert "no-store" in client.get("/").headers["Cache-Control"]

    @pytest.mark.parametrize("zone", ["Mars/Base", "", "America", "../../etc/passwd", "America/New_York"])
    def test_a_wrong_zone_does_not_lock_anybody_out(self, client, analyst_user, zone):
        analyst_user.time_zone = zone
        analyst_user.save()
        client.force_login(analyst_user)

        assert client.get("/").status_code == 302
