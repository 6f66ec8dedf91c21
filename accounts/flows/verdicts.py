"""What an address meant by the lists of the day, kept once for each address and edition of the lists (R18)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.flows.address_ranges import RangeBook, Verdict, current_ranges, current_snapshots
from accounts.flows.batches import in_batches
from accounts.models import AddressVerdict, RangeEdition


@dataclass(frozen=True)
class Judge:
    """The lists that were current at a moment, ready to be asked without a query."""

    edition: RangeEdition
    book: RangeBook

    def of(self, address: str) -> Verdict:
        """The verdict on an address in canonical form."""
        return self.book.verdict_on(address)

    def keep(self, addresses: Iterable[str], *, at: datetime) -> None:
        """Write the verdicts of this edition that are not there yet; in the caller's flow."""
        for part in in_batches(addresses):
            AddressVerdict.objects.bulk_create([self._row(address, at) for address in part], ignore_conflicts=True)

    def _row(self, address: str, at: datetime) -> AddressVerdict:
        found = self.of(address)
        return AddressVerdict(
            address=address, edition=self.edition, judged_at=at, country=found.country, network=found.network,
            anonymiser=found.anonymiser, special_use=found.special_use,
        )  # fmt: skip


def judge_on(at: datetime) -> Judge:
    """The judge by today's lists; its edition is made on first use, in the caller's flow."""
    lists = sorted(current_snapshots().values_list("reference", flat=True))
    sha256 = hashlib.sha256("\n".join(lists).encode()).hexdigest()
    edition, _ = RangeEdition.objects.get_or_create(sha256=sha256, defaults={"lists": lists, "made_at": at})
    return Judge(edition, current_ranges())
