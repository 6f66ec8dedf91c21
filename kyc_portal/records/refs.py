"""Names that outlive what they name: references of rows, and who acted."""

import getpass
import os
import secrets
from dataclasses import dataclass
from typing import Self

from django.db import models

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no look-alikes; random, so that a reference tells nothing of others


def new_reference(prefix: str, length: int = 8) -> str:
    """A readable reference such as ACC-7K3M-9QXD, kept unique by the column's constraint.

    Of 30^8 values two of a million rows are the same more likely than not: rows that come by hundreds of thousands
    take 12 letters.
    """
    number, letters = secrets.randbelow(len(LETTERS) ** length), ""
    for _ in range(length):  # one draw for all letters: imports make thousands of references
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return "-".join((prefix, *(letters[begin : begin + 4] for begin in range(0, length, 4))))


@dataclass(frozen=True)
class RecordRef:
    """Names a row without a foreign key; `name` is a reference, never a person's name."""

    label: str
    key: str
    name: str

    @classmethod
    def of(cls, record: models.Model | Self) -> Self:
        if isinstance(record, RecordRef):
            return record
        name = getattr(record, "reference", "") or f"{record._meta.verbose_name} {str(record.pk)[:8]}"
        return cls(label=record._meta.label_lower, key=str(record.pk), name=name[:80])  # a username may be longer


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, the scheduler, an API client (with the person who owns it) or an operator at the shell."""

    kind: str
    key: str
    label: str
    owner_key: str = ""

    @classmethod
    def person(cls, user: models.Model) -> Self:
        return cls(kind="person", key=str(user.pk), label=user.get_username())

    @classmethod
    def api_client(cls, key: str, label: str, *, owner: models.Model) -> Self:
        return cls(kind="api_client", key=key, label=label, owner_key=str(owner.pk))

    @classmethod
    def operator(cls) -> Self:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a container's user need not have a name
            name = str(os.getuid())
        return cls(kind="operator", key=f"os:{name}", label=f"operator {name}")


SCHEDULER = Actor(kind="scheduler", key="scheduler", label="the scheduler")
VISITOR = Actor(kind="visitor", key="visitor", label="somebody not logged in")
