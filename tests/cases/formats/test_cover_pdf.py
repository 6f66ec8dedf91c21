"""The cover as PDF: read back by pdfium, its fonts embedded, and plain about what it cannot show (R114)."""

import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from cases.formats import cover_pdf
from cases.formats.cover_pdf import OWN_FONT, Section, write_pdf

DIGEST = "0123456789abcdef" * 4


def text_of(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def flat(text: str) -> str:
    return re.sub(r"\s", "", text)


def made(*rows, fonts=(), sentences=()) -> bytes:
    return write_pdf("Evidence bundle BDL-1", "Example Cloud", [Section("Customers", sentences, (), rows)], fonts=fonts)


class TestWritePdf:
    def test_it_says_what_it_is_given_with_its_fonts_embedded(self, tmp_path):
        data = made(["Name", "Zoë Müller"], ["SHA-256", DIGEST])

        assert "Zoë Müller" in text_of(data) and DIGEST in flat(text_of(data))
        (tmp_path / "cover.pdf").write_bytes(data)
        with pikepdf.open(tmp_path / "cover.pdf") as document:
            fonts = [font for page in document.pages for font in page.Resources.Font.values()]
            drawn = [font for font in fonts if "/FontDescriptor" in font]
            assert drawn and all("/FontFile2" in font.FontDescriptor for font in drawn)
            assert document.docinfo["/Title"] == "Evidence bundle BDL-1"

    @pytest.mark.parametrize(
        ("name", "latin"),
        [("王小明", "WangXiaoMing"), ("Иван Петров", "IvanPetrov"), ("محمد علي", "mhmd"), ("שרה", "<srh>")],
    )
    def test_what_its_fonts_lack_is_said_plainly_never_left_blank(self, name, latin):
        told = flat(text_of(made(["Name", name])))

        assert "WhatthisPDFcannotshow" in told
        assert latin.casefold() in told.casefold()
        assert f"U+{ord(name[0]):04X}" in told

    def test_scripts_that_join_are_never_drawn_letter_by_letter_even_where_a_font_has_them(self):
        every = list(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))

        told = flat(text_of(made(["Name", "محمد"], fonts=every)))

        assert "WhatthisPDFcannotshow" in told

    def test_a_font_of_the_operator_shows_more(self):
        every = list(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))
        if not every:
            pytest.skip("DejaVu Sans is not installed")

        told = text_of(made(["Name", "Иван Петров"], fonts=every))

        assert "Иван Петров" in told and "cannot show" not in told

    @pytest.mark.parametrize("broken", ["nowhere.ttf", "note.ttf"])
    def test_a_font_that_is_none_is_passed_over(self, tmp_path, broken):
        (tmp_path / "note.ttf").write_text("no font")

        assert "Zoë" in text_of(made(["Name", "Zoë"], fonts=[tmp_path / broken]))

    @pytest.mark.parametrize(
        "text", ['<img src="file:///etc/passwd"/>', "</para><b>x", "&amp;", "<a href='http://x'>y</a>", "%s{0}"]
    )
    def test_markup_in_a_name_is_text(self, text):
        assert flat(text) in flat(text_of(made(["Name", text])))

    def test_it_is_the_same_each_time(self):
        assert made(["a", "b"]) == made(["a", "b"])

    def test_a_long_table_says_what_it_leaves_out(self, monkeypatch):
        monkeypatch.setattr(cover_pdf, "MOST_ROWS", 20)

        told = text_of(made(*([str(number), "x"] for number in range(23))))

        assert "3 more rows stand in the tables of the bundle." in told

    def test_an_empty_value_is_a_dash(self):
        assert "–" in text_of(made(["Name", " "]))


def test_the_library_brings_a_font_of_its_own():
    assert OWN_FONT.is_file()
