"""The catalogue of red flags, a page for each detector, and what is usual of an account (R82, R83, R85)."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.html import escape

from accounts.admin import detector_pages
from accounts.admin.profile_sections import usual_use
from accounts.flows.account_file import AccountFile
from accounts.models import DetectorDay, RiskSignal
from accounts.rules.detectors import BY_CODE, DETECTORS
from kyc_portal.policy.models import RegimeNumber
from kyc_portal.records.acting import one_flow
from kyc_portal.records.clock import legal_day, moment
from kyc_portal.records.deletion import declared
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.accesses import DAY, keep_days, keep_records, row, rows, visit
from tests.builders import make_account
from tests.conftest import NOON

TODAY = NOON.date()


def url_of(code):
    return reverse("admin:accounts_risksignal_detector", args=[code])


def count_of(code, day=TODAY, **counts):
    with one_flow(SCHEDULER):
        DetectorDay.objects.create(code=code, day=day, **counts)


def sections_of(code):
    return {section.id: section for section in detector_pages.detector_sections(BY_CODE[code], on=TODAY)}


@pytest.fixture
def as_analyst(client, analyst_user):
    client.force_login(analyst_user)
    return client


class TestCatalogue:
    def test_it_leads_to_every_detector(self, as_analyst, django_assert_max_num_queries):
        with django_assert_max_num_queries(12):
            text = as_analyst.get(reverse("admin:accounts_risksignal_catalogue")).content.decode()

        assert all(url_of(each.code) in text and escape(each.title) in text for each in DETECTORS)

    def test_it_counts_from_the_small_table(self, db):
        count_of("use_elsewhere", raised=7, right=6, wrong=4)
        count_of("use_elsewhere", day=TODAY - timedelta(days=500), raised=90)
        for _ in range(3):
            RiskSignal.objects.create(
                account=make_account(), code="use_elsewhere", weight=1, sentence="–", known_at=NOON
            )  # fmt: skip

        tables = detector_pages.catalogue(on=TODAY)
        found = {row[0].text: row[3:] for table in tables for row in table.rows}

        assert found["Used from places not stated"] == [7, "60.0 % of 10 told"]
        assert found["Impossible travel"] == [0, "too few to say (0 told)"]
        assert "counted through 2026-03-02" in tables[0].note


class TestDetectorPage:
    @pytest.mark.parametrize("detector", DETECTORS, ids=lambda each: each.code)
    def test_each_has_one_with_all_its_figures(self, db, detector):
        found = sections_of(detector.code)

        names = [line[0].replace(" ", "_") for line in found["figures"].rows]
        assert names == list(detector.all_figures)
        assert all(line[1] is not None and line[3] and line[4] for line in found["figures"].rows)

    def test_it_says_all_of_it_in_few_queries(self, as_analyst, django_assert_max_num_queries):
        day = legal_day(moment(None))
        count_of("impossible_travel", day=day, raised=3, right=1, wrong=2)

        with django_assert_max_num_queries(12):
            response = as_analyst.get(url_of("impossible_travel"))

        text = response.content.decode()
        for words in (
            "Impossible travel", "roams", "travel speed kmh", "own policy", "picture-bars", "Raised by month",
            "too few to say (3 told)", f"{day:%b %Y}", "Not told",
        ):  # fmt: skip
            assert words in text, words

    def test_a_proposed_source_is_called_proposed(self, db):
        source = dict(sections_of("use_elsewhere")["detector"].rows)["Where it comes from"]

        assert source.startswith("Proposed 15 CFR 7.302")

    def test_months_stand_in_a_picture_with_a_table(self, db):
        count_of("use_elsewhere", raised=2)
        found = sections_of("use_elsewhere")

        assert found["raised"].rows[-1] == ("Mar 2026", 2, "") and len(found["raised"].rows) == 12
        assert found["raised"].head == ["Month", "Raised"]
        assert dict(found["detector"].rows)["Does it bring the customer a question?"].startswith("It asks")

    def test_a_detector_that_never_fired_says_so(self, db):
        found = sections_of("use_elsewhere")

        assert found["raised"].rows == [] and found["raised"].empty.startswith("Not raised")
        assert "nothing is counted yet" in found["raised"].note

    @pytest.mark.parametrize(
        ("counts", "told"),
        [
            ({"right": 9}, "too few to say (9 told)"),
            ({"right": 9, "untold": 50}, "too few to say (9 told)"),
            ({"right": 10}, "100.0 % of 10 told"),
            ({"right": 1, "wrong": 11, "untold": 7}, "8.3 % of 12 told"),
        ],
    )
    def test_a_share_names_the_number_it_rests_on(self, db, counts, told):
        count_of("use_elsewhere", **counts)

        assert dict(sections_of("use_elsewhere")["found"].rows)["Found right"] == told

    def test_a_figure_the_profile_lacks_is_named(self, db):
        with one_flow(SCHEDULER), declared("purge"):
            RegimeNumber.objects.filter(name="travel_speed_kmh").delete()

        [missing] = [line for line in sections_of("impossible_travel")["figures"].rows if line[1] is None]

        assert (missing[0], missing[5]) == ("travel speed kmh", detector_pages.NO_FIGURE)

    def test_what_is_no_detector_is_not_there(self, as_analyst):
        assert as_analyst.get(url_of("no_such_flag")).status_code == 404

    def test_it_is_not_for_everybody(self, client, administrator_user):
        client.force_login(administrator_user)

        assert client.get(url_of("impossible_travel")).status_code == 403

    def test_it_names_nobody(self, as_analyst):
        account = make_account(legal_name="Secret Person")
        count_of("use_elsewhere", day=legal_day(moment(None)), raised=1)

        text = as_analyst.get(url_of("use_elsewhere")).content.decode()

        assert "Secret Person" not in text and account.reference not in text


class TestFlagPage:
    def test_it_leads_to_its_detector_and_to_both_records(self, as_analyst):
        account = make_account()
        made = keep_records(account, visit(0, "DE"), visit(30, "BR"))
        signal = RiskSignal.objects.create(
            account=account, code="impossible_travel", weight=20, sentence="–", known_at=NOON,
            evidence={"places": ["BR-DE"], "times": 1, "records": {"earlier": made[0].pk, "later": made[1].pk}},
        )  # fmt: skip

        text = as_analyst.get(reverse("admin:accounts_risksignal_change", args=[signal.pk])).content.decode()

        assert url_of("impossible_travel") in text and "BR-DE" in text
        for record in made:
            assert reverse("admin:accounts_accessrecord_change", args=[record.pk]) in text


class TestUsualUse:
    def section(self, account):
        return dict(usual_use(AccountFile(account, DAY)).rows)

    def test_too_little_is_said_to_be_too_little(self, db):
        account = make_account()
        keep_days(account, row(0, "DE", count=1))

        found = self.section(account)

        assert found["Rests on"] == "1 access on 1 day"
        assert found["Usual countries"] == found["Usual hours, UTC"] == "too little to say"

    def test_it_says_what_is_usual(self, db):
        account = make_account()
        keep_days(account, *rows(6), *rows(2, "NL", since=90, anonymiser="vpn", hours=1 << 14))

        found = self.section(account)

        assert found["Usual countries"] == "DE 100.0 %" and found["Usual networks"] == "AS1 DE 100.0 %"
        assert found["Usual hours, UTC"] == "9 to 11, 14 to 15"
        assert found["Through anonymisers"] == "25.0 % of 32 from public addresses"
        assert re.fullmatch(r"84 days until 2026-02-25", found["Quiet spells"])

    def test_without_any_access_nothing_is_claimed(self, db):
        found = self.section(make_account())

        assert found["Rests on"] == "0 accesses on 0 days" and found["Through anonymisers"] == ""
        assert found["Quiet spells"] == "none"
