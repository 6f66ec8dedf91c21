"""What a provisioning system reads: the contract of docs/access-answer.md, and what is refused."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.flows import restrictions
from accounts.models import Account
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff import people
from tests.builders import make_open_account
from tests.kyc_portal.api.test_endpoints import ask, assert_problem, new_key

pytestmark = pytest.mark.django_db
FIELDS = {
    "contract", "account", "product", "answer", "may_start", "may_use", "codes", "basis", "catalogue", "number",
    "valid_until", "as_of", "cache_seconds",
}  # fmt: skip


@pytest.fixture
def key(db):
    return new_key(scopes=["access.read"])


@pytest.fixture
def account(db):
    return make_open_account()


def read(account, key, product="compute", **headers):
    reference = account if isinstance(account, str) else account.reference
    return ask(f"/api/v1/accounts/{reference}/access?product={product}", key, **headers)


def stop(account, *, until=None, reason="listed", at=None):
    words = "The account cannot be used for now."
    act = restrictions.suspend if until else restrictions.block
    return act(
        account, reason=reason, public_wording=words, basis="HIT-1", until=until, by=SCHEDULER, at=at or timezone.now()
    )


class TestTheAnswer:
    def test_an_account_in_use_may(self, account, key):
        answer = read(account, key)

        told = answer.json()
        assert answer.status_code == 200 and set(told) == FIELDS and told["contract"] == 1
        assert (told["answer"], told["may_start"], told["may_use"], told["codes"]) == ("allow", True, True, [])
        assert (told["account"], told["product"], told["number"]) == (account.reference, "compute", 1)
        assert told["catalogue"]["is_iaas"] is True
        assert told["catalogue"]["citation"] == "Executive Order 13984, section 5 (86 FR 6837) (in force)"
        assert answer.headers["Cache-Control"] == "private, max-age=60" and told["cache_seconds"] == 60

    def test_a_block_on_a_list_hit_tells_nothing_of_the_list(self, account, key):
        restriction = stop(account)

        text = read(account, key).content.decode()

        assert '"answer": "deny"' in text and '"codes": ["suspended", "rules"]' in text
        assert restriction.reference in text and "HIT-1" not in text and account.party.legal_name not in text
        assert not {"list", "block", "sanction", "ofac", "hit"} & set(text.lower().replace('"', " ").split())

    def test_it_takes_one_query_beside_what_the_key_takes(self, account, key):
        read(account, key)  # the first use of a key in a day is written down

        with CaptureQueriesContext(connection) as plain:
            read(account, key)
        for number in range(3):
            restrictions.limit(
                account, reason="unusual_use", public_wording="Please explain.", basis=f"DEC-{number}", by=SCHEDULER,
                at=timezone.now(),
            )  # fmt: skip
        with CaptureQueriesContext(connection) as restricted:
            read(account, key)

        about = [query["sql"] for query in restricted if "accounts_" in query["sql"]]
        assert len(about) == 1 and len(restricted) == len(plain) <= 6, [query["sql"][:90] for query in restricted]

    def test_it_is_kept_no_longer_than_it_can_hold(self, account, key):
        now = timezone.now()
        stop(account, until=now + timedelta(seconds=20), reason="unusual_use", at=now)

        answer = read(account, key)

        assert 0 < answer.json()["cache_seconds"] <= 20
        assert answer.headers["Cache-Control"] == f"private, max-age={answer.json()['cache_seconds']}"
        assert answer.json()["valid_until"] == (now + timedelta(seconds=20)).isoformat()

    def test_who_has_it_already_is_sent_nothing(self, account, key):
        tag = read(account, key).headers["ETag"]

        same = read(account, key, **{"If-None-Match": f'"x", {tag}'})
        stop(account)
        other = read(account, key, **{"If-None-Match": tag})

        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        assert other.status_code == 200 and other.headers["ETag"] != tag


class TestRefusals:
    def test_an_unknown_account_and_one_out_of_reach_look_alike(self, account, key, monkeypatch):
        unknown = read("ACC-0000-0000", key)
        odd = read("teapot", key)
        monkeypatch.setattr(Account.objects, "visible_to", lambda user: Account.objects.none())
        hidden = read(account, key)

        assert unknown.content == odd.content == hidden.content
        assert assert_problem(unknown, 404) == "No account has this reference."

    def test_a_key_without_the_scope_learns_nothing_of_accounts(self, account):
        other = new_key(scopes=["accounts.read"])

        assert read(account, other).content == read("ACC-0000-0000", other).content
        assert "access.read" in assert_problem(read(account, other), 403)

    def test_a_key_whose_owner_lost_the_role_opens_nothing(self, account, key, administrator):
        people.change_roles(key.owner, ["administrator"], by=administrator, at=timezone.now())

        assert_problem(read(account, key), 401)

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("", "Name the product"),
            ("?product=", "Name the product"),
            ("?product=Compute", "in small letters"),
            ("?product=x%27%20OR%201=1--", "is none"),
            (f"?product={'a' * 5000}", "is none"),
            ("?product=teapot", "No product teapot is in the catalogue"),
            ("?product=compute&product=gpu", "stands twice"),
            ("?product=compute&at=2026-01-01", "The parameter"),
        ],
    )
    def test_bad_input_is_said_in_one_sentence(self, account, key, query, sentence):
        answer = ask(f"/api/v1/accounts/{account.reference}/access{query}", key)

        assert sentence in assert_problem(answer, 400)

    def test_it_is_only_read(self, account, key):
        assert_problem(ask(f"/api/v1/accounts/{account.reference}/access?product=compute", key, "POST"), 405)
