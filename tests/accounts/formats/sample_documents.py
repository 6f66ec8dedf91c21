"""Small documents built on the spot: pictures, PDFs, archives."""

import io
import struct
import zipfile
import zlib

import pikepdf
from PIL import Image


def picture(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options) -> bytes:
    output = io.BytesIO()
    Image.new(mode, size, "red" if mode in ("RGB", "RGBA") else 0).save(output, format=kind, **options)
    return output.getvalue()


def pdf(change=None, **options) -> bytes:
    document = pikepdf.new()
    document.add_blank_page(page_size=(200, 300))
    if change:
        change(document)
    output = io.BytesIO()
    document.save(output, **options)
    return output.getvalue()


def archive() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as box:
        box.writestr("word/document.xml", "<x/>")
    return output.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def large_png(width: int, height: int) -> bytes:
    """One-bit pixels, all zero: gigapixels in kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\x00" * (1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
