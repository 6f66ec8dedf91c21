"""Certify customers on a roster: one act of a named person, a line with its outcome for each customer (R63).

Up to some hundreds are gone through at once; more by a job in batches, each in its own transaction, so that a lost
worker is taken over where it stopped.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.flows import texts
from accounts.flows.texts import BadField, Texts
from kyc_portal.calendars import add_months
from kyc_portal.four_eyes import person_key
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.policy.models import StatementKind
from kyc_portal.policy.statements import wording_shown
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from resellers.flows import authority, coverage, file
from resellers.models import Certification, CertifiedEntry, Reseller, ResellerManager, RosterEntry
from resellers.rules.certification import (
    ActState,
    CustomerFacts,
    Evidence,
    Extent,
    LineEnd,
    Outcome,
    Scope,
    Terms,
    judge,
)
from resellers.verbs import Verb

KIND = "resellers.certify"
MOST_AT_ONCE = 500  # in one request, and in one batch of the job


class NothingToCertify(Refusal):
    """No customer is named, or none is left to certify."""


class UnderWay(Refusal):
    """An earlier act over the whole roster is not gone through yet."""


class SentBefore(Refusal):
    """The same form was sent before with other contents."""


class NothingStands(Refusal):
    """Nothing of the certification holds any more, so there is nothing to withdraw."""


@flow
def certify(
    reseller: Reseller, *, entries: Sequence[str] | None, scope: str, evidence: Collection[str], statement_number: str,
    binding: ResellerManager | None, form_key: UUID, by: Actor, at: datetime,
) -> Certification:  # fmt: skip
    """Certify the customers with these references, or with None all of the roster that are not certified as long yet.

    `statement_number` is that of the wording the signer was shown, `form_key` that of the form: sent twice it is one
    act. Each customer's outcome stands in a line of the act. More than MOST_AT_ONCE are gone through by a job.
    Raises Ended, NoAuthority, WordingChanged, BadField, NothingToCertify, UnderWay, SentBefore or Ended.
    """
    reseller = file.locked(reseller)
    file.require_running(reseller)
    binding, today = authority.held(binding, reseller, by=by), legal_day(at)
    file.require_running(reseller)
    scope, evidence = texts.chosen("Scope", scope, Scope), _sorted_evidence(evidence)
    extent = Extent.ALL if entries is None else Extent.CHOSEN
    sent = reseller.certifications.filter(form_key=form_key).first()
    if sent is not None:
        return _as_sent(sent, scope, evidence, extent, entries)
    statement, regime = wording_shown(StatementKind.DOWNSTREAM, statement_number, today), regime_on(today)
    lasts = regime.figure("certification_months")
    act = Certification(
        reseller=reseller, form_key=form_key, signed_at=at, signed_by=by.label, signed_by_key=person_key(by),
        signed_under=binding, statement=statement, scope=scope, evidence=evidence, extent=extent.value,
        valid_from=today, lapses_on=add_months(today, int(lasts.value)), citation=lasts.citation,
    )  # fmt: skip
    chosen = None if entries is None else _chosen(reseller, entries)
    act.total_count = _to_go_through(act).count() if chosen is None else len(chosen)
    _require_room(act)
    is_short = act.total_count <= MOST_AT_ONCE
    act.state = (ActState.DONE if is_short else ActState.WAITING).value
    act.save(force_insert=True)
    audit.record(
        Verb.CERTIFIED, act, by=by, at=at, within=reseller, reseller=reseller.reference, basis=scope,
        version=statement.number, count=act.total_count,
    )  # fmt: skip
    if is_short:
        _go_through(act, _locked_rows(_to_go_through(act)) if chosen is None else chosen, regime, by, at)
        act.done_at = at
        act.save(update_fields=["done_at"])
    else:
        queue.ask(KIND, str(act.pk), due_at=at, at=at)
    return act


def _sorted_evidence(evidence: Collection[str]) -> list[str]:
    found = {texts.chosen("Evidence", code, Evidence) for code in evidence}
    if not found:
        raise BadField("Evidence is empty. Choose what the certification rests on.")
    return [each.value for each in Evidence if each.value in found]


def _as_sent(
    sent: Certification, scope: str, evidence: list[str], extent: Extent, entries: Sequence[str] | None
) -> Certification:
    """The act this form made, when it is sent once more. Raises SentBefore when it says something else now."""
    named = set(sent.lines.values_list("entry__reference", flat=True)) if entries is not None else None
    if (sent.scope, sent.evidence, sent.extent) != (scope, evidence, extent.value) or (
        named is not None and named != set(entries)
    ):
        raise SentBefore(f"This form was sent before and made {sent.reference}. Load the page again to sign anew.")
    return sent


def _chosen(reseller: Reseller, entries: Sequence[str]) -> list[RosterEntry]:
    """The rows with these references, locked, also those that ended meanwhile; another's is as unknown as none."""
    wanted = _as_references(entries)
    if not wanted:
        raise NothingToCertify("No customer is chosen. Choose at least one.")
    if len(wanted) > MOST_AT_ONCE:
        raise BadField(f"Customers: {len(wanted)} are chosen, at most {MOST_AT_ONCE} can be. Certify all, or in parts.")
    rows = _locked_rows(RosterEntry.objects.filter(reseller=reseller, reference__in=wanted, from_at__isnull=False))
    if len(rows) != len(wanted):
        raise BadField("Customers: one of those chosen is not on your roster. Load the page again and choose anew.")
    if len({row.number for row in rows}) != len(rows):
        raise BadField("Customers: one is chosen twice, as it was and as it is. Load the page again and choose anew.")
    return rows


