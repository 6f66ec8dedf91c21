"""Accounts that belong together are looked at and decided in one case: taken in by hand, each decided by itself (R41).

An account that is tied is offered whether or not somebody looks at it elsewhere. Of other cases those are told of that
no secret is made of, since they can be merged (`own_cases`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.flows import links
from accounts.models import Account, Party, SeenBefore
from accounts.models.seen_before import Judgement
from cases.flows import checklist, decisions, review, triage
from cases.models import Case, CaseSubject, Decision
from cases.models.case import CaseKind
from cases.rules.desks import Desk
from cases.rules.stages import CaseStatus
from cases.verbs import Verb
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

MERGEABLE = (CaseStatus.OPEN.value, CaseStatus.IN_REVIEW.value)
MOST_TIED = 50
MOST_SUBJECTS = 10  # of a case whose ties are followed; more are followed once these are decided


class NotTied(Refusal):
    """The account is not tied to any account of the case, or no account was named."""


@dataclass(frozen=True)
class TiedAccount:
    """An account that is not in the case yet, how strongly it is tied to one that is, and why."""

    account: Account
    score: float
    sentence: str


def tied_accounts(case: Case, *, at: datetime) -> list[TiedAccount]:
    """Accounts tied to the case's strongly enough for a flag, the strongest first, at most fifty.

    Ties are shared values between present customers, and those to customers whom we shut out, unless somebody found
    that they are not the same.
    """
    figures = links.figures_on(legal_day(at))
    subjects = CaseSubject.objects.filter(case=case).select_related("account__party").order_by("joined_at", "pk")
    inside = {subject.account.party for subject in subjects[:MOST_SUBJECTS]}
    found: dict = {}
    for party in inside:
        for link in links.find_links(party, figures):
            if link.score >= figures.flag_from:
                _note(found, link.party.pk, link.score, link.sentence)
    found_apart = _ties_before(inside, figures.flag_from, found)
    there = CaseSubject.objects.filter(case=case).values("account")
    rows = Account.objects.filter(party__in=set(found) - found_apart).exclude(pk__in=there).select_related("party")
    tied = [TiedAccount(account, *found[account.party_id]) for account in rows.order_by("created_at", "pk")]
    return sorted(tied, key=lambda each: (-each.score, each.account.reference))[:MOST_TIED]


def _note(found: dict, party, score: float, sentence: str) -> None:
    if party not in found or found[party][0] < score:
        found[party] = score, sentence


def _ties_before(inside: set[Party], least: float, found: dict) -> set:
    """Add the customers on the other side of kept ties; returns whom somebody found to be others."""
    later, earlier = SeenBefore.objects.filter(party__in=inside), SeenBefore.objects.filter(earlier__in=inside)
    apart, keys = set(), {party.pk for party in inside}
    for tie in [*later.standing().filter(earlier__isnull=False), *earlier.standing()]:
        other = tie.earlier_id if tie.party_id in keys else tie.party_id
        if tie.judgement == Judgement.NOT_SAME:
            apart.add(other)
        elif float(tie.score) >= least:
            _note(found, other, float(tie.score), tie.sentence)
    return apart


def own_cases(accounts: Iterable[Account], *, beside: Case) -> dict[UUID, list[Case]]:
    """By the key of each account the other cases being worked that are about it; one query.

    Only those that everybody knows of who may take an account in: none of the legal desk, none restricted to named
    people. They are what can be merged.
    """
    rows = CaseSubject.objects.filter(
        account__in=[account.pk for account in accounts], case__status__in=MERGEABLE, case__is_restricted=False
    )
    rows = rows.exclude(case=beside).exclude(case__kind=CaseKind.LEGAL).exclude(case__desk=Desk.LEGAL.value)
    found: dict[UUID, list[Case]] = {}
    for subject in rows.select_related("case__assigned_to").order_by("case__opened_at", "pk"):
        found.setdefault(subject.account_id, []).append(subject.case)
    return found


@flow
def take_in(case: Case, *, accounts: Sequence[Account], by: Actor, at: datetime) -> Case:
    """Make the case speak of these tied accounts too. Raises NotTied, CaseEnded, NotYourCase, AlreadyDestroyed."""
    wanted = {account.pk for account in accounts}
    if not wanted:
        raise NotTied("No account is ticked. Tick at least one.")
    if strangers := wanted - {each.account.pk for each in tied_accounts(case, at=at)}:
        names = Account.objects.filter(pk__in=strangers).order_by("reference").values_list("reference", flat=True)
        raise NotTied(f"{', '.join(names)}: not tied to this case (any more). Look at the page again.")
    locked = lock_accounts(wanted)
    case = review.lock_case(case)
    checklist.require_works(case, by)
    for account in locked:
        triage.add_subject(case, account, at=at)
        audit.record(
            Verb.SUBJECT_NAMED, case, by=by, at=at, within=account, account=account.reference, case=case.reference
        )
    case.weight = triage.weight_of(case, on=legal_day(at))
    case.save(update_fields=["weight"])
    return case


@flow
def propose_for(
    case: Case, *, accounts: Sequence[Account], outcome: str, reason: str, at_once: bool = True, by: Actor, at: datetime
) -> list[Decision]:
    """Propose the same for several accounts of one case: each gets a decision of its own, all of them or none.

    Raises what proposing for one raises, and NotInCase when no account is named.
    """
    if not accounts:
        raise decisions.NotInCase("No account is ticked. Tick at least one.")
    locked = lock_accounts({account.pk for account in accounts})
    made = []
    for account in locked:
        if made:
            _go_on(case)
        chosen = {"account": account, "outcome": outcome, "reason": reason, "at_once": at_once}
        made.append(checklist.propose(case, **chosen, by=by, at=at))
    return made


def _go_on(case: Case) -> None:
    """The decision before may have been the last the case waited for; the next one is part of the same act."""
    case = review.lock_case(case)
    if case.status == CaseStatus.DECIDED:
        review.move_case(case, CaseStatus.IN_REVIEW)
        case.decided_at = None
        case.save(update_fields=["status", "decided_at"])


def lock_accounts(keys: set) -> list[Account]:
    """The accounts and then their parties, locked in the order in which everybody locks them."""
    rows = Account.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    locked = list(rows)
    parties = {account.party_id for account in locked}
    list(Party.objects.select_for_update(of=("self",)).filter(pk__in=parties).order_by("pk").values_list("pk"))
    return locked
