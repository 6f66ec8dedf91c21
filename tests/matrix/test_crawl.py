"""Follow every link and form as each role: no word of others comes out, by page, file, mail, log or job (TH2)."""

import logging
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from django.core import mail
from django.db import transaction

from kyc_portal.notices import outbox
from kyc_portal.staff.roles import ROLES
from kyc_portal.work.models import Job
from tests.conftest import NOON
from tests.matrix.worlds import EVERYTHING, MANAGER_B, everything_in

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("crawl")]  # what was seen is kept for the last test
MOST_OF_A_KIND = 2  # pages that differ in nothing but the query or the record
# A bundle as its recipient will read it: who approves what leaves the house must read it whole, and each look is told.
AS_HANDED_OVER = re.compile(r"/cases/bundles/[\w-]+/preview/")
LINKS = {"a": "href", "form": "action", "link": "href", "img": "src", "iframe": "src", "script": "src"}


class Links(HTMLParser):
    """Every address a page leads to."""

    def __init__(self, html: str):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        wanted = LINKS.get(tag)
        self.found += [value for name, value in attrs if name == wanted and value]


def kind_of(path: str) -> str:
    """The path with its keys taken out, so that not every row of a table is opened."""
    return "/".join("KEY" if any(sign.isdigit() for sign in part) else part for part in path.split("/"))


def crawl(browser, seeds: list[str]) -> dict[str, str]:
    """Everything that one person gets to see from the first page and the seeds on: address → answer as text."""
    waiting, seen, kinds = [*seeds, "/"], {}, {}
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(urlsplit(address).path)
        if address in seen or kind.startswith("/static/") or kinds.get(kind, 0) >= MOST_OF_A_KIND:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        with transaction.atomic():
            answer = browser.get(address)
            seen[address] = everything_in(answer)
            transaction.set_rollback(True)
        allowed = (200, 302, 403, 404) if address in seeds else (200, 302, 405)  # 405: the address of a POST form
        assert answer.status_code in allowed, (address, answer.status_code)
        found = [answer.headers.get("Location", "")]
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            found += Links(answer.content.decode()).found
        inside = (urljoin(address, each) for each in found if each)
        waiting += [each.partition("#")[0] for each in inside if not urlsplit(each).netloc]
    return seen


@pytest.fixture
def logged():
    """Every line that any logger writes, as the log would show it."""
    lines, root = [], logging.getLogger()
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(handler.format(record))
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)


class TestCrawl:
    @pytest.mark.parametrize(
        "who", [*(pytest.param(each, marks=pytest.mark.pages) for each in ROLES), MANAGER_B, EVERYTHING]
    )
    def test_nobody_reads_a_word_that_is_not_for_them(self, matrix, logged, who):
        secrets = matrix.secrets_of(matrix.users[who])

        seen = matrix.seen[who] = crawl(matrix.browsers[who], matrix.seeds)

        if who == MANAGER_B:  # their own customers, by name, country and state
            secrets = [word for word in secrets if word not in matrix.known_to_b]
        told = {
            address: [word for word in secrets if word in text]
            for address, text in seen.items()
            if not (AS_HANDED_OVER.fullmatch(address) and matrix.users[who].has_perm("cases.approve_bundle"))
        }
        assert {address: words for address, words in told.items() if words} == {}
        assert [line for line in logged if any(each.word in line for each in matrix.canaries)] == []
        assert not [address for address in seen if any(word in unquote(address) for word in secrets)]

    def test_the_crawl_sees_what_there_is(self, matrix):
        """The test above proves nothing if it came nowhere."""
        everything = matrix.seen.get(EVERYTHING) or crawl(matrix.browsers[EVERYTHING], matrix.seeds)
        own = crawl(matrix.browsers[MANAGER_B], [])
        text = "".join(everything.values())

        reachable = [each.word for each in matrix.canaries if each.rights]
        assert [word for word in reachable if word not in text] == []
        assert len(everything) > 100
        assert {"/resellers/", "/resellers/password/"} <= set(own) and "Canaryperson" in own["/resellers/accounts/"]
        assert "Canarysubtenant" in own["/resellers/customers/"] and "Canaryletter" in own["/resellers/messages/"]
        assert not [address for address in own if address.startswith("/admin/")]


class TestWhatLeavesTheHouse:
    def test_mails_to_others_hold_no_word_of_b(self, matrix):
        outbox.deliver_queued(at=NOON)

        others = [each for each in mail.outbox if not any("canary" in to for to in each.to)]
        words = [each.word for each in matrix.canaries]
        assert len(others) > 3 and len(mail.outbox) > len(others)
        assert not [each for each in others if any(word in str(each.message()) for word in words)]

    def test_jobs_hold_keys_only(self, matrix):
        told = [f"{job.kind} {job.key} {job.last_error}" for job in Job.objects.all()]

        assert told
        assert not [line for line in told if any(each.word in line for each in matrix.canaries)]
