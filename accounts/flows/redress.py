"""Redress for people who could not be verified: asked for by link or by mail, answered by somebody new (R41)."""

from datetime import date, datetime

from accounts.flows import closing, objections, unverified, verification
from accounts.flows.parties_concerned import keys_concerned
from accounts.flows.texts import Texts, chosen, required
from accounts.models import Account, CouldNotVerify, Objection, Verification
from accounts.rules.onboarding import AccountStatus
from accounts.rules.unverified import REDRESS_WORDINGS, OutcomeState, RedressAnswer
from accounts.verbs import Verb
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

TRIGGER = "redress"


class NoRedress(Refusal):
    """No redress can be asked for against this outcome, or not any more."""


class AnswerDoesNotFit(Refusal):
    """The answer is not what became of the outcome, or it cannot be done."""


@flow
def enter(outcome: CouldNotVerify, *, text: str, received_on: date, by: Actor, at: datetime) -> Objection:
    """Enter a request for redress that came by mail; its clock counts from the day it was received.

    Raises NoRedress, AlreadyObjected, BadField.
    """
    account = unverified.lock_account(outcome.account_id)
    outcome = CouldNotVerify.objects.select_for_update(of=("self",)).get(pk=outcome.pk)
    today = legal_day(at)
    if outcome.state != OutcomeState.IN_EFFECT:
        raise NoRedress(f"{outcome.reference} is {outcome.get_state_display()}. Redress is against what is in effect.")
    if earlier := outcome.redress.first():
        raise NoRedress(f"Redress against {outcome.reference} was asked for in {earlier.reference}. Look at that one.")
    if not legal_day(outcome.in_effect_at) <= received_on <= today:
        raise NoRedress(
            f"Received on {received_on} is not between {legal_day(outcome.in_effect_at)} and {today}. Correct the day."
        )
    if received_on > outcome.redress_by:
        raise NoRedress(f"Redress could be asked for through {outcome.redress_by}. Take it as a letter like any other.")
    return objections.take_in(account, text=text, through="mail", against=outcome, on=received_on, by=by, at=at)


@flow
def answer(objection: Objection, *, answer: str, why: str, by: Actor, at: datetime) -> Objection:
    """Answer a request for redress: upheld, changed by another outcome, or reversed. The customer reads fixed words.

    Reversed means: the identity is looked at anew in a verification that starts now, and an account in use is limited
    meanwhile. Changed says that another outcome is in effect already, or that the identity is verified. Of two people
    who answer at once one wins. Raises NotOpen, TookPart, SecondPersonNeeded, AnswerDoesNotFit, BadField, NotReady.
    """
    objection = objections.locked(objection)
    objections.require_open(objection)
    if objection.against_id is None:
        raise NoRedress(
            f"{objection.reference} is not against an outcome of a verification. Answer it as an objection."
        )
    answer, told = chosen("Answer", answer, RedressAnswer), Texts()
    why = required("Why", told.lines("Why", why.strip(), 500))
    outcome = CouldNotVerify.objects.select_for_update(of=("self",)).get(pk=objection.against_id)
    require_second_person(None, by, deed=f"the answer to {objection.reference}")
    _require_took_no_part(objection, outcome, by)
    _require_fits(answer, outcome)
    if answer == RedressAnswer.REVERSED:
        _look_anew(outcome, by, at)
    objection.answered_why = why
    audit.record(
        Verb.REDRESS_ANSWERED, objection, by=by, at=at, within=objection.account, objection=objection.reference,
        row=outcome.reference, outcome=answer,
    )  # fmt: skip
    told.record_masked(objection, by=by, at=at)
    return objections.close(objection, outcome=answer, wording=REDRESS_WORDINGS[RedressAnswer(answer)], by=by, at=at)


def _require_took_no_part(objection: Objection, outcome: CouldNotVerify, by: Actor) -> None:
    """Nobody who verified, proposed or signed judges it, nor any earlier proposal or outcome for the same party; nor
    who limited the account or sent the customer a link.
    """
    looked = Verification.objects.get(pk=outcome.verification_id)
    same = CouldNotVerify.objects.filter(account=outcome.account_id, party=outcome.party_id)
    rounds = same.filter(proposed_at__lte=outcome.proposed_at)
    keys = {key for each in rounds.values_list("proposed_by_key", "answered_by_key") for key in each if key}
    keys.add(looked.started_by_key)
    names = {looked.concluded_by, *looked.results.values_list("by", flat=True)}
    names |= set(looked.discrepancies.values_list("settled_by", flat=True))
    if person_key(by) in keys or by.label in names:
        raise objections.TookPart(
            f"You took part in what {objection.reference} is against. Somebody else answers the request."
        )
    objections.require_no_part(objection, by)


def _require_fits(answer: str, outcome: CouldNotVerify) -> None:
    stands = outcome.state == OutcomeState.IN_EFFECT
    if answer == RedressAnswer.CHANGED and stands:
        raise AnswerDoesNotFit(
            f"{outcome.reference} is still in effect. Have another outcome put into effect first, or choose again."
        )
    if answer != RedressAnswer.CHANGED and not stands:
        raise AnswerDoesNotFit(
            f"{outcome.reference} is {outcome.get_state_display()}, so something else holds now. "
            f"Choose “{RedressAnswer.CHANGED.label}”."
        )


def _look_anew(outcome: CouldNotVerify, by: Actor, at: datetime) -> None:
    """Set the outcome aside, take the account up again where it had ended, and start to verify anew."""
    account = unverified.lock_account(outcome.account_id)
    unverified.end(outcome, account, OutcomeState.REVERSED, by=by, at=at)
    if account.status == AccountStatus.BLOCKED:
        raise AnswerDoesNotFit(f"{account.reference} is blocked. Two people decide in a case what becomes of it.")
    if account.status == AccountStatus.CLOSED:
        account = closing.take_up_unverified(account, by=by, at=at)
    elif account.status == AccountStatus.REFUSED:
        account = closing.reopen_account(account, reason="redress", by=by, at=at)
    attempt = _verify_anew(outcome, account, by, at)
    if account.is_open:
        but = attempt.reference if attempt else ""
        if attempt and not account.restrictions.in_force().filter(basis=but).exists():
            verification.limit_while_verifying(attempt, by=by, at=at)
        unverified.lift_limits(outcome, account, why="reversed after redress", but=but, by=by, at=at)


def _verify_anew(outcome: CouldNotVerify, account: Account, by: Actor, at: datetime) -> Verification | None:
    """The verification under way, a new one, or none for somebody who holds nothing in the customer any more."""
    under_way = Verification.objects.unfinished().filter(account=account, party=outcome.party_id).first()
    if under_way is not None:
        return under_way
    if outcome.party_id not in keys_concerned(account, on=legal_day(at)):
        return None
    return verification.start(account, outcome.party, trigger=TRIGGER, by=by, at=at)
