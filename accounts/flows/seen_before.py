"""Somebody shut out comes back under another name: look back, keep the tie, have it judged (R39, R46, R106).

By delta only: whose values came or changed is compared once (`look_back_due`), and whoever shares something with a
customer that is shut out now is compared anew. A tie never decides anything: it raises a flag, and holds an opening up
until a person has said whether they are the same.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from accounts.flows import parties, shut_out, signals, texts, ties_before
from accounts.flows.account_file import AccountFile
from accounts.flows.batches import BATCH
from accounts.flows.holders import held_by
from accounts.flows.keeping import parties_of_file
from accounts.flows.links import figures_of, figures_on
from accounts.flows.ownership import parties_below
from accounts.flows.ties_before import TieBefore
from accounts.models import Account, Party, RiskSignal, SeenBefore
from accounts.models.account import ENDED_STATUSES
from accounts.models.seen_before import Judgement
from accounts.rules.links import LinkFigures
from accounts.verbs import Verb
from kyc_portal.four_eyes import require_second_person
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import SCHEDULER, Actor, RecordRef
from kyc_portal.refusal import Refusal
from kyc_portal.work import failures, queue

CODE = "seen_before"
LOOK_AGAIN = "accounts.look_again"
LONGEST_WHY = 300
UNLIKE = "not the same as before"


class TieIsOver(Refusal):
    """Nothing is held against the earlier customer any more."""


# --- a new or changed customer ----------------------------------------------------------------------------------------


@flow
def look_back(party: Party, *, by: Actor, at: datetime) -> list[SeenBefore]:
    """Compare a party, or the companies it owns a part of, with everybody we shut out; returns the ties that stand.

    Of those whose accounts all ended nothing is asked. What is new raises the red flag of the catalogue, above the
    regime's figure.
    """
    keys = parties_below(party, legal_day(at))
    locked = Account.objects.select_for_update(of=("self",)).filter(party__in=keys).order_by("pk")
    in_use = [account for account in locked if account.status not in ENDED_STATUSES]
    list(Party.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk").values_list("pk"))
    customers = {account.party_id for account in in_use}
    changed = _write(customers, by=by, at=at)
    Party.objects.filter(pk__in=keys, look_back_due=True).update(look_back_due=False)
    for account in in_use:
        if account.party_id in changed:
            signals.run_detectors(account, codes={CODE}, by=by, at=at)
    standing = list(SeenBefore.objects.standing().filter(party__in=customers).order_by("-score", "reference"))
    audit.record(Verb.LOOKED_BACK, party, by=by, at=at, party=party.reference, count=len(standing))
    return standing


def _write(customers: Collection[UUID], *, by: Actor, at: datetime) -> set[UUID]:
    """Bring the rows of these customers up to date; returns of whom something to look at is new."""
    day = legal_day(at)
    found = ties_before.find(customers, figures_on(day), on=day)
    there = {}
    for row in SeenBefore.objects.filter(party__in=customers):
        there[row.party_id, row.earlier_id, row.remembered_id] = row
    changed = set()
    for customer in customers:
        for tie in found.get(customer, ()):
            row = there.pop((customer, *tie.earlier.key), None)
            if _keep(customer, tie, row, by=by, at=at):
                changed.add(customer)
    return changed | _end(there.values(), by=by, at=at)


def _end(rows: Iterable[SeenBefore], *, by: Actor, at: datetime) -> set[UUID]:
    """End those of these ties whose earlier customer has nothing held against it any more; returns whose they were.

    A tie that only has become weak stays as it was found: else many new customers with one value would hide it.
    """
    rows = [row for row in rows if row.over_at is None and row.earlier_id]
    earlier = {row.earlier_id for row in rows}
    held = set(shut_out.accounts_shut_out(earlier).values_list("party_id", flat=True)) if earlier else set()
    ended = [row for row in rows if row.earlier_id not in held]
    for row in ended:
        row.over_at = row.updated_at = at
        row.save(update_fields=["over_at", "updated_at"])
        audit.record(Verb.TIE_OVER, row, by=by, at=at, row=row.reference)
    return {row.party_id for row in ended}


def _keep(customer: UUID, tie: TieBefore, row: SeenBefore | None, *, by: Actor, at: datetime) -> bool:
    """Write one tie; whether there is something new in it: only kinds are evidence, another count of holders is not.

    One that only has become weaker stays as it was found.
    """
    is_new = row is None or row.over_at is not None or row.why != tie.earlier.why
    more = row is not None and set(tie.kinds) - {each["kind"] for each in row.shared}
    unjudged = row is not None and row.judgement and _asks_anew(row, tie.kinds)
    if not (is_new or more or unjudged) and tie.strength.score < float(row.score):
        return False
    if row is None:
        row = SeenBefore(
            party_id=customer, earlier_id=tie.earlier.party, remembered_id=tie.earlier.remembered, found_at=at
        )
    if unjudged:
        row.judgement, row.judged_at, row.judged_by, row.judged_why = "", None, "", ""
    row.earlier_reference = tie.earlier.reference
    before = (row.why, row.score, row.shared, row.sentence)
    row.why, row.score = tie.earlier.why, Decimal(str(tie.strength.score))
    row.shared, row.sentence = tie.shared, tie.sentence
    if not (is_new or more or unjudged) and before == (row.why, row.score, row.shared, row.sentence):
        return False
    row.over_at, row.updated_at = None, at
    row.save()
    if is_new or more or unjudged:
        audit.record(
            Verb.TIE_FOUND, row, by=by, at=at, within=row.party, party=row.party.reference, row=row.reference,
            earlier=tie.earlier.reference, score=f"{tie.strength.score:.4f}", matched=", ".join(tie.kinds),
        )  # fmt: skip
    return bool(is_new or more or unjudged)


def _asks_anew(row: SeenBefore, kinds: list[str]) -> bool:
    """Whether there is evidence a judgement did not rest on; that they are the same needs no more of it."""
    return row.judgement != Judgement.SAME and bool(set(kinds) - set(row.judged_on))


def look_back_due(*, by: Actor = SCHEDULER, at: datetime) -> dict[str, int]:
    """Compare whoever is new or has changed, each tied one in a transaction of its own; may be repeated and killed."""
    told, last = Counter(done=0, failed=0), None
    while True:
        due = Party.objects.filter(look_back_due=True).order_by("pk")
        keys = list((due.filter(pk__gt=last) if last else due).values_list("pk", flat=True)[:BATCH])
        if not keys:
            return dict(told)
        last = keys[-1]
        told.update(_look(keys, by=by, at=at))


def _look(keys: list[UUID], *, by: Actor, at: datetime) -> dict[str, int]:
    tied = _pass_untied(keys, by=by, at=at)
    rows = Party.objects.filter(pk__in=tied).order_by("pk")
    told = failures.sweep("accounts.look_back", rows, lambda row: look_back(row, by=by, at=at), at=at)
    return {"done": told["done"] + len(keys) - len(tied), "failed": told["failed"]}


@flow
def _pass_untied(keys: list[UUID], *, by: Actor, at: datetime) -> list[UUID]:
    """Of these parties note as compared who is tied to nobody; returns the others, and whom somebody has locked."""
    rows = Party.objects.filter(pk__in=keys).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(of=("self",), skip_locked=True)
    free, day = set(rows.values_list("pk", flat=True)), legal_day(at)
    tied = set(ties_before.find(free, figures_on(day), on=day))
    tied |= set(SeenBefore.objects.filter(party__in=free).values_list("party_id", flat=True))
    untied = free - tied
    if untied:
        count = Party.objects.filter(pk__in=untied, look_back_due=True).update(look_back_due=False)
        about = RecordRef("accounts.party", "several", f"{len(untied)} parties")
        audit.record(Verb.FOUND_UNTIED, about, by=by, at=at, count=count)
    return [key for key in keys if key not in untied]


# --- somebody is shut out ---------------------------------------------------------------------------------------------


def note_standing(accounts: Collection[UUID], *, by: Actor, at: datetime) -> None:
    """What is held against these accounts may have changed: have everybody who shares something compared anew."""
    rows = Account.objects.filter(pk__in=accounts)
    known = SeenBefore.objects.filter(earlier__in=rows.values("party")).values_list("earlier_id", flat=True)
    concerned = set(shut_out.accounts_shut_out(rows.values("party")).values_list("pk", flat=True)) & set(accounts)
    concerned |= set(rows.filter(party__in=list(known)).values_list("pk", flat=True))
    for key in sorted(concerned, key=str):
        queue.ask(LOOK_AGAIN, str(key), due_at=at, at=at)


def look_again(key: str, *, by: Actor, at: datetime) -> dict[str, int]:
    """A job: present customers that share something with this account's file are found at once."""
    keys = _make_due(key, by=by, at=at)
    told = Counter(done=0, failed=0)
    for start in range(0, len(keys), BATCH):
        told.update(_look(keys[start : start + BATCH], by=by, at=at))
    return dict(told)


