"""Open what disagrees as records with both values (requirement R34)."""

from datetime import datetime

from accounts.flows.comparing import disagreements
from accounts.models import Account, Discrepancy, IdentityDocument, Verification
from accounts.verbs import Verb
from kyc_portal.records import audit, keys
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor

LONGEST_FIELD = 60
PLACE = "accounts.discrepancy"


def locked(verification: Verification) -> Verification:
    """The account's row first, then the verification's: the order in which every flow takes them."""
    Account.objects.select_for_update(of=("self",)).get(pk=verification.account_id)
    rows = Verification.objects.select_for_update(of=("self",)).select_related("account__party", "party")
    return rows.get(pk=verification.pk)


def note(verification: Verification, field: str, stated: str, found: str, *, by: Actor, at: datetime) -> Discrepancy:
    """Write one discrepancy of a verification that the caller has locked; both values are sealed."""
    row = Discrepancy(verification=verification, field=field, found_at=at, pair=_pair(verification, stated, found))
    row.stated, row.found = stated, found
    row.save(force_insert=True)
    audit.record(
        Verb.DISCREPANCY_FOUND, verification, by=by, at=at, within=verification.account, field=field,
        verification=verification.reference,
    )  # fmt: skip
    return row


def note_disagreements(verification: Verification, document: IdentityDocument, *, by: Actor, at: datetime) -> int:
    """Open what the document says otherwise than was stated; returns how many.

    What was noted before with the same two values is not opened again, settled or not; another value opens another one.
    """
    found = disagreements(document, verification.party, on=legal_day(at))
    if not found:
        return 0
    known = {(row.field, _pair_of(row)) for row in verification.discrepancies.all()}
    new = 0
    for field, stated, read in found:
        field = field[:LONGEST_FIELD]
        if (field, _pair(verification, stated, read)) not in known:
            note(verification, field, stated, read, by=by, at=at)
            new += 1
    return new


def _pair(verification: Verification, stated: str, found: str) -> str:
    """What is equal for the same two values of this person and tells nothing of them."""
    return keys.evidence(verification.party_id, PLACE, f"{stated}\x1f{found}")


def _pair_of(row: Discrepancy) -> str:
    """Of a row from before pairs were kept it is made of the two values."""
    if row.pair or not (row.stated and row.found):
        return row.pair
    return _pair(row.verification, row.stated.reveal(), row.found.reveal())
