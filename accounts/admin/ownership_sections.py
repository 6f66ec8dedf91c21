"""Owners on the pages of a party and of an account: the tree, who counts as beneficial owner and why, what is blocked.

Names are for who may see parties; everybody else reads references.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.urls import reverse

from accounts.flows.ownership import OwnersAbove
from accounts.models import Party
from accounts.rules.ownership import BeneficialOwner, TooTangled, as_percent
from accounts.rules.parties import PartyKind
from kyc_portal.staff.policy_table import page_named, right_to_see
from kyc_portal.staff.sections import Facts, Link, Table, Tree

MOST_ROWS = 50
NONE_KNOWN = "No owners are known. Add everybody who owns or controls it on the party's own page."


def sees_names(user) -> bool:
    """Whether this person may read who the parties are."""
    return user.has_perm(right_to_see("accounts.party"))


def owner_tree(above: OwnersAbove, table: Table | None, user, empty: str = NONE_KNOWN) -> Tree:
    """The owners as a picture; the note says what cannot be right, what goes round, and what was left out."""
    try:
        told = [*above.faults(), *above.remarks()]
    except TooTangled as refusal:
        told = [str(refusal), *above.remarks()]
    node = above.tree(names=sees_names(user))
    return Tree("owners", "Owners", node, table, note=" ".join(told), empty=empty)


def as_of(above: OwnersAbove, user) -> list[Tree | Table]:
    """All that is to be said of the owners of one day."""
    empty = f"No owners are known for {above.on}."
    tree = owner_tree(above, holders(above, None, user), user, empty=empty)
    return [tree, beneficial(above, user), blocked(above, user)]


def holders(above: OwnersAbove, verified: Collection[UUID] | None, user) -> Table | None:
    """Everybody above the party with the whole share through all chains; None when nobody is.

    `verified` are the keys of those whose identity was verified; None leaves that column out.
    """
    try:
        shares = above.shares
        beneficial = {owner.owner for owner in above.owners}
    except TooTangled:
        shares, beneficial = {}, set()
    rows = []
    for party in above.everybody[1 : MOST_ROWS + 1]:
        share = f"{as_percent(shares[str(party.pk)]):f} %" if str(party.pk) in shares else ""
        row = [_who(party, user), share, _part_played(party, beneficial), party.get_us_status_display()]
        rows.append(row if verified is None else [*row, party.pk in verified])
    head = ["Holder", "Whole share", "Counts as", "Status", *(["Verified"] if verified is not None else [])]
    left_out = len(above.everybody) - 1 - len(rows)
    note = f"{left_out:,} more holders are not shown." if left_out > 0 else ""
    return Table("owners-table", "Owners", head, rows, note=note) if rows else None


def _part_played(party: Party, beneficial: set[str]) -> str:
    if str(party.pk) in beneficial:
        return "beneficial owner"
    return "company in between" if party.kind == PartyKind.ENTITY else "below the threshold"


def beneficial(above: OwnersAbove, user) -> Table:
    """Who counts under the regime of the day and why: chains, sums and prongs in sentences, for phones as well."""
    named = {str(each.pk): each for each in above.everybody} if above.stakes else {}
    note = "" if sees_names(user) else "The reasons name others, and are for who may see parties."
    try:
        rows = [
            [_who(named[owner.owner], user), " ".join(above.reasons(owner)) if sees_names(user) else _in_short(owner)]
            for owner in above.owners[:MOST_ROWS]
        ]
    except TooTangled as refusal:
        rows, note = [], str(refusal)
    if above.stakes and not note:
        bound = above.regime.number("owner_share_percent").normalize() + 0
        note = f"Ownership prong: {bound:f} % or more ({above.regime.cite('owner_share_percent')})."
    empty = "Nobody is known who owns or controls enough of it."
    return Table("beneficial-owners", "Beneficial owners and why", ["Owner", "Why"], rows, empty=empty, note=note)


def _in_short(owner: BeneficialOwner) -> str:
    met = ["ownership"] * owner.owns + ["control"] * owner.control
    return f"{owner.percent:f} % in all, by {' and '.join(met)}."


def blocked(above: OwnersAbove, user, listed: Iterable[UUID] | None = None) -> Table:
    """What parties with a confirmed hit hold together (31 CFR 578.411), step by step. For who may see hits only."""
    told = above.blocked_reasons(listed) if above.stakes and sees_names(user) else ()
    return Table(
        "blocked-owners", "Held by blocked persons", ["Step by step"], [[sentence] for sentence in told],
        empty="Nobody above it is on a list by a confirmed hit.",
    )  # fmt: skip


def doors(party: Party, user) -> Facts | None:
    """Where owners are shown as of a day, handed out and taken in as a file, for who may; None for nobody else."""
    pages = (
        ("On another day", "owners_on_a_day", "as of a day"),
        ("Hand out", "export_ownership", "as a file"),
        ("Take in", "import_ownership", "from a file"),
    )
    rows = [
        (label, Link(words, reverse(f"accounts:{name}", args=[party.pk])))
        for label, name, words in pages
        if page_named(f"accounts:{name}").opens_to(user, "GET")
    ]
    note = "Files by the Beneficial Ownership Data Standard 0.4."
    return Facts("owner-doors", "More about owners", rows, note=note) if rows else None


def _who(party: Party, user) -> Link:
    return Link(party.legal_name if sees_names(user) else party.reference, party)
