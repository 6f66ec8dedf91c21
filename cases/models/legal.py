"""Requests of authorities."""

import uuid
from functools import partial

from django.db import models

from cases.rules.scope import AskedFor, DataClass
from cases.rules.stages import IN_ORDER, LegalRequestState, RejectedWhy
from kyc_portal.calendars import add_days
from kyc_portal.policy.current import regime_on
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference


class LegalRequestQuerySet(RecordedQuerySet):
    def preserving(self):
        return self.filter(state__in=[LegalRequestState.PRESERVING.value, LegalRequestState.RENEWED.value])

    def preservation_over(self, on):
        """Preservations whose last day is past (R111)."""
        return self.preserving().filter(preserve_through__lt=on)

    def preservation_ending(self, today):
        """Preservations that end within the days of the figure `preservation_soon_days`."""
        soon = add_days(today, regime_on(today).whole("preservation_soon_days"))
        return self.preserving().filter(preserve_through__lte=soon)

    def in_order(self):
        """Somebody found them in order, and they have not ended: what a bundle may rest on."""
        return self.filter(state__in=[state.value for state in IN_ORDER])

    def challenged(self):
        """In dispute: what rests on them stands still."""
        return self.filter(state=LegalRequestState.CHALLENGED.value)

    def to_act_on(self):
        return self.filter(state__in=[LegalRequestState.RECEIVED.value, LegalRequestState.VALIDATED.value])


class LegalRequest(Recorded):
    """What an authority asked for, on which ground; a preservation request freezes and hands nothing over (R111)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "LEG"), editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="legal_requests")
    authority = models.CharField(max_length=200)
    authority_reference = models.CharField(max_length=100, blank=True)
    ground = models.CharField(max_length=40)
    state = models.CharField(
        max_length=16, choices=LegalRequestState.choices(), default=LegalRequestState.RECEIVED.value
    )
    received_on = models.DateField()
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=150)
    rejected_why = models.CharField(max_length=20, choices=RejectedWhy.choices(), blank=True)
    preserve_through = models.DateField(null=True, blank=True)
    hold = models.ForeignKey(
        "records.LegalHold", on_delete=models.PROTECT, null=True, blank=True, related_name="legal_requests"
    )

    scope_kinds = models.JSONField(default=list, blank=True, help_text="Kinds of records; none for all.")
    scope_from = models.DateField(null=True, blank=True)
    scope_through = models.DateField(null=True, blank=True)
    scope_accounts = models.JSONField(default=list, blank=True, help_text="References; none for all of the case.")

    objects = LegalRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "legal request"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in LegalRequestState]),
                name="legal_request_state_known",
            ),
        ]
        permissions = [("handle_legal", "Can log, validate and preserve for legal requests")]

    def __str__(self):
        return self.reference

    @property
    def asked(self) -> AskedFor:
        """What it asks for."""
        return AskedFor(
            frozenset(map(DataClass, self.scope_kinds)), self.scope_from, self.scope_through,
            frozenset(self.scope_accounts),
        )  # fmt: skip
