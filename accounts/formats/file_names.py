"""Names of uploaded files, made fit for showing and for a download header (trust.md B17-B20)."""

import re
import unicodedata

from accounts.formats.text import make_controls_visible

LONGEST_NAME = 100
LONGEST_EXTENSION = 10

# Windows opens devices under these names, whatever the ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z", re.IGNORECASE)
_UNSAFE = re.compile(r'[<>:"|?*%;]')
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}\Z")


def make_safe_name(name: str, default_extension: str) -> str:
    """Return a name without a path, controls made visible, at most 100 characters, never empty.

    `default_extension` (without dot) is added when the name has none. Never use the result as a path on disk.
    """
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    base = make_controls_visible(_UNSAFE.sub("_", base)).strip(". ")
    stem, dot, extension = base.rpartition(".")
    if not dot or not _EXTENSION.match(extension):
        stem, extension = base, default_extension
    stem = stem.strip(". ") or "document"
    if _DEVICES.match(stem.partition(".")[0].strip()):
        stem = f"_{stem}"
    stem = stem[: LONGEST_NAME - len(extension) - 1].rstrip(". ")
    return f"{stem}.{extension}"


def extension_of(name: str) -> str:
    """Return the last ending of a name in lower case, "" when it has none or is nothing but an ending."""
    base = re.split(r"[/\\]", name)[-1].rstrip(". \0")
    stem, dot, extension = base.rpartition(".")
    return extension.lower() if dot and stem.strip(".") else ""
