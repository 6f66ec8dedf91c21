"""What an outside verifier answers: kept whole at once, read by a job, without harm when anything is repeated."""

import hashlib
import json
from datetime import date, timedelta
from functools import partial

import pytest

from accounts.flows import (
    external_answers,
    verification,
)
from accounts.flows.external_answers import NotAccepted, OtherBody
from accounts.models import Discrepancy, ExternalAnswer, ExternalCheck, MethodResult
from kyc_portal.demo.stand_in import StandIn
from kyc_portal.records.models import AuditEvent
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.accounts.verifier import answer_to, deliver, make_check, read, signed
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def events(verb: str) -> int:
    return AuditEvent.objects.filter(verb=f"accounts.{verb}").count()


class TestTakeIn:
    def test_the_whole_answer_is_kept_at_receipt(self):
        check = make_check()
        text = json.dumps(answer_to(check), indent=3) + "\n"

        answer = deliver(check, text)

        assert answer.body.reveal() == text and answer.sha256 == hashlib.sha256(text.encode()).hexdigest()
        assert (answer.state, answer.webhook_id, answer.received_at) == ("received", "msg_1", NOON)
        assert set(answer.headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
        stored = ExternalAnswer.objects.values_list("body", flat=True)
        assert not MethodResult.objects.exists() and "Maria" not in str(stored) and events("answer_received") == 1

    def test_the_same_message_again_changes_nothing(self):
        check = make_check()
        deliver(check)

        deliver(check)

        assert ExternalAnswer.objects.count() == 1 and events("answer_received") == 1

    def test_its_id_under_another_body_is_refused(self):
        check = make_check()
        deliver(check)

        with pytest.raises(OtherBody):
            deliver(check, answer_to(check, result="error", matched=[]))
        assert ExternalAnswer.objects.count() == 1

    def test_its_id_for_another_question_is_refused(self):
        deliver(make_check())

        with pytest.raises(OtherBody):
            deliver(make_check(legal_name="Otto Silence"))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ('{"reference": "CHK-2222-2222", "result": "match"}', "reference"),
            ('{"reference": "CHK\\u0000", "result": "match"}', "no_reference"),
            ('{"reference": "\\ud800"}', "no_reference"),
            ('{"reference": 7}', "no_reference"),
            ("{}", "no_reference"),
            ("[]", "not_json"),
            ("null", "not_json"),
            ("", "not_json"),
            ("{", "not_json"),
            ('{"a": NaN}', "not_json"),
            ('{"reference": "a", "reference": "b"}', "not_json"),
            ("[" * 100_000, "not_json"),
            ('{"a":' * 100_000, "not_json"),
            ('{"a": ' + "9" * 10_000 + "}", "not_json"),
        ],
        ids=lambda part: part[:40],
    )
    def test_what_belongs_to_nothing_is_refused(self, text, why):
        with pytest.raises(NotAccepted) as refused:
            deliver(make_check(), text)

        assert refused.value.why == why and not ExternalAnswer.objects.exists()

    def test_another_verifiers_question_is_unknown(self, settings):
        check = make_check()
        ExternalCheck.objects.update(verifier="former")

        with pytest.raises(NotAccepted):
            deliver(check)

    def test_a_verifier_that_never_stops_is_stopped(self):
        check = make_check()
        for number in range(external_answers.MOST_ANSWERS):
            deliver(check, id=f"msg_{number}")

        with pytest.raises(NotAccepted) as refused:
            deliver(check, id="msg_last")
        assert refused.value.why == "too_many"


