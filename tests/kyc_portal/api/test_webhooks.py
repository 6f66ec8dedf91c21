"""Systems that are told of changed answers: queued with the change, signed, tried again, every try written down."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.flows import access_answer, restrictions
from accounts.flows.texts import BadField
from kyc_portal.api import keys, outgoing, webhook_sending, webhooks
from kyc_portal.api.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from kyc_portal.api.webhook_sending import patience_of, send_due
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records import audit
from kyc_portal.records.models import RowChange
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import people
from kyc_portal.work import queue
from kyc_portal.work.models import Job, JobState
from tests.builders import make_open_account
from tests.conftest import NOON
from tests.kyc_portal.api.builders import make_key
from tests.kyc_portal.api.receiver import receiving

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def account(now):
    return make_open_account(at=now)


@pytest.fixture
def key(now):
    return make_key(at=now, scopes=["access.read"])


@pytest.fixture
def receiver():
    with receiving() as there:
        yield there


@pytest.fixture
def endpoint(receiver, key, now):
    return webhooks.create_endpoint(name="provisioning", url=receiver.url, key=key, by=SCHEDULER, at=now)


def limit(account, basis="DEC-1", *, at, **changes):
    words = {"reason": "unusual_use", "public_wording": "Please explain."}
    return restrictions.limit(account, **{**words, **changes}, basis=basis, by=SCHEDULER, at=at)


def send(endpoint, at):
    send_due(str(endpoint.pk), by=SCHEDULER, at=at)


def message_of(got, secret):
    """What a receiver believes of a request it got; raises WebhookVerificationError."""
    headers, body = got
    Webhook(secret).verify(body, headers)
    return json.loads(body)


class TestQueueing:
    def test_a_change_is_queued_in_its_own_transaction_for_each_endpoint(self, account, endpoint, key, now):
        other = webhooks.create_endpoint(name="b", url="http://127.0.0.1:9/b", key=key, by=SCHEDULER, at=now)

        limit(account, at=now)

        assert {row.endpoint for row in WebhookDelivery.objects.waiting()} == {endpoint, other}
        assert Job.objects.filter(kind=webhooks.SEND, state=JobState.WAITING).count() == 2

    def test_a_change_that_is_rolled_back_leaves_nothing(self, account, endpoint, now):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            limit(account, at=now)
            assert WebhookDelivery.objects.count() == 1
            raise ZeroDivisionError

        assert not WebhookDelivery.objects.exists() and not Job.objects.filter(kind=webhooks.SEND).exists()

    def test_it_says_reference_answers_codes_number_and_moment_and_nothing_else(self, account, endpoint, now):
        limit(account, at=now, reason="list_match_confirmed")

        told = json.loads(WebhookDelivery.objects.get().body)
        assert told == {
            "type": "access_answer.changed",
            "timestamp": now.isoformat(),
            "data": {
                "contract": 1, "account": account.reference, "number": 2, "old": {"answer": "allow", "codes": []},
                "new": {"answer": "limit", "codes": ["limited", "rules"]},
            },
        }  # fmt: skip

    def test_without_endpoints_a_change_costs_one_query(self, account, now, django_assert_num_queries):
        change = access_answer.AccessChange(account.reference, "allow", (), "deny", ("closed",), 2)

        with django_assert_num_queries(1):
            webhooks.queue_changes(None, changes=[change] * 600, by=SCHEDULER, at=now)

    def test_many_changes_cost_as_much_as_one(self, account, endpoint, now, django_assert_max_num_queries):
        change = access_answer.AccessChange(account.reference, "allow", (), "deny", ("closed",), 2)

        with django_assert_max_num_queries(14):
            webhooks.queue_changes(None, changes=[change] * 300, by=SCHEDULER, at=now)

        assert WebhookDelivery.objects.count() == 300

    def test_what_only_time_changes_is_told_too(self, account, endpoint, now):
        limit(account, at=now, until=now + HOUR)

        access_answer.look_again(at=now + HOUR)

        last = json.loads(WebhookDelivery.objects.order_by("-number")[0].body)["data"]
        assert (last["number"], last["old"]["answer"], last["new"]["answer"]) == (3, "limit", "allow")


class TestSending:
    def test_the_worker_sends_it_signed(self, account, endpoint, receiver, now):
        limit(account, at=now)

        queue.run_due(now + MINUTE)

        [got] = receiver.got
        delivery = WebhookDelivery.objects.get()
        told = message_of(got, endpoint.text)
        assert told["data"]["account"] == account.reference and got[0]["content-type"] == "application/json"
        assert (got[0]["webhook-id"], delivery.state, delivery.attempts) == (delivery.reference, "sent", 1)
        assert (delivery.tries.get().status, delivery.tries.get().fault) == (204, "")
        assert not Job.objects.filter(kind=webhooks.SEND).exclude(state=JobState.DONE).exists()

    def test_500_then_200(self, account, endpoint, receiver, now):
        receiver.answers = [500, 200]
        limit(account, at=now)

        send(endpoint, now)
        waits = WebhookDelivery.objects.get()
        send(endpoint, now)  # too early

        assert waits.state == "queued" and now < waits.due_at <= now + MINUTE and len(receiver.got) == 1
        send(endpoint, waits.due_at)
        done = WebhookDelivery.objects.get()
        assert (done.state, [each.status for each in done.tries.order_by("number")]) == ("sent", [500, 200])
        assert receiver.got[0][1] == receiver.got[1][1]
        assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]

    def test_a_redirect_is_a_failure_and_nobody_follows_it(self, account, endpoint, receiver, now):
        receiver.answers = [307]
        limit(account, at=now)

        send(endpoint, now)

        assert receiver.paths == ["/hook"] and WebhookAttempt.objects.get().status == 307

    def test_pauses_grow_and_end(self, account, endpoint, receiver, now):
        receiver.answers = [503]
        limit(account, at=now)
        dues = [now]

        while WebhookDelivery.objects.waiting().exists():
            send(endpoint, dues[-1])
            dues.append(WebhookDelivery.objects.get().due_at)

        pauses = [later - earlier for earlier, later in pairwise(dues[:-1])]
        assert all(b > a for a, b in pairwise(pauses)) and pauses[0] >= timedelta(seconds=30)
        assert len(receiver.got) == 10 and dues[-2] - now > timedelta(days=2)
        assert WebhookDelivery.objects.get().state == "given_up" and WebhookDelivery.objects.failing().count() == 1
        history = audit.history_of(WebhookDelivery.objects.get())
        assert history.filter(verb="api.webhook.failed").count() == 10

    def test_a_receiver_that_wants_no_more_is_believed(self, account, endpoint, receiver, now):
        receiver.answers = [410]
        limit(account, at=now)

        send(endpoint, now)

        assert WebhookDelivery.objects.get().state == "given_up" and len(receiver.got) == 1

    def test_one_bad_message_holds_up_no_other(self, account, endpoint, receiver, now):
        receiver.answers = [500, 200]
        restriction = limit(account, at=now)
        restrictions.lift(restriction, why="Explained.", by=SCHEDULER, at=now)

        send(endpoint, now)

        assert [row.state for row in WebhookDelivery.objects.order_by("number")] == ["queued", "sent"]

    def test_a_receiver_that_was_killed_holds_up_nobody_and_gets_all_when_it_is_back(self, account, key, now):
        with receiving() as there:
            url = there.url
        endpoint = webhooks.create_endpoint(name="dead", url=url, key=key, by=SCHEDULER, at=now)
        restriction = limit(account, at=now)
        restrictions.lift(restriction, why="Explained.", by=SCHEDULER, at=now)

        send(endpoint, now)

        assert [each.fault for each in WebhookAttempt.objects.all()] == [outgoing.NO_CONNECTION]  # one, not two
        job = Job.objects.get(kind=webhooks.SEND)
        assert job.state == JobState.WAITING
        with receiving() as back:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=back.url)
            send(endpoint, now + HOUR)
            assert [json.loads(body)["data"]["number"] for _, body in back.got] == [3, 2]  # late ones have their number
        assert not WebhookDelivery.objects.waiting().exists()

    def test_a_receiver_that_hangs_is_left_after_the_policys_seconds(self, account, endpoint, receiver, now):
        RegimeNumber.objects.filter(name="webhook_timeout_seconds").update(value=1)
        receiver.answers = [lambda handler: receiver.over.wait(30)]
        limit(account, at=now)

        send(endpoint, now)

        assert WebhookAttempt.objects.get().fault == outgoing.TIMEOUT

    def test_a_worker_killed_after_sending_sends_again_under_the_same_id(
        self, account, endpoint, receiver, now, monkeypatch
    ):
        def die(*args, **named):
            raise SystemExit

        limit(account, at=now)
        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(webhook_sending, "note_attempt", die)
            queue.run_due(now)

        queue.run_due(now + 2 * MINUTE)  # the dead worker's lease is over

        first, second = (headers["webhook-id"] for headers, _ in receiver.got)
        assert first == second and WebhookDelivery.objects.get().state == "sent"

    def test_a_name_that_leads_inside_is_not_followed(self, account, endpoint, receiver, now, settings):
        limit(account, at=now)
        settings.WEBHOOKS_TO_PLAIN_LOOPBACK = False
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url="https://localhost/")

        send(endpoint, now)

        assert WebhookAttempt.objects.get().fault == outgoing.NOT_PUBLIC and receiver.got == []

    def test_a_key_that_died_tells_nothing_until_there_is_another(self, account, endpoint, receiver, key, now):
        limit(account, at=now)
        keys.revoke_key(key, by=SCHEDULER, at=now)
        send(endpoint, now)
        assert WebhookAttempt.objects.get().fault == webhook_sending.KEY_DEAD and receiver.got == []

        new = make_key(at=now, scopes=["access.read"])
        webhooks.change_key(endpoint, key=new, by=SCHEDULER, at=now)
        send(endpoint, now + HOUR)

        assert len(receiver.got) == 1

    def test_an_owner_who_lost_the_role_tells_nothing(self, account, endpoint, receiver, key, now, administrator):
        limit(account, at=now)
        people.change_roles(key.owner, ["administrator"], by=administrator, at=now)

        send(endpoint, now)

        assert receiver.got == []

    def test_every_row_written_is_explained(self, account, endpoint, receiver, now):
        before = set(RowChange.objects.values_list("pk", flat=True))
        receiver.answers = [500, 200]
        limit(account, at=now)
        send(endpoint, now)
        send(endpoint, now + HOUR)

        changes = RowChange.objects.exclude(pk__in=before).filter(label__startswith="api.")
        known = set(audit.AuditEvent.objects.values_list("request_id", flat=True))
        assert {change.request_id for change in changes} <= known and changes.count() >= 5


class TestSignatures:
    def test_another_body_another_secret_and_an_old_stamp_are_refused(self, account, endpoint, receiver, now):
        limit(account, at=now)
        send(endpoint, now)
        [(headers, body)] = receiver.got

        assert message_of((headers, body), endpoint.text)
        for got in [
            (headers, body.replace(b"allow", b"deny!")),
            (headers | {"webhook-id": "WHD-0000-0000"}, body),
            (headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}, body),
            (headers | {"webhook-signature": "v1,AAAA"}, body),
        ]:
            with pytest.raises(WebhookVerificationError):
                message_of(got, endpoint.text)
        with pytest.raises(WebhookVerificationError):
            message_of((headers, body), "whsec_" + "A" * 44)

    def test_both_secrets_sign_until_the_overlap_is_over(self, account, endpoint, receiver, now):
        former = endpoint.text
        newest = webhooks.rotate_secret(endpoint, by=SCHEDULER, at=now).text
        restriction = limit(account, at=now)
        send(endpoint, now)
        restrictions.lift(restriction, why="Explained.", by=SCHEDULER, at=now)
        send(endpoint, now + 25 * HOUR)

        during, after = receiver.got
        assert former != newest and message_of(during, former) == message_of(during, newest)
        assert message_of(after, newest)
        with pytest.raises(WebhookVerificationError):
            message_of(after, former)

    def test_a_former_secret_is_dropped_at_once(self, account, endpoint, receiver, now):
        former = endpoint.text
        webhooks.rotate_secret(endpoint, by=SCHEDULER, at=now)
        with pytest.raises(webhooks.BadEndpoint, match="still signs"):
            webhooks.rotate_secret(endpoint, by=SCHEDULER, at=now)
        webhooks.drop_former(endpoint, by=SCHEDULER, at=now)
        limit(account, at=now)
        send(endpoint, now)

        with pytest.raises(WebhookVerificationError):
            message_of(receiver.got[0], former)
        with pytest.raises(webhooks.BadEndpoint, match="no former secret"):
            webhooks.drop_former(endpoint, by=SCHEDULER, at=now)

    def test_a_secret_stands_nowhere_in_clear(self, endpoint, now):
        row = WebhookEndpoint.objects.get()

        assert row.text == "" and str(row.secret) == "••••••" and row.secret.reveal() == endpoint.text
        assert endpoint.text not in repr(list(audit.AuditEvent.objects.values_list("facts", flat=True)))


class TestSentAgain:
    def test_a_message_is_sent_again_under_the_same_id(self, account, endpoint, receiver, now):
        limit(account, at=now)
        with pytest.raises(webhooks.StillWaits, match="waits to be sent"):
            webhooks.send_again(WebhookDelivery.objects.get(), by=SCHEDULER, at=now)
        send(endpoint, now)

        webhooks.send_again(WebhookDelivery.objects.get(), by=SCHEDULER, at=now)
        queue.run_due(now + MINUTE)

        first, second = receiver.got
        assert first[0]["webhook-id"] == second[0]["webhook-id"] and message_of(second, endpoint.text)
        assert WebhookDelivery.objects.get().tries.count() == 2

    def test_not_once_the_endpoint_is_ended(self, account, endpoint, receiver, now):
        limit(account, at=now)
        send(endpoint, now)
        webhooks.end_endpoint(endpoint, by=SCHEDULER, at=now)

        with pytest.raises(webhooks.StillWaits, match="is ended"):
            webhooks.send_again(WebhookDelivery.objects.get(), by=SCHEDULER, at=now)


class TestEndpoints:
    def test_an_ended_one_is_told_nothing_and_keeps_no_secret(self, account, endpoint, receiver, now):
        limit(account, at=now)
        webhooks.end_endpoint(endpoint, by=SCHEDULER, at=now)
        send(endpoint, now)

        row = WebhookEndpoint.objects.get()
        assert (receiver.got, row.secret, WebhookDelivery.objects.get().state) == ([], None, "dropped")
        for act in (webhooks.end_endpoint, webhooks.rotate_secret, webhooks.drop_former):
            with pytest.raises(webhooks.HasEnded, match="was ended by"):
                act(endpoint, by=SCHEDULER, at=now)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"url": "http://hooks.example.com/"}, "must begin with https"),
            ({"url": "http://10.0.0.1/"}, "must begin with https|not a public one"),
            ({"name": "  "}, "System is empty"),
            ({"name": "a\nb"}, "^System "),
            ({"name": "x" * 61}, "^System "),
        ],
    )
    def test_a_bad_one_is_refused_in_a_sentence(self, key, now, changes, sentence, settings):
        settings.WEBHOOKS_TO_PLAIN_LOOPBACK = False
        given = {"name": "provisioning", "url": "https://hooks.example.com/", "key": key}

        with pytest.raises((BadField, outgoing.BadAddress), match=sentence):
            webhooks.create_endpoint(**{**given, **changes}, by=SCHEDULER, at=now)
        assert not WebhookEndpoint.objects.exists()

    def test_one_address_is_told_once_and_only_under_a_key_that_opens_it(self, endpoint, receiver, key, now):
        with pytest.raises(webhooks.BadEndpoint, match=endpoint.reference):
            webhooks.create_endpoint(name="twin", url=receiver.url, key=key, by=SCHEDULER, at=now)
        other = make_key(at=now)
        with pytest.raises(webhooks.BadEndpoint, match=f"{other.reference} does not open access.read"):
            webhooks.create_endpoint(name="b", url="http://127.0.0.1:9/", key=other, by=SCHEDULER, at=now)


class TestPatience:
    def test_pauses_are_the_policys(self):
        patience = patience_of(regime_on(NOON.date()))

        assert [int(patience.pause_after(n).total_seconds()) for n in (1, 2, 3, 9)] == [30, 90, 270, 86400]
        assert patience.pause_after(30_000) == timedelta(days=1)
