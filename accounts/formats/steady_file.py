"""A file that must not change while it is read: its size, its times and its bytes are the same at every end of it."""

import hashlib
import io
import os
import stat
from pathlib import Path

from accounts.formats.text import shown
from kyc_portal.refusal import Refusal

BUFFER = 1 << 16


class FileChanged(Refusal):
    """The file grew, shrank or was written to while it was read."""


class FileUnreadable(Refusal):
    """The file is missing, may not be read, or its medium is damaged."""


def is_regular(path: Path) -> bool:
    """Tell whether the path is a file as such, not a pipe; FileUnreadable when it is nothing that can be looked at."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error


def open_steady(path: Path) -> io.BufferedReader:
    """Open a regular file for reading; at its end FileChanged is raised if it is not what it was at the opening.

    The bytes are compared as well, by their hash, whenever the file is gone through more than once from its start.
    """
    return io.BufferedReader(_Steady(path), BUFFER)


class _Steady(io.RawIOBase):
    def __init__(self, path: Path):
        self.path = path
        try:
            self.file = path.open("rb", buffering=0)
            self.at_first = self._looks()
        except (OSError, ValueError) as error:
            raise _unreadable(path) from error
        self.sha256, self.passed, self.first_hash = hashlib.sha256(), 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        place = self.file.seek(offset, whence)
        if place == 0:
            self.sha256, self.passed = hashlib.sha256(), 0
        return place

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer: memoryview) -> int:
        place = self.file.tell()
        try:
            count = self.file.readinto(buffer)
        except OSError as error:
            raise _unreadable(self.path) from error
        if count == 0:
            self._compare()
        elif place == self.passed:  # a part that was skipped cannot be compared
            self.sha256.update(buffer[:count])
            self.passed += count
        return count

    def close(self) -> None:
        if not self.closed:
            self.file.close()
        super().close()

    def _looks(self) -> tuple[int, int, int, int]:
        """Of the file behind the name too: one that was put in its place is another file."""
        now, named = os.fstat(self.file.fileno()), self.path.stat()
        return now.st_size, now.st_mtime_ns, named.st_ino, named.st_dev

    def _compare(self) -> None:
        try:
            is_steady = self._looks() == self.at_first
        except OSError:
            is_steady = False  # it was removed
        whole = self.passed == self.at_first[0]
        if whole and not self.first_hash:
            self.first_hash = self.sha256.digest()
        if not is_steady or (whole and self.first_hash != self.sha256.digest()):
            raise FileChanged(
                f"{shown(self.path.name)} changed while it was read, so nothing of it is taken in. Give it again when "
                "nobody writes to it any more."
            )


def _unreadable(path: Path) -> FileUnreadable:
    return FileUnreadable(f"{shown(path.name)} cannot be read. Check the file's name and its rights.")
