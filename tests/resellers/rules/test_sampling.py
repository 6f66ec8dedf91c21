"""The draw can be done again by anybody, its shares add up, and the interval is the published one (R64)."""

import hashlib
import subprocess
import tracemalloc
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resellers.rules.sampling import SizeRule, Unit, Weighing, error_rate, pick, rank, shares, tally

WEIGHING = Weighing("DE", unverified=50, sublets=20, without_documents=20, abroad=10, medium=20, high=50)

COUNTS = st.dictionaries(st.text("ABCDEFG", min_size=1, max_size=3), st.integers(0, 400), max_size=12)
FRAMES = st.lists(
    st.builds(
        Unit, st.integers(0, 10**6).map(lambda number: f"DSC-{number:08}"), st.sampled_from(["DE", "FR", "US", "IR"]),
        st.sampled_from(["low", "medium", "high"]),
    ),
    min_size=1, max_size=120, unique_by=lambda unit: unit.reference,
)  # fmt: skip


def in_order(frame):
    return sorted(frame, key=lambda unit: unit.reference)


class TestShares:
    @given(counts=COUNTS.filter(lambda counts: sum(counts.values())), data=st.data())
    def test_they_add_up_and_no_stratum_gives_more_than_it_has(self, counts, data):
        size = data.draw(st.integers(1, sum(counts.values())))

        found = shares(counts, size)

        assert sum(found.values()) == size and set(found) == set(counts)
        assert all(0 <= found[code] <= counts[code] for code in counts)

    @given(counts=COUNTS.filter(lambda counts: sum(counts.values())), data=st.data())
    def test_each_stratum_has_one_where_the_size_allows(self, counts, data):
        filled = [code for code, count in counts.items() if count]
        size = data.draw(st.integers(len(filled), sum(counts.values())))

        found = shares(counts, size)

        assert all(found[code] >= 1 for code in filled)

    @given(counts=COUNTS.filter(lambda counts: sum(counts.values())), data=st.data())
    def test_each_share_is_within_one_of_the_proportional(self, counts, data):
        size, total = data.draw(st.integers(1, sum(counts.values()))), sum(counts.values())
        filled = {code: count for code, count in counts.items() if count}

        found = shares(counts, size)

        lifted = {code for code in filled if size >= len(filled) and found[code] == 1}
        for code in lifted:
            assert abs(found[code] - Fraction(size * filled[code], total)) <= 1 or filled[code] * size >= total
        others = set(filled) - lifted
        left, rest = size - len(lifted), sum(filled[code] for code in others)
        for code in others:  # what the small ones do not take is divided in proportion
            assert abs(found[code] - Fraction(left * filled[code], rest)) < 1

    @given(counts=st.dictionaries(st.text("ABC", min_size=1, max_size=3), st.integers(50, 100), min_size=1, max_size=5))
    def test_where_nobody_is_lifted_it_is_within_one_of_the_whole_size(self, counts):
        size, total = sum(counts.values()) // 2, sum(counts.values())

        assert all(abs(got - Fraction(size * counts[code], total)) < 1 for code, got in shares(counts, size).items())

    @given(counts=COUNTS.filter(lambda counts: sum(counts.values())), data=st.data())
    def test_the_order_of_the_strata_does_not_matter(self, counts, data):
        size = data.draw(st.integers(1, sum(counts.values())))
        shuffled = dict(data.draw(st.permutations(list(counts.items()))))

        assert shares(counts, size) == shares(shuffled, size)

    def test_a_small_stratum_is_lifted_and_the_rest_goes_by_the_largest_remainder(self):
        assert shares({"a": 3, "b": 3, "c": 994}, 10) == {"a": 1, "b": 1, "c": 8}
        assert shares({"a": 50, "b": 30, "c": 20}, 11) == {"a": 6, "b": 3, "c": 2}  # 5.5, 3.3, 2.2
        assert shares({"a": 1, "b": 1, "c": 1}, 2) == {"a": 1, "b": 1, "c": 0}  # not enough for one each

    @pytest.mark.parametrize(("counts", "size"), [({"a": 3}, 0), ({"a": 3}, 4), ({"a": 3}, -1), ({}, 1), ({"a": 0}, 1)])
    def test_more_or_less_than_there_is_cannot_be_drawn(self, counts, size):
        with pytest.raises(ValueError, match="cannot be drawn"):
            shares(counts, size)


