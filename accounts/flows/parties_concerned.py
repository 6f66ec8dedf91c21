"""Who stands behind an account, and whose identity must be verified (R7, R8, R21, R25).

Each of these reads anew; who asks several of them takes one `AccountFile`.
"""

from datetime import date
from uuid import UUID

from accounts.flows.account_file import AccountFile
from accounts.models import Account, Party


def keys_concerned(account: Account, *, on: date) -> set[UUID]:
    """The keys of the customer and of everybody who holds something in it, directly or through others."""
    return AccountFile(account, on).above.keys


def everybody(account: Account, *, on: date) -> list[Party]:
    """The customer first, then all holders by name, U.S. persons and companies in between included."""
    return AccountFile(account, on).everybody


def parties_to_verify(account: Account, *, on: date) -> list[Party]:
    """The customer if foreign, and each foreign beneficial owner; nobody when all of them are U.S. persons (R8)."""
    return AccountFile(account, on).to_verify


def unverified_parties(account: Account, *, on: date, since: date | None = None) -> list[Party]:
    """Who must be verified and is not; with `since`, who was not verified anew since that day."""
    return AccountFile(account, on).unverified(since=since)
