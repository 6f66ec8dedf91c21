"""Zones read off pictures: for real where the program is installed, and what is said when it is not or fails."""

import time

import pytest

from accounts.formats.mrz import read_mrz
from accounts.formats.zone_ocr import NotInstalled, NotReadable, read_zone, version
from tests.accounts.formats.printed_zones import answering, page_with, with_tesseract
from tests.accounts.formats.test_mrz import MRV_A, MRV_B, TD1, TD2, TD3, TODAY
from tests.builders import png_bytes


def require_right_or_told(found, lines):
    """Programs differ in what they misread; what a check digit guards must be right, or its check digit says so."""
    right = read_mrz("\n".join(lines), today=TODAY)
    assert (found.reading.format, found.reading.surname) == (right.format, right.surname)
    for field in ("number", "birth_date", "expires_on"):
        assert getattr(found.reading, field) == getattr(right, field) or field in found.reading.failed


@with_tesseract
class TestForReal:
    @pytest.mark.parametrize("lines", [TD1, TD2, TD3, MRV_A, MRV_B], ids=["TD1", "TD2", "TD3", "MRV-A", "MRV-B"])
    def test_e9_it_is_read_off_the_foot_of_a_page(self, lines):
        require_right_or_told(read_zone(page_with(lines), today=TODAY), lines)

    def test_e9_a_page_that_lies_on_its_head_is_turned(self):
        require_right_or_told(read_zone(page_with(TD3, turned=180), today=TODAY), TD3)

    def test_a_wrong_check_digit_is_read_as_printed_and_told(self):
        wrong = (TD3[0], TD3[1].replace("7408122", "7408123"))

        assert "birth_date" in read_zone(page_with(wrong), today=TODAY).reading.failed

    def test_a_picture_without_a_zone_has_none(self):
        assert read_zone(png_bytes("No zone here"), today=TODAY) is None

    def test_the_source_is_named(self):
        assert version().startswith("tesseract ")


class TestWhatTheProgramSays:
    def test_e9_look_alikes_and_misread_fillers_are_put_right_and_told(self, tmp_path, monkeypatch):
        read = ("PASSPORT", "P<UT0ERIKSSON<<ANNA<MARIA<<<<<c<ccKK", TD3[1])
        answering(tmp_path, "\n".join(f"echo '{line}'" for line in read), monkeypatch)

        found = read_zone(png_bytes(), today=TODAY)

        assert found.text == "\n".join(TD3)
        assert [each.sentence for each in found.misreadings] == [
            "Line 1, position 5: a letter belongs there. Compare it with the picture."
        ]

    @pytest.mark.parametrize(
        "script",
        ["echo", "echo nothing like a zone", f"echo {'A' * 44}; echo {'B' * 44}", "printf '\\377\\376<<<<'"],
    )
    def test_anything_else_is_no_zone(self, script, tmp_path, monkeypatch):
        answering(tmp_path, script, monkeypatch)

        assert read_zone(png_bytes(), today=TODAY) is None

    def test_when_it_fails_one_sentence_says_what_to_do(self, tmp_path, monkeypatch):
        answering(tmp_path, "exit 3", monkeypatch)

        with pytest.raises(NotReadable, match=r"could not be read by the program. Type the zone"):
            read_zone(png_bytes(), today=TODAY)

    def test_when_it_hangs_it_is_stopped(self, tmp_path, monkeypatch):
        answering(tmp_path, "exec sleep 60", monkeypatch)
        begun = time.monotonic()

        with pytest.raises(NotReadable, match="took too long"):
            read_zone(png_bytes(), today=TODAY, seconds=0.5)

        assert time.monotonic() - begun < 50  # it was not waited for

    def test_when_it_is_not_installed_it_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))

        for call in (lambda: read_zone(png_bytes(), today=TODAY), version):
            with pytest.raises(NotInstalled, match=r"tesseract is not installed.*Type the zone as it is printed"):
                call()
