"""The one exception whose text a user may read."""

from collections.abc import Mapping
from enum import Enum


class Remedy(Enum):
    """What to do about a refusal, where that is done otherwise at each door; the value is in the words of commands."""

    KEEP_GOOD = "Correct the file, or keep the good lines with --keep-good-rows."
    NAME_FORMAT = "Name the format with --format."
    NAME_ENCODING = "Save the file as UTF-8, or name its encoding, such as --encoding cp1252 for Windows."
    NAME_UTF_16 = "Save it as UTF-8, or name its encoding with --encoding utf-16-le or --encoding utf-16-be."
    OTHER_ENCODING = "Name one such as --encoding utf-8 or --encoding cp1252."
    GET_AGAIN = "Fetch the log file again."


class Refusal(Exception):
    """Says what is wrong and where, then what to do; every refusal of a flow or a format descends from it.

    `sentence` says all of it, or leaves what to do to `remedy`, which a door may put into words of its own.
    """

    def __init__(self, sentence: str = "", remedy: Remedy | None = None):
        super().__init__(f"{sentence} {remedy.value}" if remedy else sentence)
        self.sentence, self.remedy = sentence, remedy

    def told(self, words: Mapping[Remedy, str]) -> str:
        """The refusal as a door tells it that has these words for remedies."""
        return f"{self.sentence} {words[self.remedy]}" if self.remedy in words else str(self)
