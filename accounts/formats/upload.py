"""Documents that people upload: what is taken, what is refused, and copies that are safe to look at.

PDF, PNG and JPEG only. The name's ending, the first bytes and a full reading must agree (trust.md section 3 B).
Originals are never opened inline; `viewing_copies` makes plain pictures of them.
"""

import hashlib
import io
import struct
import threading
from dataclasses import dataclass
from typing import BinaryIO

import pikepdf
import puremagic
import pypdfium2
from PIL import Image, ImageOps

from accounts.formats.document_parts import (
    DamagedDocument,
    PictureParts,
    TooManyPixels,
    find_active_content,
    read_jpeg_parts,
    read_png_parts,
    require_whole_png,
)
from accounts.formats.file_names import extension_of, make_safe_name
from accounts.formats.text import shown
from kyc_portal.refusal import Refusal

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
EXTENSIONS = {"pdf": PDF, "png": PNG, "jpg": JPEG, "jpeg": JPEG}
SIGNATURES = ((b"%PDF-", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))
ALLOWED = "Allowed are PDF, PNG and JPEG."
MOST_PIXELS = 50_000_000
MOST_PAGES_SHOWN = 10
LARGEST_SIDE_SHOWN = 2_000
MOST_BYTES_AFTER_END = 1_024
CHUNK = 1 << 16

# What the parsers raise on damaged or hostile files; all of it means "not readable", none of it is a bug of ours.
_PARSER_ERRORS = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, SyntaxError, EOFError, OverflowError,
    MemoryError, RecursionError, RuntimeError, struct.error, Image.DecompressionBombError, Warning,
    pikepdf.PdfError, DamagedDocument,
)  # fmt: skip
_PDFIUM = threading.Lock()  # PDFium may be used by one thread at a time


class UploadRefused(Refusal):
    """The file is not a document that the portal takes."""


@dataclass(frozen=True)
class Upload:
    """What was found out about an uploaded document; `warnings` are sentences for the reviewer."""

    sha256: str
    size: int
    media_type: str
    safe_name: str
    warnings: tuple[str, ...] = ()


def inspect_upload(stream: BinaryIO, name: str, max_bytes: int) -> Upload:
    """Read a document of at most `max_bytes`, check it in full and describe it, or raise UploadRefused.

    Reading stops as soon as the limit is passed (B2). A stream that can be rewound is left where it started.
    """
    start = stream.tell() if stream.seekable() else None
    data = _read_limited(stream, max_bytes)
    if start is not None:
        stream.seek(start)
    media_type = _recognise(data)
    extension = extension_of(name)
    if extension and EXTENSIONS.get(extension) != media_type:
        raise UploadRefused(
            f"The name ends in .{shown(extension)}, but the content is {_spoken(media_type)}. Give the file its true "
            f"ending or upload the right one. {ALLOWED}"
        )
    found = _check_pdf(data) if media_type == PDF else _check_picture(data, media_type)
    return Upload(
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type=media_type,
        safe_name=make_safe_name(name, default_extension=_extension(media_type)),
        warnings=tuple(found),
    )


def viewing_copies(data: bytes, media_type: str) -> list[bytes]:
    """Return the document as PNG pictures without metadata, at most 10 pages and 2000 pixels a side (B7, B14)."""
    if media_type not in (PDF, PNG, JPEG):
        raise UploadRefused(f"There is no picture of this type of document. {ALLOWED}")
    if media_type != PDF:
        _require_few_pixels(_parts(data, media_type))
    try:
        return _draw_pages(data) if media_type == PDF else [_copy_picture(data, media_type)]
    except _PARSER_ERRORS as error:
        raise UploadRefused("This document cannot be drawn. Ask for it in another format.") from error


def _read_limited(stream: BinaryIO, max_bytes: int) -> bytes:
    parts, size = [], 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise UploadRefused(f"The file is larger than {max_bytes:,} bytes. Upload a smaller scan.")
        parts.append(chunk)
    if not size:
        raise UploadRefused("The file is empty. Choose it again.")
    return b"".join(parts)


def _recognise(data: bytes) -> str:
    for signature, media_type in SIGNATURES:
        if data.startswith(signature):
            return media_type
    if b"%PDF-" in data[:1024]:
        raise UploadRefused("Something stands before the PDF begins. Save the document as a PDF again.")
    seen = _guess(data)
    described = f"looks like {seen}" if seen else "is of an unknown type"
    raise UploadRefused(f"The file {described}. {ALLOWED}")


def _guess(data: bytes) -> str:
    """Name a type that is refused anyway, for the message only."""
    try:
        return shown(puremagic.from_string(data[:CHUNK], mime=True))
    except (puremagic.PureError, ValueError, IndexError, struct.error):
        return ""


