"""Commerce's reviews, asks and recommended measures (R78, R79), and what it looks at is kept at once (R80)."""

from collections.abc import Collection
from datetime import date, datetime

from django.db.models import Q, QuerySet

from accounts.flows.texts import EARLIEST, Texts, country, required
from accounts.models import Account
from cases.flows.bundle_items import of_days
from cases.flows.evidence import parties_of
from cases.models import Case, CommerceAsk, CommerceReview, FlaggedClass, FlaggedHold, Remedy
from cases.rules.commerce import REMEDY_LIFECYCLE, REVIEW_LIFECYCLE, RemedyState, ReviewKind, ReviewState
from cases.verbs import Verb
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.holds import place_hold, release_hold
from kyc_portal.records.models import HeldRecord, LegalHold
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.work.failures import sweep

HOLD_REASON = "under review by Commerce"


class BadMatter(Refusal):
    """Something about the review, the ask or the flag cannot be as it was given."""


class NotDone(Refusal):
    """Something of the review is still open."""


@flow
def log_review(
    *, kind: str, about: str, opened_on: date, their_reference: str = "", by: Actor, at: datetime
) -> CommerceReview:
    """Write down that Commerce reviews a form, assesses us or audits us."""
    if kind not in list(ReviewKind):
        raise BadMatter(f"Choose what Commerce does: {', '.join(ReviewKind)}.")
    _require_past("review", opened_on, at)
    told = Texts()
    review = CommerceReview.objects.create(
        kind=ReviewKind(kind).value, about=required("About", told.line("About", about.strip(), 200)),
        their_reference=told.line("Their reference", their_reference.strip(), 100), opened_on=opened_on,
        logged_at=at, logged_by=by.label,
    )  # fmt: skip
    _record(Verb.COMMERCE_REVIEW_LOGGED, review, review, by=by, at=at, kind=kind)
    told.record_masked(review, by=by, at=at)
    return review


@flow
def add_ask(
    review: CommerceReview, *, question: str, asked_on: date, due_on: date, by: Actor, at: datetime
) -> CommerceAsk:
    """Write down what Commerce asks and by when it wants the answer."""
    review = _running(review)
    _require_past("question", asked_on, at)
    if due_on < asked_on:
        raise BadMatter(f"The answer cannot be due on {due_on}, before it was asked. Correct the day.")
    told = Texts()
    question = required("Question", told.line("Question", question.strip(), 500))
    ask = CommerceAsk.objects.create(review=review, question=question, asked_on=asked_on, due_on=due_on)
    _record(Verb.COMMERCE_ASKED, ask, review, by=by, at=at, due_on=due_on)
    told.record_masked(ask, by=by, at=at)
    return ask


@flow
def answer(ask: CommerceAsk, *, words: str, by: Actor, at: datetime) -> CommerceAsk:
    """Keep what we answered. Raises BadMatter when it was answered before."""
    review = _running(ask.review)
    ask = CommerceAsk.objects.select_for_update(of=("self",)).get(pk=ask.pk)
    if ask.answered_at is not None:
        raise BadMatter(f"{ask.reference} was already answered by {ask.answered_by}.")
    told = Texts()
    ask.answer = required("Answer", told.line("Answer", words.strip(), 2000))
    ask.answered_at, ask.answered_by = at, by.label
    ask.save(update_fields=["answer", "answered_at", "answered_by"])
    _record(Verb.COMMERCE_ANSWERED, ask, review, by=by, at=at)
    told.record_masked(ask, by=by, at=at)
    return ask


@flow
def recommend(review: CommerceReview, *, action: str, owner: str, due_on: date, by: Actor, at: datetime) -> Remedy:
    """Write down a measure that Commerce recommends, and who of us does it by when."""
    review = _running(review)
    if due_on < review.opened_on:
        raise BadMatter(f"The measure cannot be due on {due_on}, before the review began. Correct the day.")
    told = Texts()
    remedy = Remedy.objects.create(
        review=review, action=required("Measure", told.line("Measure", action.strip(), 500)),
        owner=required("Who does it", told.line("Who does it", owner.strip(), 150)), due_on=due_on,
    )  # fmt: skip
    if review.state == ReviewState.OPEN:
        REVIEW_LIFECYCLE.require(review.state, ReviewState.REMEDIATION)
        review.state = ReviewState.REMEDIATION.value
        review.save(update_fields=["state"])
    _record(Verb.REMEDY_RECOMMENDED, remedy, review, by=by, at=at, due_on=due_on)
    told.record_masked(remedy, by=by, at=at)
    return remedy


