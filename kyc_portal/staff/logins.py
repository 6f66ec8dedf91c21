"""Log-ins and refused log-ins leave an event; the name somebody typed is never written down."""

from django.contrib.auth import get_user_model, signals
from django.utils import timezone

from kyc_portal.records import audit
from kyc_portal.records.refs import VISITOR, Actor, RecordRef
from kyc_portal.staff.verbs import Verb


def connect() -> None:
    """Called once when the app is ready."""
    signals.user_logged_in.connect(logged_in, dispatch_uid="staff.logged_in")
    signals.user_login_failed.connect(login_refused, dispatch_uid="staff.login_refused")


def logged_in(sender, request, user, **kwargs):
    """Somebody logged in."""
    audit.record(Verb.LOGGED_IN, user, by=Actor.person(user), at=timezone.now())


def login_refused(sender, credentials, request=None, **kwargs):
    """A log-in was refused; told on the person's page when the name exists, on nobody's otherwise."""
    user = get_user_model().objects.filter(username=credentials.get("username", "")).first()
    about = user or RecordRef("staff.staffmember", "unknown", "unknown user")
    audit.record(Verb.LOGIN_REFUSED, about, by=VISITOR, at=timezone.now())
