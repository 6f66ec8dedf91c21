"""The pages of special measures: who may what, what they say, the dry run as page and file."""

import csv

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Restriction
from cases.flows import measure_effects, measure_hits, special_measures
from cases.models import MeasureHit, SpecialMeasure
from kyc_portal.records.refs import SCHEDULER
from kyc_portal.records.sealed import MASK
from kyc_portal.staff.sections import url_of
from kyc_portal.staff.site import tiles_for
from tests import signing
from tests.cases.builders import make_open_account
from tests.cases.measures import FIRST, FROM_THERE, SECOND, hit_of, make_in_effect, make_measure
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
ADD = reverse("admin:cases_specialmeasure_add")
GIVEN = {
    "kind": "jurisdiction", "country": "BY", "party": "", "action": "prohibit", "strength": "absolute", "title": "T",
    "source": "91 FR 1", "text": "No account.", "terms": "", "determined_on": "2026-03-02", "effective_on": "",
}  # fmt: skip


def do(client, record, name, **data):
    url = reverse(f"admin:cases_{record._meta.model_name}_do", args=[record.pk, name])
    return signing.press(client, url, **data)


def words_of(answer) -> str:
    return answer.content.decode()


def seen(client, user, url) -> str:
    client.force_login(user)
    answer = client.get(url)
    assert answer.status_code == 200
    return words_of(answer)


class TestMeasurePage:
    def test_two_of_legal_record_and_confirm(self, client, counsel_user, second_counsel_user):
        client.force_login(counsel_user)

        answer = client.post(ADD, {**GIVEN, "determined_on": "2026-03-02"})

        measure = SpecialMeasure.objects.get()
        assert answer.status_code == 302 and measure.state == "recorded"
        assert "/do/confirm/" not in seen(client, counsel_user, url_of(measure))
        assert "/do/confirm/" in seen(client, second_counsel_user, url_of(measure))
        assert "takes effect on 29 Aug 2026" in words_of(do(client, measure, "confirm"))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"effective_on": "2026-08-28"}, "the earliest day is 2026-08-29"),
            ({"country": "XX"}, "Select a valid choice"),
            ({"kind": "person", "country": "", "party": "PTY-2222-2222"}, "No party on file"),
            ({"determined_on": "02/03/2026"}, "valid date"),
        ],
    )
    def test_what_is_wrong_is_said_at_the_form(self, client, counsel_user, changes, words):
        client.force_login(counsel_user)

        answer = client.post(ADD, {**GIVEN, **changes})

        assert answer.status_code == 200 and words in words_of(answer)
        assert not SpecialMeasure.objects.exists()

    def test_it_says_that_the_rule_is_proposed_and_what_stands_in_it(self, client, analyst_user):
        page = seen(client, analyst_user, url_of(make_measure()))

        assert "is proposed and binds nobody by itself" in page
        assert "No account may be kept." in page and "91 FR 12345" in page

    def test_what_was_weighed_is_for_legal_and_leads(self, client, counsel_user, analyst_user):
        measure = make_measure()
        special_measures.note_factor(measure, factor="source", note="Weighed words", by=FIRST, at=NOON)

        assert "Weighed words" in seen(client, counsel_user, url_of(measure))
        page = seen(client, analyst_user, url_of(measure))
        assert "Weighed words" not in page and MASK in page

    def test_a_lead_reviews_and_legal_does_not(self, client, counsel_user, lead_user):
        measure = special_measures.end_early(make_in_effect(), why="revoked", by=FIRST, at=NOON)
        client.force_login(counsel_user)
        assert do(client, measure, "review").status_code == 403

        client.force_login(lead_user)

        assert "is reviewed; what rests on it is lifted" in words_of(do(client, measure, "review"))

    def test_it_costs_as_many_queries_for_many_hits_as_for_few(self, client, counsel_user):
        measure = make_measure()
        client.force_login(counsel_user)
        counts = []
        for _ in range(2):
            for _ in range(4):
                make_open_account(addresses=FROM_THERE)
            measure_hits.compute_hits(measure, by=SCHEDULER, at=NOON)
            with CaptureQueriesContext(connection) as context:
                assert client.get(url_of(measure)).status_code == 200
            counts.append(len(context))

        assert counts[0] == counts[1]


