"""The list of checks: each good value passes, each bad one is told in a sentence without the value."""

from datetime import date
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules.answers import About, OnFile, Outcome, Value
from accounts.rules.checks import CHECKS, run_all

PASSED, FAILED, COULD_NOT_RUN = Outcome.PASSED, Outcome.FAILED, Outcome.COULD_NOT_RUN


ROW = About("row 1", "accounts.party", "1", "value")


def of(*values):
    return OnFile(party=About("file"), on=date(2026, 3, 2), values=values)


def only(value):
    """The one answer about a value; whether countries agree is answered about the whole file."""
    (answer,) = [answer for check, answer in run_all(of(value)) if check.code != "countries"]
    return answer


@pytest.mark.parametrize(
    ("kind", "text", "country", "outcome"),
    [
        ("iban", "DE89 3704 0044 0532 0130 00", "", PASSED),
        ("iban", "DE89 3704 0044 0532 0130 01", "", FAILED),
        ("wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "", PASSED),
        ("wallet", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "", FAILED),
        ("wallet", "0x52908400098527886e0f7030069857d2e4169ee7", "", COULD_NOT_RUN),
        ("card", "tok_1Nabc", "", COULD_NOT_RUN),
        ("card", "4111 1111 1111 1111", "", FAILED),
        ("registration_number", "DE136695976", "DE", PASSED),
        ("registration_number", "DE136695978", "DE", COULD_NOT_RUN),
        ("registration_number", "HRB 12345", "DE", COULD_NOT_RUN),
        ("national_id", "536-90-4399", "US", PASSED),
        ("national_id", "000-00-0000", "US", FAILED),
        ("national_id", "12345", "AQ", COULD_NOT_RUN),
        ("national_id", "12345", "", COULD_NOT_RUN),
        ("phone", "+1 202 456 1111", "", PASSED),
        ("phone", "+1 000 000 0000", "", FAILED),
        ("phone", "📞", "", FAILED),
        ("email", "maria@customer.example.org", "", PASSED),
        ("email", "maria@mailinator.com", "", FAILED),
        ("email", "maria@inbox.mailinator.com", "", FAILED),
        ("email", "maria@", "", FAILED),
    ],
)
def test_r13_r15_r16_r17_r20_each_kind_of_value(kind, text, country, outcome):
    answer = only(Value(ROW, kind, text, country))

    assert answer.outcome == outcome, answer.reason
    assert answer.about == ROW and answer.source and answer.reason.endswith(".")
    assert text not in answer.reason
    assert bool(answer.matched) is (outcome == PASSED)


def test_what_is_not_there_gives_no_answer():
    assert run_all(of()) == ()


def test_each_check_has_its_own_code():
    assert len({check.code for check in CHECKS}) == len(CHECKS)


@given(st.text(max_size=60), st.sampled_from(("DE", "US", "BR", "CN", "GB", "RU", "IN", "SE", "", "ZZ")))
def test_no_text_stops_the_checks_and_none_is_repeated(text, country):
    kinds = ("national_id", "registration_number", "iban", "wallet", "card", "phone", "email")

    found = run_all(of(*(Value(ROW, kind, text, country) for kind in kinds)))

    answers = [(check, answer) for check, answer in found if check.code != "countries"]
    assert len(answers) == len(kinds)
    assert not [answer for _, answer in answers if len(text) > 12 and text in answer.reason]


def test_the_source_names_library_and_version():
    assert only(Value(ROW, "phone", "+1 202 456 1111")).source == f"phonenumberslite {version('phonenumberslite')}"


def test_what_was_looked_at_is_never_printed():
    answer = only(Value(ROW, "iban", "DE89370400440532013000"))

    assert "DE89370400440532013000" in answer.looked_at
    assert "DE89370400440532013000" not in repr(answer)
