"""Is this person a U.S. person or foreign, and on what evidence (requirements R7, R8, proposed 7.302)."""

from dataclasses import dataclass

from accounts.rules.parties import PartyKind

# Our reading (not a sentence of the proposal): an entity formed in a U.S. territory is formed under a
# jurisdiction within the United States, although ISO 3166 gives the territory a code of its own.
US_JURISDICTIONS = frozenset({"US", "AS", "GU", "MP", "PR", "UM", "VI"})

BY_LOCATION = "located_in_us"  # the one basis that does not last
SENTENCES = {
    "citizen": "U.S. person: citizen of the United States.",
    "lpr": "U.S. person: proof of lawful permanent residence is on file.",
    "us_entity": "U.S. person: entity formed under the law of the United States.",
    "us_branch_abroad": "U.S. person: foreign branch of an entity formed in the United States.",
    BY_LOCATION: "U.S. person: evidence shows presence in the United States. Ask again when the location changes.",
    "none": "Foreign person: no basis for U.S. status is shown.",
}


@dataclass(frozen=True)
class StatusEvidence:
    """What has been shown. Countries are ISO 3166 alpha-2 codes, empty when unknown; `kind` as on the party."""

    kind: str
    citizenship: str = ""
    permanent_resident_proof: bool = False
    formation_country: str = ""
    branch_of_us_entity: bool = False
    located_in_us_evidence: bool = False


@dataclass(frozen=True)
class StatusFinding:
    """The answer, the code of its basis ("none" for foreign) and the sentence that goes on file."""

    us: bool
    basis: str
    sentence: str


def find_basis(evidence: StatusEvidence) -> StatusFinding:
    """Decide whether a person is a U.S. person; without proof the answer is foreign (R7).

    Citizenship and residence count for individuals only, formation and branch for entities only; where the
    kind is undetermined neither counts, because nobody can yet say which question to ask.
    """
    basis = _first_basis(evidence)
    return StatusFinding(us=basis != "none", basis=basis, sentence=SENTENCES[basis])


def _first_basis(evidence: StatusEvidence) -> str:
    if evidence.kind == PartyKind.INDIVIDUAL:
        if evidence.citizenship.strip().upper() == "US":
            return "citizen"
        if evidence.permanent_resident_proof:
            return "lpr"
    if evidence.kind == PartyKind.ENTITY:
        if evidence.formation_country.strip().upper() in US_JURISDICTIONS:
            return "us_entity"
        if evidence.branch_of_us_entity:
            return "us_branch_abroad"
    return BY_LOCATION if evidence.located_in_us_evidence else "none"


def needs_identity_checks(customer_us: bool, owners_us: tuple[bool, ...]) -> bool:
    """Say whether identity must be verified: not when the customer and every beneficial owner are U.S. (R8).

    Screening is another matter and never stops here (R35).
    """
    return not (customer_us and all(owners_us))
