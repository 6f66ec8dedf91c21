"""After a grave act the page says where the sealed trail tells of it (trust.md 5.2, 6)."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from kyc_portal.records import acting, audit, holds, sealing
from kyc_portal.records.models import AuditEvent, AuditLeaf, AuditPending
from kyc_portal.staff.actions import where_sealed
from tests.conftest import NOON
from tests.kyc_portal.records.files import make_party

pytestmark = pytest.mark.django_db


def told(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def legal(client, counsel_user):
    client.force_login(counsel_user)
    return client


@pytest.fixture
def release(legal, counsel):
    """Release a hold by its button; gives the answer."""
    hold = holds.place_hold([make_party()], reason="order", ground="Order 4", by=counsel, at=NOON)
    return lambda: legal.post(reverse("admin:records_legalhold_do", args=[hold.pk, "release"]), {"reason": "over"})


class TestWhereSealed:
    def test_a_grave_act_tells_its_entry(self, release):
        answer = release()

        entry, root = re.search(r"is released\. Sealed as entry (\d+) \(root ([0-9a-f]{8})\)\.$", told(answer)).groups()
        leaf = AuditLeaf.objects.get(index=int(entry) - 1)
        event = AuditEvent.objects.get(pk=leaf.event_id)
        assert event.verb == "records.hold.released"
        assert sealing.receipt(event).root.startswith(root)

    def test_adding_a_hold_tells_it_too(self, legal):
        asked = {"references": make_party().reference, "reason": "litigation", "ground": "Order 5"}

        answer = legal.post(reverse("admin:records_legalhold_add"), asked)

        assert re.search(r"is added\. Sealed as entry \d+", told(answer))

    def test_when_the_seal_takes_longer_the_act_still_stands(self, release, monkeypatch):
        monkeypatch.setattr(sealing, "receipts", lambda events: [])

        assert told(release()).endswith("is released. It is sealed within a minute.")

    def test_without_a_key_the_act_still_stands(self, release, settings):
        settings.AUDIT_KEY = ""

        assert told(release()).endswith("It is sealed within a minute.")
        assert AuditPending.objects.exists()

    def test_other_acts_tell_nothing_and_cost_one_query(self, rf, counsel, django_assert_num_queries):
        request = rf.get("/")
        request.id = "click-9"
        with acting.within_request("click-9"):
            audit.record_view(make_party(), by=counsel, at=NOON)

        with django_assert_num_queries(1):
            assert where_sealed(request) == ""
