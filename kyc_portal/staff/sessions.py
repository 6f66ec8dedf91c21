"""How long a session lives, and what ends it before (ASVS 7.2.4, 7.3.1, 7.3.2, 7.4.1-7.4.3).

A session keeps three moments: when it began, when it was last used, and when the person last proved who they are.
"""

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import F

from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.verbs import Verb

BEGAN, SEEN, CONFIRMED = "began_at", "seen_at", "confirmed_at"
ONE_MINUTE = 60  # how exactly the last use is kept, so that not every click writes, and how far a clock may step back


class NoSuchSession(Refusal):
    """The session is not this person's, or has ended already."""


def begin(session: SessionBase, *, at: datetime) -> None:
    """Start the clocks of a session; called at log-in, when Django has given it a new key."""
    session[BEGAN] = session[SEEN] = session[CONFIRMED] = at.timestamp()


def why_over(session: SessionBase, *, at: datetime) -> str:
    """ "idle", "longest" or "clock" when the session has to end now, else ""; one without clocks is over.

    A moment that lies ahead means that a clock was set back; such a session could live for ever.
    """
    began, seen, now = session.get(BEGAN, 0), session.get(SEEN, 0), at.timestamp()
    if max(began, seen) > now + ONE_MINUTE:
        return "clock"
    if now - began >= settings.SESSION_LONGEST:
        return "longest"
    return "idle" if now - seen >= settings.SESSION_IDLE else ""


def touch(session: SessionBase, *, at: datetime) -> None:
    """Note that the session is in use, at most once a minute."""
    if at.timestamp() - session[SEEN] >= ONE_MINUTE:
        session[SEEN] = at.timestamp()


def renew_key(request) -> None:
    """Give the current session a new key; what the person sees of it goes along."""
    old = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


@flow
def end_all(user: StaffMember, *, reason: str, by: Actor, at: datetime) -> StaffMember:
    """End every session of a person at its next request. `reason` is a code for the trail."""
    StaffMember.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])
    UserSession.objects.filter(user=user).delete()
    audit.record(Verb.SESSIONS_ENDED, user, by=by, at=at, reason=reason)
    return user


def end_others(request, *, reason: str, at: datetime) -> None:
    """End every session of the person who asks but the one they ask from, which gets a new key."""
    end_all(request.user, reason=reason, by=request.user.as_actor, at=at)
    update_session_auth_hash(request, request.user)
    UserSession.objects.create_from_request(request)


@flow
def end_one(user: StaffMember, key: int, *, by: Actor, at: datetime) -> None:
    """End one session of a person; raises NoSuchSession for somebody else's."""
    session = UserSession.objects.select_for_update().filter(user=user, pk=key).first()
    if session is None:
        raise NoSuchSession("This session has ended already.")
    session.end()
    audit.record(Verb.SESSION_ENDED, user, by=by, at=at, reason="chosen")


def forget_ended() -> int:
    """Delete what is kept of sessions that are over; returns how many."""
    return sum(session.purge() for session in UserSession.objects.select_related("user").iterator())
