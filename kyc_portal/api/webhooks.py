"""Where other systems are told that the access answer of an account changed, and what is told (docs/access-answer.md).

A message is queued in the transaction of the change and sent by a worker (webhook_sending.py). It names the account by
its reference, the answer as it was and as it is, with codes, and the number that orders the changes of an account.
"""

import base64
import json
import secrets
from datetime import datetime, timedelta

from django.db import models

from accounts.flows.access_answer import AccessChange
from accounts.flows.texts import Texts, required
from kyc_portal.api import keys, outgoing
from kyc_portal.api.models import ApiKey, DeliveryState, WebhookDelivery, WebhookEndpoint
from kyc_portal.api.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue

SEND = "api.webhooks"  # the job that sends what waits for one endpoint
SCOPE, TYPE, CONTRACT = "access.read", "access_answer.changed", 1
SECRET_BYTES = 32
OVERLAP = "webhook_overlap_hours"


class BadEndpoint(Refusal):
    """An endpoint cannot be made or changed as it was asked for."""


class HasEnded(Refusal):
    """The endpoint was ended before."""


class StillWaits(Refusal):
    """The message waits to be sent already, or its endpoint is gone."""


# --- endpoints --------------------------------------------------------------------------------------------------------


@flow
def create_endpoint(*, name: str, url: str, key: ApiKey, by: Actor, at: datetime) -> WebhookEndpoint:
    """Have changes told to `url` as long as `key` may ask for the answers; the row carries its secret in `text`, once.

    Raises BadField, BadEndpoint, outgoing.BadAddress.
    """
    told = Texts()
    name = required("System", told.line("System", name.strip(), 60))
    outgoing.check_url(url)
    key = _usable(key, at)
    if twin := WebhookEndpoint.objects.active().filter(url=url).first():
        raise BadEndpoint(f"{twin.reference} is told at this address already. End it first, or name another address.")
    endpoint = WebhookEndpoint(name=name, url=url, key=key, created_at=at, created_by=by.label)
    endpoint.text = endpoint.secret = _new_secret()
    endpoint.save(force_insert=True)
    facts = {"row": endpoint.reference, "key": key.reference}
    audit.record(Verb.ENDPOINT_CREATED, endpoint, by=by, at=at, within=key, **facts)
    told.record_masked(endpoint, by=by, at=at)
    return endpoint


@flow
def rotate_secret(endpoint: WebhookEndpoint, *, by: Actor, at: datetime) -> WebhookEndpoint:
    """Make a new secret, in `text` once; the former one signs beside it for the policy's hours. Raises BadEndpoint."""
    endpoint = _locked(endpoint)
    if endpoint.former_until is not None and endpoint.former_until > at:
        raise BadEndpoint("The former secret still signs. Drop it first, so that no third one is needed.")
    endpoint.former_secret = endpoint.secret
    endpoint.former_until = at + timedelta(hours=regime_on(legal_day(at)).whole(OVERLAP))
    endpoint.text = endpoint.secret = _new_secret()
    endpoint.save(update_fields=["secret", "former_secret", "former_until"])
    facts = {"row": endpoint.reference, "until": endpoint.former_until}
    audit.record(Verb.SECRET_CHANGED, endpoint, by=by, at=at, within=endpoint.key, **facts)
    return endpoint


@flow
def drop_former(endpoint: WebhookEndpoint, *, by: Actor, at: datetime) -> WebhookEndpoint:
    """Sign with the newest secret only from now on. Raises BadEndpoint, HasEnded."""
    endpoint = _locked(endpoint)
    if endpoint.former_secret is None:
        raise BadEndpoint("There is no former secret; only one signs.")
    endpoint.former_secret, endpoint.former_until = None, None
    endpoint.save(update_fields=["former_secret", "former_until"])
    audit.record(Verb.FORMER_DROPPED, endpoint, by=by, at=at, within=endpoint.key, row=endpoint.reference)
    return endpoint


@flow
def change_key(endpoint: WebhookEndpoint, *, key: ApiKey, by: Actor, at: datetime) -> WebhookEndpoint:
    """Put the endpoint under another key, because a key runs out in time. Raises BadEndpoint, HasEnded."""
    endpoint, earlier = _locked(endpoint), endpoint.key
    endpoint.key = _usable(key, at)
    endpoint.save(update_fields=["key"])
    facts = {"row": endpoint.reference, "key": endpoint.key.reference, "earlier": earlier.reference}
    audit.record(Verb.ENDPOINT_KEY_CHANGED, endpoint, by=by, at=at, within=endpoint.key, **facts)
    _wake(endpoint, at)
    return endpoint


