"""Names that outlive what they name: references of rows, and who acted."""

import getpass
import os
import secrets
from dataclasses import dataclass
from typing import Self

from django.db import models

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no look-alikes; random, so that a reference tells nothing of others


def new_reference(prefix: str) -> str:
    """A readable reference such as ACC-7K3M-9QXD; 30^8 values, kept unique by the column's constraint."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{prefix}-{letters[:4]}-{letters[4:]}"


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
