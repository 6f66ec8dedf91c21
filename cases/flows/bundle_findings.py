"""What we found and decided, as tables of an evidence bundle (requirements R52, R114)."""

from collections.abc import Iterator

from accounts.models import (
    CouldNotVerify,
    Objection,
    Restriction,
    RiskOverride,
    RiskSignal,
    Screening,
    ScreeningHit,
)
from accounts.rules.restricting import PUBLIC_LEVELS
from accounts.rules.unverified import WORDINGS, Outcome
from cases.flows.bundle_facts import Chosen, Maker, Row, clear
from cases.flows.bundle_redactor import Redactor
from cases.models import CaseNote, Decision
from cases.rules.disclosure import DataClass
from cases.rules.outcomes import consequence_of
from cases.rules.redaction import FieldClass as F
from cases.rules.stages import TOOK_EFFECT


def screenings(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(Screening, DataClass.SCREENING).select_related("party", "snapshot"):
        yield {
            "party": row.party.reference, "list": row.snapshot.list_name, "list_version": row.snapshot.reference,
            "list_sha256": row.snapshot.sha256, "list_loaded_at": row.snapshot.loaded_at, "at": row.at,
            "hits": show.show(F.LIST_MATCH, row.hit_count, "facts/screenings, hits"),
        }  # fmt: skip


def hits(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(ScreeningHit, DataClass.SCREENING).select_related("party", "snapshot"):
        place = f"facts/hits, {row.reference}"
        yield {
            "hit": row.reference, "party": row.party.reference, "list": row.snapshot.list_name,
            "list_version": row.snapshot.reference, "list_sha256": row.snapshot.sha256,
            "entry": show.show(F.LIST_MATCH, row.entry_uid, f"{place}, entry"),
            "entry_name": show.show(F.LIST_MATCH, row.entry_name, f"{place}, entry name"),
            "programmes": show.show(F.LIST_MATCH, row.programmes, f"{place}, programmes"),
            "score": show.show(F.DETECTION, row.score, f"{place}, score"),
            "reasons": show.show(F.DETECTION, row.reasons, f"{place}, reasons"), "status": row.status,
            "judged_at": row.judged_at, "judged_by": show.show(F.STAFF, row.judged_by, f"{place}, judged by"),
        }  # fmt: skip


def signals(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(RiskSignal, DataClass.RISK).select_related("account"):
        place = f"facts/signals, {row.reference}"
        yield {
            "signal": row.reference, "account": row.account.reference,
            "code": show.show(F.DETECTION, row.code, f"{place}, code"),
            "weight": show.show(F.DETECTION, row.weight, f"{place}, weight"),
            "sentence": show.show(F.DETECTION, row.sentence, f"{place}, sentence"),
            "evidence": show.show(F.DETECTION, row.evidence, f"{place}, evidence"),
            "known_at": row.known_at, "answered_at": row.answered_at, "answer": row.answer,
        }  # fmt: skip


def tiers(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    """The customer is told nothing of how the risk is judged."""
    if show.is_for_customer:
        return
    for row in chosen.rows(RiskOverride, DataClass.RISK).select_related("account"):
        place = f"facts/tiers, {row.reference}"
        yield {
            "row": row.reference, "account": row.account.reference,
            "tier": show.show(F.DETECTION, row.tier, f"{place}, tier"),
            "reason": show.show(F.NOTE, row.reason, f"{place}, reason"), "last_day": row.last_day,
            "set_at": row.set_at, "set_by": show.show(F.STAFF, row.set_by, f"{place}, set by"),
            "ended_at": row.ended_at, "ended_by": show.show(F.STAFF, row.ended_by, f"{place}, ended by"),
        }  # fmt: skip


def unverified(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    """A customer gets what took effect, in the words they were told."""
    for row in chosen.rows(CouldNotVerify, DataClass.DECISIONS).select_related("account", "verification", "party"):
        place, told = f"facts/unverified, {row.reference}", WORDINGS[Outcome(row.outcome)]
        own = {
            "outcome": row.reference, "account": row.account.reference, "told": told, "in_effect_at": row.in_effect_at,
            "redress_by": row.redress_by,
        }  # fmt: skip
        if not show.is_for_customer:
            yield own | {
                "verification": row.verification.reference, "party": row.party.reference, "what": row.outcome,
                "state": row.state, "reason": row.reason,
                "explanation": show.show(F.DETECTION, row.explanation, f"{place}, explanation"),
                "proposed_at": row.proposed_at,
                "proposed_by": show.show(F.STAFF, row.proposed_by, f"{place}, proposed by"),
                "answered_at": row.answered_at,
                "answered_by": show.show(F.STAFF, row.answered_by, f"{place}, answered by"),
                "answered_why": show.show(F.NOTE, row.answered_why, f"{place}, answered why"),
                "limited_until": row.limited_until, "look_again_on": row.look_again_on, "ended_at": row.ended_at,
                "superseded_by": row.superseded_by,
            }  # fmt: skip
        elif row.in_effect_at is not None:
            yield own


def objections(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(Objection, DataClass.DECISIONS).select_related("account", "against"):
        place = f"facts/objections, {row.reference}"
        yield {
            "objection": row.reference, "account": row.account.reference,
            "against": row.against.reference if row.against else "", "text": clear(row.text),
            "raised_at": row.raised_at, "raised_through": row.raised_through, "due_on": row.due_on, "state": row.state,
            "answer": row.outcome, "answered_at": row.answered_at,
            "answered_by": show.show(F.STAFF, row.answered_by, f"{place}, answered by"),
            "answered_why": show.show(F.NOTE, row.answered_why, f"{place}, answered why"),
        }  # fmt: skip


def decisions(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    """A customer gets the decisions they were told of, in the words they were told."""
    for row in chosen.rows(Decision, DataClass.DECISIONS).select_related("account", "case"):
        told = consequence_of(row.outcome, row.reason).told(row.account.status) or ""
        own = {"decision": row.reference, "account": row.account.reference, "told": told}
        place = f"facts/decisions, {row.reference}"
        if not show.is_for_customer:
            yield own | {
                "case": row.case.reference, "outcome": row.outcome, "reason": row.reason, "state": row.state_in_words,
                "rests_on": show.show(F.DETECTION, row.rests_on, f"{place}, rests on"),
                "proposed_at": row.proposed_at,
                "proposed_by": show.show(F.STAFF, row.proposed_by, f"{place}, proposed by"),
                "answered_at": row.answered_at,
                "answered_by": show.show(F.STAFF, row.answered_by, f"{place}, answered by"),
                "answered_why": show.show(F.NOTE, row.answered_why, f"{place}, answered why"),
            }  # fmt: skip
        elif told and row.state in TOOK_EFFECT:
            yield own | {"answered_at": row.answered_at}


def restrictions(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(Restriction, DataClass.DECISIONS).select_related("account"):
        place = f"facts/restrictions, {row.reference}"
        own = {
            "restriction": row.reference, "account": row.account.reference, "level": PUBLIC_LEVELS[row.level],
            "told": row.public_wording, "applied_at": row.applied_at, "until": row.until, "object_by": row.object_by,
            "lifted_at": row.lifted_at,
        }  # fmt: skip
        if show.is_for_customer:
            yield own
            continue
        yield own | {
            "level": row.level, "reason": row.reason, "basis": row.basis,
            "applied_by": show.show(F.STAFF, row.applied_by, f"{place}, applied by"),
            "lifted_by": show.show(F.STAFF, row.lifted_by, f"{place}, lifted by"),
            "lifted_why": show.show(F.NOTE, row.lifted_why, f"{place}, lifted why"),
        }  # fmt: skip


def notes(chosen: Chosen, show: Redactor) -> Iterator[Row]:
    for row in chosen.rows(CaseNote, DataClass.NOTES).select_related("case"):
        place = f"facts/notes, {row.case.reference}"
        yield {
            "case": row.case.reference, "at": row.at, "by": show.show(F.STAFF, row.by, f"{place}, by"),
            "text": show.show(F.NOTE, clear(row.text), f"{place}, text"),
        }  # fmt: skip


FINDING_TABLES: tuple[tuple[str, str, DataClass, Maker], ...] = (
    ("screenings", "Screenings against lists", DataClass.SCREENING, screenings),
    ("hits", "Likenesses to list entries", DataClass.SCREENING, hits),
    ("signals", "Red flags", DataClass.RISK, signals),
    ("tiers", "Risk tiers set by hand", DataClass.RISK, tiers),
    ("unverified", "When an identity could not be verified", DataClass.DECISIONS, unverified),
    ("objections", "Objections and redress", DataClass.DECISIONS, objections),
    ("restrictions", "Restrictions", DataClass.DECISIONS, restrictions),
    ("decisions", "Decisions", DataClass.DECISIONS, decisions),
    ("notes", "Case notes", DataClass.NOTES, notes),
)
