from itertools import pairwise

import pytest

from cases.rules.stages import (
    BUNDLE_LIFECYCLE,
    CASE_LIFECYCLE,
    DECISION_LIFECYCLE,
    LEGAL_REQUEST_LIFECYCLE,
    BundleState,
    CaseStatus,
    DecisionState,
    LegalRequestState,
)
from kyc_portal.refusal import Refusal

ALL = [
    (CaseStatus, CASE_LIFECYCLE),
    (DecisionState, DECISION_LIFECYCLE),
    (BundleState, BUNDLE_LIFECYCLE),
    (LegalRequestState, LEGAL_REQUEST_LIFECYCLE),
]


def walk(lifecycle, path):
    states = path.split()
    for old, new in pairwise(states):
        lifecycle.require(old, new)


class TestLifecycles:
    @pytest.mark.parametrize(("states", "lifecycle"), ALL)
    def test_every_state_is_in_the_table_with_its_words_and_can_be_reached(self, states, lifecycle):
        reached = {lifecycle.states[0]}
        for _ in states:
            reached |= {new for old in reached for new in lifecycle.after(old)}

        assert lifecycle.states == tuple(states)
        assert reached == set(states)
        assert all(state.label and "_" not in state.label for state in states)

    @pytest.mark.parametrize(
        ("lifecycle", "path"),
        [
            (CASE_LIFECYCLE, "open in_review proposed decided closed open"),
            (CASE_LIFECYCLE, "proposed in_review open closed"),
            (DECISION_LIFECYCLE, "proposed countersigned"),
            (DECISION_LIFECYCLE, "proposed withdrawn"),
            (DECISION_LIFECYCLE, "proposed declined"),
            (BUNDLE_LIFECYCLE, "draft collected approved built handed_over receipted"),
            (BUNDLE_LIFECYCLE, "approved failed approved collected draft"),
            (LEGAL_REQUEST_LIFECYCLE, "received validated preserving renewed lapsed"),
            (LEGAL_REQUEST_LIFECYCLE, "validated process_served challenged process_served"),
            (LEGAL_REQUEST_LIFECYCLE, "preserving process_served"),
            (LEGAL_REQUEST_LIFECYCLE, "received rejected"),
            (LEGAL_REQUEST_LIFECYCLE, "validated rejected"),
        ],
    )
    def test_it_allows_the_ways_of_the_law(self, lifecycle, path):
        walk(lifecycle, path)

    @pytest.mark.parametrize(
        ("lifecycle", "path"),
        [
            (CASE_LIFECYCLE, "open decided"),
            (CASE_LIFECYCLE, "in_review decided"),
            (CASE_LIFECYCLE, "closed decided"),
            (DECISION_LIFECYCLE, "countersigned withdrawn"),
            (DECISION_LIFECYCLE, "declined countersigned"),
            (BUNDLE_LIFECYCLE, "collected built"),
            (BUNDLE_LIFECYCLE, "draft approved"),
            (BUNDLE_LIFECYCLE, "built approved"),
            (BUNDLE_LIFECYCLE, "approved handed_over"),
            (LEGAL_REQUEST_LIFECYCLE, "received preserving"),
            (LEGAL_REQUEST_LIFECYCLE, "renewed preserving"),
            (LEGAL_REQUEST_LIFECYCLE, "lapsed renewed"),
            (LEGAL_REQUEST_LIFECYCLE, "preserving rejected"),
            (LEGAL_REQUEST_LIFECYCLE, "rejected validated"),
        ],
    )
    def test_it_skips_no_step(self, lifecycle, path):
        with pytest.raises(Refusal):
            walk(lifecycle, path)

    def test_codes_are_plain_text_with_words_beside_them(self):
        assert CaseStatus("in_review") is CaseStatus.IN_REVIEW
        assert f"{CaseStatus.IN_REVIEW}" == "in_review"
        assert CaseStatus.IN_REVIEW.label == "in review"
        assert DecisionState.choices()[0] == ("proposed", "proposed")
