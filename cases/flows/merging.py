"""Make two cases about the same matter one, and two again (own policy; requirement R41).

Subjects, red flags, notes and abuse reports go to the case that is kept; the other one is closed. What was moved and
how both stood is kept, so that until the first decision, or for some hours, everything can be put back.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.dateparse import parse_date, parse_datetime

from cases.flows import clocks, desks, locks, review, triage
from cases.models import (
    AbuseReport,
    Assignment,
    Case,
    CaseMerge,
    CaseNote,
    CaseReader,
    CaseSignal,
    CaseSubject,
    Decision,
)
from cases.models.case import CaseKind
from cases.rules.desks import Desk, hours_figure
from cases.rules.stages import CaseStatus, DecisionState
from cases.verbs import Verb
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember

MOVED = {"subjects": CaseSubject, "signals": CaseSignal, "notes": CaseNote, "reports": AbuseReport}
OF_KEPT = ("kind", "title", "weight", "waits_from", "snoozed_until", "snoozed_why")
OF_MERGED = ("status", "weight", "assigned_to_id", "assigned_at", "waits_from", "snoozed_until", "snoozed_why")
MOMENTS, DAYS = {"assigned_at", "waits_from"}, {"snoozed_until"}
# A decision that waits, can be undone or was in effect; one that was taken back before binds nobody to the merge.
ON_FILE = (
    DecisionState.PROPOSED.value, DecisionState.SIGNED.value, DecisionState.COUNTERSIGNED.value,
    DecisionState.CHANGED.value, DecisionState.REVERSED.value,
)  # fmt: skip


class NotMerged(Refusal):
    """The two cases cannot become one."""


class NotUndone(Refusal):
    """The merge cannot be undone, or not any more."""


@flow
def merge(kept: Case, *, other: str, by: Actor, at: datetime) -> CaseMerge:
    """Let another case, named by its reference, go on in `kept`. Raises NotMerged, and names no case nobody may see.

    Both customers' rows are locked, then both cases in the order of their keys, so that two merges at once end in one.
    """
    user = StaffMember.objects.filter(pk=by.key).first() if by.kind == "person" else None
    merged = Case.objects.visible_to(user).filter(reference=other.strip().upper()).first() if user else None
    if merged is None:
        raise NotMerged("There is no case of this reference. Copy it from the page of the other case.")
    if merged.pk == kept.pk:
        raise NotMerged(f"{kept.reference} is this very case. Give the reference of the other one.")
    kept, merged = _lock_both(kept, merged)
    _require_mergeable(kept, merged, by)
    desks.require_has(kept, by)
    if merged.assigned_to_id is not None:
        desks.require_has(merged, by)
    hours = regime_on(legal_day(at)).whole("merge_undo_hours")
    made = CaseMerge(
        kept=kept, merged=merged, merged_at=at, merged_by=by.label, undo_until=at + timedelta(hours=hours),
        stood={"kept": _columns(kept, OF_KEPT), "merged": _columns(merged, OF_MERGED)},
    )  # fmt: skip
    made.moved = _move(merged, kept)
    made.save(force_insert=True)
    _end(merged, by=by, at=at)
    if merged.kind == CaseKind.LIST_HIT and kept.kind == CaseKind.RED_FLAG:
        kept.kind, kept.title = merged.kind, merged.title
    kept.weight = triage.weight_of(kept, on=legal_day(at))
    kept.snoozed_until, kept.snoozed_why, kept.waits_from = None, "", min(kept.waits_from, at)  # news wakes it
    kept.save(update_fields=list(OF_KEPT))
    for case in (kept, merged):
        audit.record(Verb.MERGED, case, by=by, at=at, case=merged.reference, to=kept.reference)
    return made


def _lock_both(one: Case, two: Case) -> tuple[Case, Case]:
    """Their accounts, then the two cases, each in the order of its keys."""
    subjects = CaseSubject.objects.filter(case__in=[one, two]).select_related("account").order_by("account_id")
    for account in {subject.account_id: subject.account for subject in subjects}.values():
        triage.lock_customer(account)
    rows = Case.objects.select_for_update(of=("self",)).filter(pk__in=[one.pk, two.pk]).order_by("pk")
    found = {case.pk: case for case in rows}
    return found[one.pk], found[two.pk]


def _require_mergeable(kept: Case, merged: Case, by: Actor) -> None:
    for case in (kept, merged):
        if case.kind == CaseKind.LEGAL or case.desk == Desk.LEGAL:
            raise NotMerged(f"{case.reference} is a matter of the legal desk; it stays a case of its own.")
        if case.status not in (CaseStatus.OPEN, CaseStatus.IN_REVIEW):
            raise NotMerged(f"{case.reference} is {case.get_status_display()}. Only cases being worked become one.")
    if merged.is_restricted and not (kept.is_restricted and _readers(kept) <= _readers(merged)):
        raise NotMerged(
            f"{merged.reference} is open to named people only. Restrict {kept.reference} to the same people first."
        )


def _readers(case: Case) -> set:
    return set(CaseReader.objects.standing().filter(case=case).values_list("user_id", flat=True))


def _columns(case: Case, names: tuple[str, ...]) -> dict:
    told = {name: getattr(case, name) for name in names}
    return {name: each.isoformat() if isinstance(each, date) else each for name, each in told.items()}


def _restore(case: Case, columns: dict) -> None:
    for name, told in columns.items():
        if told is not None and name in MOMENTS:
            told = parse_datetime(told)
        elif told is not None and name in DAYS:
            told = parse_date(told)
        setattr(case, name, told)


def _move(merged: Case, kept: Case) -> dict[str, list[str]]:
    """Put the rows of one case into the other; an account that both are about stays with each."""
    rows = {name: model.objects.filter(case=merged).order_by("pk") for name, model in MOVED.items()}
    rows["subjects"] = rows["subjects"].exclude(account__in=CaseSubject.objects.filter(case=kept).values("account"))
    moved = {}
    for name, found in rows.items():
        keys = list(found.values_list("pk", flat=True))
        MOVED[name].objects.filter(pk__in=keys).update(case=kept)
        moved[name] = [str(key) for key in keys]
    return moved


def _end(merged: Case, *, by: Actor, at: datetime) -> None:
    review.move_case(merged, CaseStatus.CLOSED)
    merged.closed_at = at
    review.end_assignment(merged, at=at)
    locks.release([merged], at=at)
    merged.assigned_to = merged.assigned_at = None
    merged.weight, merged.snoozed_until, merged.snoozed_why = 0, None, ""
    merged.save(update_fields=[
        "status", "closed_at", "assigned_to", "assigned_at", "weight", "snoozed_until", "snoozed_why",
    ])  # fmt: skip
    stop_clock(triage.TRIAGE, merged, by=by, at=at)


def newest_merge(kept: Case) -> CaseMerge | None:
    """The last merge into a case that was not undone."""
    standing = CaseMerge.objects.standing().filter(kept=kept).select_related("merged")
    return standing.order_by("-merged_at", "-pk").first()


def undoable(kept: Case, at: datetime) -> CaseMerge | None:
    """The last merge into this case while it can still be undone."""
    made = newest_merge(kept)
    return made if made is not None and not _too_late(made, at) else None


def with_merge(rows: QuerySet[Case]) -> QuerySet[Case]:
    """Cases with what `undo_until` asks for, and where they go on if anybody may know it; no query more."""
    standing = CaseMerge.objects.standing().filter(kept=OuterRef("pk")).order_by("-merged_at", "-pk")
    into = CaseMerge.objects.standing().filter(
        merged=OuterRef("pk"), merged_at=OuterRef("closed_at"), kept__is_restricted=False
    )
    return rows.annotate(
        merge_of=Subquery(standing.values("merged__reference")[:1]),
        merge_at=Subquery(standing.values("merged_at")[:1]),
        merge_until=Subquery(standing.values("undo_until")[:1]),
        goes_on_in=Subquery(into.values("kept__reference")[:1]),
    )


def undo_until(case: Case, decided: Iterable[Decision], at: datetime) -> datetime | None:
    """Until when the last merge into a case of `with_merge` can be undone; `decided` are the case's decisions."""
    if case.merge_of is None or at > case.merge_until or case.status in review.ENDED:
        return None
    return None if _decided_since(decided, case.merge_at) else case.merge_until


