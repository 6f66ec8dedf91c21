"""Draw a sample of a reseller's customers and draw it again; take in files asked for, judge them, conclude (R64)."""

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import BinaryIO

from django.conf import settings

from accounts.flows import document_files, texts
from accounts.flows.texts import BadField, Texts
from accounts.formats.upload import inspect_upload
from kyc_portal.policy.clocks import start_clock, stop_clock
from kyc_portal.policy.current import Regime, regime_on
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import legal_day
from kyc_portal.records.refs import Actor
from kyc_portal.refusal import Refusal
from kyc_portal.work import queue
from resellers.flows import file as reseller_file
from resellers.flows import findings
from resellers.models import Finding, Reseller, ResellerManager, RosterEntry, Sample, SampledFile
from resellers.rules import sampling
from resellers.rules.roster import UploadState
from resellers.rules.sampling import GIVEN_REASONS, MOVES, FailReason, Result, SampleState, Unit, Weighing
from resellers.verbs import Verb

FILES_BY = "files of a sample"
LONGEST_SEED = 64
LONGEST_WORDS = 1000
READ_AT_ONCE = 2000
IN_BETWEEN = (UploadState.ACCEPTING.value, UploadState.STOPPED.value)


class CannotDraw(Refusal):
    """There is nothing to draw from, or not so many; or an earlier sample is still under way."""


class NotBound(Refusal):
    """Whoever hands a file in is no manager of this reseller any more."""


class FileClosed(Refusal):
    """The file was judged, or its sample is concluded: nothing is taken any more."""


class NothingHandedIn(Refusal):
    """There is no file to judge or to download."""


class FileChanged(Refusal):
    """The file is not the one that was looked at."""


class NotYet(Refusal):
    """A sample cannot be concluded while files may still come, or wait for a judgement."""


class NoFailure(Refusal):
    """A finding is made of what failed, once."""


# --- Drawing ----------------------------------------------------------------------------------------------------------


def frame(reseller: Reseller, at: datetime, weighing: Weighing) -> Iterator[Unit]:
    """The customers that a reseller stated at a moment, by reference; read in a stream, no row becomes an object."""
    risk_of = cache(lambda country, verified, method, depth: weighing.risk_of(
        country=country, is_verified=verified, method=method, depth=depth))  # fmt: skip
    columns = ("reference", "country", "verified_on", "method", "depth")
    rows = RosterEntry.objects.as_of(at).filter(reseller=reseller).order_by("reference").values_list(*columns)
    for reference, country, verified_on, method, depth in rows.iterator(chunk_size=READ_AT_ONCE):
        yield Unit(reference, country, risk_of(country, verified_on is not None, method, min(depth, 1)))


def weighing_on(reseller: Reseller, regime: Regime) -> Weighing:
    """The figures by which a reseller's customers are weighed; reads reseller.account.party."""
    figures = {name: regime.whole(f"sample_weight_{name}") for name in
               ("unverified", "sublets", "without_documents", "abroad")}  # fmt: skip
    party = reseller.account.party
    home = str(party.formation_country or party.citizenship or "")
    return Weighing(
        home=home, medium=regime.whole("medium_risk_score"), high=regime.whole("high_risk_score"), **figures
    )


def size_rule(regime: Regime) -> sampling.SizeRule:
    """How large a sample is when nobody says otherwise."""
    return sampling.SizeRule(
        percent=float(regime.number("sample_percent")), least=regime.whole("sample_least"),
        most=regime.whole("sample_most"),
    )  # fmt: skip


@flow
def draw(reseller: Reseller, *, size: int | None = None, seed: str | None = None, by: Actor, at: datetime) -> Sample:
    """Draw customers from the roster in force, by country and risk, and ask for their files; a clock starts.

    Without `size` the figures say how many, without `seed` the system's source of chance. Raises CannotDraw, BadField.
    """
    reseller, day = reseller_file.locked(reseller), legal_day(at)
    _require_free(reseller)
    regime = regime_on(day)
    weighing = weighing_on(reseller, regime)
    told = sampling.tally(frame(reseller, at, weighing))
    if not told.count:
        raise CannotDraw(f"No customer of {reseller.reference} is on file. Ask for its roster first.")
    size = size_rule(regime).size_for(told.count) if size is None else size
    if not 1 <= size <= told.count:
        raise CannotDraw(f"The roster holds {told.count:,} customers. Draw at least one of them and at most all.")
    seed = _sound_seed(seed)
    shares = sampling.shares(told.counts, size)
    drawn = sampling.pick(seed, frame(reseller, at, weighing), shares)
    sample = Sample(
        reseller=reseller, seed=seed, frame_at=at, frame_count=told.count, frame_sha256=told.sha256, size=size,
        strata=[[code, told.counts[code], shares[code]] for code in shares], weighing=asdict(weighing),
        confidence_percent=regime.number("sample_confidence_percent"), drawn_at=at, drawn_by=by.label,
    )  # fmt: skip
    clock = start_clock(FILES_BY, sample, figure="sample_days", regime=regime, on=day, by=by, at=at)
    sample.due_on, sample.citation = clock.due_on, clock.citation
    sample.save(force_insert=True)
    _ask(sample, drawn, at)
    audit.record(
        Verb.SAMPLE_DRAWN, sample, by=by, at=at, within=reseller, reseller=reseller.reference, count=size,
        rows=told.count, digest=told.sha256, due_on=sample.due_on,
    )  # fmt: skip
    return sample


