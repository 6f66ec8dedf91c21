"""The marks by which a changed entry of a list finds the parties it may resemble (requirement R35).

They are keyed fingerprints: of parts of the words of every name, and of each number, wallet and e-mail address.
Screening a party makes them, so whoever waits for no screening has the right ones.
"""

from collections.abc import Iterable

from accounts.models import Party, ScreeningMark
from accounts.rules.name_keys import VERSION, stored_marks
from accounts.rules.names import ScreenedParty, exact_value
from kyc_portal.records.keys import fingerprint, fingerprint_key_id

KIND = "screening"


def making() -> str:
    """How marks are made today: the version of the rules and the key. Whose are of another making is screened again."""
    return f"{VERSION}:{fingerprint_key_id()}"


def numbers_of(marks: Iterable[str]) -> list[int]:
    """Marks as they are stored."""
    return sorted({_number(fingerprint(KIND, mark)) for mark in marks})


def value_marks(values: Iterable[str]) -> set[str]:
    """Marks of numbers, wallets and e-mail addresses."""
    return {f"={plain}" for value in values if (plain := exact_value(value))}


def remember_marks(party: Party, screened: ScreenedParty) -> None:
    """Store the party's marks and say how they were made; the caller saves the party.

    What is no longer true of it stays, as every row of a file does until the purge: it costs a look, and hides nobody.
    """
    wanted = marks_of(screened)
    there = set(ScreeningMark.objects.filter(party=party).values_list("mark", flat=True))
    if new := wanted - there:
        ScreeningMark.objects.bulk_create(ScreeningMark(party=party, mark=mark) for mark in sorted(new))
    party.marked_with = making()


def marks_of(screened: ScreenedParty) -> set[int]:
    """The marks of a party as they are stored, under the present key."""
    marks = stored_marks(screened.names)
    marks |= value_marks(screened.identifiers | screened.wallets | screened.emails)
    return set(numbers_of(marks))


def forget_marks(party: Party) -> None:
    """Take the marks away, as part of an erasure, so that the party is screened again and gets new ones."""
    ScreeningMark.objects.filter(party=party).delete()
    Party.objects.filter(pk=party.pk).update(marked_with="")


def _number(digest: str) -> int:
    """63 bits of a fingerprint: enough not to meet by chance, and a number that every database takes."""
    return int(digest[:16], 16) >> 1
