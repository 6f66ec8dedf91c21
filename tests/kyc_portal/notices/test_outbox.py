"""Notices: queued with their cause, sent once, sealed at rest, and no name can reach the headers."""

import json
import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction

from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import AccountOpened, AccountRestricted, DataRequested
from kyc_portal.notices.models import Notice, NoticeState
from kyc_portal.notices.outbox import deliver_queued, notices_about, queue_notice, wording_of
from kyc_portal.notices.tasks import deliver_queued_notices
from kyc_portal.records.models import AuditEvent
from kyc_portal.work.models import Job, JobState
from tests.conftest import NOON
from tests.kyc_portal.records.files import make_account, make_party

pytestmark = pytest.mark.django_db
ADDRESS = "maria@customer.example"


class BrokenServer(EmailBackend):
    """A mail server that is down."""

    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("maria@customer.example could not be reached")


@pytest.fixture
def server_is_down(settings):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenServer"
    return settings


def queued(by, *, name="Maria Example", address=ADDRESS, notice=None, at=NOON) -> Notice:
    account = make_account(make_party())
    notice = notice or AccountOpened(name=name, account=account.reference)
    return queue_notice(notice, about=account, subject=account.party_id, address=address, by=by, at=at)


class TestQueueNotice:
    def test_it_is_written_with_its_cause_or_not_at_all(self, analyst):
        with pytest.raises(RuntimeError), transaction.atomic():
            queued(analyst)
            raise RuntimeError

        assert not Notice.objects.exists()
        assert deliver_queued(at=NOON) == {"done": 0, "failed": 0}

    def test_nothing_is_sent_yet(self, analyst):
        queued(analyst)

        assert mail.outbox == []

    def test_context_and_address_are_sealed_at_rest(self, analyst):
        notice = queued(analyst, name="Xavier Unusual")

        with connection.cursor() as cursor:
            cursor.execute("SELECT address, context FROM notices_notice")
            raw = b"".join(map(bytes, cursor.fetchone()))
        assert b"maria" not in raw and b"Unusual" not in raw
        assert Notice.objects.get(pk=notice.pk).address.reveal() == ADDRESS
        assert json.loads(Notice.objects.get(pk=notice.pk).context.reveal())["name"] == "Xavier Unusual"

    def test_it_stands_on_the_timeline_of_its_record_without_a_name(self, analyst):
        notice = queued(analyst, name="Xavier Unusual")

        event = AuditEvent.objects.get(verb="notices.queued")

        assert (event.within_label, event.within_key, event.facts) == (notice.label, notice.key, {"kind": notice.kind})
        assert b"Unusual" not in bytes(event.canonical)

    def test_without_an_address_it_says_so_and_stays(self, analyst):
        notice = queued(analyst, address="")

        assert notice.state == NoticeState.NO_ADDRESS
        assert deliver_queued(at=NOON)["done"] == 0 and mail.outbox == []

    def test_notices_about_a_record_come_newest_first(self, analyst):
        account = make_account(make_party())
        for hour in range(2):
            queue_notice(
                AccountOpened(name="M", account=account.reference), about=account, subject=account.party_id,
                address=ADDRESS, by=analyst, at=NOON + timedelta(hours=hour),
            )  # fmt: skip

        assert [notice.queued_at.hour for notice in notices_about(account)] == [13, 12]


