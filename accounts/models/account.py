"""A customer's account with us: its state, its clocks."""

import uuid
from functools import partial

from django.db import models
from django.utils.functional import cached_property

from accounts.rules.onboarding import CHOICES, AccountStatus
from accounts.rules.risk import CHOICES as TIER_CHOICES
from accounts.rules.risk import Tier
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.staff import policy_table

WAITING_STATUSES = (AccountStatus.PROSPECT.value, AccountStatus.DATA_REQUESTED.value, AccountStatus.VERIFYING.value)
ENDED_STATUSES = (AccountStatus.CLOSED.value, AccountStatus.REFUSED.value)


class AccountQuerySet(RecordedQuerySet):
    def open(self):
        return self.filter(status=AccountStatus.ACTIVE.value)

    def waiting(self):
        """Accounts somebody has to bring to an end: opened or refused."""
        return self.filter(status__in=WAITING_STATUSES)

    def foreign(self):
        return self.exclude(party__us_status="us")

    def due_for_review(self, on):
        """Open accounts whose review has come round and of which nothing was asked yet (R45)."""
        return self.open().filter(next_review_on__lte=on, review_asked_on__isnull=True)

    def review_unanswered(self, on):
        """Open accounts that were asked and whose day to answer is past."""
        return self.open().filter(review_asked_on__isnull=False, review_answer_by__lt=on)

    def restricted(self):
        return self.filter(restrictions__lifted_at__isnull=True, restrictions__isnull=False).distinct()

    def handed_in(self):
        """Accounts whose customer says that everything asked for is handed in."""
        return self.filter(customer_links__ended_at__isnull=True, customer_links__handed_in_at__isnull=False)

    def ended(self):
        """Closed, or never opened."""
        return self.filter(status__in=ENDED_STATUSES)

    def visible_to(self, user):
        """All accounts for staff who may see accounts, none for others: reseller managers have their own page."""
        return policy_table.rows_for(user, self)


class Account(Recorded):
    """One customer relationship. `external_key` is the provider's own account number, when there is one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "ACC"), editable=False)
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="accounts")
    external_key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    product = models.CharField(max_length=80, blank=True)
    is_reseller = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=CHOICES, default=AccountStatus.PROSPECT.value)
    source = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    notice_version = models.CharField(max_length=20, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closing_reason = models.CharField(max_length=40, blank=True)
    last_access_at = models.DateTimeField(null=True, blank=True)
    risk_tier = models.CharField(max_length=6, choices=TIER_CHOICES, default=Tier.MEDIUM.value)
    risk_score = models.PositiveSmallIntegerField(default=0)
    next_review_on = models.DateField(null=True, blank=True)
    review_asked_on = models.DateField(null=True, blank=True)
    review_answer_by = models.DateField(null=True, blank=True)
    review_reminded = models.BooleanField(default=False)
    review_trigger = models.CharField(max_length=40, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["status", "next_review_on"], name="account_review"),
            models.Index(fields=["status", "closed_at"], name="account_ended"),
            models.Index(fields=["created_at"], name="account_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in AccountStatus]), name="account_status_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="closed") | models.Q(closed_at__isnull=False),
                name="closed_account_says_when",
            ),
        ]
        permissions = [
            ("settle_status", "Can settle U.S. or foreign status"),
            ("verify", "Can verify identities"),
            ("activate", "Can open accounts"),
            ("refuse", "Can refuse to open accounts"),
            ("set_tier", "Can set the risk tier by hand"),
            ("close", "Can close and reopen accounts"),
            ("import_customers", "Can take in customers from a file"),
            ("reveal", "Can unmask identity data"),
        ]

    def __str__(self):
        return self.reference

    @cached_property
    def tier_by_hand(self):
        """The tier somebody has set in place of what the red flags give; None when nobody has. For pages."""
        return self.risk_overrides.in_force().first()

    @property
    def is_open(self) -> bool:
        return self.status == AccountStatus.ACTIVE.value

    @property
    def is_rated(self) -> bool:
        """Whether the risk was looked at yet: by the opening, by red flags before it, or by hand. For pages."""
        return self.opened_at is not None or self.risk_score > 0 or self.tier_by_hand is not None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED_STATUSES
