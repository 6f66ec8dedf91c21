"""Hand in a reseller's written CIP: its own text, or ours adopted by agreement (R55, R56; proposed 15 CFR 7.303)."""

import hashlib
from datetime import date, datetime

from django.db.models import Max

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from kyc_portal.four_eyes import person_key
from kyc_portal.policy.clocks import start_clock
from kyc_portal.policy.current import cip_on, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.flows import file
from resellers.models import Reseller, ResellerCip
from resellers.rules.cip import Source
from resellers.verbs import Verb

REVIEW_BY = "review of the reseller's CIP"
LONGEST = 400_000


class AlreadyWaiting(Refusal):
    """An earlier version waits for its review."""


class NothingNew(Refusal):
    """The text was handed in before, word for word."""


@flow
def submit_cip(reseller: Reseller, *, title: str, text: str, by: Actor, at: datetime) -> ResellerCip:
    """Hand in the next version of a reseller's own CIP; the clock of its review starts.

    Raises BadField, AlreadyWaiting, NothingNew or Ended.
    """
    told = Texts()
    title = texts.required("Title", told.line("Title", title, 200))
    text = texts.required("Text", told.lines("Text", text.replace("\r\n", "\n"), LONGEST))
    return _take(reseller, source=Source.OWN, title=title, text=text, words=text, told=told, by=by, at=at)


@flow
def adopt_provider_cip(reseller: Reseller, *, agreement: str, agreed_on: date, by: Actor, at: datetime) -> ResellerCip:
    """Hand in that a reseller adopts our own CIP as it stands today, by an agreement signed on `agreed_on` (R56).

    Raises BadField, AlreadyWaiting, NothingNew or NoCip.
    """
    told, today = Texts(), legal_day(at)
    agreement = texts.required("Agreement", told.line("Agreement", agreement, 100))
    agreed_on = texts.past_day("Agreed on", agreed_on, today)
    if agreed_on is None:
        raise BadField("Agreed on is empty. Enter the day of the signature.")
    ours = cip_on(today)
    return _take(
        reseller, source=Source.ADOPTED, title=ours.title, text="", words=ours.text, told=told, provider_cip=ours,
        agreement=agreement, agreed_on=agreed_on, by=by, at=at,
    )  # fmt: skip


def _take(
    reseller: Reseller, *, source: Source, words: str, told: Texts, by: Actor, at: datetime, **given
) -> ResellerCip:
    reseller = file.locked(reseller)
    file.require_running(reseller)
    waiting = reseller.cips.waiting().first()
    if waiting is not None:
        raise AlreadyWaiting(f"{waiting.reference} is {waiting.get_status_display()}. Wait for the answer to it.")
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    latest = reseller.cips.order_by("-number").first()
    if latest is not None and (latest.sha256, latest.source, latest.agreement) == (
        sha256, source.value, given.get("agreement", ""),
    ):  # fmt: skip
        raise NothingNew(f"{latest.reference} holds the same words. Change what was found missing, then hand it in.")
    cip = ResellerCip.objects.create(
        reseller=reseller, number=(reseller.cips.aggregate(last=Max("number"))["last"] or 0) + 1, source=source.value,
        sha256=sha256, submitted_at=at, submitted_by=by.label, submitted_by_key=person_key(by), **given,
    )  # fmt: skip
    audit.record(
        Verb.CIP_SUBMITTED, cip, by=by, at=at, within=reseller, number=cip.number, sha256=sha256, source=cip.source
    )
    told.record_masked(cip, by=by, at=at)
    day = legal_day(at)
    start_clock(REVIEW_BY, cip, figure="reseller_cip_review_days", regime=regime_on(day), on=day, by=by, at=at)
    return cip