class TestDeliverQueued:
    def test_it_sends_each_and_keeps_the_proof(self, analyst):
        notice = queued(analyst)

        told = deliver_queued(at=NOON + timedelta(minutes=1))

        notice.refresh_from_db()
        [message] = mail.outbox
        assert told == {"done": 1, "failed": 0}
        assert (notice.state, notice.sent_at) == (NoticeState.SENT, NOON + timedelta(minutes=1))
        assert message.to == [ADDRESS]
        assert message.message()["Message-ID"] == notice.message_id == f"<{notice.pk}@provider.example>"
        assert AuditEvent.objects.filter(verb="notices.sent", within_key=notice.key).count() == 1

    def test_the_second_round_sends_nothing(self, analyst):
        queued(analyst)
        deliver_queued(at=NOON)

        assert deliver_queued_notices.run(at=NOON.isoformat()) == {"done": 0, "failed": 0}
        assert len(mail.outbox) == 1

    def test_two_workers_at_once_send_it_once(self, transactional_db, in_threads, analyst):
        for _ in range(5):
            queued(analyst)

        told = in_threads(*[lambda: deliver_queued(at=NOON)] * 2)

        assert all(isinstance(each, dict) and each["failed"] == 0 for each in told), told
        assert len(mail.outbox) == 5
        assert AuditEvent.objects.filter(verb="notices.sent").count() == 5

    def test_a_server_that_is_down_is_counted_and_tried_again(self, analyst, server_is_down, caplog):
        notice = queued(analyst)

        assert deliver_queued(at=NOON) == {"done": 0, "failed": 1}
        notice.refresh_from_db()
        job = Job.objects.get()
        assert (notice.state, notice.message_id) == (NoticeState.QUEUED, "")
        assert (job.key, job.last_error) == (str(notice.pk), "SMTPServerDisconnected")
        assert "maria" not in caplog.text + job.last_error

        server_is_down.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert deliver_queued(at=NOON + timedelta(minutes=1)) == {"done": 1, "failed": 0}
        assert Job.objects.get().state == JobState.DONE

    def test_five_times_down_makes_a_dead_letter_that_does_not_block_the_others(self, analyst, server_is_down):
        queued(analyst)
        for hour in range(5):
            deliver_queued(at=NOON + timedelta(hours=hour))
        server_is_down.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        fresh = queued(analyst, at=NOON + timedelta(hours=9))

        told = deliver_queued(at=NOON + timedelta(hours=9), most=1)

        fresh.refresh_from_db()
        assert (told, fresh.state) == ({"done": 1, "failed": 0}, NoticeState.SENT)
        assert Job.objects.get().state == JobState.DEAD

    @pytest.mark.parametrize("address", ["maria@customer.example\r\nBcc: all@provider.example", "a@b\ninjected: x"])
    def test_an_address_that_would_add_a_header_is_never_sent(self, analyst, address):
        queued(analyst, address=address)

        assert deliver_queued(at=NOON) == {"done": 0, "failed": 1}
        assert mail.outbox == []


class TestWording:
    @pytest.mark.parametrize(
        "name",
        [
            "Maria\r\nBcc: all@provider.example",
            "Maria\x0bX: y",
            "{{ settings.SECRET_KEY }} {% load x %}",
            "<script>alert(1)</script>",
            "O'Brien & Söhne",
            "محمد\u202eevil",
        ],
    )
    def test_a_hostile_name_stays_text(self, analyst, name):
        notice = DataRequested(name=name, account=f"ACC {name}", missing=(name,), answer_by=NOON.date())
        queued(analyst, notice=notice)

        told = deliver_queued(at=NOON)

        [message] = mail.outbox
        assert told["done"] == 1
        assert set(message.message().keys()) <= {
            "Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date", "Message-ID",
        }  # fmt: skip
        assert len(message.subject.splitlines()) == 1
        assert name in message.body

    def test_days_and_empty_days_are_worded(self, analyst):
        given = {"name": "Maria", "account": "ACC-1", "level": "limited", "wording": "We need proof."}
        with_days = AccountRestricted(**given, until=NOON.date(), object_by=NOON.date())
        without = AccountRestricted(**given, until=None, object_by=None)

        assert "limited until 2026-03-02. We need proof." in wording_of(queued(analyst, notice=with_days))[1]
        body = wording_of(queued(analyst, notice=without))[1]
        assert "limited. We need proof." in body and "None" not in body and "If you think" not in body

    def test_the_provider_is_named(self, analyst, settings):
        settings.PROVIDER_NAME = "Cumulus"

        subject, body = wording_of(queued(analyst))

        assert subject.startswith("Cumulus: your account") and "Cumulus, Trust and Safety" in body

    def test_the_sweep_is_named_after_its_flow(self):
        assert outbox.SWEEP == "notices.deliver"
