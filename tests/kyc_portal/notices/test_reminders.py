"""Reminders of clocks: once a day, to the people who answer for them, with references only."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail

from kyc_portal.notices.reminders import remind_owners
from kyc_portal.notices.tasks import remind_of_deadlines
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from tests.conftest import NOON
from tests.kyc_portal.notices.test_outbox import BrokenServer
from tests.kyc_portal.records.files import make_party

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
DUE = date(2026, 3, 5)  # NOON's day and the three days of triage


@pytest.fixture
def party(db):
    party = make_party(legal_name="Xavier Unusual")
    figure = {"figure": "external_check_days", "regime": regime_on(NOON.date()), "on": NOON.date()}
    start_clock("triage_by", party, **figure, by=SCHEDULER, at=NOON)
    return party


def remind(*addresses, on=TODAY) -> dict:
    return remind_owners(on=on, addresses=addresses or ["lea@provider.example"], by=SCHEDULER, at=NOON)


class TestRemindOwners:
    def test_it_lists_what_is_near_by_reference(self, party):
        assert remind() == {"clocks": 1, "mails": 1}

        [message] = mail.outbox
        assert f"{party.reference}: triage_by, due " in message.body
        assert "Unusual" not in message.body + message.subject

    def test_each_address_gets_one_mail(self, party):
        assert remind("a@p.example", "b@p.example", "a@p.example") == {"clocks": 1, "mails": 2}
        assert sorted(message.to[0] for message in mail.outbox) == ["a@p.example", "b@p.example"]

    def test_it_reminds_once_a_day(self, party):
        remind()

        assert remind() == {"clocks": 0, "mails": 0}
        assert remind(on=NOON.date() + timedelta(days=1)) == {"clocks": 1, "mails": 1}
        assert AuditEvent.objects.filter(verb="notices.reminded", about_key=str(party.pk)).count() == 2

    @pytest.mark.parametrize(("days_before", "clocks"), [(6, 0), (5, 1), (0, 1), (-30, 1)])
    def test_near_is_five_days_and_past_stays(self, party, days_before, clocks):
        assert remind(on=DUE - timedelta(days=days_before))["clocks"] == clocks

    def test_a_stopped_clock_is_left_out(self, party):
        stop_clock("triage_by", party, by=SCHEDULER, at=NOON)

        assert remind()["clocks"] == 0

    def test_without_anybody_to_tell_nothing_is_noted(self, party):
        assert remind_owners(on=NOON.date(), addresses=[], by=SCHEDULER, at=NOON) == {"clocks": 0, "mails": 0}
        assert remind()["clocks"] == 1

    def test_a_server_that_is_down_leaves_the_reminder_for_later(self, party, settings):
        settings.EMAIL_BACKEND = f"{BrokenServer.__module__}.BrokenServer"
        with pytest.raises(OSError, match="could not be reached"):
            remind()
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

        assert remind() == {"clocks": 1, "mails": 1}


class TestTask:
    def test_it_tells_leads_compliance_and_counsel(self, party, lead_user, counsel_user, compliance_user, analyst_user):
        counsel_user.email = ""
        counsel_user.save()
        compliance_user.is_active = False
        compliance_user.save()

        told = remind_of_deadlines.run(at=datetime(2026, 3, 2, 6, tzinfo=NOON.tzinfo).isoformat())

        assert told == {"clocks": 1, "mails": 1}
        assert mail.outbox[0].to == [lead_user.email]