class TestInterpret:
    def test_a_match_stands_as_a_result_that_proves(self, analyst):
        check = make_check()

        answer = read(deliver(check, answer_to(check, their_reference="v-77")))

        result = check.verification.results.get()
        assert (result.method, result.result, result.by) == ("outside_verifier", "match", "the scheduler")
        assert result.source == f"Stand-in verifier (made up), v-77, {check.reference}"
        assert result.matched == check.asked_about and answer.method_result == result
        check.refresh_from_db()
        assert (check.state, check.ended_at, answer.state) == ("answered", NOON, "used")
        done = verification.conclude(check.verification, verified=True, reason="It agrees.", by=analyst, at=NOON)
        assert done.status == "verified"

    def test_what_differs_is_a_discrepancy_that_blocks(self, analyst):
        check = make_check(birth_date=date(1985, 5, 17))
        said = {"result": "no_match", "matched": ["legal_name"], "differing": {"birth_date": "1979-02-02"}}

        answer = read(deliver(check, answer_to(check, **said)))

        found = check.verification.discrepancies.get()
        assert (found.field, found.stated.reveal(), found.found.reveal()) == ("birth_date", "1985-05-17", "1979-02-02")
        assert check.verification.results.get().result == "no_match" and answer.differing == ["birth_date"]
        with pytest.raises(verification.NotProven, match="birth_date"):
            verification.conclude(check.verification, verified=True, reason="Anyway.", by=analyst, at=NOON)

    def test_one_that_is_noted_already_is_not_noted_twice(self, analyst):
        check = make_check()
        verification.find_discrepancy(
            check.verification, field="address", stated="here", found="there", by=analyst, at=NOON
        )
        said = {"result": "partial", "matched": ["legal_name"], "differing": {"address": None}}

        assert read(deliver(check, answer_to(check, **said))).state == "used"
        assert check.verification.discrepancies.count() == 1

    def test_what_the_verifier_does_not_tell_is_said(self):
        check = make_check()
        said = {"result": "partial", "matched": ["legal_name"], "differing": {"address": ""}}

        read(deliver(check, answer_to(check, **said)))

        assert check.verification.discrepancies.get().found.reveal() == external_answers.NOT_TOLD

    def test_a_kill_between_receipt_and_reading_loses_nothing(self):
        answer = deliver(make_check())

        assert queue.run_due(NOON)["done"] >= 1

        answer.refresh_from_db()
        assert answer.state == "used"

    def test_read_again_it_changes_nothing(self):
        check = make_check()
        answer = read(deliver(check))

        read(answer)
        queue.run_due(NOON)

        assert check.verification.results.count() == 1 and events("answer_read") == 1

    def test_a_crash_in_the_middle_leaves_nothing_half_done(self, monkeypatch):
        check = make_check(birth_date=date(1985, 5, 17))
        answer = deliver(check, answer_to(check, result="no_match", matched=[], differing={"birth_date": "1979-02-02"}))
        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(verification, "find_discrepancy", lambda *_, **__: (_ for _ in ()).throw(RuntimeError()))
            external_answers.interpret(str(answer.pk), by=SCHEDULER, at=NOON)
        assert not MethodResult.objects.exists()

        assert read(answer).state == "used"
        assert MethodResult.objects.count() == Discrepancy.objects.count() == 1

    @pytest.mark.parametrize(
        "said", [{"result": "perhaps"}, {"matched": ["shoe_size"]}, {"matched": []}, {"differing": {"address": "x"}}]
    )
    def test_what_cannot_be_read_is_kept_and_the_question_stays_open(self, said):
        check = make_check()

        answer = read(deliver(check, answer_to(check, **said)))

        check.refresh_from_db()
        assert (answer.state, answer.result, check.state) == ("unreadable", "", "asked")
        assert answer.trouble and json.loads(answer.body.reveal())["reference"] == check.reference
        assert not MethodResult.objects.exists()
        assert read(deliver(check, id="msg_2")).state == "used"

    def test_a_value_no_column_holds_makes_it_unreadable_not_dead(self):
        check = make_check()
        said = {"result": "no_match", "matched": [], "differing": {"address": "a" + "\u0301" * 5}}

        assert read(deliver(check, answer_to(check, **said))).state == "unreadable"

    def test_after_the_conclusion_it_is_kept_and_changes_nothing(self, analyst):
        check = make_check()
        verification.conclude(check.verification, verified=False, reason="No answer.", by=analyst, at=NOON)

        answer = read(deliver(check))

        check.refresh_from_db()
        assert (answer.state, answer.result, check.state) == ("late", "match", "answered")
        assert not MethodResult.objects.exists() and answer.body.reveal()

    def test_a_card_number_it_tells_is_masked_in_the_discrepancy(self):
        check = make_check()
        said = {"result": "no_match", "matched": [], "differing": {"address": "4111 1111 1111 1111"}}

        read(deliver(check, answer_to(check, **said)))

        assert "4111 1111" not in check.verification.discrepancies.get().found.reveal()

    def test_answers_of_a_verifier_that_was_replaced_say_so(self, settings):
        answer = deliver(make_check())
        settings.VERIFIER = ""

        assert (
            read(answer).trouble == "Stand-in verifier (made up) is not set up any more, so nothing reads its answers."
        )

    def test_an_adapter_that_stumbles_leaves_a_sentence(self, monkeypatch):
        monkeypatch.setattr(StandIn, "read", lambda self, message, asked: message["no such key"])

        answer = read(deliver(make_check()))

        assert answer.trouble == "The answer is not of the verifier's own form (KeyError)."


class TestTwoAtOnce:
    def test_g1_one_message_twice_at_the_same_moment_is_one_answer(self, triggers_lifted_for_flush, in_threads):
        check = make_check()
        text = json.dumps(answer_to(check))
        headers = signed(text)

        def send():
            return external_answers.take_in(text.encode(), headers, at=NOON)

        assert sorted(in_threads(send, send, send, send)) == [False, False, False, True]
        assert ExternalAnswer.objects.count() == 1 and Job.objects.filter(kind=external_answers.READ).count() == 1

    def test_g2_one_id_for_two_questions_at_the_same_moment_is_one_answer(self, triggers_lifted_for_flush, in_threads):
        calls = [partial(deliver, make_check(legal_name=name)) for name in ("Maria Silence", "Otto Silence")]

        told = in_threads(*calls)

        assert [type(each) for each in told].count(OtherBody) == 1 and ExternalAnswer.objects.count() == 1

    def test_two_readers_make_one_result(self, triggers_lifted_for_flush, in_threads):
        answer = deliver(make_check())
        call = partial(external_answers.interpret, str(answer.pk), by=SCHEDULER, at=NOON)

        assert in_threads(call, call) == [None, None]
        assert MethodResult.objects.count() == 1

    def test_an_answer_and_the_conclusion_at_the_same_moment_are_one_after_the_other(
        self, triggers_lifted_for_flush, in_threads, analyst
    ):
        check = make_check()
        answer = deliver(check)
        conclude = partial(
            verification.conclude, check.verification, verified=False, reason="No answer.", by=analyst, at=NOON
        )

        in_threads(conclude, partial(external_answers.interpret, str(answer.pk), by=SCHEDULER, at=NOON))

        answer.refresh_from_db()
        assert answer.state in ("used", "late") and MethodResult.objects.count() == (answer.state == "used")
