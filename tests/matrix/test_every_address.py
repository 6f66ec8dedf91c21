"""Every address × every role × every relation of the record × every method, as the policy table wants it (TH1, ASVS 8).

What is expected comes from kyc_portal/staff/policy_table.py alone. An answer is told by its status; where the record is
hidden, purged or never was, by every byte of it.
"""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone

from kyc_portal.staff import breakglass, policy_check, policy_table
from kyc_portal.staff.policy_screens import SEE_LEGAL
from tests.matrix.worlds import (
    EVERYTHING,
    INACTIVE,
    MANAGER_A,
    NOBODY,
    PEOPLE,
    Matrix,
    everything_in,
    without,
)

pytestmark = pytest.mark.django_db
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READING = {"GET", "HEAD"}
WRITTEN = re.compile(r'^(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
TRACES = {"records_identityview", "records_auditevent", "records_auditpending", "records_auditpayload"}


# Moments of being there, which every look may move: of the session, and of one's own lock on a case.
MOMENTS = {"django_session", "cases_caselock"}


class Tables:
    """The tables that statements write to, sessions left out; to be used with connection.execute_wrapper."""

    def __init__(self):
        self.written = set()

    def __call__(self, execute, sql, params, many, context):
        if found := WRITTEN.match(sql):
            self.written |= {found[1]} - MOMENTS
        return execute(sql, params, many, context)


def user_of(matrix: Matrix, who: str):
    if who in (NOBODY, INACTIVE):
        return AnonymousUser()
    return matrix.users[who]


def expected(user, page, method: str, button, relation: str, record) -> int | None:
    """The status the table wants; None where the page answers in its own way, without an error."""
    if page.asks_for_key:
        return None
    if method not in page.methods:
        return 405
    if not page.opens_to(user, method):
        return 403 if user.is_authenticated else 302
    if page.of and record is None:
        return 404
    speaks_of = page.of and policy_table.SCREENS[page.of].speaks_of
    if speaks_of and not user.has_perm(policy_table.right_to_see(record.label)):
        return 404
    if relation == "hidden" and not user.has_perm(SEE_LEGAL):
        return 404
    if relation == "restricted" and not is_named(user, page, record):
        return 404
    own = policy_table.SCREENS[page.of].own if page.of else ""
    if own and not user.has_perm(policy_table.SCREENS[page.of].all_for) and getattr(record, own) != user.pk:
        return 404
    if button is not None and not button.may(user, record):
        return 403
    return None


def is_named(user, page, record) -> bool:
    """Whether a restricted record is open to this person."""
    case = record if page.of == "cases.case" else record.case
    return case.readers.standing().filter(user=user).exists()


def answers(page, status: int) -> bool:
    """Whether somebody who may ask is answered; an address that means no record of the table may lead to nothing."""
    if page.asks_for_key:
        return 400 <= status < 500  # nobody here has a key
    return status < 400 or (status == 404 and not page.of)


def counts_looks(page) -> bool:
    """Whether reading this page is written down."""
    models = {model._meta.label_lower: screen for model, screen in admin.site._registry.items()}
    return bool(page.of) and (models[page.of].logs_views or not page.has_head)


def asked(page, user, who: str, method: str, relation: str) -> bool:
    """What is worth asking: for who is refused before the record is looked for, one key and no key say it all."""
    if method in READING | {"POST"} and method in page.methods and page.opens_to(user, method):
        is_cheap = method != "HEAD" or who == EVERYTHING
        return is_cheap and (relation not in ("own", "sibling", "parent") or who == EVERYTHING)
    if method not in READING | {"POST"} and who not in (NOBODY, EVERYTHING):
        return False  # refused before anybody is looked at
    if who == MANAGER_A and method in ("GET", "POST"):
        return True
    return relation in ("existing", "no record") or (relation == "missing" and method == "GET")


# What is there to show masked values when it is asked for, and the right it takes.
SHOWS_ON_REQUEST = {("POST", "admin:accounts_verification_workspace"): "accounts.reveal"}


def wrong_buttons(user, label: str, path: str, told: str, record) -> list[str]:
    """The buttons on a record's page that the table does not offer to this person in this state of the record."""
    acts = policy_table.SCREENS[label].acts
    shown = {name.replace("-", "_") for name in re.findall(path.replace("/change/", r"/do/([\w-]+)/"), told)}
    offered = {name for name, act in acts.items() if act.may(user, record) and act.fits(record)}
    return sorted(shown - offered)


def ask(browser, method: str, path: str):
    """(answer, its bytes, tables written) of one request that is then taken back, cookies too."""
    cookies, tables = dict(browser.cookies), Tables()
    with transaction.atomic(), connection.execute_wrapper(tables):
        answer = browser.generic(method, path)
        told = everything_in(answer)
        transaction.set_rollback(True)
    browser.cookies.clear()
    browser.cookies.update(cookies)
    return answer, told, tables.written


def faults_of(matrix: Matrix, who: str, name: str, page) -> list[str]:
    """Everything that is not as the table wants it at one address for one person, each as a sentence."""
    user, browser, faults, nothing = user_of(matrix, who), matrix.browsers[who], [], {}
    acts = policy_table.SCREENS[page.of].acts if page.of else {}
    button = acts.get(name.rpartition(":")[2] if "_do:" in name else page.act)
    for relation, path, record in matrix.ways_to(name, page):
        for method in (each for each in METHODS if asked(page, user, who, each, relation)):
            answer, told, written = ask(browser, method, path)
            wanted, status = expected(user, page, method, button, relation, record), answer.status_code
            where = f"{who}: {method} {name} ({relation} record, {path})"
            if status >= 500 or (status != wanted if wanted else not answers(page, status)):
                faults.append(f"{where} answered {status}, the table wants {wanted or 'an answer'}")
            if wanted == 302 and not answer.headers["Location"].startswith("/login/?next="):
                faults.append(f"{where} leads to {answer.headers['Location']}")
            is_counted = counts_looks(page) or (page.of and breakglass.held_by(user, timezone.now()))
            allowed = TRACES if wanted is None and is_counted else set()
            if (wanted or method in READING) and written - allowed:
                faults.append(f"{where} wrote to {sorted(written)}")
            if wanted is None and page.of and name.endswith("_change"):
                faults += [f"{where} offers {each}" for each in wrong_buttons(user, page.of, path, told, record)]
            plain = without(told, path)
            if not user or not user.has_perm(SHOWS_ON_REQUEST.get((method, name), "nobody.may")):
                faults += [f"{where} tells {word}" for word in matrix.secrets_of(user) if word in plain]
            if wanted in (302, 403, 404):
                nothing.setdefault((method, wanted), {})[relation] = plain
    for (method, status), tellings in nothing.items():
        if len(set(tellings.values())) > 1:
            faults.append(f"{who}: {method} {name}: a {status} tells {' from '.join(tellings)}")
    return faults


def test_the_sessions_cookie_of_the_minute_makes_no_difference():
    bare, touched = (HttpResponse("<!DOCTYPE html>", status=403) for _ in range(2))
    touched.set_cookie("sessionid", "abc")

    assert everything_in(bare) == everything_in(touched)


class TestEveryAddress:
    @pytest.mark.parametrize("who", PEOPLE)
    def test_it_answers_as_the_policy_table_says(self, matrix, who):
        faults = []

        for name in sorted(policy_check.expected()):
            faults += faults_of(matrix, who, name, policy_table.page_named(name))

        assert not faults, f"{len(faults)}:\n" + "\n".join(faults)
