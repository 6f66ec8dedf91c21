"""The keys of other systems, where they are told of changes, and what was sent there."""

import hashlib
import uuid
from functools import partial

from django.conf import settings
from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import Actor, new_reference
from kyc_portal.records.sealed import SealedTextField


class ApiKeyQuerySet(models.QuerySet):
    def in_force(self, at):
        return self.filter(revoked_at__isnull=True, expires_at__gt=at)


class ApiKey(models.Model):
    """What another system shows to act for its owner: only a hash of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "KEY"), editable=False)
    name = models.CharField(max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_keys")
    secret_sha256 = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField()
    networks = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True)
    last_used_on = models.DateField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    text = ""  # not a column: the whole key, on the row that was made a moment ago and on no other

    class Meta:
        verbose_name = "API key"
        permissions = [("manage_keys", "Can make and revoke API keys")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="api_key_ends_after_it_began"
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def as_actor(self) -> Actor:
        return Actor.api_client(str(self.pk), self.reference, owner=self.owner)

    @staticmethod
    def digest_of(secret: str) -> str:
        """What is kept of a secret. It has 256 random bits, so that a plain hash cannot be guessed back."""
        return hashlib.sha256(secret.encode()).hexdigest()


class WebhookEndpointQuerySet(RecordedQuerySet):
    def active(self):
        return self.filter(ended_at__isnull=True)


class WebhookEndpoint(Recorded):
    """An address that is told when the access answer of an account changes, signed with a secret of its own.

    While a secret is being changed the former one signs as well, until `former_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "WHE"), editable=False)
    name = models.CharField(max_length=60)
    url = models.CharField(max_length=300)
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="webhook_endpoints")
    secret = SealedTextField(under="pk")
    former_secret = SealedTextField(under="pk")
    former_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    objects = WebhookEndpointQuerySet.as_manager()

    text = ""  # not a column: the secret in clear, on the row that was made or changed a moment ago and on no other

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["url"], condition=models.Q(ended_at__isnull=True), name="one_active_endpoint_per_url"
            ),
        ]

    def __str__(self):
        return self.reference


class DeliveryState(models.TextChoices):
    QUEUED = "queued", "waits"
    SENT = "sent", "taken in"
    GIVEN_UP = "given_up", "given up"
    DROPPED = "dropped", "dropped with its endpoint"


class WebhookDeliveryQuerySet(RecordedQuerySet):
    def waiting(self):
        return self.filter(state=DeliveryState.QUEUED)

    def failing(self):
        """Given up, or waiting although it was tried more than once."""
        again = models.Q(state=DeliveryState.QUEUED, attempts__gt=1)
        return self.filter(models.Q(state=DeliveryState.GIVEN_UP) | again)


class WebhookDelivery(Recorded):
    """One message for one endpoint: what changed for one account. `number` orders the messages of an account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "WHD"), editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    account = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["endpoint", "state", "due_at"], name="webhook_due"),
            models.Index(fields=["state", "attempts"], name="webhook_failing"),
            models.Index(fields=["account", "number"], name="webhook_of_account"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=DeliveryState.values), name="delivery_state_known"),
        ]

    def __str__(self):
        return self.reference


class WebhookAttempt(Recorded):
    """One try to send a delivery: what the receiver answered, never the body of its answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.PROTECT, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    fault = models.CharField(max_length=20, blank=True)
    milliseconds = models.PositiveIntegerField()

    def __str__(self):
        return f"{self.number}: {self.status or self.fault}"
