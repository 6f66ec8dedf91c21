"""What kinds of person there are (regulation section 2): an individual, an entity, or not yet settled."""

from enum import StrEnum


class PartyKind(StrEnum):
    """Individual, entity, or undetermined: then privacy is kept as for people and owners are asked as of entities."""

    INDIVIDUAL = "individual"
    ENTITY = "entity"
    UNDETERMINED = "undetermined"

    @property
    def label(self) -> str:
        """The words staff read."""
        return {"individual": "individual", "entity": "entity", "undetermined": "not yet settled"}[self]


CHOICES = [(kind.value, kind.label) for kind in PartyKind]

INDIVIDUALS = frozenset({PartyKind.INDIVIDUAL})
ENTITIES = frozenset({PartyKind.ENTITY})
BOTH = INDIVIDUALS | ENTITIES
EVERYBODY = BOTH | {PartyKind.UNDETERMINED}
