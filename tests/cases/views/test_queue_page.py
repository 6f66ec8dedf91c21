"""The pages of the queue: what they show to whom, what they refuse, how many queries they take."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from cases.flows import queue_rows
from cases.models import Absence, Case, Decision, SavedView
from tests.cases.builders import make_case, make_open_account, make_request
from tests.conftest import NOON, browser_of, person

pytestmark = pytest.mark.django_db
QUEUE = "/review/"
DAY = timedelta(days=1)


@pytest.fixture
def analyst_client(analyst_user):
    return browser_of(analyst_user)


@pytest.fixture
def lead_client(lead_user):
    return browser_of(lead_user)


def shown(answer) -> list[str]:
    assert answer.status_code == 200, answer
    return [row["reference"] for row in answer.context["rows"]]


def counts(answer) -> dict[str, str]:
    return {view["label"]: view["count"] for view in answer.context["views"]}


class TestQueue:
    def test_the_most_urgent_stands_first_and_says_why(self, analyst_client):
        account = make_open_account(legal_name="Xavier Unusual")
        later, sooner = make_case(at=NOON), make_case(account, at=NOON - DAY)

        answer = analyst_client.get(QUEUE)

        assert shown(answer) == [sooner.reference, later.reference]
        assert "Xavier Unusual" in answer.content.decode() and "overdue" in answer.content.decode()

    def test_filters_say_how_many_they_leave(self, analyst_client, analyst_user):
        make_case(worked_by=analyst_user), make_case()

        assert counts(analyst_client.get(QUEUE)) == {
            "waiting": "2", "mine": "1", "nobody has them": "1", "overdue": "2", "to countersign": "0", "asleep": "0",
        }  # fmt: skip
        assert counts(analyst_client.get(f"{QUEUE}?kind=abuse"))["waiting"] == "0"
        assert len(shown(analyst_client.get(f"{QUEUE}?view=mine"))) == 1

    def test_it_counts_no_further_than_a_hundred(self, analyst_client, monkeypatch):
        monkeypatch.setattr(queue_rows, "MOST_COUNTED", 2)
        for _ in range(3):
            make_case()

        assert counts(analyst_client.get(QUEUE))["waiting"] == "2+"

    def test_pages_follow_without_a_gap_or_a_double(self, analyst_client, monkeypatch):
        monkeypatch.setattr(queue_rows, "PAGE", 2)
        made = {make_case(at=NOON + number % 2 * DAY).reference for number in range(7)}
        seen, address = [], QUEUE
        while address:
            answer = analyst_client.get(address)
            seen += shown(answer)
            address = answer.context["more_url"]

        assert len(seen) == 7 and set(seen) == made

    def test_legal_matters_are_neither_shown_nor_counted(self, lead_client, counsel, counsel_user):
        case = make_request(by=counsel).case

        answer = lead_client.get(QUEUE)

        assert shown(answer) == [] and set(counts(answer).values()) == {"0"}
        assert case.reference in shown(browser_of(counsel_user).get(QUEUE))

    def test_its_queries_do_not_grow_and_none_counts_the_table(
        self, analyst_client, analyst_user, django_assert_max_num_queries
    ):
        analyst_client.get(QUEUE)
        for number in range(12):
            make_case(worked_by=analyst_user if number % 2 else None)

        with django_assert_max_num_queries(12) as captured:
            assert len(shown(analyst_client.get(QUEUE))) == 12
        counting = [each["sql"] for each in captured.captured_queries if "COUNT(" in each["sql"].upper()]
        assert len(counting) == 1 and counting[0].count("LIMIT 101") == 6

    @pytest.mark.parametrize(
        "query", ["view=all", "kind=x", "desk=1'", "after=x", "after=eyJ4IjoxfQ", "after=W10", "view=%F0%9F%90%B1"]
    )
    def test_what_is_no_filter_and_no_place_is_a_400(self, analyst_client, query):
        assert analyst_client.get(f"{QUEUE}?{query}").status_code == 400

    def test_who_sees_no_cases_has_no_queue(self, reseller_desk_user, auditor_user, administrator_user):
        assert browser_of(reseller_desk_user).get(QUEUE).status_code == 403
        assert browser_of(administrator_user).get(QUEUE).status_code == 403
        answer = browser_of(auditor_user).get(QUEUE)
        assert answer.status_code == 200 and b"Next case" not in answer.content and answer.context["bulk"] == []


class TestNext:
    def test_it_opens_the_case_it_took(self, analyst_client, analyst_user):
        case = make_case()

        answer = analyst_client.post(reverse("review:next"))

        assert answer.headers["Location"] == f"/review/{case.reference}/"
        assert Case.objects.get().assigned_to == analyst_user
        assert "Next case" in analyst_client.get(answer.headers["Location"]).content.decode()

    def test_when_nothing_waits_the_queue_says_so(self, analyst_client):
        answer = analyst_client.post(reverse("review:next"), {"left": str(uuid4())}, follow=True)

        assert "No case waits for you now" in answer.content.decode()

    def test_what_is_no_key_is_a_400_and_a_link_takes_nothing(self, analyst_client):
        make_case()
        assert analyst_client.post(reverse("review:next"), {"left": "x"}).status_code == 400
        assert analyst_client.get(reverse("review:next")).status_code == 405
        assert Case.objects.get().assigned_to is None


class TestSavedViews:
    def keep(self, client, **more):
        return client.post(reverse("review:save_view"), {"name": "My flags", "kind": "red_flag", **more}, follow=True)

    def test_it_stands_in_the_menu_and_leads_to_its_filters(self, analyst_client):
        self.keep(analyst_client)

        [view] = analyst_client.get(QUEUE).context["saved"]
        assert (view["name"], view["url"]) == ("My flags", f"{QUEUE}?kind=red_flag")
        assert SavedView.objects.get().filters == {"kind": "red_flag"}

    def test_shared_with_a_role_its_people_see_it_and_others_do_not(self, analyst_client, lead_client, counsel_user):
        self.keep(analyst_client, shared_with="reviewer")

        assert len(browser_of(person("other", "reviewer")).get(QUEUE).context["saved"]) == 1
        assert lead_client.get(QUEUE).context["saved"] == []
        assert browser_of(counsel_user).get(QUEUE).context["saved"] == []

    def test_the_same_name_changes_it(self, analyst_client):
        self.keep(analyst_client)
        self.keep(analyst_client, kind="abuse")

        assert SavedView.objects.get().filters == {"kind": "abuse"}

    @pytest.mark.parametrize(
        "sent",
        [
            {"name": ""}, {"name": "x" * 61}, {"name": "a@b.example"}, {"name": "ACC-2222-3333"}, {"name": "1234567"},
            {"name": "a\x00b"}, {"name": "\u202eabc"}, {"shared_with": "lead reviewer"}, {"shared_with": "nobody"},
            {"kind": "x"}, {"view": "every"},
        ],
    )  # fmt: skip
    def test_bad_ones_are_refused_with_a_sentence(self, analyst_client, sent):
        answer = self.keep(analyst_client, **sent)

        assert answer.status_code == 200 and not SavedView.objects.exists()
        assert "messagelist" in answer.content.decode() or "strip" in answer.content.decode()

    def test_only_its_owner_lets_it_go(self, analyst_client, lead_client, lead_user):
        self.keep(analyst_client, shared_with="reviewer")
        lead_user.groups.add(Group.objects.get(name="reviewer"))
        address = reverse("review:let_view_go", args=[SavedView.objects.get().pk])

        assert lead_client.post(address).status_code == 404
        assert analyst_client.post(address).status_code == 302
        assert not SavedView.objects.exists()
        assert analyst_client.post(address).status_code == 404

    def test_a_code_that_is_gone_is_left_out(self, analyst_client, analyst_user):
        SavedView.objects.create(owner=analyst_user, name="old", filters={"kind": "gone"}, saved_at=NOON)

        assert analyst_client.get(QUEUE).context["saved"] == []


class TestBulk:
    def test_it_asks_once_and_tells_what_became_of_each(self, lead_client, lead_user, analyst_user):
        cases = [make_case(), make_case()]
        chosen = {"case": [str(case.pk) for case in cases]}

        asked = lead_client.post(reverse("review:assign"), chosen)
        assert cases[0].reference in asked.content.decode() and not Case.objects.filter(assigned_to=analyst_user)
        told = lead_client.post(reverse("review:assign"), {**chosen, "confirmed": "1", "to": "ana"})

        assert (told.context["done"], told.context["refused"]) == (2, 0)
        assert Case.objects.filter(assigned_to=analyst_user).count() == 2

    def test_a_decision_forces_a_reason(self, analyst_client, analyst_user):
        case = make_case(worked_by=analyst_user)
        sent = {"case": str(case.pk), "confirmed": "1", "outcome": "no_action"}

        assert "Reason" in str(
            analyst_client.post(reverse("review:decide"), sent).context["form"].errors.as_text()
        ) or ("reason" in analyst_client.post(reverse("review:decide"), sent).context["form"].errors)
        assert not Decision.objects.exists()
        unfit = analyst_client.post(reverse("review:decide"), {**sent, "reason": "malicious_use"})
        assert "does not fit" in unfit.content.decode()
        done = analyst_client.post(reverse("review:decide"), {**sent, "reason": "concern_cleared"})
        assert done.context["done"] == 1 and Decision.objects.get().case == case

    def test_closing_tells_what_was_refused(self, analyst_client, analyst_user):
        case = make_case(worked_by=analyst_user)
        sent = {"case": str(case.pk), "confirmed": "1", "why": "decided"}

        answer = analyst_client.post(reverse("review:close"), sent)

        assert (answer.context["done"], answer.context["refused"]) == (0, 1)
        assert "not answered" in answer.content.decode()

    def test_nothing_selected_or_no_key(self, analyst_client):
        answer = analyst_client.post(reverse("review:close"), follow=True)
        assert "Select at least one case" in answer.content.decode()
        assert analyst_client.post(reverse("review:close"), {"case": "1"}).status_code == 400

    def test_a_reviewer_assigns_nobody(self, analyst_client):
        assert analyst_client.post(reverse("review:assign"), {"case": str(make_case().pk)}).status_code == 403


class TestAbsences:
    address = "/review/absences/"

    def sent(self, **more) -> dict:
        today = timezone.localdate()
        return {"from_on": today.isoformat(), "to_on": (today + DAY).isoformat(), **more}

    def test_one_enters_and_ends_one_s_own(self, analyst_client, analyst_user):
        make_case(worked_by=analyst_user)

        analyst_client.post(self.address, self.sent())

        absence = Absence.objects.get(user=analyst_user)
        assert Case.objects.get().assigned_to is None
        assert "ana" in analyst_client.get(self.address).content.decode()
        analyst_client.post(reverse("review:end_absence", args=[absence.pk]))
        assert Absence.objects.get().ended_at

    def test_a_reviewer_learns_nothing_of_others(self, analyst_client, lead_client, analyst_user, lead_user):
        lead_client.post(self.address, self.sent(who="lea"))
        absence = Absence.objects.get(user=lead_user)

        assert list(analyst_client.get(self.address).context["rows"]) == []
        assert analyst_client.post(reverse("review:end_absence", args=[absence.pk])).status_code == 404
        assert analyst_client.post(reverse("review:end_absence", args=[uuid4()])).status_code == 404

    def test_bad_days_stand_at_the_form(self, analyst_client):
        answer = analyst_client.post(self.address, self.sent(to_on="2020-01-01"))
        assert "Enter them the other way round" in answer.content.decode()
        assert "form" in analyst_client.post(self.address, {"from_on": "soon"}).context


class TestCasePage:
    def do(self, client, case, name, **sent):
        return client.post(reverse("admin:cases_case_do", args=[case.pk, name]), sent, follow=True)

    def test_its_buttons_take_over_pass_on_let_sleep_and_wake(self, lead_client, lead_user, analyst_user):
        at = timezone.now()
        case = make_case(worked_by=analyst_user, at=at)
        tomorrow = (timezone.localdate() + DAY).isoformat()

        asked = lead_client.get(reverse("admin:cases_case_do", args=[case.pk, "take-over"]))
        assert "ana works it now" in asked.content.decode()
        assert "Say why you take it over" in self.do(lead_client, case, "take-over").content.decode()
        assert "is yours" in self.do(lead_client, case, "take-over", why="agreed").content.decode()
        slept = self.do(lead_client, case, "snooze", until=tomorrow, why="waits_customer").content.decode()
        assert "comes back on" in slept and "Asleep until" in slept
        assert "waits again" in self.do(lead_client, case, "wake").content.decode()
        passed = self.do(lead_client, case, "escalate", desk="leads", why="too_grave").content.decode()
        assert "lies with the lead reviewers now" in passed

    def test_looking_keeps_one_s_lock(self, analyst_client, analyst_user):
        case = make_case(worked_by=analyst_user)
        before = case.lock.seen_at

        analyst_client.get(reverse("admin:cases_case_change", args=[case.pk]))

        case.lock.refresh_from_db()
        assert case.lock.seen_at > before