class TestDraw:
    @given(frame=FRAMES, seed=st.text("abcdef0123456789", max_size=32), data=st.data())
    def test_it_is_reproducible_whatever_the_order_and_takes_nobody_twice(self, frame, seed, data):
        wanted = shares(tally(in_order(frame)).counts, data.draw(st.integers(1, len(frame))))

        drawn = pick(seed, frame, wanted)

        assert drawn == pick(seed, data.draw(st.permutations(frame)), wanted)
        assert len({unit.reference for unit in drawn}) == len(drawn) == sum(wanted.values())
        taken = {code: sum(unit.stratum == code for unit in drawn) for code in wanted}
        assert taken == wanted and set(drawn) <= set(frame)

    @given(frame=FRAMES, seed=st.text("abcdef0123456789", max_size=32), data=st.data())
    def test_sorting_by_sha_256_and_cutting_off_gives_the_same(self, frame, seed, data):
        wanted = shares(tally(in_order(frame)).counts, data.draw(st.integers(1, len(frame))))
        by_hand = []
        for code in sorted(wanted):
            members = [unit for unit in frame if unit.stratum == code]
            members.sort(key=lambda unit: hashlib.sha256(f"{seed}\n{unit.reference}".encode()).hexdigest())
            by_hand += members[: wanted[code]]

        assert pick(seed, frame, wanted) == by_hand

    def test_standard_tools_give_the_same_rank_and_the_same_frame(self):
        command = ["sh", "-c", "printf '%s\\n%s' s33d DSC-AAAA-BBBB | sha256sum"]
        asked = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
        names = "DSC-AAAA-BBBB\nDSC-AAAA-BBBC\n"
        told = tally([Unit("DSC-AAAA-BBBB", "DE", "low"), Unit("DSC-AAAA-BBBC", "FR", "high")])

        assert rank("s33d", "DSC-AAAA-BBBB") == asked
        assert told.sha256 == hashlib.sha256(names.encode()).hexdigest()
        assert told.counts == {"DE-low": 1, "FR-high": 1} and told.count == 2

    def test_the_memory_does_not_grow_with_the_frame(self):
        def peak(count: int) -> int:
            def frame():
                return (Unit(f"DSC-{number:08}", "DE", "low") for number in range(count))

            tracemalloc.start()
            pick("seed", frame(), shares(tally(frame()).counts, 20))
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        assert peak(20_000) < 3 * peak(1_000) < 300_000

    def test_another_seed_gives_another_draw(self):
        frame = [Unit(f"DSC-{number:08}", "DE", "low") for number in range(200)]

        assert pick("a", frame, {"DE-low": 20}) != pick("b", frame, {"DE-low": 20})

    @pytest.mark.parametrize("names", [["B", "A"], ["A", "A"]])
    def test_a_frame_out_of_order_or_with_somebody_twice_is_a_bug(self, names):
        with pytest.raises(ValueError, match="not in order"):
            tally(Unit(name, "DE", "low") for name in names)


class TestRisk:
    @pytest.mark.parametrize(
        ("stated", "tier"),
        [
            ({}, "low"),
            ({"country": "FR"}, "low"),
            ({"method": "other"}, "medium"),
            ({"depth": 2}, "medium"),
            ({"depth": 1, "method": "other", "country": "FR"}, "medium"),
            ({"is_verified": False}, "high"),
            ({"is_verified": False, "method": "other"}, "high"),
        ],
    )
    def test_it_weighs_what_the_reseller_states(self, stated, tier):
        given = {"country": "DE", "is_verified": True, "method": "document", "depth": 0}

        assert WEIGHING.risk_of(**{**given, **stated}) == tier

    def test_without_a_home_nobody_is_abroad(self):
        nowhere = Weighing("", 50, 20, 20, 20, 20, 50)

        assert nowhere.risk_of(country="FR", is_verified=True, method="document", depth=0) == "low"


class TestSize:
    @pytest.mark.parametrize(
        ("count", "size"), [(1, 1), (59, 59), (60, 60), (6_000, 60), (6_001, 61), (20_000, 200), (200_000, 300)]
    )
    def test_a_percentage_between_a_least_and_a_most(self, count, size):
        assert SizeRule(percent=1, least=60, most=300).size_for(count) == size


class TestErrorRate:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), p. 857, table I, method 3 (score, no continuity correction).
    @pytest.mark.parametrize(
        ("failed", "count", "low", "high"),
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_it_agrees_with_published_values(self, failed, count, low, high):
        found = error_rate(failed, count, confidence=0.95)

        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
        assert found.rate == failed / count

    def test_r64_none_of_sixty_means_at_most_some_six_percent(self):
        assert 0.059 < error_rate(0, 60, confidence=0.95).high < 0.061

    @given(count=st.integers(1, 500), data=st.data(), confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
    def test_it_holds_the_rate_mirrors_and_narrows_with_less_confidence(self, count, data, confidence):
        failed = data.draw(st.integers(0, count))

        found = error_rate(failed, count, confidence=confidence)

        assert 0 <= found.low <= found.rate <= found.high <= 1
        mirrored = error_rate(count - failed, count, confidence=confidence)
        assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)
        wider = error_rate(failed, count, confidence=0.999)
        assert wider.high - wider.low >= found.high - found.low - 1e-12

    @pytest.mark.parametrize(
        ("failed", "count", "confidence"), [(1, 0, 0.95), (2, 1, 0.95), (-1, 5, 0.95), (1, 5, 1.0)]
    )
    def test_what_makes_no_sense_is_a_bug(self, failed, count, confidence):
        with pytest.raises(ValueError, match="no error rate"):
            error_rate(failed, count, confidence=confidence)
