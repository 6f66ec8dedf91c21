"""People and entities, with their names, addresses and ways to reach them."""

import hashlib
import uuid
from functools import partial

from django.db import models
from django_countries.fields import CountryField

from accounts.models.screening import Screening
from accounts.rules.parties import CHOICES as KIND_CHOICES
from accounts.rules.parties import PartyKind
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class UsStatus(models.TextChoices):
    UNSETTLED = "unsettled", "not settled (treated as foreign)"
    FOREIGN = "foreign", "foreign person"
    US = "us", "U.S. person"


class PartyQuerySet(RecordedQuerySet):
    def foreign(self):
        """Everybody who has not been shown to be a U.S. person (R7)."""
        return self.exclude(us_status=UsStatus.US)

    def to_screen(self, snapshot, marked_with):
        """Parties not screened against this list since their data changed, or whose marks are of another making.

        Any version of the list will do: whom a later version touches loses its marks (R35). `marked_with` says how
        marks are made today. U.S. persons are included.
        """
        done = Screening.objects.filter(
            party=models.OuterRef("pk"),
            snapshot__list_name=snapshot.list_name,
            at__gte=models.OuterRef("changed_at"),
        )
        return self.filter(~models.Exists(done) | ~models.Q(marked_with=marked_with))


class Party(Recorded):
    """A person or entity we deal with. Names stay readable, because people search and screen by them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "PTY"), editable=False)
    kind = models.CharField(max_length=14, choices=KIND_CHOICES)
    entity_type = models.CharField(max_length=60, blank=True)
    legal_name = models.CharField(max_length=300)
    birth_date = SealedTextField(under="pk")
    citizenship = CountryField(blank=True)
    formation_country = CountryField(blank=True)
    registration_number = SealedTextField(under="pk")
    national_id = SealedTextField(under="pk")
    us_status = models.CharField(max_length=12, choices=UsStatus.choices, default=UsStatus.UNSETTLED)
    us_basis = models.CharField(max_length=40, blank=True)
    us_settled_at = models.DateTimeField(null=True, blank=True)
    us_settled_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    screened_at = models.DateTimeField(null=True, blank=True)
    screened_against = models.ForeignKey(
        "accounts.WatchlistSnapshot", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    marked_with = models.CharField(max_length=60, blank=True, help_text="How and under which key its marks were made.")
    look_back_due = models.BooleanField(
        default=True, db_default=True, help_text="What it shares was not compared yet with whom we shut out."
    )

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "parties"
        indexes = [
            models.Index(fields=["legal_name"], name="party_name"),
            models.Index(fields=["id"], condition=models.Q(look_back_due=True), name="party_look_back_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in PartyKind]), name="party_kind_known"
            ),
            models.CheckConstraint(condition=models.Q(us_status__in=UsStatus.values), name="party_us_status_known"),
        ]

    def __str__(self):
        return self.legal_name

    @property
    def is_us(self) -> bool:
        return self.us_status == UsStatus.US


class NameKind(models.TextChoices):
    ALIAS = "alias", "also known as"
    TRADE = "trade", "trades as"
    FORMER = "former", "formerly"
    SCRIPT = "script", "in another script"


class PartyName(Recorded):
    """A further name of a party (R10)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="names")
    kind = models.CharField(max_length=10, choices=NameKind.choices)
    name = models.CharField(max_length=300)
    script = models.CharField(max_length=60, blank=True, help_text="Found from the letters.")
    added_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "further name"

    def __str__(self):
        return self.name


class AddressKind(models.TextChoices):
    RESIDENCE = "residence", "residence"
    BUSINESS = "business", "business street address"
    PRINCIPAL = "principal", "principal place of business"
    LOCAL_OFFICE = "local_office", "local office"
    APO_FPO = "apo_fpo", "APO or FPO box"
    NEXT_OF_KIN = "next_of_kin", "address of next of kin"
    CONTACT_PERSON = "contact_person", "address of a contact person"
    USE_LOCATION = "use_location", "place of use"


class Address(Recorded):
    """Where a party lives, works or uses the product (R11, R12); the lines are sealed, the country is not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="addresses")
    kind = models.CharField(max_length=16, choices=AddressKind.choices)
    lines = SealedTextField()
    contact_name = SealedTextField()
    region = models.CharField(max_length=60, blank=True)
    country = CountryField()
    added_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "addresses"

    def __str__(self):
        return f"{self.get_kind_display()} in {self.country.name}"


class ContactKind(models.TextChoices):
    EMAIL = "email", "e-mail"
    PHONE = "phone", "telephone"


class ConfirmedHow(models.TextChoices):
    LINK = "link", "by a link sent there"
    CODE = "code", "by a code read out to them"
    TOLD = "told_to_staff", "by a code told back to staff"


class ContactPoint(Recorded):
    """An e-mail address or telephone number (R16, R17), sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="contact_points")
    kind = models.CharField(max_length=6, choices=ContactKind.choices)
    value = SealedTextField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_how = models.CharField(max_length=14, choices=ConfirmedHow.choices, blank=True)
    confirmed_seal = models.CharField(max_length=64, blank=True, help_text="The sealed value that was confirmed.")
    added_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "contact point"

    def __str__(self):
        return self.get_kind_display()

    @property
    def is_confirmed(self) -> bool:
        """Whether this very value was confirmed: one that was changed afterwards is sealed anew and counts as new."""
        return self.confirmed_at is not None and self.confirmed_seal == self.seal()

    def seal(self) -> str:
        """What tells this stored value from any other without opening it; "" when there is none."""
        if not self.value:
            return ""
        home = self._meta.get_field("value").home_of(self)
        return hashlib.sha256(self.value.for_database(home)).hexdigest()
