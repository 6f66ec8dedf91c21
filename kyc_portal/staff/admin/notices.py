"""What customers were told: who may unmask reads the wording as sent, everybody else that and when it was sent."""

from django.contrib import admin

from kyc_portal.notices.models import Notice, NoticeState
from kyc_portal.notices.outbox import wording_of
from kyc_portal.records.keys import KeyProblem
from kyc_portal.records.sealed import MASK
from kyc_portal.staff import policy_table
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.references import page_of
from kyc_portal.staff.sections import Badge, Facts, Html, Link, timeline_section

TONES = {NoticeState.QUEUED: "info", NoticeState.SENT: "good", NoticeState.NO_ADDRESS: "warning"}
DESTROYED = "destroyed with the person's file"


class StateFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "queued": ("queued", lambda rows, user, today: rows.queued()),
        "sent": ("sent", lambda rows, user, today: rows.filter(state=NoticeState.SENT)),
        "no_address": ("no address known", lambda rows, user, today: rows.without_address()),
    }


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ["reference", "in_words", "name", "state", "queued_at", "sent_at"]
    list_filter = [StateFilter]
    search_fields = ["reference", "name"]
    search_help_text = "Reference of the notice, or of the record it speaks of."
    ordering = ["-queued_at"]
    logs_views = True

    @admin.display(description="notice")
    def in_words(self, notice):
        return notice.kind.replace("_", " ")

    def page_title(self, notice):
        return self.in_words(notice).capitalize()

    def badges(self, notice):
        return [Badge(notice.get_state_display(), TONES.get(notice.state, ""))]

    def sections(self, notice, *, user, at):
        return [_wording(notice, policy_table.may_see(user, "notices.notice", "context")), timeline_section(notice)]

    def aside(self, notice, *, user, at):
        rows = [
            ("About", Link(notice.name, page_of(notice.label, notice.key))),
            ("To", _address(notice, policy_table.may_see(user, "notices.notice", "address"))),
            ("Queued", notice.queued_at), ("Sent", notice.sent_at), ("Message id", notice.message_id),
        ]  # fmt: skip
        return [Facts("notice", "The notice", rows)]


def _wording(notice: Notice, may_read: bool) -> Facts | Html:
    """The wording as the recipient reads it, dots for whom may not, or that it was destroyed."""
    if not may_read:
        return Facts(
            "wording", "Wording", [("Subject", MASK), ("Text", MASK)], note="You may not unmask identity data."
        )
    try:
        subject, body = wording_of(notice)
    except KeyProblem:
        return Facts("wording", "Wording", [("Subject", DESTROYED), ("Text", DESTROYED)])
    return Html("wording", f"Wording: {subject}", "admin/record/long_text.html", {"text": body})


def _address(notice: Notice, may_read: bool) -> str:
    if notice.address is None:
        return "no address known"
    if not may_read:
        return MASK
    try:
        return notice.address.reveal()
    except KeyProblem:
        return DESTROYED
