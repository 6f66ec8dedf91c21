"""Names of uploaded files: rows B17-B20 of the bad-input catalogue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.formats.file_names import extension_of, make_safe_name


class TestMakeSafeName:
    @pytest.mark.parametrize(
        ("name", "safe"),
        [
            ("passport.png", "passport.png"),
            ("Zoe\u0301.png", "Zo\u00e9.png"),
            ("../../etc/x.png", "x.png"),
            ("C:\\Users\\anna\\x.png", "x.png"),
            ("/etc/passwd", "passwd.pdf"),
            ("a\u202egnp.exe", "a[U+202E]gnp.exe"),
            ("a\x00b\r\nc.png", "a[U+0000]b[U+000D][U+000A]c.png"),
            ("a\ud800.png", "a[U+D800].png"),
            ("", "document.pdf"),
            (".", "document.pdf"),
            ("......", "document.pdf"),
            ("...png", "png.pdf"),
            ("   ", "document.pdf"),
            ("CON", "_CON.pdf"),
            ("con.png", "_con.png"),
            ("nul.tar.png", "_nul.tar.png"),
            ("LPT1", "_LPT1.pdf"),
            ("console.png", "console.png"),
            ("a.pdf.exe", "a.pdf.exe"),
            ('a";filename="b.exe', "a__filename=_b.exe"),
            ("a%0d%0ab.png", "a_0d_0ab.png"),
            ("\U0001f600.png", "\U0001f600.png"),
            ("no ending.with spaces", "no ending.with spaces.pdf"),
        ],
    )
    def test_b17_b19_b20(self, name, safe):
        assert make_safe_name(name, default_extension="pdf") == safe

    def test_b20_three_hundred_characters(self):
        safe = make_safe_name("x" * 300 + ".png", default_extension="pdf")

        assert len(safe) == 100
        assert safe.endswith("x.png")

    @given(st.text(max_size=150))
    def test_any_name_becomes_safe(self, name):
        safe = make_safe_name(name, default_extension="pdf")

        assert 0 < len(safe) <= 100
        assert safe.isprintable()
        assert not set(safe) & set('/\\<>:"|?*%;')
        assert safe.strip(". ") == safe
        assert make_safe_name(safe, default_extension="pdf") == safe


class TestExtensionOf:
    @pytest.mark.parametrize(
        ("name", "extension"),
        [
            ("a.PDF", "pdf"),
            ("a.pdf.exe", "exe"),
            ("a", ""),
            (".png", ""),
            ("x/a.b/c", ""),
            ("a.png. ", "png"),
            ("", ""),
        ],
    )
    def test_the_last_ending_counts(self, name, extension):
        assert extension_of(name) == extension
