"""The cover and index of a bundle as a PDF with its fonts embedded (requirement R114).

Letters come from the first font that has them. What no font has, and scripts whose letters join or run from right to
left, are not drawn wrongly: such a text stands in Latin letters between angle brackets, and the PDF says so and where
the text stands as it is. Texts are escaped; nothing is fetched.
"""

import hashlib
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path

import reportlab
from anyascii import anyascii
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer

OWN_FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
LETTER_BY_LETTER = frozenset({
    "LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO",
    "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH", "ETHIOPIC", "CHEROKEE", "YI",
})  # fmt: skip
MOST_ROWS = 2000  # of one table; what is more stands in the bundle's own tables
MARGIN = 20 * mm - 6  # a frame of the library has six points of its own
LINE, QUIET = HexColor("#d0d7de"), HexColor("#57606a")


@dataclass(frozen=True)
class Section:
    """A heading with sentences, and a table with its head, or pairs of a label and a value where there is no head."""

    title: str
    sentences: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    widths: Sequence[int] = (45, 125)  # millimetres, 170 in all


@dataclass
class _Pen:
    """Turns text into reportlab's markup with a font for each letter; remembers what it could not draw."""

    fonts: Sequence[TTFont]
    undrawn: list[str] = field(default_factory=list)

    def markup(self, text: str) -> str:
        text = " ".join(text.split()) if text.strip() else "–"
        if not all(self._font_of(letter) for letter in text):
            self.undrawn.append(text)
            latin = "".join(letter for letter in anyascii(text) if letter.isprintable())
            text = f"<{latin or 'no Latin letters'}>"
        runs: list[tuple[TTFont, str]] = []
        for letter in text:
            font = self._font_of(letter) or self.fonts[0]
            if runs and runs[-1][0] is font:
                runs[-1] = (font, runs[-1][1] + letter)
            else:
                runs.append((font, letter))
        return "".join(f'<font name="{font.fontName}">{escape(text, quote=False)}</font>' for font, text in runs)

    def _font_of(self, letter: str) -> TTFont | None:
        if unicodedata.bidirectional(letter) in ("R", "AL", "AN") or not _stands_alone(letter):
            return None
        return next((font for font in self.fonts if ord(letter) in font.face.charToGlyph), None)


def _stands_alone(letter: str) -> bool:
    if not unicodedata.category(letter).startswith(("L", "M")):
        return letter == " " or letter.isprintable()
    return unicodedata.name(letter, "?").split(" ")[0] in LETTER_BY_LETTER


@cache
def _font(path: Path) -> TTFont | None:
    """The font, registered under a name of its own; None for a file that is not there or of another kind."""
    try:
        font = TTFont(f"{path.stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}", str(path))
    except (TTFError, OSError):
        return None
    pdfmetrics.registerFont(font)
    return font


def write_pdf(title: str, author: str, sections: Iterable[Section], *, fonts: Sequence[Path] = ()) -> bytes:
    """The PDF of these sections; equal input and fonts give equal bytes.

    `fonts` are TrueType files that are tried in their order, before the one that comes with the library.
    """
    pen = _Pen([font for path in (*fonts, OWN_FONT) if (font := _font(Path(path)))])
    base = pen.fonts[0].fontName
    styles = {
        "title": ParagraphStyle("title", fontName=base, fontSize=18, leading=22, spaceAfter=4 * mm),
        "head": ParagraphStyle(
            "head", fontName=base, fontSize=12, leading=15, spaceBefore=6 * mm, spaceAfter=2 * mm, keepWithNext=1
        ),
        "text": ParagraphStyle("text", fontName=base, fontSize=9, leading=12),
        "cell": ParagraphStyle("cell", fontName=base, fontSize=7.5, leading=9.5),
        "quiet": ParagraphStyle("quiet", fontName=base, fontSize=7.5, leading=9.5, textColor=QUIET),
    }
    flow: list = [Paragraph(pen.markup(title), styles["title"])]
    for section in sections:
        flow += _drawn(section, pen, styles)
    if pen.undrawn:
        flow += _drawn(_undrawn(pen), pen, styles)
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=18 * mm, bottomMargin=18 * mm,
        title=title, author=author, invariant=1, lang="en",
    )  # fmt: skip
    page.build(flow, onFirstPage=_numbered(title, base), onLaterPages=_numbered(title, base))
    return out.getvalue()


def _undrawn(pen: _Pen) -> Section:
    told = list(dict.fromkeys(pen.undrawn))
    return Section(
        "What this PDF cannot show",
        [f"{len(told)} of the texts above have letters that no font of this PDF has, or a script whose letters join or "
         "run from right to left. They stand above in Latin letters between angle brackets. As they were written they "
         "stand in index.html and in the tables. Their letters, by number in Unicode:"],
        ["In Latin letters", "Letters"],
        [[anyascii(text), " ".join(f"U+{ord(letter):04X}" for letter in text)[:400]] for text in told],
        (60, 110),
    )  # fmt: skip


def _drawn(section: Section, pen: _Pen, styles: dict) -> list:
    flow = [Paragraph(pen.markup(section.title), styles["head"])]
    flow += [Paragraph(pen.markup(sentence), styles["text"]) for sentence in section.sentences]
    rows = [[Paragraph(pen.markup(cell), styles["cell"]) for cell in row] for row in section.rows[:MOST_ROWS]]
    if not rows:
        return flow
    head = [[Paragraph(pen.markup(cell), styles["quiet"]) for cell in section.head]] if section.head else []
    rules = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]  # fmt: skip
    widths = [width * mm for width in section.widths]
    flow += [Spacer(1, 2 * mm), LongTable([*head, *rows], widths, repeatRows=len(head), style=rules)]
    if len(section.rows) > MOST_ROWS:
        left = f"{len(section.rows) - MOST_ROWS} more rows stand in the tables of the bundle."
        flow.append(Paragraph(pen.markup(left), styles["text"]))
    return flow


def _numbered(title: str, font: str):
    def draw(canvas, page):
        canvas.setFont(font, 7)
        canvas.setFillColor(QUIET)
        canvas.drawRightString(A4[0] - 20 * mm, 10 * mm, f"{canvas.getPageNumber()}")

    return draw
