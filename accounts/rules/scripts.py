"""In which writing a name stands (requirement R10)."""

from rigour.text.scripts import text_scripts

LONGEST = 60


def script_of(name: str) -> str:
    """The scripts of a name as Unicode calls them, such as "Latin" or "Cyrillic, Latin"; "" for marks and digits."""
    return ", ".join(sorted(text_scripts(name)))[:LONGEST]
