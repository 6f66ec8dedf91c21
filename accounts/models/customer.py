"""What passes between us and a customer on the page outside the admin: links and objections."""

import uuid
from functools import partial

from django.db import models

from accounts.rules.asked import EndedWhy, ObjectionOutcome, Purpose
from accounts.rules.unverified import RedressAnswer
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class CustomerLinkQuerySet(RecordedQuerySet):
    def standing(self):
        """Links, used or not, whose request is neither answered nor withdrawn."""
        return self.filter(ended_at__isnull=True)

    def handed_in(self):
        """Customers who say that they are done; staff look at what they gave."""
        return self.standing().filter(handed_in_at__isnull=False)


class CustomerLink(Recorded):
    """A link by which a customer opens the page once, and the session it opened; only hashes of the secrets are kept.

    `given` says when which part was handed in last, `notice_number` which privacy notice was shown at first use (R23).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "LNK"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="customer_links")
    purpose = models.CharField(max_length=16, choices=Purpose.choices())
    token_sha256 = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=150)
    issued_by_key = models.CharField(max_length=80, blank=True)
    expires_at = models.DateTimeField()
    answer_by = models.DateField()
    used_at = models.DateTimeField(null=True, blank=True)
    session_sha256 = models.CharField(max_length=64, blank=True)
    session_until = models.DateTimeField(null=True, blank=True)
    notice_number = models.PositiveIntegerField(null=True, blank=True)
    given = models.JSONField(default=dict)
    given_count = models.PositiveSmallIntegerField(default=0)
    handed_in_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=EndedWhy.choices(), blank=True)

    objects = CustomerLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "link to the customer"
        verbose_name_plural = "links to customers"
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(ended_at__isnull=True), name="one_standing_link_per_account"
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(notice_number__isnull=False),
                name="used_link_says_which_notice",
            ),
        ]

    def __str__(self):
        return self.reference


class ConfirmationQuerySet(RecordedQuerySet):
    def waiting(self, at):
        """Asked for, not answered, not given up, and in time."""
        return self.filter(confirmed_at__isnull=True, ended_at__isnull=True, expires_at__gt=at)


class ContactConfirmation(Recorded):
    """A question whether a way to reach somebody is theirs: a link for an e-mail address, a code for a telephone.

    Kept is a keyed fingerprint of the secret; `seal` says which stored value is asked about.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey("accounts.ContactPoint", on_delete=models.PROTECT, related_name="confirmations")
    secret_print = models.CharField(max_length=64, db_index=True)
    seal = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        verbose_name = "confirmation of a contact point"
        verbose_name_plural = "confirmations of contact points"
        constraints = [
            models.UniqueConstraint(
                fields=["contact"],
                condition=models.Q(confirmed_at__isnull=True, ended_at__isnull=True),
                name="one_open_confirmation_per_contact",
            ),
        ]

    def __str__(self):
        return f"confirmation asked on {self.asked_at:%Y-%m-%d}"


class ObjectionQuerySet(RecordedQuerySet):
    def open(self):
        return self.filter(state="open")

    def plain(self):
        """Objections that are neither requests for redress nor answered in a record of an app above."""
        return self.filter(against__isnull=True, answered_in="")

    def redress(self):
        """Requests for redress: objections against what followed when an identity could not be verified."""
        return self.filter(against__isnull=False)


class Objection(Recorded):
    """What a customer says against what we ask or did; somebody who took no part in it answers.

    One `against` an outcome of a verification is a request for redress (R41).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "OBJ"), editable=False)
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="objections")
    party = models.ForeignKey("accounts.Party", on_delete=models.PROTECT, related_name="objections")
    against = models.ForeignKey(
        "accounts.CouldNotVerify", on_delete=models.PROTECT, null=True, blank=True, related_name="redress"
    )
    answered_in = models.CharField(
        max_length=20, blank=True, help_text="The record of an app above in which it is answered, such as an appeal."
    )
    text = SealedTextField()
    state = models.CharField(max_length=10, choices=[("open", "open"), ("answered", "answered")], default="open")
    raised_at = models.DateTimeField()
    raised_through = models.CharField(max_length=20)
    due_on = models.DateField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    outcome = models.CharField(
        max_length=12, choices=[*ObjectionOutcome.choices(), *RedressAnswer.choices()], blank=True
    )
    answered_why = models.CharField(max_length=500, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open") | models.Q(answered_at__isnull=False),
                name="answered_objection_says_when",
            ),
            models.UniqueConstraint(fields=["against"], name="one_redress_per_outcome"),
        ]

    def __str__(self):
        return self.reference
