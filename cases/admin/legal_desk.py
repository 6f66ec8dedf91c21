"""Lawful grounds of voluntary disclosures, and backup copies: their lists and pages."""

from django.contrib import admin

from cases.admin.legal_forms import MadeForm, NoticeForm, ReleaseForm
from cases.flows import backup_copies, voluntary
from cases.models import BackupCopy, VoluntaryDisclosure
from cases.rules.backup import BackupState
from cases.rules.disclosure import Ground
from cases.rules.voluntary import VOLUNTARY, VoluntaryState
from kyc_portal.policy.models import Citation, Standing
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, clocks_section, holds_section, timeline_section

VOLUNTARY_TONES = {
    VoluntaryState.PROPOSED: "warning",
    VoluntaryState.APPROVED: "good",
    VoluntaryState.DECLINED: "",
    VoluntaryState.WITHDRAWN: "",
}
BACKUP_TONES = {
    BackupState.ORDERED: "warning",
    BackupState.MADE: "warning",
    BackupState.CONFIRMED: "info",
    BackupState.RELEASED: "",
}


class VoluntaryFilter(QuerysetFilter):
    title = "queue"
    parameter_name = "queue"
    options = {
        "to_approve": (
            "to approve", lambda rows, user, today: rows.to_approve().exclude(proposed_by_key=str(user.pk))
        ),
        "approved": ("approved", lambda rows, user, today: rows.standing()),
    }  # fmt: skip


@admin.register(VoluntaryDisclosure)
class VoluntaryAdmin(RecordAdmin):
    list_display = ["reference", "case", "ground", "state", "proposed_by", "proposed_at"]
    list_filter = [VoluntaryFilter, "state"]
    list_select_related = ["case"]
    search_fields = ["reference", "case__reference"]
    ordering = ["-proposed_at", "pk"]
    logs_views = True

    def page_title(self, chosen):
        return f"Voluntary disclosure: {Ground(chosen.ground).label}"

    def badges(self, chosen):
        return [Badge(chosen.get_state_display(), VOLUNTARY_TONES[VoluntaryState(chosen.state)])]

    def sections(self, chosen, *, user, at):
        citation = Citation.objects.filter(code=VOLUNTARY[Ground(chosen.ground)].citation).first()
        reads = policy_table.may_see(user, "cases.voluntarydisclosure", "facts")
        rows = [
            ("Case", Link(chosen.case, chosen.case)), ("Lawful ground", Ground(chosen.ground).label),
            ("Source", str(citation or "")), ("Trust mark", citation.mark if citation else ""),
            ("Facts", chosen.facts.reveal() if reads and chosen.facts else str(chosen.facts)),
            ("Chosen by", chosen.proposed_by), ("Chosen", chosen.proposed_at),
            ("Answered by", chosen.answered_by), ("Answered", chosen.answered_at),
        ]  # fmt: skip
        return [Facts("voluntary", "Lawful ground", rows), timeline_section(chosen)]

    @flow_action("Approve", primary=True, grave=True, warning="From then on evidence may be collected on this ground.")
    def approve(self, chosen, *, by, at):
        return f"{voluntary.approve(chosen, by=by, at=at).reference} is approved."

    @flow_action("Decline")
    def decline(self, chosen, *, by, at):
        return f"{voluntary.decline(chosen, by=by, at=at).reference} is declined."

    @flow_action("Withdraw", warning="What rests on it and has not gone out stays here.")
    def withdraw(self, chosen, *, by, at):
        return f"{voluntary.withdraw(chosen, by=by, at=at).reference} is withdrawn."


@admin.register(BackupCopy)
class BackupCopyAdmin(RecordAdmin):
    list_display = ["reference", "request", "state", "due_on", "not_before"]
    list_filter = ["state"]
    list_select_related = ["request"]
    search_fields = ["reference", "request__reference"]
    ordering = ["due_on", "pk"]

    def page_title(self, copy):
        return f"Backup copy for {copy.request.reference}"

    def badges(self, copy):
        return [Badge(copy.get_state_display(), BACKUP_TONES[BackupState(copy.state)])]

    def clock(self, copy):
        running = copy.state in (BackupState.ORDERED, BackupState.MADE)
        return Clock(copy.due_on, Standing.IN_FORCE, "backup copy") if running else None

    def sections(self, copy, *, user, at):
        rows = [
            ("Request", Link(copy.request, copy.request)), ("Case", Link(copy.request.case, copy.request.case)),
            ("Due", copy.due_on), ("SHA-256", copy.sha256), ("Made", copy.made_at), ("Made by", copy.made_by),
            ("Confirmed", copy.confirmed_at), ("Confirmed by", copy.confirmed_by),
            ("Government's notice", copy.noticed_on), ("Kept at least until", copy.not_before),
            ("Let go", copy.released_at), ("Let go by", copy.released_by),
            ("Because", copy.get_released_why_display()),
        ]  # fmt: skip
        return [
            Facts("backup", "Backup copy", rows), clocks_section(copy, today=legal_day(at)),
            holds_section(copy.request.case), timeline_section(copy),
        ]  # fmt: skip

    @flow_action("Record copy", form=MadeForm, primary=True)
    def made(self, copy, *, by, at, sha256):
        return (
            f"{backup_copies.made(copy, sha256=sha256, by=by, at=at).reference} is made. Confirm it to the authority."
        )

    @flow_action("Confirm to authority", primary=True)
    def confirm(self, copy, *, by, at):
        return f"{backup_copies.confirm(copy, by=by, at=at).reference} is confirmed."

    @flow_action("Record notice", form=NoticeForm)
    def note_notice(self, copy, *, by, at, noticed_on):
        noted = backup_copies.note_notice(copy, noticed_on=noticed_on, by=by, at=at)
        return f"The copy is kept at least until {noted.not_before:%-d %b %Y}."

    @flow_action("Let go", form=ReleaseForm, tone="danger", warning="Its hold ends; every other hold stays.")
    def release(self, copy, *, by, at, why):
        return f"{backup_copies.release(copy, why=why, by=by, at=at).reference} is let go."
