"""Gather what is known of an account, raise and answer red flags (requirements R2, R36, R83)."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from django.db import models

from accounts import events
from accounts.flows import access_days, ownership, profiles, rating
from accounts.flows.batches import BATCH
from accounts.models import Account, CouldNotVerify, Party, RiskSignal, ScreeningHit, SeenBefore
from accounts.models.party import AddressKind
from accounts.models.screening import HitStatus
from accounts.rules import detectors
from accounts.rules.blocked_owners import blocked_share
from accounts.rules.flags import AccountFacts, DetectorLimits, DocumentState, Flag, SeenEarlier
from accounts.rules.found import found_of
from accounts.rules.ownership import Stake, TooTangled, beneficial_owners
from accounts.verbs import Verb
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import failures

LIST_CODES = frozenset({"confirmed_list_hit", "possible_list_hit"})
LONGEST_SENTENCE = 500
LONGEST_ANSWER = 60
ANSWERED = ["answered_at", "answer", "found"]

# Where somebody is reached or works with the product says little of where they belong.
ELSEWHERE = (AddressKind.USE_LOCATION, AddressKind.CONTACT_PERSON, AddressKind.APO_FPO)


class AlreadyAnswered(Refusal):
    """Somebody has answered this red flag before."""


class NoAnswer(Refusal):
    """The answer is empty or too long."""


# --- What is known ----------------------------------------------------------------------------------------------------


def gather_facts(account: Account, *, on: date) -> AccountFacts:
    """Everything the detectors look at, as of the day `on`.

    A fixed number of queries, plus one for each level of owners above an entity.
    """
    return _gather(account, on)[0]


def _gather(account: Account, on: date) -> tuple[AccountFacts, Decimal]:
    """The facts, and the percentage of the party that listed persons hold in aggregate (31 CFR 578.411)."""
    regime = regime_on(on)
    party, stakes = account.party, ownership.stakes_above(account.party, on)
    hits = _hits({str(party.pk), *(stake.owner for stake in stakes)})
    accesses = _accesses(account)
    facts = AccountFacts(
        on=on,
        document_countries=_codes(party.documents.all()),
        payment_countries=_codes(party.payment_methods.filter(ended_at__isnull=True)),
        address_countries=_codes(party.addresses.exclude(kind__in=ELSEWHERE)),
        confirmed_hits=_references(hits, confirmed=True),
        possible_hits=_references(hits, confirmed=False),
        documents=tuple(
            DocumentState(reference, kind, expires_on, tuple(failed))
            for reference, kind, expires_on, failed in party.documents.order_by("reference").values_list(
                "reference", "kind", "expires_on", "mrz_failed"
            )
        ),
        reverification_overdue_days=_overdue_days(account, on),
        **_watch(account, on),
        seen_before=_seen_before(party, regime),
        owner_percents=_owner_percents(party, stakes),
        owner_threshold=regime.number("owner_share_percent"),
        limits=_limits(regime),
        **accesses,
        **profiles.facts_of(account, on=on, regime=regime),
    )
    blocked = frozenset(str(hit.party_id) for hit in hits if hit.status == HitStatus.CONFIRMED)
    above = blocked - {str(party.pk)}
    percent = regime.number("blocked_share_percent")
    return facts, blocked_share(str(party.pk), stakes, above, blocking_percent=percent) if above else Decimal(0)


def _limits(regime: Regime) -> DetectorLimits:
    return DetectorLimits(
        least_accesses=regime.whole("anonymised_access_least_records"),
        near_threshold_points=regime.number("near_threshold_points"),
        near_threshold_owners=regime.whole("near_threshold_owners"),
        watched_least_accesses=regime.whole("watch_least_records"),
        access=profiles.limits_of(regime),
    )


def _codes(rows: models.QuerySet) -> frozenset[str]:
    return frozenset(str(code) for code in rows.values_list("country", flat=True) if code)


def _hits(parties: set[str]) -> list[ScreeningHit]:
    """The hits of these parties that stand and are confirmed or wait, oldest first; one query."""
    bearing = ScreeningHit.objects.exclude(status__in=[HitStatus.DISMISSED, HitStatus.REPLACED])
    return list(bearing.standing().filter(party__in=parties).order_by("screening__at", "reference"))


def _references(hits: Iterable[ScreeningHit], *, confirmed: bool) -> tuple[str, ...]:
    """References of hits; a judgement carried on to a newer list version is the same hit, not another one."""
    wanted = (hit for hit in hits if (hit.status == HitStatus.CONFIRMED) is confirmed)
    return tuple(dict.fromkeys(hit.carried_from or hit.reference for hit in wanted))


def _accesses(account: Account) -> dict:
    """Accesses from public addresses, counted by country and by kind of anonymiser; one query."""
    countries, kinds, total, anonymised = Counter(), Counter(), 0, 0
    for country, anonymiser, count in access_days.by_place(account):
        total += count
        anonymised += count if anonymiser else 0
        countries.update({country: count} if country else {})
        kinds.update({kind: count for kind in anonymiser.split(", ") if kind})
    return {
        "access_countries": dict(countries),
        "access_total": total,
        "access_anonymised": dict(kinds),
        "access_anonymised_total": anonymised,
    }


def _overdue_days(account: Account, on: date) -> int:
    """Days since the last day to answer a review passed; the first such day only brings a reminder with grace."""
    is_late = account.review_reminded and account.review_answer_by and account.review_answer_by < on
    return (on - account.review_answer_by).days if is_late else 0


def _watch(account: Account, on: date) -> dict:
    """Whether the account is kept under watch (R40), and for how many days nobody has looked in time; one query."""
    days = list(CouldNotVerify.objects.watching().filter(account=account).values_list("look_again_on", flat=True))
    return {"is_watched": bool(days), "watch_overdue_days": max(0, (on - min(days)).days) if days else 0}


def _seen_before(party: Party, regime: Regime) -> tuple[SeenEarlier, ...]:
    """Ties to whom we shut out that are strong enough, the strongest first, but for those judged to be others."""
    enough = regime.number("link_flag_percent") / 100
    rows = SeenBefore.objects.bearing(enough).filter(party=party).order_by("-score", "reference")
    return tuple(
        SeenEarlier(row.reference, row.earlier_reference, row.why, tuple(each["kind"] for each in row.shared))
        for row in rows
    )


def _owner_percents(party: Party, stakes: list[Stake]) -> tuple[Decimal, ...]:
    """The whole share of every person above the party; of a graph nobody can follow, the direct shares."""
    if not stakes:
        return ()
    owners = {stake.owner for stake in stakes}
    people = Party.objects.filter(pk__in=owners).exclude(kind="entity").values_list("pk", flat=True)
    individuals = frozenset(str(pk) for pk in people)
    try:
        found = beneficial_owners(str(party.pk), stakes, individuals, Decimal(0))
    except TooTangled:
        direct = (stake for stake in stakes if stake.owned == str(party.pk) and stake.owner in individuals)
        return tuple(stake.percent for stake in direct)
    return tuple(owner.percent for owner in found)


def accounts_touched_by(party: Party, *, on: date) -> list[Account]:
    """The accounts of a party and of every party it holds a stake in, directly or through others, that are not over."""
    rows = Account.objects.filter(party__in=ownership.parties_below(party, on))
    return list(rows.exclude(pk__in=Account.objects.ended().values("pk")).select_related("party").order_by("pk"))


# --- Red flags --------------------------------------------------------------------------------------------------------


@flow
def run_detectors(
    account: Account, *, codes: Collection[str] | None = None, by: Actor, at: datetime
) -> list[RiskSignal]:
    """Look for red flags (only those in `codes`, if given), raise what is new, rate the risk; returns the open ones.

    A flag that was answered on the same evidence is not raised again; evidence is compared without its counts.
    """
    account = rating.locked(account)
    facts, share = _gather(account, legal_day(at))
    known = _signals_by_code(account)
    found = []
    for flag in detectors.run(facts):
        if codes is not None and flag.code not in codes:
            continue
        flag = _with_share(flag, share)
        earlier = known.get(flag.code)
        if earlier and earlier.answered_at and _matter(earlier.evidence) == _matter(flag.evidence):
            continue
        found.append(_raise(account, flag, earlier, by, at))
    rating.rate(account, by=by, at=at)
    return found


@flow
def raise_signal(account: Account, flag: Flag, *, by: Actor, at: datetime) -> RiskSignal:
    """Raise one flag of the catalogue, or give back the open one of the same code with its evidence brought up to date.

    The event `signal_raised` is sent inside the transaction: if no case can be opened, there is no signal either.
    """
    account = rating.locked(account)
    signal = _raise(account, flag, _signals_by_code(account).get(flag.code), by, at)
    rating.rate(account, by=by, at=at)
    return signal


def _signals_by_code(account: Account) -> dict[str, RiskSignal]:
    """The newest signal of each code; an open one is always the newest."""
    oldest_first = account.signals.order_by("known_at", models.F("answered_at").asc(nulls_last=True))
    return {signal.code: signal for signal in oldest_first}


def _raise(account: Account, flag: Flag, earlier: RiskSignal | None, by: Actor, at: datetime) -> RiskSignal:
    if earlier is not None and earlier.answered_at is None:
        return _renew(earlier, flag, account, by, at)
    signal = RiskSignal.objects.create(
        account=account,
        code=flag.code,
        weight=regime_on(legal_day(at)).whole(f"weight_{flag.code}"),
        sentence=flag.sentence[:LONGEST_SENTENCE],
        evidence=flag.evidence,
        known_at=at,
    )
    audit.record(Verb.SIGNAL_RAISED, signal, by=by, at=at, within=account, signal=signal.reference, code=signal.code)
    events.signal_raised.send(sender=RiskSignal, risk_signal=signal, by=by, at=at)
    return signal


def _renew(signal: RiskSignal, flag: Flag, account: Account, by: Actor, at: datetime) -> RiskSignal:
    """Bring an open flag's evidence up to date; counts alone are no news."""
    if _matter(signal.evidence) == _matter(flag.evidence):
        return signal
    signal.sentence, signal.evidence = flag.sentence[:LONGEST_SENTENCE], flag.evidence
    signal.save(update_fields=["sentence", "evidence"])
    audit.record(Verb.SIGNAL_RENEWED, signal, by=by, at=at, within=account, signal=signal.reference, code=signal.code)
    return signal


