"""A customer objects; somebody who took no part answers, in one of few sentences (requirement R41).

An app above may answer some objections in records of its own: it adds a way with `add_way`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from accounts.flows import customer_links, parties
from accounts.flows.texts import Texts, chosen, required
from accounts.models import Account, CouldNotVerify, CustomerLink, Objection, Restriction
from accounts.rules.asked import OBJECTION_ANSWERS, ObjectionOutcome
from accounts.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import person_key
from kyc_portal.notices import outbox
from kyc_portal.notices.kinds import ObjectionAnswered, ObjectionReceived
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

ANSWER_BY = "answer to the objection"
LONGEST = 4000


@dataclass(frozen=True)
class OtherWay:
    """How an app above answers an objection: in its record of this reference, within a figure's number of days.

    `take(objection, by=, at=)` stores that record and starts its clock; the account is locked.
    """

    reference: str
    figure: str
    take: Callable


WayOf = Callable[[Account, date], OtherWay | None]
_WAYS: list[WayOf] = []


def add_way(way_of: WayOf) -> None:
    """Add how an app above answers objections: a function of account and day that gives an OtherWay, or None."""
    if way_of not in _WAYS:
        _WAYS.append(way_of)


class AlreadyObjected(Refusal):
    """An objection of this customer waits for its answer."""


class NotOpen(Refusal):
    """The objection was answered."""


class IsRedress(Refusal):
    """The objection is a request for redress, which is answered in its own way."""


class AnsweredElsewhere(Refusal):
    """The objection is answered in a record of an app above."""


class TookPart(Refusal):
    """Whoever took part in what is objected to does not answer."""


@flow
def raise_objection(link: CustomerLink, *, text: str, by: Actor, at: datetime) -> Objection:
    """Keep what a customer says against what we ask or did, and start the clock of the answer.

    After “could not be verified”, and while redress can be asked for, this is the request for it (R41). Raises BadField
    and AlreadyObjected.
    """
    link, today = customer_links.locked(link), legal_day(at)
    open_to = CouldNotVerify.objects.in_effect().filter(account=link.account, redress=None, redress_by__gte=today)
    against = open_to.order_by("-in_effect_at", "pk").first()
    return take_in(link.account, text=text, through=link.reference, against=against, on=today, by=by, at=at)


def take_in(
    account: Account, *, text: str, through: str, against: CouldNotVerify | None, way: OtherWay | None = None,
    on: date, by: Actor, at: datetime,
) -> Objection:  # fmt: skip
    """Keep an objection received on the day `on`; the caller holds the account's lock, and its party is loaded.

    Without `against` and `way` the apps above are asked whether they answer it. `through` is a link's reference or a
    word for another way. Raises BadField and AlreadyObjected.
    """
    told = Texts()
    text = required("Objection", told.lines("Objection", text, LONGEST))
    if Objection.objects.open().filter(account=account).exists():
        raise AlreadyObjected("Your objection has come in and waits for its answer. We will write to you.")
    objection = Objection(account=account, party=account.party, raised_at=at, raised_through=through, against=against)
    if way is None and against is None:
        way = next(filter(None, (way_of(account, on) for way_of in _WAYS)), None)
    about = {"row": way.reference if way else against.reference} if way or against else {}
    objection.text = text
    _set_due(objection, way, on=on, by=by, at=at)
    objection.save(force_insert=True)
    audit.record(
        Verb.OBJECTED, account, by=by, at=at, objection=objection.reference, due_on=objection.due_on, link=through,
        **about,
    )  # fmt: skip
    told.record_masked(account, by=by, at=at)
    notice = ObjectionReceived(
        name=account.party.legal_name, account=account.reference, objection=objection.reference,
        answer_by=objection.due_on,
    )  # fmt: skip
    _tell(objection, notice, by=by, at=at)
    if way is not None:
        way.take(objection, by=by, at=at)
    return objection


def _set_due(objection: Objection, way: OtherWay | None, *, on: date, by: Actor, at: datetime) -> None:
    """Until when it is answered; the clock runs here, or in the record of the app above."""
    if way is not None:
        objection.answered_in, objection.due_on = way.reference, add_days(on, regime_on(on).whole(way.figure))
        return
    figure = "redress_answer_days" if objection.against_id else "objection_answer_days"
    objection.due_on = start_clock(
        ANSWER_BY, objection, figure=figure, regime=regime_on(on), on=on, by=by, at=at
    ).due_on


@flow
def answer(objection: Objection, *, outcome: str, by: Actor, at: datetime) -> Objection:
    """Answer an objection in fixed words. Raises NotOpen, IsRedress, AnsweredElsewhere, TookPart, BadField."""
    objection = locked(objection)
    require_open(objection)
    if objection.against_id is not None:
        raise IsRedress(f"{objection.reference} asks for redress. Answer it as redress.")
    if objection.answered_in:
        raise AnsweredElsewhere(f"{objection.reference} is answered in {objection.answered_in}. Answer it there.")
    outcome = chosen("Outcome", outcome, ObjectionOutcome)
    require_no_part(objection, by)
    return close(objection, outcome=outcome, wording=OBJECTION_ANSWERS[outcome], by=by, at=at)


def locked(objection: Objection) -> Objection:
    """The objection's row after its account's, both locked until the transaction ends."""
    Account.objects.select_for_update(of=("self",)).get(pk=objection.account_id)
    rows = Objection.objects.select_for_update(of=("self",)).select_related("account__party", "party")
    return rows.get(pk=objection.pk)


def require_open(objection: Objection) -> None:
    """Raise NotOpen once it is answered."""
    if objection.state != "open":
        raise NotOpen(f"{objection.reference} was answered on {legal_day(objection.answered_at)}.")


def close(objection: Objection, *, outcome: str, wording: str, by: Actor, at: datetime) -> Objection:
    """Write the answer down, stop the clock, tell the customer the fixed words; the caller has judged who answers."""
    objection.state, objection.answered_at, objection.answered_by, objection.outcome = "answered", at, by.label, outcome
    objection.save(update_fields=["state", "answered_at", "answered_by", "outcome", "answered_why"])
    stop_clock(ANSWER_BY, objection, by=by, at=at)
    audit.record(
        Verb.OBJECTION_ANSWERED, objection, by=by, at=at, within=objection.account, objection=objection.reference,
        outcome=outcome,
    )  # fmt: skip
    notice = ObjectionAnswered(
        name=objection.party.legal_name, account=objection.account.reference, objection=objection.reference,
        wording=wording,
    )  # fmt: skip
    _tell(objection, notice, by=by, at=at)
    return objection


def require_no_part(objection: Objection, by: Actor) -> None:
    """Neither who sent the link nor who restricted the account judges the objection to it."""
    sent = CustomerLink.objects.filter(account=objection.account_id, issued_by_key=person_key(by))
    restricted = Restriction.objects.filter(account=objection.account_id, applied_by=by.label)
    if by.kind != "scheduler" and (sent.exists() or restricted.exists()):
        raise TookPart("You asked this customer or restricted the account. Somebody else answers the objection.")


def _tell(objection: Objection, notice, *, by: Actor, at: datetime) -> None:
    party, address = objection.party, parties.primary_email(objection.party)
    outbox.queue_notice(notice, about=objection.account, subject=party.pk, address=address, by=by, at=at)
