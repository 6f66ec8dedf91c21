from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.rules.disclosure import DataClass, Ground
from cases.rules.request_checks import CHECKLISTS, NotChecked, Point, points_of, require_checked
from cases.rules.scope import EVERYTHING, AskedFor, BadScope, asked_for

DAY = date(2026, 3, 1)
days = st.none() | st.integers(-400, 400).map(lambda number: DAY + timedelta(days=number))
scopes = st.builds(
    AskedFor, kinds=st.frozensets(st.sampled_from(list(DataClass)), max_size=3), from_on=days, through_on=days,
    accounts=st.frozensets(st.sampled_from(["ACC-1", "ACC-2", "ACC-3"]), max_size=2),
)  # fmt: skip


class TestDays:
    @pytest.mark.parametrize(
        ("begins", "ends", "covered"),
        [
            (date(2026, 1, 9), date(2026, 1, 9), False),
            (date(2026, 1, 10), date(2026, 1, 10), True),
            (date(2026, 2, 1), date(2026, 2, 1), True),
            (date(2026, 2, 2), date(2026, 2, 2), False),
            (date(2025, 1, 1), None, True),
            (date(2025, 1, 1), date(2026, 1, 9), False),
            (None, None, True),
        ],
    )
    def test_both_ends_count(self, begins, ends, covered):
        assert AskedFor(from_on=date(2026, 1, 10), through_on=date(2026, 2, 1)).covers_days(begins, ends) is covered

    def test_proof_goes_with_every_kind(self):
        asked = AskedFor(kinds=frozenset({DataClass.ACCESS}))

        assert [kind for kind in DataClass if asked.covers_kind(kind)] == [
            DataClass.ACCESS, DataClass.CUSTODY, DataClass.AUDIT,
        ]  # fmt: skip


class TestWithin:
    @given(scopes)
    def test_everything_holds_every_scope_and_each_holds_itself(self, scope):
        assert scope.is_within(EVERYTHING) and scope.is_within(scope)

    @given(scopes, scopes, st.sampled_from(list(DataClass)), days, days, st.sampled_from(["ACC-1", "ACC-2", "ACC-3"]))
    def test_what_a_narrower_scope_covers_the_wider_one_covers_too(self, one, other, kind, begins, ends, account):
        if not one.is_within(other):
            return

        assert other.covers_kind(kind) or not one.covers_kind(kind)
        assert other.covers_days(begins, ends) or not one.covers_days(begins, ends)
        assert other.covers_account(account) or not one.covers_account(account)


class TestAskedFor:
    @pytest.mark.parametrize(
        ("given_", "words"),
        [
            ((["gossip"], None, None, []), "no such kind of record: 'gossip'"),
            (([], date(2026, 2, 1), date(2026, 1, 1), []), "comes after the last day"),
            (([], None, None, ["ACC-9"]), "ACC-9 is no account of this request"),
        ],
    )
    def test_it_refuses(self, given_, words):
        with pytest.raises(BadScope, match=words):
            asked_for(*given_, of=["ACC-1"])


class TestChecklists:
    def test_each_kind_of_paper_has_one_and_each_point_is_asked(self):
        assert list(CHECKLISTS) == list(Ground)
        assert {point for points in CHECKLISTS.values() for point in points} == set(Point)

    @pytest.mark.parametrize("ground", Ground)
    def test_no_point_may_be_left_out(self, ground):
        for left_out in points_of(ground):
            with pytest.raises(NotChecked) as refusal:
                require_checked(ground, set(points_of(ground)) - {left_out})
            assert left_out.label in str(refusal.value)
        assert require_checked(ground, points_of(ground)) == points_of(ground)

    def test_a_point_of_another_paper_is_refused(self):
        with pytest.raises(NotChecked, match="not asked for this kind"):
            require_checked("preservation", [*points_of("preservation"), "judge"])
