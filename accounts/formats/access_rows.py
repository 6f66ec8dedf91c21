"""From lines of an access log to rows as they are stored: the last checks, and the form in which many rows travel.

A row is a plain tuple in the order of COLUMNS; one of many million lines must cost no more than it has to.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from accounts.formats.access_lines import AccessLine, BadLine, content_of

FUTURE_TOLERANCE = timedelta(days=1)  # for clocks that run fast; a date beyond would keep a file from ever being due
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # a clock that was never set says this day

# What our columns hold; a longer value is refused rather than cut, because a cut one is no evidence.
_KEY, _TEXT, _SYSTEM = 200, 300, 80
LONGEST = {
    "event_id": _KEY, "action": _KEY, "principal": _TEXT, "raw_source": _TEXT, "source_system": _SYSTEM,
    "account": _KEY,
}  # fmt: skip
NO_KEY = "account is empty. A delivery for many accounts names one in every line."

COLUMNS = (
    "line", "account_key", "at", "kind", "action", "principal", "address", "raw_source", "port", "user_agent_sha256",
    "source_system", "event_id", "country", "anonymiser", "special_use",
)  # fmt: skip
KEY, SYSTEM, ADDRESS = (COLUMNS.index(name) for name in ("account_key", "source_system", "address"))
Row = tuple[Any, ...]

NOTHING = ("", "", "")
BETWEEN, _NULL = "\x1f", "\x1e"  # no reader lets either pass
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class Rows:
    """Makes rows of lines. `meaning` gives country, anonymiser and special use of an address, without a query."""

    def __init__(self, meaning: Callable[[str], tuple[str, str, str]], *, at: datetime, names_accounts: bool):
        self.meaning = lru_cache(maxsize=4_096)(meaning)  # who acts, acts again from there
        self.latest, self.names_accounts = at + FUTURE_TOLERANCE, names_accounts

    def of(self, line: AccessLine) -> Row | BadLine:
        """The row, or why the line cannot be kept."""
        if (
            len(line.event_id) > _KEY or len(line.action) > _KEY or len(line.principal) > _TEXT
            or len(line.raw_source) > _TEXT or len(line.source_system) > _SYSTEM
            or not EARLIEST <= line.at <= self.latest or (self.names_accounts and not 0 < len(line.account) <= _KEY)
        ):  # fmt: skip
            return BadLine(line.line, self._fault(line), content_of(line.sent))
        address, agent = line.address, line.user_agent
        return (
            line.line, line.account if self.names_accounts else "", line.at, line.kind, line.action, line.principal,
            address, line.raw_source, line.port, digest_of(agent) if agent else "", line.source_system, line.event_id,
            *(self.meaning(address) if address else NOTHING),
        )  # fmt: skip

    def _fault(self, line: AccessLine) -> str:
        for name, longest in LONGEST.items():
            if len(getattr(line, name)) > longest:
                return f"{name.replace('raw_', '')} is longer than {longest} characters."
        if line.at < EARLIEST:
            return f"at: {line.at.date()} lies before any log. Check the clock of the source system."
        if line.at > self.latest:
            return f"at: {line.at:%Y-%m-%d} lies in the future. Check the clock of the source system."
        return NO_KEY


@lru_cache(maxsize=8192)
def digest_of(agent: str) -> str:
    """What is kept of a user agent."""
    return sha256(agent.encode()).hexdigest()


def as_copy_line(row: Row) -> str:
    """A row from the moment on, as PostgreSQL's COPY reads it, with the line break; the moment in ISO 8601."""
    at, kind, action, principal, address, raw_source, port, agent, system, event, country, anonymiser, special = row
    told = BETWEEN.join((
        at.isoformat(), kind, action, principal, address or _NULL, raw_source, _NULL if port is None else str(port),
        agent, system, event, country, anonymiser, special,
    ))  # fmt: skip
    return escaped(told).replace(BETWEEN, "\t").replace(_NULL, r"\N") + "\n"


def as_any_copy_line(values: Iterable[object]) -> str:
    """Texts, numbers and moments, none of them missing, as one line that COPY reads."""
    return "\t".join([escaped(str(value)) for value in values]) + "\n"


def escaped(text: str) -> str:
    """A text as COPY reads it."""
    is_plain = "\\" not in text and "\n" not in text and "\t" not in text and "\r" not in text  # quicker than a pattern
    return text if is_plain else text.translate(_ESCAPED)
