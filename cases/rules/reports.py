"""Abuse reports: where one stands, how it came, why it was attached or settled, and its words (regulation T24)."""

from cases.rules.wording import Worded


class ReportState(Worded):
    """Where an abuse report stands."""

    RESOLVED = "resolved", "resolved to an account"
    WAITING = "waiting", "waiting for an account"
    SETTLED = "settled", "settled without an account"


class Door(Worded):
    """How a report came in."""

    COMMAND = "command", "command line"
    FOLDER = "folder", "watched folder"
    API = "api", "other system"


class How(Worded):
    """What ties a report to its account."""

    ALLOCATION = "allocation", "the account held the address at that moment"
    ACCESS = "access", "the account was used from the address near that moment"
    BY_HAND = "by_hand", "somebody attached it"


class AttachedWhy(Worded):
    """Why somebody attaches a report to an account."""

    OWN_RECORDS = "own_records", "our own records show that the account held the address"
    NAME_OR_PAGE = "name_or_page", "the name or page belongs to the account"
    SAID_SO = "said_so", "the customer said so"
    OTHER_REPORT = "other_report", "another report shows it"


class SettledWhy(Worded):
    """Why a report ends without an account."""

    NOT_OURS = "not_ours", "the address or name is not ours"
    NOBODY_HELD_IT = "nobody_held_it", "no account held it at that moment"
    UNPROVEN = "unproven", "the evidence does not show abuse"
    SENT_BEFORE = "sent_before", "another report tells the same"
    TEST = "test", "it was a test"


def title_of(type: str) -> str:
    """What a case about such a report is called; `type` is a code of the schema, so nothing personal is in it."""
    return f"{type.replace('_', ' ').capitalize()} reported"
