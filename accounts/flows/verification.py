"""Verify who a party is: start, record methods, settle what disagrees, conclude (requirements R3, R25-R34, R37-R40).

Results are added, never changed. A new look opens a new verification; the old one stays as it was.
"""

from collections.abc import Sequence
from datetime import datetime

from accounts.flows import checking, customer_links, restrictions, reverification, unverified
from accounts.flows.comparing import proves_identity
from accounts.flows.discrepancies import locked, note, note_disagreements
from accounts.flows.intake import VERIFY_BY
from accounts.flows.parties_concerned import keys_concerned, parties_to_verify, unverified_parties
from accounts.flows.texts import Texts
from accounts.models import Account, Discrepancy, IdentityDocument, MethodResult, Party, Restriction, Verification
from accounts.rules.asked import EndedWhy
from accounts.rules.documents import document_kind
from accounts.rules.onboarding import MOVES as ACCOUNT_MOVES
from accounts.rules.onboarding import AccountStatus
from accounts.rules.parties import PartyKind
from accounts.rules.restricting import REASONS
from accounts.rules.verifying import MOVES, PHOTO, Method, Result, VerificationStatus, Way, methods_for
from accounts.verbs import Verb
from kyc_portal.calendars import add_days
from kyc_portal.four_eyes import person_key, require_second_person
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import cip_on, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

__all__ = [
    "conclude", "escalate", "find_discrepancy", "limit_while_verifying", "parties_to_verify", "record_method",
    "settle_discrepancy", "start", "unverified_parties",
]  # fmt: skip

IN_DOUBT = REASONS["identity_in_doubt"]


class NotConcerned(Refusal):
    """The party neither is the customer nor holds anything in it."""


class AccountEnded(Refusal):
    """The account is closed or was never opened, so nobody has to be verified for it."""


class AlreadyBeingVerified(Refusal):
    """An earlier attempt for the same party is not concluded."""


class UnfitMethod(Refusal):
    """The method, its result or its document does not fit this verification."""


class NotUnderWay(Refusal):
    """The verification takes no further results."""


class AlreadyNoted(Refusal):
    """An unsettled discrepancy on the same field is there already."""


class AlreadySettled(Refusal):
    """The discrepancy was settled before."""


class WordsMissing(Refusal):
    """A reason or an explanation was left empty."""


class NotProven(Refusal):
    """What is on record does not prove the identity."""


@flow
def start(account: Account, party: Party, *, trigger: str, by: Actor, at: datetime) -> Verification:
    """Begin to verify one party under the CIP in force that day; the checks run, and what disagrees is noted.

    A prospect becomes "being verified"; the account's clock starts (R31). Raises AccountEnded, NotConcerned,
    AlreadyBeingVerified, NoCip.
    """
    account = Account.objects.select_for_update(of=("self",)).select_related("party").get(pk=account.pk)
    party = Party.objects.select_for_update(of=("self",)).get(pk=party.pk)  # so that nothing is added meanwhile
    day = legal_day(at)
    _require_open_question(account, party, day)
    verification = Verification.objects.create(
        account=account, party=party, cip_version=cip_on(day), trigger=trigger, started_at=at, started_by=by.label,
        started_by_key=person_key(by),
    )  # fmt: skip
    if ACCOUNT_MOVES.allows(account.status, AccountStatus.VERIFYING):
        account.status = AccountStatus.VERIFYING.value
        account.save(update_fields=["status"])
        customer_links.end(account, why=EndedWhy.ANSWERED, by=by, at=at)
    audit.record(
        Verb.VERIFICATION_STARTED, verification, by=by, at=at, within=account, verification=verification.reference,
        party=party.reference, trigger=trigger, cip=verification.cip_version.reference,
    )  # fmt: skip
    start_clock(VERIFY_BY, account, figure="verify_days", regime=regime_on(day), on=day, by=by, at=at)
    checking.run_for(verification, by=by, at=at)
    return verification


