"""Asking an outside verifier: once, by a job, without harm when it is gone; how long question and answer are kept."""

import json
from datetime import date, timedelta

import pytest

from accounts.flows import (
    external_answers,
    external_checks,
    identification,
    keeping,
    person_export,
    personal_data,
    reveal,
    verification,
)
from accounts.flows.external_answers import NotAccepted
from accounts.flows.external_checks import AlreadyAsked, NoVerifier, TakesNoResults
from accounts.flows.verification import UnfitMethod
from accounts.models import Account, ExternalAnswer, ExternalCheck, MethodResult
from kyc_portal.demo.stand_in import StandIn
from kyc_portal.records import audit, deletion, holds, keys, retention
from kyc_portal.records.models import AuditEvent, SubjectKey
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.accounts.verifier import answer_to, deliver, make_check, make_verification, read
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def events(verb: str) -> int:
    return AuditEvent.objects.filter(verb=f"accounts.{verb}").count()


class Gone(StandIn):
    """A verifier whose line is dead until somebody mends it."""

    is_dead = True

    def ask(self, question, *, at):
        if Gone.is_dead:
            raise TimeoutError("Maria Silence could not be asked")
        return super().ask(question, at=at)


@pytest.fixture
def gone(settings):
    Gone.is_dead = True
    settings.VERIFIER = f"{__name__}.Gone"
    return Gone


class TestAsk:
    def test_it_keeps_what_is_sent_and_names_its_fields(self, analyst):
        record = make_verification(birth_date=date(1985, 5, 17), citizenship="DE")
        identification.add_document(
            record.party, kind="passport", number="L898902C3", country="DE", by=analyst, at=NOON
        )  # fmt: skip

        check = external_checks.ask(record, by=analyst, at=NOON)

        check = ExternalCheck.objects.get(pk=check.pk)
        sent = json.loads(check.question.reveal())
        assert sent["legal_name"] == "Maria Silence" and sent["birth_date"] == "1985-05-17"
        assert sent["number"] == "L898902C3" and sent["document_country"] == "DE" and sent["address"].endswith(", DE")
        assert check.asked_about == list(sent) and check.due_at == NOON + 3 * DAY
        assert (check.verifier, check.asked_by, check.state) == ("stand_in", "ana", "asked")
        event = audit.history_of(record.account).filter(verb="accounts.check_asked").get()
        assert "Maria" not in str(event.facts) and "1985" not in str(event.facts)

    def test_a_second_question_waits_for_the_first(self, analyst):
        check = make_check()

        with pytest.raises(AlreadyAsked, match=f"{check.reference} is out since 2026-03-02"):
            external_checks.ask(check.verification, by=analyst, at=NOON)
        assert ExternalCheck.objects.count() == 1

    def test_nothing_is_asked_for_what_is_over(self, analyst):
        record = make_verification()
        verification.conclude(record, verified=False, reason="No answer.", by=analyst, at=NOON)

        with pytest.raises(TakesNoResults, match="is failed and takes nothing more"):
            external_checks.ask(record, by=analyst, at=NOON)

    def test_without_a_verifier_it_says_so(self, analyst, settings):
        settings.VERIFIER = ""

        with pytest.raises(NoVerifier, match="No outside verifier is set up"):
            external_checks.ask(make_verification(), by=analyst, at=NOON)

    def test_nobody_records_such_a_result_by_hand(self, analyst):
        with pytest.raises(UnfitMethod, match="does not fit"):
            verification.record_method(
                make_verification(), method="outside_verifier", result="match", source="trust me", by=analyst, at=NOON
            )


