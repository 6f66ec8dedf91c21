"""Take in what is raised below as cases, or what somebody noticed (requirements R41, R95).

Red flags of one customer end in one open case; a case opened by hand joins none.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Max, Sum

from accounts.flows.texts import Texts, required
from accounts.models import Account, Party, RiskSignal
from accounts.rules.detectors import BY_CODE
from cases.flows import clocks
from cases.models import AbuseReport, Case, CaseSignal, CaseSubject
from cases.models.case import CaseKind
from cases.rules.desks import Desk
from cases.rules.reports import title_of
from cases.rules.wording import Worded
from cases.verbs import Verb
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit, holds
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal

LIST_SIGNALS = frozenset({"confirmed_list_hit", "possible_list_hit"})
HEAVIEST = 1000  # a case's weight is for sorting; more than this says nothing more
TRIAGE = clocks.TRIAGE
BY_HAND = (CaseKind.RED_FLAG, CaseKind.ABUSE)  # list hits and requests of authorities have doors of their own
LONGEST_TITLE = 200


class BadCase(Refusal):
    """A case cannot be opened like this."""


class Noticed(Worded):
    """What a case opened by hand is about, in words without personal data."""

    UNUSUAL_USE = "unusual_use", "Use does not fit what was declared"
    DETAILS_DISAGREE = "details_disagree", "Details given do not agree"
    PAYMENT_ODD = "payment_odd", "Payment does not fit the customer"
    HINT = "hint", "Hint from outside"
    SPAM = "spam", "Spam or phishing reported"
    ATTACK = "attack", "Attack on others reported"
    MALWARE = "malware", "Malware reported"
    UNLAWFUL_CONTENT = "unlawful_content", "Unlawful content reported"


@flow
def take_in_signal(signal: RiskSignal, *, by: Actor, at: datetime) -> Case:
    """Add a red flag to the customer's open case, or open one; a flag that is in a case already stays there.

    The customer's rows are locked first, so two flags raised at once end in one case.
    """
    account = lock_customer(signal.account)
    known = CaseSignal.objects.filter(signal=signal).select_related("case").first()
    if known is not None:
        return known.case

    case = open_case_of(account.party) or _open_for(signal, by=by, at=at)
    add_subject(case, account, at=at)
    CaseSignal.objects.create(case=case, signal=signal)
    case.weight = weight_of(case, on=legal_day(at))
    case.snoozed_until, case.snoozed_why, case.waits_from = None, "", min(case.waits_from, at)  # news wakes it
    if signal.code in LIST_SIGNALS and case.kind == CaseKind.RED_FLAG:
        case.kind, case.title = CaseKind.LIST_HIT, _title_of(signal)
    case.save(update_fields=["weight", "kind", "title", "snoozed_until", "snoozed_why", "waits_from"])
    audit.record(Verb.JOINED, case, by=by, at=at, within=account, signal=signal.reference, case=case.reference)
    return case


def weight_of(case: Case, *, on: date) -> int:
    """What a case weighs: its unanswered flags and its reports together, or its accounts' highest risk if more."""
    return weights_of([case], on=on)[case.pk]


def weights_of(cases: Sequence[Case], *, on: date) -> dict[UUID, int]:
    """The same by case, for many; three queries and the regime of the day, of which a report has its weight."""
    flags = CaseSignal.objects.filter(case__in=cases, signal__answered_at__isnull=True)
    together = dict(flags.order_by().values_list("case_id").annotate(weight=Sum("signal__weight")))
    subjects = CaseSubject.objects.filter(case__in=cases)
    highest = dict(subjects.order_by().values_list("case_id").annotate(risk=Max("account__risk_score")))
    reports = dict(
        AbuseReport.objects.filter(case__in=cases).order_by().values_list("case_id").annotate(count=Count("pk"))
    )
    each = regime_on(on).whole("abuse_report_weight") if reports else 0
    told = {case.pk: (together.get(case.pk) or 0) + each * reports.get(case.pk, 0) for case in cases}
    return {case.pk: min(max(told[case.pk], highest.get(case.pk) or 0), HEAVIEST) for case in cases}


@flow
def weigh_many(accounts: Sequence[Account], *, by: Actor, at: datetime) -> int:
    """Weigh the open cases of accounts anew, because their flags or their risk changed; says how many changed."""
    about = CaseSubject.objects.filter(account__in=accounts).values("case")
    cases = list(Case.objects.open().filter(pk__in=about).select_for_update(of=("self",)).order_by("pk"))
    weights = weights_of(cases, on=legal_day(at)) if cases else {}
    changed = [case for case in cases if case.weight != weights[case.pk]]
    for case in changed:
        case.weight = weights[case.pk]
    if changed:
        Case.objects.bulk_update(changed, ["weight"], batch_size=500)
        audit.write([audit.draft(Verb.WEIGHED, case, by=by, at=at, score=case.weight) for case in changed])
    return len(changed)