@flow
def show(remedy: Remedy, *, evidence: str, by: Actor, at: datetime) -> Remedy:
    """Say what proves that the measure was done: where the evidence lies, with its number."""
    review, remedy = _running(remedy.review), _remedy(remedy, RemedyState.SHOWN)
    told = Texts()
    remedy.evidence = required("Evidence", told.line("Evidence", evidence.strip(), 500))
    remedy.shown_at, remedy.shown_by, remedy.shown_by_key = at, by.label, person_key(by)
    remedy.save()
    _record(Verb.REMEDY_MOVED, remedy, review, by=by, at=at, state=remedy.state)
    told.record_masked(remedy, by=by, at=at)
    return remedy


@flow
def judge(remedy: Remedy, *, is_proven: bool, shown: str, by: Actor, at: datetime) -> Remedy:
    """Another person finds the measure proven, or not: then it is to be done again.

    `shown` is the digest of the proofs that lay before this person. Raises SecondPersonNeeded, PreparedAnew.
    """
    review = _running(remedy.review)
    remedy = _remedy(remedy, RemedyState.PROVEN if is_proven else RemedyState.OPEN)
    require_second_person(remedy.shown_by_key, by, deed=remedy.reference)
    require_as_shown(shown, digest_of(review), name=f"A proof in {review.reference}")
    if is_proven:
        remedy.proven_at, remedy.proven_by = at, by.label
    remedy.save()
    _record(Verb.REMEDY_MOVED, remedy, review, by=by, at=at, state=remedy.state)
    return remedy


def digest_of(review: CommerceReview) -> str:
    """What is judged: every proof of the review that waits, what it is of, and when and by whom it was shown."""
    rows = review.remedies.filter(state=RemedyState.SHOWN.value).order_by("pk")
    waiting = rows.values_list("reference", "action", "evidence", "shown_at", "shown_by_key")
    return digest(review.reference, [list(each) for each in waiting])


@flow
def close(review: CommerceReview, *, by: Actor, at: datetime) -> CommerceReview:
    """End a review in which every question is answered and every measure proven. Raises NotDone."""
    review = _running(review)
    left = [each.reference for each in review.asks.unanswered()]
    left += [each.reference for each in review.remedies.exclude(state=RemedyState.PROVEN.value)]
    if left:
        raise NotDone(f"Still open: {', '.join(left)}. Answer what was asked and prove what was recommended first.")
    REVIEW_LIFECYCLE.require(review.state, ReviewState.CLOSED)
    review.state, review.closed_at, review.closed_by = ReviewState.CLOSED.value, at, by.label
    review.save(update_fields=["state", "closed_at", "closed_by"])
    return _record(Verb.COMMERCE_REVIEW_CLOSED, review, review, by=by, at=at)


# --- what Commerce looks at -------------------------------------------------------------------------------------------


@flow
def flag(
    *, title: str, accounts: Collection[Account] = (), product: str = "", in_country: str = "",
    opened_from: date | None = None, opened_through: date | None = None, review: CommerceReview | None = None,
    by: Actor, at: datetime,
) -> FlaggedClass:  # fmt: skip
    """Flag a transaction or class that Commerce looks at, and hold at once what is on file about it.

    The class is every account named, or every account that fits product, country of the customer and days of opening.
    Raises BadMatter when nothing limits it, or nothing fits.
    """
    told = Texts()
    product = told.line("Product", product.strip(), 200)
    in_country = country("Country", in_country)
    if not (accounts or product or in_country or opened_from or opened_through):
        raise BadMatter("Nothing says which transactions are meant. Name accounts, a product, a country or days.")
    if opened_from and opened_through and opened_from > opened_through:
        raise BadMatter(f"The first day {opened_from} comes after the last day {opened_through}. Correct one of them.")
    flagged = FlaggedClass.objects.create(
        title=required("Title", told.line("Title", title.strip(), 200)), review=review, product=product,
        country=in_country, accounts=sorted(account.reference for account in accounts), opened_from=opened_from,
        opened_through=opened_through, flagged_at=at, flagged_by=by.label,
    )  # fmt: skip
    count = _hold_new(flagged, by=by, at=at)
    if not count:
        raise BadMatter("No account fits, so there is nothing to hold. Widen what is meant, or name the accounts.")
    audit.record(Verb.FLAGGED, flagged, by=by, at=at, reference=flagged.reference, count=count)
    told.record_masked(flagged, by=by, at=at)
    return flagged