def _as_references(entries: Sequence[str]) -> set[str]:
    """The references as the database can be asked for them: a sign that no reference has becomes one of none."""
    return {each if each.isascii() and each.isprintable() else "?" for each in entries}


def _to_go_through(act: Certification) -> QuerySet[RosterEntry]:
    """Of the roster as it was at the signature what is left: after the last one gone through, not certified as long."""
    rows = RosterEntry.objects.as_of(act.signed_at).filter(reseller=act.reseller, number__gt=act.last_number)
    return rows.exclude(coverage.in_force(act.lapses_on))


def _locked_rows(rows: QuerySet[RosterEntry]) -> list[RosterEntry]:
    """At most one batch of them by number, locked: a file that ends them at this moment waits, or is waited for."""
    wanted = rows.only("pk", "number", "reference", "ended_why", "verified_on", "method").order_by("number", "pk")
    return list(wanted.select_for_update(of=("self",))[:MOST_AT_ONCE])


def _require_room(act: Certification) -> None:
    if not act.total_count:
        raise NothingToCertify("Everybody on your roster is certified for as long already, or nobody stands there.")
    waiting = act.reseller.certifications.under_way().first()
    if waiting is not None and act.extent == Extent.ALL:
        raise UnderWay(f"{waiting.reference} is still being gone through. Wait until it is, then look at what is left.")


