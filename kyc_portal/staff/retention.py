"""How long the people who log in are kept."""

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session

from kyc_portal.records.retention import RetentionRule, register
from kyc_portal.staff.models import BreakGlass, StaffMember

register(
    RetentionRule(
        code="staff",
        title="Members of staff",
        covers=(StaffMember, BreakGlass),
        why="Kept for good, made inactive when they leave: the trail names them.",
    ),
    RetentionRule(
        code="roles",
        title="Roles and who has them",
        covers=(
            *(Group, Permission, ContentType, Group.permissions.through),
            *(StaffMember.groups.through, StaffMember.user_permissions.through),
        ),
        why="Made by the table of roles and by administrators; they say what members of staff may do.",
    ),
    RetentionRule(
        code="admin_log",
        title="Django's own log of changes",
        covers=(LogEntry,),
        why="Nothing is written to it: the trail tells what was done, and this log would keep names after a purge.",
    ),
    RetentionRule(
        code="factors",
        title="Second factors and identities of single sign-on",
        covers=(Authenticator, SocialAccount),
        why="Until the member of staff or an administrator removes them; secrets are sealed, no claim is kept.",
    ),
    RetentionRule(
        code="sessions",
        title="Sessions",
        covers=(Session, UserSession),
        why="Until the session ends, 12 hours at most unless set otherwise; a task deletes what is left every hour.",
    ),
    RetentionRule(
        code="login-counts",
        title="Counts of refused log-ins",
        covers=(AccessAttempt, AccessAttemptExpiration),
        why="Until no lock rests on them, 15 minutes unless set otherwise; names are kept as keyed fingerprints only.",
    ),
    RetentionRule(
        code="login-unused",
        title="Tables of the log-in libraries that stay empty",
        covers=(EmailAddress, EmailConfirmation, SocialApp, SocialToken, AccessFailureLog, AccessLog),
        why="Nothing is written to them.",
    ),
)