@flow
def _make_due(key: str, *, by: Actor, at: datetime) -> list[UUID]:
    account = Account.objects.filter(pk=key).first()
    if account is None:  # purged meanwhile; then what is remembered is found by whoever comes
        return []
    figures, file = figures_on(legal_day(at)), parties_of_file(account)
    held = held_by(file, most=figures.most_holders)
    keys = set().union(*(each.holders for each in held), file)
    keys |= set(SeenBefore.objects.filter(earlier=account.party_id).values_list("party_id", flat=True))
    keys.discard(account.party_id)
    rows = Party.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    locked = list(rows.values_list("pk", flat=True))
    count = Party.objects.filter(pk__in=locked, look_back_due=False).update(look_back_due=True)
    if count:
        audit.record(Verb.LOOK_BACK_ASKED, account, by=by, at=at, count=count)
    return locked


# --- people judge, and an opening waits for them ----------------------------------------------------------------------


@flow
def judge(tie: SeenBefore, *, judgement: str, why: str, by: Actor, at: datetime) -> SeenBefore:
    """Say whether the two are the same customer, with a reason; one person does.

    The same evidence is not raised again. When nobody is left who may be the same, the open red flag is answered.
    Raises TieIsOver, BadField, and SecondPersonNeeded for whoever is no person.
    """
    require_second_person(None, by, deed=f"judging {tie.reference}")
    party = parties.locked(tie.party)
    tie = SeenBefore.objects.select_for_update(of=("self",)).get(pk=tie.pk)
    if tie.over_at is not None:
        raise TieIsOver(f"Nothing is held against the earlier customer of {tie.reference} any more.")
    told = texts.Texts()
    tie.judgement = texts.chosen("Judgement", judgement, Judgement)
    tie.judged_why = texts.required("Reason", told.line("Reason", why.strip(), LONGEST_WHY))
    tie.judged_on = sorted(each["kind"] for each in tie.shared)
    tie.judged_at, tie.judged_by = at, by.label
    tie.save(update_fields=["judgement", "judged_why", "judged_on", "judged_at", "judged_by"])
    audit.record(
        Verb.TIE_JUDGED, tie, by=by, at=at, within=party, row=tie.reference, judgement=tie.judgement,
        party=party.reference,
    )  # fmt: skip
    told.record_masked(tie, by=by, at=at)
    _settle_flags(party, by=by, at=at)
    return tie


