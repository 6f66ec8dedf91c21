"""Codes that carry the words staff read for them."""

from enum import StrEnum


class Worded(StrEnum):
    """A string enum whose members are written `NAME = "code", "words"`; the words are read as `.label`."""

    label: str

    def __new__(cls, code: str, label: str):
        """Make a member that equals its code and knows its words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Every code with its words, in the order of the class, as form and model fields take them."""
        return [(member.value, member.label) for member in cls]
