import pytest

from cases.rules.replay import compare, in_words, verdicts


def seen(**kinds):
    return {"signals": [], "hits": [], "rules": [{"effect": "blocked", "signatures": 2}], **kinds}


class TestCompare:
    def test_each_fact_is_told_once_with_what_became_of_it(self):
        then = seen(hits=[{"reference": "H1", "score": "0.9"}, {"reference": "H2", "score": "0.8"}])
        now = seen(hits=[{"reference": "H1", "score": "0.9"}, {"reference": "H3", "score": "0.7"}])

        told = [(line.reference, line.then, line.now, line.verdict) for line in compare(then, now)]

        assert told == [
            ("H2", "score 0.8", "", "not on file any more"),
            ("H3", "", "score 0.7", "new since then"),
            ("H1", "score 0.9", "score 0.9", "same"),
        ]

    def test_a_kind_that_was_not_kept_then_is_not_called_new(self):
        assert compare({"hits": []}, seen(signals=[{"reference": "S1"}])) == []

    def test_hashes_are_shortened_and_the_order_of_columns_is_no_change(self):
        first = in_words({"reference": "D", "sha256": "a" * 64, "kind": "passport"})

        assert first == in_words({"kind": "passport", "sha256": "a" * 64, "reference": "D"})
        assert first == f"kind passport, sha256 {'a' * 12}"


class TestVerdicts:
    @pytest.mark.parametrize(
        ("outcome", "reason", "hits", "sentence", "holds"),
        [
            ("block", "list_match_confirmed", ["confirmed"], "still require that the account is stopped", True),
            ("block", "list_match_confirmed", ["dismissed"], "nothing on file requires it", False),
            ("block", "owned_by_listed", [], "nothing on file requires it", False),
            ("no_action", "list_match_dismissed", ["dismissed"], "No hit is confirmed or open", True),
            ("no_action", "list_match_dismissed", ["open"], "not judged yet", False),
            ("limit", "unusual_use", ["confirmed"], "rests on the judgement of whoever decides", True),
        ],
    )
    def test_the_ground_is_looked_at_again(self, outcome, reason, hits, sentence, holds):
        now = seen(hits=[{"reference": str(place), "status": status} for place, status in enumerate(hits)])

        told, stands = verdicts(outcome, reason, status="active", then=seen(), now=now)[-1]

        assert sentence in told and stands is holds

    def test_what_the_rules_do_not_allow_any_more(self):
        told = verdicts("block", "unusual_use", status="active", then=seen(), now=seen())

        assert told == [("Our rules do not allow this outcome for this reason any more.", False)]
