"""All five layouts: what is written is read again, and every changed digit is found or stated as unguarded (E9)."""

from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accounts.formats.mrz import UnreadableMrz, read_mrz
from accounts.formats.mrz_misreadings import AS_DIGIT, AS_LETTER, likely, propose, zone_in
from tests.accounts.formats.zones import LAYOUTS, TODAY, zones

FEW = settings(max_examples=30, deadline=None)  # of each layout
LOOK_ALIKES = {"O": "0", "0": "O", "I": "1", "1": "I", "B": "8", "8": "B", "S": "5", "5": "S"}
# Where the fields stand that a check digit guards: (line, first, after last), counted from 0, by 9303 parts 4 to 7.
GUARDED = {
    "TD1": [(0, 5, 15), (0, 15, 30), (1, 0, 7), (1, 8, 15), (1, 18, 30)],
    "TD2": [(1, 0, 10), (1, 13, 20), (1, 21, 36)],
    "TD3": [(1, 0, 10), (1, 13, 20), (1, 21, 44)],
    "MRV-A": [(1, 0, 10), (1, 13, 20), (1, 21, 28)],
    "MRV-B": [(1, 0, 10), (1, 13, 20), (1, 21, 28)],
}


def changed(lines, line, place, character):
    new = list(lines)
    new[line] = new[line][:place] + character + new[line][place + 1 :]
    return "\n".join(new)


@pytest.mark.parametrize("layout", LAYOUTS)
class TestRoundTrip:
    @FEW
    @given(data=st.data())
    def test_e9_what_is_written_is_read_again(self, layout, data):
        zone = data.draw(zones((layout,)))

        reading = read_mrz("\n".join(zone.lines()), today=TODAY)

        assert (reading.format, reading.document_code) == (layout, zone.code)
        assert (reading.issuer, reading.nationality) == (zone.issuer, zone.nationality)
        assert (reading.surname, reading.given_names, reading.number) == (zone.surname, zone.given_names, zone.number)
        assert (reading.sex, reading.optional) == (zone.sex.replace("<", "X"), zone.optional)
        assert (reading.birth_date.strftime("%y%m%d"), reading.expires_on.strftime("%y%m%d")) == (
            zone.birth.strftime("%y%m%d"), zone.expiry.strftime("%y%m%d"),
        )  # fmt: skip
        assert reading.all_ok and reading.proves_identity is not layout.startswith("MRV")

    @FEW
    @given(data=st.data())
    def test_e9_lower_case_and_one_run_read_the_same(self, layout, data):
        lines = data.draw(zones((layout,))).lines()

        plain = read_mrz("\n".join(lines), today=TODAY)

        assert read_mrz("\n".join(lines).lower(), today=TODAY) == plain
        assert read_mrz("".join(lines), today=TODAY) == plain

    @FEW
    @given(data=st.data())
    def test_e9_every_changed_digit_that_is_guarded_is_found(self, layout, data):
        lines = data.draw(zones((layout,))).lines()
        line, first, end = data.draw(st.sampled_from(GUARDED[layout]))
        place, new = data.draw(st.integers(first, end - 1)), data.draw(st.sampled_from("0123456789"))
        assume(lines[line][place].isdigit() and lines[line][place] != new)

        assert read_mrz(changed(lines, line, place, new), today=TODAY).failed

    @FEW
    @given(data=st.data())
    def test_e9_what_no_check_digit_guards_is_read_as_it_stands(self, layout, data):
        lines = data.draw(zones((layout,))).lines()
        guarded = {(line, place) for line, first, end in GUARDED[layout] for place in range(first, end)}
        free = sorted({(line, place) for line, text in enumerate(lines) for place in range(len(text))} - guarded)
        line, place = data.draw(st.sampled_from(free))
        assume((line, place) != (0, 0))  # it says which layout it is

        reading = read_mrz(changed(lines, line, place, "Q"), today=TODAY)

        assert not reading.failed  # and the check of zones tells staff which fields these are

    @FEW
    @given(data=st.data(), cut=st.integers(1, 3))
    def test_e9_a_wrong_length_is_told_with_its_line(self, layout, data, cut):
        lines = list(data.draw(zones((layout,))).lines())
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place] = lines[place][:-cut]

        with pytest.raises(UnreadableMrz, match=rf"Line {place + 1} has {len(lines[place])} characters, expected"):
            read_mrz("\n".join(lines), today=TODAY)