def _settle_flags(party: Party, *, by: Actor, at: datetime) -> None:
    """Bring the open flags of a customer in line with what is left to think of its ties."""
    flag_from = figures_on(legal_day(at)).flag_from
    is_left = SeenBefore.objects.bearing(flag_from).filter(party=party).exists()
    flags = RiskSignal.objects.open().filter(account__party=party, code=CODE).select_related("account")
    for flag in flags.order_by("account", "reference"):
        if is_left:
            signals.run_detectors(flag.account, codes={CODE}, by=by, at=at)
        else:
            signals.answer_signal(flag, answer=UNLIKE, by=by, at=at)


def why_not_open(file: AccountFile) -> list[str]:
    """The ties that stand in the way of opening an account, as sentences: those found to be the same, and strong ones
    of which nobody has found that they are not.

    While the customer or an owner was not compared yet, it is compared here.
    """
    customer, figures = file.account.party, figures_of(file.regime)
    rows = {(row.earlier_id, row.remembered_id): row for row in SeenBefore.objects.standing().filter(party=customer)}
    told = {
        key: _in_the_way(row.sentence, row.reference, row.judgement)
        for key, row in rows.items()
        if _stops(row, figures)
    }
    if any(party.look_back_due for party in file.everybody):
        for tie in ties_before.find([customer.pk], figures, on=file.on).get(customer.pk, ()):
            row = rows.get(tie.earlier.key)
            is_judged = row is not None and row.judgement and not _asks_anew(row, tie.kinds)
            if tie.strength.score >= figures.stop_from and not is_judged:
                told[tie.earlier.key] = _in_the_way(tie.sentence, row.reference if row else "", "")
    return list(told.values())


def _stops(row: SeenBefore, figures: LinkFigures) -> bool:
    """Whether a standing tie stands in the way: found to be the same, or strong and not found to be others."""
    if row.judgement == Judgement.SAME:
        return True
    return row.judgement != Judgement.NOT_SAME and float(row.score) >= figures.stop_from


def held_up_by(tie: SeenBefore, *, at: datetime) -> list[str]:
    """The accounts, by reference in words, whose opening this tie stands in the way of; one query, and the figures."""
    if tie.over_at is not None or not _stops(tie, figures_on(legal_day(at))):
        return []
    waiting = Account.objects.waiting().filter(party=tie.party_id).order_by("created_at", "pk")
    return [f"the opening of {reference}" for reference in waiting.values_list("reference", flat=True)]


def _in_the_way(sentence: str, reference: str, judgement: str) -> str:
    named = f"the tie {reference}" if reference else "the tie, once it stands on the customer's page"
    if judgement == Judgement.SAME:
        return f"{sentence} Somebody found that they are the same ({reference}). Do not open it, or judge it anew."
    if judgement:
        return f"{sentence} Nobody could tell whether they are the same ({reference}). Find out more and judge it anew."
    return f"{sentence} Judge {named}: are they the same?"
