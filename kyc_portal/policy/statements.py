"""The wording of what people sign, in dated versions: whoever signed can be held to the very words (R22)."""

from datetime import date, datetime

from kyc_portal.policy.models import StatementKind, StatementVersion
from kyc_portal.policy.verbs import Verb
from kyc_portal.policy.versions import add_version, in_force
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal


class EmptyStatement(Refusal):
    """A statement without text, or of a kind that is not known."""


class WordingChanged(Refusal):
    """Whoever signs was shown another wording than the one in force."""


class NoStatement(Refusal):
    """No such wording, or none in force on that day."""


@flow
def approve_statement(*, kind: str, text: str, effective_from: date, by: Actor, at: datetime) -> StatementVersion:
    """Add the next version of one kind; earlier ones stay, because people signed them. Raises EmptyStatement."""
    if kind not in StatementKind.values:
        raise EmptyStatement(f"There is no such kind of statement. Choose one of {', '.join(StatementKind.values)}.")
    if not text.strip():
        raise EmptyStatement("The statement has no text. Paste the approved wording.")
    return add_version(
        StatementVersion, Verb.STATEMENT_APPROVED, text=text, effective_from=effective_from, kind=kind, by=by, at=at
    )


def statement_on(kind: str, day: date) -> StatementVersion:
    """The wording in force on `day`; raises NoStatement."""
    version = in_force(StatementVersion, day, kind)
    if version is None:
        title = StatementKind(kind).label
        raise NoStatement(f"No wording of the {title} was in force on {day}. Approve one under Policy, statements.")
    return version


def statement(kind: str, number: str) -> StatementVersion:
    """The version with this number; raises NoStatement."""
    found = StatementVersion.objects.filter(kind=kind, number=number) if number.isdecimal() and len(number) < 9 else []
    for version in found:
        return version
    title = StatementKind(kind).label
    raise NoStatement(f"There is no such version of the {title}. Approve its wording first, or choose another.")


def wording_shown(kind: str, number: str, day: date) -> StatementVersion:
    """The wording in force, if it is the one that was shown to whoever signs. Raises WordingChanged or NoStatement."""
    current = statement_on(kind, day)
    if number != str(current.number):
        raise WordingChanged("The wording changed since this page was shown. Read it again, then sign.")
    return current