def _require_open_question(account: Account, party: Party, day) -> None:
    status = AccountStatus(account.status)
    if status in (AccountStatus.CLOSED, AccountStatus.REFUSED):
        raise AccountEnded(f"{account.reference} is {status.label}. Take it up again before anybody is verified.")
    if party.pk not in keys_concerned(account, on=day):
        raise NotConcerned(
            f"{party.reference} is neither the customer of {account.reference} nor one of its owners. "
            "Add the stake first, or choose another party."
        )
    earlier = Verification.objects.unfinished().filter(account=account, party=party).first()
    if earlier is not None:
        raise AlreadyBeingVerified(f"{earlier.reference} is not concluded yet. Go on with it.")


@flow
def record_method(
    verification: Verification, *, method: str, result: str, source: str, matched: Sequence[str] = (),
    document: IdentityDocument | None = None, by_hand: bool = True, by: Actor, at: datetime,
) -> MethodResult:  # fmt: skip
    """Add one method and what it found (R28, R33). `matched` names fields, never values.

    Not `by_hand` are results that another flow takes from a signed answer. Raises NotUnderWay and UnfitMethod.
    """
    verification = locked(verification)
    _require_under_way(verification)
    chosen = _fitting_method(verification.party, method, by_hand)
    if result not in [each.value for each in Result]:
        raise UnfitMethod(f"There is no such result. Choose one of: {', '.join(each.label for each in Result)}.")
    told = Texts()
    source = told.line("Source", source.strip(), 200)
    if not source:
        raise UnfitMethod("It is not said where the answer came from. Name the register, agency or person asked.")
    if chosen.way == Way.DOCUMENTARY and document is None:
        raise UnfitMethod(f"“{chosen.title}” needs a document. Choose the one that was examined.")
    if document is not None:
        _require_fitting_document(verification, chosen, document)
    if result in (Result.MATCH, Result.PARTIAL) and not matched:
        raise UnfitMethod("It is not said what agreed. Tick each thing that was compared and is the same.")
    what = {"method": method, "result": result, "source": source, "matched": list(matched), "document": document}
    _require_new(verification, **what, by=by.label, at=at)

    found = MethodResult.objects.create(
        verification=verification, at=at, by=by.label, **what
    )  # fmt: skip
    audit.record(
        Verb.METHOD_RECORDED, verification, by=by, at=at, within=verification.account, method=method, result=result,
        verification=verification.reference, matched=list(matched),
    )  # fmt: skip
    told.record_masked(verification, by=by, at=at)
    if document is not None:
        note_disagreements(verification, document, by=by, at=at)
    return found


def _require_fitting_document(verification: Verification, method: Method, document: IdentityDocument) -> None:
    if document.party_id != verification.party_id:
        raise UnfitMethod(f"{document.reference} belongs to somebody else. Choose a document of this party.")
    kind = document_kind(document.kind)
    if method.code == PHOTO and not kind.has_photo:
        raise UnfitMethod(f"A {kind.title.lower()} bears no photograph. Choose another document or method.")


def _require_new(verification: Verification, *, at: datetime, **what) -> None:
    """Results are never changed, so a form that is sent twice must not leave the same one twice."""
    for earlier in verification.results.filter(**{name: value for name, value in what.items() if name != "matched"}):
        if earlier.matched == what["matched"] and legal_day(earlier.at) == legal_day(at):
            raise UnfitMethod("This result is on file already today. Nothing needs to be recorded again.")


def _fitting_method(party: Party, code: str, by_hand: bool) -> Method:
    fitting = [each for each in methods_for(party.kind) if each.by_hand is by_hand]
    for each in fitting:
        if each.code == code:
            return each
    titles = "; ".join(each.title for each in fitting)
    raise UnfitMethod(f"This method does not fit the party. Choose one of: {titles}.")


