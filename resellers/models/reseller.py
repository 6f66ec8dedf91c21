"""Resellers, the people who manage them, and the customers they brought."""

import uuid
from functools import partial

from django.conf import settings
from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.staff import policy_table


class ResellerQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        """For a reseller's manager: the resellers they are bound to today. For staff with the right: all."""
        if user.has_perm(policy_table.right_to_see("resellers.reseller")):
            return self
        return self.filter(managers__user=user, managers__ended_at__isnull=True).distinct()

    def without_manager(self):
        """Resellers for whom nobody can log in."""
        bound = ResellerManager.objects.filter(reseller=models.OuterRef("pk"), ended_at__isnull=True)
        return self.filter(~models.Exists(bound))


class Reseller(Recorded):
    """A customer whose account passes our products on to others (proposed 15 CFR 7.303)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "RSL"), editable=False)
    account = models.OneToOneField("accounts.Account", on_delete=models.PROTECT, related_name="reseller")
    added_at = models.DateTimeField()

    objects = ResellerQuerySet.as_manager()

    class Meta:
        permissions = [("bind_manager", "Can bind managers to resellers")]

    def __str__(self):
        return self.reference


class ResellerManager(Recorded):
    """Binds a person outside the house to a reseller; the binding ends, it is never deleted."""

    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="managers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reseller_bindings")
    bound_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "reseller manager"
        constraints = [
            models.UniqueConstraint(
                fields=["reseller", "user"], condition=models.Q(ended_at__isnull=True), name="one_binding_per_person"
            ),
        ]

    def __str__(self):
        return f"{self.user} for {self.reseller}"


class DownstreamCustomerQuerySet(RecordedQuerySet):
    def visible_to(self, user):
        """Only the customers of the resellers this person is bound to; nobody else's exist for them."""
        return self.current().filter(reseller__in=Reseller.objects.visible_to(user))

    def current(self):
        """Those sold through a reseller still; the others are customers of our own now."""
        return self.filter(ended_at__isnull=True)


class DownstreamCustomer(Recorded):
    """Links a customer's account to the reseller who brought it, until we take the customer over (R24, R62, R64)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reseller = models.ForeignKey(Reseller, on_delete=models.PROTECT, related_name="customers")
    account = models.OneToOneField("accounts.Account", on_delete=models.PROTECT, related_name="sold_through")
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DownstreamCustomerQuerySet.as_manager()

    class Meta:
        verbose_name = "downstream customer"

    def __str__(self):
        return f"{self.account} through {self.reseller}"
