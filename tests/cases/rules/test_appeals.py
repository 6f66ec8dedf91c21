import pytest

from cases.rules.appeals import (
    APPEAL_REASONS,
    WORDINGS,
    AppealOutcome,
    UnfitAnswer,
    milder_than,
    require_milder,
    takes_two,
)
from cases.rules.outcomes import OutcomeCode, consequence_of


class TestMilder:
    @pytest.mark.parametrize("old", OutcomeCode)
    def test_it_is_always_less_and_never_nothing(self, old):
        milder = milder_than(old)

        assert OutcomeCode.NO_ACTION not in milder and old not in milder
        for code in OutcomeCode:
            if code in milder:
                require_milder(old, code)
            else:
                with pytest.raises(UnfitAnswer):
                    require_milder(old, code)

    def test_of_the_mildest_nothing_is_left(self):
        with pytest.raises(UnfitAnswer, match="nothing milder is left but to reverse it"):
            require_milder("watch", "watch")


class TestTakesTwo:
    @pytest.mark.parametrize(
        ("on_list", "new", "two"),
        [
            (False, None, False), (True, None, True), (False, ("limit", "unusual_use"), False),
            (False, ("suspend", "unusual_use"), True), (True, ("watch", "unusual_use"), True),
        ],
    )  # fmt: skip
    def test_as_decisions_do(self, on_list, new, two):
        assert takes_two(on_list, new and consequence_of(*new)) is two


def test_every_answer_has_a_reason_and_words_that_tell_of_no_list():
    for outcome in AppealOutcome:
        assert any(outcome in reason.outcomes for reason in APPEAL_REASONS.values())
        assert not {"list", "sanctions", "hit", "match"} & set(WORDINGS[outcome].lower().split())
