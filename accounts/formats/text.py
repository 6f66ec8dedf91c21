"""Text from outside: what is refused, and how two spellings are compared (trust.md section 3, rows C2-C9, C14)."""

import re
import unicodedata

from kyc_portal.refusal import Refusal

MAX_MARKS_IN_A_ROW = 4
CHARACTERS_SHOWN = 80

_BIDI_OVERRIDES = "\u202a-\u202e\u2066-\u2069"
_NEVER = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI_OVERRIDES}\ud800-\udfff]")
_LINE_CHARACTERS = re.compile("[\t\n\r\u2028\u2029]")
_BLANK_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")  # the wide forms are read as their narrow ones
# Letters and marks by category, yet nothing is drawn: Hangul fillers, the blank Braille cell, the grapheme joiner.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
# Small and capital i with and without dot; see folded().
_TURKISH_I = str.maketrans({"\u0130": "i", "\u0131": "i"})


class BadText(Refusal):
    """The text holds something that no field of ours may store."""


def clean_text(value: str, limit: int, *, one_line: bool = False) -> str:
    """Return `value` exactly as typed, or refuse it (C2, C3, C5, C8, C9).

    `limit` counts characters. Text that shows nothing (spaces, zero-width characters) comes back as "". TAB, CR and LF
    are kept, because values are stored as typed and neutralised on export (A18), unless `one_line` is set.
    """
    if fault := find_fault(value, limit, one_line=one_line):
        raise BadText(f"This text {fault}.")
    return "" if is_blank(value) else value


def find_fault(value: str, limit: int, *, one_line: bool = False) -> str | None:
    """Say what is wrong with the text as the rest of a sentence ("holds a NUL character"), or None."""
    if len(value) > limit:
        return f"is {len(value):,} characters long; at most {limit:,} are allowed"
    if value.isascii() and value.isprintable():
        return None
    if found := _NEVER.search(value):
        return f"holds {_name_of(found.group())}; remove it"
    if one_line and (found := _LINE_CHARACTERS.search(value)):
        return f"holds {_name_of(found.group())} where only one line is allowed; remove it"
    if not value.isascii() and _has_stacked_marks(value):
        return f"holds more than {MAX_MARKS_IN_A_ROW} combining marks in a row; remove them"
    return None


def is_blank(value: str) -> bool:
    """Tell whether a reader would see nothing: empty, spaces, zero-width or filler characters only (C5)."""
    return all(
        character in _BLANK_LETTERS or unicodedata.category(character) in _BLANK_CATEGORIES for character in value
    )


def folded(value: str) -> str:
    """Return the form under which two spellings count as equal; for matching only, never for storing (C6, C14).

    Compatibility composition (NFKC) around full case folding, so composed and decomposed accents agree, sharp s equals
    ss, a final sigma equals any sigma, full-width letters equal plain ones. The four Turkish i all become i. Zero-width
    characters vanish, runs of blanks become one space. Python does it, so every database gives the same answer.
    """
    previous = None
    while previous != value:
        previous = value
        value = _fold_once(value)
    return value


def shown(value: str) -> str:
    """Return at most 80 escaped characters of foreign text, fit for a message (trust.md section 3, general law)."""
    escaped = "".join(character if _is_harmless(character) else _code_point(character) for character in value[:100])
    return escaped if len(escaped) <= CHARACTERS_SHOWN else escaped[: CHARACTERS_SHOWN - 3] + "..."


def make_controls_visible(value: str) -> str:
    """Replace each character that is not drawn by its code point in square brackets, such as [U+202E] (B19)."""
    return "".join(character if _is_harmless(character) else _code_point(character) for character in value)


def _is_harmless(character: str) -> bool:
    return character.isprintable() and character not in _BLANK_LETTERS


def _code_point(character: str) -> str:
    return f"[U+{ord(character):04X}]"


def _name_of(character: str) -> str:
    code = ord(character)
    if code == 0:
        return "a NUL character"
    if 0xD800 <= code <= 0xDFFF:
        return "half of a surrogate pair"
    if character in "\t\n\r\u2028\u2029":
        return "a tab or line break"
    if code >= 0x202A:
        return f"an invisible direction control (U+{code:04X})"
    return f"a control character (U+{code:04X})"


def _has_stacked_marks(value: str) -> bool:
    marks = 0
    for character in value:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        if marks > MAX_MARKS_IN_A_ROW:
            return True
    return False


def _fold_once(value: str) -> str:
    value = unicodedata.normalize("NFD", value.translate(_TURKISH_I)).casefold()
    value = unicodedata.normalize("NFKC", value).replace("i\u0307", "i")
    visible = (
        character for character in value if character not in _BLANK_LETTERS and unicodedata.category(character) != "Cf"
    )
    return " ".join("".join(visible).split())


def neutralised(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run; spaces before the formula do not hide it."""
    return f"'{text}" if text.lstrip(" ")[:1] in FORMULA_STARTS else text
