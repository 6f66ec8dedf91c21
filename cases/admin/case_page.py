"""The parts of a case's page: whom it is about, what was seen, what was written, what was decided."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpResponseRedirect
from django.urls import reverse

from accounts.models import Account, IdentityDocument, Restriction, RiskSignal, ScreeningHit
from accounts.rules.detectors import BY_CODE
from cases.flows.evidence import accounts_of
from cases.models import Case, CaseNote, Decision
from cases.models.case import NOT_ENDED, CaseKind
from cases.rules.disclosure import Ground, Recipient
from cases.rules.outcomes import REASONS, OutcomeCode
from cases.rules.stages import CaseStatus, DecisionState
from kyc_portal.records import keys
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import policy_table
from kyc_portal.staff.sections import CASE, Badge, Clock, Facts, Html, Link, Table, url_of

STATUS_TONES = {
    CaseStatus.OPEN: "warning",
    CaseStatus.IN_REVIEW: "info",
    CaseStatus.PROPOSED: "warning",
    CaseStatus.DECIDED: "good",
    CaseStatus.CLOSED: "",
}
CATALOGUE = "admin:cases_decision_catalogue"
MOST_NOTES = 200
MOST_LISTED = 50
LONGEST_NAME = 40


def back_to_work(request, case: Case, answer):
    """The answer of a button that was pressed where the case is worked: back there, done or cancelled."""
    work = reverse("review:case", args=[case.reference])
    if getattr(answer, "url", "") == url_of(case):
        return HttpResponseRedirect(work)
    if context := getattr(answer, "context_data", None):
        context |= {"back_url": work, "action_url": f"{request.path}?from=work"}
        other = request.GET.get("other", "")
        if CASE.fullmatch(other) and not context["form"].is_bound:
            context["form"].initial["other"] = other
    return answer


def subject_section(case: Case) -> Table:
    """The accounts of the case with what stands against their use."""
    accounts = accounts_of(case)
    standing = {}
    for restriction in Restriction.objects.in_force().filter(account__in=accounts).order_by("applied_at"):
        standing.setdefault(restriction.account_id, []).append(restriction.get_level_display())
    rows = [
        [
            Link(account.reference, account), Link(shortened(account.party.legal_name), account.party),
            ", ".join(dict.fromkeys([account.get_status_display(), *standing.get(account.pk, [])])),
            f"{account.get_risk_tier_display()} ({account.risk_score})", account.last_access_at,
        ]
        for account in accounts
    ]  # fmt: skip
    head = ["Account", "Customer", "State", "Risk", "Last access"]
    return Table("subject", "Subject", head, rows, empty="No account yet.")


def shortened(name: str) -> str:
    """A name as a table shows it; the whole stands on the customer's page."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def customers_in_words(customers: list[tuple[str, str]]) -> str:
    """Two customers by name and account, and how many more there are."""
    shown = "; ".join(f"{shortened(name)} ({reference})" for name, reference in customers[:2])
    return f"{shown} and {len(customers) - 2} more" if len(customers) > 2 else shown


def why_in_words(proposed: Sequence[tuple[str, str]], flags: list[str], title: str) -> str:
    """Why a case is in the queue: who proposed which outcome and how many wait, or its heaviest unanswered flag, or
    what it is about."""
    if proposed:
        by = ", ".join(dict.fromkeys(each for each, _ in proposed))
        what = ", ".join(dict.fromkeys(OutcomeCode(outcome).label for _, outcome in proposed))
        return f"{by} proposed {'a decision' if len(proposed) == 1 else f'{len(proposed)} decisions'}: {what}"
    if not flags:
        return title
    return f"{flags[0]} (and {len(flags) - 1} more)" if len(flags) > 1 else flags[0]


