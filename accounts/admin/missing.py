"""What the regime asks for and is not on file: each sentence with the button that puts it right (R8-R17, R20-R22)."""

from collections.abc import Iterable
from contextlib import suppress

from accounts.flows import activation
from accounts.flows.account_file import AccountFile
from accounts.flows.completeness import missing_in, missing_of
from accounts.flows.ownership import OwnersAbove
from accounts.flows.parties import account_of
from accounts.models import Account, Party
from accounts.rules.elements import Missing
from accounts.rules.ownership import TooTangled
from kyc_portal.staff.record_admin import button_of
from kyc_portal.staff.sections import Link, Reason, Table

# The button of a party's page by element; what is signed for an account stands on the account's page.
OF_PARTY = {
    "kind": "settle_kind",
    "address": "add_address",
    "use_location": "add_address",
    **dict.fromkeys(("email", "phone"), "add_contact"),
    **dict.fromkeys(("payment", "payment_source", "payment_holder"), "add_payment"),
    **dict.fromkeys(("legal_name", "formation_country", "registration_number", "birth_date", "national_id"), "correct"),
    "owners": "add_owner",
    "identity_document": "add_document",
}
OF_ACCOUNT = {"owners_certification": "certify_owners"}


def reasons(sentences: Iterable[str], file: AccountFile) -> list[Reason]:
    """What stands in the way of opening an account, with the button that puts it right where there is one."""
    start = button_of(file.account, "start_verification")
    doors = {activation.status_is_open(party): button_of(party, "settle_status") for party in file.everybody}
    doors |= {activation.is_not_verified(party): start for party in file.everybody}
    with suppress(TooTangled):  # one of the sentences says so
        doors |= {gap.sentence: door for gap, door in _with_doors(file)}
    return [Reason(sentence, doors.get(sentence)) for sentence in sentences]


def of_account(file: AccountFile) -> list[Table]:
    """What is missing of an account that is open; no section when nothing is."""
    try:
        return _table([[gap.sentence, door] for gap, door in _with_doors(file)])
    except TooTangled as refusal:
        return _table([[str(refusal), None]])


def of_party(party: Party, above: OwnersAbove) -> list[Table]:
    """What is missing of one party by itself; no section when nothing is, or when owners that go in circles hide it."""
    account = account_of(party)
    try:
        gaps = missing_of(party, account, above=above)
    except TooTangled:
        return []
    return _table([[gap.sentence, _door(gap, party, account)] for gap in gaps])


def _table(rows: list) -> list[Table]:
    title, head = "What is missing", ["What the regime of today asks for", "Where to put it right"]
    return [Table("missing", title, head, rows)] if rows else []


def _with_doors(file: AccountFile) -> list[tuple[Missing, Link | None]]:
    """Raises TooTangled."""
    parties = {"": file.account.party, **{party.reference: party for party in file.everybody}}
    return [(gap, _door(gap, parties[gap.owner], file.account)) for gap in missing_in(file)]


def _door(gap: Missing, party: Party, account: Account | None) -> Link | None:
    """The button that adds what is missing, for who may press it."""
    code = gap.code.removeprefix("owner_") if gap.owner else gap.code
    if code in OF_PARTY:
        return button_of(party, OF_PARTY[code])
    return button_of(account, OF_ACCOUNT[code]) if account and code in OF_ACCOUNT else None
