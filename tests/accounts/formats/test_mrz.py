"""Machine-readable zones: the worked examples T1-T7 and the bad inputs E9, E10."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.mrz import UnreadableMrz, check_digit, read_mrz

TODAY = date(2026, 3, 2)
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
MRV_A = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<")
MRV_B = ("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<")


def read(*lines: str, today: date = TODAY):
    return read_mrz("\n".join(lines), today=today)


def changed(line: str, place: int, character: str) -> str:
    assert line[place] != character
    return line[:place] + character + line[place + 1 :]


class TestReadMrz:
    def test_t1_passport_with_five_good_check_digits(self):
        reading = read(*TD3)

        assert reading.format == "TD3"
        assert (reading.document_code, reading.issuer, reading.nationality) == ("P", "UTO", "UTO")
        assert (reading.surname, reading.given_names) == ("ERIKSSON", "ANNA MARIA")
        assert (reading.number, reading.optional, reading.sex) == ("L898902C3", "ZE184226B", "F")
        assert (reading.birth_date, reading.expires_on) == (date(1974, 8, 12), date(2012, 4, 15))
        assert [(check.field, check.found) for check in reading.checks] == [
            ("number", "6"),
            ("birth_date", "2"),
            ("expires_on", "9"),
            ("optional", "1"),
            ("composite", "0"),
        ]
        assert reading.all_ok
        assert reading.failed == ()
        assert reading.proves_identity

    def test_t2_card_of_three_lines(self):
        reading = read(*TD1)

        assert (reading.format, reading.number, reading.birth_date) == ("TD1", "D23145890", date(1974, 8, 12))
        assert [check.found for check in reading.checks] == ["7", "2", "9", "6"]
        assert reading.all_ok

    def test_t3_card_of_two_lines(self):
        reading = read(*TD2)

        assert (reading.format, reading.number, reading.surname) == ("TD2", "D23145890", "ERIKSSON")
        assert [check.found for check in reading.checks] == ["7", "2", "9", "6"]
        assert reading.all_ok

    @pytest.mark.parametrize(("lines", "name"), [(MRV_A, "MRV-A"), (MRV_B, "MRV-B")])
    def test_t4_visa_reads_well_but_proves_no_identity(self, lines, name):
        reading = read(*lines)

        assert reading.format == name
        assert (reading.birth_date, reading.expires_on) == (date(1940, 9, 7), date(1996, 12, 10))
        assert reading.all_ok
        assert not reading.proves_identity

    @pytest.mark.parametrize("empty", ["0", "<"])
    def test_t5_empty_optional_data_may_be_checked_by_zero_or_filler(self, empty):
        reading = read(
            "P<CANMARTIN<<SARAH<<<<<<<<<<<<<<<<<<<<<<<<<<", f"ZE000509<9CAN8501019F2301147<<<<<<<<<<<<<<{empty}8"
        )

        assert (reading.number, reading.optional) == ("ZE000509", "")
        assert reading.all_ok

    def test_t6_filler_inside_the_number_field(self):
        reading = read("P<UTOX<<Y<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "A2222222<0UTO7108215F04120411000146819<<<<44")

        assert (reading.number, reading.optional, reading.expires_on) == ("A2222222", "1000146819", date(2004, 12, 4))
        assert reading.all_ok

    def test_t7_one_changed_digit_fails_birth_date_and_composite(self):
        reading = read(TD3[0], changed(TD3[1], 19, "3"))

        assert reading.failed == ("birth_date", "composite")
        assert not reading.all_ok
        assert reading.birth_date == date(1974, 8, 12)

    @pytest.mark.parametrize(
        ("place", "failed"),
        [
            (9, ("number", "composite")),
            (19, ("birth_date", "composite")),
            (27, ("expires_on", "composite")),
            (42, ("optional", "composite")),
            (43, ("composite",)),
        ],
    )
    def test_e9_each_wrong_check_digit_is_named(self, place, failed):
        wrong = str((int(TD3[1][place]) + 1) % 10)

        reading = read(TD3[0], changed(TD3[1], place, wrong))

        assert reading.failed == failed

    @pytest.mark.parametrize(
        ("place", "letter", "field"),
        [(24, "O", "expires_on"), (43, "O", "composite"), (14, "A", "birth_date"), (21, "I", "expires_on")],
    )
    def test_e9_letter_in_place_of_a_digit_is_named_and_not_repaired(self, place, letter, field):
        reading = read(TD3[0], changed(TD3[1], place, letter))

        assert field in reading.failed

    def test_letters_in_a_date_fail_even_when_the_sum_agrees(self):
        # K is worth 20, so its product ends in the same digit as that of 0.
        line = TD1[1].replace("7408122", "74K8122", 1)

        assert check_digit("74K812") == check_digit("740812")
        assert "birth_date" in read(TD1[0], line, TD1[2]).failed

    def test_e9_lower_case_is_read_as_upper_case(self):
        assert read(*(line.lower() for line in TD3)) == read(*TD3)

    @pytest.mark.parametrize(
        ("lines", "says"),
        [
            ((TD3[0], TD3[1][:-1]), "Line 2 has 43 characters, expected 44"),
            ((TD3[0] + "<", TD3[1]), "Line 1 has 45 characters, expected 44"),
            ((TD2[0], TD2[1] + "0"), "Line 2 has 37 characters, expected 36"),
            ((TD1[0], TD1[1], TD1[2][:-1]), "Line 3 has 29 characters, expected 30"),
            ((MRV_A[0], MRV_A[1] + "<"), "Line 2 has 45 characters, expected 44"),
            ((TD3[0],), "here are 1"),
            ((*TD1, TD1[2]), "here are 4"),
            (("",), "here are 0"),
            ((TD3[0].replace("ANNA", "ANN\u00c4"), TD3[1]), r"Line 1 holds U\+00C4 at position 19"),
            ((TD3[0], changed(TD3[1], 10, "\u0131")), r"Line 2 holds U\+0131 at position 11"),
            ((TD3[0], changed(TD3[1], 13, "\u0667")), r"Line 2 holds U\+0667 at position 14"),
            ((TD3[0].replace("<<ANNA", " <ANNA"), TD3[1]), r"Line 1 holds U\+0020"),
        ],
    )
    def test_e9_wrong_shape_is_refused_with_its_line(self, lines, says):
        with pytest.raises(UnreadableMrz, match=says):
            read(*lines)

    @pytest.mark.parametrize("lines", [TD1, TD2, TD3, MRV_A, MRV_B])
    def test_lines_may_arrive_as_one_run_or_with_blank_lines_between(self, lines):
        assert read_mrz("".join(lines), today=TODAY) == read(*lines)
        assert read_mrz("\r\n\r\n  ".join(lines) + "\n", today=TODAY) == read(*lines)

    def test_long_number_of_a_card_goes_on_in_the_optional_data(self):
        first = "I<UTOD23145890<7349<<<<<<<<<<<"
        second = "7408122F1204159UTO<<<<<<<<<<<"
        composite = check_digit(first[5:30] + second[0:7] + second[8:15] + second[18:29])

        reading = read(first, second + composite, TD1[2])

        assert (reading.number, reading.optional) == ("D23145890734", "")
        assert reading.all_ok

    def test_long_number_with_a_wrong_digit_fails(self):
        first = "I<UTOD23145890<7348<<<<<<<<<<<"

        assert "number" in read(first, TD1[1], TD1[2]).failed

    def test_e10_german_issuer_of_one_letter_and_names_in_parts(self):
        reading = read("P<D<<VON<DER<HEIDE<<LENA<<<<<<<<<<<<<<<<<<<<", TD3[1])

        assert (reading.issuer, reading.surname, reading.given_names) == ("D", "VON DER HEIDE", "LENA")

    def test_holder_with_one_name_only(self):
        reading = read("P<UTOARKFREITH<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", TD3[1])

        assert (reading.surname, reading.given_names) == ("ARKFREITH", "")

    @pytest.mark.parametrize(
        ("birth", "today", "day"),
        [
            ("260302", date(2026, 3, 2), date(2026, 3, 2)),
            ("260303", date(2026, 3, 2), date(1926, 3, 3)),
            ("000229", date(2026, 3, 2), date(2000, 2, 29)),
            ("010229", date(2026, 3, 2), None),
            ("741301", date(2026, 3, 2), None),
            ("7408<<", date(2026, 3, 2), None),
            ("<<<<<<", date(2026, 3, 2), None),
        ],
    )
    def test_births_lie_in_the_past(self, birth, today, day):
        line = TD3[1][:13] + birth + check_digit(birth) + TD3[1][20:]

        reading = read(TD3[0], line, today=today)

        assert reading.birth_date == day
        assert "birth_date" not in reading.failed
        assert bool(reading.faults) == (day is None and "<" not in birth)

    @pytest.mark.parametrize(
        ("expiry", "day"),
        [
            ("561231", date(2056, 12, 31)),
            ("570101", date(1957, 1, 1)),
            ("991231", date(1999, 12, 31)),
            ("280229", date(2028, 2, 29)),
        ],
    )
    def test_expiry_lies_at_most_thirty_years_ahead(self, expiry, day):
        line = TD3[1][:21] + expiry + check_digit(expiry) + TD3[1][28:]

        assert read(TD3[0], line).expires_on == day

    def test_at_the_end_of_a_century_the_expiry_is_in_the_next(self):
        line = TD3[1][:21] + "050101" + check_digit("050101") + TD3[1][28:]

        assert read(TD3[0], line, today=date(1999, 6, 1)).expires_on == date(2005, 1, 1)

    @pytest.mark.parametrize(
        ("lines", "says"),
        [
            ((TD3[0].replace("ANNA", "ANN4"), TD3[1]), "digit stands among the names"),
            ((TD3[0].replace("UTO", "UT0"), TD3[1]), "digit stands in a country's code"),
            ((TD3[0], TD3[1].replace("UTO", "UT0")), "digit stands in a country's code"),
            ((TD3[0], changed(TD3[1], 20, "Q")), "sex"),
            ((TD3[0], "<<<<<<<<<0" + TD3[1][10:]), "number is empty"),
        ],
    )
    def test_what_no_check_digit_guards_is_a_fault(self, lines, says):
        reading = read(*lines)

        assert any(says in fault for fault in reading.faults)
        assert not reading.all_ok


MRZ_TEXT = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<", min_size=44, max_size=44)


class TestProperties:
    @given(first=MRZ_TEXT, second=MRZ_TEXT)
    def test_any_two_lines_of_the_right_shape_are_read(self, first, second):
        reading = read(first, second)

        assert reading.all_ok == (not reading.failed and not reading.faults)

    @given(text=st.text(max_size=200))
    def test_any_text_is_read_or_refused(self, text):
        try:
            read_mrz(text, today=TODAY)
        except UnreadableMrz as refusal:
            assert str(refusal).endswith(".")

    @given(place=st.integers(0, 8), digit=st.sampled_from("0123456789"))
    def test_any_changed_digit_of_the_number_is_noticed(self, place, digit):
        if TD3[1][place] == digit or not TD3[1][place].isdigit():
            return

        assert "number" in read(TD3[0], changed(TD3[1], place, digit)).failed