def _require_free(reseller: Reseller) -> None:
    running = reseller.samples.running().first()
    if running is not None:
        raise CannotDraw(f"{running.reference} is under way. Conclude it before the next one is drawn.")
    if reseller.uploads.filter(state__in=IN_BETWEEN).exists():
        raise CannotDraw("A roster is being accepted. Draw once it is in force.")


def _sound_seed(seed: str | None) -> str:
    if seed is None or not seed.strip():
        return secrets.token_hex(16)
    if not (seed.isascii() and seed.isprintable() and len(seed) <= LONGEST_SEED):
        raise BadField(f"Seed must be up to {LONGEST_SEED} plain letters, digits and signs. Shorten or simplify it.")
    return seed


def _ask(sample: Sample, drawn: list[Unit], at: datetime) -> None:
    """A row for each customer drawn, in the order of the draw."""
    keys: dict[str, object] = {}
    names = [unit.reference for unit in drawn]
    for begin in range(0, len(names), 500):
        found = RosterEntry.objects.filter(reference__in=names[begin : begin + 500])
        keys.update(found.values_list("reference", "pk"))
    SampledFile.objects.bulk_create(
        [
            SampledFile(
                sample=sample, entry_id=keys[unit.reference], stratum=unit.stratum, place=place, asked_at=at
            )
            for place, unit in enumerate(drawn, start=1)
        ],
        batch_size=500,
    )  # fmt: skip


@dataclass(frozen=True)
class Replayed:
    """What a draw repeated from its seed gives: references that only the sample has, and only the repeated draw."""

    count: int
    frame_is_same: bool
    only_before: tuple[str, ...] = ()
    only_now: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        return self.frame_is_same and not self.only_before and not self.only_now

    @property
    def sentence(self) -> str:
        """What staff read."""
        if self.is_same:
            return f"Draw repeated: the same {self.count:,} customers."
        told = [] if self.frame_is_same else ["The roster of that moment is not the one that was drawn from."]
        for names, words in ((self.only_before, "only in the sample"), (self.only_now, "only in the repeated draw")):
            if names:
                told.append(f"{len(names):,} {words}: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}.")
        return f"Draw repeated, with another outcome. {' '.join(told)}"


def replay(sample: Sample) -> Replayed:
    """Draw a sample again from its seed, its figures and the roster of its moment; changes nothing."""
    weighing = Weighing(**sample.weighing)
    told = sampling.tally(frame(sample.reseller, sample.frame_at, weighing))
    size = min(sample.size, told.count)
    now: set[str] = set()
    if size:
        shares = sampling.shares(told.counts, size)
        drawn = sampling.pick(sample.seed, frame(sample.reseller, sample.frame_at, weighing), shares)
        now = {unit.reference for unit in drawn}
    before = set(sample.files.values_list("entry__reference", flat=True))
    is_same = (told.sha256, told.count) == (sample.frame_sha256, sample.frame_count)
    return Replayed(len(before), is_same, tuple(sorted(before - now)), tuple(sorted(now - before)))


@flow
def note_replay(sample: Sample, *, by: Actor, at: datetime) -> Replayed:
    """Draw again and write down with what outcome."""
    found = replay(sample)
    result = "same" if found.is_same else "different"
    audit.record(Verb.SAMPLE_REPEATED, sample, by=by, at=at, within=sample.reseller, result=result)
    return found


# --- The files --------------------------------------------------------------------------------------------------------


