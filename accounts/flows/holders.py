"""Who holds the same values: asked by fingerprint, at most so many of each, whatever a common value has (R106).

The database looks each value up by its index and stops at the first holder too many, so that a question costs the same
among a thousand customers and among a million.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.models import Identifier, RetainedFingerprint
from kyc_portal.records.keys import fingerprint_key_id

_SAME = "SELECT i.party_id AS holder FROM {identifiers} i WHERE i.kind = o.kind AND i.{column} = o.tie LIMIT %s"
_GONE = (
    "SELECT r.customer_id AS holder FROM {retained} r WHERE r.kind = o.kind AND r.digest IN (o.digest, o.former) "
    "LIMIT %s"
)
_QUESTION = """
SELECT o.party_id, o.kind, o.tie, o.made_at, ({same}), ({gone})
FROM (SELECT party_id, kind, digest, former, made_at, {tie} AS tie FROM {identifiers} WHERE party_id IN ({parties})) o
"""


@dataclass(frozen=True)
class Held:
    """One fingerprint of a party with everybody who holds the same value, one more than `most` at most.

    `remembered` are customers of whom only fingerprints are left. `made_at` is as the database gives it.
    """

    party: UUID
    kind: str
    tie: str
    made_at: object
    holders: frozenset[UUID]
    remembered: frozenset[UUID]

    @property
    def others(self) -> int:
        """How many hold it besides this party; a purged customer counts."""
        return len(self.holders - {self.party}) + len(self.remembered)


def held_by(parties: Collection[UUID], *, most: int) -> list[Held]:
    """Every fingerprint of these parties with whoever shares it; one query, none without parties."""
    if not parties:
        return []
    names = {"identifiers": Identifier._meta.db_table, "retained": RetainedFingerprint._meta.db_table}
    keys = [_for_database(key) for key in parties]
    columns = ("digest", "former") if settings.FINGERPRINT_KEY_OLD else ("digest",)
    parts = [f"SELECT holder FROM ({_SAME.format(column=column, **names)}) by_{column}" for column in columns]  # noqa: S608
    question = _QUESTION.format(
        same=_together(" UNION ALL ".join(parts)), gone=_together(_GONE.format(**names)), tie=_TIE[len(columns) > 1],
        parties=", ".join(["%s"] * len(keys)), **names,
    )  # fmt: skip
    under = [fingerprint_key_id()] if settings.FINGERPRINT_KEY_OLD else []
    with connection.cursor() as cursor:
        cursor.execute(question, [*[most + 1] * (len(columns) + 1), *under, *keys])
        rows = cursor.fetchall()
    return [
        Held(UUID(str(party)), kind, tie, made_at, _keys(same), _keys(gone))
        for party, kind, tie, made_at, same, gone in rows
    ]


# By which equal values are found while the key is being changed: the former digest, which every row has.
_TIE = {False: "digest", True: "CASE WHEN key_id = %s AND former > '' THEN former ELSE digest END"}


def _together(rows: str) -> str:
    """The holders of one value as one text."""
    listed = "string_agg(holder::text, ',')" if connection.vendor == "postgresql" else "group_concat(holder)"
    return f"SELECT {listed} FROM ({rows}) told"  # noqa: S608


def _for_database(key: UUID) -> str:
    return str(key) if connection.vendor == "postgresql" else key.hex


def _keys(listed: str | None) -> frozenset[UUID]:
    return frozenset(UUID(each) for each in listed.split(",")) if listed else frozenset()
