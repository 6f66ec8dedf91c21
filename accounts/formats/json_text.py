"""JSON out of a stream, value by value: a value is parsed as soon as it has arrived, the file is never held whole."""

import codecs
import json
from collections.abc import Callable
from typing import Any, BinaryIO

from accounts.formats.text import shown

CHUNK = 1 << 16
BLANK = " \t\r\n\x1a"


class BadJson(ValueError):
    """What is wrong, as the end of a sentence that begins with the place: "is not valid JSON, perhaps cut off"."""


class JsonText:
    """What has arrived of a UTF-8 stream and was not taken yet; no value may be longer than `longest` characters.

    `numbers` may name what json.JSONDecoder makes numbers with.
    """

    def __init__(self, stream: BinaryIO, longest: int, **numbers: Callable):
        self.stream, self.longest = stream, longest
        self.text, self.at, self.is_over = "", 0, False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._fault = ""
        self._json = json.JSONDecoder(object_pairs_hook=self._unique, parse_constant=self._note_constant, **numbers)

    def sign(self) -> str:
        """The next character that is not blank, left where it is; "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in BLANK:
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def take(self, sign: str) -> bool:
        """Take the next character that is not blank if it is this one."""
        found = self.sign() == sign
        self.at += found
        return found

    def value(self) -> tuple[Any, str, str]:
        """Take one value: (value, its text, what is wrong inside it as a sentence or ""). Raises BadJson."""
        if not self.sign():
            raise BadJson("is not valid JSON, perhaps cut off")
        while True:
            self._fault = ""
            try:
                found, end = self._json.raw_decode(self.text, self.at)
            except RecursionError as error:
                raise BadJson("is nested too deep") from error
            except json.JSONDecodeError:
                self._read_on()
                continue
            except (ValueError, ArithmeticError) as error:  # of thousands of digits, or as large
                raise BadJson("is not valid JSON: a number in it is beyond all sense") from error
            if end == len(self.text) and not isinstance(found, str | dict | list) and not self.is_over:
                self._more()  # more digits may follow
                continue
            text, self.at = self.text[self.at : end], end
            return found, text, self._fault

    def _read_on(self) -> None:
        """The value is not whole yet, or never will be."""
        if len(self.text) - self.at > self.longest:
            raise BadJson(f"is not valid JSON, or longer than {self.longest:,} characters")
        if not self._more():
            raise BadJson("is not valid JSON, perhaps cut off")

    def _more(self) -> bool:
        """Read on; False at the end. What was taken is forgotten."""
        if self.is_over:
            return False
        chunk = self.stream.read(CHUNK)
        self.is_over = not chunk
        try:
            self.text = self.text[self.at :] + self._decode(chunk, final=self.is_over)
        except UnicodeDecodeError as error:
            raise BadJson("is not valid UTF-8") from error
        self.at = 0
        return not self.is_over

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found, fault = unique_keys(pairs)
        self._fault = self._fault or fault
        return found

    def _note_constant(self, name: str) -> None:
        self._fault = self._fault or f"{name} is not a number of JSON."


def unique_keys(pairs: list[tuple[str, Any]]) -> tuple[dict[str, Any], str]:
    """The object, and a sentence if it names a key twice, so that nobody can say which value was meant (F8)."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found, ""
    names = [name for name, _ in pairs]
    doubled = next(name for name in names if names.count(name) > 1)
    return found, f"The key {shown(doubled)} stands twice in one object."


def opening(head: str, lists: tuple[str, ...]) -> str:
    """How a JSON text begins: "[" for an array, the name of the list for an object that holds one of `lists`, or ""."""
    at = _skip(head, 0)
    if head[at : at + 1] == "[":
        return "["
    if head[at : at + 1] != "{":
        return ""
    decode: Callable = json.JSONDecoder().raw_decode
    try:
        while True:
            key, at = decode(head, _skip(head, at + 1))
            at = _skip(head, at)
            if head[at : at + 1] != ":":
                return ""
            at = _skip(head, at + 1)
            if key in lists and isinstance(key, str):
                return key if head[at : at + 1] == "[" else ""
            at = _skip(head, decode(head, at)[1])
            if head[at : at + 1] != ",":
                return ""
    except (ValueError, TypeError, RecursionError):  # cut off where the head ends, or no JSON at all
        return ""


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in BLANK + "\ufeff":
        at += 1
    return at