@flow
def hand_in(
    sampled: SampledFile, *, file: BinaryIO, file_name: str, binding: ResellerManager | None, by: Actor, at: datetime
) -> SampledFile:
    """Keep the file asked of a reseller (PDF, PNG, JPEG); until it is judged a later one takes its place.

    `binding` is what lets the person act for the reseller; None for our own people. Raises UploadRefused, FileClosed,
    NotBound.
    """
    found = inspect_upload(file, file_name, settings.DOCUMENT_MAX_BYTES)  # before anything is locked: it takes its time
    file.seek(0)
    sampled = _locked(sampled)
    _require_bound(sampled, binding)
    if sampled.result or sampled.sample.state != SampleState.ASKED:
        raise FileClosed(f"{sampled.reference} was looked at already, so its file stays as it is. Nothing is needed.")
    subject, former = sampled.subject, sampled.file_sha256
    sampled.file_sha256 = document_files.store(subject, file.read())
    sampled.file_bytes, sampled.file_type = found.size, found.media_type
    sampled.file_name, sampled.file_warnings = found.safe_name, list(found.warnings)
    sampled.uploaded_at, sampled.uploaded_by, sampled.uploaded_under = at, by.label, binding
    sampled.save(update_fields=[
        "file_sha256", "file_bytes", "file_type", "file_name", "file_warnings", "uploaded_at", "uploaded_by",
        "uploaded_under",
    ])  # fmt: skip
    if former and former != sampled.file_sha256:
        queue.ask(document_files.DELETE_FILE, key=f"{subject}/{former}", due_at=at, at=at)
    audit.record(
        Verb.SAMPLE_HANDED_IN, sampled, by=by, at=at, within=sampled.sample, file=sampled.reference,
        sha256=sampled.file_sha256, warnings=len(sampled.file_warnings),
    )  # fmt: skip
    return sampled


def _require_bound(sampled: SampledFile, binding: ResellerManager | None) -> None:
    """A binding that ended while the file was on its way takes nothing in."""
    if binding is None:
        return
    holds = ResellerManager.objects.select_for_update(of=("self",)).filter(
        pk=binding.pk, reseller=sampled.sample.reseller_id, ended_at__isnull=True
    )
    if not holds.exists():
        raise NotBound("You no longer act for this reseller, so the file was not taken. Ask the provider's desk.")


@flow
def judge(
    sampled: SampledFile, *, result: str, reasons: list[str], words: str = "", seen: str = "", by: Actor, at: datetime
) -> SampledFile:
    """Write down what was found in a file: in order, or not and why; until the sample is concluded it may be mended.

    `reasons` are codes of FailReason, at least one of a failure and none otherwise; `seen` is the SHA-256 of the file
    that was looked at. Raises BadField, NothingHandedIn, FileChanged, FileClosed.
    """
    sampled, told = _locked(sampled), Texts()
    if sampled.sample.state != SampleState.ASKED:
        raise FileClosed(f"{sampled.sample.reference} is concluded, so its judgements stay as they are.")
    if not sampled.file_sha256:
        raise NothingHandedIn(
            f"Nothing was handed in for {sampled.reference}. After its last day the conclusion counts it as failed."
        )
    if seen and seen != sampled.file_sha256:
        raise FileChanged(f"Another file was handed in for {sampled.reference} meanwhile. Look at that one.")
    result = texts.chosen("Result", result, Result)
    known = [each.value for each in GIVEN_REASONS]
    reasons = [code for code in known if code in reasons] if set(reasons) <= set(known) else None
    if reasons is None:
        raise BadField(f"Reason is not known. Use: {', '.join(known)}.")
    if (result == Result.FAIL) != bool(reasons):
        raise BadField("Reason belongs to what is not in order: choose at least one there, and none otherwise.")
    sampled.result, sampled.reasons = result, reasons
    sampled.words = told.lines("Words", words, LONGEST_WORDS)
    sampled.judged_at, sampled.judged_by = at, by.label
    sampled.save(update_fields=["result", "reasons", "words", "judged_at", "judged_by"])
    audit.record(
        Verb.SAMPLE_JUDGED, sampled, by=by, at=at, within=sampled.sample, file=sampled.reference, result=result,
        why=", ".join(reasons),
    )  # fmt: skip
    told.record_masked(sampled, by=by, at=at)
    return sampled


def take_file(sampled: SampledFile, *, by: Actor, at: datetime) -> bytes:
    """The bytes that were handed in, with an event that says who took them. Raises NothingHandedIn, FileMissing."""
    if not sampled.file_sha256:
        raise NothingHandedIn(f"Nothing was handed in for {sampled.reference}.")
    data = document_files.read(sampled.subject, sampled.file_sha256)
    audit.record(
        Verb.SAMPLE_TAKEN, sampled, by=by, at=at, within=sampled.sample, file=sampled.reference,
        sha256=sampled.file_sha256,
    )  # fmt: skip
    return data


