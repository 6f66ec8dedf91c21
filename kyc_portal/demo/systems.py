"""The demo's other systems: one that asks and is told whether accounts may be used, and a product to countersign."""

from kyc_portal.api import keys, webhook_sending, webhooks
from kyc_portal.api.models import WebhookDelivery
from kyc_portal.api.outgoing import Outcome
from kyc_portal.demo.stories import Stage
from kyc_portal.policy import products
from kyc_portal.policy.current import regime_on
from kyc_portal.policy.models import Product
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER

NOBODY_LISTENS = "http://127.0.0.1:9/kyc"  # on this machine, so that no message of the demo leaves it
TAKEN_IN, IS_DOWN = Outcome(204, "", 38), Outcome(503, "", 12)


def gateway_is_told(stage: Stage) -> None:
    """A provisioning gateway may ask what an account may do, and is told when that changes."""
    made = {"by": stage.actor("adrian"), "at": stage.ago(21)}
    key = keys.create_key(
        owner=stage.people["lena"], name="provisioning gateway", scopes=["access.read"], networks=[], days=90, **made
    )
    webhooks.create_endpoint(name="provisioning gateway", url=NOBODY_LISTENS, key=key, **made)


def messages_go_out(stage: Stage) -> None:
    """What waits is taken in, but for the last message: the gateway was down until nobody tried any more."""
    patience = webhook_sending.patience_of(regime_on(legal_day(stage.now)))
    *rows, last = WebhookDelivery.objects.waiting().order_by("queued_at", "account", "number")
    for row in rows:
        webhook_sending.note_attempt(row, TAKEN_IN, patience=patience, by=SCHEDULER, at=row.queued_at)
    for _ in range(patience.attempts):
        last = webhook_sending.note_attempt(last, IS_DOWN, patience=patience, by=SCHEDULER, at=last.due_at)


def product_waits(stage: Stage) -> None:
    """Compliance proposes another version of a product; the senior manager has not signed yet."""
    now = Product.objects.in_force().get(code="gpu")
    products.propose(
        code=now.code, title=now.title, is_iaas=now.is_iaas, why=now.why, citation=now.citation,
        limited_may_start=False, limited_may_use=True, by=stage.actor("conrad"), at=stage.ago(1, 16),
    )  # fmt: skip
