"""Requests for a reseller's CIP, and the signed copy that answers each (R4, R57)."""

from django.contrib import admin
from django.http import Http404, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator

from kyc_portal.records.bundle_folders import NotBuilt
from kyc_portal.staff import downloads
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import page_named
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Link, Reason, Table, timeline_section
from kyc_portal.staff.stepup import require_recent_login
from resellers.admin.ending_forms import SentForm
from resellers.flows import cip_copy, cip_requests
from resellers.models import CipRequest, Reseller
from resellers.rules.ending import RequestState

MOST_SHOWN = 20
DOWNLOAD = "admin:resellers_ciprequest_download"
TONES = {RequestState.ASKED: "info", RequestState.PRODUCED: "warning", RequestState.SENT: "good"}


def request_badge(request: CipRequest) -> Badge:
    return Badge(request.get_state_display(), TONES[RequestState(request.state)])


def requests_section(reseller: Reseller) -> Table:
    """Who asked for its CIP, the newest first."""
    rows = [
        [Link(each.reference, each), each.requester, request_badge(each), each.requested_on, each.due_on, each.sent_at]
        for each in reseller.cip_requests.order_by("-asked_at", "pk")[:MOST_SHOWN]
    ]
    head = ["Request", "Who asks", "State", "Asked on", "Due on", "Handed over"]
    return Table("cip-requests", "Requests for its CIP", head, rows, empty="No authority has asked for it.")


class UnansweredFilter(QuerysetFilter):
    title = "to be answered"
    parameter_name = "answer"
    options = {
        "open": ("not handed over yet", lambda rows, user, today: rows.unanswered()),
        "overdue": ("past their last day", lambda rows, user, today: rows.overdue(today)),
    }


@admin.register(CipRequest)
class CipRequestAdmin(RecordAdmin):
    list_display = ["reference", "company", "requester", "state", "requested_on", "due_on", "sent_at"]
    list_filter = [UnansweredFilter, "state"]
    search_fields = ["reference", "requester", "requester_number", "reseller__reference"]
    list_select_related = ["reseller__account__party"]
    ordering = ["due_on", "pk"]

    @admin.display(description="reseller")
    def company(self, request):
        return request.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party", "citation")

    def extra_urls(self):
        view = self.admin_site.admin_view(self.download)
        return [path("<path:object_id>/download/", view, name="resellers_ciprequest_download")]

    @method_decorator(require_recent_login)
    def download(self, request, object_id):
        """The copy as an attachment; 404 while nothing is produced, or what is there is not what was produced."""
        downloads.refuse_other_sites(request)
        copy = self._record_or_404(request, object_id)
        try:
            folder = cip_requests.note_download(copy, by=request.user.as_actor, at=timezone.now())
        except NotBuilt as refusal:
            raise Http404(str(refusal)) from None
        answer = StreamingHttpResponse(downloads.zipped(folder), content_type="application/zip")
        return downloads.guarded(answer, name=f"{copy.reference}.zip")

    def page_title(self, request):
        return f"CIP of {request.reseller.account.party.legal_name} for {request.requester}"

    def badges(self, request):
        return [request_badge(request)]

    def clock(self, request):
        is_open = request.state != RequestState.SENT
        return Clock(request.due_on, request.citation.standing, "copy of the CIP") if is_open else None

    def reasons(self, request, *, at):
        if request.state == RequestState.ASKED and cip_requests.has_given_up(request):
            return [Reason("The copy could not be made, five times. Have it made again, or tell the administrators.")]
        return []

    def sections(self, request, *, user, at):
        rows = [[part.title, f"{part.name}.csv, {part.name}.json"] for part in cip_copy.parts()]
        rows = [["Each version in full", "cip/"], *rows]
        left_out = f"Left out: {' '.join(cip_copy.WITHHELD)}"
        return [
            Table("parts", "What is in the copy", ["Part", "File"], rows, note=left_out), timeline_section(request)
        ]  # fmt: skip

    def aside(self, request, *, user, at):
        rows = [
            ("Reseller", Link(request.reseller.reference, request.reseller)),
            ("Who asks", request.requester),
            ("Their number", request.requester_number),
            ("Asked on", request.requested_on),
            ("Due on", request.due_on),
            ("By", request.citation),
            ("Noted", request.asked_at),
            ("Noted by", request.asked_by),
            ("Produced", request.produced_at),
            ("Files", request.payload_count or None),
            ("Bytes", request.payload_bytes or None),
            ("Channel", request.get_channel_display()),
            ("Handed over", request.sent_at),
            ("Handed over by", request.sent_by),
        ]
        return [*_download(request, user), Facts("request", "The request", rows)]

    @flow_action("Have it made again", when=cip_requests.has_given_up)
    def produce_again(self, request, *, by, at):
        cip_requests.produce_again(request, by=by, at=at)
        return f"{request.reference} is made within a minute."

    @flow_action("Note that it was handed over", form=SentForm, primary=True, grave=True, warning="Its clock stops.")
    def note_sent(self, request, *, by, at, channel):
        cip_requests.note_sent(request, channel=channel, by=by, at=at)
        return f"{request.reference} was handed over."


def _download(request: CipRequest, user) -> list[Facts]:
    if request.state == RequestState.ASKED or not page_named(DOWNLOAD).opens_to(user, "GET"):
        return []
    rows = [
        ("Download", Link(f"{request.reference}.zip", reverse(DOWNLOAD, args=[request.pk]))),
        ("Digest", request.sha256),
    ]
    note = "Give the digest to the recipient by another way: it shows a bundle that was exchanged."
    return [Facts("download", "Download", rows, note=note)]
