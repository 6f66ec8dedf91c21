"""A case open to named people: for everybody else, wherever they look, it is as if it did not exist."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.flows import objections
from accounts.models import Account
from cases.flows import bulk, bundle_items, next_case, readers, review, voluntary
from cases.flows.queue_rows import counts, of_view
from cases.models import AbuseReport, Appeal, Case, Decision
from cases.rules.queue_filters import Filters
from cases.tiles import TILES
from kyc_portal.policy.models import Deadline
from kyc_portal.records import audit
from kyc_portal.records.clock import legal_day
from kyc_portal.staff import policy_table
from kyc_portal.staff.sections import for_viewer, timeline_section, url_of
from kyc_portal.staff.site import tiles_for
from tests.cases import reports
from tests.cases.builders import make_bundle, make_case
from tests.conftest import NOON, browser_of, person

LATER = NOON + timedelta(days=3650)
pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(lead_user, lead):
    """A case of the lead's with a report, a proposal, an appeal and a lawful ground, open to the lead and one more."""
    case = make_case(worked_by=lead_user)
    account = Account.objects.select_related("party").get(pk=case.subjects.get().account_id)
    made = Decision.objects.create(
        case=case, account=account, outcome="suspend", reason="unusual_use", state="proposed",
        proposed_at=NOON, proposed_by="x", proposed_by_key="x", rests_on={},
    )  # fmt: skip
    AbuseReport.objects.filter(pk=reports.take_in().pk).update(case=case)
    day = NOON.date()
    said = objections.take_in(account, text="No.", through="mail", against=None, on=day, by=lead, at=NOON)
    Appeal.objects.create(decision=made, objection=said, received_on=day, due_on=day, logged_at=NOON, logged_by="lea")
    voluntary.propose(case, ground="emergency", facts="Somebody is in danger.", by=lead, at=NOON)
    return readers.restrict(case, to=[person("nina", "reviewer")], by=lead, at=NOON)


class TestNobodyElse:
    def test_no_queue_count_or_next_case_knows_of_it(self, secret, lead_user):
        Case.objects.filter(pk=secret.pk).update(assigned_to=None)
        other = person("lena", "lead reviewer")

        for view in ("waiting", "free", "overdue"):
            assert secret in of_view(lead_user, Filters(view=view), LATER)
            assert secret not in of_view(other, Filters(view=view), LATER)
            seen = [int(counts(user, Filters(view=view), LATER)[view]) for user in (lead_user, other)]
            assert seen[0] - seen[1] == 1
        assert next_case.next_case(user=other, at=LATER) != secret

    def test_no_page_list_search_or_tile_shows_it(self, secret):
        other = person("lena", "lead reviewer")
        client, account = browser_of(other), secret.subjects.get().account
        decision, report, appeal = secret.decisions.get(), secret.abuse_reports.get(), Appeal.objects.get()
        hidden = {secret, decision, report, appeal, secret.voluntary.get()}

        for row in (secret, decision, report, appeal):
            assert client.get(url_of(row)).status_code == 404
        assert client.get(f"/cases/reports/{report.pk}/original/", follow=True).status_code in (404, 200)
        for address in (
            url_of(account), "/review/", "/admin/", f"/admin/cases/case/?q={account.reference}&queue=all",
            "/admin/cases/decision/", "/admin/cases/abusereport/", "/admin/cases/appeal/", "/admin/policy/deadline/",
        ):  # fmt: skip
            told = client.get(address).content.decode()
            assert secret.reference not in told.replace(f"q={secret.reference}", ""), address
            assert not [row for row in (decision, report, appeal) if row.reference in told], address
        for tile in TILES:
            for user in (other, person(f"lex {tile.title}", "legal")):
                assert not set(tile.rows(user=user, today=NOON.date())) & hidden, tile.title

    def test_events_elsewhere_that_name_it_are_not_told(self, secret, lead_user):
        account = secret.subjects.get().account
        section = timeline_section(account)

        assert secret.reference in str(for_viewer(section, lead_user).days)
        assert secret.reference not in str(for_viewer(section, person("lena", "lead reviewer")).days)

    def test_its_clock_is_hidden_with_it(self, secret, lead_user):
        rows = Deadline.objects.filter(name=secret.reference)

        assert policy_table.rows_for(lead_user, rows).exists()
        assert not policy_table.rows_for(person("lena", "lead reviewer"), rows).exists()

    def test_nothing_many_at_once_reaches_it(self, secret, lead_user):
        other = person("lena", "lead reviewer")

        told = bulk.assign([secret.pk], to=other, user=other, by=other.as_actor, at=NOON)

        assert "no such case" in told[0].sentence and told[0].reference == "unknown case"

    def test_it_goes_into_no_other_cases_bundle(self, secret, lead_user, lead, counsel):
        review.add_note(secret, text="closed words", by=lead, at=NOON)
        account = secret.subjects.get().account
        open_one = Case.objects.create(
            kind="red_flag", title="Other", opened_at=NOON, due_on=NOON.date(), due_at=NOON, waits_from=NOON
        )
        open_one.subjects.create(account=account, joined_at=NOON)

        found = {
            str(each.record.pk) for each in bundle_items.find(open_one, ground="regulator_request", on=NOON.date())
        }

        assert not found & {str(secret.notes.get().pk), str(secret.decisions.get().pk)}
        assert make_bundle(secret, by=counsel)

    def test_nobody_unnamed_is_given_it(self, secret, lead):
        with pytest.raises(review.CannotWorkCases, match="not open to"):
            review.assign(secret, to=person("ben", "reviewer"), by=lead, at=NOON)


