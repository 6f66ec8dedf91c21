"""Look through a reseller's file in full: every bad row, who is new, changed or the same, who sublets from whom.

Nothing is written. One pass over the file, a few queries for each thousand rows; of a row only its number is kept.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from accounts.flows.batches import in_batches
from accounts.formats.tables import BadRow, Row
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import keys
from resellers.formats.roster import read_roster
from resellers.models import DownstreamCustomer, Reseller, RosterEntry, RosterUpload
from resellers.rules import roster_tree
from resellers.rules.roster import Extent
from resellers.rules.roster_rows import StatedCustomer, read_row

BATCH = 1_000
TOLD_EVERY = 5_000
NO_SUCH_ACCOUNT = "Column account: no account of yours has this reference. Correct it, or leave it empty."
LEFT_BEHIND = (
    "Those who sublet from this customer are not in the file, and would stand at another depth. Add their rows."
)
NEW, CHANGED, SAME = "new", "changed", "same"


@dataclass
class Looked:
    """What one pass found: rows read, bad lines with their reasons, and of each number its line and what it is."""

    read: int = 0
    faults: dict[int, str] = field(default_factory=dict)
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    stood: dict[str, int] = field(default_factory=dict)  # depth on the roster of now, where it may have changed
    accounts: dict[str, int] = field(default_factory=dict)
    on_roster: int = 0  # numbers that the roster of now has as well

    def refuse(self, line: int, reason: str) -> None:
        """A line is bad for the first reason found."""
        self.faults.setdefault(line, reason)

    def word_of(self, number: str) -> str:
        """What a number is: "new", "changed" or "same"; "" for one whose row cannot be used."""
        line, word = self.seen[number]
        return "" if line in self.faults else word

    def counts(self) -> Counter:
        """How many of the good rows are new, changed and the same."""
        return Counter(filter(None, map(self.word_of, self.seen)))


def rows_of(upload: RosterUpload, file: BinaryIO, regime: Regime) -> Iterator[Row | BadRow]:
    """The rows of a file that is kept; raises TableRefused."""
    most_rows = regime.whole("roster_most_thousand_rows") * 1_000
    return read_roster(file, format=upload.format, most_rows=most_rows, most_bytes=most_bytes(regime))


def most_bytes(regime: Regime) -> int:
    """The largest file that is taken."""
    return regime.whole("roster_most_megabytes") << 20


def digest_of(reseller: Reseller, stated: StatedCustomer) -> str:
    """What two equal statements of one reseller share; made with its own key, so that it goes with it."""
    return keys.evidence(reseller.account.party_id, "resellers.rosterentry", stated.words)


def accounts_among(reseller: Reseller, stated: list[StatedCustomer]) -> dict[str, object]:
    """Key by reference of those accounts that these rows name and this reseller brought.

    One query, the same whatever the references are: a free one, somebody else's and one that never was look alike.
    """
    wanted = {each.account for each in stated if each.account}
    if not wanted:
        return {}
    links = DownstreamCustomer.objects.current().filter(reseller=reseller, account__reference__in=wanted)
    return dict(links.values_list("account__reference", "account_id"))


def look_through(upload: RosterUpload, file: BinaryIO, *, today: date, tell: Callable[[int], None]) -> Looked:
    """Go through the file once; `tell` is called with the number of rows every few thousand. Raises TableRefused.

    Reads upload.reseller.account.
    """
    looked, regime = Looked(), regime_on(today)
    reseller = upload.reseller
    has_roster = RosterEntry.objects.in_force().filter(reseller=reseller).exists()
    for batch in in_batches(rows_of(upload, file, regime), BATCH):
        _look(looked, reseller, batch, today, has_roster)
        if looked.read % TOLD_EVERY == 0:
            tell(looked.read)
    _place(looked, upload, regime.whole("roster_most_depth"), has_roster)
    return looked


def _look(looked: Looked, reseller: Reseller, batch: list[Row | BadRow], today: date, has_roster: bool) -> None:
    good: list[StatedCustomer] = []
    for row in batch:
        stated = row if isinstance(row, BadRow) else read_row(row, today=today)
        if isinstance(stated, BadRow):
            looked.refuse(stated.line, stated.reason)
        else:
            good.append(stated)
    looked.read += len(batch)
    accounts, there = accounts_among(reseller, good), {}
    if has_roster:
        rows = RosterEntry.objects.in_force().filter(reseller=reseller, number__in=[each.number for each in good])
        there = {number: (digest, depth) for number, digest, depth in rows.values_list("number", "digest", "depth")}
    with keys.held([reseller.account.party_id]):
        for stated in good:
            if stated.account and stated.account not in accounts:
                looked.refuse(stated.line, NO_SUCH_ACCOUNT)
            _note(looked, reseller, stated, there.get(stated.number))


def _note(looked: Looked, reseller: Reseller, stated: StatedCustomer, there: tuple[str, int] | None) -> None:
    """Remember a row by its number, or refuse both it and the one that had the number, or the account, before."""
    if stated.number in looked.seen:
        first, _ = looked.seen[stated.number]
        looked.refuse(first, f"The customer number stands in line {stated.line} as well. Keep one of the rows.")
        looked.refuse(stated.line, f"The customer number stands in line {first} as well. Keep one of the rows.")
        return
    if stated.account and (first := looked.accounts.setdefault(stated.account, stated.line)) != stated.line:
        looked.refuse(first, f"The account stands in line {stated.line} as well. Keep it in one of the rows.")
        looked.refuse(stated.line, f"The account stands in line {first} as well. Keep it in one of the rows.")
    word = NEW
    if there is not None:
        digest, depth = there
        looked.on_roster += 1
        word = SAME if digest == digest_of(reseller, stated) else CHANGED
        if word == SAME and (depth or stated.parent_number):
            looked.stood[stated.number] = depth
    looked.seen[stated.number] = (stated.line, word)
    if stated.parent_number:
        looked.parents[stated.number] = stated.parent_number


# --- who sublets from whom --------------------------------------------------------------------------------------------


def _place(looked: Looked, upload: RosterUpload, most_depth: int, has_roster: bool) -> None:
    """Find the depth of everybody in the file, and refuse who cannot stand where they do."""
    is_part = has_roster and (upload.extent == Extent.PART or bool(looked.faults))  # with bad rows nobody ends
    beside = _sublets_on_roster(upload.reseller, looked) if is_part else {}
    known = _directly_on_roster(upload.reseller, looked) if is_part and looked.parents else set()
    above = {number: parent for number, (parent, _) in beside.items()}
    known |= set(above.values())
    while True:
        bad = {number for number in looked.seen if not looked.word_of(number)} if looked.faults else set()
        parents = above | {number: parent for number, parent in looked.parents.items() if number not in bad}
        depths, faults = roster_tree.resolve(
            parents, is_known=lambda number: number in looked.seen or number in known, most_depth=most_depth
        )
        found = {number: why for number, why in faults.items() if number in looked.seen}
        found |= {number: roster_tree.NOT_USABLE for number, parent in parents.items()
                  if parent in bad and number in looked.seen and number not in found}  # fmt: skip
        if not found:
            found = _left_behind(looked, beside, depths)
        if not found:
            break
        for number, why in found.items():
            looked.refuse(looked.seen[number][0], why)
    looked.depths = {number: depth for number, depth in depths.items() if number in looked.seen}
    for number, depth in looked.stood.items():
        if looked.depths.get(number, 0) != depth:
            looked.seen[number] = (looked.seen[number][0], CHANGED)


def _left_behind(looked: Looked, beside: dict[str, tuple[str, int]], depths: dict[str, int]) -> dict[str, str]:
    """Customers of the file whose new place moves others that are on the roster and not in the file."""
    found = {}
    for number, (parent, depth) in beside.items():
        while depths.get(number) != depth and parent not in looked.seen and parent in beside:
            parent = beside[parent][0]
        if depths.get(number) != depth and parent in looked.seen and looked.word_of(parent):
            found[parent] = LEFT_BEHIND
    return found


def _sublets_on_roster(reseller: Reseller, looked: Looked) -> dict[str, tuple[str, int]]:
    """Parent and depth of everybody who sublets on the roster of now and is not in the file."""
    rows = RosterEntry.objects.in_force().filter(reseller=reseller).exclude(parent_number="").order_by()
    rows = rows.values_list("number", "parent_number", "depth").iterator(chunk_size=BATCH)
    return {number: (parent, depth) for number, parent, depth in rows if number not in looked.seen}


def _directly_on_roster(reseller: Reseller, looked: Looked) -> set[str]:
    """Those parents the file names that are on the roster of now, directly under the reseller, and not in the file."""
    missing, found = {parent for parent in looked.parents.values() if parent not in looked.seen}, set()
    for batch in in_batches(missing, BATCH):
        rows = RosterEntry.objects.in_force().filter(reseller=reseller, number__in=batch, parent_number="")
        found.update(rows.values_list("number", flat=True))
    return found