def fitting(flagged: FlaggedClass) -> QuerySet[Account]:
    """The accounts of the class, as it was flagged."""
    if flagged.accounts:
        return Account.objects.filter(reference__in=flagged.accounts)
    found = Account.objects.all()
    if flagged.product:
        found = found.filter(product=flagged.product)
    if flagged.country:
        here = Q(party__citizenship=flagged.country) | Q(party__formation_country=flagged.country)
        found = found.filter(here | Q(party__addresses__country=flagged.country)).distinct()
    return of_days(found, "created_at", flagged.opened_from, flagged.opened_through)


def _hold_new(flagged: FlaggedClass, *, by: Actor, at: datetime) -> int:
    """Hold the accounts of the class that it does not hold yet, with everybody behind them and their cases."""
    holds = LegalHold.objects.filter(flagged__flagged=flagged)
    held = HeldRecord.objects.filter(hold__in=holds, label=Account._meta.label_lower).values_list("key", flat=True)
    known, fit = set(held), fitting(flagged).select_related("party").order_by("pk")
    new = [each for each in fit if RecordRef.of(each).key not in known]
    if not new:
        return 0
    cases = Case.objects.filter(subjects__account__in=new).distinct()
    hold = place_hold(
        [*new, *parties_of(new, on=legal_day(at)), *cases], reason=HOLD_REASON, ground=flagged.reference, by=by, at=at
    )
    FlaggedHold.objects.create(flagged=flagged, hold=hold)
    return len(new)


def hold_what_fits(*, by: Actor, at: datetime) -> dict:
    """Nightly: hold accounts that came to fit a flagged class since, each class in its own transaction."""
    return sweep(
        "cases.hold_flagged", FlaggedClass.objects.in_force().order_by("flagged_at", "pk"),
        lambda flagged: _hold_again(flagged, by=by, at=at), at=at,
    )  # fmt: skip


@flow
def _hold_again(flagged: FlaggedClass, *, by: Actor, at: datetime) -> None:
    flagged = FlaggedClass.objects.select_for_update(of=("self",)).get(pk=flagged.pk)
    if flagged.ended_at is None and (count := _hold_new(flagged, by=by, at=at)):
        audit.record(Verb.FLAGGED, flagged, by=by, at=at, reference=flagged.reference, count=count)


@flow
def end_flag(flagged: FlaggedClass, *, by: Actor, at: datetime) -> FlaggedClass:
    """Commerce looks no more: the holds of this class end, every other one stays. Raises BadMatter."""
    flagged = FlaggedClass.objects.select_for_update(of=("self",)).get(pk=flagged.pk)
    if flagged.ended_at is not None:
        raise BadMatter(f"{flagged.reference} was already ended by {flagged.ended_by}.")
    flagged.ended_at, flagged.ended_by = at, by.label
    flagged.save(update_fields=["ended_at", "ended_by"])
    for hold in LegalHold.objects.in_force().filter(flagged__flagged=flagged).order_by("pk"):
        release_hold(hold, reason=f"{flagged.reference} ended", by=by, at=at)
    audit.record(Verb.FLAG_ENDED, flagged, by=by, at=at, reference=flagged.reference)
    return flagged


def _running(review: CommerceReview) -> CommerceReview:
    review = CommerceReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
    if review.state == ReviewState.CLOSED:
        raise BadMatter(f"{review.reference} is closed. Log what Commerce does now as a review of its own.")
    return review


def _remedy(remedy: Remedy, to: RemedyState) -> Remedy:
    remedy = Remedy.objects.select_for_update(of=("self",)).get(pk=remedy.pk)
    REMEDY_LIFECYCLE.require(remedy.state, to)
    remedy.state = to.value
    return remedy


def _require_past(what: str, day: date, at: datetime) -> None:
    if not EARLIEST <= day <= legal_day(at):
        raise BadMatter(f"The {what} cannot be of {day}. Correct the day.")


def _record(verb: Verb, about, review: CommerceReview, *, by: Actor, at: datetime, **facts):
    audit.record(verb, about, by=by, at=at, within=review, reference=about.reference, **facts)
    return about
