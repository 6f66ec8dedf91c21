"""Which kind of list a file is, by what stands in it and never by its name (requirement R35)."""

import re
from pathlib import Path

from accounts.formats.list_tables import OPEN_COLUMNS, SCREENING_COLUMNS
from accounts.formats.list_xml import OFAC_ROOT, UN_ROOT
from accounts.formats.ofac import ListFormatError
from accounts.formats.text import shown

AUTO = "auto"
LOOKED_AT = 8_192


def recognised(path: Path) -> str:
    """Return the kind of the list; ListFormatError when it is none we know, or one of OFAC's in XML.

    These two look alike, and the smaller one must never be taken for the list of specially designated nationals.
    """
    if path.is_dir():
        return "ofac-sdn"
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