@pytest.mark.parametrize("layout", LAYOUTS)
class TestLookAlikes:
    @FEW
    @given(data=st.data())
    def test_e9_a_letter_in_a_date_is_found_named_by_its_place_and_put_right(self, layout, data):
        lines = data.draw(zones((layout,))).lines()
        line, first = (1, 0) if layout == "TD1" else (1, 13)
        place = data.draw(st.integers(first, first + 5))
        assume(lines[line][place] in "0185")
        text = changed(lines, line, place, LOOK_ALIKES[lines[line][place]])

        assert "birth_date" in read_mrz(text, today=TODAY).failed
        proposed, (found,) = propose(text, today=TODAY)
        assert proposed == "\n".join(lines)
        assert found.sentence == (
            f"Line {line + 1}, position {place + 1}: a digit belongs there. Compare it with the picture."
        )

    @FEW
    @given(data=st.data())
    def test_e9_a_digit_among_the_names_is_put_right(self, layout, data):
        lines = data.draw(zones((layout,))).lines()
        line, first = (2, 0) if layout == "TD1" else (0, 5)
        places = [place for place in range(first, len(lines[line])) if lines[line][place] in "OIBS"]
        assume(places)
        place = data.draw(st.sampled_from(places))

        proposed, (found,) = propose(
            changed(lines, line, place, LOOK_ALIKES[lines[line][place]]), today=TODAY
        )  # fmt: skip

        assert (proposed, found.belongs) == ("\n".join(lines), "a letter belongs there")

    @FEW
    @given(data=st.data())
    def test_e9_in_the_number_a_look_alike_is_found_or_left_for_a_person(self, layout, data):
        lines = data.draw(zones((layout,))).lines()
        line, first = (0, 5) if layout == "TD1" else (1, 0)
        places = [place for place in range(first, first + 9) if lines[line][place] in LOOK_ALIKES]
        assume(places)
        place = data.draw(st.sampled_from(places))
        text = changed(lines, line, place, LOOK_ALIKES[lines[line][place]])
        assume("number" in read_mrz(text, today=TODAY).failed)

        proposed, found = propose(text, today=TODAY)

        if found:  # whatever was proposed, its check digits fit, and each place is named
            assert "number" not in read_mrz(proposed, today=TODAY).failed
        else:
            assert proposed == text

    @FEW
    @given(data=st.data())
    def test_a_good_zone_is_left_as_it_is(self, layout, data):
        text = "\n".join(data.draw(zones((layout,))).lines())

        assert propose(text, today=TODAY) == (text, ())

    @FEW
    @given(data=st.data())
    def test_it_is_found_in_a_page_of_text(self, layout, data):
        lines = data.draw(zones((layout,))).lines()
        page = "\n".join(["REPUBLIC OF UTOPIA", "Surname", *lines, ""])

        assert "\n".join(lines) in list(zone_in(page))


@settings(max_examples=200)
@given(st.text(alphabet="ABCOISB0158<KLC\n («", max_size=200))
def test_no_text_stops_any_of_it(text):
    likely(text, today=TODAY)
    for lines in zone_in(text):
        assert len(lines.split("\n")) in (2, 3)
        likely(lines, today=date(1999, 1, 1))


def test_the_tables_of_look_alikes_name_those_of_the_regulation():
    assert LOOK_ALIKES.items() <= {**AS_DIGIT, **AS_LETTER}.items()
