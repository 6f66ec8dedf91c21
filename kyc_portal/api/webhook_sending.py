"""Send what waits for one endpoint: signed anew at each try, tried again with growing pauses, each try written down.

No transaction is open while the receiver is waited for. A worker that is killed leaves a job whose lease runs out; the
next one sends again under the same id, by which a receiver knows what it has.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.formats.signed_messages import sign_message
from kyc_portal.api import outgoing, webhooks
from kyc_portal.api.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from kyc_portal.api.outgoing import Outcome
from kyc_portal.api.verbs import Verb
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.work import queue

BATCH = 50
GONE = 410  # the receiver says that it wants no such message any more
KEY_DEAD = "key_not_usable"


@dataclass(frozen=True)
class Patience:
    """How often and how long a receiver is waited for, as the policy says."""

    attempts: int
    first_pause: timedelta
    factor: int
    longest_pause: timedelta
    seconds: int

    def pause_after(self, attempts: int) -> timedelta:
        """How long to wait after so many failed tries, at least one."""
        seconds = self.first_pause.total_seconds() * self.factor ** min(attempts - 1, 30)
        return min(timedelta(seconds=min(seconds, 1e8)), self.longest_pause)


def patience_of(regime: Regime) -> Patience:
    """The policy's figures."""
    return Patience(
        attempts=regime.whole("webhook_attempts"),
        first_pause=timedelta(seconds=regime.whole("webhook_first_pause_seconds")),
        factor=regime.whole("webhook_pause_factor"),
        longest_pause=timedelta(minutes=regime.whole("webhook_longest_pause_minutes")),
        seconds=regime.whole("webhook_timeout_seconds"),
    )


def send_due(key: str, *, by: Actor, at: datetime) -> None:
    """The job: send what is due for the endpoint with this key, oldest first, and ask for itself again while some wait.

    When the receiver as a whole cannot be reached the rest waits untried, so that nothing is held up by it.
    """
    begun, patience = time.monotonic(), patience_of(regime_on(legal_day(at)))
    waiting = WebhookDelivery.objects.waiting().filter(endpoint=key)
    endpoints = WebhookEndpoint.objects.active().select_related("key__owner").filter(pk=key)
    is_there, now = True, at
    for delivery in waiting.filter(due_at__lte=at).order_by("due_at", "queued_at", "account", "number")[:BATCH]:
        endpoint = endpoints.first()  # read anew: meanwhile it may be ended, or its key or secret be another
        if endpoint is None:
            return
        outcome = _try(endpoint, delivery, patience, at)
        now = at + timedelta(seconds=time.monotonic() - begun)
        note_attempt(delivery, outcome, patience=patience, by=by, at=now)
        if outcome.fault in (*outgoing.NOT_REACHED, KEY_DEAD):
            is_there = False
            break
    next_due = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    if next_due is not None:
        earliest = now if is_there else now + patience.first_pause
        queue.ask(webhooks.SEND, key, due_at=max(next_due, earliest), at=now)


def _try(endpoint: WebhookEndpoint, delivery: WebhookDelivery, patience: Patience, at: datetime) -> Outcome:
    if not webhooks.may_be_told(endpoint, at):
        return Outcome(None, KEY_DEAD, 0)
    headers = {"Content-Type": "application/json", **headers_of(endpoint, delivery, at)}
    return outgoing.send(endpoint.url, delivery.body.encode(), headers, seconds=patience.seconds)


def headers_of(endpoint: WebhookEndpoint, delivery: WebhookDelivery, at: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks; while a secret is being changed, with a signature of each.

    The time stamp is the clock's, not the round's: receivers refuse what is older than some minutes.
    """
    secrets = [endpoint.secret.reveal()]
    if endpoint.former_secret is not None and endpoint.former_until > at:
        secrets.append(endpoint.former_secret.reveal())
    signed_at = timezone.now()
    signed = [sign_message(delivery.body, id=delivery.reference, at=signed_at, secret=each) for each in secrets]
    return signed[0] | {"webhook-signature": " ".join(each["webhook-signature"] for each in signed)}


@flow
def note_attempt(
    delivery: WebhookDelivery, outcome: Outcome, *, patience: Patience, by: Actor, at: datetime
) -> WebhookDelivery:
    """Write down one try and what follows: taken in, another try after a pause, or given up."""
    delivery = WebhookDelivery.objects.select_for_update(of=("self",)).select_related("endpoint").get(pk=delivery.pk)
    delivery.attempts += 1
    WebhookAttempt.objects.create(
        delivery=delivery, number=delivery.attempts, at=at, status=outcome.status, fault=outcome.fault,
        milliseconds=outcome.milliseconds,
    )  # fmt: skip
    facts = {"row": delivery.reference, "code": outcome.code, "number": delivery.attempts}
    if delivery.state == DeliveryState.DROPPED:  # its endpoint was ended while it was under way
        verb = Verb.DELIVERY_FAILED
    elif outcome.is_taken_in:
        delivery.state, delivery.ended_at, verb = DeliveryState.SENT, at, Verb.DELIVERED
    else:
        verb = Verb.DELIVERY_FAILED
        delivery.due_at = at + patience.pause_after(delivery.attempts)
        if delivery.attempts >= patience.attempts or outcome.status == GONE:
            delivery.state, delivery.ended_at = DeliveryState.GIVEN_UP, at
    delivery.save(update_fields=["state", "attempts", "due_at", "ended_at"])
    if verb == Verb.DELIVERY_FAILED:
        facts["state"] = delivery.state
    audit.record(verb, delivery, by=by, at=at, within=delivery.endpoint, **facts)
    return delivery
