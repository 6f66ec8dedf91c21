"""Access records of a bundle as CSV (RFC 4180) and as JSON lines, streamed (requirements R18, R114).

Made for millions of rows: a row is a tuple in the order of COLUMNS, read one at a time; what stands in memory is a
thousand lines. Text that a spreadsheet would run as a formula is neutralised in CSV only.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from accounts.formats.text import neutralised

COLUMNS = (
    "at", "account", "kind", "address", "raw_source", "batch", "action", "principal", "source_system", "event_id",
)  # fmt: skip
LINES_AT_ONCE = 1000

Record = tuple[datetime, str, str, str | None, str, str, str, str, str, str]


def as_csv(records: Iterable[Record]) -> Iterator[bytes]:
    """A header and a line a record; moments in UTC with a final Z."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)

    def lines(some: list[Record]) -> bytes:
        writer.writerows([_moment(at), *(neutralised(text or "") for text in rest)] for at, *rest in some)
        told = buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        return told

    yield from _in_pieces(records, lines)
    if rest := buffer.getvalue():  # no record at all: the header stands alone
        yield rest.encode()


def as_json_lines(records: Iterable[Record]) -> Iterator[bytes]:
    """A compact JSON document with sorted keys a record; text as it was, an address that is not known as null."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode

    def lines(some: list[Record]) -> bytes:
        told = [encode(dict(zip(COLUMNS, (_moment(at), *rest), strict=True))) for at, *rest in some]
        return ("\n".join(told) + "\n").encode()

    yield from _in_pieces(records, lines)


def _in_pieces(records: Iterable[Record], lines: Callable[[list[Record]], bytes]) -> Iterator[bytes]:
    rest = iter(records)
    while some := list(islice(rest, LINES_AT_ONCE)):
        yield lines(some)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
