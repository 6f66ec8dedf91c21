"""Pages with a zone at the foot, drawn as a scanner makes them; and a program that answers in tesseract's place."""

import io
import shutil
import stat
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf",
)
FONT = next((path for path in FONTS if Path(path).exists()), "")
with_tesseract = pytest.mark.skipif(
    not shutil.which("tesseract") or not FONT, reason="tesseract or a font of even width is not installed here"
)


def page_with(lines, *, turned: int = 0) -> bytes:
    """A page as PNG with words above and the lines at its foot."""
    page = Image.new("L", (1200, 800), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(FONT, 34)
    draw.text((60, 60), "REPUBLIC OF UTOPIA  PASSPORT", font=font, fill=0)
    for number, line in enumerate(lines):
        draw.text((60, 600 + number * 55), line, font=font, fill=0)
    out = io.BytesIO()
    page.rotate(turned, expand=True).save(out, format="PNG")
    return out.getvalue()


def pdf_of(*pages: bytes) -> bytes:
    """The pages as one PDF."""
    first, *further = (Image.open(io.BytesIO(page)).convert("RGB") for page in pages)
    out = io.BytesIO()
    first.save(out, format="PDF", save_all=True, append_images=further)
    assert len(pypdfium2.PdfDocument(out.getvalue())) == len(pages)
    return out.getvalue()


def answering(folder: Path, script: str, monkeypatch) -> None:
    """Put a program of that name first on the path; it stands in for the one outside."""
    path = folder / "tesseract"
    version = "if [ \"$1\" = --version ]; then echo 'tesseract 9.9'; exit 0; fi"
    path.write_text("\n".join(("#!/bin/sh", version, "cat > /dev/null", script, "")))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