@flow
def end_endpoint(endpoint: WebhookEndpoint, *, by: Actor, at: datetime) -> WebhookEndpoint:
    """Tell this address nothing more; what waits is dropped, and the secrets are gone. Raises HasEnded."""
    endpoint = _locked(endpoint)
    endpoint.ended_at, endpoint.ended_by = at, by.label
    endpoint.secret = endpoint.former_secret = endpoint.former_until = None
    endpoint.save(update_fields=["ended_at", "ended_by", "secret", "former_secret", "former_until"])
    waiting = WebhookDelivery.objects.waiting().filter(endpoint=endpoint)
    count = waiting.update(state=DeliveryState.DROPPED, ended_at=at)
    facts = {"row": endpoint.reference, "count": count}
    audit.record(Verb.ENDPOINT_ENDED, endpoint, by=by, at=at, within=endpoint.key, **facts)
    return endpoint


def may_be_told(endpoint: WebhookEndpoint, at: datetime) -> bool:
    """Whether its key still opens the answers it is told of: in force, the scope, and an owner who may; reads key."""
    key = endpoint.key
    in_force = key.revoked_at is None and key.expires_at > at
    return in_force and SCOPE in key.scopes and keys.owner_may(key)


def _usable(key: ApiKey, at: datetime) -> ApiKey:
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("owner").get(pk=key.pk)
    if not may_be_told(WebhookEndpoint(key=key), at):
        raise BadEndpoint(f"{key.reference} does not open {SCOPE}. Choose a key in force that does.")
    return key


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.select_for_update(of=("self",)).select_related("key__owner")
    endpoint = rows.get(pk=endpoint.pk)
    if endpoint.ended_at is not None:
        raise HasEnded(f"{endpoint.reference} was ended by {endpoint.ended_by}. Make a new one.")
    return endpoint


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


# --- messages ---------------------------------------------------------------------------------------------------------


def queue_changes(sender: type[models.Model], *, changes: list[AccessChange], by: Actor, at: datetime, **signal):
    """The receiver of accounts.events.access_changed: a message for each change and endpoint, in its transaction."""
    endpoints = list(WebhookEndpoint.objects.active().order_by("pk"))
    if not endpoints:
        return
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint=endpoint, account=change.account, number=change.number, body=body_of(change, at),
                queued_at=at, due_at=at,
            )
            for change in changes
            for endpoint in endpoints
        ],
        batch_size=500,
    )  # fmt: skip
    for endpoint in endpoints:
        _wake(endpoint, at)


def body_of(change: AccessChange, at: datetime) -> str:
    """The message as it is signed and sent, byte for byte at each try."""
    told = {
        "type": TYPE,
        "timestamp": at.isoformat(),
        "data": {
            "contract": CONTRACT,
            "account": change.account,
            "number": change.number,
            "old": {"answer": change.old, "codes": list(change.old_codes)},
            "new": {"answer": change.new, "codes": list(change.new_codes)},
        },
    }
    return json.dumps(told, separators=(",", ":"))


@flow
def send_again(delivery: WebhookDelivery, *, by: Actor, at: datetime) -> WebhookDelivery:
    """Send a message once more, under the same id, with a clean count. Raises StillWaits."""
    endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).get(pk=delivery.endpoint_id)
    delivery = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    if delivery.state == DeliveryState.QUEUED:
        raise StillWaits(f"{delivery.reference} waits to be sent at {delivery.due_at:%-d %b %Y, %H:%M} UTC.")
    if endpoint.ended_at is not None:
        raise StillWaits(f"{endpoint.reference} is ended, so there is nobody to send {delivery.reference} to.")
    delivery.state, delivery.attempts, delivery.due_at, delivery.ended_at = DeliveryState.QUEUED, 0, at, None
    delivery.save(update_fields=["state", "attempts", "due_at", "ended_at"])
    audit.record(Verb.SENT_AGAIN, delivery, by=by, at=at, within=endpoint, row=delivery.reference)
    _wake(endpoint, at)
    return delivery


def _wake(endpoint: WebhookEndpoint, at: datetime) -> None:
    """Ask for the job that sends, now; one that waits for a later moment is brought forward."""
    job = queue.ask(SEND, str(endpoint.pk), due_at=at, at=at)
    queue.bring_forward(job, to=at)
