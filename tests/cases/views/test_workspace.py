"""The page of a case: what it shows to whom, within how many queries, and what happens in two tabs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.flows.links import remember
from accounts.models import AccessBatch, AccessRecord
from cases.flows import merging, readers, review, triage, workspace
from cases.models import CaseCheck, CaseNote, Decision
from cases.rules.checklist import items_for
from kyc_portal.staff.sections import url_of
from tests.accounts.logs import roll_up
from tests.cases.builders import finish_list, make_case, make_open_account, make_request
from tests.conftest import NOON, browser_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst_client(analyst_user):
    return browser_of(analyst_user)


def page_of(case) -> str:
    return f"/review/{case.reference}/"


def make_accesses(account, count: int):
    batch = AccessBatch.objects.create(
        account=account, format="csv", file_name="log.csv", sha256=f"{count}", read_count=count, new_count=count,
        known_count=0, refused_count=0, imported_at=NOON, imported_by="sam",
    )  # fmt: skip
    AccessRecord.objects.bulk_create(
        AccessRecord(
            account=account, batch=batch, at=NOON - timedelta(hours=number), kind="access", action="login",
            address=f"203.0.113.{number % 250}", country=("FR", "US", "BR", "")[number % 4], source_system="t",
            event_id=f"{count}-{number}", anonymiser="vpn" if number % 4 == 2 else "",
        )
        for number in range(count)
    )  # fmt: skip
    roll_up(account)


class TestPage:
    def test_it_says_why_the_case_is_here_and_whom_it_is_about(self, analyst_client):
        account = make_open_account(legal_name="Xavier Unusual")
        case = make_case(account)
        make_accesses(account, 8)

        answer = analyst_client.get(page_of(case))

        told = answer.content.decode()
        assert answer.status_code == 200
        assert "Xavier Unusual" in told and account.reference in told
        assert "What the detector looks for" in told and "Source:" in told
        assert "picture-tiles" in told and "8 accesses" in told

    def test_its_queries_are_few_and_do_not_grow_with_its_rows(self, analyst_user, lead_user, lead):
        account = make_open_account()
        case = make_case(account, worked_by=analyst_user)
        readers.restrict(case, to=[analyst_user], by=lead, at=NOON)
        merging.merge(case, other=make_case(make_open_account()).reference, by=analyst_user.as_actor, at=NOON)
        finish_list(case, by=analyst_user.as_actor)
        self.fill(case, account, analyst_user, 1)
        few = self.queries_of(case, analyst_user)

        self.fill(case, account, analyst_user, 7)
        many = self.queries_of(case, analyst_user)

        assert len(many) == len(few) <= 27, "\n".join(query["sql"][:150] for query in many)

    def fill(self, case, account, user, count):
        make_accesses(account, 30 * count)
        for number in range(count):
            review.add_note(case, text=f"note {number}", by=user.as_actor, at=NOON)
            other = make_open_account()
            for party in (account.party, other.party):
                remember(party, [("phone", f"+1202555{count}{number:03}")], at=NOON)
            triage.add_subject(case, other, at=NOON)

    def queries_of(self, case, user):
        client = browser_of(user)
        client.get(page_of(case))
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(page_of(case))
        assert "Linked customers" in answer.content.decode()
        return queries

    def test_a_stranger_and_an_unknown_reference_are_answered_alike(self, analyst_user, lead_user, lead, counsel):
        case, legal = make_case(worked_by=lead_user), make_request(by=counsel).case
        readers.restrict(case, to=[person("other", "lead reviewer")], by=lead, at=NOON)
        client = browser_of(analyst_user)

        answers = [client.get(page_of(case)), client.get(page_of(legal)), client.get("/review/CSE-2222-2222/")]

        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert all(case.reference not in answer.content.decode() for answer in answers)

    def test_each_day_of_use_is_told_on_one_page_of_the_timeline(self, analyst_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        make_accesses(case.subjects.get().account, 24 * 40)
        for day in range(40):
            review.add_note(case, text="x", by=analyst_user.as_actor, at=NOON - timedelta(days=day))
        told, answer = [], analyst_client.get(page_of(case))
        while True:
            section = next(each for each in answer.context["sections"] if each.id == "timeline")
            told += [day["day"] for day in section.days for event in day["events"] if event.get("is_day")]
            if not section.more_url:
                break
            answer = analyst_client.get(page_of(case) + section.more_url)

        assert len(told) == len(set(told)) >= 40

    def test_older_events_stand_on_a_page_of_their_own(self, analyst_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        for number in range(workspace.PAGE + 3):
            review.add_note(case, text="x", by=analyst_user.as_actor, at=NOON + timedelta(minutes=number))
        first = analyst_client.get(page_of(case))
        link = next(section for section in first.context["sections"] if section.id == "timeline").more_url

        older = analyst_client.get(page_of(case) + link)
        none = analyst_client.get(page_of(case), {"before": "yesterday"})

        assert "before=" in link and older.status_code == 200
        assert "opened" in older.content.decode() and none.status_code == 400


class TestTwoTabs:
    """Each form says what it was shown; the later writer is refused, reads why, and keeps what they typed."""

    def shown(self, client, case) -> str:
        return client.get(page_of(case)).context["version"]

    def test_the_later_writer_reads_what_changed_by_whom_and_keeps_their_text(self, analyst_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        version = self.shown(analyst_client, case)
        review.add_note(case, text="first", by=person("bea", "reviewer").as_actor, at=NOON)

        answer = analyst_client.post(page_of(case) + "note/", {"version": version, "text": "my own words"})

        told = answer.content.decode()
        assert answer.status_code == 409 and CaseNote.objects.count() == 1
        assert "What changed since" in told and "wrote a note" in told and "bea" in told
        assert "my own words" in told

    def test_what_was_chosen_is_kept_too(self, analyst_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        version, item = self.shown(analyst_client, case), items_for(case.kind)[0].code
        review.add_note(case, text="first", by=analyst_user.as_actor, at=NOON)
        account = case.subjects.get().account.reference
        chosen = {"version": version, "account": account, "outcome": "limit", "reason": "masked_access"}
        left_out = {"version": version, "item": item, "how": "excuse", "excused_why": "nothing_on_file"}

        proposed = analyst_client.post(page_of(case) + "propose/", chosen)
        excused = analyst_client.post(page_of(case) + "check/", left_out)

        assert (proposed.status_code, excused.status_code) == (409, 409)
        assert '<option value="masked_access" selected>' in proposed.content.decode()
        assert '<option value="nothing_on_file" selected>' in excused.content.decode()
        assert not Decision.objects.exists() and not CaseCheck.objects.exists()

    def test_what_was_refused_goes_through_when_it_is_sent_again(self, analyst_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        old = self.shown(analyst_client, case)
        review.add_note(case, text="first", by=analyst_user.as_actor, at=NOON)
        new = analyst_client.post(page_of(case) + "note/", {"version": old, "text": "mine"}).context["version"]

        assert analyst_client.post(page_of(case) + "note/", {"version": new, "text": "mine"}).status_code == 302
        assert CaseNote.objects.count() == 2

    def test_an_act_that_began_earlier_and_came_later_counts_too(self, analyst_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        version = self.shown(analyst_client, case)
        review.add_note(case, text="late", by=analyst_user.as_actor, at=NOON - timedelta(days=1))

        assert analyst_client.post(page_of(case) + "note/", {"version": version, "text": "x"}).status_code == 409

    def test_looking_is_no_change(self, analyst_user, lead_user, analyst_client):
        case = make_case(worked_by=analyst_user)
        version = self.shown(analyst_client, case)
        browser_of(lead_user).get(page_of(case))

        assert analyst_client.post(page_of(case) + "note/", {"version": version, "text": "x"}).status_code == 302

    @pytest.mark.parametrize("version", ["", "7", "x" * 60, "\x00.0123456789abcdef", "٣.0123456789abcdef"])
    def test_a_form_without_a_version_is_refused(self, analyst_user, analyst_client, version):
        case = make_case(worked_by=analyst_user)

        answer = analyst_client.post(page_of(case) + "note/", {"version": version, "text": "my words"})

        assert answer.status_code == 200 and "does not say what you were shown" in answer.content.decode()
        assert "my words" in answer.content.decode() and not CaseNote.objects.exists()


class TestActs:
    def post(self, user, case, name, **sent):
        client = browser_of(user)
        version = client.get(page_of(case)).context["version"]
        return client.post(f"{page_of(case)}{name}/", {"version": version, **sent})

    def test_a_case_is_taken_worked_and_decided_by_two(self, analyst_user, lead_user):
        case = make_case()
        account = case.subjects.get().account
        assert self.post(analyst_user, case, "take").status_code == 302
        propose = {"account": account.reference, "outcome": "suspend", "reason": "unusual_use"}

        early = self.post(analyst_user, case, "propose", **propose)
        assert early.status_code == 200 and "is not done" in early.content.decode()
        assert f'value="{account.reference}" selected' in early.content.decode()
        for item in items_for(case.kind):
            assert self.post(analyst_user, case, "check", item=item.code, how="done").status_code == 302
        assert self.post(analyst_user, case, "propose", **propose).status_code == 302
        assert self.post(lead_user, case, "countersign").status_code == 302
        assert Decision.objects.get().state == "signed"
        assert self.post(analyst_user, case, "undo").status_code == 302
        assert "can be undone any more" in self.post(analyst_user, case, "undo").content.decode()
        assert self.post(analyst_user, case, "propose", **propose).status_code == 302
        assert self.post(lead_user, case, "countersign", at_once="on").status_code == 302

        account.refresh_from_db()
        assert [each.state for each in Decision.objects.order_by("proposed_at")] == ["undone", "countersigned"]
        assert account.restrictions.in_force().get().level == "suspended"

    def test_a_point_is_left_out_only_with_a_reason_and_taken_back(self, analyst_user):
        case = make_case(worked_by=analyst_user)
        item = items_for(case.kind)[0].code

        bare = self.post(analyst_user, case, "check", item=item, how="excuse")
        assert bare.status_code == 200 and not CaseCheck.objects.exists()
        self.post(analyst_user, case, "check", item=item, how="excuse", excused_why="nothing_on_file")
        assert "nothing is on file" in browser_of(analyst_user).get(page_of(case)).content.decode()
        self.post(analyst_user, case, "check", item=item, how="back")

        assert not CaseCheck.objects.standing().exists() and CaseCheck.objects.get().taken_back_by == "ana"

    def test_a_proposal_is_declined_with_words_or_withdrawn(self, analyst_user, lead_user):
        case = make_case(worked_by=analyst_user)
        finish_list(case, by=analyst_user.as_actor)
        propose = {
            "account": case.subjects.get().account.reference, "outcome": "suspend", "reason": "unusual_use",
        }  # fmt: skip
        self.post(analyst_user, case, "propose", **propose)
        assert self.post(lead_user, case, "decline", why="").status_code == 200
        assert self.post(lead_user, case, "decline", why="Look once more.").status_code == 302
        self.post(analyst_user, case, "propose", **propose)
        assert self.post(analyst_user, case, "withdraw").status_code == 302

        assert sorted(Decision.objects.values_list("state", flat=True)) == ["declined", "withdrawn"]

    def test_who_may_not_is_refused(self, analyst_user):
        case = make_case(worked_by=analyst_user)
        auditor = browser_of(person("olga", "auditor"))

        answers = [auditor.post(f"{page_of(case)}{name}/", {"version": "x"}) for name in ("note", "take", "propose")]

        assert auditor.get(page_of(case)).status_code == 200
        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert browser_of(analyst_user).post(f"{page_of(case)}countersign/").status_code == 403

    def test_the_next_case_opens_here_and_the_record_links_here(self, analyst_user, analyst_client):
        case = make_case()

        answer = analyst_client.post("/review/next/")

        assert answer.url == page_of(case)
        assert page_of(case) in analyst_client.get(url_of(case)).content.decode()
        assert url_of(case) in analyst_client.get(page_of(case)).content.decode()


def test_a_case_that_was_merged_leads_to_where_it_goes_on(analyst_user, lead_user, lead):
    kept, other = make_case(worked_by=analyst_user), make_case()
    merging.merge(kept, other=other.reference, by=analyst_user.as_actor, at=NOON)

    assert page_of(kept) in browser_of(lead_user).get(page_of(other)).content.decode()
    readers.restrict(kept, to=[analyst_user], by=lead, at=NOON)
    stranger = browser_of(person("lena", "lead reviewer"))

    assert kept.reference not in stranger.get(page_of(other)).content.decode()


def test_who_sees_no_customers_is_shown_no_accesses_and_no_links_they_cannot_open():
    case = make_case()
    make_accesses(case.subjects.get().account, 4)
    client = browser_of(person("sonja", "senior manager"))

    told = client.get(page_of(case)).content.decode()

    assert "Countries do not agree" in told and "picture-world" not in told
    assert "/admin/accounts/" not in told
