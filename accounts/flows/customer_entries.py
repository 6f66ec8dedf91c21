"""What is asked on a customer's own page, and what they hand in there (requirements R9-R17, R21, R22, R45).

Everything goes through the flows that staff use, so that it is checked in the same way; what they say of the input is
shown, and nothing of what is on file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from accounts.flows import corrections, customer_links, identification, parties
from accounts.flows.completeness import missing_for
from accounts.flows.corrections import NothingToCorrect
from accounts.flows.customer_links import LinkRefused
from accounts.flows.parties_concerned import unverified_parties
from accounts.flows.texts import BadField
from accounts.models import Account, CustomerLink, Party
from accounts.rules.asked import IF_CHANGED, OF_REVIEW, PARTS, Part, Purpose, key_of
from accounts.rules.new_parties import NewAddress
from accounts.rules.ownership import TooTangled
from accounts.verbs import Verb
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import ContactAdded
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import statement_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

OF_PAYMENT = ("payment", "payment_source", "payment_holder")  # one form takes all of it
MOST_GIVEN = 60  # entries by one link; who needs more writes to us


class NotAskedFor(Refusal):
    """This is not, or no longer, asked for."""


class CannotTell(Refusal):
    """What is asked cannot be worked out at present; why is for staff."""


class TooMuch(Refusal):
    """Somebody goes on handing in things without end."""


@dataclass(frozen=True)
class Asked:
    """One thing that is asked for: of the customer or of one of the owners they named; `is_given` by this request."""

    key: str
    part: Part
    party: Party
    of_owner: bool = False
    is_needed: bool = True
    is_given: bool = False


def asked_of(link: CustomerLink, *, at: datetime) -> list[Asked]:
    """What the link asks for at this moment, needed things first. Empty when the request is answered or ended.

    Raises CannotTell.
    """
    if link.purpose == Purpose.REDRESS or not customer_links.is_asked(link):
        return []
    try:
        found = _of_data(link, at) if link.purpose == Purpose.DATA else _of_review(link, at)
    except TooTangled:
        raise CannotTell("We cannot show here what is missing. Please answer our message instead.") from None
    return sorted(found, key=lambda asked: not asked.is_needed)


def _of_data(link: CustomerLink, at: datetime) -> list[Asked]:
    account, found = link.account, []
    gaps = missing_for(account, on=legal_day(at))
    owners = {party.reference: party for party in Party.objects.filter(reference__in=[gap.owner for gap in gaps])}
    for gap in gaps:
        part = PARTS.get(gap.code.removeprefix("owner_") if gap.owner else gap.code)
        if part is not None and not (part.code in OF_PAYMENT and any(each.part.code in OF_PAYMENT for each in found)):
            found.append(_asked(link, part, owners.get(gap.owner)))
    return found


def _of_review(link: CustomerLink, at: datetime) -> list[Asked]:
    account, document = link.account, PARTS["identity_document"]
    since = account.review_asked_on
    found = [
        _asked(link, document, party if party.pk != account.party_id else None)
        for party in unverified_parties(account, on=legal_day(at), since=since)
        if not party.is_us
    ]
    found += [_asked(link, PARTS[code], None) for code in OF_REVIEW]
    return found + [_asked(link, PARTS[code], None, is_needed=False) for code in IF_CHANGED]


def _asked(link: CustomerLink, part: Part, owner: Party | None, *, is_needed: bool = True) -> Asked:
    key = key_of(part.code, owner.reference if owner else "")
    return Asked(
        key=key, part=part, party=owner or link.account.party, of_owner=owner is not None, is_needed=is_needed,
        is_given=key in link.given,
    )  # fmt: skip


@flow
def take(link: CustomerLink, key: str, given: dict, *, by: Actor, at: datetime) -> Asked:
    """Take in one thing that is asked for; `given` holds the keywords of the flow behind it (TAKERS).

    Raises NotAskedFor, TooMuch, or what that flow refuses: BadField, BadNumber, UploadRefused, …
    """
    link = customer_links.locked(link)
    asked = next((each for each in asked_of(link, at=at) if each.key == key), None)
    if asked is None:
        raise NotAskedFor("This is not asked for any more. Go back to see what still is.")
    if link.given_count >= MOST_GIVEN:
        raise TooMuch("You have handed in a great deal by this link. Tell us by an answer to our message what is left.")
    TAKERS[asked.part.code](link.account, asked.party, given, by, at)
    link.given[key] = at.isoformat(timespec="seconds")
    link.given_count, link.handed_in_at = link.given_count + 1, None
    link.save(update_fields=["given", "given_count", "handed_in_at"])
    audit.record(
        Verb.CUSTOMER_GAVE, link.account, by=by, at=at, within=asked.party, what=asked.part.code, link=link.reference
    )
    return asked


@flow
def hand_in(link: CustomerLink, *, by: Actor, at: datetime) -> None:
    """The customer says that this is all; staff are told by their waiting work. Raises LinkRefused, BadField."""
    link = customer_links.locked(link)
    if link.purpose == Purpose.REDRESS or not customer_links.is_asked(link):
        raise LinkRefused("Nothing is asked any more. There is nothing left to do.")
    open_parts = [each for each in asked_of(link, at=at) if each.is_needed and not each.is_given]
    if not link.given and open_parts:
        raise BadField("Nothing was handed in yet. Begin with the first thing on the list.")
    link.handed_in_at = at
    link.save(update_fields=["handed_in_at"])
    audit.record(Verb.HANDED_IN, link.account, by=by, at=at, link=link.reference)


# --- what each part does ----------------------------------------------------------------------------------------------


def _document(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    if given.get("file") is None:
        raise BadField("File is missing. Choose the document on your device.")
    identification.add_document(party, by=by, at=at, **given)


def _address(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    parties.add_address(party, address=NewAddress(**given), by=by, at=at)


def _contact(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    known = party.contact_points.filter(kind=given["kind"])
    if any(row.value and row.value.reveal() == given["value"] for row in known):
        return
    former = parties.primary_email(party)
    parties.add_contact(party, by=by, at=at, **given)
    if former:  # whoever got hold of a link must not turn our messages away unseen
        notice = ContactAdded(name=party.legal_name, account=account.reference)
        outbox.queue_notice(notice, about=account, subject=party.pk, address=former, by=by, at=at)


def _payment(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    identification.add_payment_method(party, by=by, at=at, **given)


def _detail(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    """What is on file already is taken like anything else: the answer must not tell what we know."""
    try:
        corrections.correct(party, by=by, at=at, **given)
    except NothingToCorrect:
        return


def _owner(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    identification.add_owner(party, by=by, at=at, **given)


def _certify(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    identification.certify_owners(
        account, signed_on=legal_day(at), signed_by=given.get("signed_by", ""), by=by, at=at,
        text_version=str(statement_on(StatementKind.OWNERS, legal_day(at)).number),
    )  # fmt: skip


def _confirm(account: Account, party: Party, given: dict, by: Actor, at: datetime) -> None:
    """A statement: the event that tells of it is all there is."""


Taker = Callable[[Account, Party, dict, Actor, datetime], None]
TAKERS: dict[str, Taker] = {
    "identity_document": _document,
    "address": _address,
    "use_location": _address,
    "email": _contact,
    "phone": _contact,
    **dict.fromkeys(("payment", "payment_source", "payment_holder"), _payment),
    **dict.fromkeys(("kind", "formation_country", "registration_number", "birth_date", "national_id"), _detail),
    "owners": _owner,
    "owners_certification": _certify,
    "unchanged": _confirm,
}