class TestHandOver:
    def test_the_job_hands_it_over_once(self, analyst):
        check = external_checks.ask(make_verification(), by=analyst, at=NOON)

        assert queue.run_due(NOON) == {"done": 1, "failed": 0, "dead": 0}
        external_checks.hand_over(str(check.pk), by=SCHEDULER, at=NOON + DAY)

        check.refresh_from_db()
        assert check.handed_over_at == NOON and check.their_reference == f"SI-{check.reference[4:]}"
        assert events("check_handed_over") == 1

    def test_a_verifier_that_cannot_be_reached_leaves_the_question_standing(self, analyst, gone, caplog):
        check = external_checks.ask(make_verification(), by=analyst, at=NOON)

        assert queue.run_due(NOON)["failed"] == 1

        check.refresh_from_db()
        assert check.state == "asked" and check.handed_over_at is None
        assert check.trouble.startswith("Could not be handed over (TimeoutError).")
        assert "Maria" not in caplog.text and "Maria" not in Job.objects.get().last_error
        gone.is_dead = False
        assert queue.run_due(NOON + timedelta(minutes=1))["done"] == 1
        check.refresh_from_db()
        assert check.handed_over_at and check.trouble == ""

    def test_after_five_times_it_is_a_dead_letter_and_ends_when_due(self, analyst, gone):
        check = external_checks.ask(make_verification(), by=analyst, at=NOON)

        for minutes in range(0, 100, 10):
            queue.run_due(NOON + timedelta(minutes=minutes))
        external_checks.end_unanswered(at=NOON + 3 * DAY)

        check.refresh_from_db()
        assert Job.objects.get().state == "dead" and check.state == "ended"
        assert events("check_not_handed_over") == 5

    def test_nobodys_data_goes_out_for_a_verification_that_ended_meanwhile(self, analyst, monkeypatch):
        record = make_verification(legal_name="Maria Example")
        check = external_checks.ask(record, by=analyst, at=NOON)
        verification.conclude(record, verified=False, reason="No answer.", by=analyst, at=NOON)
        monkeypatch.setattr(StandIn, "ask", lambda *_, **__: pytest.fail("the data went out"))

        queue.run_due(NOON)

        check.refresh_from_db()
        assert check.state == "ended" and check.handed_over_at is None and not MethodResult.objects.exists()

    @pytest.mark.parametrize("address", ["http://verifier.example/a", "javascript:alert(1)", "https://x\n", "x" * 2001])
    def test_an_odd_address_for_the_customer_is_not_kept(self, analyst, monkeypatch, address):
        told = external_checks.HandedOver("v-1", address)
        monkeypatch.setattr(StandIn, "ask", lambda *_, **__: told)
        check = external_checks.ask(make_verification(), by=analyst, at=NOON)

        assert queue.run_due(NOON)["failed"] == 1
        check.refresh_from_db()
        assert check.send_customer_to is None and check.trouble

    def test_an_address_for_the_customer_is_sealed(self, analyst, monkeypatch):
        told = external_checks.HandedOver("v-1", "https://verifier.example/start/7")
        monkeypatch.setattr(StandIn, "ask", lambda *_, **__: told)

        check = make_check()

        assert check.send_customer_to.reveal() == "https://verifier.example/start/7"


class TestStandIn:
    @pytest.mark.parametrize(
        ("name", "state", "results"),
        [
            ("Maria Example", "answered", ["match"]),
            ("Maria Partial", "answered", ["partial"]),
            ("Maria Nomatch", "answered", ["no_match"]),
            ("Maria Error", "answered", ["error"]),
            ("Maria Garbled", "asked", []),
            ("Maria Silence", "asked", []),
            ("Maria Gone", "asked", []),
        ],
    )
    def test_it_answers_by_the_name_through_the_jobs(self, analyst, name, state, results):
        check = external_checks.ask(make_verification(legal_name=name), by=analyst, at=NOON)

        queue.run_due(NOON)

        check.refresh_from_db()
        assert check.state == state
        assert list(check.verification.results.values_list("result", flat=True)) == results

    def test_asked_twice_it_answers_once(self, analyst):
        check = external_checks.ask(make_verification(legal_name="Maria Example"), by=analyst, at=NOON)
        question = external_checks.Question(check.reference, "individual", json.loads(check.question.reveal()))

        StandIn().ask(question, at=NOON)
        queue.run_due(NOON)

        assert check.answers.count() == 1 and check.verification.results.count() == 1


class TestEnd:
    def test_silence_ends_with_a_result_that_says_so(self):
        check = make_check()

        assert external_checks.end_unanswered(at=NOON + 3 * DAY) == {"done": 1, "failed": 0}
        assert external_checks.end_unanswered(at=NOON + 4 * DAY) == {"done": 0, "failed": 0}

        check.refresh_from_db()
        result = check.verification.results.get()
        assert (check.state, result.result, result.method) == ("ended", "error", "outside_verifier")
        assert check.reference in result.source and events("check_unanswered") == 1

    def test_before_the_day_nothing_ends(self):
        make_check()

        assert external_checks.end_unanswered(at=NOON + 3 * DAY - timedelta(seconds=1)) == {"done": 0, "failed": 0}

    def test_an_answer_that_waits_to_be_read_is_no_silence(self):
        check = make_check()
        answer = deliver(check)

        assert external_checks.end_unanswered(at=NOON + 3 * DAY) == {"done": 0, "failed": 0}

        assert read(answer).state == "used" and check.verification.results.get().result == "match"

    def test_one_that_could_not_be_read_is(self):
        check = make_check()
        read(deliver(check, answer_to(check, result="perhaps")))

        assert external_checks.end_unanswered(at=NOON + 3 * DAY) == {"done": 1, "failed": 0}
        assert "no usable answer" in check.verification.results.get().source

    def test_then_it_may_be_asked_anew_and_a_belated_answer_still_counts(self, analyst):
        check = make_check()
        external_checks.end_unanswered(at=NOON + 3 * DAY)
        again = make_check(check.verification, at=NOON + 3 * DAY)

        assert read(deliver(check)).state == "used"

        assert [each.result for each in check.verification.results.order_by("pk")].count("match") == 1
        again.refresh_from_db()
        assert again.state == "asked"

    def test_a_concluded_verification_gets_no_result_any_more(self, analyst):
        check = make_check()
        verification.conclude(check.verification, verified=False, reason="No answer.", by=analyst, at=NOON)

        external_checks.end_unanswered(at=NOON + 3 * DAY)

        check.refresh_from_db()
        assert check.state == "ended" and not MethodResult.objects.exists()


