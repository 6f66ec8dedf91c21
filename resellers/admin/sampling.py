"""The pages of a sample of a reseller's customers and of each file in it: strata, error rate, judgements (R64)."""

from datetime import datetime

from django.contrib import admin
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils import timezone

from kyc_portal.records.clock import legal_day
from kyc_portal.refusal import Refusal
from kyc_portal.staff import downloads, policy_table
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.policy_table import may_see
from kyc_portal.staff.rate_picture import interval
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Clock, Facts, Html, Link, Table, clocks_section, timeline_section
from kyc_portal.staff.stepup import require_recent_login
from kyc_portal.staff.templatetags.marks import DOTS
from resellers.admin.forms import FindingForm
from resellers.admin.sampling_forms import JudgeFileForm
from resellers.flows import sampling
from resellers.models import Reseller, Sample, SampledFile
from resellers.rules.sampling import FailReason, Result, SampleState

MOST_SHOWN = 300
MOST_LISTED = 20
TONES = {SampleState.ASKED: "info", SampleState.CONCLUDED: "", SampleState.DROPPED: ""}
RESULT_TONES = {Result.PASS: "good", Result.FAIL: "danger"}


def state_badge(sample: Sample) -> Badge:
    """Where a sample stands."""
    return Badge(sample.get_state_display(), TONES[SampleState(sample.state)])


def result_badge(sampled: SampledFile) -> Badge:
    """What is known of one file."""
    if sampled.result:
        return Badge(sampled.get_result_display(), RESULT_TONES[Result(sampled.result)])
    return Badge("to be judged", "warning") if sampled.file_sha256 else Badge("not handed in")


def reasons_in_words(sampled: SampledFile) -> str:
    """Why a file failed, in the words of the catalogue."""
    return "; ".join(FailReason(code).label for code in sampled.reasons)


def error_rate_section(reseller: Reseller, sample: Sample | None = None) -> Html:
    """The error rate of a sample, or of a reseller's last concluded one, as a picture with its figures beside it."""
    if sample is None:
        sample = reseller.samples.filter(state=SampleState.CONCLUDED.value).order_by("-concluded_at", "pk").first()
    found = sampling.error_rate_of(sample) if sample else None
    if found is None:
        empty = "No sample is concluded, so no error rate is known."
        return Html("error-rate", "Error rate", "admin/resellers/error_rate.html", {"empty_sentence": empty})
    percent = f"{sample.confidence_percent.normalize():f}"
    rows = [
        ["Sample", Link(sample.reference, sample)],
        ["Files looked at", sample.size],
        ["Not in order", sample.failed_count],
        ["Error rate", f"{found.rate:.1%}"],
        ["Lower bound", f"{found.low:.1%}"],
        ["Upper bound", f"{found.high:.1%}"],
        ["Confidence", f"{percent} %, interval by Wilson"],
        ["Concluded", sample.concluded_at],
    ]
    note = "A file that was not handed in by the last day counts as not in order: the worst case is assumed."
    context = {
        "picture": interval(found.rate, found.low, found.high, "Error rate with its interval"),
        "rate_table": Table("error-rate-figures", "Error rate", ["Figure", "Value"], rows),
    }
    return Html("error-rate", "Error rate", "admin/resellers/error_rate.html", context, note=note)


