"""What is on file about an account on a day, read once for everybody who asks: guards, elements, the page."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID

from accounts.flows.ownership import OwnersAbove
from accounts.models import (
    Account,
    Address,
    ContactPoint,
    IdentityDocument,
    Party,
    PaymentMethod,
    Restriction,
    ScreeningHit,
    Verification,
)
from accounts.models.screening import HitStatus
from accounts.rules.us_status import needs_identity_checks
from accounts.rules.verifying import VerificationStatus
from kyc_portal.policy.current import Regime
from kyc_portal.records.clock import legal_day


@dataclass(frozen=True)
class AccountFile:
    """One reading of a file: each part costs one query, when it is first asked for, however many parties there are.

    It is as old as its first reading; a flow that has written takes a new one.
    """

    account: Account
    on: date
    known_above: OwnersAbove | None = None  # when the caller has looked upwards already

    @cached_property
    def above(self) -> OwnersAbove:
        return self.known_above or OwnersAbove(self.account.party, self.on)

    @property
    def regime(self) -> Regime:
        return self.above.regime

    @property
    def everybody(self) -> list[Party]:
        """The customer first, then all holders by name, U.S. persons and companies in between included."""
        return self.above.everybody

    @property
    def owners(self) -> list[Party]:
        """The individuals who own or control enough of the customer under the regime of the day. Raises TooTangled."""
        return self.above.beneficial_owners

    @cached_property
    def to_verify(self) -> list[Party]:
        """The customer if foreign, and each foreign beneficial owner; nobody when all of them are U.S. persons (R8).

        A U.S. customer with a foreign owner: the owner is verified, the customer is not.
        """
        customer, owners = self.account.party, self.owners
        if not needs_identity_checks(customer.is_us, tuple(owner.is_us for owner in owners)):
            return []
        return [party for party in (customer, *owners) if not party.is_us]

    def verified(self, *, since: date | None = None) -> set[UUID]:
        """Whose newest attempt for this account ended as verified; with `since`, only attempts begun then or later.

        An attempt still in progress leaves the earlier result standing; one that failed does not.
        """
        ended = [each for each in self.verifications if each.status != VerificationStatus.IN_PROGRESS]
        newest = {each.party_id: each for each in reversed(ended)}
        return {
            party
            for party, attempt in newest.items()
            if attempt.status == VerificationStatus.VERIFIED
            and (since is None or legal_day(attempt.started_at) >= since)
        }

    def unverified(self, *, since: date | None = None) -> list[Party]:
        """Who must be verified and is not; with `since`, who was not verified anew since that day."""
        verified = self.verified(since=since)
        return [party for party in self.to_verify if party.pk not in verified]

    @cached_property
    def verifications(self) -> list[Verification]:
        """All of the account, the newest first."""
        return list(self.account.verifications.select_related("party").order_by("-started_at", "pk"))

    @cached_property
    def hits(self) -> list[ScreeningHit]:
        """On the customer and all holders, the strongest first; those replaced by a newer comparison are left out."""
        found = ScreeningHit.objects.filter(party__in=self.everybody).exclude(status=HitStatus.REPLACED)
        return list(found.with_standing().select_related("party", "snapshot").order_by(*ScreeningHit.ORDER))

    @property
    def current_hits(self) -> list[ScreeningHit]:
        """Those that stand: no later version of their list has touched them."""
        return [hit for hit in self.hits if hit.stands]

    @cached_property
    def documents(self) -> list[IdentityDocument]:
        """Of the customer and all holders, the newest first."""
        found = IdentityDocument.objects.filter(party__in=self.everybody)
        return list(found.select_related("party").order_by("-added_at", "pk"))

    @cached_property
    def contact_points(self) -> list[ContactPoint]:
        return list(self.account.party.contact_points.order_by("kind", "pk"))

    @cached_property
    def addresses(self) -> list[Address]:
        """Of the customer and all holders."""
        return list(Address.objects.filter(party__in=self.everybody).order_by("kind", "pk"))

    @cached_property
    def payments(self) -> list[PaymentMethod]:
        """The customer's means of payment in use."""
        return list(self.account.party.payment_methods.filter(ended_at__isnull=True))

    @cached_property
    def restrictions(self) -> list[Restriction]:
        """All of the account, the newest first."""
        return list(self.account.restrictions.order_by("-applied_at", "pk"))

    @cached_property
    def certified_on(self) -> list[date]:
        """The days on which somebody signed the list of owners as it still stands."""
        standing = self.account.ownership_certifications.filter(broken_at__isnull=True)
        return list(standing.values_list("signed_on", flat=True))