class TestKeeping:
    @pytest.fixture
    def ended(self):
        """An account that ended long ago, with a question and its answer."""
        check = make_check(legal_name="Maria Example")
        queue.run_due(NOON)
        account = check.verification.account
        Account.objects.filter(pk=account.pk).update(status="closed", closed_at=NOON - 1000 * DAY)
        assert check.answers.get().state == "used"
        return check

    def purge(self):
        return retention.purge_due(as_of=NOON.date(), today=NOON.date(), execute=True, by=SCHEDULER, at=NOON)

    def test_a_purge_takes_question_and_answer_with_the_key(self, ended):
        party = ended.verification.party_id

        assert len(self.purge().gone) >= 1

        assert not ExternalCheck.objects.exists() and not ExternalAnswer.objects.exists()
        assert not SubjectKey.objects.filter(subject=party).exists()
        with pytest.raises(NotAccepted):
            deliver(ended, id="msg_late")

    def test_a_job_that_comes_after_it_finds_nothing_to_do(self, ended):
        answer = ended.answers.get()
        self.purge()

        external_answers.interpret(str(answer.pk), by=SCHEDULER, at=NOON)
        external_checks.hand_over(str(ended.pk), by=SCHEDULER, at=NOON)

    @pytest.mark.parametrize("held", ["account", "party"])
    def test_a_hold_beats_it(self, ended, counsel, held):
        row = getattr(ended.verification, held)
        holds.place_hold([row], reason="preservation", ground="LEG-1", by=counsel, at=NOON)

        assert self.purge().gone == []
        for row in (ended.answers.get(), ended):
            with deletion.declared("purge"), pytest.raises(deletion.Held):
                deletion.require_may_go(type(row).objects.filter(pk=row.pk))

    def test_without_its_key_the_answer_is_lost(self, ended):
        answer = ended.answers.get()
        keys.destroy_key(ended.verification.party_id)

        with pytest.raises(keys.KeyProblem):
            ExternalAnswer.objects.get(pk=answer.pk).body.reveal()

    def test_a_key_that_cannot_be_had_now_is_tried_again(self, settings):
        answer = deliver(make_check())
        good, settings.MASTER_KEYS = settings.MASTER_KEYS, []
        with pytest.raises(keys.KeyProblem):
            external_answers.interpret(str(answer.pk), by=SCHEDULER, at=NOON)
        settings.MASTER_KEYS = good

        assert read(answer).state == "used"

    def test_r49_a_bank_counts_from_the_last_answer_too(self, settings):
        check = make_check()
        deliver(check, at=NOON + 40 * DAY)
        Account.objects.filter(pk=check.verification.account_id).update(status="closed", closed_at=NOON)
        settings.REGIME = "BANK_CIP"

        periods = keeping.periods_of(Account.objects.get())

        assert any("verification on 2026-04-11" in period.sentence for period in periods)

    def test_the_person_learns_whom_we_asked_and_not_what_was_answered(self, ended):
        handed = person_export.HANDED_OVER[ExternalCheck]

        assert {"verifier_title", "asked_about", "asked_at"} <= set(handed)
        assert "accounts.externalanswer" in person_export.WITHHELD
        rows = personal_data.rows_about(ExternalCheck, ended.verification.party_id)
        assert [row.pk for row in rows] == [ended.pk]

    def test_a_look_at_the_whole_answer_leaves_an_event(self, ended, analyst):
        answer = ended.answers.get()

        clear = reveal.reveal(answer, "body", why="verification", by=analyst, at=NOON)

        assert json.loads(clear)["result"] == "match"
        event = AuditEvent.objects.get(verb="records.revealed")
        assert event.facts == {"field": "whole answer about the identity", "why": "to verify the customer"}
