"""The pages of what waits and of what was refused: who sees them, and the button that says whose it is."""

import pytest
from django.urls import reverse

from accounts.flows import access_log, waiting
from accounts.models import CloudAccount, UnknownAccount
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.sections import url_of
from kyc_portal.work import queue
from kyc_portal.work.models import Job
from tests.accounts.logs import event, jsonl
from tests.builders import make_account
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

UNKNOWN = "admin:accounts_unknownaccount_changelist"


@pytest.fixture
def batch():
    lines = jsonl(event(1, account="cust-77"), event(2), event(3, account="cust-77"))
    return access_log.import_access_lines(
        None, lines, format="jsonl", file_name="log", keep_good_rows=True, by=SCHEDULER, at=NOON
    )


def test_the_tile_leads_to_the_list_and_the_button_names_the_account(client, analyst_user, batch):
    client.force_login(analyst_user)
    account, unknown = make_account(), UnknownAccount.objects.get()

    assert "Unknown accounts" in client.get("/admin/").content.decode()
    assert "cust-77" in client.get(reverse(UNKNOWN), {"q": "cust-77"}).content.decode()
    assert "cust-77" not in client.get(reverse(UNKNOWN), {"q": "cust-7"}).content.decode()
    page = client.get(url_of(unknown)).content.decode()
    assert "This is account …" in page and "2 waiting" in page and batch.reference in page

    url = reverse("admin:accounts_unknownaccount_do", args=[unknown.pk, "name-account"])
    wrong = client.post(url, {"account": "ACC-0", "confirmed": "1"}).content.decode()
    assert "No account has this reference" in wrong
    told = client.post(url, {"account": account.reference, "confirmed": "1"}, follow=True)

    assert told.redirect_chain[-1][0] == url_of(account) and "are being moved" in told.content.decode()
    assert CloudAccount.objects.get().account == account
    assert Job.objects.get(kind=waiting.MOVE).key == unknown.reference
    page = client.get(url_of(unknown)).content.decode()
    assert "being moved" in page and "This is account …" not in page


def test_what_was_named_is_seen_on_the_account_and_can_be_ended(client, analyst_user, batch):
    client.force_login(analyst_user)
    account, unknown = make_account(), UnknownAccount.objects.get()
    named = waiting.name_account(unknown, account=account.reference, by=analyst_user.as_actor, at=NOON)
    queue.run_due(NOON, by=SCHEDULER)

    page = client.get(url_of(account)).content.decode()
    assert "Known by these keys" in page and "cust-77" in page and unknown.reference in page
    assert "End naming of a key" in page and "goes here" in page
    gone = client.get(url_of(unknown)).content.decode()
    assert "What became of it" in gone and account.reference in gone and "cust-77" in gone
    assert "This is account …" not in gone and "go there at once" in gone

    url = reverse("admin:accounts_account_do", args=[account.pk, "end-naming"])
    assert "cust-77 in console" in client.get(url).content.decode()
    told = client.post(url, {"named": named.pk, "reason": "wrong", "confirmed": "1"}, follow=True).content.decode()

    assert "Later accesses of it wait." in told and "it was named wrongly" in told
    assert "evidence is not moved out of a file" in told and "End naming of a key" not in told
    assert "named wrongly" in client.get(url_of(unknown)).content.decode()
    assert client.post(url, {"named": named.pk, "reason": "wrong", "confirmed": "1"}).status_code == 200
    assert client.get(reverse("admin:accounts_unknownaccount_change", args=[account.pk])).status_code == 404


def test_whoever_may_not_name_sees_no_way_to_end_it(client, person_with_role, analyst, batch):
    account = make_account()
    named = waiting.name_account(UnknownAccount.objects.get(), account=account.reference, by=analyst, at=NOON)
    client.force_login(person_with_role("reseller desk"))

    page = client.get(url_of(account)).content.decode()
    url = reverse("admin:accounts_account_do", args=[account.pk, "end-naming"])
    answer = client.post(url, {"named": named.pk, "reason": "wrong", "confirmed": "1"})

    assert "Known by these keys" in page and "End naming of a key" not in page
    assert answer.status_code == 403 and CloudAccount.objects.standing().exists()


def test_the_page_of_a_delivery_hands_out_its_refused_lines(client, analyst_user, batch):
    client.force_login(analyst_user)
    page = client.get(url_of(batch)).content.decode()
    url = reverse("admin:accounts_accessbatch_refused", args=[batch.pk])
    assert "many, named in each line" in page and url in page

    answer = client.get(url)

    text = b"".join(answer.streaming_content).decode()
    assert answer.status_code == 200 and '"event_id": "e2"' in text and text.count("\n") == 1
    assert f"{batch.reference}-refused.txt" in answer["Content-Disposition"]
    assert client.get(url, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_what_is_left_out_is_said_only_where_something_is(client, analyst_user, batch, monkeypatch):
    client.force_login(analyst_user)
    unknown = UnknownAccount.objects.get()
    pages = [client.get(url_of(record)).content.decode() for record in (unknown, batch)]
    assert not [page for page in pages if "are shown" in page]

    monkeypatch.setattr("accounts.admin.waiting.MOST_LINES", 1)
    monkeypatch.setattr("accounts.admin.access.MOST_LINES", 0)

    assert "1 are shown, in the order" in client.get(url_of(unknown)).content.decode()
    assert "The first 0 are shown" in client.get(url_of(batch)).content.decode()


def test_the_page_says_after_how_many_days_unclaimed_accesses_go(client, analyst_user, batch):
    client.force_login(analyst_user)

    page = client.get(url_of(UnknownAccount.objects.get())).content.decode()

    assert f"Unclaimed accesses go 180 days after the last of it came on {NOON.date()}" in page


def test_the_page_of_a_delivery_tells_how_many_of_its_lines_wait_now(client, analyst_user, batch):
    client.force_login(analyst_user)
    assert "2 lines wait" in client.get(url_of(batch)).content.decode()

    unknown = UnknownAccount.objects.get()
    waiting.name_account(unknown, account=make_account().reference, by=analyst_user.as_actor, at=NOON)
    queue.run_due(NOON, by=SCHEDULER)

    page = client.get(url_of(batch)).content.decode()
    assert "lines wait" not in page and "none: they were moved to their accounts" in page


def test_the_list_of_deliveries_shows_every_count_that_adds_up(client, analyst_user, batch):
    client.force_login(analyst_user)

    page = client.get(reverse("admin:accounts_accessbatch_changelist")).content.decode()

    heads = [page.index(f"column-{name}") for name in ("read", "new", "known", "waiting", "refused")]
    assert heads == sorted(heads)


def test_whoever_sees_no_access_records_gets_no_lines(client, person_with_role, batch):
    client.force_login(person_with_role("senior manager"))

    assert client.get(reverse("admin:accounts_accessbatch_refused", args=[batch.pk])).status_code == 403


@pytest.fixture
def person_with_role():
    from tests.conftest import person

    return lambda role: person("somebody", role)
