"""What is shown of one address beside an access from it: every verdict on it, and who else was seen there (R18)."""

from datetime import datetime

from accounts.flows.address_history import MOST_READ, MOST_VERDICTS, Said, history_of, said_then, seen_from
from accounts.flows.verdicts import judge_now
from accounts.models import AccessRecord, Account
from accounts.rules.verdicts import CONFIDENCE, NONE, REASONS, Weighed, explain, weigh
from kyc_portal.policy.current import regime_on
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import policy_table
from kyc_portal.staff.sections import Facts, Link, Table

NOTE = "An address shows no identity, and no decision rests on one alone."


def address_sections(record: AccessRecord, *, user, at: datetime) -> list:
    """The sections on the address of an access; none without an address."""
    if not record.address:
        return []
    history = history_of(record.address, at=at)
    return [
        _then(record, said_then(record, at=at)),
        _now(record.address, at),
        _history(history, record),
        *([_seen_from(record, user, at)] if user.has_perm(policy_table.right_to_see("accounts.account")) else []),
    ]


def _then(record: AccessRecord, own: Said | None) -> Facts:
    rows = [
        ("Address", record.address),
        ("As the log wrote it", record.raw_source),
        ("Country", record.country),
        ("Network", own.row.network if own else ""),
        ("Anonymiser", record.anonymiser),
        ("Not public because", record.special_use),
        ("Confidence", confidence_of(own.row.confidence and own.weighed.confidence, own.weighed) if own else ""),
        ("Why", _reasons(own.weighed.reasons) if own and own.row.confidence else ""),
        ("Lists disagree on", ", ".join(own.disagreeing) if own else ""),
        ("Each list said", own.words if own else ""),
        ("Lists asked", ", ".join(record.edition.lists) if record.edition else ""),
    ]
    return Facts("address", "What the address meant on the day of import", rows, note=NOTE)


def _now(address: str, at: datetime) -> Facts:
    judge, day = judge_now(at), legal_day(at)
    verdict = judge.of(address)
    weighed = weigh(verdict.special_use, verdict.findings, judge.book.asked, day, judge.limits)
    rows = [
        ("Country", verdict.country),
        ("Network", verdict.network),
        ("Anonymiser", verdict.anonymiser),
        ("Not public because", verdict.special_use),
        ("How far to believe it", explain(weighed)),
        ("Lists asked", ", ".join(verdict.judged_by)),
    ]
    return Facts("now", "What the lists of today say", rows, note="Shown only: what was judged before stays as it was.")


def _history(history: list[Said], record: AccessRecord) -> Table:
    rows = [
        [
            each.row.judged_at,
            _what(each),
            confidence_of(each.row.confidence, each.weighed),
            each.words or ("No list names it." if each.row.confidence else "Not kept: judged before lists were kept."),
            _since(each, history),
        ]
        for each in history
    ]
    return Table(
        "verdicts", "Every verdict on this address", ["Judged", "What it was", "Confidence", "Lists", "Since before"],
        rows, empty="No verdict is kept yet; it is added within minutes.",
        note=f"The newest {MOST_VERDICTS} are shown." if len(history) == MOST_VERDICTS else "",
    )  # fmt: skip


def _what(said: Said) -> str:
    row = said.row
    return "; ".join(filter(None, (row.country, row.network, row.anonymiser, row.special_use))) or "nothing known"


def _since(said: Said, history: list[Said]) -> str:
    if said.changed:
        return "; ".join(said.changed)
    return "the first verdict" if said is history[-1] and len(history) < MOST_VERDICTS else "nothing changed"


def confidence_of(confidence: str, weighed: Weighed) -> str:
    """A code of CONFIDENCE in words, "" for not stated, and by today's figures how much the address counts."""
    if not confidence:
        return "not stated then"
    counted = "" if confidence == NONE else f"; counts {weighed.weight * 100:.0f} of 100"
    return f"{CONFIDENCE[confidence]}{counted}"


def _reasons(reasons: tuple[str, ...]) -> str:
    return " ".join(REASONS[reason] for reason in reasons)


def _seen_from(record: AccessRecord, user, at: datetime) -> Table:
    """Accounts this person may see, the most frequent first, counted with a bound."""
    most = regime_on(legal_day(at)).whole("address_accounts_most")
    found = seen_from(record.address, around=record.at, at=at)
    shown = policy_table.rows_for(user, Account.objects.filter(pk__in=list(found.accounts))).select_related("party")
    accounts = sorted(shown, key=lambda account: (-found.accounts[account.pk], account.reference))
    notes = [f"Within {found.days} days before and after this access."]
    if len(accounts) > most:
        notes.append(f"More than {most} accounts: an exit that many share says nothing of any of them.")
    if not found.is_all:
        notes.append(f"Among the newest {MOST_READ:,} accesses from it.")
    rows = [
        [Link(account.reference, account), account.party.legal_name, found.accounts[account.pk]]
        for account in accounts[:most]
    ]
    return Table(
        "seen-from", "Accounts seen from this address", ["Account", "Customer", "Accesses"], rows, note=" ".join(notes)
    )
