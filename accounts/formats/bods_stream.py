"""Statements of the Beneficial Ownership Data Standard one by one, from a JSON array or from JSON Lines.

A file is never held whole: a statement is parsed as soon as it has arrived.
"""

import codecs
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from accounts.formats.access_lines import RepeatedKey
from kyc_portal.refusal import Refusal

CHUNK = 1 << 16
LONGEST_STATEMENT = 1_000_000  # characters; one person or company with everything known of it takes some thousand
BLANK = " \t\r\n\x1a"


class BodsRefused(Refusal):
    """The file as a whole is no statements of the standard, or is cut off."""


def read_statements(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Yield (number from 1, the parsed JSON value) per statement; numbers come as Decimal. Raises BodsRefused."""
    text = _Text(stream)
    text.skip(BLANK)
    in_array = text.take("[")
    if not in_array and not text.rest:
        raise BodsRefused("The file is empty. Give statements of the Beneficial Ownership Data Standard 0.4.")
    number = 0
    if in_array and text.skip(BLANK).take("]"):
        raise BodsRefused("The file holds no statement. Give an array with at least one, or JSON Lines.")
    while True:
        number += 1
        yield number, text.value(number)
        text.skip(BLANK)
        if in_array and text.take("]"):
            break
        if in_array and not text.take(","):
            _refuse_end(text, number)
        text.skip(BLANK)
        if not in_array and not text.rest:
            return
    if text.skip(BLANK).rest:
        raise BodsRefused(f"Something follows the end of the array, after statement {number}. Remove it.")


def _refuse_end(text: "_Text", number: int) -> None:
    if text.rest:
        raise BodsRefused(f"After statement {number} there is neither a comma nor the end of the array. Correct it.")
    raise BodsRefused(f"The file ends after statement {number}, before the array does: it is cut off. Fetch it again.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedKey("names a key twice, so that nobody can say which value is meant")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant
)


class _Text:
    """What has arrived of the file and was not parsed yet."""

    def __init__(self, stream: BinaryIO):
        self.stream, self.rest, self.is_over = stream, "", False
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def more(self) -> bool:
        """Read on; False at the end."""
        if self.is_over:
            return False
        chunk = self.stream.read(CHUNK)
        self.is_over = not chunk
        try:
            self.rest += self.decoder.decode(chunk, final=self.is_over)
        except UnicodeDecodeError:
            raise BodsRefused("The file is not valid UTF-8. Save it as UTF-8.") from None
        return True

    def skip(self, signs: str) -> "_Text":
        self.rest = self.rest.lstrip(signs)
        while not self.rest and self.more():
            self.rest = self.rest.lstrip(signs)
        return self

    def take(self, sign: str) -> bool:
        if not self.rest.startswith(sign):
            return False
        self.rest = self.rest[1:]
        return True

    def value(self, number: int) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self.rest)
            except RepeatedKey as error:
                raise BodsRefused(f"Statement {number} {error}. Correct it.") from None
            except RecursionError:
                raise BodsRefused(f"Statement {number} is nested too deep. Correct it.") from None
            except ArithmeticError:
                raise BodsRefused(f"Statement {number} holds a number beyond all sense. Correct it.") from None
            except ValueError:
                self._read_on(number)
                continue
            self.rest = self.rest[end:]
            return value

    def _read_on(self, number: int) -> None:
        """The statement is not whole yet, or never will be."""
        if len(self.rest) > LONGEST_STATEMENT:
            raise BodsRefused(
                f"Statement {number} is not valid JSON, or longer than {LONGEST_STATEMENT:,} characters. Correct it."
            )
        if not self.more() or (self.is_over and not self.rest):
            raise BodsRefused(f"Statement {number} is not valid JSON, perhaps cut off. Fetch the file again.")
