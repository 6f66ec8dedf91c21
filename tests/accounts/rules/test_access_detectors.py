"""The red flags of how an account is accessed (R46, R82, R83)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.rules import access_detectors
from accounts.rules.flags import AccountFacts
from tests.accounts.accesses import DAY, LIMITS, row, rows, visit
from tests.accounts.rules.test_detectors import LIMITS as ALL_LIMITS
from tests.accounts.rules.test_profile import ANY_ROW

FIGURES = replace(ALL_LIMITS, access=LIMITS)
VPN = {"anonymiser": "vpn"}
MEASURES = {"IR": ("SPM-2", "SPM-1"), "KP": ("SPM-3",)}
US = {"is_us_person": True, "rests_on_location": True}


def facts(*access_rows, **known):
    return AccountFacts(on=DAY, limits=FIGURES, access_rows=tuple(access_rows), **known)


def flag(code, *access_rows, **known):
    return getattr(access_detectors, code)(facts(*access_rows, **known))


class TestImpossibleTravel:
    def test_it_names_both_places_and_both_records(self):
        found = flag("impossible_travel", access_visits=(visit(0, "DE", key=7), visit(30, "BR", key=8)))

        assert found.sentence.startswith("One principal was seen in DE and 30 minutes later in BR, at least 6,")
        assert found.evidence == {"places": ["BR-DE"], "times": 1, "records": {"earlier": 7, "later": 8}}

    def test_a_principal_is_not_part_of_the_evidence(self):
        found = flag("impossible_travel", access_visits=(visit(0, "DE", "maria"), visit(180, "BR", "maria")))

        assert "maria" not in f"{found.sentence} {found.evidence}" and "3 hours later" in found.sentence

    def test_t20_one_record_or_a_vpn_raises_nothing(self):
        assert flag("impossible_travel") is None
        assert flag("impossible_travel", access_visits=(visit(0, "DE"),)) is None
        assert flag("impossible_travel", access_visits=(visit(0, "DE"), visit(1, "BR", anonymiser="relay"))) is None


class TestMeasuredJurisdictionUse:
    def test_one_access_is_enough_and_the_measures_are_named(self):
        found = flag("measured_jurisdiction_use", row(0, "IR", count=1), measured_countries=MEASURES)

        assert found.evidence == {"places": {"IR": ["SPM-1", "SPM-2"]}, "accesses": 1}
        assert found.sentence == "Used from IR, where a special measure is recorded or in effect."

    @pytest.mark.parametrize(
        ("seen", "known"),
        [
            (row(0, "DE"), {"measured_countries": MEASURES}),
            (row(0, "IR"), {}),
            (row(0, "IR"), {"measured_countries": {"IR": ()}}),
            (row(0, "IR", **VPN), {"measured_countries": MEASURES}),
            (row(0, "IR", public=False), {"measured_countries": MEASURES}),
            (row(0, "IR"), {"measured_countries": MEASURES, "is_us_person": True}),
        ],
    )
    def test_otherwise_nothing_is_said(self, seen, known):
        assert flag("measured_jurisdiction_use", seen, **known) is None

    def test_a_us_person_by_presence_alone_is_looked_at(self):
        assert flag("measured_jurisdiction_use", row(0, "IR"), measured_countries=MEASURES, **US)


class TestAdminElsewhere:
    def test_a_country_from_which_it_is_never_used(self):
        found = flag("admin_elsewhere", *rows(6), row(0, "VN", kind="admin"), row(0, kind="admin"))

        assert found.evidence == {"countries": ["VN"]}

    def test_networks_from_which_it_is_never_used(self):
        found = flag("admin_elsewhere", *rows(6), row(0, kind="admin", network="AS9 Other"))

        assert found.evidence == {"networks": ["AS9 Other"]}

    @pytest.mark.parametrize(
        "admin",
        [
            [],
            [row(0, kind="admin")],
            [row(0, kind="admin"), row(0, kind="admin", network="AS9 Other")],  # some of it is usual
            [row(0, kind="admin", network="")],  # nobody knows the network
            [row(0, "VN", kind="admin", count=2)],  # too few
            [row(0, "VN", kind="admin", **VPN)],
            [row(0, "VN", kind="admin", public=False)],
        ],
    )
    def test_otherwise_nothing_is_said(self, admin):
        assert flag("admin_elsewhere", *rows(6), *admin) is None

    def test_too_little_use_says_nothing_of_where_it_is_used(self):
        assert flag("admin_elsewhere", *rows(4), row(0, "VN", kind="admin")) is None
        assert flag("admin_elsewhere", *rows(9, **VPN), row(0, "VN", kind="admin")) is None


class TestBurstAfterSleep:
    def sleeper(self, before=4, after=60, **changes):
        return [*rows(3, since=100, count=before), *rows(2, since=1, count=after, **changes)]

    def test_it_says_when_the_account_woke(self):
        found = flag("burst_after_sleep", *self.sleeper())

        woke = DAY - timedelta(days=2)
        assert found.evidence == {"woke_on": woke.isoformat(), "quiet_days": 97, "accesses": 120}
        assert found.sentence == f"Nothing for 97 days, then 120 accesses within 7 days from {woke} on."

    def test_what_hides_counts_as_well(self):
        assert flag("burst_after_sleep", *self.sleeper(**VPN)) == flag("burst_after_sleep", *self.sleeper())

    @pytest.mark.parametrize(
        "seen",
        [
            [],
            [row()],
            rows(5, count=500),  # never slept
            [*rows(3, since=50, count=4), row(0, count=500)],  # not long
            [*rows(3, since=100, count=4), *rows(2, count=20)],  # few
            [*rows(3, since=100, count=40), *rows(2, count=60)],  # as busy as before
            rows(1, count=500),  # nothing before
        ],
    )
    def test_otherwise_nothing_is_said(self, seen):
        assert flag("burst_after_sleep", *seen) is None

    def test_what_comes_later_than_the_week_is_no_burst(self):
        late = [*rows(3, since=100, count=4), row(30, count=4), row(0, count=900)]

        assert flag("burst_after_sleep", *late) is None


class TestUseElsewhere:
    def test_it_names_what_was_stated_and_what_was_seen(self):
        found = flag("use_elsewhere", *rows(2), *rows(8, "RS"), stated_countries=frozenset({"DE", "AT"}))

        assert found.evidence == {"stated": ["AT", "DE"], "seen": ["RS"], "accesses": 40}
        assert found.sentence == "80.0 % of 40 located accesses come from places not stated, mostly RS."

    def test_many_small_places_name_the_most_used(self):
        many = [row(ago, place, count=2) for ago, place in enumerate(("RS", "BA", "HR", "ME", "MK", "AL", "XK", "BG"))]
        found = flag("use_elsewhere", *many, row(9, "RS"), *rows(4, "GR", count=1), stated_countries=frozenset({"DE"}))

        assert found.evidence["seen"] == ["GR", "RS"]

    @pytest.mark.parametrize(
        ("seen", "stated"),
        [
            (rows(9, "RS"), ()),  # nothing is stated
            (rows(9), ("DE",)),
            (rows(4, "RS"), ("DE",)),  # too few days
            ([*rows(5), *rows(5, "RS")], ("DE",)),  # half and half
            ([*rows(3), *rows(30, "RS", **VPN)], ("DE",)),
            (rows(9, "RS", **VPN), ("DE",)),
        ],
    )
    def test_otherwise_nothing_is_said(self, seen, stated):
        assert flag("use_elsewhere", *seen, stated_countries=frozenset(stated)) is None


class TestUsLocationGone:
    def test_hardly_seen_there(self):
        found = flag("us_location_gone", *rows(1, "US"), *rows(9, "MX"), **US)

        assert found.evidence == {"seen": ["MX"], "accesses": 40}
        assert "only 10.0 % of 40" in found.sentence

    @pytest.mark.parametrize(
        ("seen", "known"),
        [
            (rows(9, "MX"), {}),
            (rows(9, "MX"), {"is_us_person": True}),  # a citizen may be anywhere
            (rows(9, "MX"), {"rests_on_location": True}),  # foreign since
            (rows(9, "PR"), US),  # a territory
            ([*rows(3, "US"), *rows(9, "MX")], US),
            (rows(4, "MX"), US),
            (rows(9, "MX", **VPN), US),
            (rows(9, "MX"), {**US, "us_settled_on": DAY - timedelta(days=4)}),  # mostly from before
        ],
    )
    def test_otherwise_nothing_is_said(self, seen, known):
        assert flag("us_location_gone", *seen, **known) is None

    def test_what_was_seen_after_the_finding_counts(self):
        settled = DAY - timedelta(days=10)

        assert flag("us_location_gone", *rows(9, "MX"), *rows(50, "US", since=10), us_settled_on=settled, **US)


CODES = [detector.code for detector in access_detectors.DETECTORS]


@pytest.mark.parametrize("code", CODES)
class TestEachOfThem:
    @settings(max_examples=40)
    @given(seen=st.lists(ANY_ROW, max_size=25), random=st.randoms(use_true_random=False))
    def test_the_order_of_rows_does_not_matter(self, code, seen, random):
        mixed = list(seen)
        random.shuffle(mixed)
        known = {"measured_countries": {"FR": ("SPM-1",)}, "stated_countries": frozenset({"DE"}), **US}

        assert flag(code, *mixed, **known) == flag(code, *seen, **known)

    @settings(max_examples=40)
    @given(seen=st.lists(ANY_ROW, max_size=25))
    def test_t22_what_hides_never_places_anybody(self, code, seen):
        """No decision rests on an anonymised address: without the others no flag of place is raised."""
        hidden = [replace(each, public=True, anonymiser="vpn") for each in seen]
        known = {"measured_countries": {"FR": ("SPM-1",)}, "stated_countries": frozenset({"DE"}), **US}

        assert code == "burst_after_sleep" or flag(code, *hidden, **known) is None

    def test_one_access_says_nothing_of_habits(self, code):
        known = {"stated_countries": frozenset({"DE"}), **US}

        assert flag(code, row(0, "FR", count=1), access_visits=(visit(0, "FR"),), **known) is None
