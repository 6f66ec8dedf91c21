"""Jobs and dead letters: what waits for a worker, and what five attempts could not do."""

from django.contrib import admin

from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, timeline_section
from kyc_portal.work.models import Job, JobState
from kyc_portal.work.reviving import revive

TONES = {JobState.DEAD: "danger", JobState.WAITING: "info", JobState.LEASED: "info", JobState.DONE: "good"}


class StateFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "dead": ("dead letters", lambda rows, user, today: rows.dead()),
        "waiting": ("waiting", lambda rows, user, today: rows.filter(state=JobState.WAITING)),
        "leased": ("being done", lambda rows, user, today: rows.filter(state=JobState.LEASED)),
        "done": ("done", lambda rows, user, today: rows.filter(state=JobState.DONE)),
    }


@admin.register(Job)
class JobAdmin(RecordAdmin):
    list_display = ["reference", "kind", "state", "attempts", "last_error", "asked_at", "due_at"]
    list_filter = [StateFilter]
    search_fields = ["kind", "key"]
    search_help_text = "Kind of the job, or the key of its record."
    ordering = ["-due_at"]

    def page_title(self, job):
        return job.kind

    def badges(self, job):
        return [Badge(job.get_state_display(), TONES.get(job.state, ""))]

    def sections(self, job, *, user, at):
        rows = [
            ("Kind", job.kind), ("Record", job.key), ("Asked for", job.asked_at), ("Due", job.due_at),
            ("Attempts", job.attempts), ("Last error", job.last_error), ("Leased until", job.lease_until),
            ("Done", job.finished_at), ("Counted by a sweep", job.is_sweep),
        ]  # fmt: skip
        return [Facts("job", "The job", rows), timeline_section(job)]

    @flow_action(
        "Try again", primary=True,
        warning="Find out first what failed: the error's kind stands on the job's page.",
    )  # fmt: skip
    def try_again(self, job, *, by, at):
        revive(job, by=by, at=at)
        return f"{job.reference} will be tried again."
