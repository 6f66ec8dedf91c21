"""Which account held which addresses, from when to when."""

from datetime import datetime
from ipaddress import ip_address

from django.db import models

from kyc_portal.records.recorded import Recorded, RecordedQuerySet


class AddressAllocationQuerySet(RecordedQuerySet):
    def holding(self, address: str, at: datetime):
        """Allocations of this address (canonical form) that were in force at that moment."""
        parsed = ip_address(address)
        text = f"{int(parsed):032x}"
        covering = self.filter(version=parsed.version, first__lte=text, last__gte=text, from_at__lte=at)
        return covering.filter(models.Q(to_at__isnull=True) | models.Q(to_at__gt=at))


class AddressAllocation(Recorded):
    """Addresses of the provider that an account held; first and last as in the range lists, `to_at` no longer part."""

    recorded_in_bulk = True

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="allocations")
    version = models.PositiveSmallIntegerField()
    first = models.CharField(max_length=32)
    last = models.CharField(max_length=32)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=80)

    objects = AddressAllocationQuerySet.as_manager()

    class Meta:
        verbose_name = "address allocation"
        indexes = [models.Index(fields=["version", "first", "last"], name="allocation_lookup")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "version", "first", "last", "from_at"], name="one_allocation_per_beginning"
            ),
            models.CheckConstraint(condition=models.Q(first__lte=models.F("last")), name="allocation_first_to_last"),
            models.CheckConstraint(
                condition=models.Q(to_at__isnull=True) | models.Q(to_at__gt=models.F("from_at")),
                name="allocation_ends_after_it_begins",
            ),
        ]

    def __str__(self):
        return self.addresses

    @property
    def addresses(self) -> str:
        """One address, or the first and the last."""
        size = 4 if self.version == 4 else 16
        first, last = (str(ip_address(int(each, 16).to_bytes(size, "big"))) for each in (self.first, self.last))
        return first if first == last else f"{first} - {last}"
