"""What accounts does when its own rows are written, whichever flow wrote them."""

from django.db.models.signals import post_save

from accounts.flows import access_answer, seen_before
from accounts.models import Account, Restriction
from accounts.models.account import WAITING_STATUSES
from accounts.rules.closing import GRAVE_LEVELS
from kyc_portal.records.acting import at_end_of_flow, current_actor
from kyc_portal.records.refs import SCHEDULER

COUNTS = {Account: {"status"}, Restriction: {"level", "reason", "until", "lifted_at"}}


def connect() -> None:
    """Called once when the app is ready."""
    post_save.connect(compare_account, sender=Account, dispatch_uid="accounts.access_of_account")
    post_save.connect(compare_restricted, sender=Restriction, dispatch_uid="accounts.access_of_restriction")
    post_save.connect(note_account, sender=Account, dispatch_uid="accounts.standing_of_account")
    post_save.connect(note_restricted, sender=Restriction, dispatch_uid="accounts.standing_of_restricted")


def note_account(sender, *, instance, created, raw=False, update_fields=None, **kwargs):
    """Whoever is shut out, or no longer is, is looked for among present customers."""
    if not raw and not created and (update_fields is None or "status" in update_fields):
        at_end_of_flow(seen_before.note_standing, instance.pk, by=current_actor() or SCHEDULER)


def note_restricted(sender, *, instance, raw=False, **kwargs):
    """The same for a restriction that came or was lifted."""
    if not raw and instance.level in GRAVE_LEVELS:
        at_end_of_flow(seen_before.note_standing, instance.account_id, by=current_actor() or SCHEDULER)


def compare_account(sender, *, instance, created, raw=False, update_fields=None, **kwargs):
    """Another state may be another answer; a prospect that was taken in is told to nobody."""
    if raw or (created and instance.status in WAITING_STATUSES):
        return
    _note(sender, instance.pk, update_fields)


def compare_restricted(sender, *, instance, raw=False, update_fields=None, **kwargs):
    """A restriction came, changed or was lifted."""
    if not raw:
        _note(sender, instance.account_id, update_fields)


def _note(model, account, update_fields) -> None:
    if update_fields is None or COUNTS[model] & set(update_fields):
        access_answer.note_written(account, by=current_actor() or SCHEDULER)
