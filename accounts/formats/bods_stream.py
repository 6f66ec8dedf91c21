"""Statements of the Beneficial Ownership Data Standard one by one, from a JSON array or from JSON Lines.

A file is never held whole: a statement is parsed as soon as it has arrived.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from accounts.formats.json_text import BadJson, JsonText
from kyc_portal.refusal import Refusal

LONGEST_STATEMENT = 1_000_000  # characters; one person or company with everything known of it takes some thousand


class BodsRefused(Refusal):
    """The file as a whole is no statements of the standard, or is cut off."""


def read_statements(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Yield (number from 1, the parsed JSON value) per statement; numbers come as Decimal. Raises BodsRefused."""
    number = 0
    try:
        for number, value in _statements(JsonText(stream, LONGEST_STATEMENT, parse_float=Decimal, parse_int=Decimal)):
            yield number, value
    except BadJson as error:
        raise BodsRefused(f"Statement {number + 1} {error}. Correct it, or fetch the file again.") from None


def _statements(text: JsonText) -> Iterator[tuple[int, Any]]:
    in_array = text.take("[")
    if not in_array and not text.sign():
        raise BodsRefused("The file is empty. Give statements of the Beneficial Ownership Data Standard 0.4.")
    if in_array and text.take("]"):
        raise BodsRefused("The file holds no statement. Give an array with at least one, or JSON Lines.")
    number = 0
    while True:
        number += 1
        value, _, fault = text.value()
        if fault:
            raise BodsRefused(f"Statement {number}: {fault} Correct it.")
        yield number, value
        if in_array and text.take("]"):
            break
        if in_array and not text.take(","):
            _refuse_end(text, number)
        if not in_array and not text.sign():
            return
    if text.sign():
        raise BodsRefused(f"Something follows the end of the array, after statement {number}. Remove it.")


def _refuse_end(text: JsonText, number: int) -> None:
    if text.sign():
        raise BodsRefused(f"After statement {number} there is neither a comma nor the end of the array. Correct it.")
    raise BodsRefused(f"The file ends after statement {number}, before the array does: it is cut off. Fetch it again.")