# --- The outcome ------------------------------------------------------------------------------------------------------


@flow
def conclude(sample: Sample, *, by: Actor, at: datetime) -> Sample:
    """End a sample once every file is judged, or its last day is past: what never came counts as failed, at worst.

    Raises NotYet, MoveNotAllowed.
    """
    sample = _locked_sample(sample)
    MOVES.require(sample.state, SampleState.CONCLUDED)
    if waiting := sample.files.to_judge().count():
        raise NotYet(f"{waiting:,} files handed in wait for a judgement. Judge them first.")
    missing = list(sample.files.missing().filter(result=""))
    if missing and legal_day(at) <= sample.due_on:
        raise NotYet(f"{len(missing):,} files may still come until {sample.due_on}. Wait for them.")
    for sampled in missing:
        sampled.result, sampled.reasons = Result.FAIL.value, [FailReason.MISSING.value]
        sampled.judged_at, sampled.judged_by = at, by.label
    SampledFile.objects.bulk_update(missing, ["result", "reasons", "judged_at", "judged_by"], batch_size=200)
    sample.failed_count = sample.files.filter(result=Result.FAIL.value).count()
    sample.state, sample.concluded_at, sample.concluded_by = SampleState.CONCLUDED.value, at, by.label
    sample.save(update_fields=["failed_count", "state", "concluded_at", "concluded_by"])
    stop_clock(FILES_BY, sample, by=by, at=at)
    audit.record(
        Verb.SAMPLE_CONCLUDED, sample, by=by, at=at, within=sample.reseller, reseller=sample.reseller.reference,
        failed=sample.failed_count, count=sample.size,
    )  # fmt: skip
    return sample


@flow
def drop_running(reseller: Reseller, *, by: Actor, at: datetime) -> None:
    """Let go what is asked for still when the relationship ends: nothing of it counts as failed, its clock stops."""
    for sample in reseller.samples.running().select_for_update(of=("self",)).order_by("pk"):
        sample.state, sample.concluded_at, sample.concluded_by = SampleState.DROPPED.value, at, by.label
        sample.save(update_fields=["state", "concluded_at", "concluded_by"])
        stop_clock(FILES_BY, sample, by=by, at=at)
        audit.record(Verb.SAMPLE_DROPPED, sample, by=by, at=at, within=reseller, reseller=reseller.reference)


def error_rate_of(sample: Sample) -> sampling.Interval | None:
    """The error rate of a concluded sample with its interval, from the row alone; None before that."""
    if sample.state != SampleState.CONCLUDED:
        return None
    return sampling.error_rate(sample.failed_count, sample.size, confidence=float(sample.confidence_percent) / 100)


@flow
def make_finding(about: Sample | SampledFile, *, by: Actor, at: datetime, **given) -> Finding:
    """Hold what failed against the reseller; `given` are the words of findings.record_finding. Raises NoFailure too."""
    sample = _locked_sample(about if isinstance(about, Sample) else about.sample)
    row = sample if isinstance(about, Sample) else _locked(about)
    has_failed = sample.state == SampleState.CONCLUDED and sample.failed_count
    if not (has_failed if row is sample else row.result == Result.FAIL):
        raise NoFailure(f"Nothing of {row.reference} is judged as failed. A finding needs a failure.")
    if row.finding_id is not None:
        raise NoFailure(f"{row.reference} has become {row.finding.reference} already. See that finding.")
    row.finding = findings.record_finding(sample.reseller, by=by, at=at, **given)
    row.save(update_fields=["finding"])
    audit.record(
        Verb.SAMPLE_HELD, row, by=by, at=at, within=sample if row is not sample else sample.reseller,
        what=row.reference, reseller=sample.reseller.reference,
    )  # fmt: skip
    return row.finding


def _locked_sample(sample: Sample) -> Sample:
    """The sample under its reseller's lock, as everything of a reseller's file is taken."""
    reseller_file.locked(sample.reseller)
    rows = Sample.objects.select_for_update(of=("self",)).select_related("reseller__account__party")
    return rows.get(pk=sample.pk)


def _locked(sampled: SampledFile) -> SampledFile:
    reseller_file.locked(sampled.sample.reseller)
    rows = SampledFile.objects.select_for_update(of=("self",)).select_related("sample__reseller__account__party")
    return rows.get(pk=sampled.pk)
