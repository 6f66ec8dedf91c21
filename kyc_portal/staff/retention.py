"""How long the people who log in are kept."""

from kyc_portal.records.retention import RetentionRule, register
from kyc_portal.staff.models import BreakGlass, StaffMember

register(
    RetentionRule(
        code="staff",
        title="Members of staff",
        covers=(StaffMember, BreakGlass),
        why="Kept for good, made inactive when they leave: the trail names them.",
    ),
)