@flow
def find_discrepancy(
    verification: Verification, *, field: str, stated: str, found: str, by: Actor, at: datetime
) -> Discrepancy:
    """Note that two values of one field disagree; both are kept sealed (R34). Raises NotUnderWay, AlreadyNoted."""
    verification = locked(verification)
    _require_under_way(verification)
    field = field.strip()[:60]
    if not field:
        raise WordsMissing("It is not said what disagrees. Name the field.")
    told = Texts()
    stated, found = told.line("What was stated", stated, 300), told.line("What was found", found, 300)
    if not stated or not found:
        raise WordsMissing("One of the two values is empty. Write what was stated and what was found.")
    if verification.discrepancies.filter(field=field, settled_at__isnull=True).exists():
        raise AlreadyNoted(f"An unsettled discrepancy on “{field}” is noted already. Settle that one.")
    told.record_masked(verification, by=by, at=at)
    return note(verification, field, stated, found, by=by, at=at)


@flow
def settle_discrepancy(discrepancy: Discrepancy, *, how: str, by: Actor, at: datetime) -> Discrepancy:
    """Say how a discrepancy was settled, until the conclusion (R34). Raises AlreadySettled, NotUnderWay."""
    verification = locked(discrepancy.verification)
    if verification.concluded_at is not None:
        _require_under_way(verification)
    discrepancy = Discrepancy.objects.select_for_update(of=("self",)).get(pk=discrepancy.pk)
    if discrepancy.settled_at is not None:
        raise AlreadySettled(f"The discrepancy on “{discrepancy.field}” was settled by {discrepancy.settled_by}.")
    told = Texts()
    how = told.lines("How it was settled", how.strip(), 300)
    if not how:
        raise WordsMissing("It is not said how this was settled. Say which value is right and why.")

    discrepancy.settled_how, discrepancy.settled_by, discrepancy.settled_at = how, by.label, at
    discrepancy.save(update_fields=["settled_how", "settled_by", "settled_at"])
    audit.record(
        Verb.DISCREPANCY_SETTLED, verification, by=by, at=at, within=verification.account, field=discrepancy.field,
        verification=verification.reference,
    )  # fmt: skip
    told.record_masked(verification, by=by, at=at)
    return discrepancy


@flow
def escalate(verification: Verification, *, by: Actor, at: datetime) -> Verification:
    """After a failure: ask for the individuals with authority or control, signatories included (R30)."""
    verification = locked(verification)
    MOVES.require(verification.status, VerificationStatus.ESCALATED)
    verification.status = VerificationStatus.ESCALATED.value
    verification.save(update_fields=["status"])
    audit.record(
        Verb.ESCALATED, verification, by=by, at=at, within=verification.account, verification=verification.reference
    )
    return verification


@flow
def conclude(verification: Verification, *, verified: bool, reason: str, by: Actor, at: datetime) -> Verification:
    """End an attempt. Not verified: first "failed", then, after another look, "could not be verified".

    Verified needs proof (NotProven says what is missing); after an escalation it needs another person than the one who
    started (SecondPersonNeeded, R37). An open account is limited while its customer's identity is in doubt (R39).
    """
    verification = locked(verification)
    new = _state_after(verification, verified)
    MOVES.require(verification.status, new)
    told = Texts()
    reason = told.lines("Reason", reason.strip(), 500)
    if not reason:
        raise WordsMissing("It is not said why. Write one or two sentences on what the conclusion rests on.")
    if verified:
        if verification.status == VerificationStatus.ESCALATED:
            require_second_person(verification.started_by_key, by, deed="accepting an identity that was in doubt")
        _require_proof(verification, at)
    elif not MOVES.after(new):  # a final "could not be verified" says of every disagreement what became of it (R34)
        _require_settled(verification)

    verification.status, verification.conclusion = new.value, reason
    verification.concluded_by = by.label
    if not MOVES.after(new):
        verification.concluded_at = at
    verification.save(update_fields=["status", "conclusion", "concluded_by", "concluded_at"])
    audit.record(
        Verb.CONCLUDED, verification, by=by, at=at, within=verification.account, conclusion=new.label,
        verification=verification.reference,
    )  # fmt: skip
    told.record_masked(verification, by=by, at=at)
    _draw_consequences(verification, by, at)
    return verification


def _state_after(verification: Verification, verified: bool) -> VerificationStatus:
    if verified:
        return VerificationStatus.VERIFIED
    if verification.status == VerificationStatus.IN_PROGRESS:
        return VerificationStatus.FAILED
    return VerificationStatus.UNVERIFIABLE


