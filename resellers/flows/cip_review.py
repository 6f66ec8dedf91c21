"""Review a reseller's CIP: judge it by requirement, return it with its gaps, or decide by two people (R37, R55)."""

from datetime import datetime

from accounts.flows import texts
from accounts.flows.texts import Texts
from kyc_portal.four_eyes import digest, person_key, require_as_shown, require_second_person
from kyc_portal.policy.clocks import stop_clock
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from resellers.flows import file
from resellers.flows.cip import REVIEW_BY
from resellers.models import CipJudgement, ResellerCip
from resellers.rules.cip import BY_CODE, MOVES, CipStatus, requirements_of
from resellers.verbs import Verb

PROPOSED = {"approve": CipStatus.APPROVAL_PROPOSED, "reject": CipStatus.REJECTION_PROPOSED}
AGREED = {CipStatus.APPROVAL_PROPOSED: CipStatus.APPROVED, CipStatus.REJECTION_PROPOSED: CipStatus.REJECTED}


class NotJudged(Refusal):
    """Requirements are left that nobody looked at, or that are not met."""


class NoGap(Refusal):
    """Nothing was found missing, so there is nothing to return it for."""


class OwnText(Refusal):
    """Whoever handed a CIP in does not judge it."""


def latest(cip: ResellerCip) -> dict[str, CipJudgement]:
    """What counts on each requirement that was looked at, by its code; one query."""
    return {row.requirement: row for row in cip.judgements.order_by("judged_at", "pk")}


@flow
def begin(cip: ResellerCip, *, by: Actor, at: datetime) -> ResellerCip:
    """Take a version under review. Raises MoveNotAllowed."""
    cip = _move(cip, CipStatus.UNDER_REVIEW)
    cip.save(update_fields=["status"])
    audit.record(Verb.CIP_REVIEW_BEGUN, cip, by=by, at=at, within=cip.reseller)
    return cip


@flow
def judge(
    cip: ResellerCip, *, requirement: str, verdict: str, words: str = "", by: Actor, at: datetime
) -> CipJudgement:
    """Note whether the version meets a requirement; a gap says what is missing, in words the reseller reads.

    Raises BadField, OwnText, or MoveNotAllowed when it is not under review.
    """
    cip = _locked(cip)
    if cip.status != CipStatus.UNDER_REVIEW:
        MOVES.require(cip.status, CipStatus.RETURNED)
    _require_not_own(cip, by)
    told = Texts()
    if requirement not in {each.code for each in requirements_of(cip.source)}:
        raise texts.BadField("Requirement is not one that this version is judged by. Choose one of the list.")
    if verdict not in ("met", "gap"):
        raise texts.BadField("Verdict must be met or gap.")
    words = told.line("What is missing", words, 500)
    if verdict == "gap":
        texts.required("What is missing", words)
    row = CipJudgement.objects.create(
        cip=cip, requirement=requirement, verdict=verdict, words=words, judged_at=at, judged_by=by.label
    )
    audit.record(Verb.CIP_JUDGED, cip, by=by, at=at, within=cip.reseller, code=requirement, result=verdict)
    told.record_masked(cip, by=by, at=at)
    return row


@flow
def return_with_gaps(cip: ResellerCip, *, by: Actor, at: datetime) -> ResellerCip:
    """Give a version back with its gaps; the reseller hands in the next one. Raises NoGap or MoveNotAllowed."""
    cip = _move(cip, CipStatus.RETURNED)
    _require_not_own(cip, by)
    gaps = [code for code, row in latest(cip).items() if row.verdict == "gap"]
    if not gaps:
        raise NoGap("No gap is noted. Note what is missing, or propose the approval.")
    cip.decided_at, cip.decided_by = at, by.label
    cip.save(update_fields=["status", "decided_at", "decided_by"])
    stop_clock(REVIEW_BY, cip, by=by, at=at)
    audit.record(Verb.CIP_RETURNED, cip, by=by, at=at, within=cip.reseller, missing=", ".join(sorted(gaps)))
    return cip