def _too_late(made: CaseMerge, at: datetime) -> str:
    if at > made.undo_until:
        return f"The time to undo it was over on {made.undo_until:%-d %b %Y at %H:%M} UTC."
    since = _decided_since(Decision.objects.filter(case=made.kept_id), made.merged_at)
    return f"{since[0].reference} was proposed in {made.kept.reference} since." if since else ""


def _decided_since(decided: Iterable[Decision], moment: datetime) -> list[Decision]:
    return [row for row in decided if row.state in ON_FILE and row.proposed_at >= moment]


@flow
def undo(kept: Case, *, by: Actor, at: datetime) -> CaseMerge:
    """Make the last merge into a case undone: each row goes back to where it came from. Raises NotUndone."""
    made = newest_merge(kept)
    if made is None:
        raise NotUndone(f"No other case goes on in {kept.reference}.")
    kept, merged = _lock_both(kept, made.merged)
    made = CaseMerge.objects.select_for_update(of=("self",)).get(pk=made.pk)
    made.kept = kept
    if made.undone_at is not None:
        raise NotUndone(f"{made.undone_by} undid this merge on {made.undone_at:%-d %b %Y at %H:%M} UTC.")
    if late := _too_late(made, at):
        raise NotUndone(f"{late} Open a case of its own instead.")
    if kept.status in review.ENDED or merged.closed_at != made.merged_at:  # opened again since, or merged onwards
        raise NotUndone(f"{kept.reference} or {merged.reference} went on since. Open a case of its own instead.")
    desks.require_has(kept, by)
    for name, keys in made.moved.items():
        MOVED[name].objects.filter(pk__in=keys, case=kept).update(case=merged)
    _name_again(kept, at=at)
    _restore_kept(kept, made.stood["kept"])
    kept.weight = triage.weight_of(kept, on=legal_day(at))
    kept.save(update_fields=list(OF_KEPT))
    _begin_again(merged, made, by=by, at=at)
    made.undone_at, made.undone_by = at, by.label
    made.save(update_fields=["undone_at", "undone_by"])
    for case in (kept, merged):
        audit.record(Verb.MERGE_UNDONE, case, by=by, at=at, case=merged.reference, to=kept.reference)
    return made


