"""What a case does when something happens below."""

from django.db.models.signals import post_save

from accounts import events
from accounts.models import Account
from cases.flows import property_reports, triage
from kyc_portal.policy.models import Holiday, RegimeNumber
from kyc_portal.records.acting import current_actor
from kyc_portal.records.clock import moment
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue

RECOMPUTE = "cases.recompute_due"


def connect() -> None:
    """Called once when the app is ready."""
    events.signal_raised.connect(open_case_for_signal, dispatch_uid="cases.signal_raised")
    events.account_blocked.connect(open_property_report, dispatch_uid="cases.account_blocked")
    post_save.connect(weigh_again, sender=Account, dispatch_uid="cases.risk_rated")
    for model in (Holiday, RegimeNumber):
        post_save.connect(count_again, sender=model, dispatch_uid=f"cases.calendar.{model.__name__}")


def open_case_for_signal(sender, *, risk_signal, by, at, **kwargs):
    """A red flag becomes a case, or joins the open one on the same customer; in the same transaction."""
    triage.take_in_signal(risk_signal, by=by, at=at)


def open_property_report(sender, *, account, restriction, by, at, **kwargs):
    """A block is to be reported within some business days: the report waits on the legal desk from that moment on."""
    property_reports.open_for_block(account, restriction, by=by, at=at)


def weigh_again(sender, *, instance, update_fields=None, **kwargs):
    """A new risk of an account changes what its cases weigh; whatever else is saved costs nothing here."""
    if update_fields and "risk_score" in update_fields:
        triage.weigh_many([instance], by=current_actor() or SCHEDULER, at=moment(None))


def count_again(sender, *, raw=False, **kwargs):
    """Another calendar, or another figure, moves what is due: asked for in the same transaction, done by a worker."""
    if not raw:
        now = moment(None)
        queue.ask(RECOMPUTE, due_at=now, at=now)
