import pytest

from accounts.rules.detectors import DETECTORS
from accounts.rules.verdicts import ADDRESS_ONLY, only_addresses
from cases.rules.address_alone import LOOKED_AT, hit_rests_on_address_alone, rests_on_address_alone
from cases.rules.checklist import ITEMS
from cases.rules.outcomes import consequence_of

BESIDE_ADDRESSES = {"burst_after_sleep"}  # detectors that read accesses and rest on more than where they came from
ADDRESS = [{"reference": "SIG-1", "code": "anonymised_access_only", "weight": 20}]
COUNTRY = [{"reference": "SIG-2", "code": "country_conflict", "weight": 30}]


class TestTheFamily:
    def test_each_detector_that_reads_accesses_is_told_apart(self):
        """A new one must be put into ADDRESS_ONLY, or here when it rests on more."""
        of_accesses = {each.code for each in DETECTORS if any(need.startswith("access_") for need in each.needs)}

        assert "anonymised_access_only" in of_accesses
        assert of_accesses <= ADDRESS_ONLY | BESIDE_ADDRESSES
        assert not ADDRESS_ONLY & BESIDE_ADDRESSES

    def test_the_points_exist(self):
        assert set(ITEMS) > LOOKED_AT and "access_looked_at" not in LOOKED_AT

    @pytest.mark.parametrize(
        ("flags", "others", "alone"),
        [
            ([], [], False),
            (["anonymised_access_only"], [], True),
            (["anonymised_access_only"] * 2, [], True),
            (["anonymised_access_only", "country_conflict"], [], False),
            (["anonymised_access_only"], ["DOC-1"], False),
        ],
    )
    def test_only_addresses(self, flags, others, alone):
        assert only_addresses(flags, others) is alone


class TestDecisions:
    @pytest.mark.parametrize(
        ("outcome", "reason"),
        [
            ("limit", "masked_access"),
            ("suspend", "unusual_use"),
            ("close", "malicious_use"),
            ("close", "identity_not_verified"),
            ("block", "list_match_confirmed"),
        ],
    )
    def test_what_takes_something_away_needs_more_than_an_address(self, outcome, reason):
        assert rests_on_address_alone(consequence_of(outcome, reason), {"signals": ADDRESS}, ())

    @pytest.mark.parametrize(
        ("outcome", "reason"), [("watch", "masked_access"), ("no_action", "concern_cleared"), ("watch", "unusual_use")]
    )
    def test_what_takes_nothing_away_does_not(self, outcome, reason):
        assert not rests_on_address_alone(consequence_of(outcome, reason), {"signals": ADDRESS}, ())

    @pytest.mark.parametrize(
        ("more", "looked_at"),
        [
            ({"signals": ADDRESS + COUNTRY}, ()),
            ({"hits": [{"reference": "HIT-1", "status": "open"}]}, ()),
            ({"reports": [{"reference": "ABU-1", "sha256": ""}]}, ()),
            ({"measures": [{"reference": "MHT-1", "judgement": "applies"}]}, ()),
            ({"verifications": [{"reference": "VER-1", "status": "failed"}]}, ()),
            ({}, ("identity_compared",)),
        ],
    )
    def test_anything_else_is_enough(self, more, looked_at):
        seen = {"signals": ADDRESS, **more}

        assert not rests_on_address_alone(consequence_of("suspend", "unusual_use"), seen, looked_at)

    @pytest.mark.parametrize(
        ("less", "looked_at"),
        [
            ({"hits": [{"reference": "HIT-1", "status": "dismissed"}]}, ()),
            ({"measures": [{"reference": "MHT-1", "judgement": "open"}]}, ()),
            ({"verifications": [{"reference": "VER-1", "status": "verified"}]}, ()),
            ({"documents": [{"reference": "DOC-1"}]}, ()),
            ({}, ("access_looked_at", "flags_read", "links_looked_at")),
        ],
    )
    def test_what_speaks_against_nobody_is_not(self, less, looked_at):
        seen = {"signals": ADDRESS, **less}

        assert rests_on_address_alone(consequence_of("suspend", "unusual_use"), seen, looked_at)

    def test_a_reason_about_addresses_counts_as_one_without_any_flag(self):
        assert rests_on_address_alone(consequence_of("limit", "masked_access"), {}, ())
        assert not rests_on_address_alone(consequence_of("limit", "unusual_use"), {}, ())

    def test_an_order_of_an_authority_stands_by_itself(self):
        assert not rests_on_address_alone(consequence_of("suspend", "authority_order"), {"signals": ADDRESS}, ())


class TestMeasures:
    SEEN = [{"code": "observed", "country": "XX", "count": 3}]

    @pytest.mark.parametrize(
        ("evidence", "flags", "looked_at", "alone"),
        [
            (SEEN, [], (), True),
            (SEEN, ["anonymised_access_only"], ("access_looked_at",), True),
            (SEEN, ["country_conflict"], (), False),
            (SEEN, [], ("identity_compared",), False),
            ([*SEEN, {"code": "place", "country": "XX"}], [], (), False),
            ([], [], (), False),
        ],
    )
    def test_an_observed_address_alone_never_makes_it_apply(self, evidence, flags, looked_at, alone):
        assert hit_rests_on_address_alone(evidence, flags, looked_at) is alone
