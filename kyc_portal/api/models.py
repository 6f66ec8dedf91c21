"""The keys of other systems."""

import hashlib
import uuid
from functools import partial

from django.conf import settings
from django.db import models

from kyc_portal.records.refs import Actor, new_reference


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