class TestRestricting:
    def test_who_works_it_must_be_named(self, analyst_user, lead):
        case = make_case(worked_by=analyst_user)

        with pytest.raises(readers.NotRestricted, match="ana works"):
            readers.restrict(case, to=[person("nina", "reviewer")], by=lead, at=NOON)

    def test_somebody_who_sees_no_cases_cannot_be_named(self, lead):
        with pytest.raises(readers.NotRestricted, match="does not see cases"):
            readers.restrict(make_case(), to=[person("rita", "reseller desk")], by=lead, at=NOON)

    def test_naming_anew_replaces_and_opening_up_ends_it(self, secret, lead):
        readers.restrict(secret, to=[person("ben", "reviewer")], by=lead, at=NOON)
        assert sorted(secret.readers.standing().values_list("user__username", flat=True)) == ["ben", "lea"]

        readers.open_up(secret, by=lead, at=NOON)

        assert person("lena", "lead reviewer") and Case.objects.get(pk=secret.pk).is_restricted is False
        assert audit.history_of(secret)[0].verb == "cases.opened_up" and not secret.readers.standing().exists()


class TestBreakingIn:
    def test_compliance_lets_itself_in_and_everybody_reads_it(self, secret, lead_user):
        chris = person("chris", "compliance")
        assert secret not in Case.objects.visible_to(chris)

        readers.break_in(f" {secret.reference.lower()}", why="cannot_wait", user=chris, at=NOON)

        assert secret in Case.objects.visible_to(chris)
        event = audit.history_of(secret)[0]
        assert (event.verb, event.facts["why"]) == ("cases.broke_in", "cannot_wait")
        assert "let themselves in" in browser_of(lead_user).get(f"/review/{secret.reference}/").content.decode()

    def test_auditors_are_told_that_it_happened_and_of_no_case(self, secret, auditor_user, lead_user):
        at = timezone.now()
        title = "Restricted cases broken into"
        readers.break_in(secret.reference, why="cannot_wait", user=person("chris", "compliance"), at=at)
        readers.break_in(secret.reference, why="ordered", user=person("cleo", "compliance"), at=at - timedelta(days=31))

        [tile] = [each for each in tiles_for(auditor_user, legal_day(at)) if each.title == title]
        client = browser_of(auditor_user)
        start, trail = client.get("/admin/").content.decode(), client.get(tile.url).content.decode()

        assert tile.count == 1 and title in start and secret.reference not in start
        assert "verb=cases.broke_in" in tile.url and "broke into" in trail
        assert title not in {each.title for each in tiles_for(lead_user, legal_day(at))}

    def test_what_is_not_closed_to_one_answers_like_what_never_was(self, secret):
        chris, told = person("chris", "compliance"), set()
        for reference in (make_case().reference, "CSE-2222-2222", "", "x" * 30):
            with pytest.raises(readers.NotLetIn) as refused:
                readers.break_in(reference, why="cannot_wait", user=chris, at=NOON)
            told.add(str(refused.value))

        assert len(told) == 1

    @pytest.mark.parametrize("role", ["lead reviewer", "auditor", "legal"])
    def test_nobody_else_breaks_in(self, secret, role):
        user = person("somebody", role)

        assert browser_of(user).get("/review/restricted/").status_code == 403
        with pytest.raises(readers.NotLetIn):
            readers.break_in(secret.reference, why="cannot_wait", user=user, at=NOON)
