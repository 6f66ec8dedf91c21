"""Access records of a bundle as CSV (RFC 4180) and as JSON lines, streamed (requirements R18, R114).

Made for millions of rows: a row is a tuple in the order of COLUMNS, read one at a time; what stands in memory is a
thousand lines. Text that a spreadsheet would run as a formula is neutralised in CSV only.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring  # in C where that is there
from typing import BinaryIO

from accounts.formats.text import neutralised

COLUMNS = (
    "at", "account", "kind", "address", "raw_source", "batch", "action", "principal", "source_system", "event_id",
)  # fmt: skip
LINES_AT_ONCE = 1000
PIECE = 1 << 20
_AS_IT_IS = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/-]*").fullmatch  # as most ids: nothing to quote or to neutralise

Record = tuple[str, str, str, str | None, str, str, str, str, str, str]


def as_csv(records: Iterable[Record], json_lines: BinaryIO) -> Iterator[bytes]:
    """CSV: a header and a line a record, whose moment comes in UTC as ISO 8601 with a final Z.

    Meanwhile the same records go to `json_lines`, so that they are read once and both files hold the same: a compact
    JSON document with sorted keys a line, text as it was, an address that is not known as null.
    """
    yield f"{','.join(COLUMNS)}\r\n".encode()
    rest = iter(records)
    while some := [_lines(record) for record in islice(rest, LINES_AT_ONCE)]:
        json_lines.write("".join([line for _, line in some]).encode())
        yield "".join([row for row, _ in some]).encode()


def _lines(record: Record) -> tuple[str, str]:
    """One line of CSV and one of JSON; a writer and an encoder at work for each of a million would take most of it."""
    at, account, kind, address, source, batch, action, principal, system, event = record
    (account, account_), (kind, kind_), (address, address_), (source, source_) = (
        _both(account), _both(kind), _both(address), _both(source),
    )  # fmt: skip
    (batch, batch_), (action, action_), (principal, principal_), (system, system_) = (
        _both(batch), _both(action), _both(principal), _both(system),
    )  # fmt: skip
    cell = event if _AS_IT_IS(event) else _cell(event)
    return (
        f"{at},{account},{kind},{address},{source},{batch},{action},{principal},{system},{cell}\r\n",
        f'{{"account":{account_},"action":{action_},"address":{address_},"at":"{at}","batch":{batch_},'
        f'"event_id":{encode_basestring(event)},"kind":{kind_},"principal":{principal_},"raw_source":{source_},'
        f'"source_system":{system_}}}\n',
    )


@lru_cache(maxsize=4096)  # all but moments and ids of events come again and again
def _both(text: str | None) -> tuple[str, str]:
    """A value as a cell of CSV and as JSON."""
    return ("", "null") if text is None else (_cell(text), encode_basestring(text))


def _cell(text: str) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow((neutralised(text), ""))  # a lone empty cell would be quoted
    return buffer.getvalue().removesuffix(",\r\n")


def read_back(json_lines: BinaryIO) -> Iterator[bytes]:
    """What was written to the file meanwhile, from its beginning, piece by piece."""
    json_lines.seek(0)
    while piece := json_lines.read(PIECE):
        yield piece