def _require_settled(verification: Verification) -> None:
    """The caller holds the verification's lock, which whoever notes a discrepancy takes too: none can slip in."""
    unsettled = list(verification.discrepancies.filter(settled_at__isnull=True).values_list("field", flat=True))
    if unsettled:
        raise NotProven(f"These still disagree: {', '.join(sorted(unsettled))}. Settle them first.")


def _require_proof(verification: Verification, at: datetime) -> None:
    """At least one method must match, nothing may be unsettled, and an unfit document alone proves nothing (R26)."""
    _require_settled(verification)
    if verification.party.kind == PartyKind.UNDETERMINED:
        raise NotProven(
            f"It is not settled whether {verification.party.reference} is a person or an entity, so nobody can say "
            "what proves its identity. Settle the kind first."
        )

    matching = list(verification.results.filter(result=Result.MATCH.value).select_related("document"))
    if not matching:
        raise NotProven("No method found a match. Record one that did, or conclude as not verified.")
    day, party = legal_day(at), verification.party
    if not any(each.document is None or proves_identity(each.document, party, on=day) for each in matching):
        raise NotProven(
            "The only proof is a document that has expired or does not prove the identity of such a party. "
            "Examine a valid one, or add another method."
        )


def _draw_consequences(verification: Verification, by: Actor, at: datetime) -> None:
    account, status = verification.account, verification.status
    if status == VerificationStatus.FAILED:
        limit_while_verifying(verification, by=by, at=at)
        return
    if status == VerificationStatus.UNVERIFIABLE:
        _limit_until_decided(verification, by, at)
    bases = [verification.reference]
    if status == VerificationStatus.VERIFIED:  # what time has stopped is given back by proof alone
        bases.append(f"{verification.reference} overdue")
    standing = Restriction.objects.in_force().filter(account=account, basis__in=bases)
    for restriction in standing:
        restrictions.lift(restriction, why="the verification is concluded", by=by, at=at)
    if not Verification.objects.unfinished().filter(account=account).exists():
        stop_clock(VERIFY_BY, account, by=by, at=at)
    if status == VerificationStatus.VERIFIED:
        unverified.end_by_proof(verification, by=by, at=at)
        reverification.take_answer(account, by=by, at=at)


def limit_while_verifying(verification: Verification, *, by: Actor, at: datetime) -> Restriction | None:
    """Limit an account in use while an identity is in doubt, with an end (R39); None where nothing is in use.

    One that is limited already for this attempt, as after redress, stays so and keeps its end.
    """
    account, regime = verification.account, regime_on(legal_day(at))
    if not AccountStatus(account.status).is_open:
        return None
    if standing := account.restrictions.in_force().filter(basis=verification.reference).first():
        return standing
    return restrictions.limit(
        account, reason=IN_DOUBT.code, public_wording=IN_DOUBT.public_wording, basis=verification.reference,
        until=at + regime.days("verify_days"),
        object_by=add_days(legal_day(at), regime.whole("appeal_window_days")), by=by, at=at,
    )  # fmt: skip


def _limit_until_decided(verification: Verification, by: Actor, at: datetime) -> None:
    """What follows is for a person to decide: closing, or something milder (R40). Until then the use stays limited."""
    account, regime = verification.account, regime_on(legal_day(at))
    if AccountStatus(account.status).is_open:
        restrictions.limit(
            account, reason=IN_DOUBT.code, public_wording=IN_DOUBT.public_wording,
            basis=f"{verification.reference} concluded",
            object_by=add_days(legal_day(at), regime.whole("appeal_window_days")), by=by, at=at,
        )  # fmt: skip


def _require_under_way(verification: Verification) -> None:
    if verification.status not in (VerificationStatus.IN_PROGRESS, VerificationStatus.ESCALATED):
        label = VerificationStatus(verification.status).label
        raise NotUnderWay(f"{verification.reference} is {label} and takes nothing more. Escalate it or start another.")
