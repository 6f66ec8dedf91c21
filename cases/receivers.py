"""What a case does when something happens below."""

from accounts import events
from cases.flows import triage


def connect() -> None:
    """Called once when the app is ready."""
    events.signal_raised.connect(open_case_for_signal, dispatch_uid="cases.signal_raised")


def open_case_for_signal(sender, *, risk_signal, by, at, **kwargs):
    """A red flag becomes a case, or joins the open one on the same customer; in the same transaction."""
    triage.take_in_signal(risk_signal, by=by, at=at)