@flow
def take_in_abuse_report(report: AbuseReport, *, by: Actor, at: datetime) -> Case:
    """Add a report to the open case that tells the same story, keep it in its own, or open one (T24).

    The same story: the same account, category and type within the figure `abuse_story_days`; while no account is known,
    the same source instead. The customer's rows are locked first, so two reports at once end in one case.
    """
    account = lock_customer(report.account) if report.account_id else None
    regime = regime_on(legal_day(at))
    others = AbuseReport.objects.telling_the_same(report, since=at - regime.days("abuse_story_days"))
    told = Case.objects.open().filter(pk__in=others.values("case"))
    case = told.select_for_update(of=("self",)).order_by("opened_at", "pk").first()
    if case is None and report.case_id is not None:
        case = Case.objects.open().select_for_update(of=("self",)).filter(pk=report.case_id).first()
    if case is None:
        case = open_case(kind=CaseKind.ABUSE, title=title_of(report.type), by=by, at=at)
    if account is not None:
        add_subject(case, account, at=at)
    if case.pk != report.case_id:
        report.case = case
        report.save(update_fields=["case"])
        case.weight = weight_of(case, on=legal_day(at))
        case.save(update_fields=["weight"])
        audit.record(
            Verb.REPORT_JOINED, case, by=by, at=at, within=account, report=report.reference, case=case.reference
        )
    return case


@flow
def open_by_hand(*, accounts: Sequence[Account], kind: str, title: str, by: Actor, at: datetime) -> Case:
    """Open a case about these accounts that somebody thinks must be looked at; it joins no other case.

    `title` is one line of at most 200 characters without personal data. Raises BadCase, BadField.
    """
    if kind not in BY_HAND:
        raise BadCase(f"No case of this kind is opened by hand. Choose one of: {', '.join(BY_HAND)}.")
    if not accounts:
        raise BadCase("The case is about no account. Give at least one reference.")
    told = Texts()
    title = required("Title", told.line("Title", title.strip(), LONGEST_TITLE))
    locked = [lock_customer(account) for account in sorted(accounts, key=lambda account: str(account.pk))]
    _require_impersonal(title, Party.objects.filter(pk__in=[account.party_id for account in locked]))
    case = open_case(kind=CaseKind(kind).value, title=title, by=by, at=at)
    for account in locked:
        add_subject(case, account, at=at)
        audit.record(
            Verb.SUBJECT_NAMED, case, by=by, at=at, within=account, account=account.reference, case=case.reference
        )
    case.weight = weight_of(case, on=legal_day(at))
    case.save(update_fields=["weight"])
    told.record_masked(case, by=by, at=at)
    return case


def _require_impersonal(title: str, customers) -> None:
    """A title is shown in lists and kept in the clear, so what is plainly personal is turned away."""
    names = customers.values_list("legal_name", flat=True)
    named = (rf"(?<!\w){re.escape(name)}(?!\w)" for name in names if name)
    if "@" in title or any(re.search(each, title, re.IGNORECASE) for each in named):
        raise BadCase("The title holds a name or an address. Leave it out here; write it into a note of the case.")


def lock_customer(account: Account) -> Account:
    """Lock an account and its party, in the order everybody locks them: accounts, then parties, then cases."""
    account = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    Party.objects.select_for_update(of=("self",)).get(pk=account.party_id)
    return account


def open_case_of(party: Party) -> Case | None:
    """The case in which a customer is being looked at, locked; requests of authorities are matters of their own."""
    looked_at = (
        Case.objects.open()
        .exclude(kind=CaseKind.LEGAL)
        .filter(pk__in=CaseSubject.objects.filter(account__party=party).values("case"))
    )
    return looked_at.select_for_update(of=("self",)).order_by("opened_at", "pk").first()


def open_case(*, kind: str, title: str, by: Actor, at: datetime) -> Case:
    """A new case with its clock; `title` holds no personal data. Called inside the caller's transaction."""
    desk = Desk.LEGAL if kind == CaseKind.LEGAL else Desk.REVIEW
    case = Case(kind=kind, title=title, opened_at=at, desk=desk.value)
    clocks.start(case, by=by, at=at)
    case.save(force_insert=True)
    audit.record(Verb.OPENED, case, by=by, at=at, case=case.reference, kind=kind)
    return case


def add_subject(case: Case, account: Account, *, at: datetime) -> None:
    """Make the case speak of this account too; doing so twice changes nothing. Raises AlreadyDestroyed."""
    holds.lock(account)
    CaseSubject.objects.get_or_create(case=case, account=account, defaults={"joined_at": at})


def _open_for(signal: RiskSignal, *, by: Actor, at: datetime) -> Case:
    kind = CaseKind.LIST_HIT if signal.code in LIST_SIGNALS else CaseKind.RED_FLAG
    return open_case(kind=kind, title=_title_of(signal), by=by, at=at)


def _title_of(signal: RiskSignal) -> str:
    detector = BY_CODE.get(signal.code)
    return detector.title if detector else signal.code.replace("_", " ").capitalize()