def _restore_kept(kept: Case, stood: dict) -> None:
    """As it was, but for what came meanwhile: a list hit of its own, or somebody who put it to sleep."""
    kept_asleep = {name: stood[name] for name in ("waits_from", "snoozed_until", "snoozed_why")}
    if kept.snoozed_until is None:
        _restore(kept, kept_asleep)
    if not CaseSignal.objects.filter(case=kept, signal__code__in=triage.LIST_SIGNALS).exists():
        _restore(kept, {name: stood[name] for name in ("kind", "title")})


def _name_again(kept: Case, *, at: datetime) -> None:
    """What came into the kept case meanwhile stays there, and with it the account it is about."""
    of_flags = CaseSignal.objects.filter(case=kept).values("signal__account")
    of_reports = AbuseReport.objects.filter(case=kept, account__isnull=False).values("account")
    about = CaseSubject.objects.filter(Q(account__in=of_flags) | Q(account__in=of_reports)).exclude(
        account__in=CaseSubject.objects.filter(case=kept).values("account")
    )
    for subject in about.select_related("account").order_by("account_id"):
        triage.add_subject(kept, subject.account, at=at)


def _begin_again(merged: Case, made: CaseMerge, *, by: Actor, at: datetime) -> None:
    """The case as it stood: its hours were never counted anew, and whoever had it has it again."""
    _restore(merged, made.stood["merged"])
    merged.closed_at = None
    merged.weight = triage.weight_of(merged, on=legal_day(at))
    merged.save(update_fields=[
        "status", "weight", "assigned_to", "assigned_at", "waits_from", "snoozed_until", "snoozed_why", "closed_at",
    ])  # fmt: skip
    Assignment.objects.filter(case=merged, user=merged.assigned_to_id, to_at=made.merged_at).update(to_at=None)
    start_clock(
        clocks.TRIAGE, merged, figure=hours_figure(merged.kind, merged.desk), regime=regime_on(legal_day(at)),
        on=legal_day(at), due_on=merged.due_on, by=by, at=at,
    )  # fmt: skip