def _matter(evidence: object) -> object:
    """What the evidence names, without counts: another access through the same range is nothing new."""
    if isinstance(evidence, dict):
        return {name: _matter(value) for name, value in evidence.items()}
    if isinstance(evidence, (list, tuple)):
        return [_matter(value) for value in evidence]
    return None if isinstance(evidence, int) else evidence


def _with_share(flag: Flag, share: Decimal) -> Flag:
    """Say how much of an entity listed persons hold: from the regime's share on it is blocked unlisted (R36)."""
    if flag.code != "confirmed_list_hit" or not share:
        return flag
    sentence = f"{flag.sentence}; listed persons hold {share.normalize():f} % of the customer"
    return replace(flag, sentence=sentence, evidence={**flag.evidence, "blocked_percent": f"{share.normalize():f}"})


@flow
def answer_signal(signal: RiskSignal, *, answer: str, reason: str = "", by: Actor, at: datetime) -> RiskSignal:
    """Close a red flag with what was found out, such as the codes of the case's outcome and its reason.

    Of the reason only what it says of this flag is kept (`found`). Raises AlreadyAnswered, NoAnswer.
    """
    signal = RiskSignal.objects.select_for_update(of=("self",)).get(pk=signal.pk)
    if signal.answered_at is not None:
        raise AlreadyAnswered(f"{signal.reference} was answered on {signal.answered_at:%Y-%m-%d}. Look at its history.")
    if not answer.strip() or len(answer) > LONGEST_ANSWER:
        raise NoAnswer(f"Say what was found out, in at most {LONGEST_ANSWER} characters.")
    _put_answer(signal, answer, reason, at)
    signal.save(update_fields=ANSWERED)
    account = rating.locked(signal.account)
    audit.record(
        Verb.SIGNAL_ANSWERED, signal, by=by, at=at, within=account, signal=signal.reference, answer=signal.answer
    )
    rating.rate(account, by=by, at=at)
    return signal


