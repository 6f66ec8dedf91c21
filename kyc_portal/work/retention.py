"""How long jobs are kept."""

from kyc_portal.records.retention import RetentionRule, register
from kyc_portal.work.models import Job

register(
    RetentionRule(
        code="jobs",
        title="Jobs and dead letters",
        covers=(Job,),
        why="Kept as the record of what was done; they hold references only, no personal data.",
        comes_and_goes=True,
    ),
)