def _spoken(media_type: str) -> str:
    return {PDF: "a PDF", PNG: "a PNG picture", JPEG: "a JPEG picture"}[media_type]


def _extension(media_type: str) -> str:
    return {PDF: "pdf", PNG: "png", JPEG: "jpg"}[media_type]


def _parts(data: bytes, media_type: str) -> PictureParts:
    try:
        return read_png_parts(data) if media_type == PNG else read_jpeg_parts(data)
    except DamagedDocument as error:
        raise UploadRefused(f"The picture is damaged: {error}. Save or scan it again.") from error


def _require_few_pixels(parts: PictureParts) -> None:
    if parts.width * parts.height > MOST_PIXELS:
        raise UploadRefused(
            f"The picture has {parts.width:,} x {parts.height:,} pixels; at most {MOST_PIXELS:,} are taken. Scan it "
            "with a lower resolution."
        )


def _check_picture(data: bytes, media_type: str) -> list[str]:
    parts = _parts(data, media_type)
    _require_few_pixels(parts)
    if parts.animated:
        raise UploadRefused("The picture is animated. Upload a still picture.")
    if parts.end < len(data):
        raise UploadRefused(
            f"{len(data) - parts.end:,} bytes follow after the end of the picture. Open it, save it as a new picture "
            "and upload that."
        )
    try:
        if media_type == PNG:
            require_whole_png(data, parts)
        with Image.open(io.BytesIO(data), formats=[_pillow_format(media_type)]) as picture:
            picture.verify()
        if media_type == JPEG:
            _decode_small(data)
    except _PARSER_ERRORS as error:
        raise UploadRefused("The picture is damaged. Save or scan it again.") from error
    return []


def _pillow_format(media_type: str) -> str:
    return "PNG" if media_type == PNG else "JPEG"


def _decode_small(data: bytes) -> None:
    """Decode a JPEG at an eighth of its size: finds a cut file, costs a sixty-fourth of the memory."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
        picture.draft("L", (max(1, picture.width // 8), max(1, picture.height // 8)))
        picture.load()


def _check_pdf(data: bytes) -> list[str]:
    after = data[data.rfind(b"%%EOF") + 5 :].strip(b"\r\n\t \0") if b"%%EOF" in data else b""
    if len(after) > MOST_BYTES_AFTER_END or b"PK\x03\x04" in after:
        raise UploadRefused("Something follows after the end of the PDF. Save the document as a PDF again.")
    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            if document.is_encrypted:
                raise UploadRefused("The PDF is protected by a password. Remove the password and upload it again.")
            if not len(document.pages):
                raise UploadRefused("The PDF has no pages. Save the document as a PDF again.")
            return find_active_content(document, MOST_PIXELS)
    except pikepdf.PasswordError as error:
        raise UploadRefused("The PDF is protected by a password. Remove the password and upload it again.") from error
    except TooManyPixels as error:
        raise UploadRefused(
            f"The PDF holds a picture of more than {MOST_PIXELS:,} pixels. Scan it with a lower resolution."
        ) from error
    except _PARSER_ERRORS as error:
        raise UploadRefused("The PDF is damaged. Save or scan it again.") from error


def _copy_picture(data: bytes, media_type: str) -> bytes:
    with Image.open(io.BytesIO(data), formats=[_pillow_format(media_type)]) as original:
        original.draft("RGB", (LARGEST_SIDE_SHOWN, LARGEST_SIDE_SHOWN))
        original.thumbnail((LARGEST_SIDE_SHOWN, LARGEST_SIDE_SHOWN))
        upright = ImageOps.exif_transpose(original)
        return _plain_png(upright)


def _plain_png(picture: Image.Image) -> bytes:
    """Paste onto a fresh white sheet: only the dots survive, no metadata, profile or transparency."""
    sheet = Image.new("RGB", picture.size, "white")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        sheet.paste(layer, mask=layer.getchannel("A"))
    else:
        sheet.paste(_eight_bits(picture).convert("RGB"))
    output = io.BytesIO()
    sheet.save(output, format="PNG")
    return output.getvalue()


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Sixteen-bit greys must be scaled down first: a plain conversion would cut nearly all of them to white."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.convert("I").point(lambda grey: grey * (1 / 257)).convert("L")


def _draw_pages(data: bytes) -> list[bytes]:
    with _PDFIUM:
        document = pypdfium2.PdfDocument(data)
        try:
            return [_draw_page(document[number]) for number in range(min(len(document), MOST_PAGES_SHOWN))]
        finally:
            document.close()


def _draw_page(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    # One point is 1/72 inch: two dots a point reads well, and no page becomes larger than the limit.
    scale = min(2.0, (LARGEST_SIDE_SHOWN - 1) / max(width, height, 1.0))
    bitmap = page.render(scale=scale)
    try:
        return _plain_png(bitmap.to_pil())
    finally:
        bitmap.close()
        page.close()
