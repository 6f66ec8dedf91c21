"""The red-flag catalogue (regulation 3.12)."""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest

from accounts.rules.detectors import DETECTORS, run
from accounts.rules.flags import AccountFacts, DetectorLimits, DocumentState, SeenEarlier
from accounts.rules.found import Found, found_of, right_percent
from kyc_portal.policy import regimes
from tests.accounts import accesses

TODAY = date(2026, 11, 23)
OLD, GOOD = date(2026, 11, 22), date(2026, 11, 23)


LIMITS = DetectorLimits(
    least_accesses=5,
    near_threshold_points=Decimal(1),
    near_threshold_owners=2,
    watched_least_accesses=1,
    access=accesses.LIMITS,
)


def facts(**known):
    return AccountFacts(on=TODAY, **{"limits": LIMITS, **known})


def codes(**known):
    return [flag.code for flag in run(facts(**known))]


def seen(total, anonymised, **kinds):
    return {"access_total": total, "access_anonymised_total": anonymised, "access_anonymised": kinds}


class TestRun:
    def test_a_quiet_account_raises_nothing(self):
        assert run(facts()) == ()

    @pytest.mark.parametrize(
        ("known", "raised"),
        [
            ({"confirmed_hits": ("H1",)}, ["confirmed_list_hit"]),
            ({"possible_hits": ("H1", "H2")}, ["possible_list_hit"]),
            ({"document_countries": frozenset({"DE"}), "payment_countries": frozenset({"RU"})}, ["country_conflict"]),
            ({"document_countries": frozenset({"DE"}), "payment_countries": frozenset({"DE", "RU"})}, []),
            ({"document_countries": frozenset({"DE"}), "access_countries": {"RU": 9}}, []),
            (
                {
                    "document_countries": frozenset({"DE"}),
                    "payment_countries": frozenset({"DE"}),
                    "address_countries": frozenset({"FR"}),
                },
                ["country_conflict"],
            ),
            (seen(5, 5, vpn=5), ["anonymised_access_only"]),
            (seen(5, 4, vpn=4), []),
            (seen(4, 4, vpn=4), []),
            (seen(0, 0), []),
            (seen(5, 3, vpn=3, hosting=2), []),
            ({"documents": (DocumentState("D1", "passport", OLD),)}, ["expired_document"]),
            ({"documents": (DocumentState("D1", "passport", GOOD),)}, []),
            ({"documents": (DocumentState("D1", "passport", OLD), DocumentState("D2", "passport", GOOD))}, []),
            ({"documents": (DocumentState("D1", "articles", None),)}, []),
            ({"documents": (DocumentState("D1", "passport", GOOD, ("composite",)),)}, ["mrz_check_failed"]),
            ({"reverification_overdue_days": 1}, ["reverification_overdue"]),
            ({"reverification_overdue_days": 0}, []),
            ({"reverification_overdue_days": -3}, []),
        ],
    )
    def test_each_detector_on_and_off(self, known, raised):
        assert codes(**known) == raised

    @pytest.mark.parametrize(
        ("percents", "threshold", "raised"),
        [
            (("24.9", "24.5"), "25", True),
            (("24", "24"), "25", True),
            (("24.9",), "25", False),
            (("25", "24.9"), "25", False),
            (("23.9", "24.9"), "25", False),
            (("9.9", "9.9"), "10", True),
            (("24.9", "24.5"), None, False),
        ],
    )
    def test_two_owners_just_below_the_threshold(self, percents, threshold, raised):
        found = codes(owner_percents=tuple(map(Decimal, percents)), owner_threshold=threshold and Decimal(threshold))

        assert (found == ["near_threshold_owners"]) is raised

    def test_limits_are_handed_in(self):
        assert codes(**seen(2, 2, tor=2), limits=replace(LIMITS, least_accesses=2)) == ["anonymised_access_only"]

    def test_t22_the_kinds_of_range_are_named(self):
        (flag,) = run(facts(**seen(6, 6, vpn=4, tor=0, hosting=6)))

        assert flag.sentence == "All 6 accesses from public addresses came through hosting, vpn ranges."
        assert flag.evidence == {"accesses": 6, "kinds": {"hosting": 6, "vpn": 4}}

    def test_a_conflict_names_the_sources_that_disagree(self):
        (flag,) = run(facts(document_countries=frozenset({"DE"}), payment_countries=frozenset({"RU"})))

        assert flag.sentence == "These name different countries: document and payment."
        assert flag.evidence == {"document": ["DE"], "payment": ["RU"]}


