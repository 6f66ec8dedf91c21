"""A sample from the draw to its error rate: the frame, the files, the judgements, the conclusion (R64)."""

import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.flows import document_files, stored_files
from accounts.flows.texts import BadField
from accounts.formats.upload import UploadRefused
from kyc_portal.policy.clocks import clocks_of
from kyc_portal.policy.lifecycle import MoveNotAllowed
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import Actor
from kyc_portal.work.models import Job
from resellers.flows import onboarding, sampling
from resellers.models import Finding, RosterEntry, Sample, SampledFile
from tests.at_once import needs_row_locks, once_it_waits
from tests.builders import make_entry, make_reseller, png_bytes
from tests.conftest import NOON

RITA, CARLA = (Actor("person", name, name) for name in ("rita", "carla"))
LATE = NOON + timedelta(days=15)


def make_roster(count=6, **changes):
    """A reseller with so many customers: two countries, every third one not verified."""
    reseller = make_reseller(at=NOON - timedelta(days=30), **changes)
    for number in range(count):
        verified = {} if number % 3 else {"verified_on": None, "method": ""}
        make_entry(reseller, f"C-{number}", country="DE" if number % 2 else "FR", **verified)
    return reseller


def draw(reseller, *, size=None, seed=None, at=NOON + timedelta(hours=1)) -> Sample:
    return sampling.draw(reseller, size=size, seed=seed, by=RITA, at=at)


def hand_in(sampled, *, text="proof", name="proof.png", at=NOON + timedelta(hours=2), binding=None) -> SampledFile:
    file = io.BytesIO(png_bytes(text))
    return sampling.hand_in(sampled, file=file, file_name=name, binding=binding, by=RITA, at=at)


def judge(sampled, result="pass", reasons=(), at=NOON + timedelta(hours=3), **more) -> SampledFile:
    return sampling.judge(sampled, result=result, reasons=list(reasons), by=CARLA, at=at, **more)


@pytest.mark.django_db
class TestDraw:
    def test_r64_it_keeps_all_it_takes_to_draw_again_and_starts_a_clock(self):
        reseller = make_roster(6)

        sample = draw(reseller, size=4, seed="a seed")

        assert (sample.frame_count, sample.size, sample.seed) == (6, 4, "a seed")
        assert sum(count for _, count, _ in sample.strata) == 6 and sum(drawn for *_, drawn in sample.strata) == 4
        assert {code for code, *_ in sample.strata} == {"DE-high", "DE-low", "FR-high", "FR-low"}
        assert [row.place for row in sample.files.order_by("place")] == [1, 2, 3, 4]
        assert clocks_of(sample).get().due_on == sample.due_on == NOON.date() + timedelta(days=14)
        assert (sample.citation.standing, sampling.replay(sample).sentence) == (
            "own_policy", "Draw repeated: the same 4 customers.",
        )  # fmt: skip
        event = AuditEvent.objects.get(verb="resellers.sample.drawn")
        assert event.facts["digest"] == sample.frame_sha256 and "Customer" not in str(event.facts)

    def test_without_a_size_the_figures_say_how_many_and_chance_gives_the_seed(self):
        first, second = draw(make_roster(5)), draw(make_roster(5))

        assert first.size == 5 and len(first.seed) == 32 and first.seed != second.seed

    def test_the_draw_is_repeated_from_its_moment_whatever_came_since(self):
        reseller = make_roster(6)
        sample = draw(reseller, size=3)
        RosterEntry.objects.filter(number="C-1").update(ended_at=NOON + timedelta(days=1), ended_why="gone")
        make_entry(reseller, "C-9", at=NOON + timedelta(days=1))

        assert sampling.note_replay(sample, by=CARLA, at=LATE).is_same
        assert AuditEvent.objects.get(verb="resellers.sample.repeated").facts == {"result": "same"}

    def test_a_roster_changed_behind_its_back_is_told_and_not_hidden(self):
        reseller = make_roster(6)
        sample = draw(reseller, size=6)
        RosterEntry.objects.filter(number="C-1").update(from_at=NOON + timedelta(days=1))

        found = sampling.replay(sample)

        assert not found.is_same and not found.frame_is_same and len(found.only_before) == 1
        assert found.sentence.startswith("Draw repeated, with another outcome. The roster of that moment is not")

    def test_only_what_is_in_force_is_drawn_from(self):
        reseller = make_roster(2)
        make_entry(reseller, "C-old", ended_at=NOON, ended_why="gone", from_at=NOON - timedelta(days=1))
        make_entry(reseller, "C-waits", from_at=None)
        make_entry(make_reseller(), "C-other")

        assert draw(reseller).frame_count == 2

    @pytest.mark.parametrize("size", [0, -1, 7, 10**9])
    def test_a_size_that_cannot_be_is_refused(self, size):
        with pytest.raises(sampling.CannotDraw, match="holds 6 customers"):
            draw(make_roster(6), size=size)
        assert not Sample.objects.exists()

    def test_an_empty_roster_is_refused(self):
        with pytest.raises(sampling.CannotDraw, match="Ask for its roster first"):
            draw(make_reseller())

    def test_one_at_a_time_and_never_while_a_roster_is_being_accepted(self):
        reseller = make_roster(3)
        reseller.uploads.filter(entries__number="C-1").update(state="accepting")
        with pytest.raises(sampling.CannotDraw, match="being accepted"):
            draw(reseller)
        reseller.uploads.update(state="accepted")
        draw(reseller)

        with pytest.raises(sampling.CannotDraw, match="under way"):
            draw(reseller)

    @pytest.mark.parametrize("seed", ["é", "a\nb", "x" * 65, "a\x00"])
    def test_a_seed_nobody_could_type_again_is_refused(self, seed):
        with pytest.raises(BadField, match="Seed must be"):
            draw(make_roster(2), seed=seed)

    def test_it_reads_the_roster_in_a_stream_with_the_same_queries(self):
        few, many = make_roster(4), make_roster(40)
        counted = []
        for reseller in (few, many):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                draw(reseller, size=3)
            counted.append(len(asked))

        assert counted[0] == counted[1]


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 12), seed=st.text("abc123", min_size=1, max_size=20))
def test_r64_any_draw_repeated_gives_the_same(size, seed):
    reseller = make_roster(12)

    sample = draw(reseller, size=size, seed=seed)

    assert sampling.replay(sample).is_same and sample.files.count() == size


