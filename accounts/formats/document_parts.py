"""The parts of PNG, JPEG and PDF files that tell whether a document is whole, still and harmless (B4, B7, B11)."""

import re
import zlib
from dataclasses import dataclass

import pikepdf

MOST_PDF_NODES = 500_000
# Ten times what any camera or scanner writes; keeps files of millions of tiny parts from costing minutes.
MOST_PARTS = 100_000

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# Inside a scan FF00 is a stuffed byte, D0-D7 are restarts, FFFF is padding; anything else is the next marker.
_JPEG_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_PADDING = re.compile(rb"\xff+")
_ACTIVE_KEYS = {
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/EmbeddedFiles": "an embedded file",
    "/EF": "an embedded file",
    "/XFA": "an XFA form",
    "/RichMedia": "embedded media",
}
_ACTIVE_NAMES = {
    "/JavaScript": "JavaScript",
    "/Launch": "an action that starts a program",
    "/EmbeddedFile": "an embedded file",
    "/FileAttachment": "an embedded file",
    "/ImportData": "an action that loads data",
    "/SubmitForm": "an action that sends data",
    "/RichMedia": "embedded media",
}


class DamagedDocument(ValueError):
    """The bytes do not follow the format; the text is the rest of "The picture is damaged: ..."."""


class TooManyPixels(ValueError):
    """A picture inside a PDF is larger than any scan."""


@dataclass(frozen=True)
class PictureParts:
    """Size in pixels, whether it moves, and the position after its last byte."""

    width: int
    height: int
    animated: bool
    end: int


def read_png_parts(data: bytes) -> PictureParts:
    """Walk the chunks of a PNG without decoding a pixel."""
    width = height = 0
    animated = False
    place = len(_PNG_SIGNATURE)
    for _ in range(MOST_PARTS):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        following = place + 12 + length
        if len(kind) < 4 or following > len(data):
            raise DamagedDocument("it is cut off")
        if place == len(_PNG_SIGNATURE):
            if kind != b"IHDR" or length != 13:
                raise DamagedDocument("its header is missing")
            width, height = (int.from_bytes(data[start : start + 4], "big") for start in (place + 8, place + 12))
        elif kind == b"IHDR":  # readers disagree on which of two headers counts
            raise DamagedDocument("it has two headers")
        animated = animated or kind in (b"acTL", b"fcTL", b"fdAT")
        if kind == b"IEND":
            return PictureParts(width, height, animated, following)
        place = following
    raise DamagedDocument("it has too many parts")


def require_whole_png(data: bytes, parts: PictureParts) -> None:
    """Unpack the pixels piece by piece and compare their amount with the header, without keeping them."""
    depth, colour, interlaced = data[24], data[25], data[28]
    if colour not in _PNG_SAMPLES or not parts.width or not parts.height:
        raise DamagedDocument("its header makes no sense")
    passes = _PNG_PASSES if interlaced else ((0, 0, 1, 1),)
    expected = 0
    for left, top, right, down in passes:
        columns, rows = -(-(parts.width - left) // right), -(-(parts.height - top) // down)
        if columns > 0 and rows > 0:
            expected += rows * (1 + (columns * depth * _PNG_SAMPLES[colour] + 7) // 8)
    if _unpacked_size(data, expected) < expected:
        raise DamagedDocument("pixels are missing")


def _unpacked_size(data: bytes, enough: int) -> int:
    unpacker, size, place = zlib.decompressobj(), 0, len(_PNG_SIGNATURE)
    while place < len(data) and size <= enough:
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        packed = data[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        while packed and size <= enough:
            try:
                size += len(unpacker.decompress(packed, 1 << 16))
            except zlib.error as error:
                raise DamagedDocument("its pixels cannot be unpacked") from error
            packed = unpacker.unconsumed_tail
        place += 12 + length
    return size


def read_jpeg_parts(data: bytes) -> PictureParts:
    """Walk the segments of a JPEG up to its end marker; zero bytes of padding after it count as part of it."""
    width = height = 0
    place = 2
    for _ in range(MOST_PARTS):
        place = _skip_padding(data, place)
        marker = _marker(data, place)
        if marker == _JPEG_END:
            break
        if marker in _JPEG_BARE:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if length < 2 or place + 2 + length > len(data):
            raise DamagedDocument("it is cut off")
        if marker in _JPEG_FRAMES:
            # Of several frame headers the largest counts: readers disagree on which one to believe.
            height = max(height, int.from_bytes(data[place + 5 : place + 7], "big"))
            width = max(width, int.from_bytes(data[place + 7 : place + 9], "big"))
        place += 2 + length
        if marker == _JPEG_SCAN:
            after = _JPEG_AFTER_SCAN.search(data, place)
            if after is None:
                raise DamagedDocument("it is cut off")
            place = after.start()
    else:
        raise DamagedDocument("it has too many parts")
    if not width or not height:
        raise DamagedDocument("its size is missing")
    end = place + 2
    return PictureParts(width, height, False, len(data) if not data[end:].strip(b"\0") else end)


def _skip_padding(data: bytes, place: int) -> int:
    """Any number of FF may stand before a marker; return the place of the last one."""
    run = _JPEG_PADDING.match(data, place)
    return run.end() - 1 if run else place


def _marker(data: bytes, place: int) -> int:
    if place + 1 >= len(data):
        raise DamagedDocument("it is cut off")
    if data[place] != 0xFF:
        raise DamagedDocument("its segments do not follow each other")
    return data[place + 1]


def find_active_content(document: pikepdf.Pdf, most_pixels: int) -> list[str]:
    """Return a sentence for each kind of active or embedded content in a PDF (B7).

    Every object is looked at, used or not. DamagedDocument is raised when there are more than any scan has,
    TooManyPixels when a picture among them declares more than `most_pixels` (B11).
    """
    found: dict[str, None] = {}
    budget = MOST_PDF_NODES
    # A loop over .objects keeps only one object at a time alive; the children on the stack are its direct ones.
    for top in document.objects:
        stack = [top]
        while stack:
            node = stack.pop()
            budget -= 1
            if budget < 0:
                raise DamagedDocument("it has too many parts")
            if isinstance(node, pikepdf.Dictionary | pikepdf.Stream):
                _require_few_pixels(node, most_pixels)
                stack.extend(_children(node, found))
            elif isinstance(node, pikepdf.Array):
                stack.extend(child for child in node if _is_direct(child))
    return [f"The PDF contains {what}. Do not open the original outside a safe viewer." for what in found]


def _require_few_pixels(node: pikepdf.Object, most: int) -> None:
    width, height = node.get("/Width", 0), node.get("/Height", 0)
    if isinstance(width, int) and isinstance(height, int) and width * height > most:
        raise TooManyPixels


def _children(node: pikepdf.Object, found: dict[str, None]) -> list[pikepdf.Object]:
    children = []
    for key, value in node.items():
        if key in _ACTIVE_KEYS:
            found.setdefault(_ACTIVE_KEYS[key])
        if isinstance(value, pikepdf.Name) and key in ("/S", "/Type", "/Subtype") and str(value) in _ACTIVE_NAMES:
            found.setdefault(_ACTIVE_NAMES[str(value)])
        if _is_direct(value):
            children.append(value)
    return children


def _is_direct(value: object) -> bool:
    """Indirect objects come up by themselves; following them here would run in circles."""
    return isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect
