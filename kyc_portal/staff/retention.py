"""How long the people who log in are kept."""

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
        code="sessions",
        title="Sessions",
        covers=(Session,),
        why="Until the session ends; they hold a key of a member of staff and nothing else.",
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
)
