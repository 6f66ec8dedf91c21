"""The demo's decisions: how two people make one, what can still be undone, who appealed, how cases are worked."""

from datetime import timedelta

from accounts.flows import screening
from accounts.models import Account, ScreeningHit
from cases.flows import appeal_answers, appeals, checklist, decisions, merging, readers, review, triage
from cases.models import Case, Decision
from cases.models.case import CaseKind
from cases.rules.appeals import AppealOutcome
from cases.rules.checklist import ExcusedWhy, items_for
from cases.rules.outcomes import OutcomeCode
from kyc_portal.demo import files
from kyc_portal.demo.stories import Stage
from kyc_portal.records.refs import SCHEDULER

ABROAD = (("67.43.156.10", 9), ("2.125.160.217", 6), (files.HOME_SWEDEN, 5))  # by files.COUNTRIES: BT, GB, SE


def open_case_of(account: Account) -> Case:
    """The one open case about an account."""
    return Case.objects.open().get(subjects__account=account)


def confirm_listed(stage: Stage, account: Account, *, days: int) -> None:
    """A new list names the customer; two people find that it is them."""
    screening.screen_party(account.party, by=SCHEDULER, at=stage.ago(days, 12))
    hit = ScreeningHit.objects.filter(party=account.party).order_by("-score").first()
    screening.confirm_hit(
        hit, reason="Name, birth date and nationality agree.", by=stage.actor("rosa"), at=stage.ago(days - 1)
    )
    hit.refresh_from_db()
    screening.confirm_hit(hit, reason="Agreed.", by=stage.actor("lena"), at=stage.ago(days - 1, 10))


def decide(stage: Stage, account: Account, *, outcome: str, reason: str, note: str, days: int) -> Case:
    """A reviewer takes the case and proposes, a lead countersigns."""
    case = open_case_of(account)
    reviewer, lead = stage.actor("rosa"), stage.actor("lena")
    review.take(case, user=stage.people["rosa"], at=stage.ago(days, 9))
    review.add_note(case, text=note, by=reviewer, at=stage.ago(days, 10))
    decision = decisions.propose(
        case, account=account, outcome=outcome, reason=reason, by=reviewer, at=stage.ago(days, 11)
    )
    decision.refresh_from_db()
    if decision.state == "proposed":
        decisions.countersign(decision, by=lead, at=stage.ago(days, 15))
    return case


def notice(stage: Stage, account: Account, why: triage.Noticed, *, who: str = "rosa", days: int, hour: int = 9) -> Case:
    """Somebody noticed something, opens a case by hand and takes it."""
    at = stage.ago(days, hour)
    made = {"kind": CaseKind.RED_FLAG.value, "title": why.label, "by": stage.actor(who), "at": at}
    case = triage.open_by_hand(accounts=[account], **made)
    return review.take(case, user=stage.people[who], at=at)


def limit(stage: Stage, account: Account, why: triage.Noticed, *, reason: str, days: int, **how) -> Decision:
    """The whole list is gone through, and one signature limits the account; today (0) means this very moment."""
    rosa, at = stage.actor("rosa"), stage.ago(days, 11) if days else stage.now
    case = notice(stage, account, why, days=days)
    for item in items_for(case.kind):
        checklist.answer(case, item=item.code, by=rosa, at=stage.ago(days, 10))
    what = {"outcome": OutcomeCode.LIMIT.value, "reason": reason}
    return checklist.propose(case, account=account, **what, **how, by=rosa, at=at)


def customer_is_right_on_appeal(stage: Stage) -> None:
    """Limited for how they pay, which was a mistake: somebody who took no part reverses the decision."""
    account, lena = Account.objects.get(party__legal_name="Ines Marchetti"), stage.actor("lena")
    decision = limit(stage, account, triage.Noticed.PAYMENT_ODD, reason="payment_mismatch", days=36)
    appeal = appeals.log(
        decision, text="The card is my employer's, who pays for all of us. The letter of my employer is enclosed.",
        received_on=stage.ago(28).date(), by=stage.actor("ravi"), at=stage.ago(27),
    )  # fmt: skip
    appeals.assign(appeal, to=stage.people["lena"], by=lena, at=stage.ago(26))
    appeal_answers.answer(
        appeal, outcome=AppealOutcome.REVERSED.value, reason="wrong_fact", why="The employer confirms it.",
        by=lena, at=stage.ago(25),
    )  # fmt: skip
    review.close_case(decision.case, why="decided", by=lena, at=stage.ago(24))


def customer_appeals(stage: Stage) -> None:
    """An appeal that nobody has yet: it is answered by somebody who took no part."""
    account = Account.objects.get(party__legal_name="Leyla Aydin")
    decision = limit(stage, account, triage.Noticed.UNUSUAL_USE, reason="unusual_use", days=16)
    appeals.log(
        decision, text="We moved our tests to the night. Nobody asked us before the account was limited.",
        received_on=stage.ago(5).date(), by=stage.actor("ravi"), at=stage.ago(4),
    )  # fmt: skip


def decision_can_be_undone(stage: Stage) -> None:
    """Signed a moment ago: whoever signed it can undo it for some minutes, then it takes effect."""
    account = Account.objects.get(party__legal_name="Farid Nouri")
    limit(stage, account, triage.Noticed.UNUSUAL_USE, reason="unusual_use", days=0, at_once=False)


def cases_are_worked(stage: Stage) -> None:
    """A customer seen in four countries has two cases made one, and a list half done; another case is restricted."""
    rosa = stage.actor("rosa")
    company = Account.objects.get(party__legal_name="Meridian Gridworks GmbH")
    case = notice(stage, company, triage.Noticed.UNUSUAL_USE, days=2)
    first, second, *_ = items_for(case.kind)
    checklist.answer(case, item=first.code, excused_why=ExcusedWhy.NOTHING_ON_FILE.value, by=rosa, at=stage.ago(1))
    checklist.answer(case, item=second.code, by=rosa, at=stage.ago(1, 10))
    other = notice(stage, company, triage.Noticed.DETAILS_DISAGREE, days=1, hour=11)
    merging.merge(case, other=other.reference, by=rosa, at=stage.now - timedelta(hours=1))
    reseller = Account.objects.get(party__legal_name="Delta Rook Trading LLC")
    closed = notice(stage, reseller, triage.Noticed.HINT, days=2, hour=14)
    readers.restrict(closed, to=[stage.people["rosa"]], by=stage.actor("lena"), at=stage.ago(2, 15))
