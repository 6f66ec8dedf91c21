"""Reminders of clocks: once a day, to the people who answer for them, with references only."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.flows import readers
from kyc_portal.notices.reminders import remind_owners
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Deadline
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.tasks import remind_of_deadlines
from tests.cases.builders import make_case, make_request
from tests.conftest import NOON, person
from tests.kyc_portal.notices.test_outbox import BrokenServer
from tests.kyc_portal.records.files import make_party

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
MORNING = datetime(2026, 3, 2, 6, tzinfo=NOON.tzinfo).isoformat()
DUE = date(2026, 3, 5)  # NOON's day and the three days of triage


@pytest.fixture
def party(db):
    party = make_party(legal_name="Xavier Unusual")
    figure = {"figure": "external_check_days", "regime": regime_on(NOON.date()), "on": NOON.date()}
    start_clock("triage_by", party, **figure, by=SCHEDULER, at=NOON)
    return party


def remind(*addresses, on=TODAY) -> dict:
    told = [(address, Deadline.objects.all()) for address in addresses or ["lea@provider.example"]]
    return remind_owners(on=on, told=told, by=SCHEDULER, at=NOON)


class TestRemindOwners:
    def test_it_lists_what_is_near_by_reference(self, party):
        assert remind() == {"clocks": 1, "mails": 1}

        [message] = mail.outbox
        assert f"{party.reference}: triage_by, due " in message.body
        assert "Unusual" not in message.body + message.subject

    def test_each_address_gets_one_mail(self, party):
        assert remind("a@p.example", "b@p.example") == {"clocks": 1, "mails": 2}
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
        assert remind_owners(on=NOON.date(), told=[], by=SCHEDULER, at=NOON) == {"clocks": 0, "mails": 0}
        assert remind()["clocks"] == 1

    def test_whoever_may_know_of_none_gets_no_mail(self, party):
        told = [("a@p.example", Deadline.objects.none()), ("b@p.example", Deadline.objects.all())]

        assert remind_owners(on=TODAY, told=told, by=SCHEDULER, at=NOON) == {"clocks": 1, "mails": 1}
        assert mail.outbox[0].to == ["b@p.example"] and mail.outbox[0].subject.endswith(": 1 clock needs you")

    def test_what_nobody_may_know_of_is_not_noted_as_told(self, party):
        told = [("a@p.example", Deadline.objects.none())]

        assert remind_owners(on=TODAY, told=told, by=SCHEDULER, at=NOON) == {"clocks": 0, "mails": 0}
        assert Deadline.objects.get().reminded_on is None
        assert not AuditEvent.objects.filter(verb="notices.reminded").exists()

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

        told = remind_of_deadlines.run(at=MORNING)

        assert told == {"clocks": 1, "mails": 1}
        assert mail.outbox[0].to == [lead_user.email]

    def test_each_is_told_only_of_what_exists_for_them(self, lead_user, lead, counsel_user, counsel):
        """A restricted case exists for whom it is open to, a legal one for counsel."""
        other, secret, open_to_all = person("lena", "lead reviewer"), make_case(), make_case()
        readers.restrict(secret, to=[person("nina", "reviewer")], by=lead, at=NOON)
        legal = make_request(ground="subpoena", by=counsel).case

        remind_of_deadlines.run(at=MORNING)

        told = {message.to[0]: message for message in mail.outbox}
        known = {
            name: {case for case in (secret, open_to_all, legal) if case.reference in told[user.email].body}
            for name, user in (("lea", lead_user), ("lena", other), ("carl", counsel_user))
        }
        assert known["lea"] == {secret, open_to_all} and known["lena"] == {open_to_all}
        assert legal in known["carl"] and secret not in known["carl"]
        for message in told.values():
            count = message.body.count(", due ")
            assert f": {count} clock{'s need' if count > 1 else ' needs'} you" in message.subject

    def test_a_recipient_costs_as_many_queries_for_many_clocks_as_for_few(self, lead_user):
        counted = []
        for many in (2, 10):
            Deadline.objects.update(reminded_on=TODAY)
            for _ in range(many):
                make_case()
            with CaptureQueriesContext(connection) as captured:
                assert remind_of_deadlines.run(at=MORNING)["mails"] == 1
            reads = [each["sql"] for each in captured.captured_queries if "policy_deadline" in each["sql"]]
            counted.append(len(reads))
        assert counted[0] == counted[1] <= 4