WEIGHTS = {figure.name.removeprefix("weight_"): figure for figure in regimes.WEIGHTS}


class TestSeenBefore:
    def test_t21_it_names_the_ties_the_earlier_ones_what_became_of_them_and_the_kinds(self):
        ties = (
            SeenEarlier("SEN-1", "ACC-1", "terms_broken", ("card", "phone")),
            SeenEarlier("SEN-2", "ACC-2", "listed", ("card",)),
        )

        [flag] = run(facts(seen_before=ties))

        assert flag.code == "seen_before"
        assert flag.sentence == "Shares what is rare with ACC-1, ACC-2, shut out earlier (terms broken, listed)."
        assert flag.evidence == {
            "ties": ["SEN-1", "SEN-2"], "earlier": ["ACC-1", "ACC-2"], "outcomes": ["terms_broken", "listed"],
            "kinds": ["card", "phone"],
        }  # fmt: skip


class TestCatalogue:
    @pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.code)
    def test_each_row_is_whole(self, detector):
        assert len(detector.meaning) > 60 and len(detector.innocent) > 20 and len(detector.source) > 10
        assert not detector.source.endswith(".")  # it stands in a sentence that ends by itself
        assert 0 < int(WEIGHTS[detector.code].value) <= 100 and WEIGHTS[detector.code].reason.endswith(".")
        assert set(detector.needs) <= {field.name for field in fields(AccountFacts)}
        assert detector.function.__name__ == detector.code

    @pytest.mark.parametrize("profile", regimes.PROFILES, ids=lambda profile: profile.code)
    def test_each_figure_a_detector_names_exists(self, profile):
        known = {figure.name for figure in (*profile.figures, *regimes.COMMON)}

        assert {name for each in DETECTORS for name in each.all_figures} <= known

    def test_every_figure_of_accesses_stands_on_a_page(self):
        named = {name for each in DETECTORS for name in each.all_figures}

        assert {figure.name for figure in regimes.ACCESSES} - named == {"detector_least_answers"}

    def test_only_a_location_that_changed_brings_a_question(self):
        assert {each.code for each in DETECTORS if each.asks_again} == {"use_elsewhere", "us_location_gone"}

    def test_nothing_else_weighs(self):
        assert set(WEIGHTS) == {detector.code for detector in DETECTORS}

    def test_codes_are_unique(self):
        assert len({detector.code for detector in DETECTORS}) == len(DETECTORS)

    def test_access_through_anonymisers_alone_weighs_little(self):
        weights = {code: int(figure.value) for code, figure in WEIGHTS.items()}

        assert weights["anonymised_access_only"] < weights["country_conflict"] < weights["confirmed_list_hit"] == 100


class TestFound:
    @pytest.mark.parametrize(
        ("code", "answer", "reason", "found"),
        [
            ("impossible_travel", "suspend", "details_compromised", Found.RIGHT),
            ("impossible_travel", "watch", "unusual_use", Found.RIGHT),
            ("impossible_travel", "block", "list_match_confirmed", Found.UNTOLD),  # for another flag of the account
            ("impossible_travel", "no_action", "concern_cleared", Found.WRONG),
            ("impossible_travel", "no_action", "", Found.WRONG),
            ("impossible_travel", "explained by telephone", "", Found.UNTOLD),
            ("confirmed_list_hit", "block", "list_match_confirmed", Found.RIGHT),
            ("left_the_catalogue", "suspend", "unusual_use", Found.UNTOLD),
        ],
    )
    def test_what_an_answer_says_of_a_flag(self, code, answer, reason, found):
        assert found_of(code, answer, reason) is found

    @pytest.mark.parametrize(
        ("right", "wrong", "least", "percent"),
        [(9, 0, 10, None), (0, 0, 0, None), (3, 7, 10, Decimal("30.0")), (10, 0, 10, Decimal(100)), (0, 10, 10, 0)],
    )
    def test_a_share_needs_enough_answers(self, right, wrong, least, percent):
        assert right_percent(right, wrong, least) == percent