@flow
def propose(cip: ResellerCip, *, decision: str, reason: str, by: Actor, at: datetime) -> ResellerCip:
    """Propose to approve or to reject; another person decides. Raises NotJudged, OwnText, BadField, MoveNotAllowed."""
    if decision not in PROPOSED:
        raise texts.BadField("Decision must be approve or reject.")
    cip, told = _move(cip, PROPOSED[decision]), Texts()
    _require_not_own(cip, by)
    if decision == "approve":
        _require_all_met(cip)
    cip.reason = texts.required("Reason", told.line("Reason", reason, 500))
    cip.proposed_by, cip.proposed_by_key = by.label, person_key(by)
    cip.save(update_fields=["status", "reason", "proposed_by", "proposed_by_key"])
    audit.record(Verb.CIP_PROPOSED, cip, by=by, at=at, within=cip.reseller, decision=decision)
    told.record_masked(cip, by=by, at=at)
    return cip


@flow
def agree(cip: ResellerCip, *, shown: str, by: Actor, at: datetime) -> ResellerCip:
    """The second signature: the version is approved and takes the place of the earlier one, or it is rejected.

    `shown` is the digest of what lay before this person. Raises SecondPersonNeeded, PreparedAnew, OwnText or
    MoveNotAllowed.
    """
    cip = _locked(cip)
    result = AGREED.get(CipStatus(cip.status), CipStatus.APPROVED)
    MOVES.require(cip.status, result)
    _require_not_own(cip, by)
    require_second_person(cip.proposed_by_key, by, deed="the CIP of a reseller")
    require_as_shown(shown, digest_of(cip), name=f"The decision on {cip.reference}")
    if result == CipStatus.APPROVED:
        _require_all_met(cip)
        cip.reseller.cips.approved().update(status=CipStatus.REPLACED.value)
    cip.status, cip.decided_at, cip.decided_by = result.value, at, by.label
    cip.save(update_fields=["status", "decided_at", "decided_by"])
    stop_clock(REVIEW_BY, cip, by=by, at=at)
    verb = Verb.CIP_APPROVED if result == CipStatus.APPROVED else Verb.CIP_REJECTED
    audit.record(verb, cip, by=by, at=at, within=cip.reseller, number=cip.number, sha256=cip.sha256)
    return cip


def digest_of(cip: ResellerCip) -> str:
    """What is agreed to: the decision that is proposed, why and by whom, and how each requirement was judged."""
    judged = sorted((code, row.pk) for code, row in latest(cip).items())
    return digest(cip.reference, cip.status, cip.reason, cip.proposed_by_key, judged)


@flow
def send_back(cip: ResellerCip, *, by: Actor, at: datetime) -> ResellerCip:
    """Disagree with a proposal: the version is under review again. Raises MoveNotAllowed."""
    cip = _locked(cip)
    if CipStatus(cip.status) not in AGREED:
        MOVES.require(cip.status, CipStatus.APPROVED)
    cip.status, cip.proposed_by, cip.proposed_by_key = CipStatus.UNDER_REVIEW.value, "", ""
    cip.save(update_fields=["status", "proposed_by", "proposed_by_key"])
    audit.record(Verb.CIP_SENT_BACK, cip, by=by, at=at, within=cip.reseller)
    return cip


def _locked(cip: ResellerCip) -> ResellerCip:
    """The version under its reseller's lock: two decisions on one reseller wait for each other."""
    file.locked(cip.reseller)
    return ResellerCip.objects.select_for_update(of=("self",)).select_related("reseller").get(pk=cip.pk)


def _move(cip: ResellerCip, status: CipStatus) -> ResellerCip:
    cip = _locked(cip)
    MOVES.require(cip.status, status)
    cip.status = status.value
    return cip


def _require_not_own(cip: ResellerCip, by: Actor) -> None:
    if cip.submitted_by_key and cip.submitted_by_key == person_key(by):
        raise OwnText(f"You handed {cip.reference} in yourself. Ask a colleague to judge it.")


def _require_all_met(cip: ResellerCip) -> None:
    judged = latest(cip)
    for each in requirements_of(cip.source):
        row = judged.get(each.code)
        if row is None or row.verdict == "gap":
            state = "was not looked at" if row is None else "is not met"
            raise NotJudged(f"“{BY_CODE[each.code].title}” {state}. Judge it, or return the version with its gaps.")
