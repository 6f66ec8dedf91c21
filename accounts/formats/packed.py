"""Files packed with gzip, unpacked while they are read, up to a limit; other packings are named and refused."""

import gzip
import io
import zlib
from typing import BinaryIO

from accounts.formats.access_lines import AccessFileRefused
from accounts.formats.text import shown
from kyc_portal.refusal import Remedy

LARGEST_UNPACKED = 1 << 30  # as much as a table may hold that is not packed; what grows beyond it is a trap
GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
_LONGEST_MARK = max(map(len, _OTHERS))
CHUNK = 1 << 16


def is_packed(stream: BinaryIO, name: str) -> bool:
    """Tell whether the stream, left where it was, is packed with gzip; AccessFileRefused for other packings."""
    start = stream.tell()
    head = stream.read(_LONGEST_MARK)
    stream.seek(start)
    return _judge(head, name)


def unpacked(stream: BinaryIO, name: str, largest: int | None = None) -> io.BufferedReader:
    """The content of a stream, packed or not, from where the stream stands.

    AccessFileRefused, with `name` in it, is raised for other packings at once, and while reading where the file is
    damaged, cut off, packed twice or larger than `largest` bytes (packed ones: LARGEST_UNPACKED where it is None).
    """
    head = stream.read(_LONGEST_MARK)
    joined, place = _Joined(head, stream), shown(name)
    if _judge(head, name):
        packed = gzip.GzipFile(fileobj=joined, mode="rb")
        return io.BufferedReader(_Limited(packed, place, largest or LARGEST_UNPACKED, is_packed=True), CHUNK)
    return io.BufferedReader(_Limited(joined, place, largest, is_packed=False), CHUNK)


def _judge(head: bytes, name: str) -> bool:
    for mark, packing in _OTHERS.items():
        if head.startswith(mark):
            raise AccessFileRefused(f"{shown(name)} is packed with {packing}. Unpack it, or pack it with gzip.")
    return head.startswith(GZIP)


class _Joined:
    """A stream whose first bytes were already taken; saves us asking every source to rewind."""

    def __init__(self, head: bytes, rest: BinaryIO):
        self.head, self.rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if not self.head:
            return self.rest.read(size)
        head, self.head = (self.head, b"") if size < 0 else (self.head[:size], self.head[size:])
        return head + self.rest.read(size - len(head) if size >= 0 else -1)


class _Limited(io.RawIOBase):
    """Reads up to a number of bytes and puts the faults of unpacking into words; the source stays open."""

    def __init__(self, source: gzip.GzipFile | _Joined, place: str, largest: int | None, *, is_packed: bool):
        self.source, self.place, self.largest, self.is_packed = source, place, largest, is_packed
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        part = self._read(len(buffer))
        if self.is_packed and not self.count and part.startswith(GZIP):
            raise AccessFileRefused(f"{self.place} is packed twice. Unpack it once.")
        self.count += len(part)
        if self.largest is not None and self.count > self.largest:
            raise AccessFileRefused(
                f"{self.place} holds more than {self.largest:,} bytes. Split it into smaller files."
            )
        buffer[: len(part)] = part
        return len(part)

    def _read(self, size: int) -> bytes:
        if not self.is_packed:
            return self.source.read(size)
        try:
            return self.source.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise AccessFileRefused(f"{self.place} cannot be unpacked, perhaps cut off.", Remedy.GET_AGAIN) from error