def _put_answer(signal: RiskSignal, answer: str, reason: str, at: datetime) -> None:
    signal.answered_at, signal.answer = at, answer.strip()
    signal.found = found_of(signal.code, signal.answer, reason).value


@flow
def answer_many(
    found: Sequence[RiskSignal], *, answer: str, reason: str = "", by: Actor, at: datetime
) -> list[Account]:
    """Close many open red flags whose accounts the caller has locked, with one answer, and rate the accounts anew.

    As few queries as for one; returns the accounts whose rating changed.
    """
    if not answer.strip() or len(answer) > LONGEST_ANSWER:
        raise NoAnswer(f"Say what was found out, in at most {LONGEST_ANSWER} characters.")
    rows = RiskSignal.objects.open().filter(pk__in=[signal.pk for signal in found]).select_related("account")
    found = list(rows.order_by("reference"))
    for signal in found:
        _put_answer(signal, answer, reason, at)
    RiskSignal.objects.bulk_update(found, ANSWERED, batch_size=BATCH)
    audit.write([
        audit.draft(
            Verb.SIGNAL_ANSWERED, signal, by=by, at=at, within=signal.account, signal=signal.reference,
            answer=signal.answer,
        )
        for signal in found
    ])  # fmt: skip
    return rating.rate_many(list({signal.account_id: signal.account for signal in found}.values()), by=by, at=at)


# --- Every night ------------------------------------------------------------------------------------------------------


def run_due(*, at: datetime, by: Actor = SCHEDULER) -> dict[str, int]:
    """Nightly: look at every open account, each in its own transaction; says how many were done and how many failed.

    All of them, because documents and reviews run out by the mere passing of days.
    """
    told = Counter(done=0, failed=0)
    rows, last = Account.objects.open().order_by("pk"), None
    while batch := list((rows.filter(pk__gt=last) if last else rows)[:BATCH]):
        last = batch[-1].pk
        told.update(failures.sweep("accounts.detectors", batch, lambda row: run_detectors(row, by=by, at=at), at=at))
    return dict(told)
