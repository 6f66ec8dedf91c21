"""The manager's pages of due work, customers and messages: what they show, what they keep back, what they cost."""

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kyc_portal.notices import outbox
from kyc_portal.records.models import AuditEvent
from resellers.flows import cip, cip_review, findings, messages, onboarding
from resellers.models import RosterEntry
from tests.builders import make_applicant, make_entry, make_reseller
from tests.conftest import NOON, person

pytestmark = pytest.mark.django_db
ROSTER = "/resellers/customers/"


@pytest.fixture
def desk(reseller_desk_user):
    return reseller_desk_user.as_actor


@pytest.fixture
def reseller(desk, reseller_manager_user):
    reseller = make_reseller()
    onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)
    return reseller


@pytest.fixture
def manager(client, reseller, reseller_manager_user):
    client.force_login(reseller_manager_user)
    return client


def body(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


class TestWhatIsDue:
    def test_nothing_says_what_to_look_at_instead(self, manager):
        page = body(manager.get("/resellers/"))
        assert "Nothing is due." in page and "may bring customers" in page

    def test_who_is_bound_to_none_reads_what_to_do(self, client):
        client.force_login(person("nobodys", "reseller manager"))
        assert "You are not bound to a reseller yet." in body(client.get("/resellers/"))

    def test_the_soonest_day_comes_first_and_what_has_none_last(self, manager, reseller, desk):
        message = messages.send(reseller, subject_line="Hello", text="Read me.", by=desk, at=NOON)
        late, soon = (
            findings.record_finding(
                reseller, kind="no_cip", source="sample", evidence="x", demand="y",
                knowledge_at=reseller.added_at.replace(hour=13 + hour), by=desk, at=NOON.replace(day=5),
            )
            for hour in (1, 0)
        )  # fmt: skip

        page = body(manager.get("/resellers/"))

        places = [page.index(each.reference) for each in (soon, late, message)]
        assert places[2] == max(places) and "proposed rule" in page

    def test_a_version_that_came_back_is_due_until_the_next_one_is_there(self, client, desk, reseller_manager_user):
        reseller = make_applicant()
        onboarding.bind_manager(reseller, user=reseller_manager_user, by=desk, at=NOON)
        client.force_login(reseller_manager_user)
        own = reseller_manager_user.as_actor
        first = cip.submit_cip(reseller, title="CIP", text="We look.", by=own, at=NOON)
        cip_review.begin(first, by=desk, at=NOON)
        cip_review.judge(first, requirement="again", verdict="gap", words="When again?", by=desk, at=NOON)
        cip_review.return_with_gaps(first, by=desk, at=NOON)

        assert "version 1 came back with gaps" in body(client.get("/resellers/"))

        cip.submit_cip(reseller, title="CIP", text="We look again.", by=own, at=NOON)
        page = body(client.get("/resellers/"))
        assert "came back with gaps" not in page and "may not bring customers at present" in page

    def test_staff_are_sent_to_their_own_pages(self, client, reseller_desk_user):
        client.force_login(reseller_desk_user)
        for page in ("/resellers/", ROSTER, "/resellers/messages/"):
            assert client.get(page).headers["Location"] == "/admin/"


class TestRoster:
    def test_it_shows_who_is_stated_today_by_number(self, manager, reseller):
        make_entry(reseller, "B-2", name="Second Ltd", country="FR")
        make_entry(reseller, "A-1", name="First Ltd", parent_number="B-2", depth=1, verified_on=None, method="")
        RosterEntry.objects.filter(pk=make_entry(reseller, "C-3", name="Gone Ltd").pk).update(
            ended_at=NOON, ended_why="gone"
        )
        RosterEntry.objects.filter(pk=make_entry(reseller, "D-4", name="Prepared Ltd").pk).update(from_at=None)

        page = body(manager.get(ROSTER))

        assert page.index("First Ltd") < page.index("Second Ltd") and "France" in page and "not yet" in page
        assert "(level 1)" in page and "Gone Ltd" not in page and "Prepared Ltd" not in page

    def test_pages_go_on_by_reference_and_cost_the_same(self, manager, reseller):
        for number in range(103):
            make_entry(reseller, f"N-{number:04}")
        with CaptureQueriesContext(connection) as first:
            page = body(manager.get(ROSTER))
        following = page.split("after=")[1].split('"')[0]
        with CaptureQueriesContext(connection) as second:
            next_page = body(manager.get(ROSTER, {"after": following}))

        assert "N-0049" in page and "N-0050" not in page and following.startswith("DSC-")
        assert "N-0050" in next_page and "N-0099" in next_page and "N-0049" not in next_page
        assert len(first) <= 12 and len(second) <= len(first) + 1
        assert not [query for query in first.captured_queries if "COUNT(" in query["sql"]]

    @pytest.mark.parametrize("after", ["DSC-2222-2222", "nonsense", "' OR 1=1", "x" * 500])
    def test_a_reference_that_is_none_begins_from_the_start(self, manager, reseller, after):
        make_entry(reseller, "A-1")
        assert "A-1" in body(manager.get(ROSTER, {"after": after}))

    @pytest.mark.parametrize(
        ("sought", "found"), [("A-1", ["A-1"]), ("müll", ["B-2"]), ("Cust", ["A-1", "C-3"]), ("%", []), ("_", [])]
    )
    def test_a_search_finds_numbers_and_beginnings_of_names(self, manager, reseller, sought, found):
        make_entry(reseller, "A-1")
        make_entry(reseller, "B-2", name="müll & Sohn")
        make_entry(reseller, "C-3")

        page = body(manager.post(ROSTER, {"sought": sought}))

        assert [number for number in ("A-1", "B-2", "C-3") if f">{number}<" in page] == found
        assert found or "no name begins so" in page

    @pytest.mark.parametrize("sought", ["", " ", "a\x00b", "x" * 101, "\u202e"])
    def test_what_cannot_be_sought_is_refused_at_the_field(self, manager, reseller, sought):
        make_entry(reseller, "A-1")
        page = body(manager.post(ROSTER, {"sought": sought}))
        assert "error-summary" in page and "A-1" not in page

    def test_a_second_reseller_is_chosen_by_its_reference(self, manager, reseller, desk, reseller_manager_user):
        other = make_reseller(legal_name="Other Ltd")
        onboarding.bind_manager(other, user=reseller_manager_user, by=desk, at=NOON)
        make_entry(reseller, "A-1")
        make_entry(other, "B-2")

        page = body(manager.get(ROSTER, {"reseller": other.reference}))

        assert "B-2" in page and "A-1" not in page
        assert manager.get(ROSTER, {"reseller": "RSL-2222-2222"}).status_code == 404

    def test_one_customer_shows_what_was_stated_through_time_and_who_sublets(self, manager, reseller):
        old = make_entry(reseller, "A-1", name="Old Name")
        RosterEntry.objects.filter(pk=old.pk).update(ended_at=NOON, ended_why="changed")
        new = make_entry(reseller, "A-1", name="New Name", email="new@customer.example")
        make_entry(reseller, "B-2", parent_number="A-1", depth=1, name="Subtenant")

        page = body(manager.get(f"{ROSTER}{new.reference}/"))

        for shown in ("New Name", "Old Name", "stated anew", "new@customer.example", "Subtenant", old.reference):
            assert shown in page
        assert "stated anew" in body(manager.get(f"{ROSTER}{old.reference}/"))


class TestMessages:
    def test_the_mail_says_only_that_one_waits(self, reseller, desk):
        message = messages.send(reseller, subject_line="Canarysubject", text="Canarytext", by=desk, at=NOON)
        outbox.deliver_queued(at=NOON)

        sent = [each for each in mail.outbox if message.reference in each.body]
        assert [each.to for each in sent] == [["olga@reseller.example"]]
        assert "Canary" not in f"{sent[0].subject} {sent[0].body}"

    def test_without_a_contact_it_is_kept_and_the_notice_says_so(self, desk):
        message = messages.send(make_applicant(), subject_line="Hello", text="x", by=desk, at=NOON)
        assert message.reseller.messages.count() == 1

    def test_a_manager_reads_it_and_says_so_once(self, manager, reseller, desk, reseller_manager_user):
        message = messages.send(reseller, subject_line="Hello", text="Line one\n\nLine <b>two</b>", by=desk, at=NOON)
        address = f"/resellers/messages/{message.reference}/"

        page = body(manager.get(address))
        assert "Line &lt;b&gt;two" in page and "I have read it" in page
        for _ in range(2):
            assert manager.post(address).headers["Location"] == "/resellers/messages/"

        message.refresh_from_db()
        assert message.read_by == reseller_manager_user.username
        assert AuditEvent.objects.filter(verb="resellers.message.read").count() == 1
        assert "was marked as read before" in body(manager.get("/resellers/messages/"))

    def test_the_desk_writes_it_by_the_button_and_sees_when_it_was_read(self, client, reseller, reseller_desk_user):
        client.force_login(reseller_desk_user)
        page = f"/admin/resellers/reseller/{reseller.pk}"

        client.post(f"{page}/do/send-message/", {"subject_line": "Hello", "text": "x"})

        message = reseller.messages.get()
        assert message.sent_by == reseller_desk_user.username and message.text.reveal() == "x"
        assert message.reference in body(client.get(f"{page}/change/"))

    @pytest.mark.parametrize(("subject", "text"), [("", "x"), ("Hello", " "), ("Hello", "a\x00b"), ("x" * 121, "x")])
    def test_bad_input_writes_nothing(self, client, reseller, reseller_desk_user, subject, text):
        client.force_login(reseller_desk_user)
        client.post(
            f"/admin/resellers/reseller/{reseller.pk}/do/send-message/", {"subject_line": subject, "text": text}
        )
        assert not reseller.messages.exists()
