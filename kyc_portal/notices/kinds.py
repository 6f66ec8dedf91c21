"""One frozen dataclass per notice; its fields are the variables of its template. A list hit is never told."""

from dataclasses import asdict, dataclass
from datetime import date

KINDS: dict[str, type] = {}
FOR_RECIPIENT = frozenset({"link"})  # fields that open something: nobody else reads them, and they are not kept


def _notice(kind: type) -> type:
    kind = dataclass(frozen=True)(kind)
    KINDS[kind.code] = kind
    return kind


@_notice
class PrivacyNotice:
    """Why data is asked for, shown before opening (R23)."""

    code = "privacy_notice"
    name: str
    account: str
    version: str
    text: str


@_notice
class DataRequested:
    """What is still missing before an account can be opened."""

    code = "data_requested"
    name: str
    account: str
    missing: tuple[str, ...]
    answer_by: date
    link: str = ""
    link_until: str = ""


@_notice
class AccountOpened:
    """The account may be used."""

    code = "account_opened"
    name: str
    account: str


@_notice
class AccountRefused:
    """The account is not opened (R38)."""

    code = "account_refused"
    name: str
    account: str
    told: str
    object_by: date | None = None


@_notice
class ResellerMessageWaits:
    """A message of ours waits for a reseller's managers; what it says stands in their pages only."""

    code = "reseller_message_waits"
    reseller: str
    message: str


@_notice
class AccountRestricted:
    """Use of the account is limited or stopped, with the way to object (R39, R41)."""

    code = "account_restricted"
    name: str
    account: str
    level: str
    wording: str
    until: date | None
    object_by: date | None


@_notice
class RestrictionLifted:
    """The account may be used again."""

    code = "restriction_lifted"
    name: str
    account: str


@_notice
class ReverificationAsked:
    """Proof is asked for again (R45)."""

    code = "reverification_asked"
    name: str
    account: str
    answer_by: date
    link: str = ""
    link_until: str = ""


@_notice
class ReverificationOverdue:
    """The first date passed; a last one is given."""

    code = "reverification_overdue"
    name: str
    account: str
    last_day: date
    link: str = ""
    link_until: str = ""


@_notice
class ContactConfirmation:
    """To an e-mail address: is it yours? Whoever reads it there learns nothing of the customer (R16)."""

    code = "contact_confirmation"
    link: str
    link_until: str


@_notice
class ContactAdded:
    """To the address used until now: a further way to reach the customer was given on their own page."""

    code = "contact_added"
    name: str
    account: str


@_notice
class ObjectionReceived:
    """An objection has come in; by when it is answered (R41)."""

    code = "objection_received"
    name: str
    account: str
    objection: str
    answer_by: date


@_notice
class ObjectionAnswered:
    """What came of an objection, in one of few fixed sentences."""

    code = "objection_answered"
    name: str
    account: str
    objection: str
    wording: str


@_notice
class IdentityNotVerified:
    """An identity could not be verified: what follows, and how and until when to ask for redress (R41)."""

    code = "identity_not_verified"
    name: str
    account: str
    wording: str
    redress_by: date
    link: str = ""
    link_until: str = ""


@_notice
class AccountClosed:
    """The account is closed; how long what is kept. Where a decision closed it, its words and the way to object."""

    code = "account_closed"
    name: str
    account: str
    told: str = ""
    object_by: date | None = None


@_notice
class BreakGlassDigest:
    """To auditors, once a day: who held permissions beyond their role, why, and how much was done with them."""

    code = "break_glass_digest"
    day: date
    uses: tuple[str, ...]


@_notice
class PrivacyRequestReceived:
    """A request about one's own data has come in; by when it is answered."""

    code = "privacy_request_received"
    name: str
    request: str
    answer_by: date


@_notice
class PrivacyRequestAnswered:
    """What came of a request about one's own data; the same words whatever keeps the data."""

    code = "privacy_request_answered"
    name: str
    request: str
    sentences: tuple[str, ...]


@_notice
class NewBrowser:
    """To a member of staff: somebody logged in under their name from a browser not seen before (ASVS 6.3.5)."""

    code = "new_browser"
    username: str
    moment: str


@_notice
class LogInChanged:
    """To a member of staff: their password or a second factor changed (ASVS 6.3.7)."""

    code = "log_in_changed"
    username: str
    change: str


def fields_of(notice) -> dict:
    """The notice's variables as plain text, numbers and lists, ready for JSON."""
    return {
        name: value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
        for name, value in asdict(notice).items()
    }
