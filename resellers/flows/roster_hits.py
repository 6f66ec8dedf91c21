"""Judge hits on downstream customers by two people, as hits on parties are (R35, R37). No reseller learns of them."""

from datetime import datetime

from accounts.flows.screening import LONGEST_REASON, HitNotOpen, NoReason, NotAPerson, NothingProposed, digest_of
from accounts.flows.texts import Texts
from accounts.models.screening import HitStatus
from kyc_portal.four_eyes import PERSON, person_key, require_as_shown, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from resellers.models import RosterHit
from resellers.verbs import Verb

PROPOSED = {True: HitStatus.CONFIRM_PROPOSED, False: HitStatus.DISMISS_PROPOSED}
JUDGED = {HitStatus.CONFIRM_PROPOSED: HitStatus.CONFIRMED, HitStatus.DISMISS_PROPOSED: HitStatus.DISMISSED}
WORDS = {HitStatus.CONFIRM_PROPOSED: "confirm", HitStatus.DISMISS_PROPOSED: "dismiss"}


@flow
def propose_judgement(hit: RosterHit, *, is_match: bool, reason: str, by: Actor, at: datetime) -> RosterHit:
    """Take the first of two steps: say whether customer and entry are the same, and why.

    A judgement found to be wrong is put right by proposing the opposite. Raises NotAPerson, HitNotOpen, NoReason.
    """
    _require_person(by)
    hit = _locked(hit)
    if hit.status not in (HitStatus.OPEN, JUDGED[PROPOSED[not is_match]]):
        raise HitNotOpen(f"{hit.reference} is not open: {hit.get_status_display()}. Look at its history.")
    told = Texts()
    reason = told.lines("Reason", reason, LONGEST_REASON)
    if not reason:
        raise NoReason("Say in a sentence why the customer and the entry are, or are not, the same.")
    hit.status, hit.proposed_reason = PROPOSED[is_match], reason
    hit.proposed_by, hit.proposed_by_key = by.label, person_key(by)
    hit.save(update_fields=["status", "proposed_by", "proposed_by_key", "proposed_reason"])
    audit.record(Verb.ROSTER_HIT_PROPOSED, hit, by=by, at=at, hit=hit.reference, judgement=WORDS[hit.status])
    told.record_masked(hit, by=by, at=at)
    return hit


@flow
def second_judgement(hit: RosterHit, *, agrees: bool, shown: str = "", by: Actor, at: datetime) -> RosterHit:
    """Agree to what another person proposed, or return the hit; who proposed may take it back the same way.

    To agree takes `shown`, the digest of what lay before this person. Raises NotAPerson, NothingProposed,
    SecondPersonNeeded, PreparedAnew. A confirmed hit keeps a linked account from being opened.
    """
    _require_person(by)
    hit = _locked(hit)
    if hit.status not in JUDGED:
        raise NothingProposed(f"Nothing is proposed for {hit.reference}: {hit.get_status_display()}. Propose first.")
    judgement = WORDS[hit.status]
    if not agrees:
        hit.status = HitStatus.OPEN
        hit.proposed_by = hit.proposed_by_key = hit.proposed_reason = ""
        hit.save(update_fields=["status", "proposed_by", "proposed_by_key", "proposed_reason"])
        audit.record(Verb.ROSTER_HIT_RETURNED, hit, by=by, at=at, hit=hit.reference, judgement=judgement)
        return hit
    require_second_person(hit.proposed_by_key, by, deed="this judgement")
    require_as_shown(shown, digest_of(hit), name=f"The judgement of {hit.reference}")
    hit.status, hit.judged_at, hit.judged_by = JUDGED[hit.status], at, by.label
    hit.save(update_fields=["status", "judged_at", "judged_by"])
    if hit.status == HitStatus.CONFIRMED:
        name = hit.reseller.reference
        audit.record(Verb.ROSTER_HIT_CONFIRMED, hit, by=by, at=at, hit=hit.reference, reseller=name)
    else:
        audit.record(Verb.ROSTER_HIT_DISMISSED, hit, by=by, at=at, hit=hit.reference)
    return hit


def _require_person(by: Actor) -> None:
    if by.kind != PERSON:
        raise NotAPerson("A hit is judged by two people. Sign in under your own name.")


def _locked(hit: RosterHit) -> RosterHit:
    rows = RosterHit.objects.select_for_update(of=("self",)).select_related("entry", "snapshot", "reseller")
    return rows.get(pk=hit.pk)