def samples_section(reseller: Reseller) -> Table:
    """The newest samples of a reseller's customers."""
    rows = [
        [
            Link(sample.reference, sample), sample.drawn_at, sample.size, sample.frame_count, state_badge(sample),
            sample.failed_count if sample.state == SampleState.CONCLUDED else None,
        ]
        for sample in reseller.samples.order_by("-drawn_at")[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Sample", "Drawn", "Customers drawn", "Of", "State", "Not in order"]
    return Table("samples", "Samples", head, rows, empty="No sample was drawn yet.")


class RunningFilter(QuerysetFilter):
    title = "to do"
    parameter_name = "todo"
    options = {
        "running": ("under way", lambda rows, user, today: rows.running()),
        "overdue": ("to be concluded: its last day is past", lambda rows, user, today: rows.overdue(today)),
    }


@admin.register(Sample)
class SampleAdmin(RecordAdmin):
    list_display = ["reference", "company", "drawn_at", "size", "frame_count", "state", "failed_count", "due_on"]
    list_filter = [RunningFilter, "state"]
    search_fields = ["reference", "reseller__reference", "reseller__account__party__legal_name"]
    list_select_related = ["reseller__account__party"]
    ordering = ["-drawn_at"]
    logs_views = True  # it names customers

    @admin.display(description="reseller")
    def company(self, sample):
        return sample.reseller.account.party.legal_name

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reseller__account__party", "citation", "finding")

    def page_title(self, sample):
        return f"{sample.size:,} of {sample.frame_count:,} customers of {sample.reseller.account.party.legal_name}"

    def badges(self, sample):
        return [state_badge(sample)]

    def clock(self, sample):
        return Clock(sample.due_on, sample.citation.standing, "files") if sample.state == SampleState.ASKED else None

    def sections(self, sample, *, user, at):
        rate = [error_rate_section(sample.reseller, sample)] if sample.state == SampleState.CONCLUDED else []
        return [*rate, _strata(sample), _files(sample), timeline_section(sample)]

    def aside(self, sample, *, user, at):
        rows = [
            ("Reseller", Link(sample.reseller.reference, sample.reseller)),
            ("Finding", Link(sample.finding.reference, sample.finding) if sample.finding else None),
            ("Seed", sample.seed),
            ("Customers in the frame", sample.frame_count),
            ("Frame as of", sample.frame_at),
            ("SHA-256 of the frame", sample.frame_sha256),
            ("Drawn", sample.size),
            ("By", sample.drawn_by),
            ("Last day for files", sample.due_on),
            ("Set by", sample.citation),
            ("Concluded", sample.concluded_at),
            ("By whom", sample.concluded_by),
        ]
        return [Facts("sample", "The draw", rows), clocks_section(sample, today=legal_day(at))]

    @flow_action(
        "Repeat the draw", warning="Draws once more from the seed and the roster of that moment; changes nothing."
    )
    def replay(self, sample, *, by, at):
        return sampling.note_replay(sample, by=by, at=at).sentence

    @flow_action(
        "Conclude", primary=True,
        warning="What was not handed in by the last day counts as failed. Judgements cannot be mended afterwards.",
    )  # fmt: skip
    def conclude(self, sample, *, by, at):
        concluded = sampling.conclude(sample, by=by, at=at)
        return f"{concluded.reference} is concluded: {concluded.failed_count} of {concluded.size} failed."

    @flow_action(
        "Make a finding", form=FindingForm, tone="danger", when=lambda sample: bool(sample.failed_count),
        initial=lambda sample: _words_of_sample(sample),
        warning="A clock counts from the day it became known: without a cure the relationship ends.",
    )  # fmt: skip
    def make_finding(self, sample, *, by, at, **given):
        finding = sampling.make_finding(sample, by=by, at=at, **given)
        return f"{finding.reference} is on file; its last good day is {finding.due_on}.", finding


def _strata(sample: Sample) -> Table:
    rows = []
    for code, count, drawn in sample.strata:
        country, _, risk = code.rpartition("-")
        rows.append([country, risk, count, drawn, f"{drawn / sample.size:.1%}", f"{count / sample.frame_count:.1%}"])
    head = ["Country", "Risk", "On the roster", "Drawn", "Share of the sample", "Share of the roster"]
    note = (
        "The risk is weighed from what the reseller states (verified or not, without documents, sublets, abroad). "
        "Every stratum has at least one customer where the size allows."
    )
    return Table("strata", "Strata", head, rows, note=note)


def _files(sample: Sample) -> Table:
    """What failed first, then what waits for a judgement, then the rest in the order of the draw."""
    order = {Result.FAIL.value: 0, "": 1, Result.PASS.value: 2}
    found = sorted(
        sample.files.select_related("entry").order_by("place"),
        key=lambda each: (order[each.result], not each.file_sha256),
    )
    rows = [
        [
            Link(each.reference, each), each.entry.reference, each.entry.name, result_badge(each),
            reasons_in_words(each), each.uploaded_at,
        ]
        for each in found[:MOST_SHOWN]
    ]  # fmt: skip
    note = f"The first {MOST_SHOWN} of {len(found):,} are shown." if len(found) > MOST_SHOWN else ""
    head = ["File", "Customer", "Name", "Found", "Why", "Handed in"]
    return Table("files", "Files asked for", head, rows, note=note)


def _words_of_sample(sample: Sample) -> dict:
    """A finding's form filled in from a sample."""
    found = sampling.error_rate_of(sample)
    counts: dict[str, int] = {}
    for codes in sample.files.filter(result=Result.FAIL.value).values_list("reasons", flat=True):
        for code in codes:
            counts[code] = counts.get(code, 0) + 1
    told = "; ".join(f"{count} {FailReason(code).label}" for code, count in sorted(counts.items()))
    rate = f" Error rate {found.rate:.1%} ({found.low:.1%} to {found.high:.1%})." if found else ""
    evidence = (
        f"Sample {sample.reference}: {sample.failed_count} of {sample.size} files were not in order ({told}).{rate}"
    )
    demand = "Verify the customers whose files failed anew, and tell us how you keep the others in order."
    return _initial(sample, evidence, demand, sample.concluded_at)


def _words_of_file(sampled: SampledFile) -> dict:
    evidence = f"Sample {sampled.sample.reference}, file {sampled.reference}: {reasons_in_words(sampled)}."
    demand = f"Verify the customer {sampled.entry.number} anew and hand in the proof."
    return _initial(sampled.sample, evidence, demand, sampled.judged_at)


def _initial(sample: Sample, evidence: str, demand: str, known: datetime | None) -> dict:
    """The minute of the judgement, rounded down: the form holds no seconds, and nothing is known in the future."""
    known = timezone.localtime(known or timezone.now()).replace(second=0, microsecond=0)
    known = max(known, timezone.localtime(sample.reseller.added_at))
    return {
        "kind": "not_carried_out", "source": f"Sample {sample.reference}", "evidence": evidence, "demand": demand,
        "knowledge_at": known,
    }  # fmt: skip


class FileFilter(QuerysetFilter):
    title = "found"
    parameter_name = "found"
    options = {
        "judge": ("to be judged", lambda rows, user, today: rows.to_judge()),
        "missing": ("not handed in", lambda rows, user, today: rows.missing()),
        "fail": ("not in order", lambda rows, user, today: rows.filter(result=Result.FAIL.value)),
        "pass": ("in order", lambda rows, user, today: rows.filter(result=Result.PASS.value)),
    }


@admin.register(SampledFile)
class SampledFileAdmin(RecordAdmin):
    list_display = ["reference", "sample", "customer", "stratum", "result", "uploaded_at"]
    list_filter = [FileFilter]
    search_fields = ["reference", "sample__reference", "entry__reference", "sample__reseller__reference"]
    list_select_related = ["sample", "entry"]
    ordering = ["uploaded_at", "pk"]
    logs_views = True

    @admin.display(description="customer")
    def customer(self, sampled):
        return sampled.entry.reference

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("sample__reseller__account__party", "entry", "finding")

    def extra_urls(self):
        view = self.admin_site.admin_view(require_recent_login(self.original_view))
        return [path("<uuid:key>/original/", view, name="resellers_sampledfile_original")]

    def original_view(self, request, key):
        """The file as it was handed in, as an attachment."""
        downloads.refuse_other_sites(request)
        sampled = self.get_queryset(request).filter(pk=key).first()
        if sampled is None:
            raise Http404
        try:
            data = sampling.take_file(sampled, by=request.user.as_actor, at=timezone.now())
        except Refusal as refusal:
            raise Http404(str(refusal)) from None
        name = sampled.file_name.reveal() if sampled.file_name else "document"
        return downloads.guarded(HttpResponse(data, content_type=sampled.file_type), name=name)

    def page_title(self, sampled):
        return f"{sampled.entry.name}, customer of {sampled.sample.reseller.account.party.legal_name}"

    def badges(self, sampled):
        return [result_badge(sampled)]

    def sections(self, sampled, *, user, at):
        entry = sampled.entry
        stated = [
            ("Name", entry.name),
            ("Kind", entry.get_kind_display()),
            ("Country", entry.country.name),
            ("Number at the reseller", entry.number),
            ("Customer since", entry.customer_since),
            ("Verified", entry.verified_on),
            ("How", entry.get_method_display()),
            ("Sublets from", entry.parent_number),
            ("Account with us", Link(entry.account.reference, entry.account) if entry.account_id else None),
        ]
        return [
            Facts("stated", "What the reseller states", stated),
            _handed_in(sampled, user),
            Html("words", "What was found", "admin/record/long_text.html", {"text": _words(sampled, user)}),
            timeline_section(sampled),
        ]

    def aside(self, sampled, *, user, at):
        rows = [
            ("Sample", Link(sampled.sample.reference, sampled.sample)),
            ("Reseller", Link(sampled.sample.reseller.reference, sampled.sample.reseller)),
            ("Finding", Link(sampled.finding.reference, sampled.finding) if sampled.finding else None),
            ("Stratum", sampled.stratum),
            ("Asked for", sampled.asked_at),
            ("Last day", sampled.sample.due_on),
            ("Judged", sampled.judged_at),
            ("By", sampled.judged_by),
            ("Why", reasons_in_words(sampled)),
        ]
        return [Facts("file", "The file", rows)]

    @flow_action(
        "Judge the file", form=JudgeFileForm, primary=True,
        when=lambda sampled: bool(sampled.file_sha256) and sampled.sample.state == SampleState.ASKED,
        warning="From now on the reseller cannot hand in another file for this customer.",
    )  # fmt: skip
    def judge(self, sampled, *, by, at, result, reasons, words, seen):
        judged = sampling.judge(sampled, result=result, reasons=reasons, words=words, seen=seen, by=by, at=at)
        return f"{judged.reference} is {judged.get_result_display()}."

    @flow_action(
        "Make a finding", form=FindingForm, tone="danger", when=lambda sampled: sampled.result == Result.FAIL,
        initial=lambda sampled: _words_of_file(sampled),
        warning="A clock counts from the day it became known: without a cure the relationship ends.",
    )  # fmt: skip
    def make_finding(self, sampled, *, by, at, **given):
        finding = sampling.make_finding(sampled, by=by, at=at, **given)
        return f"{finding.reference} is on file; its last good day is {finding.due_on}.", finding


def _handed_in(sampled: SampledFile, user) -> Facts:
    name = sampled.file_name
    if name:
        name = name.reveal() if may_see(user, "resellers.sampledfile", "file_name") else DOTS
    rows = [
        ("File name", name),
        ("Type", sampled.file_type),
        ("Bytes", sampled.file_bytes or None),
        ("SHA-256", sampled.file_sha256),
        ("Handed in", sampled.uploaded_at),
        ("By", sampled.uploaded_by),
        ("To be careful about", " ".join(sampled.file_warnings)),
    ]
    url = reverse("admin:resellers_sampledfile_original", args=[sampled.pk])
    can_take = sampled.file_sha256 and policy_table.page_named("admin:resellers_sampledfile_original").opens_to(
        user, "GET"
    )
    return Facts(
        "handed-in", "What was handed in", rows, url=url if can_take else "", url_label="Download the original",
        note="" if sampled.file_sha256 else "Nothing was handed in.",
    )  # fmt: skip


def _words(sampled: SampledFile, user) -> str:
    if not sampled.words:
        return "Nothing was written down."
    return sampled.words.reveal() if may_see(user, "resellers.sampledfile", "words") else DOTS
