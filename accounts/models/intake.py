"""Files from which customers were taken in."""

import uuid
from functools import partial

from django.db import models

from kyc_portal.records.recorded import Recorded
from kyc_portal.records.refs import new_reference


class CustomerFile(Recorded):
    """One file of customers that was taken in: its hash makes a repeat harmless, its counts account for every row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "CSV"), editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    read_count = models.PositiveIntegerField()
    new_count = models.PositiveIntegerField()
    known_count = models.PositiveIntegerField()
    refused_count = models.PositiveIntegerField()
    taken_in_at = models.DateTimeField()
    taken_in_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "customer file"

    def __str__(self):
        return self.reference