class TestDryRunPages:
    @pytest.fixture
    def measure(self):
        for _ in range(3):
            make_open_account(addresses=FROM_THERE)
        return make_measure()

    def test_the_page_names_how_many_and_which(self, client, analyst_user, measure):
        page = seen(client, analyst_user, reverse("admin:cases_specialmeasure_dry_run", args=[measure.pk]))

        assert "Accounts that would be suspended" in page and "Nothing is changed by looking" in page
        assert all(hit.account.reference in page for hit in measure.hits.select_related("account"))
        assert not Restriction.objects.exists()

    def test_the_file_has_all_of_them_and_no_names(self, client, analyst_user, measure):
        client.force_login(analyst_user)

        answer = client.get(reverse("admin:cases_specialmeasure_dry_run_file", args=[measure.pk]))

        assert answer.streaming and "attachment" in answer["Content-Disposition"]
        rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
        assert {row["Account"] for row in rows} == set(measure.hits.values_list("account__reference", flat=True))
        assert {row["What would happen"] for row in rows} == {"suspended"}
        assert "Maria" not in str(rows)

    def test_another_site_gets_no_file(self, client, analyst_user, measure):
        client.force_login(analyst_user)
        url = reverse("admin:cases_specialmeasure_dry_run_file", args=[measure.pk])

        assert client.get(url, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


class TestHitPage:
    def test_judge_and_agree_by_two(self, client, analyst_user, lead_user):
        account = make_open_account(addresses=FROM_THERE)
        hit = hit_of(make_measure(), account)
        assert "The customer&#x27;s residence is in BY." in seen(client, analyst_user, url_of(hit))

        told = words_of(do(client, hit, "judge", judgement="not", why="not_located"))

        assert "waits for a second person" in told and "/do/agree/" not in told
        assert "/do/agree/" in seen(client, lead_user, url_of(hit))
        do(client, hit, "agree")
        hit.refresh_from_db()
        assert hit.judgement == "not"

    def test_terms_are_offered_only_where_there_are_some(self, client, analyst_user):
        account = make_open_account(addresses=FROM_THERE)
        hit = hit_of(make_measure(), account)
        client.force_login(analyst_user)

        page = words_of(client.get(reverse("admin:cases_measurehit_do", args=[hit.pk, "judge"])))

        assert "the measure applies" in page and "its terms are met" not in page

    def test_an_override_by_two_of_legal(self, client, counsel_user, second_counsel_user):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_in_effect(effective_on=None)
        SpecialMeasure.objects.filter(pk=measure.pk).update(expires_on="2099-01-01")
        hit = hit_of(measure, account)
        client.force_login(counsel_user)
        do(client, hit, "propose-override", ground="safety", from_on="2098-01-01", to_on="2098-02-01")

        refused = words_of(
            do(client, hit, "propose-override", ground="safety", from_on="2098-02-01", to_on="2098-03-01")
        )

        assert "already overrides the measure for this account" in refused
        assert "Ask a colleague" in words_of(do(client, hit, "agree-override"))
        client.force_login(second_counsel_user)
        assert "is in force from 1 Jan 2098 through 1 Feb 2098" in words_of(do(client, hit, "agree-override"))


class TestAccountPage:
    def test_it_names_the_measure_with_its_words_for_whoever_may_see_hits(
        self, client, analyst_user, reseller_desk_user
    ):
        account = make_open_account(addresses=FROM_THERE)
        measure = make_measure(text="No account may be kept by anybody there.")

        page = seen(client, analyst_user, url_of(account))

        assert measure.reference in page and "No account may be kept by anybody there." in page
        assert measure.reference not in seen(client, reseller_desk_user, url_of(account))


class TestTiles:
    def test_what_waits_is_on_the_first_page(self, counsel_user, second_counsel_user, analyst_user, lead_user):
        make_open_account(addresses=FROM_THERE)
        make_measure(confirmed=False, by=counsel_user.as_actor)
        over = special_measures.end_early(make_in_effect(country="KP"), why="revoked", by=SECOND, at=NOON)
        measure_effects.lift_expired(on=NOON.date(), by=SCHEDULER, at=NOON)

        def waiting(user):
            return {tile.title: tile.count for tile in tiles_for(user, NOON.date()) if "easure" in tile.title}

        assert waiting(counsel_user)["Measures to confirm"] == 0
        assert waiting(second_counsel_user)["Measures to confirm"] == 1
        assert waiting(analyst_user)["Hits of measures to judge"] == MeasureHit.objects.count() == 1
        assert waiting(lead_user)["Measures to review"] == 1 and over.state == "over"
