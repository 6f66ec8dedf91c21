"""Which kind of list a folder is, by the names of its files, or a file, by what stands in it (requirement R35)."""

import re
from pathlib import Path

from accounts.formats.list_tables import OPEN_COLUMNS, SCREENING_COLUMNS
from accounts.formats.list_xml import OFAC_ROOT, UN_ROOT
from accounts.formats.ofac import ListFormatError
from accounts.formats.text import shown

AUTO = "auto"
PRIMARY = {"ofac-sdn": "sdn.csv", "ofac-consolidated": "cons_prim.csv"}  # of lists that are a folder of files
LOOKED_AT = 8_192


def _names_in(path: Path) -> set[str]:
    """The names of the files in a folder, or of the one file, in small letters."""
    try:
        return {each.name.lower() for each in path.iterdir()} if path.is_dir() else {path.name.lower()}
    except (OSError, ValueError):
        return set()


def recognised(path: Path) -> str:
    """Return the kind of the list; ListFormatError when it is none we know, or one of OFAC's in XML.

    These two look alike, and the smaller one must never be taken for the list of specially designated nationals.
    """
    names = _names_in(path)
    if kinds := [kind for kind, primary in PRIMARY.items() if primary in names]:
        if len(kinds) > 1:
            raise ListFormatError(
                f"{shown(path.name)} holds two lists, {' and '.join(PRIMARY.values())}. Name the kind: "
                f"{' or '.join(kinds)}."
            )
        return kinds[0]
    if path.is_dir():
        raise ListFormatError(
            f"{shown(path.name)} holds neither {' nor '.join(PRIMARY.values())}. Name the folder or file of a list."
        )
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT).decode("utf-8-sig", errors="replace")
    except (OSError, ValueError) as error:
        raise ListFormatError(f"{shown(path.name)} cannot be read. Name the list's folder or file.") from error
    root = re.search(r"<(?:\w+:)?(\w+)", re.sub(r"<!--.*?-->", "", start, flags=re.DOTALL))
    if root and root[1] == OFAC_ROOT:
        raise ListFormatError(
            f"{shown(path.name)} is one of two OFAC lists that look alike. Name the kind: ofac-xml for sdn.xml, "
            "ofac-consolidated-xml for consolidated.xml."
        )
    if root and root[1] == UN_ROOT:
        return "un-xml"
    head = {cell.strip('" ') for cell in start.partition("\n")[0].strip().split(",")}
    for columns, kind in ((SCREENING_COLUMNS, "csl"), (OPEN_COLUMNS, "opensanctions")):
        if head.issuperset(columns):
            return kind
    raise ListFormatError(f"{shown(path.name)} is no list we know: neither its root nor its columns. Name the kind.")