def cases_of_account(account: Account, *, user, at) -> list[Table]:
    """For the page of an account: the cases about it that this person may see, the newest first."""
    if not user.has_perm(policy_table.right_to_see("cases.case")):
        return []
    found = Case.objects.visible_to(user).filter(subjects__account=account).order_by("-opened_at", "pk")
    found = found.prefetch_related(Prefetch("decisions", Decision.objects.unfinished(), to_attr="unfinished"))
    rows = [
        [
            Link(case.reference, case), case.get_kind_display(), case.title,
            state_badge(case, case.unfinished),
            Clock(case.due_on).seen_on(legal_day(at)) if case.status in NOT_ENDED else "",
        ]
        for case in found[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Case", "Kind", "About", "State", "Due"]
    return [Table("cases", "Cases", head, rows, empty="No case is about this account.")]


def signals_section(case: Case) -> Table:
    """Each red flag as a sentence with its number and its source, the heaviest first."""
    found = RiskSignal.objects.filter(in_case__case=case).order_by("-weight", "known_at", "pk")
    rows = [
        [
            signal.weight, Link(signal.sentence, signal), source_of(signal), signal.known_at.date(),
            signal.answer.replace("_", " ") or Badge("unanswered", "warning"),
        ]
        for signal in found[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Weight", "Red flag", "Source", "Known since", "Answer"]
    empty = "No red flag. Somebody opened this case by hand."
    if case.kind in (CaseKind.LEGAL, CaseKind.ABUSE):
        empty = "No red flag is part of this case."
    return Table("signals", "Red flags", head, rows, empty=empty)


def source_of(signal: RiskSignal) -> str:
    """Where a detector's rule stands written."""
    detector = BY_CODE.get(signal.code)
    return detector.source if detector else "own policy"


def decision_section(case: Case) -> Facts:
    """The decision, always in view: what is proposed, or what was decided, or that nothing is; of several that wait a
    line each, which leads to its page."""
    if len(case.unfinished) > 1:
        unfinished = case.decisions.unfinished().select_related("account").order_by("-proposed_at", "-pk")
        rows = [(each.state_in_words.capitalize(), Link(proposal_in_words(each), each)) for each in unfinished]
        return replace(decision_facts(case, None, case.unfinished), rows=rows)
    newest = case.decisions.select_related("account").order_by("-proposed_at", "-pk").first()
    return decision_facts(case, newest, case.unfinished)


def decision_facts(case: Case, found: Decision | None, decisions: Sequence[Decision]) -> Facts:
    """The newest decision of a case in facts, and what comes next; `decisions` as for `state_badge`."""
    note = _next_step(case, decisions)
    rules = {"url": reverse(CATALOGUE), "url_label": "What decisions bring about"}
    if found is None:
        return Facts("decision", "Decision", [("State", "nothing is proposed yet")], note=note, **rules)
    return replace(facts_of(found), note=note, **rules)


def facts_of(found: Decision) -> Facts:
    """What a decision says, who proposed and who answered it."""
    rows = [
        ("Decision", Link(found.reference, found)),
        ("Account", Link(found.account, found.account)),
        ("Outcome", OutcomeCode(found.outcome).label),
        ("Reason", REASONS[found.reason].title),
        ("State", Badge(found.state_in_words, TONES[DecisionState(found.state)])),
        ("Proposed", f"by {found.proposed_by}"),
        ("On", found.proposed_at),
        ("Answered", f"by {found.answered_by}" if found.answered_by else ""),
        ("Takes effect", found.takes_effect_at if found.state == DecisionState.SIGNED else None),
        ("Why", found.ended_why or found.answered_why),
    ]
    return Facts("decision", "Decision", [row for row in rows if row[1]])


def proposal_in_words(found: Decision) -> str:
    """What a second signature would stand under, in a line."""
    what = f"{OutcomeCode(found.outcome).label} ({REASONS[found.reason].title})"
    return f"{found.reference} about {found.account.reference}: {what}, proposed by {found.proposed_by}"


TONES = {
    DecisionState.PROPOSED: "warning",
    DecisionState.SIGNED: "warning",
    DecisionState.COUNTERSIGNED: "good",
    DecisionState.DECLINED: "danger",
    DecisionState.WITHDRAWN: "",
    DecisionState.UNDONE: "",
    DecisionState.NOT_DONE: "danger",
    DecisionState.CHANGED: "",
    DecisionState.REVERSED: "",
}


SIGNED = "signed, can be undone"  # a badge fits its list; the panel says until when


def _signed_until(decisions: Iterable[Decision]) -> datetime | None:
    """Until when the first of the signed decisions can be undone; None where none is signed."""
    return min((each.takes_effect_at for each in decisions if each.state == DecisionState.SIGNED), default=None)


def _waits_for_second(decisions: Iterable[Decision]) -> bool:
    return any(each.state == DecisionState.PROPOSED for each in decisions)


def state_badge(case: Case, decisions: Sequence[Decision]) -> Badge:
    """Where a case stands; of `decisions`, its own, those count that wait for a signature or can still be undone."""
    status = CaseStatus(case.status)
    until = _signed_until(decisions)
    if status == CaseStatus.PROPOSED and until and not _waits_for_second(decisions):
        return Badge(SIGNED, STATUS_TONES[status])
    return Badge(status.label, STATUS_TONES[status])


def _next_step(case: Case, decisions: Sequence[Decision]) -> str:
    waiting = sum(1 for each in decisions if each.state == DecisionState.PROPOSED)
    if case.status == CaseStatus.PROPOSED and waiting > 1:
        return f"{waiting} proposals wait. A second person countersigns or declines each."
    if case.status == CaseStatus.PROPOSED and (until := _signed_until(decisions)):
        other = " A second person answers the other proposal." if _waits_for_second(decisions) else ""
        return f"Signed; can be undone until {until:%H:%M} UTC.{other}"
    return {
        CaseStatus.OPEN: "Take the case, then propose a decision.",
        CaseStatus.IN_REVIEW: "Whoever works the case proposes; a mild outcome takes one signature.",
        CaseStatus.PROPOSED: "A second person countersigns or declines.",
        CaseStatus.DECIDED: "The decision is carried out. Close the case.",
        CaseStatus.CLOSED: "The case is closed.",
    }[CaseStatus(case.status)]


def decisions_section(case: Case) -> Table:
    """Every decision of the case, the newest first."""
    rows = [
        [
            Link(row.reference, row), Link(row.account, row.account), OutcomeCode(row.outcome).label,
            row.state_in_words, ", ".join(filter(None, [row.proposed_by, row.answered_by])),
        ]
        for row in case.decisions.select_related("account").order_by("-proposed_at", "-pk")[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Decision", "Account", "Outcome", "State", "By"]
    return Table("decisions", "All decisions", head, rows, empty="Nothing was proposed yet.")


def notes_section(case: Case) -> Html:
    """The notes, newest first; each subject's key is read once for all of them."""
    return Html("notes", "Notes", "cases/notes.html", {"notes": notes_of(case)})


def notes_of(case: Case) -> list[dict]:
    """The notes of a case in clear, newest first; two queries, whoever they speak of."""
    notes = list(case.notes.order_by("-at", "-pk")[:MOST_NOTES])
    opened = keys.keys_of_subjects({note.subject for note in notes}) if notes else {}
    return [{"by": note.by, "at": note.at, "text": _text_of(note, opened[note.subject])} for note in notes]


def _text_of(note: CaseNote, key: bytes) -> str:
    home = CaseNote._meta.get_field("text").home_of(note)
    return keys.unseal(key, note.text.for_database(home), home[1]).decode()


def _owners_of(case: Case) -> dict[UUID, str]:
    """By the key of each customer of the case who they are: name and accounts."""
    found = {}
    for account in (subject.account for subject in case.listed_subjects):
        found.setdefault(account.party_id, (shortened(account.party.legal_name), []))[1].append(account.reference)
    return {key: f"{name} ({', '.join(references)})" for key, (name, references) in found.items()}


def hits_section(case: Case) -> Table:
    """Likenesses of every customer of the case; of several each row says whose it is."""
    owners = _owners_of(case)
    found = ScreeningHit.objects.filter(party__in=owners).select_related("snapshot").order_by(*ScreeningHit.ORDER)
    rows = [
        [Link(hit.reference, hit), owners[hit.party_id], str(hit.score), hit.entry_name, hit.snapshot.list_name,
         hit.get_status_display()]
        for hit in found[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Hit", "Customer", "Score", "Entry", "List", "State"]
    empty = "No list entry resembles the customer."
    if len(owners) > 1:
        empty = f"No list entry resembles any of the {len(owners)} customers of this case."
    return _of_owners(Table("hits", "Likenesses to list entries", head, rows, empty=empty), owners)


def documents_section(case: Case) -> Table:
    """Documents of every customer of the case; of several each row says whose it is."""
    owners = _owners_of(case)
    found = IdentityDocument.objects.filter(party__in=owners).select_related("party").order_by("-added_at", "pk")
    rows = [
        [Link(row.reference, _page_of_document(row)), owners[row.party_id], row.kind.replace("_", " "),
         row.country.name, row.expires_on]
        for row in found[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Document", "Customer", "Kind", "Country", "Expires"]
    empty = "The customer showed no document."
    if len(owners) > 1:
        empty = f"None of the {len(owners)} customers of this case showed a document."
    return _of_owners(Table("documents", "Documents", head, rows, empty=empty), owners)


def _of_owners(table: Table, owners: dict[UUID, str]) -> Table:
    """Whose a row is stands in its second cell; of one customer nobody needs to be told."""
    if len(owners) > 1:
        return table
    return replace(table, head=[table.head[0], *table.head[2:]], rows=[[row[0], *row[2:]] for row in table.rows])


def _page_of_document(document: IdentityDocument) -> str:
    return url_of(document) or url_of(document.party)


def bundles_section(case: Case) -> Table:
    rows = [
        [
            Link(row.reference, row), Ground(row.ground).label, Recipient(row.recipient).label,
            row.get_state_display(), row.collected_by, row.approved_by,
        ]
        for row in case.bundles.order_by("-collected_at", "-pk")[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Bundle", "Ground", "Recipient", "State", "Collected by", "Approved by"]
    return Table("bundles", "Evidence bundles", head, rows, empty="No bundle was collected.")


def requests_section(case: Case) -> Table:
    rows = [
        [
            Link(row.reference, row),
            Ground(row.ground).label,
            row.get_state_display(),
            row.received_on,
            row.preserve_through,
        ]
        for row in case.legal_requests.order_by("-received_on", "-pk")[:MOST_LISTED]
    ]
    head = ["Request", "Ground", "State", "Received", "Preserved through"]
    return Table("requests", "Legal requests", head, rows, empty="No authority asked about this case.")
