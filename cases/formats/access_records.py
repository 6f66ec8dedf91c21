"""Access records of a bundle as CSV (RFC 4180) and as JSON lines, streamed (requirements R18, R114).

Made for millions of rows: a row is a tuple in the order of COLUMNS, read one at a time; what stands in memory is a
thousand lines. Text that a spreadsheet would run as a formula is neutralised in CSV only.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
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
_often = lru_cache(maxsize=4096)(neutralised)  # sources, actions and principals come again and again

Record = tuple[datetime, str, str, str | None, str, str, str, str, str, str]


def as_csv(records: Iterable[Record], json_lines: BinaryIO) -> Iterator[bytes]:
    """CSV: a header and a line a record, moments in UTC with a final Z.

    Meanwhile the same records go to `json_lines`, so that they are read once and both files hold the same: a compact
    JSON document with sorted keys a line, text as it was, an address that is not known as null.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    rest = iter(records)
    while some := [(_moment(at), *others) for at, *others in islice(rest, LINES_AT_ONCE)]:
        writer.writerows(map(_cells, some))
        json_lines.write("".join(map(_line, some)).encode())
        yield _taken_from(buffer)
    if buffer.tell():  # no record at all: the header stands alone
        yield _taken_from(buffer)


def _cells(record: tuple) -> tuple:
    """The first columns are codes and references of ours and an address, which no spreadsheet runs."""
    at, account, kind, address, source, batch, action, principal, system, event = record
    return (
        at, account, kind, address or "", _often(source), batch, _often(action), _often(principal), _often(system),
        neutralised(event),
    )  # fmt: skip


def _line(record: tuple) -> str:
    """One document; an encoder made anew for each of a million records would take most of the time."""
    at, account, kind, address, source, batch, action, principal, system, event = record
    return (
        f'{{"account":{_quoted(account)},"action":{_quoted(action)},"address":{_quoted(address)},"at":"{at}",'
        f'"batch":{_quoted(batch)},"event_id":{encode_basestring(event)},"kind":{_quoted(kind)},'
        f'"principal":{_quoted(principal)},"raw_source":{_quoted(source)},"source_system":{_quoted(system)}}}\n'
    )


@lru_cache(maxsize=4096)
def _quoted(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


def _taken_from(buffer: io.StringIO) -> bytes:
    told = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return told


def read_back(json_lines: BinaryIO) -> Iterator[bytes]:
    """What was written to the file meanwhile, from its beginning, piece by piece."""
    json_lines.seek(0)
    while piece := json_lines.read(PIECE):
        yield piece


def _moment(at: datetime) -> str:
    return f"{(at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[:-6]}Z"