@pytest.mark.django_db
class TestHandIn:
    @pytest.fixture
    def sampled(self):
        return draw(make_roster(3)).files.order_by("place").first()

    def test_the_file_is_sealed_and_named_so_that_the_nightly_look_keeps_it(self, sampled):
        kept = hand_in(sampled)

        assert sampling.take_file(kept, by=CARLA, at=NOON) == png_bytes("proof")
        assert (str(kept.file_name), kept.file_name.reveal(), kept.file_type) == ("••••••", "proof.png", "image/png")
        path = document_files.path_of(kept.subject, kept.file_sha256)
        assert b"PNG" not in path.read_bytes() and document_files.is_named(kept.subject, kept.file_sha256)
        assert stored_files.reconcile()["missing"] == 0 and path.exists()
        verbs = set(AuditEvent.objects.filter(about_key=str(kept.pk)).values_list("verb", flat=True))
        assert verbs == {"resellers.sample.handed_in", "resellers.sample.downloaded"}
        assert "proof.png" not in str(list(AuditEvent.objects.values_list("facts", flat=True)))

    def test_another_one_takes_its_place_and_the_former_goes(self, sampled):
        former = hand_in(sampled, text="first")

        latter = hand_in(sampled, text="second")

        job = Job.objects.get(kind=document_files.DELETE_FILE)
        assert job.key == f"{latter.subject}/{former.file_sha256}" and latter.file_sha256 != former.file_sha256
        document_files.delete_file(job.key, by=RITA, at=NOON)
        assert not document_files.path_of(latter.subject, former.file_sha256).exists()
        assert document_files.path_of(latter.subject, latter.file_sha256).exists()

    def test_a_file_for_another_customer_with_the_same_bytes_stays(self, sampled):
        other = sampled.sample.files.exclude(pk=sampled.pk).first()
        former = hand_in(sampled, text="same")
        hand_in(other, text="same")
        hand_in(sampled, text="new")

        document_files.delete_file(Job.objects.get(kind=document_files.DELETE_FILE).key, by=RITA, at=NOON)

        assert document_files.path_of(former.subject, former.file_sha256).exists()

    @pytest.mark.parametrize(
        ("content", "name", "says"),
        [
            (b"", "a.pdf", "is empty"),
            (b"PK\x03\x04macro", "a.xlsm", "Allowed are PDF"),
            (b"%PDF-1.7 broken", "a.pdf", "damaged"),
            (png_bytes(), "a.pdf", "The name ends in .pdf"),
            (png_bytes() + b"\x00" * 20, "a.png", "follow after the end"),
        ],
    )
    def test_b1_what_is_no_document_is_refused_and_nothing_is_kept(self, sampled, content, name, says):
        with pytest.raises(UploadRefused, match=says):
            sampling.hand_in(sampled, file=io.BytesIO(content), file_name=name, binding=None, by=RITA, at=NOON)

        sampled.refresh_from_db()
        assert (sampled.file_sha256, sampled.uploaded_at) == ("", None)

    def test_b2_a_file_too_large_is_refused(self, sampled, settings):
        settings.DOCUMENT_MAX_BYTES = 100
        with pytest.raises(UploadRefused, match="larger than 100 bytes"):
            hand_in(sampled)

    def test_nothing_is_taken_once_it_is_judged_or_concluded(self, sampled):
        judge(hand_in(sampled, text="first"))
        with pytest.raises(sampling.FileClosed, match="looked at already"):
            hand_in(sampled, text="second")

        sampling.conclude(sampled.sample, by=CARLA, at=LATE)
        other = sampled.sample.files.exclude(pk=sampled.pk).first()
        with pytest.raises(sampling.FileClosed):
            hand_in(other)
        sampled.refresh_from_db()
        assert sampling.take_file(sampled, by=CARLA, at=NOON) == png_bytes("first")

    def test_a_manager_removed_meanwhile_hands_nothing_in(self, sampled, reseller_manager_user):
        reseller = sampled.sample.reseller
        binding = onboarding.bind_manager(reseller, user=reseller_manager_user, by=RITA, at=NOON)
        assert hand_in(sampled, binding=binding).uploaded_under == binding
        onboarding.end_binding(binding, by=RITA, at=NOON)

        with pytest.raises(sampling.NotBound, match="no longer act for this reseller"):
            hand_in(sampled, text="late", binding=binding)

    def test_a_binding_to_another_reseller_lets_nobody_in(self, sampled, reseller_manager_user):
        binding = onboarding.bind_manager(make_reseller(), user=reseller_manager_user, by=RITA, at=NOON)
        with pytest.raises(sampling.NotBound):
            hand_in(sampled, binding=binding)


