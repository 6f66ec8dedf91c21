"""Log-ins, refusals and changes of second factors leave an event; the name somebody typed is never written down."""

from allauth.account.internal.flows.login import clear_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.mfa import signals as factor_signals
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.signals import user_locked_out
from django.contrib.auth import get_user_model, signals
from django.db import transaction
from django.utils import timezone

from kyc_portal.records import audit
from kyc_portal.records.keys import ensure_key
from kyc_portal.records.refs import VISITOR, Actor, RecordRef
from kyc_portal.staff import factors, sessions
from kyc_portal.staff.verbs import Verb

NOBODY = RecordRef("staff.staffmember", "unknown", "unknown user")


def connect() -> None:
    """Called once when the app is ready."""
    signals.user_logged_in.connect(logged_in, dispatch_uid="staff.logged_in")
    signals.user_logged_out.connect(logged_out, dispatch_uid="staff.logged_out")
    signals.user_login_failed.connect(login_refused, dispatch_uid="staff.login_refused")
    user_locked_out.connect(locked_out, dispatch_uid="staff.locked_out")
    authentication_step_completed.connect(confirmed, dispatch_uid="staff.confirmed")
    factor_signals.authenticator_removed.connect(factor_removed, dispatch_uid="staff.factor_removed")
    factor_signals.authenticator_reset.connect(codes_renewed, dispatch_uid="staff.codes_renewed")
    factor_signals.authentication_failed.connect(code_refused, dispatch_uid="staff.code_refused")


def logged_in(sender, request, user, **kwargs):
    """Somebody logged in: the clocks of their session start."""
    now = timezone.now()
    sessions.begin(request.session, at=now)
    ensure_key(factors.SECRETS)  # now, so that no page has to make it while somebody only reads
    method = ", ".join(factors.methods_of(request, user))
    audit.record(Verb.LOGGED_IN, user, by=Actor.person(user), at=now, method=method)


def logged_out(sender, request, user, **kwargs):
    """Somebody logged out, or the portal did it for them."""
    if user is None:
        return
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    reason = getattr(request, "session_over", "")
    verb, facts = (Verb.SESSION_ENDED, {"reason": reason}) if reason else (Verb.LOGGED_OUT, {})
    audit.record(verb, user, by=Actor.person(user), at=timezone.now(), **facts)


def _named(credentials: dict):
    return get_user_model().objects.filter(username__iexact=credentials.get("username") or "").first() or NOBODY


def login_refused(sender, credentials, request=None, **kwargs):
    """A log-in was refused; told on the person's page when the name exists, on nobody's otherwise."""
    reason = "locked" if getattr(request, "axes_locked_out", False) else "password"
    audit.record(Verb.LOGIN_REFUSED, _named(credentials), by=VISITOR, at=timezone.now(), reason=reason)


def locked_out(sender, request, **kwargs):
    """A lock has begun; log-ins refused while it lasts send the same signal and are told as refused only."""
    if request.axes_failures_since_start is not None:
        about, count = _named(request.axes_credentials), request.axes_failures_since_start
        audit.record(Verb.LOCKED_OUT, about, by=VISITOR, at=timezone.now(), count=count)


def code_refused(sender, request, user, **kwargs):
    """A wrong or spent code at the second step or when asked again."""
    by = Actor.person(user) if request.user.is_authenticated else VISITOR
    audit.record(Verb.LOGIN_REFUSED, user, by=by, at=timezone.now(), reason="code")


def confirmed(sender, request, user, method, reauthenticated=False, type=None, **kwargs):
    """Somebody who is logged in proved again who they are: a new key, and grave acts for some minutes."""
    if not reauthenticated:
        return
    now = timezone.now()
    request.session[sessions.CONFIRMED] = now.timestamp()
    sessions.renew_key(request)
    audit.record(Verb.CONFIRMED, user, by=Actor.person(user), at=now, method=type or method)


@transaction.atomic
def factor_removed(sender, request, user, authenticator, **kwargs):
    """A factor was given up; without any, the session no longer counts as opened by one."""
    now, kind = timezone.now(), authenticator.type
    factors.note_change(user, Verb.FACTOR_REMOVED, kind, by=Actor.person(user), at=now)
    if not Authenticator.objects.filter(user=user).exists():
        clear_authentication_records(request)
    sessions.end_others(request, reason="factor_removed", at=now)


def codes_renewed(sender, request, user, authenticator, **kwargs):
    """New recovery codes replace the old ones."""
    factors.note_change(user, Verb.CODES_RENEWED, authenticator.type, by=Actor.person(user), at=timezone.now())
