"""What a row of a roster may hold, and who sublets from whom (R24; trust.md A21, C5, C8, C9, D2, D6, E7, E12)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.tables import BadRow, Row
from resellers.rules import roster_tree
from resellers.rules.roster_rows import StatedCustomer, read_row
from tests.resellers.rosters import row

TODAY = date(2026, 3, 2)


def judged(**changes):
    return read_row(Row(7, row("1", **changes)), today=TODAY)


class TestReadRow:
    def test_a_good_row(self):
        found = judged(kind=" Individual", country="fr ", email="A.b+c@EXAMPLE.com", birth_date="1985-05-17")

        assert (found.kind, found.country, found.email, found.birth_date) == (
            "individual", "FR", "A.b+c@example.com", date(1985, 5, 17),
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"name": ""}, "Column name is empty"),
            ({"name": "\u200b \u3164"}, "Column name is empty"),
            ({"name": "n" * 301}, "Column name is 301 characters long; at most 300"),
            ({"name": "a\u202eb"}, "invisible direction control"),
            ({"name": "a" + "\u0301" * 5}, "combining marks"),
            ({"name": "a\nb"}, "only one line"),
            ({"name": "Pay 4111 1111 1111 1111"}, "may be the number of a payment card"),
            ({"customer_number": "n" * 81}, "Column customer_number is 81 characters long"),
            ({"kind": "robot"}, "Column kind is not known. Use one of: entity, individual."),
            ({"country": "Germany"}, "Column country is 7 characters long"),
            ({"country": "XX"}, "Column country is no country code"),
            ({"country": "ＤＥ"}, "Column country is no country code"),
            ({"customer_since": "2023-02-29"}, "customer_since is no day of the calendar"),
            ({"customer_since": "02/03/2024"}, "customer_since is no day of the calendar"),
            ({"customer_since": "45231"}, "customer_since is a bare number, as a spreadsheet keeps a day"),
            ({"customer_since": "2026-03-03"}, "customer_since lies in the future"),
            ({"customer_since": "1899-12-31"}, "customer_since lies before 1900"),
            ({"customer_since": "２０２４-01-01"}, "customer_since is no day"),
            ({"verified_on": "2026-03-03"}, "verified_on lies in the future"),
            ({"verified_on": ""}, "verified_on is empty although method is filled in"),
            ({"method": ""}, "method is empty although verified_on is filled in"),
            ({"method": "guess"}, "Column method is not known"),
            ({"birth_date": "1985-05-17"}, "birth_date is for individuals only"),
            ({"kind": "individual", "birth_date": "2025-02-01"}, "birth_date lies after customer_since"),
            ({"parent_number": "1"}, "parent_number names the customer itself"),
            ({"registration_number": "---"}, "registration_number has no letter or digit"),
            ({"email": "nobody"}, "Column email is no e-mail address"),
            ({"email": "a@b"}, "Column email is no e-mail address"),
            ({"email": "a@@example.com"}, "Column email is no e-mail address"),
            ({"email": "a@exa mple.com"}, "Column email is no e-mail address"),
            ({"email": "a..b@example.com"}, "Column email is no e-mail address"),
            ({"email": "a" * 250 + "@example.com"}, "Column email is 262 characters long"),
            ({"email": "x@e.com\r\nBcc: y@e.com"}, "only one line"),
        ],
    )
    def test_each_fault_names_its_column_and_what_to_do(self, changes, says):
        found = judged(**changes)

        assert isinstance(found, BadRow) and found.line == 7 and says in found.reason and found.reason.endswith(".")

    @pytest.mark.parametrize("value", ["=cmd|' /C calc'!A0", "+1", "@SUM(1)", "<script>x</script>", "{{7*7}}", "%s%n"])
    def test_a18_c11_text_is_kept_as_typed(self, value):
        assert judged(name=value, product=value[:40]).name == value

    @given(st.dictionaries(st.sampled_from(sorted(row())), st.text(max_size=90), max_size=13))
    def test_whatever_is_typed_gives_a_statement_or_a_reason_that_does_not_repeat_it(self, changes):
        found = read_row(Row(7, {**row("1"), **changes}), today=TODAY)

        assert isinstance(found, StatedCustomer | BadRow)
        if isinstance(found, BadRow):
            assert len(found.reason) <= 300
            assert not [value for value in changes.values() if len(value) > 12 and value in found.reason]


class TestTree:
    def resolved(self, parents, known=("root",), most=3):
        return roster_tree.resolve(parents, is_known=lambda number: number in known, most_depth=most)

    def test_r24_depth_counts_who_stands_between(self):
        assert self.resolved({"a": "root", "b": "a", "c": "b"}) == ({"a": 1, "b": 2, "c": 3}, {})

    def test_deeper_than_allowed(self):
        depths, faults = self.resolved({"a": "root", "b": "a", "c": "b"}, most=1)

        assert depths == {"a": 1} and faults == dict.fromkeys("bc", roster_tree.too_deep(1))

    def test_a_circle_and_who_hangs_on_it(self):
        depths, faults = self.resolved({"x": "a", "a": "b", "b": "a"})

        assert depths == {}
        assert faults == {"a": roster_tree.CYCLE, "b": roster_tree.CYCLE, "x": roster_tree.NOT_USABLE}

    def test_an_unknown_parent_and_who_hangs_on_it(self):
        assert self.resolved({"b": "a", "a": "nobody"}) == (
            {}, {"a": roster_tree.UNKNOWN, "b": roster_tree.NOT_USABLE},
        )  # fmt: skip

    @given(st.dictionaries(st.integers(1, 12), st.integers(0, 14), max_size=12))
    def test_everybody_has_a_depth_below_a_known_one_or_a_fault(self, numbers):
        parents = {str(child): str(parent) for child, parent in numbers.items()}

        depths, faults = roster_tree.resolve(parents, is_known=lambda number: number == "0", most_depth=4)

        assert set(depths) | set(faults) == set(parents) and not set(depths) & set(faults)
        for number, depth in depths.items():
            assert depth == depths.get(parents[number], 0) + 1 <= 4
