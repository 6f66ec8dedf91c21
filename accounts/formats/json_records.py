"""Records out of a JSON file, one at a time: from a list in an object, from an array, or one on each line.

Nothing is lost on the way: what cannot be read is a record with its fault, or the file is refused as a whole where
nobody could say where the next record begins.
"""

import io
import json
from collections.abc import Iterator
from itertools import count
from typing import Any, BinaryIO, NamedTuple

from accounts.formats.access_lines import LONGEST_CONTENT, LONGEST_LINE, AccessFileRefused, RepeatedKey, load_json
from accounts.formats.json_text import BLANK, CHUNK, BadJson, JsonText, opening
from accounts.formats.text import shown
from kyc_portal.refusal import Remedy

_BLANK_BYTES = BLANK.encode()
_MARK = b"\xef\xbb\xbf"
_BEGINNING = 4 * LONGEST_CONTENT  # bytes, of which no character takes more than four


class Record(NamedTuple):
    """One record: its line, or its number from 1 in an array; its value, or a fault as a sentence; how it was sent."""

    number: int
    value: Any
    sent: str | bytes
    fault: str = ""


def read_records(
    stream: io.BufferedReader, name: str, lists: tuple[str, ...], *, bare: bool = True
) -> Iterator[Record]:
    """Yield the records in order; `lists` are the names under which an object may hold them.

    With `bare` arrays and lines of records are read too. AccessFileRefused, with `name` in it, may be raised while the
    records are being taken: a file that breaks off shows it only at its end.
    """
    place, head = shown(name), stream.peek(CHUNK)
    if not head:
        raise AccessFileRefused(f"{place} is empty. Give a log file as the service delivered it.")
    if bare and not opening(head.decode("utf-8-sig", errors="replace"), lists):
        yield from read_lines(stream)
        return
    text, numbers = JsonText(stream, LONGEST_LINE), count(1)
    try:
        if not text.sign():
            raise AccessFileRefused(f"{place} is empty. Give a log file as the service delivered it.")
        while text.sign():  # several such objects, or arrays, may follow each other
            if bare and text.take("["):
                yield from _elements(text, numbers)
            else:
                yield from _wrapped(text, numbers, lists, place)
    except BadJson as error:
        raise AccessFileRefused(f"{place}: record {next(numbers):,} {error}.", Remedy.GET_AGAIN) from error


def read_lines(stream: BinaryIO) -> Iterator[Record]:
    """One record on each line that is not blank; a CR alone ends a line too (A11)."""
    for number, line, is_whole in numbered_lines(stream):
        if not is_whole:
            yield Record(number, None, line, f"The line is longer than {LONGEST_LINE:,} bytes.")
            continue
        line = line.removeprefix(_MARK) if number == 1 else line
        if line.strip(_BLANK_BYTES):
            yield _record_of(number, line)


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Yield (number from 1, line with its end, True) of a file; of a line that is longer than LONGEST_LINE only its
    beginning, and False."""
    number, rest, beginning = 1, b"", b""
    while chunk := stream.read(CHUNK):
        parts = (rest + chunk).splitlines(keepends=True)
        rest = b"" if parts[-1].endswith(b"\n") else parts.pop()  # a CR at the very end may belong to a CR LF
        for part in parts:
            yield number, *_within_length(part, beginning)
            number, beginning = number + 1, b""
        if len(rest) > LONGEST_LINE and not rest.endswith(b"\r"):
            beginning, rest = beginning or rest[:_BEGINNING], b"-"  # what follows up to the end of the line is not kept
    for part in rest.splitlines(keepends=True):
        yield number, *_within_length(part, beginning)
        number, beginning = number + 1, b""


def _within_length(part: bytes, beginning: bytes) -> tuple[bytes, bool]:
    if beginning:
        return beginning, False
    return (part, True) if len(part) <= LONGEST_LINE else (part[:_BEGINNING], False)


def _record_of(number: int, line: bytes) -> Record:
    try:
        return Record(number, load_json(line.decode("utf-8")), line)
    except UnicodeDecodeError:
        fault = "The line is not valid UTF-8."
    except RepeatedKey as error:
        fault = str(error)
    except json.JSONDecodeError:
        fault = "The line is not valid JSON, perhaps cut off."
    except ValueError as error:
        fault = f"The line is not valid JSON: {error}."
    return Record(number, None, line, fault)


def _elements(text: JsonText, numbers: Iterator[int]) -> Iterator[Record]:
    if text.take("]"):
        return
    while True:
        value, sent, fault = text.value()
        yield Record(next(numbers), value, sent, fault)
        if text.take("]"):
            return
        if not text.take(","):
            raise BadJson("does not follow the one before it: the file is damaged or cut off")


def _wrapped(text: JsonText, numbers: Iterator[int], lists: tuple[str, ...], place: str) -> Iterator[Record]:
    """The records of an object that holds them in a list; what stands beside the list is passed over."""
    wanted, names = " or ".join(f'"{each}"' for each in lists) or "that we know", set()
    if not text.take("{"):
        text.value()
        raise AccessFileRefused(f"{place} has no list named {wanted}. Give a log file as the service delivered it.")
    is_over = text.take("}")
    while not is_over:
        key, _, _ = text.value()
        if not isinstance(key, str) or not text.take(":"):
            raise BadJson("is not valid JSON")
        if key in names:
            raise AccessFileRefused(f"{place}: The key {shown(key)} stands twice.", Remedy.GET_AGAIN)
        names.add(key)
        if key in lists and text.take("["):
            yield from _elements(text, numbers)
        elif key in lists:
            break
        else:
            text.value()
        is_over = text.take("}")
        if not is_over and not text.take(","):
            raise BadJson("does not follow the one before it: the file is damaged or cut off")
    if not is_over or not names & set(lists):
        raise AccessFileRefused(f"{place} has no list named {wanted}. Give a log file as the service delivered it.")
