"""Compare parties with watch lists and judge what resembles, by two people (requirements R35, R37; T8-T13).

Everybody is screened, U.S. persons included. A judgement holds for the very data it was made on: when list and party
say the same as before, it is carried on to a newer list version; when either has changed, somebody looks again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from django.db import models

from accounts.flows import hit_values, list_changes, reverification, signals, watchlists
from accounts.flows.batches import BATCH
from accounts.flows.list_index import Match, index_of
from accounts.flows.parties import account_of, locked
from accounts.flows.screening_marks import making, remember_marks
from accounts.flows.texts import Texts
from accounts.models import Party, Screening, ScreeningHit, WatchlistSnapshot
from accounts.models.identity import PaymentKind
from accounts.models.party import ContactKind
from accounts.models.screening import HitStatus
from accounts.rules.names import Bands, ScreenedParty
from accounts.verbs import Verb
from kyc_portal.four_eyes import PERSON, digest, person_key, require_as_shown, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import failures

LONGEST_REASON = 300
PROPOSED = {True: HitStatus.CONFIRM_PROPOSED, False: HitStatus.DISMISS_PROPOSED}
JUDGED = {HitStatus.CONFIRM_PROPOSED: HitStatus.CONFIRMED, HitStatus.DISMISS_PROPOSED: HitStatus.DISMISSED}
WORDS = {HitStatus.CONFIRMED: "confirm", HitStatus.DISMISSED: "dismiss"}


class NoListLoaded(Refusal):
    """There is no watch list to screen against."""


class HitNotOpen(Refusal):
    """Somebody has proposed or given a judgement on this hit already."""


class NothingProposed(Refusal):
    """There is no proposal a second person could agree to."""


class NotAPerson(Refusal):
    """Judging is for people who are signed in."""


class NoReason(Refusal):
    """A judgement needs its reason in words."""


# --- Screening --------------------------------------------------------------------------------------------------------


@flow
def screen_party(
    party: Party, *, lists: Sequence[WatchlistSnapshot] | None = None, by: Actor, at: datetime
) -> list[Screening]:
    """Compare a party with the current version of every list (or with `lists`); one Screening for each.

    Names and further names, birth date, countries, wallets, e-mail addresses and numbers are compared; owners are
    parties of their own. Raises NoListLoaded.
    """
    list_changes.hold_off()
    current = list(watchlists.current_snapshots())
    lists = current if lists is None else list(lists)
    if not lists:
        raise NoListLoaded("No watch list is loaded, so nobody can be screened. Load one with load_watchlist.")
    party = locked(party)
    bands = list_changes.bands_on(at)
    screened = as_compared(party)
    page = account_of(party) or party
    done, news = [], False
    for snapshot in lists:
        screening, has_news = _compare(party, screened, snapshot, bands, page, by, at)
        done.append(screening)
        news = news or has_news
    party.screened_at, party.screened_against = at, lists[-1]
    if party.marked_with == making() or {each.pk for each in current} <= {each.pk for each in lists}:
        remember_marks(party, screened)  # else a list that has touched it still waits for it
    party.save(update_fields=["screened_at", "screened_against", "marked_with"])
    if news:
        _tell_accounts(party, by, at)
    return done


def screen_due(*, at: datetime, by: Actor = SCHEDULER) -> dict[str, int]:
    """Screen whoever is new, has changed or may be touched by a new version of a list, each in its own transaction.

    Owners are parties as well. Says how many were done and how many failed; a party that another worker has just
    screened is done. Killed half-way, the next call goes on with those that are left.
    """
    told = Counter(done=0, failed=0)
    current = list(watchlists.current_snapshots())
    for snapshot in current:
        list_changes.look_at_changes(snapshot, by=by, at=at)
    for snapshot in current:
        waiting, last = to_screen(snapshot).order_by("pk"), None
        while batch := list((waiting.filter(pk__gt=last) if last else waiting)[:BATCH]):
            last = batch[-1].pk
            told.update(failures.sweep("accounts.screen", batch, partial(_screen_once, by=by, at=at), at=at))
    return dict(told)


def to_screen(snapshot: WatchlistSnapshot) -> models.QuerySet[Party]:
    """Parties that wait to be compared with this list."""
    return Party.objects.to_screen(snapshot, making())


def _screen_once(party: Party, *, by: Actor, at: datetime) -> None:
    list_changes.hold_off()
    locked(party)
    due = [each for each in watchlists.current_snapshots() if to_screen(each).filter(pk=party.pk).exists()]
    if due:
        screen_party(party, lists=due, by=by, at=at)


def as_compared(party: Party) -> ScreenedParty:
    """The party with its sealed values in clear, for comparing; lives in memory only and is never written down."""
    wallets = party.payment_methods.filter(kind=PaymentKind.WALLET)
    emails = party.contact_points.filter(kind=ContactKind.EMAIL)
    numbers = [party.national_id, party.registration_number, *(document.number for document in party.documents.all())]
    countries = {str(party.citizenship), str(party.formation_country)}
    countries |= {str(code) for code in party.addresses.values_list("country", flat=True)}
    return ScreenedParty(
        names=(party.legal_name, *party.names.order_by("name").values_list("name", flat=True)),
        kind=party.kind,
        birth_on=date.fromisoformat(party.birth_date.reveal()) if party.birth_date else None,
        countries=frozenset(countries - {""}),
        identifiers=_clear(numbers),
        wallets=_clear(wallet.identifier for wallet in wallets),
        emails=_clear(contact.value for contact in emails),
    )


def _clear(values) -> frozenset[str]:
    return frozenset(value.reveal() for value in values if value is not None)


def _compare(
    party: Party, screened: ScreenedParty, snapshot: WatchlistSnapshot, bands: Bands, page, by: Actor, at: datetime
) -> tuple[Screening, bool]:
    """Screen against one list version; the flag says whether there are hits that were not known before."""
    matches = index_of(snapshot).matches(screened, bands)
    screening = Screening.objects.create(party=party, snapshot=snapshot, at=at, hit_count=len(matches))
    audit.record(
        Verb.SCREENED, screening, by=by, at=at, within=page,
        party=party.reference, list=str(snapshot), hits=len(matches),
    )  # fmt: skip
    known = _known_hits(party, snapshot)
    made = [_settle(match, screened, screening, known, page, by, at) for match in matches]
    _end_others(known, {match.listed.party.key for match in matches}, snapshot, page, by, at)
    return screening, any(made)


def _known_hits(party: Party, snapshot: WatchlistSnapshot) -> dict[str, list[ScreeningHit]]:
    """Earlier hits of the party on any version of the list, by entry, newest first; one query."""
    known = defaultdict(list)
    rows = ScreeningHit.objects.filter(party=party, snapshot__list_name=snapshot.list_name)
    for hit in rows.order_by("-screening__at"):
        known[hit.entry_uid].append(hit)
    return known


def _settle(
    match: Match, screened: ScreenedParty, screening: Screening, known: dict, page, by: Actor, at: datetime
) -> bool:
    """Keep the hit that stands for this very comparison, carry its state on, or open a new one; True if there is news.

    All that holds now stands under the list version of now: what waits under an older one is replaced.
    """
    hit = _as_hit(match, screened, screening)
    earlier = [other for other in known[hit.entry_uid] if other.status != HitStatus.REPLACED]
    same = next((other for other in earlier if other.compared in (hit.compared, hit.compared_before)), None)
    if same is not None and same.snapshot_id == hit.snapshot_id:
        if same.compared != hit.compared:  # made under the key that is being given up
            ScreeningHit.objects.filter(pk=same.pk).update(compared=hit.compared)
        return False
    key = (hit.snapshot_id, hit.compared)
    again = next((other for other in known[hit.entry_uid] if (other.snapshot_id, other.compared) == key), hit)
    if same is None:
        _open(again, screening, page, by, at)
    else:
        _carry(same, again, page, by, at)
    for other in earlier:
        if other.status not in WORDS:
            _replace(other, again, page, by, at)
    return again.status != HitStatus.DISMISSED


def _open(hit: ScreeningHit, screening: Screening, page, by: Actor, at: datetime) -> None:
    hit.status, hit.screening = HitStatus.OPEN, screening
    hit.proposed_by = hit.proposed_by_key = hit.proposed_reason = hit.judged_by = ""
    hit.judged_at = None
    hit.save()
    audit.record(
        Verb.HIT_FOUND, hit, by=by, at=at, within=page,
        hit=hit.reference, list=str(screening.snapshot), score=str(hit.score), strong=hit.is_strong,
    )  # fmt: skip


def _end_others(known: dict, matched: set[str], snapshot: WatchlistSnapshot, page, by: Actor, at: datetime) -> None:
    """What waits for a judgement, but neither resembles nor is listed any more, needs none."""
    for uid, hits in known.items():
        for hit in hits if uid not in matched else ():
            if hit.status not in WORDS and hit.status != HitStatus.REPLACED:
                ScreeningHit.objects.filter(pk=hit.pk).update(status=HitStatus.REPLACED)
                audit.record(Verb.HIT_GONE, hit, by=by, at=at, within=page, hit=hit.reference, list=str(snapshot))


def _as_hit(match: Match, screened: ScreenedParty, screening: Screening) -> ScreeningHit:
    values = hit_values.values_of(match, screened)
    hit = ScreeningHit(party_id=screening.party_id, screening=screening, snapshot=screening.snapshot, **values)
    hit.compared_before = hit_values.former_comparison(match, screened) or hit.compared
    return hit


def _carry(earlier: ScreeningHit, hit: ScreeningHit, page, by: Actor, at: datetime) -> None:
    for name in ("status", "proposed_by", "proposed_by_key", "proposed_reason", "judged_at", "judged_by"):
        setattr(hit, name, getattr(earlier, name))
    hit.carried_from = earlier.carried_from or earlier.reference
    hit.save()
    audit.record(
        Verb.HIT_CARRIED, hit, by=by, at=at, within=page,
        hit=hit.reference, earlier=earlier.reference, state=hit.get_status_display(),
    )  # fmt: skip


def _replace(earlier: ScreeningHit, hit: ScreeningHit, page, by: Actor, at: datetime) -> None:
    ScreeningHit.objects.filter(pk=earlier.pk).update(status=HitStatus.REPLACED)
    audit.record(Verb.HIT_REPLACED, earlier, by=by, at=at, within=page, hit=hit.reference, earlier=earlier.reference)


def _tell_accounts(party: Party, by: Actor, at: datetime) -> None:
    for account in signals.accounts_touched_by(party, on=legal_day(at)):
        signals.run_detectors(account, codes=signals.LIST_CODES, by=by, at=at)


def _ask_again(party: Party, by: Actor, at: datetime) -> None:
    """A confirmed hit is an occasion to verify again (R46). What the customer reads is the same as at any other."""
    for account in signals.accounts_touched_by(party, on=legal_day(at)):
        reverification.request_after(account, trigger="list_hit", by=by, at=at)


# --- Judging ----------------------------------------------------------------------------------------------------------


@flow
def propose_judgement(hit: ScreeningHit, *, is_match: bool, reason: str, by: Actor, at: datetime) -> ScreeningHit:
    """Take the first of two steps: say whether party and entry are the same, and why.

    A judgement found to be wrong is put right the same way, by proposing the opposite. Raises HitNotOpen, NoReason.
    """
    _require_person(by)
    hit = _locked(hit)
    if hit.status not in (HitStatus.OPEN, JUDGED[PROPOSED[not is_match]]):
        raise HitNotOpen(f"{hit.reference} is not open: {hit.get_status_display()}. Look at its history.")
    told = Texts()
    reason = told.lines("Reason", reason, LONGEST_REASON)
    if not reason:
        raise NoReason("Say in a sentence why the party and the entry are, or are not, the same.")
    hit.status, hit.proposed_reason = PROPOSED[is_match], reason
    hit.proposed_by, hit.proposed_by_key = by.label, person_key(by)
    hit.save(update_fields=["status", "proposed_by", "proposed_by_key", "proposed_reason"])
    _record(Verb.HIT_PROPOSED, hit, by, at, judgement=_judgement(hit))
    told.record_masked(hit, by=by, at=at)
    return hit


@flow
def second_judgement(hit: ScreeningHit, *, agrees: bool, shown: str = "", by: Actor, at: datetime) -> ScreeningHit:
    """Agree to what another person proposed, or return the hit; who proposed may take the proposal back the same way.

    To agree takes `shown`, the digest of what lay before this person. Raises NothingProposed, SecondPersonNeeded,
    PreparedAnew. A confirmed hit becomes a red flag on every account it touches.
    """
    _require_person(by)
    hit = _locked(hit)
    if hit.status not in JUDGED:
        raise NothingProposed(f"Nothing is proposed for {hit.reference}: {hit.get_status_display()}. Propose first.")
    judgement = _judgement(hit)
    if not agrees:
        hit.status = HitStatus.OPEN
        hit.proposed_by = hit.proposed_by_key = hit.proposed_reason = ""
        hit.save(update_fields=["status", "proposed_by", "proposed_by_key", "proposed_reason"])
        _record(Verb.HIT_RETURNED, hit, by, at, judgement=judgement)
        return hit
    require_second_person(hit.proposed_by_key, by, deed="this judgement")
    require_as_shown(shown, digest_of(hit), name=f"The judgement of {hit.reference}")
    hit.status, hit.judged_at, hit.judged_by = JUDGED[hit.status], at, by.label
    hit.save(update_fields=["status", "judged_at", "judged_by"])
    _replace_opposite(hit, by, at)
    if hit.status == HitStatus.CONFIRMED:
        _record(Verb.HIT_CONFIRMED, hit, by, at, list=str(hit.snapshot))
        _tell_accounts(hit.party, by, at)
        _ask_again(hit.party, by, at)
    else:
        _record(Verb.HIT_DISMISSED, hit, by, at)
    return hit


def digest_of(hit) -> str:
    """What is agreed to: the judgement that is proposed of a hit of either kind, its reason, and who proposed it."""
    return digest(hit.reference, hit.status, hit.proposed_reason, hit.proposed_by_key)


def confirm_hit(hit: ScreeningHit, *, reason: str = "", by: Actor, at: datetime) -> ScreeningHit:
    """Propose that the hit is a match, or agree when another person has proposed it."""
    return _propose_or_second(hit, is_match=True, reason=reason, by=by, at=at)


def dismiss_hit(hit: ScreeningHit, *, reason: str = "", by: Actor, at: datetime) -> ScreeningHit:
    """Propose that the hit is no match, or agree when another person has proposed it."""
    return _propose_or_second(hit, is_match=False, reason=reason, by=by, at=at)


@flow
def _propose_or_second(hit: ScreeningHit, *, is_match: bool, reason: str, by: Actor, at: datetime) -> ScreeningHit:
    hit = _locked(hit)
    if hit.status == PROPOSED[is_match]:
        return second_judgement(hit, agrees=True, shown=digest_of(hit), by=by, at=at)
    return propose_judgement(hit, is_match=is_match, reason=reason, by=by, at=at)


def _require_person(by: Actor) -> None:
    if by.kind != PERSON:
        raise NotAPerson("A hit is judged by two people. Sign in under your own name, or name yourself with --by.")


def _locked(hit: ScreeningHit) -> ScreeningHit:
    return ScreeningHit.objects.select_for_update(of=("self",)).select_related("party", "snapshot").get(pk=hit.pk)


def _judgement(hit: ScreeningHit) -> str:
    return WORDS[JUDGED[hit.status]]


def _replace_opposite(hit: ScreeningHit, by: Actor, at: datetime) -> None:
    """What was judged otherwise on older data of the party no longer holds; its history stays."""
    others = ScreeningHit.objects.filter(party=hit.party, snapshot=hit.snapshot, entry_uid=hit.entry_uid)
    for other in others.filter(status__in=WORDS).exclude(status=hit.status):
        _replace(other, hit, account_of(hit.party) or hit.party, by, at)


def _record(verb: Verb, hit: ScreeningHit, by: Actor, at: datetime, **facts) -> None:
    audit.record(verb, hit, by=by, at=at, within=account_of(hit.party) or hit.party, hit=hit.reference, **facts)
