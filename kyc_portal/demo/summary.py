"""What the demo prints: what happened, with references, and how to look at it."""

from collections.abc import Iterator

from accounts.models import AccessRecord, Account, CouldNotVerify, ScreeningHit, Verification, WatchlistSnapshot
from cases.models import Bundle, Case, Decision
from kyc_portal.demo import own_page
from kyc_portal.demo.people import PASSWORD, PEOPLE
from kyc_portal.notices.models import Notice
from kyc_portal.records import audit, holds, retention, verifying
from kyc_portal.records.models import AuditEvent, Tombstone
from kyc_portal.records.offline.verify_audit import WHOLE
from kyc_portal.records.refs import RecordRef


def lines(*, as_of) -> Iterator[str]:
    """The summary, line by line; read from the database, so that a second run tells the same."""
    yield "What happened in this made-up world"
    yield from _counts()
    yield ""
    yield "The thread"
    yield from _thread()
    yield ""
    yield from _life_of_the_purged()
    yield ""
    yield "What a purge keeps today, and why"
    yield from _kept(as_of)
    yield ""
    yield f"Log in with any of these names; the password is {PASSWORD} (this local world only)"
    for username, role in PEOPLE.items():
        yield f"  {username:<10}{role}"
    yield ""
    yield from _own_page()


def _own_page() -> Iterator[str]:
    """The link by which a made-up customer opens their page, or how a new one is made."""
    yield "The page of a customer who was asked for something; the link opens it once"
    path = own_page.path()
    yield f"  {path}" if path else "  It was used or is over. As rosa: open that account, press “Send the link again”."


def _counts() -> Iterator[str]:
    lists = WatchlistSnapshot.objects.order_by("loaded_at")
    gone = Tombstone.objects.filter(label="accounts.account").count()
    yield f"  customers taken in     {Account.objects.count() + gone}"
    yield f"  verifications done     {Verification.objects.verified().count()}"
    yield f"  list versions loaded   {', '.join(f'{each.reference} ({each.entry_count} entries)' for each in lists)}"
    yield f"  access records         {AccessRecord.objects.count()}"
    yield f"  notices sent           {Notice.objects.filter(state='sent').count()}"
    yield f"  audit events           {AuditEvent.objects.count()}"
    verdict = verifying.verify()
    told = "verified" if verdict.code == WHOLE else verdict.sentence
    yield f"  audit trail            {verdict.sealed} events sealed, {told}"


def _thread() -> Iterator[str]:
    for account in Account.objects.select_related("party").order_by("created_at"):
        restrictions = ", ".join(each.level for each in account.restrictions.in_force())
        cases = ", ".join(Case.objects.filter(subjects__account=account).values_list("reference", flat=True))
        state = account.get_status_display() + (f", {restrictions}" if restrictions else "")
        yield f"  {account.reference}  {account.party.legal_name:<28.28} {state:<24} {cases}"
    for hit in ScreeningHit.objects.confirmed():
        yield f"  {hit.reference}  confirmed by {hit.proposed_by} and {hit.judged_by}, score {hit.score}"
    for decision in Decision.objects.order_by("proposed_at"):
        waits = "waits for a second person" if decision.state == "proposed" else decision.state_in_words
        second = f"countersigned by {decision.answered_by}" if decision.answered_by else waits
        yield f"  {decision.reference}  {decision.get_outcome_display()}, proposed by {decision.proposed_by}, {second}"
    for row in CouldNotVerify.objects.prefetch_related("redress").order_by("proposed_at"):
        asked = next(iter(row.redress.all()), None)
        then = f"; {asked.reference} asks for redress, answer by {asked.due_on}" if asked else ""
        yield f"  {row.reference}  could not be verified: {row.get_outcome_display()}, {row.get_state_display()}{then}"
    for bundle in Bundle.objects.ready():
        what = f"{bundle.payload_count} files, approved by {bundle.approved_by}"
        yield f"  {bundle.reference}  built from {bundle.case.reference}: {what}"
    for stone in Tombstone.objects.order_by("purged_at", "label"):
        rows = sum(stone.counts.values())
        yield f"  {stone.name}  purged: {rows} rows, kept through {stone.kept_through} ({stone.basis})"


def _life_of_the_purged() -> Iterator[str]:
    """One customer from intake to purge, as the audit trail still tells it: nothing personal is left in it."""
    stone = Tombstone.objects.filter(label="accounts.account").first()
    yield f"The life of {stone.name}, as the audit trail still tells it"
    for event in audit.history_of(RecordRef(stone.label, stone.key, stone.name)).reverse():
        yield f"  {event.at:%Y-%m-%d}  {event.actor_label:<14} {audit.as_sentence(event)}"


def _kept(as_of) -> Iterator[str]:
    for rule in retention.all_rules():
        for root in rule.candidates(as_of) if rule.candidates else ():
            period = retention.longest(rule.periods(root))
            if period is not None:
                reasons = holds.why_held(rule.guarded(root)) or [
                    f"kept through {period.kept_through}: {period.sentence}"
                ]
                yield f"  {root.reference}  {' '.join(reasons)}"