@pytest.mark.django_db
class TestJudge:
    @pytest.fixture
    def sampled(self):
        return hand_in(draw(make_roster(3)).files.order_by("place").first())

    def test_a_failure_has_reasons_and_sealed_words(self, sampled):
        judged = judge(sampled, "fail", ["unreadable", "expired"], words="Page 2 of Maria's passport is black.")

        assert (judged.result, judged.reasons) == ("fail", ["expired", "unreadable"])
        assert str(judged.words) == "••••••" and "Maria" in judged.words.reveal()
        facts = AuditEvent.objects.get(verb="resellers.sample.judged").facts
        assert facts == {"file": sampled.reference, "result": "fail", "why": "expired, unreadable"}

    def test_it_may_be_mended_until_the_conclusion(self, sampled):
        judge(sampled, "fail", ["expired"])

        assert judge(sampled, "pass").reasons == []

    @pytest.mark.parametrize(
        ("result", "reasons", "says"),
        [
            ("fail", [], "at least one"),
            ("pass", ["expired"], "none otherwise"),
            ("fail", ["rude"], "not known"),
            ("fail", ["missing"], "not known"),
            ("maybe", [], "Result"),
            ("", [], "Result"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, sampled, result, reasons, says):
        with pytest.raises(BadField, match=says):
            judge(sampled, result, reasons)

    def test_nothing_that_is_not_there_and_nothing_after_the_conclusion_is_judged(self, sampled):
        other = sampled.sample.files.exclude(pk=sampled.pk).first()
        with pytest.raises(sampling.NothingHandedIn, match="counts it as failed"):
            judge(other)
        judge(sampled)
        sampling.conclude(sampled.sample, by=CARLA, at=LATE)
        with pytest.raises(sampling.FileClosed, match="is concluded"):
            judge(sampled)

    def test_a_file_replaced_since_it_was_looked_at_is_not_judged(self, sampled):
        seen = sampled.file_sha256
        hand_in(sampled, text="another")

        with pytest.raises(sampling.FileChanged, match="Look at that one"):
            judge(sampled, seen=seen)


@pytest.mark.django_db
class TestConclude:
    def test_r64_what_never_came_counts_as_failed(self):
        sample = draw(make_roster(4))
        first, second, *_ = sample.files.order_by("place")
        judge(hand_in(first)), judge(hand_in(second), "fail", ["differs"])

        done = sampling.conclude(sample, by=CARLA, at=LATE)

        assert (done.state, done.failed_count, clocks_of(sample).count()) == ("concluded", 3, 0)
        assert set(sample.files.filter(reasons=["missing"]).values_list("result", flat=True)) == {"fail"}
        found = sampling.error_rate_of(done)
        assert (found.rate, round(found.low, 3), round(found.high, 3)) == (0.75, 0.301, 0.954)

    def test_the_last_day_is_the_last_good_one(self):
        sample = draw(make_roster(2))
        with pytest.raises(sampling.NotYet, match="2 files may still come until 2026-03-16"):
            sampling.conclude(sample, by=CARLA, at=NOON + timedelta(days=14))

        assert sampling.error_rate_of(sample) is None
        assert sampling.conclude(sample, by=CARLA, at=NOON + timedelta(days=15)).failed_count == 2

    def test_before_that_day_all_must_be_judged(self):
        sample = draw(make_roster(2))
        for sampled in sample.files.all():
            hand_in(sampled)
        with pytest.raises(sampling.NotYet, match="2 files handed in wait for a judgement"):
            sampling.conclude(sample, by=CARLA, at=LATE)
        for sampled in sample.files.all():
            judge(sampled)

        assert sampling.conclude(sample, by=CARLA, at=NOON + timedelta(days=1)).failed_count == 0

    def test_it_ends_once_and_the_next_may_be_drawn(self):
        reseller = make_roster(2)
        sample = draw(reseller)
        sampling.conclude(sample, by=CARLA, at=LATE)
        with pytest.raises(MoveNotAllowed):
            sampling.conclude(sample, by=CARLA, at=LATE)

        assert draw(reseller, at=LATE).pk != sample.pk


WORDS = {"kind": "not_carried_out", "source": "sample", "evidence": "No proof.", "demand": "Verify.",
         "knowledge_at": NOON}  # fmt: skip


@pytest.mark.django_db
class TestFinding:
    def test_r58_a_failure_becomes_a_finding_once(self):
        sample = draw(make_roster(2))
        sampled = judge(hand_in(sample.files.first()), "fail", ["no_proof"])

        finding = sampling.make_finding(sampled, by=RITA, at=LATE, **WORDS)
        with pytest.raises(sampling.NoFailure, match=f"has become {finding.reference} already"):
            sampling.make_finding(sampled, by=RITA, at=LATE, **WORDS)

        sampled.refresh_from_db()
        assert sampled.finding == finding and finding.reseller == sample.reseller

    def test_a_concluded_sample_with_failures_becomes_one(self):
        sample = draw(make_roster(2))
        with pytest.raises(sampling.NoFailure, match="needs a failure"):
            sampling.make_finding(sample, by=RITA, at=LATE, **WORDS)
        sample = sampling.conclude(sample, by=CARLA, at=LATE)

        sampling.make_finding(sample, by=RITA, at=LATE, **WORDS)

        assert Finding.objects.count() == 1

    def test_a_file_in_order_becomes_none(self):
        sampled = judge(hand_in(draw(make_roster(2)).files.first()))
        with pytest.raises(sampling.NoFailure):
            sampling.make_finding(sampled, by=RITA, at=LATE, **WORDS)
        assert not Finding.objects.exists()


@needs_row_locks
class TestAtOnce:
    @pytest.fixture
    def sampled(self, triggers_lifted_for_flush):
        return hand_in(draw(make_roster(2)).files.first())

    def test_a_judgement_waits_for_a_new_file_and_is_refused(self, sampled, in_threads):
        first, second = once_it_waits(
            lambda: hand_in(sampled, text="new"), lambda: judge(sampled, seen=sampled.file_sha256), in_threads
        )

        assert isinstance(second, sampling.FileChanged)
        sampled.refresh_from_db()
        assert (sampled.result, sampled.file_sha256) == ("", first.file_sha256)

    def test_a_new_file_waits_for_the_judgement_and_is_refused(self, sampled, in_threads):
        _, second = once_it_waits(lambda: judge(sampled), lambda: hand_in(sampled, text="new"), in_threads)

        assert isinstance(second, sampling.FileClosed)
        former = sampled.file_sha256
        sampled.refresh_from_db()
        assert (sampled.result, sampled.file_sha256) == ("pass", former)

    def test_two_draws_at_once_give_one_sample(self, triggers_lifted_for_flush, in_threads):
        reseller = make_roster(3)

        _, second = once_it_waits(lambda: draw(reseller), lambda: draw(reseller), in_threads)

        assert isinstance(second, sampling.CannotDraw) and Sample.objects.count() == 1
