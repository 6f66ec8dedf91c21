"""Guessing is slowed by account and by address; equal answers; nobody else is locked out (ASVS 6.3.1, 6.3.8; TH7)."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone

from kyc_portal.records.models import AuditEvent
from kyc_portal.staff import people, throttling
from kyc_portal.staff.middleware import ENDED
from tests.conftest import person
from tests.kyc_portal.signin.doors import log_in, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(analyst_user):
    return analyst_user


def guess(times: int, username: str = "ana", address: str = "203.0.113.7") -> list[int]:
    """The status codes of so many wrong passwords."""
    return [
        log_in(username, f"wrong guess number {number}", REMOTE_ADDR=address)[1].status_code for number in range(times)
    ]


def try_right(username: str = "ana", address: str = "203.0.113.7") -> int:
    return log_in(username, REMOTE_ADDR=address)[1].status_code


class TestOnePair:
    def test_a_right_password_is_refused_while_it_is_locked(self, ana):
        assert guess(7) == [200, 200, 200, 200, 429, 429, 429]
        assert try_right() == 429

    def test_the_lock_ends_by_itself_however_long_the_guessing_goes_on(self, ana):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            guess(5)
            for _ in range(14):
                clock.shift(timedelta(minutes=1))
                guess(1)
            clock.shift(timedelta(minutes=2))

            assert try_right() == 302

    def test_the_person_gets_in_from_elsewhere_and_colleagues_from_there(self, ana, lead_user):
        guess(6)

        assert try_right(address="198.51.100.9") == 302
        assert try_right("lea") == 302

    def test_upper_and_lower_case_are_one_name_and_one_network_one_address(self, ana):
        guess(2, "ANA", "2001:db8::1")
        guess(2, " ana ", "2001:db8::2:1")

        assert guess(1, "Ana", "2001:db8::ffff") == [429]

    def test_a_success_takes_the_counts_away(self, ana):
        guess(4)
        try_right()

        assert guess(4) == [200] * 4

    def test_a_header_of_the_client_does_not_change_its_address(self, ana):
        for number in range(4):
            log_in(password="wrong", REMOTE_ADDR="203.0.113.7", headers={"X-Forwarded-For": f"198.51.100.{number}"})

        assert guess(1) == [429]


class TestWider:
    def test_one_name_from_many_addresses(self, ana):
        codes = [guess(1, address=f"198.51.100.{number}")[0] for number in range(51)]

        assert codes[:49] == [200] * 49 and codes[50] == 429
        assert try_right(address="192.0.2.1") == 429

    def test_many_names_from_one_address(self, ana):
        codes = [guess(1, username=f"somebody{number}")[0] for number in range(51)]

        assert codes[:49] == [200] * 49 and codes[50] == 429
        assert try_right() == 429 and try_right(address="192.0.2.1") == 302


class TestEqualAnswers:
    def test_an_unknown_name_a_wrong_password_and_somebody_who_left_read_the_same(self, ana, administrator_user):
        gone = person("gone", "reviewer")
        people.leave(gone, by=administrator_user.as_actor, at=timezone.now())

        pages = [
            log_in(name, password)[1].content.decode().replace(name, "NAME")
            for name, password in (("ana", "wrong"), ("nobody", "wrong"), ("gone", "correct horse battery"))
        ]

        errors = [page[page.index("There is a problem") : page.index("</ul>")] for page in pages]
        assert len(set(errors)) == 1 and "do not fit" in errors[0]
        assert not any(sentence in page for page in pages for sentence in ENDED.values())

    def test_an_unknown_name_is_locked_like_a_known_one(self, ana):
        assert guess(6, "nobody") == guess(6, "ana", "203.0.113.8")

    def test_either_costs_one_hash_and_nothing_else_that_takes_time(self, ana, settings, monkeypatch):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
        ana.set_password("correct horse battery")
        ana.save()
        hashed, encode, verify = [], Argon2PasswordHasher.encode, Argon2PasswordHasher.verify
        monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *given: hashed.append("one") or encode(*given))
        monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *given: hashed.append("one") or verify(*given))
        costs = {}

        for name in ("ana", "nobody"):
            hashed.clear()
            log_in(name, "wrong")
            costs[name] = len(hashed)

        assert costs == {"ana": 1, "nobody": 1}


class TestWhatIsKept:
    def test_no_name_and_no_password_is_kept(self, ana):
        guess(2, "Typed.By.Somebody")

        kept = repr(list(AccessAttempt.objects.values()))

        assert "somebody" not in kept.lower() and "guess" not in kept

    def test_the_alarm_is_told_once_a_lock(self, ana):
        guess(9)

        assert verbs(ana).count("staff.locked_out") == 1
        assert verbs(ana).count("staff.login_refused") == 9

    def test_an_alarm_about_an_unknown_name_tells_no_name(self):
        guess(5, "maria@customer.example")

        event = AuditEvent.objects.get(verb="staff.locked_out")
        assert event.about_key == "unknown" and "maria" not in bytes(event.canonical).decode()

    def test_an_administrator_lifts_the_lock(self, ana, administrator_user):
        guess(6)

        throttling.lift(ana, by=administrator_user.as_actor, at=timezone.now())

        assert try_right() == 302 and "staff.lock_lifted" in verbs(ana)

    def test_th7_a_thousand_tries_never_try_more_than_a_few_passwords(self, ana):
        codes = guess(1000)

        assert codes.count(200) == 4 and try_right() == 429
