"""No decision rests on an address alone: what else must speak against an account before it is restricted (R18, R41).

An address shows where an exit of the net stands, not who uses it. What rests on addresses only is a reason to look, and
never one to restrict, to end or to judge that a special measure applies.
"""

from collections.abc import Collection, Mapping, Sequence

from accounts.rules.verdicts import ADDRESS_ONLY, DOUBTED, only_addresses
from cases.rules.measures import EvidenceCode
from cases.rules.outcomes import UNTOUCHED, Consequence

ON_PAPER = frozenset({"authority_order", "reseller_ended"})  # reasons that a paper gives, whatever the flags say
OF_ADDRESS = frozenset({"masked_access"})  # reasons that are about addresses themselves
# Points of a case's list at which something other than addresses is looked at.
LOOKED_AT = frozenset({
    "entry_compared", "owners_looked_at", "report_read", "identity_compared", "authority_confirmed",
})  # fmt: skip
OVER = frozenset({"dismissed", "replaced"})  # hits of which nothing is left

WHAT_ELSE = (
    "No decision rests on an address alone: look at another point of the list (documents, owners, a report) and tick "
    "it, or wait for another flag: a document, a payment or a statement that does not fit."
)


def rests_on_address_alone(consequence: Consequence, rests_on: Mapping, looked_at: Collection[str]) -> bool:
    """Whether a decision that takes something away would rest on nothing but addresses.

    `rests_on` is what was seen, as a decision keeps it (cases/flows/evidence.py); `looked_at` are codes of points that
    are done, not excused.
    """
    if consequence.effect in UNTOUCHED or consequence.reason.code in ON_PAPER:
        return False
    flags = {row["code"] for row in rests_on.get("signals", ())}
    if consequence.reason.code in OF_ADDRESS:
        flags |= ADDRESS_ONLY
    others = [
        *(row["reference"] for row in rests_on.get("hits", ()) if row["status"] not in OVER),
        *(row["reference"] for row in rests_on.get("reports", ())),
        *(row["reference"] for row in rests_on.get("measures", ()) if row["judgement"] == "applies"),
        *(row["reference"] for row in rests_on.get("verifications", ()) if row["status"] in DOUBTED),
        *(LOOKED_AT & set(looked_at)),
    ]
    return only_addresses(flags, others)


def hit_rests_on_address_alone(evidence: Sequence[Mapping], flags: Collection[str], looked_at: Collection[str]) -> bool:
    """The same of the judgement that a special measure applies: `evidence` are the rows of its hit, `flags` open codes.

    Without any evidence the judgement rests on what its person knows, and says so by its reason.
    """
    if not evidence or any(row["code"] != EvidenceCode.OBSERVED for row in evidence):
        return False
    return not (set(flags) - ADDRESS_ONLY or LOOKED_AT & set(looked_at))