def _go_through(act: Certification, rows: list[RosterEntry], regime: Regime, by: Actor, at: datetime) -> None:
    """Write a line for each row, and end what stood before where a later certification takes its place."""
    terms = Terms(act.lapses_on, add_months(act.valid_from, -regime.whole("reseller_verified_months")))
    standing = CertifiedEntry.objects.standing().filter(entry__in=rows)
    until = dict(standing.values_list("entry_id", "lapses_on"))
    lines = []
    for row in rows:
        outcome = judge(CustomerFacts(row.ended_why, row.verified_on, row.method, until.get(row.pk)), terms)
        lines.append(
            CertifiedEntry(
                certification=act, reseller_id=act.reseller_id, entry=row, number=row.number, outcome=outcome.value,
                judged_at=at, lapses_on=act.lapses_on if outcome is Outcome.CERTIFIED else None,
            )
        )  # fmt: skip
    certified = [line.entry_id for line in lines if line.outcome == Outcome.CERTIFIED]
    if until:
        standing.filter(entry__in=certified).update(ended_at=at, ended_why=LineEnd.RENEWED.value)
    CertifiedEntry.objects.bulk_create(lines)
    act.done_count += len(lines)
    act.certified_count += len(certified)
    act.last_number = rows[-1].number if rows else act.last_number
    act.save(update_fields=["done_count", "certified_count", "last_number"])
    told = "\n".join(f"{row.reference} {line.outcome}" for row, line in zip(rows, lines, strict=True))
    audit.record(
        Verb.CUSTOMERS_CERTIFIED, act, by=by, at=at, within=act.reseller, reseller=act.reseller.reference,
        count=len(certified), rows=len(lines), digest=hashlib.sha256(told.encode()).hexdigest(),
    )  # fmt: skip


def carry_out(key: str, *, by: Actor, at: datetime) -> None:
    """The job: go through what is left of an act; begun anew it goes on after the last batch that was committed."""
    while go_on(UUID(key), by=by, at=at):
        pass


@flow
def go_on(key: UUID, *, by: Actor, at: datetime) -> bool:
    """One batch of an act over many customers; False once nothing is left, or it was withdrawn."""
    act = _locked(Certification.objects.select_related("reseller").get(pk=key))
    if act.state == ActState.DONE:
        return False
    rows, regime = _locked_rows(_to_go_through(act)), regime_on(act.valid_from)
    _go_through(act, rows, regime, by, at)
    is_over = len(rows) < MOST_AT_ONCE
    act.state, act.done_at = (ActState.DONE.value, at) if is_over else (ActState.UNDER_WAY.value, None)
    act.save(update_fields=["state", "done_at"])
    return not is_over


def _locked(act: Certification) -> Certification:
    """The act under its reseller's lock, as everything of a reseller's file is taken."""
    file.locked(act.reseller)
    return Certification.objects.select_for_update(of=("self",)).select_related("reseller").get(pk=act.pk)


@flow
def withdraw(
    certification: Certification, *, entries: Sequence[str] | None = None, why: str,
    binding: ResellerManager | None = None, is_ours: bool = False, by: Actor, at: datetime,
) -> Certification:  # fmt: skip
    """Withdraw an act as a whole, or for the customers with these references; what was not gone through yet is left.

    A manager signs it under their binding; the provider's own people (`is_ours`) need none.
    Raises NoAuthority, BadField or NothingStands.
    """
    act, told = _locked(certification), Texts()
    if not is_ours:
        authority.held(binding, act.reseller, by=by)
    why = texts.required("Why", told.line("Why", why, 500))
    lines = act.lines.standing()
    if entries is not None:
        if not entries:
            raise BadField("Customers: none is chosen. Choose those whose certification you withdraw.")
        lines = lines.filter(entry__reference__in=_as_references(entries))
    count = lines.update(ended_at=at, ended_why=LineEnd.WITHDRAWN.value, why=why)
    is_cut_short = entries is None and act.state != ActState.DONE
    if not count and not is_cut_short:
        raise NothingStands(f"Nothing of {act.reference} that you chose holds any more. Load the page again.")
    if entries is None:
        act.withdrawn_at, act.withdrawn_by, act.why = at, by.label, why
        act.state, act.done_at = ActState.DONE.value, act.done_at or at
        act.save(update_fields=["withdrawn_at", "withdrawn_by", "why", "state", "done_at"])
    audit.record(
        Verb.CERTIFICATION_WITHDRAWN, act, by=by, at=at, within=act.reseller, reseller=act.reseller.reference,
        count=count,
    )  # fmt: skip
    told.record_masked(act, by=by, at=at)
    return act
